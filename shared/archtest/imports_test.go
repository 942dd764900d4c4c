package archtest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// root is the top of the checkout.
const root = "../.."

func TestTopLevel(t *testing.T) {
	allowed := []string{"functions", "statemachines", "shared", "template.yaml", "samconfig.toml", "events", "go.mod",
		"go.sum",
		"Makefile", "README.md", ".ci", ".gitignore", ".gitattributes", ".samignore", "LICENSE",
		".git", ".local", ".build", ".aws-sam"}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !slices.Contains(allowed, entry.Name()) {
			t.Errorf("%s may not lie at the top level, which is fixed", entry.Name())
		}
	}
}

func TestImports(t *testing.T) {
	const module, functions, service = "sallyport/", "sallyport/functions/", "github.com/aws/aws-sdk-go-v2/service/"
	adapters := []string{
		"shared/ledger/dynamo", "shared/ledger/ledgertest/dynamolocal", "shared/secrets/awssm", "shared/vault/s3",
		"shared/vault/s3/s3test",
		"shared/orchestrator/sfn", "functions/sandbox/dynamo", "functions/sandbox/serve",
	}
	check(t, "shared imports nothing from functions", func(f file, fail func(string)) {
		if strings.HasPrefix(f.dir, "shared/") {
			f.eachImport(functions, func(what string) { fail("imports functions/" + what) })
		}
	})
	partners := partners(t)
	check(t, "only a partner's own functions, the list of partners and the types of journeys import a partner",
		func(f file, fail func(string)) {
			own := below(f.dir)
			f.eachImport(functions, func(what string) {
				partner, part, _ := strings.Cut(what, "/")
				settings := slices.Contains([]string{"workflows", "applications", "local"}, own)
				if settings && partner == "ezto" && part != "" {
					return // routes of EZTO's workspace
				}
				may := own == partner || own == "partners" || f.dir == "functions/journeys/deployed" ||
					f.dir == "functions/operate/records" ||
					f.test && (own == "journeys" || own == "local")
				if slices.Contains(partners, partner) && !may {
					fail("imports functions/" + what)
				}
			})
		})
	check(t, "of functions, a simulated partner imports the sandbox's frame alone, and the frame none",
		func(f file, fail func(string)) {
			simulated := slices.Contains(partners, strings.TrimPrefix(f.dir, "functions/sandbox/"))
			if !simulated && (f.dir != "functions/sandbox" || f.test) {
				return
			}
			f.eachImport(functions, func(what string) {
				own := "sandbox/" + path.Base(f.dir)
				if !simulated || what != "sandbox" && !(f.test && (what == own || what == "sandbox/sandboxtest")) {
					fail("imports functions/" + what)
				}
			})
		})
	check(t, "only adapters import an AWS service client", func(f file, fail func(string)) {
		f.eachImport(service, func(what string) {
			if !slices.Contains(adapters, f.dir) && !f.wires() {
				fail("imports the client of " + what)
			}
		})
	})
	check(t, "nobody imports the SDK's config package, which doubles the start-up", func(f file, fail func(string)) {
		f.eachImport("github.com/aws/aws-sdk-go-v2/config", func(string) { fail("imports it") })
	})
	check(t, "only mains import awsenv, and what wires the journeys for them", func(f file, fail func(string)) {
		f.eachImport(module+"shared/awsenv", func(string) {
			if f.ast.Name.Name != "main" && !f.wires() && f.dir != "functions/journeys/deployed" {
				fail("imports it")
			}
		})
	})
	check(t, "only deployed functions are wired by journeys/deployed", func(f file, fail func(string)) {
		f.eachImport(functions+"journeys/deployed", func(string) {
			if f.ast.Name.Name != "main" || path.Dir(f.dir) != "functions/journeys" {
				fail("imports it")
			}
		})
	})
	check(t, "only functions/ezto/rule imports CEL", func(f file, fail func(string)) {
		f.eachImport("cel.dev/", func(string) {
			if f.dir != "functions/ezto/rule" {
				fail("imports it")
			}
		})
	})
	check(t, "only the functions that save and evaluate rules link CEL", func(f file, fail func(string)) {
		f.eachImport(module+"functions/ezto/rule", func(string) {
			if !slices.Contains(
				[]string{"functions/ezto/rule", "functions/workflows/put", "functions/workflows/evaluate", "functions/local"},
				f.dir,
			) && !f.test {
				fail("imports functions/ezto/rule")
			}
		})
	})
	check(t, "a definition is made of the language alone", func(f file, fail func(string)) {
		if f.dir != "statemachines" || f.test {
			return
		}
		f.eachImport(module, func(what string) {
			if what != "shared/asl/flow" {
				fail("imports " + what)
			}
		})
	})
	check(t, "logs are log/slog's", func(f file, fail func(string)) {
		f.eachImport("log", func(rest string) {
			if rest == "" {
				fail("imports log")
			}
		})
	})
}

func TestCode(t *testing.T) {
	check(t, "lines have at most 120 columns, but for what stands in raw strings", func(f file, fail func(string)) {
		for _, line := range f.long {
			fail("has more in line " + strconv.Itoa(line))
		}
	})
	check(t, "no init functions", func(f file, fail func(string)) {
		for _, decl := range f.ast.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				fail("has one")
			}
		}
	})
	check(t, "packages are named after what they hold", func(f file, fail func(string)) {
		name := strings.TrimSuffix(f.ast.Name.Name, "_test")
		if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "misc"}, name) {
			fail("is of package " + name)
		}
	})
	check(t, "only commands for people print", func(f file, fail func(string)) {
		if f.test || isCommand(t, f.dir) {
			return
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			switch fun := call.Fun.(type) {
			case *ast.SelectorExpr:
				if x, ok := fun.X.(*ast.Ident); ok && x.Name == "fmt" && strings.HasPrefix(fun.Sel.Name, "Print") {
					fail("calls fmt." + fun.Sel.Name)
				}
			case *ast.Ident:
				if fun.Name == "print" || fun.Name == "println" {
					fail("calls " + fun.Name)
				}
			}
			return true
		})
	})
	check(t, "a Lambda main is wiring of at most 25 lines", func(f file, fail func(string)) {
		if f.ast.Name.Name == "main" && below(f.dir) != "" && !isCommand(t, f.dir) && f.lines > 25 {
			fail("has " + strconv.Itoa(f.lines))
		}
	})
}

// isCommand reports whether a file is of a command for people: of a folder below functions whose main starts no Lambda.
func isCommand(t *testing.T, dir string) bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "functions", below(dir), "main.go"))
	return err == nil && !strings.Contains(string(text), "lambda.Start")
}

// file is a Go source file.
type file struct {
	dir   string // from the top of the checkout, with slashes
	name  string
	test  bool
	lines int
	long  []int // numbers of the lines with more than maxColumns
	ast   *ast.File
}

// maxColumns is how many characters a line of code may have, a tab counted as one.
const maxColumns = 120

// longLines returns the numbers of the lines that have too many columns, but for those with a raw string, or with a
// string that would fill a line by itself.
func longLines(text string, set *token.FileSet, parsed *ast.File) (long []int) {
	raw := map[int]bool{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING &&
			(lit.Value[0] == '`' || len(lit.Value) > maxColumns*2/3) {
			for line := set.Position(lit.Pos()).Line; line <= set.Position(lit.End()).Line; line++ {
				raw[line] = true
			}
		}
		return true
	})
	for i, line := range strings.Split(text, "\n") {
		if utf8.RuneCountInString(line) > maxColumns && !raw[i+1] {
			long = append(long, i+1)
		}
	}
	return long
}

// eachImport calls fn with the rest of every imported path that begins with prefix.
func (f file) eachImport(prefix string, fn func(rest string)) {
	for _, spec := range f.ast.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if rest, ok := strings.CutPrefix(imported, prefix); ok && err == nil {
			fn(rest)
		}
	}
}

// wires reports whether the file is of awsenv or a package below it.
func (f file) wires() bool { return strings.HasPrefix(f.dir+"/", "shared/awsenv/") }

// check runs a rule over all Go files as a subtest, whose name is the rule.
func check(t *testing.T, rule string, fn func(f file, fail func(what string))) {
	t.Helper()
	t.Run(rule, func(t *testing.T) {
		for _, f := range files(t) {
			fn(f, func(what string) { t.Errorf("%s: but %s/%s %s", rule, f.dir, f.name, what) })
		}
	})
}

// files returns all Go files of the product.
func files(t *testing.T) []file {
	t.Helper()
	all, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var parsed = sync.OnceValues(func() (all []file, err error) {
	set := token.NewFileSet()
	for _, top := range []string{"functions", "shared", "statemachines"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(at string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(at) != ".go" {
				return err
			}
			text, err := os.ReadFile(at)
			if err != nil {
				return err
			}
			parsed, err := parser.ParseFile(set, at, text, parser.SkipObjectResolution|parser.ParseComments)
			if err != nil {
				return err
			}
			relative, err := filepath.Rel(root, at)
			if err != nil {
				return err
			}
			relative = filepath.ToSlash(relative)
			all = append(all, file{dir: path.Dir(relative), name: path.Base(relative), ast: parsed,
				test: strings.HasSuffix(relative, "_test.go"), lines: strings.Count(string(text), "\n"),
				long: longLines(string(text), set, parsed)})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
})

// partners returns the folders below functions that know a partner.
func partners(t *testing.T) (names []string) {
	t.Helper()
	values, err := filepath.Glob(filepath.Join(root, "functions/*/partner.go"))
	if err != nil || len(values) == 0 {
		t.Fatalf("%d partners: %v", len(values), err)
	}
	for _, value := range values {
		names = append(names, filepath.Base(filepath.Dir(value)))
	}
	return names
}

// below returns the first folder below functions, or "" elsewhere.
func below(dir string) string {
	rest, ok := strings.CutPrefix(dir, "functions/")
	if !ok {
		return ""
	}
	first, _, _ := strings.Cut(rest, "/")
	return first
}
