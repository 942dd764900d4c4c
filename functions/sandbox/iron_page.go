package sandbox

import (
	"net/http"
	"slices"
	"strconv"
)

// Sizes of a page (iron §2).
const (
	ironPageSize    = 10
	maxIronPageSize = 100
)

// ironPage answers with the page of a list that a request asks for. A cursor is the id of the last item of the page before, a
// prev_cursor that of the first item of the page after; the contract leaves both open.
func ironPage[T any](r *http.Request, all []T, id func(T) string) answer {
	query := r.URL.Query()
	size := ironPageSize
	if s := query.Get("page_size"); s != "" {
		var err error
		if size, err = strconv.Atoi(s); err != nil || size < 1 || size > maxIronPageSize {
			return ironInvalid("page_size is not a number from 1 to " + strconv.Itoa(maxIronPageSize))
		}
	}
	at := func(name string) (index int, ok bool) {
		cursor, ok := ironUUID(query.Get(name))
		index = slices.IndexFunc(all, func(v T) bool { return id(v) == cursor })
		return index, ok && index >= 0
	}
	from, to := 0, min(size, len(all))
	switch next, prev := query.Get("cursor") != "", query.Get("prev_cursor") != ""; {
	case next && prev:
		return ironInvalid("cursor and prev_cursor exclude each other")
	case next:
		last, ok := at("cursor")
		if !ok {
			return ironInvalid("cursor is not known")
		}
		from, to = last+1, min(last+1+size, len(all))
	case prev:
		first, ok := at("prev_cursor")
		if !ok {
			return ironInvalid("prev_cursor is not known")
		}
		from, to = max(first-size, 0), first
	}
	page := struct {
		Items      []T     `json:"items"`
		Cursor     *string `json:"cursor"`
		PrevCursor *string `json:"prev_cursor"`
	}{Items: append([]T{}, all[from:to]...)}
	if to < len(all) && to > from {
		page.Cursor = new(id(all[to-1]))
	}
	if from > 0 && to > from {
		page.PrevCursor = new(id(all[from]))
	}
	return answer{status: http.StatusOK, body: encode(page)}
}
