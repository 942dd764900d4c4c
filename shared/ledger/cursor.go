package ledger

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// TimeLayout has a fixed width, so that what is written in it (in UTC) sorts as the times do.
const TimeLayout = "2006-01-02T15:04:05.000000000Z"

const positionSeparator = "#"

// Position is a record's place in its tenant's listing; positions sort from the oldest to the newest.
func Position(t Transaction) string { return position(t.ClaimedAt, t.ID) }

// JourneyPosition is a journey's place in its tenant's listing of journeys.
func JourneyPosition(j Journey) string { return position(j.CreatedAt, j.ID) }

func position(at time.Time, id string) string {
	return at.UTC().Format(TimeLayout) + positionSeparator + id
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
	return cursor(position, "transactions", q.Tenant, q.Operation, string(q.State))
}

// ReadCursor returns the position that q continues after, empty for the first page, or ErrBadCursor.
func ReadCursor(q Query) (position string, err error) {
	return readCursor(q.Cursor, func(position string) string { return Cursor(q, position) })
}

// JourneyCursor is what Cursor is, for journeys.
func JourneyCursor(q JourneyQuery, position string) string {
	return cursor(position, "journeys", q.Tenant, q.Type, string(q.Status))
}

// ReadJourneyCursor is what ReadCursor is, for journeys.
func ReadJourneyCursor(q JourneyQuery) (position string, err error) {
	return readCursor(q.Cursor, func(position string) string { return JourneyCursor(q, position) })
}

func cursor(position string, query ...string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q", query, position))
	text, _ := json.Marshal([]string{position, base64.RawURLEncoding.EncodeToString(sum[:12])})
	return base64.RawURLEncoding.EncodeToString(text)
}

func readCursor(cursor string, at func(position string) string) (position string, err error) {
	if cursor == "" {
		return "", nil
	}
	var parts []string
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || json.Unmarshal(text, &parts) != nil || len(parts) != 2 || at(parts[0]) != cursor {
		return "", ErrBadCursor
	}
	return parts[0], nil
}
