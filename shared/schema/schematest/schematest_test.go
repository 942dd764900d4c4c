package schematest_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"sallyport/shared/schema/schematest"
)

// TestWithMembers: what is written is JSON, and never what was given.
func TestWithMembers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, text := range []string{`{}`, `[ { } ]`, `{"a":"{\"{","b":[{"c":1}]}`} {
		for range 200 {
			if got := schematest.WithMembers(random, text); !json.Valid([]byte(got)) || len(got) <= len(text) {
				t.Errorf("%s became %s", text, got)
			}
		}
	}
}
