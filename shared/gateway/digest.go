package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// DigestJSON returns a digest of a JSON text that is the same for every way of writing it: white space, the order of
// names and escapes in strings make no difference; how a number is written does. It reads the text where it lies, so
// that a body full of files is not copied.
func DigestJSON(text []byte) (string, error) {
	decoder := jsontext.NewDecoder(bytes.NewBuffer(text))
	sum, err := digest(decoder)
	if err == nil {
		if _, after := decoder.ReadToken(); after != io.EOF {
			err = errors.New("gateway: more than one value")
		}
	}
	return hex.EncodeToString(sum), err
}

func digest(d *jsontext.Decoder) ([]byte, error) {
	h := sha256.New()
	kind := d.PeekKind()
	switch kind {
	case '{', '[':
		if _, err := d.ReadToken(); err != nil {
			return nil, err
		}
		var parts [][]byte
		for d.PeekKind() != '}' && d.PeekKind() != ']' {
			part, err := digest(d)
			if err != nil {
				return nil, err
			}
			if kind == '{' {
				value, err := digest(d)
				if err != nil {
					return nil, err
				}
				part = append(part, value...)
			}
			parts = append(parts, part)
		}
		if _, err := d.ReadToken(); err != nil {
			return nil, err
		}
		if kind == '{' {
			slices.SortFunc(parts, bytes.Compare)
		}
		hashed(h, byte(kind), parts...)
	case '"':
		value, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		plain := value[1 : len(value)-1]
		if bytes.IndexByte(plain, '\\') >= 0 {
			if plain, err = jsontext.AppendUnquote(nil, value); err != nil {
				return nil, err
			}
		}
		hashed(h, byte(kind), plain)
	default:
		value, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		hashed(h, byte(kind), value)
	}
	return h.Sum(nil), nil
}

// hashed writes a kind of value and its parts, delimited.
func hashed(h hash.Hash, kind byte, parts ...[]byte) {
	h.Write([]byte{kind})
	for _, part := range parts {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write(part)
	}
}
