package main_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sallyport/statemachines"
)

var update = flag.Bool("update", false, "write what is generated in the documents anew")

// state is what a diagram needs of a state.
type state struct {
	Type, Next, Default string
	Resource            string
	Choices             []map[string]any
	Catch               []struct {
		ErrorEquals []string
		Next        string
	}
}

// diagram draws what a definition does, step by step: its tasks and waits. Passes and choices are drawn as the arrows
// that they make; what is caught by States.ALL is left out.
func diagram(t *testing.T, definition []byte) string {
	t.Helper()
	var d struct {
		StartAt string
		States  map[string]state
	}
	if err := json.Unmarshal(definition, &d); err != nil {
		t.Fatal(err)
	}
	var lines []string
	arrow := func(from, to, label string) {
		line := "    " + from + " --> " + to
		if label != "" {
			line += ": " + label
		}
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	follow := func(from, to, label string) {
		for _, way := range ways(d.States, to, 0) {
			arrow(from, way.to, joined(label, way.label))
		}
	}
	follow("[*]", d.StartAt, "")
	names := []string{}
	for name, s := range d.States {
		if s.Type == "Task" || s.Type == "Wait" || s.Type == "Map" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		s := d.States[name]
		follow(name, s.Next, "")
		for _, c := range s.Catch {
			if !slices.Contains(c.ErrorEquals, "States.ALL") {
				follow(name, c.Next, strings.Join(c.ErrorEquals, ", "))
			}
		}
	}
	return "```mermaid\nstateDiagram-v2\n" + strings.Join(lines, "\n") + "\n```\n"
}

// way is how a state is reached.
type way struct{ label, to string }

// ways are those that lead from a state to the ones that are drawn. A choice whose ways all lead to the same one is
// none.
func ways(states map[string]state, name string, depth int) (all []way) {
	s := states[name]
	switch {
	case depth > 20 || name == "":
		return nil
	case s.Type == "Pass":
		return ways(states, s.Next, depth+1)
	case s.Type == "Succeed":
		return []way{{"", "[*]"}}
	case s.Type != "Choice":
		return []way{{"", name}}
	}
	add := func(label, next string) {
		for _, w := range ways(states, next, depth+1) {
			all = append(all, way{joined(label, w.label), w.to})
		}
	}
	for _, choice := range s.Choices {
		add(condition(choice), choice["Next"].(string))
	}
	add("otherwise", s.Default)
	if !slices.ContainsFunc(all, func(w way) bool { return w.to != all[0].to }) {
		return []way{{"", all[0].to}}
	}
	return all
}

func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}

// condition names the values that a choice compares with.
func condition(choice map[string]any) string {
	var values []string
	for _, name := range []string{"And", "Or"} {
		parts, _ := choice[name].([]any)
		for _, part := range parts {
			if text := condition(part.(map[string]any)); text != "" {
				values = append(values, text)
			}
		}
		if name == "Or" && len(values) > 3 {
			return values[0] + " … " + values[len(values)-1]
		}
		if len(values) > 0 {
			return strings.Join(values, map[string]string{"And": ", ", "Or": " or "}[name])
		}
	}
	for name, value := range choice {
		text, isText := value.(string)
		if strings.HasPrefix(name, "String") && isText {
			return text
		}
		variable, _ := choice["Variable"].(string)
		variable = variable[strings.LastIndexByte(variable, '.')+1:]
		if strings.HasPrefix(name, "Numeric") {
			return variable + map[string]string{
				"NumericGreaterThan": " over ", "NumericLessThan": " under ", "NumericLessThanEquals": " up to ",
			}[name] + fmt.Sprint(value)
		}
		if name == "BooleanEquals" {
			return map[bool]string{true: "", false: "not "}[value == true] + variable
		}
	}
	return ""
}

// TestDiagrams compares the diagrams of the partners' documents with the definitions; -update writes them.
func TestDiagrams(t *testing.T) {
	documents, err := filepath.Glob("../*/README.md")
	if err != nil {
		t.Fatal(err)
	}
	drawn := map[string]bool{}
	for _, document := range documents {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		now := diagrams.ReplaceAllStringFunc(string(text), func(found string) string {
			journey := diagrams.FindStringSubmatch(found)[1]
			definition, err := statemachines.Files.ReadFile(journey + ".asl.json")
			if err != nil {
				t.Fatalf("%s has a diagram of %s: %v", document, journey, err)
			}
			drawn[journey] = true
			return "<!-- diagram of " + journey + " -->\n" + diagram(t, definition) + "<!-- end of diagram -->\n"
		})
		switch {
		case now == string(text):
		case *update:
			if err := os.WriteFile(document, []byte(now), 0o644); err != nil {
				t.Fatal(err)
			}
		default:
			t.Errorf("a diagram of %s is not that of its definition: run make generate", document)
		}
	}
	for journey := range statemachines.Definitions() {
		if !drawn[journey] {
			t.Errorf("no document has a place for the diagram of %s", journey)
		}
	}
}

// diagrams finds a diagram, and the journey that it is of.
var diagrams = regexp.MustCompile("(?s)<!-- diagram of ([a-z0-9-]+) -->\n.*?<!-- end of diagram -->\n")
