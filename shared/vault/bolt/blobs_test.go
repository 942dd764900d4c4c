package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/shared/bolt"
	"sallyport/shared/vault"
	vaultbolt "sallyport/shared/vault/bolt"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 1, time.UTC)

type store struct {
	*vaultbolt.Blobs
	db      *bolt.DB
	commits int
	t       *testing.T
}

func MustOpen(t *testing.T, path string) *store {
	t.Helper()
	s := &store{t: t}
	var err error
	s.db, err = bolt.Open(path, bolt.OnWrite(func(stage string) {
		if stage == "after" {
			s.commits++
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.db.Close() })
	if s.Blobs, err = vaultbolt.New(s.db); err != nil {
		t.Fatal(err)
	}
	s.at(now)
	return s
}

func (s *store) at(now time.Time) { s.Now = func() time.Time { return now } }

func (s *store) mustPut(key string, blob []byte, expires time.Time) {
	s.t.Helper()
	if err := s.Put(s.t.Context(), key, blob, expires); err != nil {
		s.t.Fatal(err)
	}
}

func (s *store) want(key string, blob []byte) {
	s.t.Helper()
	if got, err := s.Get(s.t.Context(), key); err != nil || !bytes.Equal(got, blob) {
		s.t.Fatalf("%s: got %d bytes, %v; want %d", key, len(got), err, len(blob))
	}
}

func (s *store) wantAbsent(key string) {
	s.t.Helper()
	if got, err := s.Get(s.t.Context(), key); !errors.Is(err, vault.ErrNotFound) || got != nil {
		s.t.Fatalf("%s: got %q, %v; want ErrNotFound", key, got, err)
	}
}

// size counts what the file holds, index entries included.
func (s *store) size() (entries int) {
	err := s.db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
			entries += b.Stats().KeyN
			return nil
		})
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return entries
}

func TestBlobs(t *testing.T) {
	open := func(t *testing.T) *store { return MustOpen(t, filepath.Join(t.TempDir(), "vault.db")) }
	hour := now.Add(time.Hour)

	t.Run("AnyBytes", func(t *testing.T) {
		s := open(t)
		all := make([]byte, 256)
		for i := range all {
			all[i] = byte(i)
		}
		for key, blob := range map[string][]byte{
			"all": all, "empty": {}, "large": bytes.Repeat(all, 20_000), "a/b\x00c": {0},
		} {
			s.mustPut(key, blob, hour)
			s.want(key, blob)
		}
	})
	t.Run("ErrNotFound", func(t *testing.T) { open(t).wantAbsent("key") })
	t.Run("Replaced", func(t *testing.T) {
		s := open(t)
		s.mustPut("key", []byte("old"), hour)
		s.mustPut("key", []byte("new"), hour.Add(time.Hour))
		s.at(hour)
		s.mustPut("other", nil, hour.Add(time.Hour)) // sweeps nothing: the first expiry is gone with the old blob
		s.want("key", []byte("new"))
		s.mustPut("key", []byte("short"), hour.Add(1))
		s.at(hour.Add(1))
		s.wantAbsent("key")
	})
	t.Run("Expired", func(t *testing.T) {
		s := open(t)
		s.mustPut("key", []byte("blob"), hour.In(time.FixedZone("IST", 5*3600+1800)))
		s.at(hour.Add(-1))
		s.want("key", []byte("blob"))
		for _, later := range []time.Duration{0, 1, time.Hour} {
			s.at(hour.Add(later))
			s.wantAbsent("key")
		}
	})
	t.Run("Extend", func(t *testing.T) {
		s := open(t)
		s.mustPut("key", []byte("blob"), hour)
		for _, at := range []time.Time{hour.Add(time.Hour), hour.Add(time.Minute), hour} { // never sooner
			if err := s.Extend(t.Context(), "key", at); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Expires(t.Context(), "key"); err != nil || !got.Equal(hour.Add(time.Hour)) {
				t.Fatalf("expires at %s, %v", got, err)
			}
		}
		if s.commits != 3 || s.size() != 2 { // the bucket, Put and one Extend
			t.Errorf("%d commits, %d entries", s.commits, s.size())
		}
		s.at(hour.Add(time.Hour - 1))
		s.want("key", []byte("blob"))
		s.at(hour.Add(time.Hour))
		for _, key := range []string{"key", "none"} {
			_, err := s.Expires(t.Context(), key)
			if later := s.Extend(t.Context(), key, hour.Add(2*time.Hour)); !errors.Is(err, vault.ErrNotFound) ||
				!errors.Is(later, vault.ErrNotFound) {
				t.Errorf("%s: expires %v, extended %v", key, err, later)
			}
		}
	})
	t.Run("Sweep", func(t *testing.T) {
		s := open(t)
		for i := range 40 {
			s.mustPut(fmt.Sprint("old-", i), []byte("blob"), hour.Add(time.Duration(-i)))
		}
		s.mustPut("kept", []byte("blob"), hour.Add(1))
		s.at(hour)
		for _, commits := range []int{3, 0} {
			s.commits = 0
			if err := s.Sweep(t.Context()); err != nil || s.size() != 2 || s.commits != commits {
				t.Errorf("%d entries are left after %d commits, %v", s.size(), s.commits, err)
			}
		}
	})
	t.Run("Delete", func(t *testing.T) {
		s := open(t)
		s.mustPut("key", []byte("blob"), hour)
		for _, want := range []int{1, 0} { // absent the second time, which costs no write
			s.commits = 0
			if err := s.Delete(t.Context(), "key"); err != nil {
				t.Fatal(err)
			}
			if s.commits != want {
				t.Errorf("%d commits, want %d", s.commits, want)
			}
			s.wantAbsent("key")
		}
		if n := s.size(); n != 0 {
			t.Errorf("%d entries are left", n)
		}
	})
	t.Run("ExpiredAreSwept", func(t *testing.T) {
		s := open(t)
		const old = 100
		for i := range old {
			s.mustPut(fmt.Sprint("old-", i), []byte("blob"), hour.Add(time.Duration(-i)))
		}
		s.mustPut("kept", []byte("blob"), hour.Add(time.Hour))
		s.at(hour)
		before := s.size()
		s.commits = 0
		s.mustPut("new", []byte("blob"), hour.Add(time.Hour))
		if after := s.size(); after >= before || after < before-2*20 || s.commits != 1 {
			t.Errorf("one Put went from %d to %d entries in %d commits", before, after, s.commits)
		}
		for range old / 10 {
			s.mustPut("new", []byte("blob"), hour.Add(time.Hour))
		}
		if n := s.size(); n != 4 {
			t.Errorf("%d entries are left, want the 4 of two blobs", n)
		}
		s.want("kept", []byte("blob"))
	})
	t.Run("NothingIsShared", func(t *testing.T) {
		s := open(t)
		blob := []byte("blob")
		s.mustPut("key", blob, hour)
		blob[0] = 'x'
		got, err := s.Get(t.Context(), "key")
		if err != nil {
			t.Fatal(err)
		}
		got[1] = 'x'
		s.want("key", []byte("blob"))
	})
	t.Run("KeptAcrossProcesses", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "vault.db")
		s := MustOpen(t, path)
		s.mustPut("key", []byte("blob"), hour)
		s.db.Close()
		s = MustOpen(t, path)
		s.want("key", []byte("blob"))
		if s.commits != 0 {
			t.Errorf("opening again wrote %d times", s.commits)
		}
	})
	t.Run("Context", func(t *testing.T) {
		s := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.Get(ctx, "key")
		for _, err := range []error{err, s.Put(ctx, "key", nil, hour), s.Delete(ctx, "key")} {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want the context's error", err)
			}
		}
		s.wantAbsent("key")
	})
}
