package flow_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"sallyport/shared/asl"
	"sallyport/shared/asl/flow"
)

// conditions are those of the builder, by the name of their function.
var conditions = map[string][]flow.Condition{
	"Is":        {flow.Is("$.a", "text"), flow.Is("$.a", true), flow.Is("$.a", 1)},
	"OneOf":     {flow.OneOf("$.a", "text", "other")},
	"Above":     {flow.Above("$.a", 1)},
	"AbovePath": {flow.AbovePath("$.a", "$.b")},
	"Below":     {flow.Below("$.a", 1)},
	"AtMost":    {flow.AtMost("$.a", 1)},
	"Present":   {flow.Present("$.a")},
	"And":       {flow.And(flow.Present("$.a"), flow.Present("$.b"))},
	"Or":        {flow.Or(flow.Present("$.a"), flow.Present("$.b"))},
	"Not":       {flow.Not(flow.Present("$.a"))},
}

// states are those of the builder. Between them all fields are set.
func states() []flow.State {
	var rules []flow.Rule
	for _, name := range slices.Sorted(maps.Keys(conditions)) {
		for _, condition := range conditions[name] {
			rules = append(rules, flow.When(condition, "Next"))
		}
	}
	retry := []flow.Retry{{
		ErrorEquals: []string{"Throttled"}, IntervalSeconds: 2, BackoffRate: 2, MaxAttempts: 3, MaxDelaySeconds: 600,
		JitterStrategy: "FULL",
	}}
	catch := []flow.Catch{flow.On("Refused Conflict", "Next"), flow.OnAt(flow.All, flow.Discard, "Next")}
	item := func(each *flow.Machine) {
		each.Comment = "c"
		each.Add("One", flow.Pass{Next: flow.End})
	}
	return []flow.State{
		flow.Task{
			Comment: "c", Function: "Ask", Payload: flow.F{"a.$": "$.a"}, Timeout: time.Minute, Keep: "state left",
			Select: flow.F{"b.$": "$.Payload.b"}, ResultPath: "$.asked", OutputPath: "$.asked", Retry: retry, Catch: catch,
			Next: "Next",
		},
		flow.Task{
			Function: "Await", Payload: flow.F{"token.$": "$$.Task.Token"}, WaitForToken: true, TimeoutPath: "$.seconds",
			ResultPath: flow.Discard, OutputPath: flow.Discard, Next: "Next",
		},
		flow.Pass{Comment: "c", Template: flow.F{"a.$": "$.a"}, ResultPath: "$.b", Next: "Next"},
		flow.Pass{InputPath: "$.a", Next: "Next"},
		flow.Pass{Value: 1, ResultPath: flow.Discard, Next: "Next"},
		flow.Choice{Comment: "c", Rules: rules, Default: "Next"},
		flow.Wait{Comment: "c", For: time.Minute, Next: "Next"},
		flow.Wait{ForPath: "$.seconds", Next: "Next"},
		flow.Map{
			Comment: "c", Items: "$.ids", AtOnce: 2, Item: flow.F{"id.$": "$$.Map.Item.Value"}, Each: item,
			Select: flow.F{"first.$": "$[0]"}, ResultPath: "$.each", Catch: catch, Next: "Next",
		},
		flow.Pass{Next: flow.End},
		flow.Succeed{},
	}
}

// TestSupported: the interpreter takes each state and each condition that the builder can write.
func TestSupported(t *testing.T) {
	set := map[string]bool{}
	for _, s := range states() {
		raw := s.Raw()
		setFields(set, s)
		setFields(set, raw)
		for _, r := range raw.Retry {
			setFields(set, r)
		}
		for _, c := range raw.Catch {
			setFields(set, c)
		}
		m := &flow.Machine{Comment: "c", Timeout: time.Hour}
		m.Add("State", s)
		if raw.Next != "" || raw.Default != "" {
			m.Add("Next", flow.Succeed{})
		}
		text, err := m.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := asl.Parse(text); err != nil {
			t.Errorf("%s\n%s", err, text)
		}
	}
	for name, isSet := range set {
		if !isSet {
			t.Errorf("no state sets %s", name)
		}
	}
}

// setFields adds whether the fields of a struct are set, by the names of the struct and the field.
func setFields(set map[string]bool, of any) {
	v := reflect.ValueOf(of)
	for i := range v.NumField() {
		name := v.Type().Name() + "." + v.Type().Field(i).Name
		set[name] = set[name] || !v.Field(i).IsZero()
	}
}

// TestConditions: conditions names every function that makes one.
func TestConditions(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "choice.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || !f.Name.IsExported() || f.Type.Results == nil {
			continue
		}
		result, _ := f.Type.Results.List[0].Type.(*ast.Ident)
		if result != nil && result.Name == "Condition" && conditions[f.Name.Name] == nil {
			t.Errorf("%s is not among the conditions", f.Name.Name)
		}
	}
}
