package secrets_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"sallyport/shared/secrets"
)

type source struct {
	mu     sync.Mutex
	values map[string]string
	asked  map[string]int
	err    error
}

func (s *source) Secret(_ context.Context, name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[name]++
	if s.err != nil {
		return nil, s.err
	}
	if value, ok := s.values[name]; ok {
		return []byte(value), nil
	}
	return nil, secrets.ErrNotFound
}

func (s *source) total() (n int) {
	for _, calls := range s.asked {
		n += calls
	}
	return n
}

func newCache(values map[string]string) (*secrets.Cache, *source, *time.Time) {
	s := &source{values: values, asked: map[string]int{}}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return secrets.NewCache(s, "test", func() time.Time { return now }), s, &now
}

func MustPartner(t *testing.T, c *secrets.Cache, tenant string) string {
	t.Helper()
	value, err := c.Partner(context.Background(), tenant, "equal")
	if err != nil {
		t.Fatal(err)
	}
	return string(value)
}

func TestCache(t *testing.T) {
	c, s, now := newCache(
		map[string]string{
			"sallyport/test/partners/equal": "shared", "sallyport/test/tenants/acme/equal": "own", "sallyport/test/keys": "ring",
		},
	)
	if got := MustPartner(t, c, "acme"); got != "own" {
		t.Errorf("acme got %s", got)
	}
	for range 3 {
		if got := MustPartner(t, c, "globex"); got != "shared" {
			t.Errorf("globex got %s", got)
		}
	}
	if keys, err := c.Keys(context.Background()); err != nil || string(keys) != "ring" {
		t.Errorf("keys %s, %v", keys, err)
	}
	if n := s.total(); n != 4 {
		t.Errorf("the source was asked %d times, want once for each name, also for the one that is missing", n)
	}
	s.values["sallyport/test/partners/equal"] = "renewed"
	*now = now.Add(secrets.TTL - time.Second)
	if got := MustPartner(t, c, "globex"); got != "shared" {
		t.Errorf("within the TTL got %s", got)
	}
	*now = now.Add(time.Second)
	if got := MustPartner(t, c, "globex"); got != "renewed" {
		t.Errorf("after the TTL got %s", got)
	}
	delete(s.values, "sallyport/test/partners/equal")
	*now = now.Add(secrets.TTL)
	if _, err := c.Partner(context.Background(), "globex", "equal"); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestRefresh(t *testing.T) {
	c, s, now := newCache(map[string]string{"sallyport/test/partners/equal": "old"})
	ctx := context.Background()
	old := MustPartner(t, c, "acme")
	asked := s.total()
	for range 10 { // just read: the source can't know better yet
		if value, err := c.RefreshPartner(ctx, "acme", "equal", []byte(old)); err != nil || string(value) != "old" {
			t.Errorf("got %s, %v", value, err)
		}
	}
	if n := s.total() - asked; n != 0 {
		t.Errorf("the source was asked %d times within half a minute", n)
	}
	*now = now.Add(30 * time.Second)
	s.values["sallyport/test/partners/equal"] = "new"
	before := s.total()
	for range 3 {
		if value, err := c.RefreshPartner(ctx, "acme", "equal", []byte(old)); err != nil || string(value) != "new" {
			t.Errorf("got %s, %v", value, err)
		}
	}
	if n := s.total() - before; n != 2 {
		t.Errorf("the source was asked %d times, want once for each of the two names", n)
	}
}

func TestFailureIsNotRemembered(t *testing.T) {
	c, s, _ := newCache(map[string]string{"sallyport/test/keys": "ring"})
	s.err = errors.New("down")
	if _, err := c.Keys(context.Background()); err == nil {
		t.Error("no error")
	}
	s.err = nil
	if keys, err := c.Keys(context.Background()); err != nil || string(keys) != "ring" {
		t.Errorf("got %s, %v", keys, err)
	}
}

func TestOldValueWhileTheSourceFails(t *testing.T) {
	c, s, now := newCache(map[string]string{"sallyport/test/keys": "ring"})
	ctx := context.Background()
	if _, err := c.Keys(ctx); err != nil {
		t.Fatal(err)
	}
	s.err, *now = errors.New("down"), now.Add(secrets.TTL)
	asked := s.total()
	for range 5 {
		if keys, err := c.Keys(ctx); err != nil || string(keys) != "ring" {
			t.Errorf("got %s, %v", keys, err)
		}
	}
	if n := s.total() - asked; n != 1 {
		t.Errorf("the failing source was asked %d times", n)
	}
	s.err, s.values["sallyport/test/keys"], *now = nil, "new ring", now.Add(30*time.Second)
	if keys, err := c.Keys(ctx); err != nil || string(keys) != "new ring" {
		t.Errorf("got %s, %v", keys, err)
	}
}

func TestConcurrentReadersShareOneCall(t *testing.T) {
	c, s, _ := newCache(map[string]string{"sallyport/test/keys": "ring"})
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if _, err := c.Keys(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := s.total(); n != 1 {
		t.Errorf("the source was asked %d times", n)
	}
}
