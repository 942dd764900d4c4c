package partners_test

import (
	"cmp"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"sallyport/functions/partners"
	"sallyport/shared/generate"
)

// root is the top of the checkout.
const root = "../.."

var update = flag.Bool("update", false, "write what is generated from the partners")

// TestGenerated compares what is generated from the partners with what their values make now.
func TestGenerated(t *testing.T) {
	files, err := generate.Files(root, partners.All())
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range files {
		if *update {
			at := filepath.Join(root, path)
			if err := cmp.Or(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(want), 0o644)); err != nil {
				t.Error(err)
			}
		}
		got, err := os.ReadFile(filepath.Join(root, path))
		switch {
		case err != nil:
			t.Errorf("run make generate: %v", err)
		case string(got) != want:
			t.Errorf("%s is not what functions/<partner>/partner.go and shared/generate/own.go make of it: change these and "+
				"run make generate", path)
		}
	}
	for _, p := range partners.All() {
		samples, err := filepath.Glob(filepath.Join(root, "events", p.Name+"-*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, sample := range samples {
			path := "events/" + filepath.Base(sample)
			if _, made := files[path]; made {
				continue
			}
			if *update && os.Remove(sample) == nil {
				continue
			}
			t.Errorf("%s is of no example of %s", path, p.Title)
		}
	}
}
