package vault_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/seal"
	"sallyport/shared/vault"
)

// blobs is a vault.Blobs in memory that counts what is read.
type blobs struct {
	mu    sync.Mutex
	blobs map[string][]byte
	read  int
	err   error
}

func (b *blobs) Put(_ context.Context, key string, blob []byte, _ time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.blobs[key] = bytes.Clone(blob)
	return nil
}

func (b *blobs) Get(_ context.Context, key string) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read++
	blob, ok := b.blobs[key]
	if b.err == nil && !ok {
		return nil, vault.ErrNotFound
	}
	return bytes.Clone(blob), b.err
}

func (b *blobs) Expires(_ context.Context, key string) (time.Time, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.blobs[key]; !ok {
		return time.Time{}, vault.ErrNotFound
	}
	return time.Time{}, nil
}

func (b *blobs) Extend(ctx context.Context, key string, _ time.Time) error {
	_, err := b.Expires(ctx, key)
	return err
}

func (b *blobs) Delete(_ context.Context, key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.blobs, key)
	return nil
}

func (b *blobs) Upload(_ context.Context, key string, _ int64, _, _ time.Time) (vault.Upload, error) {
	return vault.Upload{URL: key}, nil
}

// MustVault makes a vault that holds documents of the tenant acme by their ids.
func MustVault(t testing.TB, documents map[string]string) (*vault.Vault, *blobs) {
	t.Helper()
	ring, err := seal.NewRing(seal.GenerateKeys())
	if err != nil {
		t.Fatal(err)
	}
	b := &blobs{blobs: map[string][]byte{}}
	v := &vault.Vault{Blobs: b, Uploads: b, Ring: func(context.Context) (*seal.Ring, error) { return ring, nil }}
	for id, document := range documents {
		if err := v.Put(t.Context(), "acme", id, []byte(document), time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	return v, b
}

var documents = map[string]string{
	"text": `"NOOR"`, "number": ` 1.50e+2 `, "object": `{"a" : [1, 2]}`, "null": "null",
	"of": `{"inner":{"document_id":"text"}}`,
	"1":  `{"document_id":"2"}`, "2": `[{"document_id":"3"}]`, "3": `3`, "0": `{"document_id":"1"}`,
	"self":   `[{"document_id":"self"}]`,
	"broken": `{"a":`, "plain": `not JSON`, "missing": `{"document_id":"nowhere"}`, "é\n": `"odd name"`,
	"twice": `{"a":1,"a":2}`, "-1": `{"document_id":"0"}`,
}

func TestSplice(t *testing.T) {
	v, _ := MustVault(t, documents)
	for name, test := range map[string]struct{ text, want string }{
		"TopLevel": {`{"document_id":"text"}`, `"NOOR"`},
		"AroundIt": {" \n{ \"document_id\"\t: \"text\" } ", " \n\"NOOR\" "},
		"Member":   {`{"a":{"document_id":"text"},"b":1}`, `{"a":"NOOR","b":1}`},
		"Element": {
			`[{"document_id":"text"},{"document_id":"object"} , {"document_id":"null"}]`, `["NOOR",{"a" : [1, 2]} , null]`,
		},
		"Deep":            {`{"a":[{"b":{"c":{"document_id":"object"}}}]}`, `{"a":[{"b":{"c":{"a" : [1, 2]}}}]}`},
		"SameTwice":       {`[{"document_id":"3"},{"document_id":"3"}]`, `[3,3]`},
		"Nested":          {`{"a":{"document_id":"of"}}`, `{"a":{"inner":"NOOR"}}`},
		"NestedFourTimes": {`{"document_id":"0"}`, `[3]`},
		"WhiteSpace": {
			"{ \"a\" : 1.0 ,\n\"b\":\t{\"document_id\":\"number\"}\r\n}\n", "{ \"a\" : 1.0 ,\n\"b\":\t 1.50e+2 \r\n}\n",
		},
		"Numbers": {
			`[1e400,-0,0.10,12345678901234567890,{"document_id":"3"}]`, `[1e400,-0,0.10,12345678901234567890,3]`,
		},
		"Escapes":     {`["\u0041\/",{"document_id":"t\u0065xt"}]`, `["\u0041\/","NOOR"]`},
		"EscapedName": {`{"docum\u0065nt_id":"text"}`, `"NOOR"`},
		"OddName":     {`{"document_id":"é\n"}`, `"odd name"`},
		"MoreMembers": {`{"document_id":"text","b":1}`, `{"document_id":"text","b":1}`},
		"MoreBefore":  {`{"b":1,"document_id":"text"}`, `{"b":1,"document_id":"text"}`},
		"Twice":       {`{"document_id":"text","document_id":"text"}`, `{"document_id":"text","document_id":"text"}`},
		"TwiceBeside": {`{"a":1,"a":{"document_id":"text"},"a":2}`, `{"a":1,"a":"NOOR","a":2}`},
		"TwiceWithin": {`[{"document_id":"twice"}]`, `[{"a":1,"a":2}]`},
		"NoID": {
			`[{"document_id":1},{"document_id":null},{"document_id":["text"]},{"document_id":""}]`,
			`[{"document_id":1},{"document_id":null},{"document_id":["text"]},{"document_id":""}]`,
		},
		"ReferenceAsID": {`{"document_id":{"document_id":"text"}}`, `{"document_id":"NOOR"}`},
		"OtherName": {
			`[{"document_ids":"text"},{"Document_id":"text"},{},"document_id",["document_id","text"]]`,
			`[{"document_ids":"text"},{"Document_id":"text"},{},"document_id",["document_id","text"]]`,
		},
		"WithinMore":    {`{"document_id":"text","b":{"document_id":"text"}}`, `{"document_id":"text","b":"NOOR"}`},
		"NotUTF8":       {"{\"a\":\"\xff\",\"b\":{\"document_id\":\"3\"}}", "{\"a\":\"\xff\",\"b\":3}"},
		"Empty":         {``, ``},
		"NoJSON":        {`plain text`, `plain text`},
		"NoJSONAnyMore": {`{"a":{"document_id":"text"}`, `{"a":{"document_id":"text"}`},
		"NoJSONBehind":  {`{"document_id":"text"} x`, `{"document_id":"text"} x`},
		"NoJSONNoComma": {
			`[{"document_id":"text"}{"document_id":"text"}]`, `[{"document_id":"text"}{"document_id":"text"}]`,
		},
		"CommaInTheEnd": {`{"document_id":"text",}`, `{"document_id":"text",}`},
		"Without":       {`{"a":[1,"x",{"b":null}]}`, `{"a":[1,"x",{"b":null}]}`},
		"ALongOne": {
			`["` + strings.Repeat("x", 1<<16) + `",{"document_id":"3"}]`, `["` + strings.Repeat("x", 1<<16) + `",3]`,
		},
		"LongWhiteSpace": {`{` + strings.Repeat(" ", 1<<16) + `"document_id":"3"}`, `3`},
	} {
		t.Run(name, func(t *testing.T) {
			text := []byte(test.text)
			got, err := v.Splice(t.Context(), "acme", text, 1<<20, nil)
			if err != nil || string(got) != test.want {
				t.Errorf("got %.200s, %v, want %.200s", got, err, test.want)
			}
			if string(text) != test.text {
				t.Errorf("the text became %.200s", text)
			}
		})
	}
}

func TestSpliceErrors(t *testing.T) {
	v, b := MustVault(t, documents)
	for name, test := range map[string]struct {
		tenant, text string
		want         error
	}{
		"ErrNotFound":         {"acme", `{"document_id":"nowhere"}`, vault.ErrNotFound},
		"ErrNotFoundWithin":   {"acme", `{"document_id":"missing"}`, vault.ErrNotFound},
		"ErrAnotherTenants":   {"globex", `{"document_id":"text"}`, vault.ErrNotFound},
		"ErrNotJSON":          {"acme", `{"document_id":"plain"}`, vault.ErrNotJSON},
		"ErrBroken":           {"acme", `[1,{"document_id":"broken"}]`, vault.ErrNotJSON},
		"ErrNestsFiveTimes":   {"acme", `{"document_id":"-1"}`, vault.ErrNotJSON},
		"ErrNestsInItself":    {"acme", `{"document_id":"self"}`, vault.ErrNotJSON},
		"ErrAnotherTenantsOf": {"globex", `[{"a":{"document_id":"of"}}]`, vault.ErrNotFound},
	} {
		if got, err := v.Splice(t.Context(), test.tenant, []byte(test.text), 1<<20, nil); !errors.Is(err, test.want) ||
			got != nil {
			t.Errorf("%s: got %s, %v", name, got, err)
		}
	}
	down := errors.New("down")
	b.err = down
	if _, err := v.Splice(t.Context(), "acme", []byte(`{"document_id":"text"}`), 1<<20, nil); !errors.Is(err, down) {
		t.Errorf("got %v", err)
	}
}

func TestSpliceAlteredDocument(t *testing.T) {
	v, b := MustVault(t, map[string]string{"a": `"a"`, "b": `"b"`})
	keys := slices.Collect(maps.Keys(b.blobs))
	b.blobs[keys[0]], b.blobs[keys[1]] = b.blobs[keys[1]], b.blobs[keys[0]]
	if _, err := v.Splice(t.Context(), "acme", []byte(`{"document_id":"a"}`), 1<<20, nil); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("swapped: %v", err)
	}
	b.blobs[keys[0]][20] ^= 1
	if _, err := v.Splice(
		t.Context(), "acme", []byte(`[{"document_id":"a"},{"document_id":"b"}]`), 1<<20, nil,
	); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("altered: %v", err)
	}
}

// The limit is one of the whole text, with what it has become.
func TestSpliceLimit(t *testing.T) {
	v, b := MustVault(
		t,
		map[string]string{
			"ten": `"12345678"`, "long": `"` + strings.Repeat("x", 1000) + `"`,
			"of": `[{"document_id":"ten"},{"document_id":"ten"}]`,
		},
	)
	for text, size := range map[string]int64{
		`{"document_id":"ten"}`: 10, `[{"document_id":"ten"}, 1]`: 15, `{"document_id":"of"}`: 23,
		`[{"document_id":"of"},{"document_id":"long"}]`: 1028, `{"a":1}`: 7, ` `: 1,
	} {
		if got, err := v.Splice(t.Context(), "acme", []byte(text), size, nil); err != nil || int64(len(got)) != size {
			t.Errorf("%s: %s, %v", text, got, err)
		}
		if _, err := v.Splice(t.Context(), "acme", []byte(text), size-1, nil); !errors.Is(err, vault.ErrTooLarge) {
			t.Errorf("%s: %v", text, err)
		}
	}
	b.read = 0
	many := "[" + strings.TrimSuffix(strings.Repeat(`{"document_id":"long"},`, 1000), ",") + "]"
	if _, err := v.Splice(t.Context(), "acme", []byte(many), 10_000, nil); !errors.Is(err, vault.ErrTooLarge) ||
		b.read > 11 {
		t.Errorf("got %v after %d documents", err, b.read)
	}
}

func TestSpliceLeaves(t *testing.T) {
	v, b := MustVault(
		t,
		map[string]string{
			"customer": `{"photo":{"base64_data":{"document_id":"file"}},"name":{"document_id":"text"}}`, "text": `"NOOR"`,
			"file": `"AAAA"`, "list": `[{"document_id":"text"}]`,
		},
	)
	var places []string
	leave := func(place jsontext.Pointer) bool {
		places = append(places, string(place))
		return strings.HasSuffix(string(place), "/base64_data")
	}
	for name, test := range map[string]struct {
		text, want string
		places     []string
	}{
		"Member": {
			`{"a":{"base64_data":{"document_id":"file"}},"b":{"document_id":"text"}}`,
			`{"a":{"base64_data":{"document_id":"file"}},"b":"NOOR"}`, []string{"/a/base64_data", "/b"},
		},
		"Within": {
			`{"document_id":"customer"}`, `{"photo":{"base64_data":{"document_id":"file"}},"name":"NOOR"}`,
			[]string{"", "/photo/base64_data", "/name"},
		},
		"Deeper": {
			`{"c":[0,{"document_id":"customer"}]}`, `{"c":[0,{"photo":{"base64_data":{"document_id":"file"}},"name":"NOOR"}]}`,
			[]string{"/c/1", "/c/1/photo/base64_data", "/c/1/name"},
		},
		"Nowhere": {
			`{"a/b":{"base64_data":{"document_id":"nowhere"}}}`, `{"a/b":{"base64_data":{"document_id":"nowhere"}}}`,
			[]string{"/a~1b/base64_data"},
		},
		"Elements": {`[[{"document_id":"list"}]]`, `[[["NOOR"]]]`, []string{"/0/0", "/0/0/0"}},
		"None":     {`{"base64_data":"AAAA"}`, `{"base64_data":"AAAA"}`, nil},
	} {
		places = nil
		got, err := v.Splice(t.Context(), "acme", []byte(test.text), 1<<20, leave)
		if err != nil || string(got) != test.want || !slices.Equal(places, test.places) {
			t.Errorf("%s: got %s, %v, asked for %q", name, got, err, places)
		}
	}
	b.read = 0
	if _, err := v.Splice(
		t.Context(), "acme", []byte(`[{"document_id":"file"},{"document_id":"file"}]`), 1<<20,
		func(jsontext.Pointer) bool { return true },
	); err != nil || b.read != 0 {
		t.Errorf("read %d of what was left, %v", b.read, err)
	}
	// What is left counts as what it is.
	if _, err := v.Splice(
		t.Context(), "acme", []byte(`{"document_id":"file"}`), 22, func(jsontext.Pointer) bool { return true },
	); err != nil {
		t.Error(err)
	}
}

func TestReferences(t *testing.T) {
	for text, want := range map[string]string{
		`{"document_id":"a"}`: "a", `{"x":{"document_id":"a"},"y":[{"document_id":"b"},{"document_id":"a"}]}`: "a b a",
		`{"document_id":"a","b":1}`:           "",
		`{"document_id":{"document_id":"a"}}`: "a", `[{"document_id":""},1]`: "", `{"document_id":"\u0061"}`: "a", ``: "",
		`x`: "", `{"a":{"document_id":"a"},"a":{"document_id":"b"}}`: "a b",
	} {
		if got := strings.Join(vault.References([]byte(text)), " "); got != want {
			t.Errorf("%s refers to %q, want %q", text, got, want)
		}
	}
}

// A file that was uploaded past the vault stands in the text as partners take files: the base64 of it.
func TestUploadsAreSpliced(t *testing.T) {
	v, b := MustVault(t, map[string]string{"of": `[{"document_id":"upload-9"}]`})
	for size := range 100 {
		file := make([]byte, size)
		for i := range file {
			file[i] = byte(rand.Uint32())
		}
		id, upload, err := v.Upload(t.Context(), "acme", fmt.Sprint(size), int64(size), time.Time{}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		b.blobs[upload.URL] = file
		want := `"` + base64.StdEncoding.EncodeToString(file) + `"`
		if got, err := v.Get(t.Context(), "acme", id); err != nil || string(got) != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
		if got, err := v.Splice(
			t.Context(), "acme", []byte(`{"base64_data":{"document_id":"`+id+`"}}`), 1<<20, nil,
		); err != nil || string(got) != `{"base64_data":`+want+`}` {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
		if _, err := v.Splice(
			t.Context(), "globex", []byte(`{"document_id":"`+id+`"}`), 1<<20, nil,
		); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("another tenant: %v", err)
		}
		if size == 9 {
			if got, err := v.Splice(t.Context(), "acme", []byte(`{"document_id":"of"}`), 1<<20, nil); err != nil ||
				string(got) != `[`+want+`]` {
				t.Errorf("got %s, %v", got, err)
			}
		}
	}
}

// FuzzSplice: no text and no document makes Splice panic; what has no references comes back byte for byte; JSON with
// documents that are JSON stays JSON, and what is left of it refers to nothing.
func FuzzSplice(f *testing.F) {
	for _, text := range []string{
		`{"a":{"document_id":"x"},"b":[{"document_id":"y"}]}`, `{"document_id":"x"}`,
		`[{"document_id":"x"}{"document_id":"y"}]`, `{"document_id":"x","document_id":"y"}`, ` {"document_id":"\u0078"}`,
	} {
		for _, document := range []string{
			`{"document_id":"y"}`, `"text"`, ` [1e400, {"document_id":"x"}] `, `{"a":`, "\"\xff\"",
		} {
			f.Add([]byte(text), []byte(document), int64(1<<20))
		}
	}
	f.Fuzz(func(t *testing.T, text, document []byte, limit int64) {
		v, _ := MustVault(t, map[string]string{"x": string(document), "y": `{"y":[1]}`})
		references := vault.References(text)
		before := bytes.Clone(text)
		got, err := v.Splice(t.Context(), "acme", text, limit, nil)
		if !bytes.Equal(text, before) {
			t.Errorf("%q became %q", before, text)
		}
		relaxed := []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
		isJSON, isValid := jsontext.Value(text).IsValid(relaxed...), jsontext.Value(document).IsValid(relaxed...)
		switch {
		case err != nil:
			if got != nil ||
				!errors.Is(err, vault.ErrNotFound) && !errors.Is(err, vault.ErrNotJSON) && !errors.Is(err, vault.ErrTooLarge) {
				t.Errorf("%q: %q, %v", text, got, err)
			}
			if len(references) == 0 && int64(len(text)) <= limit {
				t.Errorf("%q refers to nothing: %v", text, err)
			}
		case len(references) == 0 && !bytes.Equal(got, text):
			t.Errorf("%q refers to nothing and became %q", text, got)
		case isJSON && isValid && !got.IsValid(relaxed...):
			t.Errorf("%q with %q became %q", text, document, got)
		case isJSON && isValid && len(vault.References(got)) != 0:
			t.Errorf("%q with %q became %q, which still refers", text, document, got)
		case isJSON && int64(len(got)) > limit:
			t.Errorf("%q became %d bytes of %d", text, len(got), limit)
		}
	})
}
