package asl

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// path names one value within the input ("$…") or the context object ("$$…"). With [*] in it, it names the list of the
// values that it finds in every element.
type path struct {
	text    string
	context string // the value of the context object below which the steps begin; empty for the input
	steps   []step
}

// step goes into an object by name. Where indexed is set, it goes into an array: into one element, or where each is set
// into all.
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

const (
	executionName = "Execution.Name"
	stateName     = "State.Name"
	taskToken     = "Task.Token"
	mapIndex      = "Map.Item.Index"
	mapValue      = "Map.Item.Value"
)

// contextValues are the values of the context object that are supported. A path may go on below the Map item alone.
func contextValues() []string {
	return []string{executionName, mapIndex, mapValue, stateName, taskToken}
}

// stepText is one step of a path. A name holds letters, digits, _ and -.
var stepText = regexp.MustCompile(`^(?:\.([\pL\p{Nd}_-]+)|\[(\d+|\*)\])`)

func parsePath(text string) (path, error) {
	p := path{text: text}
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return path{}, fmt.Errorf("the path %q does not begin with $", text)
	}
	if below, inContext := strings.CutPrefix(rest, "$"); inContext {
		if p.context, rest = contextValue(below); p.context == "" {
			return path{}, fmt.Errorf("the path %q is not supported, of the context object only $$.%s", text,
				strings.Join(contextValues(), ", $$."))
		}
	}
	for rest != "" {
		found := stepText.FindStringSubmatch(rest)
		if found == nil {
			return path{}, fmt.Errorf("the path %q is not supported: %q is neither .name, [index] nor [*]", text, rest)
		}
		s := step{name: found[1], indexed: found[2] != "", each: found[2] == "*"}
		if s.each && p.plural() {
			return path{}, fmt.Errorf("the path %q is not supported: it has a second [*]", text)
		}
		if s.indexed && !s.each {
			var err error
			if s.index, err = strconv.Atoi(found[2]); err != nil {
				return path{}, fmt.Errorf("the path %q has an index that is too large", text)
			}
		}
		p.steps, rest = append(p.steps, s), rest[len(found[0]):]
	}
	return p, nil
}

// contextValue splits what follows $$ into the value of the context object and the steps below it.
func contextValue(text string) (name, rest string) {
	for _, name := range contextValues() {
		rest, ok := strings.CutPrefix(text, "."+name)
		if ok && (rest == "" || name == mapValue && strings.IndexByte(".[", rest[0]) >= 0) {
			return name, rest
		}
	}
	return "", ""
}

// find follows steps into a value. A path with [*] leaves out the elements in which it finds nothing. Where it finds
// nothing in any of them, it counts as not found, as where there is no array.
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
		if v, ok := find(element, steps); ok {
			found = append(found, v)
		}
	}
	return found, len(found) > 0
}

// put returns root with the value at the end of the steps, which go by name. Where there is nothing on the way, it
// makes an object; it replaces nothing that is not one.
func put(root any, steps []step, value any) (any, bool) {
	if len(steps) == 0 {
		return value, true
	}
	o, ok := root.(object)
	if !ok {
		return nil, false
	}
	below, found := o.get(steps[0].name)
	if !found {
		below = object{}
	}
	inner, ok := put(below, steps[1:], value)
	return o.with(steps[0].name, inner), ok
}
