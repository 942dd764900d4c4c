package seal

import (
	"bytes"
	"io"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Last4 returns the last four characters of a number, or fewer where it has fewer than eight: never more than half.
func Last4(number string) string { return number[len(number)-min(4, len(number)/2):] }

// mask puts an X for every letter and digit of a number but those that Last4 would show; separators stay. It reports
// whether it changed anything.
func mask(number []byte) (changed bool) {
	letters := 0
	for _, c := range number {
		if isAlphanumeric(c) {
			letters++
		}
	}
	hidden := letters - min(4, letters/2)
	for i, c := range number {
		if !isAlphanumeric(c) {
			continue
		}
		if hidden--; hidden < 0 {
			break
		}
		changed = changed || c != 'X'
		number[i] = 'X'
	}
	return changed
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
}

// MaskJSON masks a JSON text and leaves every other byte as it is: the values of members of the given name, with those
// in arrays there, and number wherever it stands in a string or as a number, with single spaces or hyphens between its
// digits as well, or with an exponent. number is digits alone; an empty one masks only by name. Text that is not JSON,
// or nests deeper than the 10,000 levels of package jsontext, comes back empty; text in which nothing is masked is
// returned itself. The time that it takes is proportional to the text's length.
func MaskJSON(text []byte, name, number string) []byte {
	decoder := jsontext.NewDecoder(bytes.NewBuffer(text), // which is read where it lies
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	named := []bool{false} // by depth: what is read there is the value of a member of that name
	var out, plain []byte
	copied := 0
	for {
		kind := decoder.PeekKind()
		if kind != '"' && kind != '0' {
			if _, err := decoder.ReadToken(); err == io.EOF {
				break
			} else if err != nil {
				return nil
			}
			if depth := decoder.StackDepth(); kind == '{' || kind == '[' {
				named = append(named[:depth], kind == '[' && named[depth-1])
			}
			continue
		}
		raw, err := decoder.ReadValue()
		if err != nil {
			return nil
		}
		if kind == '"' {
			plain, _ = jsontext.AppendUnquote(plain[:0], raw) // an error says that invalid UTF-8 was replaced
		} else {
			plain = append(plain[:0], raw...)
		}
		depth := decoder.StackDepth()
		container, read := decoder.StackIndex(depth)
		isName := container == '{' && read%2 == 1
		if isName {
			named[depth] = string(plain) == name
		}
		whole := !isName && named[depth] || kind == '0' && number != "" && bytes.Contains(plainDigits(plain), []byte(number))
		if whole && !mask(plain) || !whole && !maskNumber(plain, number) {
			continue
		}
		end := int(decoder.InputOffset())
		out = appendQuote(append(out, text[copied:end-len(raw)]...), plain)
		copied = end
	}
	if copied == 0 {
		return text
	}
	return append(out, text[copied:]...)
}

// plainDigits returns the digits of a JSON number that has an exponent, as they are without it; nil of one that has
// none, or one of more than a hundred zeros.
func plainDigits(number []byte) []byte {
	e := bytes.IndexAny(number, "eE")
	if e < 0 {
		return nil
	}
	exponent, err := strconv.Atoi(string(number[e+1:]))
	whole, fraction, _ := bytes.Cut(bytes.TrimPrefix(number[:e], []byte("-")), []byte("."))
	zeros := max(0, exponent-len(fraction))
	if err != nil || zeros > 100 {
		return nil
	}
	return slices.Concat(whole, fraction, bytes.Repeat([]byte("0"), zeros))
}

// appendQuote appends a JSON string; an empty one where a mask has cut a character in two.
func appendQuote(out, plain []byte) []byte {
	quoted, err := jsontext.AppendQuote(out, plain)
	if err != nil {
		return append(out, `""`...)
	}
	return quoted
}

// maskNumber masks number in place wherever it stands in a text. It reports whether it changed anything.
func maskNumber(text []byte, number string) (changed bool) {
	for at := 0; at < len(text); {
		length := spelled(text[at:], number)
		if length > 0 && mask(text[at:at+length]) {
			changed = true
		}
		at += max(1, length)
	}
	return changed
}

// spelled returns the length of number at the beginning of a text, however its digits are separated; 0 where it is not
// there.
func spelled(text []byte, number string) (length int) {
	for i := range len(number) {
		if i > 0 && length < len(text) && (text[length] == ' ' || text[length] == '-') {
			length++
		}
		if length == len(text) || text[length] != number[i] {
			return 0
		}
		length++
	}
	return length
}
