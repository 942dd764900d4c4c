package asl

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Machine is a state machine that was checked by Parse. It is not changed by running it.
type Machine struct {
	flow
	timeout     int // seconds; zero for none
	definition  []byte
	fingerprint string
}

// flow is what has a StartAt and States: the machine itself and what a Map does with each item.
type flow struct {
	start  string
	states map[string]*state
}

// Parse checks a definition. It fails with *DefinitionError, which lists everything that is wrong or not supported.
func Parse(definition []byte) (*Machine, error) {
	root, err := decode(definition, true)
	if err != nil {
		return nil, &DefinitionError{[]Problem{{Reason: "is not JSON without duplicate names: " + err.Error()}}}
	}
	p := &parser{pointers: map[string]string{}}
	f := p.fields(place{}, root)
	f.text("Comment")
	m := &Machine{definition: slices.Clone(definition)}
	m.timeout, _ = f.whole("TimeoutSeconds", 1, maxSeconds)
	m.flow = p.flow(f)
	f.done()
	if len(p.problems) > 0 {
		return nil, &DefinitionError{p.problems}
	}
	sum := sha256.Sum256(encode(root))
	m.fingerprint = hex.EncodeToString(sum[:])
	return m, nil
}

// Definition is the text that the machine was parsed from. Keep it with an execution that must outlive a change of the
// file: Step refuses an execution that another definition began.
func (m *Machine) Definition() []byte { return slices.Clone(m.definition) }

// Fingerprint tells definitions apart, whatever their white space; an Execution has that of its own.
func (m *Machine) Fingerprint() string { return m.fingerprint }

// maxSeconds bounds every number of seconds in a definition.
const maxSeconds = 99_999_999

// parser collects problems rather than ending at the first.
type parser struct {
	problems []Problem
	pointers map[string]string // by the name of the state, which is unique in the whole machine
	tokens   int               // how often $$.Task.Token was used
}

// place is where the parser is, and which parts of the context object exist there.
type place struct {
	pointer, state string
	token, item    bool
}

func (w place) child(name string) place {
	w.pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
	return w
}

func (w place) index(i int) place { return w.child(strconv.Itoa(i)) }

func (p *parser) fail(where place, reason string, args ...any) {
	problem := Problem{Pointer: where.pointer, State: where.state, Reason: fmt.Sprintf(reason, args...)}
	p.problems = append(p.problems, problem)
}

// names lists the keys of a table, for the reason of a problem.
func names[V any](table map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(table)), ", ")
}

// fields reads the members of an object, and keeps which names were asked for: those that are supported.
type fields struct {
	*parser
	place
	object object
	asked  map[string]bool
}

func (p *parser) fields(where place, value any) *fields {
	o, ok := value.(object)
	if !ok {
		p.fail(where, "must be an object")
	}
	return &fields{parser: p, place: where, object: o, asked: map[string]bool{}}
}

func (f *fields) fail(name, reason string, args ...any) {
	f.parser.fail(f.child(name), reason, args...)
}

func (f *fields) get(name string) (any, bool) {
	f.asked[name] = true
	return f.object.get(name)
}

// only returns the one of the names that is there, and fails if several are.
func (f *fields) only(names ...string) string {
	found := ""
	for _, name := range names {
		if _, ok := f.get(name); !ok {
			continue
		}
		if found != "" {
			f.fail(name, "can't stand beside %s", found)
		}
		found = name
	}
	return found
}

func (f *fields) text(name string) (string, bool) {
	v, ok := f.get(name)
	if !ok {
		return "", false
	}
	s, isString := v.(string)
	if !isString {
		f.fail(name, "must be a string")
	}
	return s, isString
}

// required is get for what has to be there.
func (f *fields) required(name string) (any, bool) {
	v, ok := f.get(name)
	if !ok {
		f.fail(name, "is missing")
	}
	return v, ok
}

// must reads a string that has to be there.
func (f *fields) must(name string) string {
	f.required(name)
	text, _ := f.text(name)
	return text
}

func (f *fields) whole(name string, least, most int64) (int, bool) {
	v, ok := f.get(name)
	if !ok {
		return 0, false
	}
	n, _ := v.(number)
	i, isInteger := n.integer()
	if !isInteger || i < least || i > most {
		f.fail(name, "must be a whole number from %d to %d", least, most)
		return 0, false
	}
	return int(i), true
}

// path reads a path to one value of the state's input.
func (f *fields) path(name string) path {
	text, ok := f.text(name)
	if !ok {
		return path{}
	}
	at, err := parsePath(text)
	if err == nil && (at.context != "" || at.plural()) {
		err = fmt.Errorf("the path %q is not supported: $$ and [*] are for payload templates", text)
	}
	if err != nil {
		f.fail(name, "%v", err)
	}
	return at
}

// filter reads an OutputPath or a ResultPath.
func (f *fields) filter(name string) filter {
	v, ok := f.get(name)
	if !ok {
		return filter{}
	}
	if v == nil {
		return filter{set: true, null: true}
	}
	return filter{set: true, path: f.path(name)}
}

// target reads a ResultPath.
func (f *fields) target() filter {
	to := f.filter("ResultPath")
	if slices.ContainsFunc(to.path.steps, func(s step) bool { return s.indexed }) {
		f.fail("ResultPath", "the path %q is not supported: it leads into an array", to.path.text)
	}
	return to
}

// payload reads a payload template, which is an object.
func (f *fields) payload(name string) expression {
	v, ok := f.get(name)
	if !ok {
		return nil
	}
	if _, ok := v.(object); !ok {
		f.fail(name, "must be an object")
	}
	return f.template(f.child(name), v)
}

func (f *fields) list(name string) []any {
	v, ok := f.get(name)
	if !ok {
		return nil
	}
	l, _ := v.([]any)
	if len(l) == 0 {
		f.fail(name, "must be an array with at least one element")
	}
	return l
}

// done refuses the members that nobody asked for.
func (f *fields) done() {
	for _, m := range f.object {
		if !f.asked[m.name] {
			f.fail(m.name, "%s is not supported, only %s", m.name, names(f.asked))
		}
	}
}

// flow reads StartAt and States, and checks that every state can be reached and can reach an end.
func (p *parser) flow(f *fields) flow {
	w := flow{start: f.must("StartAt"), states: map[string]*state{}}
	v, _ := f.required("States")
	states, ok := v.(object)
	if !ok || len(states) == 0 {
		f.fail("States", "must be an object with at least one state")
		return w
	}
	where := f.child("States")
	where.state = ""
	before := len(p.problems)
	for _, m := range states {
		at := where.child(m.name)
		at.state = m.name
		if length := utf8.RuneCountInString(m.name); length == 0 || length > 80 {
			p.fail(at, "a state's name has 1 to 80 characters")
		}
		if other, again := p.pointers[m.name]; again {
			p.fail(at, "has the name of the state %s; names are unique in the whole machine", other)
		}
		p.pointers[m.name] = at.pointer
		w.states[m.name] = p.state(at, m.name, m.value)
	}
	if len(p.problems) == before {
		p.reach(f.child("StartAt"), where, w)
	}
	return w
}

// reach follows every transition forwards from the start and backwards from the ends.
func (p *parser) reach(start, where place, w flow) {
	if w.states[w.start] == nil {
		p.fail(start, "names the state %q, which does not exist", w.start)
		return
	}
	before, ends := map[string][]string{}, []string{}
	missing := false
	for _, name := range slices.Sorted(maps.Keys(w.states)) {
		s := w.states[name]
		if s.ends() {
			ends = append(ends, name)
		}
		for _, to := range s.targets() {
			if w.states[to] == nil {
				p.fail(s.where, "goes to the state %q, which does not exist", to)
				missing = true
			}
			before[to] = append(before[to], name)
		}
	}
	if missing {
		return
	}
	forwards := spread([]string{w.start}, func(name string) []string { return w.states[name].targets() })
	backwards := spread(ends, func(name string) []string { return before[name] })
	for _, name := range slices.Sorted(maps.Keys(w.states)) {
		switch {
		case !forwards[name]:
			p.fail(w.states[name].where, "can't be reached from StartAt")
		case !backwards[name]:
			p.fail(w.states[name].where, "never comes to an end: no terminal state can be reached from it")
		}
	}
}

func spread(from []string, next func(string) []string) map[string]bool {
	seen := map[string]bool{}
	for len(from) > 0 {
		name := from[0]
		from = from[1:]
		if !seen[name] {
			seen[name] = true
			from = append(from, next(name)...)
		}
	}
	return seen
}
