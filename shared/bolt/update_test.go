package bolt_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"go.etcd.io/bbolt"

	"sallyport/shared/bolt"
)

// held is a file whose first commit is held until everybody waits behind it, so that they share the second one.
type held struct {
	*bolt.DB
	commits  atomic.Int64
	onCommit func(n int64) // called before each commit
	wg       sync.WaitGroup
	first    chan struct{}
}

func MustHold(t *testing.T) *held {
	h := &held{first: make(chan struct{}), onCommit: func(int64) {}}
	began := make(chan struct{})
	h.DB = MustOpen(t, filepath.Join(t.TempDir(), "held.db"), bolt.OnWrite(func(stage string) {
		if stage != "before" {
			return
		}
		n := h.commits.Add(1)
		if n == 1 {
			close(began)
			<-h.first
		}
		h.onCommit(n)
	}))
	h.wg.Go(func() { _ = h.Update(put("first")) })
	<-began
	return h
}

// queue calls Update and returns once the call waits.
func (h *held) queue(fn func(*bbolt.Tx) error, then func(error)) {
	before := h.Waiting()
	h.wg.Go(func() {
		err := errPanicked
		defer func() {
			if recover() != nil {
				then(errPanicked)
			} else {
				then(err)
			}
		}()
		err = h.Update(fn)
	})
	for h.Waiting() == before {
		runtime.Gosched()
	}
}

func (h *held) release() {
	close(h.first)
	h.wg.Wait()
}

var (
	errFailed   = errors.New("condition failed")
	errPanicked = errors.New("panicked")
)

func TestUpdateShared(t *testing.T) {
	t.Run("OneCommit", func(t *testing.T) {
		h := MustHold(t)
		for i := range 100 {
			h.queue(put(fmt.Sprint(i)), func(err error) {
				if err != nil || h.commits.Load() != 2 {
					t.Errorf("returned %v after commit %d", err, h.commits.Load())
				}
			})
		}
		h.release()
		if n := h.commits.Load(); n != 2 || !has(t, h.DB, "0") || !has(t, h.DB, "99") {
			t.Errorf("%d commits, want 2 with everything", n)
		}
	})
	t.Run("FailureWithoutWrite", func(t *testing.T) {
		h, runs := MustHold(t), 0
		for i := range 100 {
			h.queue(func(tx *bbolt.Tx) error {
				runs++
				if i%2 == 0 {
					return errFailed
				}
				return put(fmt.Sprint(i))(tx)
			}, func(err error) {
				if (i%2 == 0) != errors.Is(err, errFailed) {
					t.Errorf("%d returned %v", i, err)
				}
			})
		}
		h.release()
		if n := h.commits.Load(); n != 2 || runs != 100 || !has(t, h.DB, "99") {
			t.Errorf("%d commits, %d runs; want 2 and 100", n, runs)
		}
	})
	for name, end := range map[string]func() error{
		"FailureAfterWrite": func() error { return errFailed },
		"PanicAfterWrite":   func() error { panic("in its function") },
		"Goexit":            func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			h, runs := MustHold(t), 0
			for i := range 10 {
				h.queue(func(tx *bbolt.Tx) error {
					runs++
					if err := put(fmt.Sprint(i))(tx); err != nil || i != 5 {
						return err
					}
					return end()
				}, func(err error) {
					if (i == 5) != (err != nil) {
						t.Errorf("%d returned %v", i, err)
					}
				})
			}
			h.release()
			for i := range 10 {
				if has(t, h.DB, fmt.Sprint(i)) != (i != 5) {
					t.Errorf("%d is there: %v", i, i == 5)
				}
			}
			if runs > 20 {
				t.Errorf("%d runs of 10 functions", runs)
			}
		})
	}
	t.Run("FailureOverUncommittedWrite", func(t *testing.T) {
		h := MustHold(t)
		var returned []error
		var mu sync.Mutex
		h.onCommit = func(n int64) {
			for range 1000 {
				runtime.Gosched() // whoever would return too early does so now
			}
			if mu.Lock(); n == 2 && len(returned) != 0 {
				t.Error("a caller knows of a write that is not on disk")
			}
			mu.Unlock()
		}
		for range 2 {
			h.queue(func(tx *bbolt.Tx) error {
				if tx.Bucket([]byte("test")).Get([]byte("claim")) != nil {
					return errFailed
				}
				return put("claim")(tx)
			}, func(err error) {
				mu.Lock()
				defer mu.Unlock()
				returned = append(returned, err)
			})
		}
		h.queue(put("last"), func(error) {}) // commits for those before it
		h.release()
		if len(returned) != 2 || !slices.Contains(returned, nil) || !slices.Contains(returned, errFailed) {
			t.Errorf("returned %v, want one success and one failure", returned)
		}
	})
	t.Run("CommitFails", func(t *testing.T) {
		h := MustHold(t)
		h.onCommit = func(n int64) {
			if n == 2 {
				panic("while it commits")
			}
		}
		for i := range 3 {
			h.queue(put(fmt.Sprint(i)), func(err error) {
				if err == nil {
					t.Errorf("%d returned success", i)
				}
			})
		}
		h.release()
		if has(t, h.DB, "0") || h.Update(put("later")) != nil || !has(t, h.DB, "later") {
			t.Error("the file isn't as it was before the failed commit, or takes no more")
		}
	})
	t.Run("NothingWritten", func(t *testing.T) {
		h := MustHold(t)
		h.release()
		read := func(tx *bbolt.Tx) error { tx.Bucket([]byte("test")).Get([]byte("first")); return nil }
		if err := h.Update(read); err != nil || h.commits.Load() != 1 {
			t.Errorf("returned %v after commit %d, want no commit", err, h.commits.Load())
		}
	})
}

// TestUpdateAtRandom lets callers write, fail and panic side by side. Afterwards exactly that is on disk which was
// reported written, and each key counts how often.
func TestUpdateAtRandom(t *testing.T) {
	db := MustOpen(t, filepath.Join(t.TempDir(), "random.db"))
	var want [8]atomic.Int64
	count := func(tx *bbolt.Tx, key int) (*bbolt.Bucket, []byte) {
		b, err := tx.CreateBucketIfNotExists([]byte("counts"))
		if err != nil {
			t.Error(err)
		}
		return b, b.Get([]byte{byte(key)})
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 50 {
				key, end := rand.IntN(len(want)), rand.IntN(10)
				func() {
					defer func() { _ = recover() }()
					runs := 0
					err := db.Update(func(tx *bbolt.Tx) error {
						if runs++; end == 2 && runs > 2 {
							t.Errorf("run %d of a function that fails whenever it runs", runs)
						}
						b, n := count(tx, key)
						if end == 0 {
							return errFailed
						}
						if err := b.Put([]byte{byte(key)}, append(slices.Clone(n), 'x')); err != nil || end > 2 {
							return err
						}
						if end == 1 {
							panic("in its function")
						}
						return errFailed
					})
					if err == nil {
						want[key].Add(1)
					}
				}()
			}
		})
	}
	wg.Wait()
	err := db.View(func(tx *bbolt.Tx) error {
		for key := range want {
			if n := len(tx.Bucket([]byte("counts")).Get([]byte{byte(key)})); int64(n) != want[key].Load() {
				t.Errorf("key %d counts %d, want %d", key, n, want[key].Load())
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestWritesAreSeen holds that each way to write to a page that was changed in the same transaction before is noticed,
// on which the rollback of a group depends.
func TestWritesAreSeen(t *testing.T) {
	for name, write := range map[string]func(tx *bbolt.Tx, b *bbolt.Bucket) error{
		"Put":          func(_ *bbolt.Tx, b *bbolt.Bucket) error { return b.Put([]byte("new"), nil) },
		"Delete":       func(_ *bbolt.Tx, b *bbolt.Bucket) error { return b.Delete([]byte("first")) },
		"CreateBucket": func(tx *bbolt.Tx, _ *bbolt.Bucket) error { _, err := tx.CreateBucket([]byte("new")); return err },
		"CreateBucketIfNotExists": func(tx *bbolt.Tx, _ *bbolt.Bucket) error {
			_, err := tx.CreateBucketIfNotExists([]byte("new"))
			return err
		},
		"DeleteBucket": func(tx *bbolt.Tx, _ *bbolt.Bucket) error { return tx.DeleteBucket([]byte("test")) },
		"MoveBucket": func(tx *bbolt.Tx, b *bbolt.Bucket) error {
			return tx.MoveBucket([]byte("other"), nil, b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := MustHold(t)
			h.queue(func(tx *bbolt.Tx) error {
				_, err := tx.CreateBucketIfNotExists([]byte("other"))
				return errors.Join(err, put("before")(tx))
			}, func(error) {})
			h.queue(func(tx *bbolt.Tx) error {
				return errors.Join(write(tx, tx.Bucket([]byte("test"))), errFailed)
			}, func(error) {})
			h.queue(put("after"), func(error) {})
			h.release()
			err := h.View(func(tx *bbolt.Tx) error {
				b := tx.Bucket([]byte("test"))
				if b == nil || b.Get([]byte("first")) == nil || b.Get([]byte("before")) == nil || b.Get([]byte("after")) == nil ||
					b.Get([]byte("new")) != nil || tx.Bucket([]byte("new")) != nil || tx.Bucket([]byte("other")) == nil {
					t.Error("what failed has left something, or what did not is gone")
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}
