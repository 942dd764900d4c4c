package sandbox_test

import (
	"path/filepath"
	"testing"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/storetest"
	"sallyport/shared/bolt"
)

func TestBolt(t *testing.T) {
	storetest.Run(t, func(t *testing.T) sandbox.Store {
		return sandbox.NewBolt(openBolt(t, filepath.Join(t.TempDir(), "sandbox.db")))
	})
}

// openBolt opens a file for the length of a test; closing it before does no harm.
func openBolt(t testing.TB, path string) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
