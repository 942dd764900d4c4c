package vault

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Errors of Splice, beside those of Get.
var (
	// ErrNotJSON: what lies under a reference is no JSON value.
	ErrNotJSON = errors.New("vault: document is not JSON")
	// ErrTooLarge: with its references opened, the text exceeds the limit.
	ErrTooLarge = errors.New("vault: text exceeds the limit")
)

// maxNesting is how many documents may lie in each other: what a journey was given, and in it what its caller had put
// into the vault before.
const maxNesting = 3

// Splice returns a JSON text in which every {"document_id":"…"} is replaced by the JSON value that the vault holds for
// the tenant under that reference, and in that likewise; the bytes in between stay as they are. References for whose
// place leave returns true are left; nil leaves none. limit is in bytes. What is no JSON is returned as it is.
func (v *Vault) Splice(
	ctx context.Context, tenant string, text []byte, limit int64, leave func(jsontext.Pointer) bool,
) (jsontext.Value, error) {
	s := splicer{open: func(id string) (document, error) { return v.read(ctx, tenant, id) }, limit: limit, leave: leave}
	err := s.text(text, "", 0)
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
	whole := make([]byte, 0, s.size)
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
	s := splicer{limit: int64(len(text)), leave: func(jsontext.Pointer) bool { return true }, left: &ids}
	_ = s.text(text, "", 0)
	return ids
}

// splicer collects the parts of a text, so that it is put together once, in a piece of memory of its size.
type splicer struct {
	open  func(id string) (document, error)
	leave func(jsontext.Pointer) bool
	left  *[]string // the references that were left; nil for nobody's interest
	limit int64
	size  int64
	parts []document
}

// errBroken: the text is no JSON.
var errBroken = errors.New("vault: text is not JSON")

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
func (s *splicer) text(text []byte, at jsontext.Pointer, nesting int) error {
	decoder := jsontext.NewDecoder(
		bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true),
	)
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
		place := at + decoder.StackPointer()
		if id == "" {
			continue
		}
		if s.leave != nil && s.leave(place) {
			if s.left != nil {
				*s.left = append(*s.left, id)
			}
			continue
		}
		if nesting == maxNesting {
			return ErrNotJSON
		}
		if err := s.add(document{bytes: text[done:start]}); err != nil {
			return err
		}
		opened, err := s.open(id)
		switch {
		case err != nil:
			return err
		case opened.file:
			err = s.add(opened)
		default:
			err = s.text(opened.bytes, place, nesting+1)
		}
		if errors.Is(err, errBroken) {
			return ErrNotJSON
		}
		if err != nil {
			return err
		}
		done = decoder.InputOffset()
	}
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
