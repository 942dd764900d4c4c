package tolerant

import (
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Time is a moment: as RFC 3339 has it, also with a blank for its T, in lower case and without the colon of its offset,
// or as seconds or milliseconds since 1970, of this century. It is the zero time for any other value, and for one that
// doesn't say its zone.
func Time(value jsontext.Value) time.Time {
	switch n := Number(value); {
	case n >= firstSecond && n < lastSecond:
		return time.Unix(n, 0).UTC()
	case n >= firstSecond*1000 && n < lastSecond*1000:
		return time.UnixMilli(n).UTC()
	}
	text := strings.ToUpper(Text(value))
	if len(text) > len(time.DateOnly) && text[len(time.DateOnly)] == ' ' {
		text = strings.Replace(text, " ", "T", 1)
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at
		}
	}
	return time.Time{}
}

// Of this century. A date in digits, as in 20260302, is no second of it.
const (
	firstSecond = 946_684_800
	lastSecond  = 4_102_444_800
)
