package main_test

import (
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	main "sallyport/functions/local"
	"sallyport/shared/bolt"
)

var stateFiles = []string{"sallyport.db", "sandbox.db", "secrets.json"}

// TestFolderMatrix starts a stack over every combination of what may have become of the files of another. It is a new
// stack where there are none, the old one where all are whole, and refused otherwise, in a sentence that says where,
// which, and what next; and then nothing in the folder has changed.
func TestFolderMatrix(t *testing.T) {
	t.Parallel()
	whole, other := closedStack(t), closedStack(t)
	becomes := map[string]func(path, name string) error{
		"whole":   func(string, string) error { return nil },
		"missing": func(path, _ string) error { return os.Remove(path) },
		"empty":   func(path, _ string) error { return os.Truncate(path, 0) },
		"of another stack": func(path, name string) error {
			text, err := os.ReadFile(filepath.Join(other, name))
			if err != nil {
				return err
			}
			return os.WriteFile(path, text, 0o600)
		},
		"new": func(path, name string) error {
			if name == "secrets.json" {
				return os.WriteFile(path, []byte("{}"), 0o600)
			}
			if err := os.Remove(path); err != nil {
				return err
			}
			db, err := bolt.Open(path)
			if err != nil {
				return err
			}
			return db.Close()
		},
	}
	kinds := slices.Sorted(maps.Keys(becomes))
	for i := range len(kinds) * len(kinds) * len(kinds) {
		is := []string{kinds[i%len(kinds)], kinds[i/len(kinds)%len(kinds)], kinds[i/len(kinds)/len(kinds)]}
		dir := filepath.Join(t.TempDir(), "state")
		if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		for n, name := range stateFiles {
			if err := becomes[is[n]](filepath.Join(dir, name), name); err != nil {
				t.Fatal(err)
			}
		}
		before := contents(t, dir)
		said := startAndClose(t, dir)
		alone := is[0] == is[1] && is[1] == is[2] && is[0] != "empty" && is[0] != "new"
		prepared := is[0] == "missing" && is[1] == "missing" && is[2] == "new" // secrets that hold no keys yet
		if alone || prepared {
			if said != "" {
				t.Errorf("%v: refused, %s", is, said)
			}
			continue
		}
		if !strings.Contains(said, dir) || !strings.HasSuffix(said, "or remove the folder to begin anew") ||
			strings.Contains(said, "\n") {
			t.Errorf("%v: said %q", is, said)
		}
		for n, name := range stateFiles {
			if is[n] != "whole" && is[n] != "of another stack" && is[(n+1)%3] == "whole" && is[(n+2)%3] == "whole" &&
				!strings.Contains(said, name) {
				t.Errorf("%v: said %q, and not %s", is, said, name)
			}
		}
		if after := contents(t, dir); !maps.Equal(after, before) {
			t.Errorf("%v: the folder has changed", is)
		}
	}
}

// TestFolderOfAnEarlierVersion: databases that were never marked are marked by the next start.
func TestFolderOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	dir := closedStack(t)
	for _, name := range stateFiles[:2] {
		if err := main.Unmark(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if said := startAndClose(t, dir); said != "" {
		t.Fatalf("refused: %s", said)
	}
	if err := main.Unmark(filepath.Join(dir, "sandbox.db")); err != nil {
		t.Fatal(err)
	}
	if said := startAndClose(t, dir); !strings.Contains(said, "sandbox.db belongs to another stack") {
		t.Errorf("said %q", said)
	}
}

// closedStack is the folder of a stack that has run.
func closedStack(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	if said := startAndClose(t, dir); said != "" {
		t.Fatal(said)
	}
	return dir
}

// startAndClose returns what a start was refused with.
func startAndClose(t *testing.T, dir string) string {
	t.Helper()
	m := &main.Main{
		Address: "127.0.0.1:0", Dir: dir, Template: template, TimeScale: 1, Log: slog.New(slog.DiscardHandler),
	}
	if err := m.Run(t.Context()); err != nil {
		return err.Error()
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return ""
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[entry.Name()] = string(text)
	}
	return all
}
