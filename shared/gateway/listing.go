package gateway

import (
	"slices"
	"strconv"
	"strings"
)

const (
	defaultLimit = 20
	maxLimit     = 100
)

// Listing is what a route that lists takes as its query.
type Listing struct {
	Limit   int    // 1 to 100, 20 where it is not given
	Cursor  string // from the page before
	Filters map[string]string
}

// ParseListing reads a listing's query. Each filter comes with the values that it may have, or nil for any. An empty
// parameter is as if absent, since clients send what they don't set. Its errors are *InputError.
func ParseListing(query map[string]string, filters map[string][]string) (Listing, error) {
	l := Listing{Limit: defaultLimit, Filters: map[string]string{}}
	for name, value := range query {
		allowed, isFilter := filters[name]
		switch {
		case value == "" && (isFilter || name == "cursor" || name == "limit"):
		case isFilter:
			if allowed != nil && !slices.Contains(allowed, value) {
				return l, &InputError{Pointer: name, Reason: "must be one of " + strings.Join(allowed, ", ")}
			}
			l.Filters[name] = value
		case name == "cursor":
			l.Cursor = value
		case name == "limit":
			limit, err := strconv.Atoi(value)
			if err != nil || limit < 1 || limit > maxLimit {
				return l, &InputError{Pointer: name, Reason: "must be a number from 1 to 100"}
			}
			l.Limit = limit
		default:
			return l, &InputError{Reason: "a query parameter is not known"}
		}
	}
	return l, nil
}
