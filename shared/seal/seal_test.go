package seal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"sallyport/shared/seal"
)

func MustRing(t testing.TB, keys seal.Keys) *seal.Ring {
	t.Helper()
	ring, err := seal.NewRing(keys)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

var id = strings.Repeat("i", 32)

func key(kid string) seal.Key { return seal.Key{KID: kid, Secret: strings.Repeat(kid, 32)} }

func TestSeal(t *testing.T) {
	ring := MustRing(t, seal.Keys{ID: id})
	box := ring.Seal("record-1", []byte("personal"))
	if bytes.Contains(box, []byte("personal")) {
		t.Error("the box shows what it holds")
	}
	if plain, err := ring.Open("record-1", box); err != nil || string(plain) != "personal" {
		t.Errorf("got %q, %v", plain, err)
	}
	if bytes.Equal(box, ring.Seal("record-1", []byte("personal"))) {
		t.Error("two boxes of the same are the same")
	}
	t.Run("OtherRecord", func(t *testing.T) {
		if _, err := ring.Open("record-2", box); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("Altered", func(t *testing.T) {
		for i := range box {
			altered := bytes.Clone(box)
			altered[i] ^= 1
			if _, err := ring.Open("record-1", altered); !errors.Is(err, seal.ErrOpen) {
				t.Errorf("byte %d altered: %v", i, err)
			}
			if _, err := ring.Open("record-1", box[:i]); !errors.Is(err, seal.ErrOpen) {
				t.Errorf("cut at %d: %v", i, err)
			}
		}
	})
	t.Run("Rotated", func(t *testing.T) {
		rotated := MustRing(t, seal.Keys{ID: id, Seal: []seal.Key{key("b"), key("a")}})
		if plain, err := rotated.Open("record-1", box); err != nil || string(plain) != "personal" {
			t.Errorf("the first key's box: %q, %v", plain, err)
		}
		fresh := rotated.Seal("record-1", []byte("new"))
		if _, err := ring.Open("record-1", fresh); !errors.Is(err, seal.ErrOpen) {
			t.Error("a new key's box opens without it")
		}
		if rotated.Reference("p", "v") != ring.Reference("p", "v") {
			t.Error("references must outlive rotations")
		}
	})
}

func TestReference(t *testing.T) {
	ring := MustRing(t, seal.Keys{ID: id})
	other := MustRing(t, seal.Keys{ID: strings.Repeat("o", 32)})
	seen := map[string]string{}
	for name, reference := range map[string]string{
		"ab,c": ring.Reference("p", "ab", "c"), "a,bc": ring.Reference("p", "a", "bc"), "abc": ring.Reference("p", "abc"),
		"purpose": ring.Reference("pa", "bc"), "empty": ring.Reference("p", "abc", ""),
		"other key": other.Reference("p", "abc"),
	} {
		if len(reference) != 64 || seen[reference] != "" {
			t.Errorf("%s has reference %s, as %s", name, reference, seen[reference])
		}
		seen[reference] = name
	}
}

// TestReferenceStaysTheSame: records lie under references, so that one release must find what another wrote; and calls
// that run at the same time must not mix theirs.
func TestReferenceStaysTheSame(t *testing.T) {
	ring := MustRing(t, seal.Keys{ID: id})
	const want = "ebe4631d85718849bb336ff54bc8b47ee09f8036cc81f8ce2407bf2768df902b"
	var calls sync.WaitGroup
	for i := range 8 {
		calls.Go(func() {
			for range 100 {
				ring.Reference("transaction", "acme", strings.Repeat("x", i*100))
				if got := ring.Reference("transaction", "acme", "equal/execute-journey", "header", "key-1"); got != want {
					t.Errorf("got %s", got)
				}
			}
		})
	}
	calls.Wait()
}

func TestBadKeys(t *testing.T) {
	for name, keys := range map[string]seal.Keys{
		"ErrShortID":     {ID: "short"},
		"ErrShortSecret": {ID: id, Seal: []seal.Key{{KID: "a", Secret: "short"}}},
		"ErrNoKID":       {ID: id, Seal: []seal.Key{{Secret: id}}},
		"ErrLongKID":     {ID: id, Seal: []seal.Key{{KID: strings.Repeat("k", 33), Secret: id}}},
		"ErrSameKID":     {ID: id, Seal: []seal.Key{key("a"), key("a")}},
		"ErrFirstKID":    {ID: id, Seal: []seal.Key{{KID: "0", Secret: id}}},
	} {
		if _, err := seal.NewRing(keys); err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), id) || strings.Contains(err.Error(), "short") {
			t.Errorf("%s: the error shows a secret: %v", name, err)
		}
	}
	for _, document := range []string{``, `[]`, `{"id":1}`, `{"id":"` + id + `","extra":1}`} {
		if _, err := seal.ParseRing([]byte(document)); err == nil {
			t.Errorf("%s: no error", document)
		}
	}
	document, err := json.Marshal(seal.GenerateKeys())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := seal.ParseRing(document); err != nil {
		t.Errorf("generated keys: %v", err)
	}
}

func TestCached(t *testing.T) {
	document := `{"id":"` + id + `"}`
	ring := seal.Cached(func(context.Context) ([]byte, error) { return []byte(document), nil })
	first, err := ring(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if second, _ := ring(context.Background()); second != first {
		t.Error("the same document must give the same ring")
	}
	document = `{"id":"` + id + `","seal":[{"kid":"a","secret":"` + id + `"}]}`
	if third, err := ring(context.Background()); err != nil || third == first {
		t.Errorf("a new document must give a new ring, %v", err)
	}
	document = `nonsense`
	if _, err := ring(context.Background()); err == nil {
		t.Error("no error")
	}
}

func FuzzOpen(f *testing.F) {
	ring := MustRing(f, seal.Keys{ID: id})
	f.Add(ring.Seal("r", []byte("x")), "r")
	f.Fuzz(func(t *testing.T, box []byte, record string) {
		plain, err := ring.Open(record, box)
		if inPlace, other := ring.OpenInPlace(record, bytes.Clone(box)); !bytes.Equal(plain, inPlace) ||
			(err == nil) != (other == nil) {
			t.Errorf("%q opened as %q, %v, in place as %q, %v", box, plain, err, inPlace, other)
		}
		if plain, err := ring.Open(record, ring.Seal(record, box)); err != nil || !bytes.Equal(plain, box) {
			t.Errorf("%q came back as %q, %v", box, plain, err)
		}
	})
}

// TestOpenInPlace: what is opened lies where the box was, and is the same; what doesn't open is no more than what
// Open makes of it.
func TestOpenInPlace(t *testing.T) {
	ring := MustRing(t, seal.Keys{ID: id, Seal: []seal.Key{key("a")}})
	for _, size := range []int{0, 1, 15, 16, 17, 100, 1 << 20} {
		want := bytes.Repeat([]byte("personal "), size/9+1)[:size]
		box := ring.Seal("record-1", want)
		shared := bytes.Clone(box)
		plain, err := ring.OpenInPlace("record-1", shared)
		if err != nil || !bytes.Equal(plain, want) {
			t.Fatalf("%d bytes: got %d, %v", size, len(plain), err)
		}
		if size > 0 && &plain[0] != &shared[len(shared)-size-28] { // in the front of what was sealed
			t.Errorf("%d bytes: lies elsewhere", size)
		}
		if bytes.Equal(shared, box) && size > 0 {
			t.Errorf("%d bytes: the box is still there", size)
		}
	}
	box := ring.Seal("record-1", []byte("personal"))
	for i := range box {
		altered := bytes.Clone(box)
		altered[i] ^= 1
		if plain, err := ring.OpenInPlace("record-1", altered); !errors.Is(err, seal.ErrOpen) || plain != nil {
			t.Errorf("byte %d altered: %q, %v", i, plain, err)
		}
		if plain, err := ring.OpenInPlace("record-1", bytes.Clone(box[:i])); !errors.Is(err, seal.ErrOpen) || plain != nil {
			t.Errorf("cut at %d: %q, %v", i, plain, err)
		}
	}
	if _, err := ring.OpenInPlace("record-2", bytes.Clone(box)); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("another record: %v", err)
	}
	if _, err := MustRing(t, seal.Keys{ID: id}).OpenInPlace("record-1", bytes.Clone(box)); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("without the key: %v", err)
	}
	if _, err := ring.OpenInPlace("record-1", nil); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("no box: %v", err)
	}
	old := MustRing(t, seal.Keys{ID: id}).Seal("record-1", []byte("personal"))
	if plain, err := ring.OpenInPlace("record-1", old); err != nil || string(plain) != "personal" {
		t.Errorf("the first key's box: %q, %v", plain, err)
	}
}
