package vault_test

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/vault"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// list is a JSON array of so many references to a document.
func list(n int, id string) string {
	return "[" + strings.TrimSuffix(strings.Repeat(`{"document_id":"`+id+`"},`, n), ",") + "]"
}

// However references lie in references, few documents are read, each of them once, and little memory is taken.
func TestReferencesInReferencesAreBounded(t *testing.T) {
	const limit = 8 << 20
	spaced := `{"a":{` + strings.Repeat(" ", 4_000_000) + `"document_id":"one"}}` // 4 MB that open to a byte
	documents := map[string]string{
		"one": `1`, "many": list(75_000, "one"), "most": list(vault.MaxReferences-1, "one"), "spaced": spaced,
		"pair": list(2, "wide"), "wide": list(12, "one"),
	}
	for i := range 60 {
		documents[fmt.Sprint("spaced-", i)] = spaced
	}
	each := make([]string, 60)
	for i := range each {
		each[i] = fmt.Sprintf(`{"document_id":"spaced-%d"}`, i)
	}
	v, b := MustVault(t, documents)
	for name, test := range map[string]struct {
		texts []string // of one request
		want  error
		place string
		reads int
	}{
		"TooManyInADocument":   {[]string{list(60, "many")}, vault.ErrTooMany, "/0/127", 2},
		"TooManyInAText":       {[]string{list(75_000, "one")}, vault.ErrTooMany, "/128", 1},
		"AsManyAsAllowed":      {[]string{list(1, "most")}, nil, "", 2},
		"OneMore":              {[]string{list(2, "most")}, vault.ErrTooMany, "/1", 2},
		"OneMoreInAnotherText": {[]string{list(1, "most"), list(1, "one")}, vault.ErrTooMany, "/0", 2},
		"ALittleThrice":        {[]string{list(3, "pair")}, nil, "", 3},
		"OneSpacedOftenOpened": {[]string{list(60, "spaced")}, vault.ErrTooLarge, "/2", 2},
		"ManySpaced":           {[]string{"[" + strings.Join(each, ",") + "]"}, vault.ErrTooLarge, "/2", 4},
		"ManySpacedTexts":      {each, vault.ErrTooLarge, "", 4},
		"TheSameTextOften": {
			[]string{list(1, "spaced"), list(1, "spaced"), list(1, "spaced")}, vault.ErrTooLarge, "/0", 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b.read = 0
			opener := v.Opener("acme")
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var err error
			for _, text := range test.texts {
				if _, err = opener.Splice(t.Context(), []byte(text), limit, nil); err != nil {
					break
				}
			}
			runtime.ReadMemStats(&after)
			if !errors.Is(err, test.want) || b.read > test.reads {
				t.Errorf("%v after %d documents, want %v and %d", err, b.read, test.want, test.reads)
			}
			var failed *vault.ReferenceError
			if errors.As(err, &failed) && string(failed.Place) != test.place {
				t.Errorf("failed at %s, want %s", failed.Place, test.place)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
				t.Errorf("took %d MB", took>>20)
			}
		})
	}
}

// What is left counts as well, and is replaced by what Keep says, or fails at its place.
func TestKeep(t *testing.T) {
	v, b := MustVault(t, map[string]string{"customer": `{"photo":{"document_id":"file"},"name":{"document_id":"text"}}`,
		"text": `"NOOR"`, "file": `"AAAA"`, "other": `"AAAA"`})
	opener := v.Opener("acme")
	opener.Keep = func(id string) string { return "copy of " + id }
	leave := func(place jsontext.Pointer) bool { return place.LastToken() == "photo" }
	text := []byte(`[{"document_id":"customer"}, {"photo":{ "document_id":"other"}}]`)
	want := `[{"photo":{"document_id":"copy of file"},"name":"NOOR"}, {"photo":{"document_id":"copy of other"}}]`
	if got, err := opener.Splice(t.Context(), text, 1<<20, leave); err != nil || string(got) != want || b.read != 4 {
		t.Errorf("got %s, %v after %d documents", got, err, b.read)
	}
	_, err := opener.Splice(t.Context(), []byte(`{"a":[{"photo":{"document_id":"gone"}}]}`), 1<<20, leave)
	var failed *vault.ReferenceError
	if !errors.As(err, &failed) || failed.Place != "/a/0/photo" || !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	// A task holds what the journey was given, and what stands for that.
	all := func(jsontext.Pointer) bool { return true }
	task := func(text []byte) error { _, err := v.Splice(t.Context(), "acme", text, 1<<20, all); return err }
	request := func(text []byte) error { _, err := v.Opener("acme").Splice(t.Context(), text, 1<<20, all); return err }
	for _, test := range []struct {
		splice func([]byte) error
		n      int
		want   error
	}{
		{request, vault.MaxReferences, nil}, {request, vault.MaxReferences + 1, vault.ErrTooMany},
		{task, 2 * vault.MaxReferences, nil}, {task, 2*vault.MaxReferences + 1, vault.ErrTooMany},
	} {
		if err := test.splice([]byte(list(test.n, "text"))); !errors.Is(err, test.want) {
			t.Errorf("%d references: %v, want %v", test.n, err, test.want)
		}
	}
}

// TestLeftOpensLater: what a request leaves is taken where whoever opens it later, out of what was sealed for the
// journey, finds all that it leads to; else it fails as it would then. Each document is read once.
func TestLeftOpensLater(t *testing.T) {
	to := func(id string) string { return `{"document_id":"` + id + `"}` }
	documents := map[string]string{
		"leaf": `"AAAA"`, "object": `{"a":[1,{"b":` + to("leaf") + `}]}`, "one": to("leaf"), "two": to("one"),
		"three": to("two"), "nowhere": to("none"), "deep": `[` + to("leaf") + `,{"a":` + to("nowhere") + `}]`,
		"itself": to("itself"), "no JSON": `NOOR`, "to no JSON": to("no JSON"), "half": `{"document_id":`, "empty": ``,
		"twice": `1 2`, "often": list(vault.MaxReferences-1, "leaf"), "lost upload": to("upload-none"),
	}
	for _, id := range slices.Collect(maps.Keys(documents)) {
		documents["sealed "+id] = `{"file":` + to(id) + `}`
	}
	v, b := MustVault(t, documents)
	for id := range documents {
		if strings.HasPrefix(id, "sealed ") {
			continue
		}
		opener := v.Opener("acme")
		opener.Keep = func(id string) string { return id }
		b.read = 0
		got, atDoor := opener.Splice(t.Context(), []byte(`{"file":`+to(id)+`}`), 1<<20,
			func(place jsontext.Pointer) bool { return place == "/file" })
		if read := b.read; read > 4 || atDoor == nil && string(got) != `{"file":`+to(id)+`}` {
			t.Errorf("%s: %s after %d documents", id, got, read)
		}
		if id == "two" && atDoor != nil {
			t.Errorf("%s: %v", id, atDoor)
		}
		_, later := v.Splice(t.Context(), "acme", []byte(to("sealed "+id)), 1<<20, nil)
		var here, there *vault.ReferenceError
		if errors.As(atDoor, &here) != errors.As(later, &there) || here != nil && (here.Err != there.Err ||
			here.Place != there.Place) {
			t.Errorf("%s: %v, and later %v", id, atDoor, later)
		}
	}
	opener := v.Opener("acme")
	opener.Keep = func(id string) string { return id }
	b.read = 0
	if _, err := opener.Splice(t.Context(), []byte(list(2, "often")), 1<<20,
		func(jsontext.Pointer) bool { return true }); !errors.Is(err, vault.ErrTooMany) || b.read != 2 {
		t.Errorf("%v after %d documents", err, b.read)
	}
}

// A copy opens by itself, for its tenant alone, whatever becomes of the first.
func TestCopy(t *testing.T) {
	v, b := MustVault(t, map[string]string{"text": `"NOOR"`})
	upload, _, err := v.Upload(t.Context(), "acme", "1", 3, now, now)
	if err != nil {
		t.Fatal(err)
	}
	_, put, _ := v.Upload(t.Context(), "acme", "1", 3, now, now)
	b.blobs[put.URL] = []byte("abc")
	for id, want := range map[string]string{"text": `"NOOR"`, upload: `"YWJj"`} {
		as := vault.CopyID(id, "copy-of-it")
		if err := v.Copy(t.Context(), "acme", id, as, now); err != nil {
			t.Fatal(err)
		}
		if err := v.Delete(t.Context(), "acme", id); err != nil {
			t.Fatal(err)
		}
		if got, err := v.Get(t.Context(), "acme", as); err != nil || string(got) != want {
			t.Errorf("%s: the copy says %s, %v", id, got, err)
		}
		if _, err := v.Get(t.Context(), "globex", as); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("%s: another tenant got %v", id, err)
		}
		if err := v.Copy(t.Context(), "acme", id, as, now); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("%s: what is gone was copied: %v", id, err)
		}
	}
}
