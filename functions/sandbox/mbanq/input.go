package mbanq

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/sandbox"
)

// input is the JSON object that a request brings, and what is found wrong with it while it is read. Scalars are taken
// for each other, as Fineract takes them: a number may come as a string and the other way round. null says the same as
// nothing, and so does an object where a scalar belongs.
type input struct {
	resource string // as the codes of errors spell it
	members  map[string]jsontext.Value

	strict      bool // inferred rules count
	malformed   bool
	unsupported []reason // where the tenant refuses fields that nobody knows
	reasons     []reason

	layout string // Go's, of the request's own dateFormat; see dateLayout
	dated  bool   // layout has been looked for
}

// readInput reads the body of a request. The known fields are given by their names, with spaces between them.
func readInput(c *sandbox.Call, resource, known string) *input {
	in := &input{resource: resource, strict: c.IsStrict()}
	if err := json.Unmarshal(c.Body, &in.members); err != nil || in.members == nil {
		in.malformed = true
		return in
	}
	in.checkFields(c, known)
	return in
}

// maxUnsupported is how many unknown fields an answer names.
const maxUnsupported = 20

// checkFields finds the fields that nobody knows.
func (in *input) checkFields(c *sandbox.Call, known string) {
	if c.Setting("unknown_fields") != "refused" {
		return
	}
	names := strings.Fields(known)
	for name := range in.members {
		if !slices.Contains(names, name) {
			in.unsupported = append(in.unsupported, newReason("error.msg.parameter.unsupported",
				"The parameter "+name+" is not supported.", name, name))
		}
	}
	slices.SortFunc(in.unsupported, func(a, b reason) int { return strings.Compare(a.Parameter, b.Parameter) })
	in.unsupported = in.unsupported[:min(len(in.unsupported), maxUnsupported)]
}

// refused returns the answer to a body with which something is wrong.
func (in *input) refused() (sandbox.Answer, bool) {
	switch {
	case in.malformed:
		return malformed(), true
	case in.unsupported != nil:
		return invalid(in.unsupported...), true
	case in.reasons != nil:
		return invalid(in.reasons...), true
	}
	return sandbox.Answer{}, false
}

// reject notes what is wrong with a field; the code is the end of the whole one.
func (in *input) reject(name, code, text string, args ...any) {
	in.note("validation.msg."+in.resource+"."+name+"."+code, text, name, args...)
}

// note notes what is wrong, by the whole code.
func (in *input) note(code, text, name string, args ...any) {
	in.reasons = append(in.reasons, newReason(code, text, name, args...))
}

func (in *input) rejectBlank(name string) {
	in.reject(name, "cannot.be.blank", "The parameter `"+name+"` is mandatory.")
}

// scalar returns a field as text, or "".
func (in *input) scalar(name string) string {
	v := in.members[name]
	switch v.Kind() {
	case jsontext.KindString:
		var s string
		_ = json.Unmarshal(v, &s) // it has been decoded before
		return s
	case jsontext.KindNumber, jsontext.KindTrue, jsontext.KindFalse:
		return string(v)
	}
	return ""
}

// maxText is how many characters any text has, so that a record stays one item of the store.
const maxText = 4000

// text returns a text. A limit of characters is Fineract's: whether the partner has it is inferred.
func (in *input) text(name string, required bool, limit int) string {
	s := in.scalar(name)
	if !in.strict {
		limit = maxText
	}
	switch {
	case strings.TrimSpace(s) == "":
		if required {
			in.rejectBlank(name)
		}
		return ""
	case utf8.RuneCountInString(s) > limit:
		in.reject(name, "exceeds.max.length", fmt.Sprintf("The parameter `%s` exceeds max length of %d.", name, limit), limit)
	}
	return s
}

// oneOf returns the value that a field has, in whatever case, or "". It rejects any other.
func (in *input) oneOf(name string, required bool, values ...string) string {
	s := in.text(name, required, 100)
	i := slices.IndexFunc(values, func(value string) bool { return strings.EqualFold(s, value) })
	switch {
	case s == "":
		return ""
	case i < 0:
		in.reject(name, "is.not.one.of.expected.enumerations",
			"The parameter `"+name+"` must be one of [ "+strings.Join(values, ", ")+" ] .",
			slices.Concat([]any{s}, anyOf(values))...)
		return ""
	}
	return values[i]
}

func anyOf(values []string) (all []any) {
	for _, value := range values {
		all = append(all, value)
	}
	return all
}

// id returns a number, or 0; positive is Fineract's rule.
func (in *input) id(name string, required bool) int64 {
	s := in.text(name, required, 100)
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	switch {
	case !in.strict:
	case err != nil:
		in.note("validation.msg.invalid.integer.format",
			"The parameter `"+name+"` is not an integer.", name)
	case n <= 0:
		in.reject(name, "not.greater.than.zero", "The parameter `"+name+"` must be greater than 0.", n, 0)
	}
	return n
}

// boolean returns whether a field is true.
func (in *input) boolean(name string, required bool) bool {
	s := in.text(name, required, 100)
	switch {
	case strings.EqualFold(s, "true"):
		return true
	case s != "" && !strings.EqualFold(s, "false"):
		in.reject(name, "must.be.true.or.false", "The parameter `"+name+"` must be set as true or false.")
	}
	return false
}

// ids returns a list of positive numbers.
func (in *input) ids(name string) []int64 {
	v := in.members[name]
	if v == nil || v.Kind() == jsontext.KindNull {
		return nil
	}
	var all []int64
	if err := json.Unmarshal(v, &all); err != nil || len(all) > maxElements {
		in.reject(name, "is.not.an.array.of.integers",
			fmt.Sprintf("The parameter `%s` must be an array of at most %d integers.", name, maxElements))
		return nil
	}
	if slices.ContainsFunc(all, func(n int64) bool { return n <= 0 }) {
		in.reject(name, "not.greater.than.zero", "The parameter `"+name+"` must be greater than 0.")
	}
	return all
}

// objects returns a list of objects of another resource, each to be read as a body is, with what is wrong to be taken
// back by adopt.
func (in *input) objects(c *sandbox.Call, name, resource, known string) (elements []*input) {
	v := in.members[name]
	if v == nil || v.Kind() == jsontext.KindNull {
		return nil
	}
	var all []map[string]jsontext.Value
	if err := json.Unmarshal(v, &all); err != nil || len(all) > maxElements {
		in.reject(name, "is.not.an.array.of.objects",
			fmt.Sprintf("The parameter `%s` must be an array of at most %d objects.", name, maxElements))
		return nil
	}
	for _, members := range all {
		element := &input{resource: resource, members: members, strict: in.strict}
		element.checkFields(c, known)
		elements = append(elements, element)
	}
	return elements
}

// adopt takes over what is wrong with an element.
func (in *input) adopt(element *input) {
	in.unsupported = append(in.unsupported, element.unsupported...)
	in.reasons = append(in.reasons, element.reasons...)
}

// date is a day as 2006-01-02, or "". It goes out as [y,m,d] (§11).
type date string

func newDate(t time.Time) date { return date(t.UTC().Format(time.DateOnly)) }

func (d date) array() []int {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return nil
	}
	return []int{t.Year(), int(t.Month()), t.Day()}
}

// dateLayout returns the layout of the request's own dateFormat, or "". What is wrong with it or with the locale is
// noted once. Only formats with a month in words need a locale that is understood.
func (in *input) dateLayout() string {
	if in.dated {
		return in.layout
	}
	in.dated = true
	format, locale := in.scalar("dateFormat"), in.scalar("locale")
	for _, name := range []string{"dateFormat", "locale"} {
		if strings.TrimSpace(in.scalar(name)) == "" {
			in.note("validation.msg.missing."+name+".parameter",
				"The parameter `"+name+"` is mandatory.", name)
		}
	}
	english := strings.HasPrefix(strings.ToLower(locale), "en")
	switch {
	case format == "yyyy-MM-dd":
		in.layout = "2006-1-2"
	case (format == "dd MMMM yyyy" || format == "d MMMM yyyy") && english:
		in.layout = "2 January 2006"
	case !in.strict: // any other pattern of Java's; what it says isn't read
	case strings.TrimSpace(format) != "" && strings.TrimSpace(locale) != "":
		in.note("validation.msg.invalid.dateFormat.format",
			"The parameter `dateFormat` is invalid for the locale provided.", "dateFormat")
	}
	return in.layout
}

// date returns a day, or "".
func (in *input) date(name string, required bool) date {
	s := in.text(name, required, 100)
	if s == "" {
		return ""
	}
	layout := in.dateLayout()
	if layout == "" {
		return ""
	}
	t, err := time.Parse(layout, s)
	if err != nil || t.Year() < 1 {
		in.note("validation.msg.invalid.dateFormat.format",
			"The parameter `"+name+"` is invalid based on the dateFormat and locale provided.", name)
		return ""
	}
	return newDate(t)
}

// email returns an address of the form of one.
func (in *input) email(name string, required bool) string {
	s := in.text(name, required, 150)
	if in.strict && s != "" && (!sandbox.IsEmail(s) || utf8.RuneCountInString(s) > 255) {
		in.reject(name, "is.not.valid", "The parameter `"+name+"` is not a valid email address.")
	}
	return s
}
