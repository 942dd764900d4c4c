package journeys

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/journey"
	"sallyport/shared/ledger"
	"sallyport/shared/vault"
)

// given is what a request gives to a journey: values that are sealed for it, and documents of its caller's, of which
// the journey keeps copies of its own, so that it loses none by the end of another one that was given the same.
// Nothing is written before put, and what put has written expires within a day, unless the journey is begun.
type given struct {
	s      *Service
	tenant string
	opener *vault.Opener
	copies map[string]string // the caller's documents → the journey's copies
	sealed []sealing
}

// sealing is a value to seal.
type sealing struct {
	id   string
	text []byte
	ttl  time.Duration
}

func (s *Service) given(tenant string) *given {
	g := &given{s: s, tenant: tenant, opener: s.Vault.Opener(tenant), copies: map[string]string{}}
	g.opener.Keep = g.copyOf
	return g
}

// open opens the references in what the tenant has sent; see journey.Start.
func (g *given) open(
	ctx context.Context, text jsontext.Value, limit int64, leave func(jsontext.Pointer) bool,
) (jsontext.Value, error) {
	opened, err := g.opener.Splice(ctx, text, limit, leave)
	return opened, refusal(err)
}

// copyOf returns the id of the journey's copy of a document.
func (g *given) copyOf(id string) string {
	if g.copies[id] == "" {
		g.copies[id] = vault.CopyID(id, g.s.NewID())
	}
	return g.copies[id]
}

// refusal words what is wrong with the documents of a request; any other error stays as it is.
func refusal(err error) error {
	var reference *vault.ReferenceError
	at := ""
	if errors.As(err, &reference) {
		at = gateway.PrintablePointer(reference.Place)
	}
	switch {
	case errors.Is(err, vault.ErrNotFound):
		return &gateway.InputError{Pointer: at, Code: "document_not_found",
			Reason: "leads to no document, or not any more; put it into the vault again"}
	case errors.Is(err, vault.ErrTooMany):
		return &gateway.InputError{Pointer: at, Code: "too_many_documents", Reason: "is one document_id too many, those in " +
			"documents included: " + strconv.Itoa(vault.MaxReferences) + " are taken; put several values into one document"}
	case errors.Is(err, vault.ErrNotJSON):
		return unprocessable("document_not_json",
			"a document that the body refers to is no JSON value, or lies in more than two others")
	case errors.Is(err, vault.ErrTooLarge):
		return tooLarge("with its documents, the body is too large")
	}
	return err
}

// refer looks up the documents that stand for whole fields, and whether they can be opened.
func (g *given) refer(ctx context.Context, fields journey.Fields) error {
	for name, id := range fields.References {
		g.copyOf(id)
		reference, err := json.Marshal(map[string]string{"document_id": id})
		if err == nil {
			_, err = g.opener.Splice(ctx, reference, gateway.MaxBody, nil)
		}
		var within *vault.ReferenceError
		if errors.As(err, &within) {
			err = within.Err
		}
		if err != nil {
			return refusal(&vault.ReferenceError{Place: jsontext.Pointer("").AppendToken(name), Err: err})
		}
	}
	return nil
}

// state returns what goes to the state machine: references in place of what is to be sealed, lists for as long as the
// journey may last, but for a day at first.
func (g *given) state(fields journey.Fields, lasts time.Duration) (map[string]any, error) {
	state := map[string]any{}
	seal := func(value any, ttl time.Duration) (reference map[string]string, err error) {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		id := g.s.NewID()
		g.sealed = append(g.sealed, sealing{id, text, ttl})
		return map[string]string{"document_id": id}, nil
	}
	for name, value := range fields.Plain {
		state[name] = value
	}
	for name, id := range fields.References {
		state[name] = map[string]string{"document_id": g.copies[id]}
	}
	var err error
	for name, value := range fields.Sealed {
		if state[name], err = seal(value, documentTTL); err != nil {
			return nil, err
		}
	}
	for name, list := range fields.Lists {
		references := make([]map[string]string, len(list))
		for i, value := range list {
			if references[i], err = seal(value, min(lasts, documentTTL)); err != nil {
				return nil, err
			}
		}
		state[name] = references
	}
	return state, nil
}

// put writes all of it into the vault. What it has written is erased again where it fails, as far as that goes.
func (g *given) put(ctx context.Context) error {
	err := g.write(ctx)
	if err != nil {
		_ = g.erase(ctx) // else it expires
	}
	return refusal(err)
}

func (g *given) write(ctx context.Context) error {
	now := g.s.Now()
	err := forEach(g.sealed, func(sealed sealing) error {
		return g.s.Vault.Put(ctx, g.tenant, sealed.id, sealed.text, now.Add(sealed.ttl))
	})
	if err != nil {
		return err
	}
	return forEach(slices.Collect(maps.Keys(g.copies)), func(id string) error {
		return g.s.Vault.Copy(ctx, g.tenant, id, g.copies[id], now.Add(documentTTL))
	})
}

// kept are the ids of what put writes.
func (g *given) kept() (ids []string) {
	for _, sealed := range g.sealed {
		ids = append(ids, sealed.id)
	}
	return slices.AppendSeq(ids, maps.Values(g.copies))
}

// documents are all that the journey's end erases: what was sealed for it, its copies and its caller's documents.
func (g *given) documents(fields journey.Fields) []string {
	all := slices.Concat(g.kept(), fields.AlsoErase, slices.Collect(maps.Keys(g.copies)))
	slices.Sort(all)
	return slices.Compact(all)
}

// erase takes back what put has written.
func (g *given) erase(ctx context.Context) error { return g.s.erase(ctx, g.tenant, g.kept()) }

// prolong lets the lists that a journey was started with live as long as it may last. Until the journey is on record
// they live for a day.
func (s *Service) prolong(ctx context.Context, j ledger.Journey) error {
	t, err := s.typeOf(j.Type)
	if err != nil || cmp.Or(t.Lasts, documentTTL) <= documentTTL {
		return nil
	}
	var state map[string]jsontext.Value
	if json.Unmarshal(j.Input, &state) != nil {
		return nil // it holds no lists
	}
	for _, value := range state {
		if value.Kind() != '[' {
			continue
		}
		for _, id := range vault.References(value) {
			err := s.Vault.Extend(ctx, j.Tenant, id, j.CreatedAt.Add(t.Lasts))
			if err != nil && !errors.Is(err, vault.ErrNotFound) { // what is gone, the execution will miss by itself
				return err
			}
		}
	}
	return nil
}
