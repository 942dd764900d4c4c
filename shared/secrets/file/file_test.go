package file_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/shared/secrets"
	"sallyport/shared/secrets/file"
)

func TestFile(t *testing.T) {
	source := file.Source{Path: filepath.Join(t.TempDir(), "secrets.json")}
	ctx := context.Background()
	if err := source.Seed(map[string]any{"a": map[string]string{"k": "1"}}); err != nil {
		t.Fatal(err)
	}
	if err := source.Seed(map[string]any{"a": "changed", "b": "2"}); err != nil {
		t.Fatal(err)
	}
	if value, err := source.Secret(ctx, "a"); err != nil || !strings.Contains(string(value), `"1"`) ||
		strings.Contains(string(value), "changed") {
		t.Errorf("a is %s, %v; what is there must stay", value, err)
	}
	if _, err := source.Secret(ctx, "c"); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	info, err := os.Stat(source.Path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(source.Path, []byte("s3cret nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := source.Secret(ctx, "a"); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v", err)
	}
	if err := source.Seed(map[string]any{"a": 1}); err == nil {
		t.Error("a file that can't be read must not be overwritten")
	}
}
