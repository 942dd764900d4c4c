package main_test

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.etcd.io/bbolt"

	"sallyport/functions/partners"
	"sallyport/shared/bolt"
	"sallyport/shared/partner"
)

// marks counts what effects have left in the simulated partners' own state: records by kind, the elements of their
// lists, and how far each sequence of ids has gone. An effect that the log of requests doesn't know of shows here.
func marks(t *testing.T, db *bolt.DB) map[string]int {
	t.Helper()
	found := map[string]int{}
	if err := db.View(func(tx *bbolt.Tx) error {
		state := tx.Bucket([]byte("sandbox"))
		if state == nil {
			return nil
		}
		return state.ForEach(func(k, v []byte) error {
			kind, last := "", string(k)
			if i := strings.LastIndex(last, "/"); i >= 0 {
				kind, last = last[:i], last[i+1:]
			}
			of, _, _ := strings.Cut(kind, "/")
			known := slices.ContainsFunc(partners.All(), func(p partner.Partner) bool { return p.Name == of })
			if !known || strings.Contains(kind, "/token") {
				return nil // what the frame notes, and tokens, of which a program that starts again fetches others
			}
			if n, err := strconv.Atoi(string(v)); err == nil && strings.Contains(string(k), "sequence") {
				found[kind+"/"+last] = n
				return nil
			}
			found[kind]++
			var value any
			if json.Unmarshal(v, &value) == nil {
				countElements(found, kind, value)
			}
			return nil
		})
	}); err != nil {
		t.Fatal(err)
	}
	return found
}

func countElements(found map[string]int, at string, value any) {
	switch value := value.(type) {
	case []any:
		found[at+"[]"] += len(value)
		for _, element := range value {
			countElements(found, at+"[]", element)
		}
	case map[string]any:
		for name, member := range value {
			countElements(found, at+"."+name, member)
		}
	}
}

// marksIn are those of a program that has ended.
func marksIn(t *testing.T, dir string) map[string]int {
	t.Helper()
	db, err := bolt.Open(filepath.Join(dir, "sandbox.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	return marks(t, db)
}

// wantMarks checks that effects have left no more than the same calls do where nothing goes wrong; exactly as much
// where all of them were made. Where they weren't, a record may stand where it would have gone on.
func wantMarks(t *testing.T, got, once map[string]int, all bool) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if most := once[name]; got[name] > most && (all || got[name] > max(most, 1)) {
			t.Errorf("the partner has %d of %s, %d where nothing goes wrong", got[name], name, once[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(once)) {
		if all && got[name] < once[name] {
			t.Errorf("the partner has %d of %s, %d where nothing goes wrong", got[name], name, once[name])
		}
	}
}

// TestRaceMatrix makes each call that acts many times at once, with one key: the partner's own state shows one effect.
func TestRaceMatrix(t *testing.T) {
	t.Parallel()
	eachEffect(t, func(t *testing.T, operation string, c call) {
		s := MustRun(t)
		f := s.strike(operation, c, "", 0)
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				if got := f.send(); !succeeded(got) && got.condition() != "in_flight" {
					t.Errorf("answered %d %q %s", got.status, got.condition(), got.body)
				}
			})
		}
		wg.Wait()
		if got := f.send(); !succeeded(got) || got.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("then answered %d %q %s", got.status, got.condition(), got.body)
		}
		wantMarks(t, marks(t, s.PartnerDB()), undisturbed(t, operation, c), true)
	})
}
