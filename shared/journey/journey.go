// Package journey is what a partner says about the journeys that it takes part in: how a start and an input are
// validated, which of their fields are sealed, and what an outcome is made of. functions/journeys does the rest for
// all.
package journey

import (
	"context"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
)

// Type describes one type of journey.
type Type struct {
	Name    string        // of its state machine, and in the route POST /journeys/{type}
	Partner string        // whose credentials Start gets
	MaxBody int64         // of a start, in bytes; zero for 64 KB
	Lasts   time.Duration // its definition's Timeout, for which Fields.Lists are kept; zero where a day is enough

	// Start validates the body of a start, without any call to the partner. Errors: *gateway.InputError,
	// *gateway.Problem, and those of Start.Open.
	Start func(context.Context, Start) (Fields, error)

	// Inputs validate the body of an input, by its kind, likewise; the kinds that a wait accepts are the definition's. An
	// Input has no Secret.
	Inputs map[string]func(context.Context, Start) (Fields, error)

	// Outcome makes the outcome that people read, as a JSON object, of the answer that decided and of the references of
	// its transaction. claims names what it may tell, where the state machine says so. It returns nil for an answer that
	// tells nothing.
	Outcome func(answer gateway.Reply, refs map[string]string, claims []string) ([]byte, error)
}

// Start is a request for a journey, or an input to one.
type Start struct {
	Body   jsontext.Value
	Secret []byte // the tenant's credentials document for the partner, for what an account manager issues with them

	// Open replaces the references in a JSON text by what the vault holds under them. Those in places that leave picks
	// become references to the journey's own copies. limit is for all texts of the request; see vault.Opener. Pointers in
	// its errors begin at the text.
	Open func(
		ctx context.Context, text jsontext.Value, limit int64, leave func(jsontext.Pointer) bool,
	) (jsontext.Value, error)
}

// Fields are what goes on to the state machine. Sealed ones go to the vault; the machine gets {"document_id":"…"} in
// their place.
type Fields struct {
	Plain           map[string]any
	Sealed          map[string]any    // values that encode to JSON; kept for a day
	Lists           map[string][]any  // likewise, each element by itself; kept for Type.Lasts
	References      map[string]string // what the caller has put into the vault itself: document ids
	AlsoErase       []string          // further documents that the journey's end erases: those that sealed values refer to
	HasPersonalData bool              // the body itself held what must be sealed
}

// Sensitive reads a member whose value must be sealed: a string that check accepts, or {"document_id":"…"} in its
// place, which it adds to the references. Errors: *gateway.InputError.
func (f *Fields) Sensitive(name string, value jsontext.Value, check func(string) error) error {
	pointer := "/" + name
	switch value.Kind() {
	case 0, 'n':
		return &gateway.InputError{Pointer: pointer, Reason: "is required"}
	case '"':
		var text string
		if err := json.Unmarshal(value, &text); err != nil {
			return &gateway.InputError{Pointer: pointer, Reason: "must be a string"}
		}
		if err := check(text); err != nil {
			return err
		}
		if f.Sealed == nil {
			f.Sealed = map[string]any{}
		}
		f.Sealed[name], f.HasPersonalData = text, true
		return nil
	}
	var reference struct {
		ID string `json:"document_id"`
	}
	if err := json.Unmarshal(value, &reference, json.RejectUnknownMembers(true)); err != nil || reference.ID == "" {
		return &gateway.InputError{Pointer: pointer, Reason: "must be a string or {\"document_id\":…}"}
	}
	if f.References == nil {
		f.References = map[string]string{}
	}
	f.References[name] = reference.ID
	return nil
}
