// Package flow builds Step Functions definitions from typed states: what the Amazon States Language calls a state
// machine, in JSONPath, without variables. It knows the language alone; what journeys have in common stands in package
// statemachines.
package flow

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// F is a payload template. A name that ends with ".$" takes a path or an intrinsic function.
type F map[string]any

// Discard, as a path for a result or an output, throws it away: the language's null.
const Discard = "discard"

// State is one state of a machine: a Task, Pass, Choice, Wait, Map, Succeed, or what makes one of them.
type State interface{ Raw() Raw }

// Machine is a state machine. It starts with the state that was added first.
type Machine struct {
	Comment string
	Timeout time.Duration // of an execution; zero for none. The flow within a Map must have none

	states []named
}

type named struct {
	name  string
	state Raw
}

// Add adds a state. What is wrong with it is JSON's to say.
func (m *Machine) Add(name string, s State) { m.states = append(m.states, named{name, s.Raw()}) }

// JSON renders the definition, its states in the order in which they were added. Its errors name each state that was
// added twice or does not say what comes next.
func (m *Machine) JSON() ([]byte, error) {
	written := m.wire()
	if err := written.check(); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(written)
	return out.Bytes(), err
}

// wire is a machine, or the processor of a Map, as it is written down.
type wire struct {
	Comment         string           `json:",omitempty"`
	ProcessorConfig *processorConfig `json:",omitempty"`
	StartAt         string
	TimeoutSeconds  int `json:",omitempty"`
	States          states
}

type processorConfig struct{ Mode string }

func (m *Machine) wire() wire {
	w := wire{Comment: m.Comment, TimeoutSeconds: seconds(m.Timeout), States: m.states}
	if len(m.states) > 0 {
		w.StartAt = m.states[0].name
	}
	return w
}

// check returns what is wrong with the states, and with those within a Map.
func (w wire) check() error {
	var faults []error
	added := map[string]bool{}
	for _, n := range w.States {
		if added[n.name] {
			faults = append(faults, fmt.Errorf("%s is added twice", n.name))
		}
		added[n.name] = true
		switch {
		case n.state.Type == "Succeed":
		case n.state.Type == "Choice" && n.state.Default == "":
			faults = append(faults, fmt.Errorf("%s has no Default", n.name))
		case n.state.Type != "Choice" && n.state.Next == "" && !n.state.End:
			faults = append(faults, fmt.Errorf("%s has no Next, which is flow.End where the flow ends", n.name))
		}
		if each := n.state.ItemProcessor; each != nil {
			if each.TimeoutSeconds != 0 {
				faults = append(faults, fmt.Errorf("%s is a Map, whose flow can have no timeout", n.name))
			}
			if err := each.check(); err != nil {
				faults = append(faults, fmt.Errorf("%s: %w", n.name, err))
			}
		}
	}
	return errors.Join(faults...)
}

// states are written as an object whose members keep their order.
type states []named

// MarshalJSON implements json.Marshaler.
func (s states) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	for i, n := range s {
		out.WriteByte("{,"[min(i, 1)])
		if err := encoder.Encode(n.name); err != nil {
			return nil, err
		}
		out.WriteByte(':')
		if err := encoder.Encode(n.state); err != nil {
			return nil, err
		}
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// Raw is a state as it is written down, its fields named by the language. One that is not set is left out.
type Raw struct {
	Type               string
	Comment            string  `json:",omitempty"`
	InputPath          string  `json:",omitempty"`
	ItemsPath          string  `json:",omitempty"`
	MaxConcurrency     int     `json:",omitempty"`
	ItemSelector       F       `json:",omitempty"`
	ItemProcessor      *wire   `json:",omitempty"`
	Resource           string  `json:",omitempty"`
	Parameters         any     `json:",omitempty"`
	TimeoutSeconds     int     `json:",omitempty"`
	TimeoutSecondsPath string  `json:",omitempty"`
	Seconds            int     `json:",omitempty"`
	SecondsPath        string  `json:",omitempty"`
	Result             any     `json:",omitempty"`
	ResultSelector     F       `json:",omitempty"`
	ResultPath         any     `json:",omitempty"`
	OutputPath         any     `json:",omitempty"`
	Retry              []Retry `json:",omitempty"`
	Catch              []Catch `json:",omitempty"`
	Choices            []Rule  `json:",omitempty"`
	Default            string  `json:",omitempty"`
	Next               string  `json:",omitempty"`
	End                bool    `json:",omitempty"`
}

// then returns a state with what comes after it.
func (r Raw) then(next string) Raw {
	if next == End {
		r.End = true
	} else {
		r.Next = next
	}
	return r
}

// path returns how a path is written: left out where it is empty, null for Discard.
func path(p string) any {
	switch p {
	case "":
		return nil
	case Discard:
		return json.RawMessage("null")
	}
	return p
}

func seconds(d time.Duration) int { return int(d / time.Second) }
