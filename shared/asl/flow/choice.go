package flow

// Choice goes where the first rule that holds leads, else to Default.
type Choice struct {
	Comment string
	Rules   []Rule
	Default string
}

// Raw implements State.
func (c Choice) Raw() Raw {
	return Raw{Type: "Choice", Comment: c.Comment, Choices: c.Rules, Default: c.Default}
}

// If goes to one state where a condition holds, else to another.
func If(c Condition, next, otherwise string) Choice {
	return Choice{Rules: []Rule{When(c, next)}, Default: otherwise}
}

// Rule leads to a state where a condition holds. When makes one.
type Rule map[string]any

// When leads to a state where a condition holds.
func When(c Condition, next string) Rule {
	rule := Rule{"Next": next}
	for name, value := range c {
		rule[name] = value
	}
	return rule
}

// Condition is what a rule tests. The functions below make one; each path has to be present, but for Present's.
type Condition map[string]any

func test(path, operator string, value any) Condition {
	return Condition{"Variable": path, operator: value}
}

// Is tests for a string, a boolean, or a number.
func Is[T string | bool | int](path string, value T) Condition {
	operator := "NumericEquals"
	switch any(value).(type) {
	case string:
		operator = "StringEquals"
	case bool:
		operator = "BooleanEquals"
	}
	return test(path, operator, value)
}

// OneOf tests for one of some strings.
func OneOf(path string, values ...string) Condition {
	var any []Condition
	for _, value := range values {
		any = append(any, Is(path, value))
	}
	return Or(any...)
}

// Above tests for a number that is greater.
func Above(path string, n int) Condition { return test(path, "NumericGreaterThan", n) }

// AbovePath tests for a number that is greater than another of the state's.
func AbovePath(path, other string) Condition { return test(path, "NumericGreaterThanPath", other) }

// Below tests for a number that is smaller.
func Below(path string, n int) Condition { return test(path, "NumericLessThan", n) }

// AtMost tests for a number that is not greater.
func AtMost(path string, n int) Condition { return test(path, "NumericLessThanEquals", n) }

// Present tests whether there is something at a path.
func Present(path string) Condition { return test(path, "IsPresent", true) }

// And holds where all conditions hold.
func And(all ...Condition) Condition { return Condition{"And": all} }

// Or holds where one of the conditions holds.
func Or(any ...Condition) Condition { return Condition{"Or": any} }

// Not holds where the condition doesn't.
func Not(c Condition) Condition { return Condition{"Not": c} }
