package statemachines_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sallyport/statemachines"
)

var update = flag.Bool("update", false, "write the *.asl.json")

// TestGenerated compares each *.asl.json with what its definition makes.
func TestGenerated(t *testing.T) {
	var want []string
	for journey, definition := range statemachines.Definitions() {
		file := journey + ".asl.json"
		want = append(want, file)
		text, err := definition.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(file, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		committed, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(committed, text) {
			t.Errorf("%s is not what its definition makes: run make generate (%v)", file, err)
		}
	}
	found, err := filepath.Glob("*.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	if slices.Sort(want); !slices.Equal(found, want) {
		t.Errorf("there are %q, and definitions of %q", found, want)
	}
}
