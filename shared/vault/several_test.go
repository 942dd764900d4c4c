package vault_test

import (
	"errors"
	"testing"

	"sallyport/shared/vault"
)

func TestDocumentOfSeveralValuesOrNone(t *testing.T) {
	v, _ := MustVault(t, map[string]string{"two": `1 2`, "none": ``, "space": ` `})
	for _, id := range []string{"two", "none", "space"} {
		got, err := v.Splice(t.Context(), "acme", []byte(`[{"document_id":"`+id+`"}]`), 1<<20, nil)
		if !errors.Is(err, vault.ErrNotJSON) {
			t.Errorf("%s: got %s, %v, want ErrNotJSON", id, got, err)
		}
	}
}
