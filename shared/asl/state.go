package asl

import (
	"time"
)

// The types of states.
const (
	pass    = "Pass"
	work    = "Task"
	choose  = "Choice"
	wait    = "Wait"
	succeed = "Succeed"
	fail    = "Fail"
	each    = "Map"
)

// state is one parsed state; which fields are set depends on its kind.
type state struct {
	where      place
	name, kind string
	next       string // empty where end is set, and for Choice, Succeed and Fail
	end        bool

	input, output filter
	parameters    expression // nil where there are none; of a Task its payload, of a Map its item selector
	selector      expression // ResultSelector
	resultPath    filter
	retriers      []retrier
	catchers      []catcher

	hasResult bool // Pass
	result    any
	task      task
	rules     []rule // Choice
	fallback  string // Choice's Default
	wait      waiting
	fail      failing
	each      iterating
}

// ends reports whether an execution can end with this state.
func (s *state) ends() bool { return s.end || s.kind == succeed || s.kind == fail }

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

// waiting is how long a Wait state waits: one of the four.
type waiting struct {
	seconds         int
	until           time.Time
	secondsPath     *path
	untilPath       *path
	fieldOfThisPath string
}

// failing is what a Fail state ends with.
type failing struct {
	name, cause expression // nil for none
}

func (p *parser) state(where place, name string, value any) *state {
	f := p.fields(where, value)
	s := &state{where: where, name: name}
	s.kind, _ = f.text("Type")
	f.text("Comment")
	p.queryLanguage(f)
	switch s.kind {
	case pass, work, choose, wait, succeed, each:
		s.input, s.output = f.filter("InputPath", false), f.filter("OutputPath", false)
	}
	switch s.kind {
	case pass, work, wait, each:
		s.next, s.end = p.following(f)
	}
	switch s.kind {
	case pass, work, each:
		s.resultPath = f.filter("ResultPath", true)
	}
	switch s.kind {
	case work, each:
		s.selector = f.payload("ResultSelector")
		s.retriers, s.catchers = p.retriers(f, s.kind), p.catchers(f, s.kind)
	}
	switch s.kind {
	case pass:
		s.result, s.hasResult = f.get("Result")
		s.parameters = f.payload("Parameters")
	case work:
		p.task(f, s)
	case choose:
		p.choice(f, s)
	case wait:
		s.wait = p.waiting(f)
	case fail:
		s.fail = failing{p.failing(f, "Error"), p.failing(f, "Cause")}
	case each:
		p.each(f, s)
	case succeed:
	case "":
		f.fail("Type", "is missing")
		return s
	default:
		f.fail("Type", "%s states are not supported", s.kind)
		return s
	}
	f.done()
	return s
}

// following reads Next or End.
func (p *parser) following(f *fields) (next string, end bool) {
	switch f.only("Next", "End") {
	case "Next":
		next, _ = f.text("Next")
	case "End":
		v, _ := f.get("End")
		if end, _ = v.(bool); !end {
			f.fail("End", "must be true where it stands")
		}
	default:
		p.fail(f.place, "must have Next or End")
	}
	return next, end
}

func (p *parser) waiting(f *fields) (w waiting) {
	switch name := f.only("Seconds", "SecondsPath", "Timestamp", "TimestampPath"); name {
	case "Seconds":
		w.seconds, _ = f.whole(name, 0, maxSeconds)
	case "Timestamp":
		text, _ := f.text(name)
		var ok bool
		if w.until, ok = timestamp(text); !ok {
			f.fail(name, "must be a timestamp such as 2006-01-02T15:04:05Z")
		}
	case "SecondsPath", "TimestampPath":
		at, _ := f.path(name)
		w.fieldOfThisPath = name
		if name == "SecondsPath" {
			w.secondsPath = &at
		} else {
			w.untilPath = &at
		}
	default:
		p.fail(f.place, "must have Seconds, SecondsPath, Timestamp or TimestampPath")
	}
	return w
}

// failing reads Error or ErrorPath, Cause or CausePath.
func (p *parser) failing(f *fields, name string) expression {
	switch field := f.only(name, name+"Path"); field {
	case name:
		text, _ := f.text(name)
		return constant{text}
	case name + "Path":
		v, _ := f.get(field)
		return p.expression(f.child(field), field, v)
	}
	return nil
}
