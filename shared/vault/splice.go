package vault

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Errors of Splice, beside those of Get, all in a *ReferenceError but ErrTooLarge of the text itself.
var (
	// ErrNotJSON: what lies under a reference is no JSON value.
	ErrNotJSON = errors.New("vault: document is not JSON")
	// ErrTooLarge: the text and what its references open exceed the limit.
	ErrTooLarge = errors.New("vault: text exceeds the limit")
	// ErrTooMany: the texts of a request hold more than MaxReferences references.
	ErrTooMany = errors.New("vault: too many references")
)

// ReferenceError says which reference can't be opened or kept, and why.
type ReferenceError struct {
	Place jsontext.Pointer // in the text, with its references opened
	Err   error
}

func (e *ReferenceError) Error() string { return string(e.Place) + ": " + e.Err.Error() }

func (e *ReferenceError) Unwrap() error { return e.Err }

const (
	// MaxReferences is how many references the texts of a request may hold, those in opened documents counted at every
	// place.
	MaxReferences = 128

	// maxTaskReferences is how many a task's may: what a journey was given, and what stands for that.
	maxTaskReferences = 2 * MaxReferences

	// maxNesting is how many of a caller's documents may lie in each other.
	maxNesting = 3

	// maxTaskNesting is how many may in a task: those, in what a journey was given.
	maxTaskNesting = 1 + maxNesting

	// bookkeeping is how much longer what is scanned may be than what comes of it, in bytes: references are scanned, and
	// what they open takes their places.
	bookkeeping = 64 << 10
)

// Opener opens the references in the texts of one request. It reads each document once, however many refer to it.
type Opener struct {
	// Keep is asked for what takes the place of a reference that is left, once it is sure that whoever opens it later
	// finds all that it leads to. Where nil, the reference stays as it is.
	Keep func(id string) (as string)

	read       func(ctx context.Context, id string) (document, error)
	exists     func(ctx context.Context, id string) error
	documents  map[string]document    // those that were read
	followed   map[string][]reference // what those documents refer to that are left
	most       int                    // references
	deepest    int                    // documents in each other
	references int                    // found so far
	size       int64                  // of the texts with their references opened, in bytes
	scanned    int64                  // of the texts, and of the documents wherever one is opened, in bytes
}

// Opener makes an Opener for what a tenant has sent.
func (v *Vault) Opener(tenant string) *Opener {
	return &Opener{
		most: MaxReferences, deepest: maxNesting,
		read: func(ctx context.Context, id string) (document, error) { return v.read(ctx, tenant, id) },
		exists: func(ctx context.Context, id string) error {
			_, err := v.Expires(ctx, tenant, id)
			return err
		},
		documents: map[string]document{}, followed: map[string][]reference{},
	}
}

// Splice returns what a state machine hands over with its references opened; see Opener.Splice.
func (v *Vault) Splice(
	ctx context.Context, tenant string, text []byte, limit int64, leave func(jsontext.Pointer) bool,
) (jsontext.Value, error) {
	o := v.Opener(tenant)
	o.most, o.deepest = maxTaskReferences, maxTaskNesting
	return o.Splice(ctx, text, limit, leave)
}

// Splice returns a JSON text in which every {"document_id":"…"} is replaced by the JSON value that the vault holds for
// the tenant under that reference, and in that likewise; the bytes in between stay as they are. References for whose
// place leave returns true are left, or replaced as Keep says; nil leaves none. limit is in bytes, of all the
// texts of the request with their references opened. What is no JSON is returned as it is.
func (o *Opener) Splice(
	ctx context.Context, text []byte, limit int64, leave func(jsontext.Pointer) bool,
) (jsontext.Value, error) {
	s := splicer{Opener: o, limit: limit, leave: leave}
	before := s.size
	err := s.text(ctx, text, "", 0)
	if errors.Is(err, errBroken) {
		if int64(len(text)) > limit {
			return nil, ErrTooLarge
		}
		return text, nil
	}
	if err != nil {
		return nil, err
	}
	if len(s.parts) == 1 && !s.parts[0].file {
		return s.parts[0].bytes, nil
	}
	whole := make([]byte, 0, s.size-before)
	for _, part := range s.parts {
		whole = part.append(whole)
	}
	return whole, nil
}

// IsReference reports whether a value is nothing but a reference: {"document_id":…}.
func IsReference(value jsontext.Value) bool {
	var reference struct {
		ID string `json:"document_id"`
	}
	return value.Kind() == '{' && json.Unmarshal(value, &reference, json.RejectUnknownMembers(true)) == nil &&
		reference.ID != ""
}

// References lists the references in a JSON text, those in what they refer to not among them.
func References(text []byte) (ids []string) {
	decoder := newDecoder(text)
	for {
		_, id, err := next(decoder)
		if err != nil {
			return ids
		}
		if id != "" {
			ids = append(ids, id)
		}
	}
}

// splicer collects the parts of a text, so that it is put together once, in a piece of memory of its size.
type splicer struct {
	*Opener
	leave func(jsontext.Pointer) bool
	limit int64
	parts []document
}

// errBroken: the text is no JSON.
var errBroken = errors.New("vault: text is not JSON")

func newDecoder(text []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(
		bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true),
	)
}

// scan counts what is read, whatever comes of it.
func (s *splicer) scan(size int) error {
	if s.scanned += int64(size); s.scanned > s.limit+bookkeeping {
		return ErrTooLarge
	}
	return nil
}

func (s *splicer) add(part document) error {
	if s.size += int64(part.size()); s.size > s.limit {
		return ErrTooLarge
	}
	if part.size() > 0 {
		s.parts = append(s.parts, part)
	}
	return nil
}

// text adds one text, at is where it stands.
func (s *splicer) text(ctx context.Context, text []byte, at jsontext.Pointer, nesting int) error {
	if err := s.scan(len(text)); err != nil {
		return err
	}
	decoder := newDecoder(text)
	var done int64 // so much of the text has been added
	values := 0
	for {
		start, id, err := next(decoder)
		if err == io.EOF && values == 1 {
			return s.add(document{bytes: text[done:]})
		}
		if err != nil {
			return errBroken
		}
		if decoder.StackDepth() == 0 {
			if values++; values > 1 {
				return errBroken
			}
		}
		if id == "" {
			continue
		}
		before, place := document{bytes: text[done:start]}, at+decoder.StackPointer()
		if err := s.count(place); err != nil {
			return err
		}
		if s.leave != nil && s.leave(place) {
			if s.Keep == nil {
				continue
			}
			if err := s.follow(ctx, id, place, 0); err != nil {
				return err
			}
			reference, err := json.Marshal(map[string]string{"document_id": s.Keep(id)})
			if err != nil {
				return err
			}
			if err := cmp.Or(s.add(before), s.add(document{bytes: reference})); err != nil {
				return err
			}
		} else {
			if err := s.add(before); err != nil {
				return err
			}
			if err := s.open(ctx, id, place, nesting); err != nil {
				return err
			}
		}
		done = decoder.InputOffset()
	}
}

// open adds what lies under a reference.
func (s *splicer) open(ctx context.Context, id string, place jsontext.Pointer, nesting int) error {
	failed := func(err error) error {
		var within *ReferenceError
		switch {
		case errors.As(err, &within):
			return err
		case errors.Is(err, errBroken):
			err = ErrNotJSON
		}
		return &ReferenceError{place, err}
	}
	if nesting == s.deepest {
		return failed(ErrNotJSON)
	}
	opened, known := s.documents[id]
	if !known {
		var err error
		if opened, err = s.read(ctx, id); err != nil {
			return failed(err)
		}
		s.documents[id] = opened
	}
	if !opened.file {
		if err := s.text(ctx, opened.bytes, place, nesting+1); err != nil {
			return failed(err)
		}
		return nil
	}
	if err := cmp.Or(s.scan(opened.size()), s.add(opened)); err != nil {
		return failed(err)
	}
	return nil
}

// reference is one that stands in a document.
type reference struct {
	place jsontext.Pointer
	id    string
}

// follow checks that a reference, which stands in so many documents, can be opened later as open would do it. It keeps
// in memory what the document refers to, but not the document.
func (s *splicer) follow(ctx context.Context, id string, place jsontext.Pointer, nesting int) error {
	if nesting == s.deepest {
		return &ReferenceError{place, ErrNotJSON}
	}
	inner, known := s.followed[id]
	if !known {
		var err error
		if inner, err = s.refersTo(ctx, id); err != nil {
			return &ReferenceError{place, err}
		}
		s.followed[id] = inner
	}
	for _, r := range inner {
		at := place + r.place
		if err := s.count(at); err != nil {
			return err
		}
		if err := s.follow(ctx, r.id, at, nesting+1); err != nil {
			return err
		}
	}
	return nil
}

// refersTo lists the references in a document; a file holds none.
func (s *splicer) refersTo(ctx context.Context, id string) (all []reference, err error) {
	if strings.HasPrefix(id, uploaded) {
		return nil, s.exists(ctx, id)
	}
	d, known := s.documents[id]
	if !known {
		if d, err = s.read(ctx, id); err != nil {
			return nil, err
		}
	}
	decoder := newDecoder(d.bytes)
	for values := 0; ; {
		_, found, err := next(decoder)
		if err == io.EOF && values == 1 {
			return all, nil
		}
		if err == nil && decoder.StackDepth() == 0 {
			values++
		}
		if err != nil || values > 1 {
			return nil, ErrNotJSON
		}
		if found != "" {
			all = append(all, reference{decoder.StackPointer(), found})
		}
	}
}

// count counts a reference.
func (s *splicer) count(place jsontext.Pointer) error {
	if s.references++; s.references > s.most {
		return &ReferenceError{place, ErrTooMany}
	}
	return nil
}

// next reads a token, or a whole reference: its id and where it starts.
func next(d *jsontext.Decoder) (start int64, id string, err error) {
	token, err := d.ReadToken()
	if err != nil || token.Kind() != '{' || d.PeekKind() != '"' {
		return 0, "", err
	}
	start = d.InputOffset() - 1
	if name, err := d.ReadToken(); err != nil || name.String() != "document_id" || d.PeekKind() != '"' {
		return 0, "", err
	}
	value, err := d.ReadToken()
	if err != nil || d.PeekKind() != '}' {
		return 0, "", err
	}
	id = value.String()
	_, err = d.ReadToken()
	return start, id, err
}
