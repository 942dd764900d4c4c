package ledger

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// TimeLayout has a fixed width, so that what is written in it (in UTC) sorts as the times do.
const TimeLayout = "2006-01-02T15:04:05.000000000Z"

const positionSeparator = "#"

// Position is a record's place in its tenant's listing; positions sort from the oldest to the newest.
func Position(t Transaction) string {
	return t.ClaimedAt.UTC().Format(TimeLayout) + positionSeparator + t.ID
}

// PositionID returns the id of the record at a position.
func PositionID(position string) string {
	_, id, _ := strings.Cut(position, positionSeparator)
	return id
}

// Cursor names the position of the last row of a page. It carries a checksum over tenant, filters and position: it
// serves the query that it was made for, and a damaged one is noticed. What keeps tenants apart is not the cursor but
// that a listing reads one tenant's rows only.
func Cursor(q Query, position string) string {
	bound := fmt.Appendf(nil, "%q %q %q %q", q.Tenant, q.Operation, q.State, position)
	sum := sha256.Sum256(bound)
	text, _ := json.Marshal([]string{position, base64.RawURLEncoding.EncodeToString(sum[:12])})
	return base64.RawURLEncoding.EncodeToString(text)
}

// ReadCursor returns the position that q continues after, empty for the first page, or ErrBadCursor.
func ReadCursor(q Query) (position string, err error) {
	if q.Cursor == "" {
		return "", nil
	}
	var parts []string
	text, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err != nil || json.Unmarshal(text, &parts) != nil || len(parts) != 2 || Cursor(q, parts[0]) != q.Cursor {
		return "", ErrBadCursor
	}
	return parts[0], nil
}
