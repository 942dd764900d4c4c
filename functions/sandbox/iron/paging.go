package iron

import (
	"net/http"
	"slices"
	"strconv"

	"sallyport/functions/sandbox"
)

// Sizes of a page (§2).
const (
	pageSize    = 10
	maxPageSize = 100
)

// paginate answers with the page of a list that a request asks for. A cursor is the id of the last item of the page
// before, a prev_cursor that of the first item of the page after; the contract leaves both open.
func paginate[T any](r *http.Request, all []T, id func(T) string) sandbox.Answer {
	query := r.URL.Query()
	size := pageSize
	if s := query.Get("page_size"); s != "" {
		var err error
		if size, err = strconv.Atoi(s); err != nil || size < 1 || size > maxPageSize {
			return invalid("page_size is not a number from 1 to " + strconv.Itoa(maxPageSize))
		}
	}
	at := func(name string) (index int, ok bool) {
		cursor, ok := parseUUID(query.Get(name))
		index = slices.IndexFunc(all, func(v T) bool { return id(v) == cursor })
		return index, ok && index >= 0
	}
	from, to := 0, min(size, len(all))
	switch next, prev := query.Get("cursor") != "", query.Get("prev_cursor") != ""; {
	case next && prev:
		return invalid("cursor and prev_cursor exclude each other")
	case next:
		last, ok := at("cursor")
		if !ok {
			return invalid("cursor is not known")
		}
		from, to = last+1, min(last+1+size, len(all))
	case prev:
		first, ok := at("prev_cursor")
		if !ok {
			return invalid("prev_cursor is not known")
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
	return sandbox.JSON(http.StatusOK, page)
}
