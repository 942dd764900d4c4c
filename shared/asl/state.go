package asl

import "fmt"

// The types of states.
const (
	pass    = "Pass"
	work    = "Task"
	choose  = "Choice"
	wait    = "Wait"
	succeed = "Succeed"
	each    = "Map"
)

// state is one parsed state. Which fields are set depends on its kind.
type state struct {
	where      place
	name, kind string
	next       string // empty where end is set, and for Choice and Succeed
	end        bool

	parameters expression // of a Pass its value, of a Task its payload, of a Map its item selector; nil for the input
	selector   expression // ResultSelector
	resultPath filter
	output     filter // OutputPath of a Task
	retriers   []retrier
	catchers   []catcher

	task     task
	rules    []rule // Choice
	fallback string // Choice's Default
	wait     seconds
	each     iterating
}

// ends reports whether an execution can end with this state.
func (s *state) ends() bool { return s.end || s.kind == succeed }

// targets are the states that may follow.
func (s *state) targets() []string {
	var names []string
	if s.next != "" {
		names = append(names, s.next)
	}
	for _, r := range s.rules {
		names = append(names, r.next)
	}
	if s.fallback != "" {
		names = append(names, s.fallback)
	}
	for _, c := range s.catchers {
		names = append(names, c.next)
	}
	return names
}

// kinds are the types of states that are supported, each with what reads its fields.
func kinds() map[string]func(*parser, *fields, *state) {
	return map[string]func(*parser, *fields, *state){
		pass: (*parser).pass, work: (*parser).task, choose: (*parser).choice, wait: (*parser).wait, each: (*parser).each,
		succeed: func(*parser, *fields, *state) {},
	}
}

func (p *parser) state(where place, name string, value any) *state {
	f := p.fields(where, value)
	s := &state{where: where, name: name, kind: f.must("Type")}
	f.text("Comment")
	known := kinds()
	read, ok := known[s.kind]
	if !ok {
		f.fail("Type", "%s states are not supported, only %s", s.kind, names(known))
		return s
	}
	read(p, f, s)
	f.done()
	return s
}

// following reads Next or End.
func (f *fields) following(s *state) {
	switch f.only("Next", "End") {
	case "Next":
		s.next, _ = f.text("Next")
	case "End":
		v, _ := f.get("End")
		if s.end, _ = v.(bool); !s.end {
			f.fail("End", "must be true where it stands")
		}
	default:
		f.parser.fail(f.place, "must have Next or End")
	}
}

func (p *parser) pass(f *fields, s *state) {
	switch name := f.only("InputPath", "Parameters", "Result"); name {
	case "InputPath":
		s.parameters = lookup{f.path(name), name}
	case "Parameters":
		s.parameters = f.payload(name)
	case "Result":
		result, _ := f.get(name)
		s.parameters = constant{result}
	}
	s.resultPath = f.target()
	f.following(s)
}

func (p *parser) wait(f *fields, s *state) {
	if s.wait = f.seconds("Seconds", 0); s.wait.field == "" {
		p.fail(f.place, "must have Seconds or SecondsPath")
	}
	f.following(s)
}

// seconds is a number of seconds in the definition, or the path to one in the state's input.
type seconds struct {
	field string // empty where neither is given
	least int64
	is    int
	path  *path
}

// seconds reads the field of a name, or that of the name and Path.
func (f *fields) seconds(name string, least int64) seconds {
	n := seconds{field: f.only(name, name+"Path"), least: least}
	switch n.field {
	case name:
		n.is, _ = f.whole(name, least, maxSeconds)
	case name + "Path":
		at := f.path(n.field)
		n.path = &at
	}
	return n
}

// value returns zero where nothing is given.
func (n seconds) value(s *scope) (int, *Error) {
	if n.path == nil {
		return n.is, nil
	}
	v, err := lookup{*n.path, n.field}.value(s)
	if err != nil {
		return 0, err
	}
	given, _ := v.(number)
	i, whole := given.integer()
	if !whole || i < n.least || i > maxSeconds {
		const cause = "The path '%s' of the field '%s' must lead to a whole number of seconds"
		return 0, runtimeError(fmt.Sprintf(cause, n.path.text, n.field))
	}
	return int(i), nil
}
