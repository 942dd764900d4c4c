package archtest_test

import (
	"go/ast"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A row of the table "The contract" in a partner's README, and a citation of one in a comment.
var (
	contractRow = regexp.MustCompile(`(?m)^\| (§[0-9]+(?:\.[0-9]+)*) \|.*\| (published|inferred|unknown)\b[^|]*\|$`)
	citation    = regexp.MustCompile(`§[0-9]+(?:\.[0-9]+)*`)
)

// contract returns the rank of each row of a partner's contract.
func contract(t *testing.T, partner string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "functions", partner, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	ranks := map[string]string{}
	for _, row := range contractRow.FindAllStringSubmatch(string(text), -1) {
		if ranks[row[1]] != "" {
			t.Errorf("%s/README.md has two rows %s", partner, row[1])
		}
		ranks[row[1]] = row[2]
	}
	return ranks
}

// TestSources: each rule that can refuse a request of a partner's says where it comes from, and that is a row of the
// partner's contract that a page publishes, or the gateway's own need. What is merely inferred refuses nothing.
// Comments cite rows that exist.
func TestSources(t *testing.T) {
	refusals := []string{"InputError", "Rejection", "Fault", "faults"} // types that carry a Source
	rules := map[string]int{}
	for _, partner := range partners(t) {
		ranks := contract(t, partner)
		if len(ranks) == 0 {
			continue
		}
		isThere := func(section string) bool {
			return slices.ContainsFunc(slices.Collect(maps.Keys(ranks)), func(row string) bool {
				return row == section || strings.HasPrefix(row, section+".")
			})
		}
		check(t, partner+": rules name their source, and comments cite rows", func(f file, fail func(string)) {
			own := f.dir == "functions/"+partner || strings.HasPrefix(f.dir, "functions/"+partner+"/")
			if own || strings.HasPrefix(f.dir, "functions/sandbox/"+partner) {
				for _, group := range f.ast.Comments {
					for _, section := range citation.FindAllString(group.Text(), -1) {
						if !isThere(section) {
							fail("cites " + section + ", which is no row of the contract")
						}
					}
				}
			}
			if !own || f.test {
				return
			}
			ast.Inspect(f.ast, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CompositeLit:
					kind := typeName(n.Type)
					if !slices.Contains(refusals, kind) || len(n.Elts) == 0 {
						break
					}
					rules[partner]++
					if !slices.ContainsFunc(n.Elts, isSource) {
						fail("has a " + kind + " without a Source: " + textOf(n))
					}
				case *ast.CallExpr:
					switch name := typeName(n.Fun); {
					case name == "Check" && isFrom(n.Fun, "schema"):
						rules[partner]++
					case name == "Published" && isFrom(n.Fun, "source"):
						section := textOf(n)
						if rank := ranks[section]; rank != "published" {
							fail("has a rule of " + section + ", which is " + rank + " in the contract, not published")
						}
					}
				}
				return true
			})
		})
		if rules[partner] == 0 {
			t.Errorf("%s has no rules", partner)
		}
	}
	t.Logf("rules: %v", rules)
}

// TestSourcesOfEnds: an end of a journey that is definite names a published row of the partner's contract, or whose
// word it is.
func TestSourcesOfEnds(t *testing.T) {
	check(t, "a definite end names its source", func(f file, fail func(string)) {
		if f.dir != "statemachines" || f.test {
			return
		}
		var ranks map[string]string
		ast.Inspect(f.ast, func(n ast.Node) bool {
			end, ok := n.(*ast.CompositeLit)
			if !ok || typeName(end.Type) != "finish" {
				return true
			}
			definite := slices.ContainsFunc(end.Elts, func(e ast.Expr) bool {
				status := textOf(e)
				return keyOf(e) == "Status" && (status == "SUCCEEDED" || status == "REJECTED")
			})
			if !definite {
				return true
			}
			if ranks == nil {
				ranks = contract(t, journeysPartner(t, f.name))
			}
			if len(ranks) == 0 {
				return false
			}
			at := slices.IndexFunc(end.Elts, isSource)
			if at < 0 {
				fail("has a definite end without a Source: " + textOf(end))
				return true
			}
			for _, section := range citation.FindAllString(textOf(end.Elts[at]), -1) {
				if ranks[section] != "published" {
					fail("has an end of " + section + ", which is " + ranks[section] + " in the contract, not published")
				}
			}
			return true
		})
	})
}

// journeysPartner returns whose journey a file of package statemachines has: the partner whose folder names it.
func journeysPartner(t *testing.T, name string) string {
	t.Helper()
	journey := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(name), ".go"), "_", "-")
	for _, partner := range partners(t) {
		text, err := os.ReadFile(filepath.Join(root, "functions", partner, "README.md"))
		if err == nil && strings.Contains(string(text), "\n## "+journey+"\n") {
			return partner
		}
	}
	t.Fatalf("nobody's README describes %s", journey)
	return ""
}

func isSource(e ast.Expr) bool { return keyOf(e) == "Source" }

func keyOf(e ast.Expr) string {
	if pair, ok := e.(*ast.KeyValueExpr); ok {
		return typeName(pair.Key)
	}
	return ""
}

// typeName is the last part of a name.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// isFrom reports whether a function is of a package.
func isFrom(fun ast.Expr, pkg string) bool {
	selector, ok := fun.(*ast.SelectorExpr)
	return ok && typeName(selector.X) == pkg
}

// textOf returns the string literals below a node, joined.
func textOf(n ast.Node) string {
	var texts []string
	ast.Inspect(n, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil {
				texts = append(texts, text)
			}
		}
		return true
	})
	return strings.Join(texts, " ")
}
