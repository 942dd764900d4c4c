package vault_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sallyport/shared/bolt"
	"sallyport/shared/seal"
	"sallyport/shared/vault"
	vaultbolt "sallyport/shared/vault/bolt"
)

func TestVault(t *testing.T) {
	ctx, file := context.Background(), filepath.Join(t.TempDir(), "vault.db")
	db, err := bolt.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	blobs, err := vaultbolt.New(db)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.NewRing(seal.GenerateKeys())
	if err != nil {
		t.Fatal(err)
	}
	v := &vault.Vault{Blobs: blobs, Ring: func(context.Context) (*seal.Ring, error) { return ring, nil }}
	if err := v.Put(ctx, "acme", "doc-1", []byte("personal data"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if plain, err := v.Get(ctx, "acme", "doc-1"); err != nil || string(plain) != "personal data" {
		t.Errorf("got %q, %v", plain, err)
	}
	if _, err := v.Get(ctx, "globex", "doc-1"); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("another tenant got %v", err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, clear := range []string{"personal data", "acme", "doc-1"} {
		if bytes.Contains(text, []byte(clear)) {
			t.Errorf("the file shows %q", clear)
		}
	}
	for range 2 {
		if err := v.Delete(ctx, "acme", "doc-1"); err != nil {
			t.Error(err)
		}
	}
	if _, err := v.Get(ctx, "acme", "doc-1"); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("after the erasure: %v", err)
	}
	if err := v.Put(ctx, "acme", "old", []byte("x"), time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Get(ctx, "acme", "old"); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("after its time: %v", err)
	}
}
