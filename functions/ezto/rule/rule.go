// Package rule reads and evaluates the rules that say whether a module of a workflow runs (§7), in the Common
// Expression Language (cel.dev). A rule is of type bool and may ask about what workspace.Facts has. It is bounded when
// it is saved and again when it is evaluated, and no error of this package holds anything of a rule's texts or of the
// facts.
package rule

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"

	"sallyport/functions/ezto/workspace"
)

// Limits of a rule.
const (
	MaxText = 4 << 10 // bytes

	// What the facts of an evaluation may hold in all.
	MaxValues    = 1000
	MaxFactsText = 32 << 10 // bytes

	maxDepth = 48   // calls, selections and brackets in each other
	maxNodes = 2000 // parts of the expression, macros expanded
	maxLoops = 2    // comprehensions in each other
	maxRegex = 1000 // instructions of a compiled pattern

	// MaxCost is in CEL's units: what a rule may cost at worst with facts of the usual sizes, and what an evaluation may
	// cost. A look into a list of a hundred takes about a thousand.
	MaxCost = 100_000
	// maxTime is of an evaluation: CEL counts some comparisons for less than they are.
	maxTime = time.Second
	// checkEvery is how many rounds of a comprehension pass until the time is looked at.
	checkEvery = 64
)

// Errors of Eval, each in an *Error that says where; errors.Is tells them.
var (
	// ErrEval: the rule asks for what the facts don't have, or for what can't be done with them.
	ErrEval = errors.New("rule: cannot be evaluated")
	// ErrCost: the evaluation was given up as it takes too long with these facts.
	ErrCost = errors.New("rule: costs too much")
)

// Error says what is wrong with a rule, in words that hold none of its texts.
type Error struct {
	Line, Column int // from 1; zero where it is the whole rule
	Reason       string
	kind         error // ErrEval, ErrCost, or nil where the rule was not compiled
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Reason
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Reason)
}

// Unwrap returns ErrEval or ErrCost for an error of Eval.
func (e *Error) Unwrap() error { return e.kind }

// Rule is a compiled rule. It may be evaluated concurrently.
type Rule struct {
	ast     *cel.Ast
	program cel.Program
}

// Check reports whether a rule may be saved: nil or an *Error.
func Check(text string) error {
	_, err := Compile(text)
	return err
}

// Decide compiles a rule and evaluates it.
func Decide(ctx context.Context, text string, facts workspace.Facts) (bool, error) {
	r, err := Compile(text)
	if err != nil {
		return false, err
	}
	return r.Eval(ctx, facts)
}

// Compile reads a rule. Its errors are *Error.
func Compile(text string) (r Rule, err error) {
	defer func() {
		if recover() != nil { // the value may hold the text
			r, err = Rule{}, &Error{Reason: "cannot be read"}
		}
	}()
	if len(text) > MaxText {
		return Rule{}, &Error{Reason: fmt.Sprintf("has over %d bytes", MaxText)}
	}
	env, err := environment()
	if err != nil {
		return Rule{}, err
	}
	parsed, issues := env.Parse(text)
	if issues.Err() != nil {
		return Rule{}, notParsed(issues)
	}
	checked, issues := env.Check(parsed)
	if issues.Err() != nil {
		return Rule{}, notChecked(issues)
	}
	if refused := refusedCall(checked); refused != nil {
		return Rule{}, refused
	}
	if t := checked.OutputType(); !t.IsExactType(cel.BoolType) {
		reason := "must be of type bool"
		if t.IsExactType(cel.DynType) {
			reason += ", which only a comparison makes sure: write … == true"
		} else if name := short(cel.FormatCELType(t), ""); name != "" {
			reason += ", but is " + name
		}
		return Rule{}, &Error{Reason: reason}
	}
	switch cost, err := env.EstimateCost(checked, sizes{}); {
	case err != nil:
		return Rule{}, &Error{Reason: "its cost cannot be estimated"}
	case cost.Max == math.MaxUint64:
		return Rule{}, &Error{Reason: "has no limit to what it may cost"}
	case cost.Max > MaxCost:
		return Rule{},
			&Error{
				Reason: fmt.Sprintf(
					"may cost %d, over the limit of %d: loop over less, or not within another loop", cost.Max, MaxCost,
				),
			}
	}
	program, err := env.Program(checked,
		cel.EvalOptions(cel.OptOptimize), cel.CostLimit(MaxCost), cel.InterruptCheckFrequency(checkEvery))
	if err != nil { // a constant part that can't be evaluated
		return Rule{}, &Error{Reason: "has a constant part that cannot be evaluated"}
	}
	return Rule{checked, program}, nil
}

// environment is what a rule may use: CEL's standard functions and macros over the facts.
func environment() (*cel.Env, error) {
	return cel.NewEnv(
		cel.Variable("user_id", cel.StringType),
		cel.Variable("metadata", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("country", cel.StringType),
		cel.Variable("device", cel.StringType),
		cel.Variable("claims", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("force_onboarding", cel.BoolType),
		cel.ParserExpressionSizeLimit(MaxText),
		cel.ParserRecursionLimit(maxDepth),
		cel.ParserErrorRecoveryLimit(1),
		cel.ExpressionNodeLimit(maxNodes),
		cel.RegexProgramSizeLimit(maxRegex),
		cel.ASTValidators(
			cel.ValidateRegexLiterals(),
			cel.ValidateDurationLiterals(),
			cel.ValidateTimestampLiterals(),
			cel.ValidateComprehensionNestingLimit(maxLoops),
		),
	)
}

// Eval reports whether the rule is satisfied. Its errors are *Error with ErrEval or ErrCost, and ctx's.
func (r Rule) Eval(ctx context.Context, facts workspace.Facts) (bool, error) {
	if !small(facts) {
		return false, &Error{Reason: "is not evaluated, since the facts are too many", kind: ErrCost}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, maxTime, ErrCost)
	defer cancel()
	result, _, err := r.program.ContextEval(ctx, map[string]any{
		"user_id":          facts.UserID,
		"metadata":         object(facts.Metadata),
		"country":          facts.Country,
		"device":           facts.Device,
		"claims":           object(facts.Claims),
		"force_onboarding": facts.ForceOnboarding,
	})
	var cancelled interpreter.EvalCancelledError
	switch {
	case ctx.Err() != nil && context.Cause(ctx) != ErrCost:
		return false, context.Cause(ctx)
	case ctx.Err() != nil, errors.As(err, &cancelled):
		return false, &Error{Reason: "takes too long with these facts", kind: ErrCost}
	case err != nil:
		return false, r.failed(err)
	}
	satisfied, ok := result.(types.Bool)
	if !ok {
		return false, &Error{Reason: "is not true or false", kind: ErrEval}
	}
	return bool(satisfied), nil
}

// object is never nil, which CEL would take for null.
func object(members map[string]any) map[string]any {
	if members == nil {
		return map[string]any{}
	}
	return members
}
