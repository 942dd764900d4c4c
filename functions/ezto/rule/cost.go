package rule

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"

	"sallyport/functions/ezto/workspace"
)

// What facts are estimated to be. Larger ones meet the limit of an evaluation.
const (
	usualSize    = 256 // characters of a text, members of what lies in metadata or claims
	usualMembers = 100 // of metadata and claims themselves
	usualKey     = 40  // characters
	usualValue   = 200 // characters
)

// sizes estimates what nobody knows before there are facts.
type sizes struct{}

func (sizes) EstimateSize(node cost.AstNode) *cost.SizeEstimate {
	if node.Expr() == nil || len(node.Path()) == 0 {
		return nil // asks for what lies deeper, which is asked for when the rule goes there
	}
	upTo := func(size uint64) cost.SizeEstimate { return cost.RangedSizeEstimate(0, size) }
	size := upTo(usualSize)
	if node.Type().Kind() == types.MapKind {
		size = cost.MapSizeEstimate(upTo(usualMembers), upTo(usualKey), upTo(usualValue))
	}
	return &size
}

func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// refusedCall finds a call whose cost CEL does not know: regular expressions that only an evaluation makes would be
// compiled every time, and copies into bytes count for nothing.
func refusedCall(checked *cel.Ast) *Error {
	var found *Error
	native := checked.NativeRep()
	refuse := func(e ast.Expr, reason string) {
		found = at(native.SourceInfo().GetStartLocation(e.ID()), reason)
	}
	ast.PostOrderVisit(native.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind {
			return
		}
		switch args := e.AsCall().Args(); e.AsCall().FunctionName() {
		case overloads.TypeConvertBytes:
			refuse(e, "is a function that rules don't have: bytes")
		case overloads.Matches:
			if pattern := args[len(args)-1]; pattern.Kind() != ast.LiteralKind {
				refuse(pattern, "must be a literal, since it is a regular expression")
			}
		}
	}))
	return found
}

// small reports whether facts are within what a rule is evaluated with.
func small(facts workspace.Facts) bool {
	values, text := 0, len(facts.UserID)+len(facts.Country)+len(facts.Device)
	var count func(any) bool
	count = func(value any) bool {
		switch v := value.(type) {
		case string:
			text += len(v)
		case []any:
			for _, member := range v {
				if !count(member) {
					return false
				}
			}
		case map[string]any:
			for name, member := range v {
				if text += len(name); !count(member) {
					return false
				}
			}
		}
		values++
		return values <= MaxValues && text <= MaxFactsText
	}
	return count(facts.Metadata) && count(facts.Claims)
}
