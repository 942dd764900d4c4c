package asl

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// path names one value within the input ("$…") or the context object ("$$…"); with [*] in it, a list of those that it
// finds in every element.
type path struct {
	text    string
	context bool
	steps   []step
}

// step goes into an object by name or, where name is empty and indexed is set, into an array: into one element, or where
// each is set into all.
type step struct {
	name    string
	index   int
	indexed bool
	each    bool
}

// plural reports whether a path names a list of values that it gathers.
func (p path) plural() bool {
	return slices.ContainsFunc(p.steps, func(s step) bool { return s.each })
}

// contextValues are the values of the context object that exist here. Below the Execution's input and the Map item a
// path may go on.
var contextValues = []struct {
	name string
	deep bool
}{
	{"Execution.Id", false}, {"Execution.Input", true}, {"Execution.Name", false}, {"Execution.StartTime", false},
	{"State.EnteredTime", false}, {"State.Name", false}, {"State.RetryCount", false},
	{"StateMachine.Id", false}, {"StateMachine.Name", false},
	{taskToken, false}, {mapIndex, false}, {mapValue, true},
}

const (
	taskToken = "Task.Token"
	mapIndex  = "Map.Item.Index"
	mapValue  = "Map.Item.Value"
)

func parsePath(text string) (path, error) {
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return path{}, fmt.Errorf("the path %q does not begin with $", text)
	}
	p := path{text: text}
	rest, p.context = strings.CutPrefix(rest, "$")
	for rest != "" {
		s, after, err := parseStep(rest)
		if err != nil {
			return path{}, fmt.Errorf("the path %q is not supported: %w", text, err)
		}
		p.steps, rest = append(p.steps, s), after
	}
	if !p.context {
		return p, nil
	}
	if _, _, ok := p.contextValue(); !ok {
		return path{}, fmt.Errorf("the path %q is not supported: the context object has no such single value here", text)
	}
	return p, nil
}

func parseStep(text string) (s step, rest string, err error) {
	switch {
	case strings.HasPrefix(text, ".."):
		return s, "", fmt.Errorf("recursive descent")
	case strings.HasPrefix(text, "[*]"):
		return step{indexed: true, each: true}, text[3:], nil
	case strings.HasPrefix(text, ".*"), strings.HasPrefix(text, "[*"):
		return s, "", fmt.Errorf("wildcards other than [*]")
	case strings.HasPrefix(text, "[?"):
		return s, "", fmt.Errorf("filters")
	case text[0] == '.':
		end := 1
		for end < len(text) {
			r, size := utf8.DecodeRuneInString(text[end:])
			if r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
				break
			}
			end += size
		}
		if end == 1 {
			return s, "", fmt.Errorf("a name must follow the dot")
		}
		if end < len(text) && text[end] == '(' {
			return s, "", fmt.Errorf("functions")
		}
		return step{name: text[1:end]}, text[end:], nil
	case strings.HasPrefix(text, "['"), strings.HasPrefix(text, `["`):
		name, after, ok := strings.Cut(text[2:], text[1:2])
		if !ok || !strings.HasPrefix(after, "]") || name == "" || strings.ContainsRune(name, '\\') {
			return s, "", fmt.Errorf("brackets must hold one quoted name without backslashes, or one index")
		}
		return step{name: name}, after[1:], nil
	case text[0] == '[':
		inside, after, ok := strings.Cut(text[1:], "]")
		if strings.Contains(inside, ":") {
			return s, "", fmt.Errorf("slices")
		}
		index, err := strconv.ParseUint(inside, 10, 31)
		if !ok || err != nil {
			return s, "", fmt.Errorf("brackets must hold one quoted name without backslashes, or one index")
		}
		return step{index: int(index), indexed: true}, after, nil
	}
	return s, "", fmt.Errorf("unexpected %q", text)
}

// contextValue splits a path below $$ into the value it names and the steps that go on within it.
func (p path) contextValue() (name string, below []step, ok bool) {
	for _, known := range contextValues {
		parts := strings.Split(known.name, ".")
		if len(p.steps) < len(parts) || len(p.steps) > len(parts) && !known.deep {
			continue
		}
		found := true
		for i, part := range parts {
			found = found && !p.steps[i].indexed && p.steps[i].name == part
		}
		if found {
			return known.name, p.steps[len(parts):], true
		}
	}
	return "", nil, false
}

// find follows steps into a value. Elements in which a path with [*] finds nothing are left out; that it finds nothing
// in any of them counts as not found, here as where there is no array.
func find(value any, steps []step) (any, bool) {
	for i, s := range steps {
		if s.each {
			return gather(value, steps[i+1:])
		}
		switch v := value.(type) {
		case object:
			if s.indexed {
				return nil, false
			}
			found := false
			if value, found = v.get(s.name); !found {
				return nil, false
			}
		case []any:
			if !s.indexed || s.index >= len(v) {
				return nil, false
			}
			value = v[s.index]
		default:
			return nil, false
		}
	}
	return value, true
}

func gather(value any, steps []step) (any, bool) {
	elements, _ := value.([]any)
	var found []any
	for _, element := range elements {
		v, ok := find(element, steps)
		if more, plural := v.([]any); ok && plural && slices.ContainsFunc(steps, func(s step) bool { return s.each }) {
			found = append(found, more...) // JSONPath gives one flat list
		} else if ok {
			found = append(found, v)
		}
	}
	return found, len(found) > 0
}

// put returns root with the value at the end of the steps. Objects on the way are made where nothing is; an array is
// only written to where it has an element, and nothing else is gone through.
func put(root any, steps []step, value any) (any, bool) {
	if len(steps) == 0 {
		return value, true
	}
	s := steps[0]
	switch r := root.(type) {
	case object:
		if s.indexed {
			return nil, false
		}
		below, found := r.get(s.name)
		if !found {
			below = object{}
		}
		inner, ok := put(below, steps[1:], value)
		return r.with(s.name, inner), ok
	case []any:
		if !s.indexed || s.index >= len(r) {
			return nil, false
		}
		inner, ok := put(r[s.index], steps[1:], value)
		copied := append([]any{}, r...)
		copied[s.index] = inner
		return copied, ok
	}
	return nil, false
}
