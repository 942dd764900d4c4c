package bolt_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"go.etcd.io/bbolt"

	"sallyport/shared/bolt"
)

// BenchmarkUpdate measures one write of 1 KB by each of several callers at a time.
func BenchmarkUpdate(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("Callers%d", callers), func(b *testing.B) {
			db, err := bolt.Open(filepath.Join(b.TempDir(), "bench.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			value := make([]byte, 1<<10)
			var n atomic.Int64
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for i := n.Add(1); i <= int64(b.N); i = n.Add(1) {
						err := db.Update(func(tx *bbolt.Tx) error {
							bucket, err := tx.CreateBucketIfNotExists([]byte("bench"))
							if err != nil {
								return err
							}
							return bucket.Put(fmt.Appendf(nil, "%08d", i*7919%100000), value)
						})
						if err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}
