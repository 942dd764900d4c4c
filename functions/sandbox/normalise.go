package sandbox

import (
	"strings"
	"unicode"
)

// Normalising is the setting by which a simulated partner writes down what it is told in its own way, as live systems
// do.
func Normalising() Setting { return Setting{Name: "normalises", Values: []string{"no", "yes"}} }

// Normalises reports whether the partner is set so.
func (c *Call) Normalises() bool { return c.Setting("normalises") == "yes" }

// Prose returns a name or a line of an address as the partner writes it down where it normalises: in upper case and
// ASCII, without surplus blanks, with the usual abbreviations, numbers without leading zeros, and cut at a length.
func (c *Call) Prose(text string, limit int) string {
	if !c.Normalises() {
		return text
	}
	words := strings.Fields(upperASCII(text))
	for i, word := range words {
		if short := abbreviations()[strings.TrimRight(word, ".,")]; short != "" {
			words[i] = short
		} else if IsMadeOf(word, '0', '9') {
			words[i] = unpadded(word)
		}
	}
	return shortened(strings.Join(words, " "), limit)
}

// Number returns the number of a document, a phone or a place as the partner writes it down where it normalises: its
// letters and digits only, in upper case, without leading zeros, and cut at a length.
func (c *Call) Number(text string, limit int) string {
	if !c.Normalises() {
		return text
	}
	return shortened(unpadded(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, upperASCII(text))), limit)
}

// Mail returns an email address as the partner writes it down where it normalises: in lower case, without what stands
// behind a plus.
func (c *Call) Mail(text string) string {
	if !c.Normalises() {
		return text
	}
	name, host, _ := strings.Cut(strings.ToLower(strings.TrimSpace(text)), "@")
	name, _, _ = strings.Cut(name, "+")
	return name + "@" + host
}

func abbreviations() map[string]string {
	return map[string]string{
		"STREET": "ST", "AVENUE": "AVE", "ROAD": "RD", "BOULEVARD": "BLVD", "LANE": "LN", "SQUARE": "SQ", "FLAT": "APT",
		"APARTMENT": "APT", "BUILDING": "BLDG", "FLOOR": "FL", "NORTH": "N", "SOUTH": "S", "EAST": "E", "WEST": "W",
		"FIRST": "1ST", "SAINT": "ST",
	}
}

// upperASCII writes letters with marks as those without, and any other beyond ASCII as a question mark.
func upperASCII(text string) string {
	plain := strings.NewReplacer(
		"Ä", "AE", "Ö", "OE", "Ü", "UE", "ß", "SS", "ẞ", "SS", "É", "E", "È", "E", "Ê", "E", "Á", "A", "À", "A", "Â", "A",
		"Å", "A", "Ç", "C", "Í", "I", "Ñ", "N", "Ó", "O", "Ô", "O", "Ø", "O", "Ú", "U", "Ł", "L", "Š", "S", "Ž", "Z",
	).Replace(strings.ToUpper(text))
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII {
			return '?'
		}
		return r
	}, plain)
}

func unpadded(number string) string {
	if short := strings.TrimLeft(number, "0"); short != "" || number == "" {
		return short
	}
	return "0"
}

func shortened(text string, limit int) string {
	return strings.TrimRight(text[:min(len(text), limit)], " ")
}
