package bolt_test

import (
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"go.etcd.io/bbolt"

	"sallyport/shared/bolt"
)

func MustOpen(t *testing.T, path string, opts ...bolt.Option) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func put(key string) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte("test"))
		if err != nil {
			return err
		}
		return b.Put([]byte(key), []byte("value"))
	}
}

func has(t *testing.T, db *bolt.DB, key string) (found bool) {
	t.Helper()
	err := db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("test"))
		found = b != nil && b.Get([]byte(key)) != nil
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestOpen(t *testing.T) {
	t.Run("OnlyThisUserReads", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state", "ledger.db")
		MustOpen(t, path)
		for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Mode().Perm(); got != want {
				t.Errorf("%s: mode %o, want %o", name, got, want)
			}
		}
	})
	t.Run("ErrLocked", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "ledger.db")
		MustOpen(t, path)
		if _, err := bolt.Open(path); !errors.Is(err, bolt.ErrLocked) {
			t.Fatalf("got %v, want ErrLocked", err)
		}
	})
	t.Run("NotAFile", func(t *testing.T) {
		if _, err := bolt.Open(t.TempDir()); err == nil || errors.Is(err, bolt.ErrLocked) {
			t.Fatalf("got %v, want an error other than ErrLocked", err)
		}
	})
	t.Run("KeepsWhatWasWritten", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "ledger.db")
		db := MustOpen(t, path)
		if err := db.Update(put("kept")); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if !has(t, MustOpen(t, path), "kept") {
			t.Fatal("the write is gone")
		}
	})
}

func TestUpdate(t *testing.T) {
	failed := errors.New("condition failed")
	var stages []string
	db := MustOpen(t, filepath.Join(t.TempDir(), "ledger.db"), bolt.OnWrite(func(stage string) {
		stages = append(stages, stage)
	}))

	t.Run("ErrorRollsBack", func(t *testing.T) {
		err := db.Update(func(tx *bbolt.Tx) error { return errors.Join(put("undone")(tx), failed) })
		if !errors.Is(err, failed) {
			t.Fatalf("got %v, want the function's error", err)
		}
		if has(t, db, "undone") || len(stages) != 0 {
			t.Fatalf("written: %v, stages %q; want neither", has(t, db, "undone"), stages)
		}
	})
	t.Run("PanicRollsBack", func(t *testing.T) {
		func() {
			defer func() { _ = recover() }()
			_ = db.Update(func(tx *bbolt.Tx) error { panic(put("undone")(tx)) })
		}()
		if has(t, db, "undone") || len(stages) != 0 {
			t.Fatal("a panic left something behind")
		}
	})
	t.Run("CommitReportsBothStages", func(t *testing.T) {
		if err := db.Update(put("done")); err != nil {
			t.Fatal(err)
		}
		if !has(t, db, "done") || !slices.Equal(stages, []string{"before", "after"}) {
			t.Fatalf("written: %v, stages %q", has(t, db, "done"), stages)
		}
	})
}

// TestFreePages holds that many free pages make no commit dearer, and that Close writes down which they are.
func TestFreePages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	db := MustOpen(t, path)
	once := func() int64 {
		before := db.Allocated()
		if err := db.Update(put("key")); err != nil {
			t.Fatal(err)
		}
		return db.Allocated() - before
	}
	once()
	few := once()
	fill := func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte("many"))
		for i := 0; err == nil && i < 20_000; i++ {
			err = b.Put(binary.BigEndian.AppendUint32(nil, uint32(i)), make([]byte, 1<<10))
		}
		return err
	}
	empty := func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("many")) }
	if err := errors.Join(db.Update(fill), db.Update(empty)); err != nil {
		t.Fatal(err)
	}
	once()
	if many := once(); many > 2*few {
		t.Errorf("a commit writes %d bytes among many free pages, %d among few", many, few)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, PreLoadFreelist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	err = file.View(func(tx *bbolt.Tx) error {
		for id := 0; ; id++ {
			switch page, err := tx.Page(id); {
			case err != nil || page == nil:
				return errors.Join(errors.New("the file has no list of its free pages"), err)
			case page.Type == "freelist":
				return nil
			}
		}
	})
	if err != nil {
		t.Error(err)
	}
}

// TestProcessEnds ends a process at either stage of a write and reads what it left.
func TestProcessEnds(t *testing.T) {
	if path := os.Getenv("BOLT_TEST_FILE"); path != "" {
		db := MustOpen(t, path, bolt.OnWrite(func(stage string) {
			if stage == os.Getenv("BOLT_TEST_STAGE") {
				os.Exit(3)
			}
		}))
		t.Fatalf("still running after %v", db.Update(put("key")))
	}
	for stage, want := range map[string]bool{"before": false, "after": true} {
		t.Run(stage, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger.db")
			cmd := exec.Command(os.Args[0], "-test.run=^TestProcessEnds$")
			cmd.Env = append(os.Environ(), "BOLT_TEST_FILE="+path, "BOLT_TEST_STAGE="+stage)
			if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 3 {
				t.Fatalf("exit status %d: %s", cmd.ProcessState.ExitCode(), out)
			}
			if got := has(t, MustOpen(t, path), "key"); got != want {
				t.Fatalf("written: %v, want %v", got, want)
			}
		})
	}
}
