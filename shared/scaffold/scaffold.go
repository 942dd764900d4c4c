// Package scaffold writes a new partner, or a new operation of one, into a checkout: the shortest that works, for its
// author to change. It overwrites nothing.
package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

// templates are files by the paths that they get in a checkout, in which NAME, OPERATION and FILE stand for names.
//
//go:embed templates
var templates embed.FS

// names are what templates are filled with.
type names struct {
	Name  string // of the partner: "tiny"
	Title string // as people write it: "Tiny"
	Upper string // in the environment: "TINY"

	Operation string // "close-thing"
	Func      string // "CloseThing"
	Handler   string // "closeThing", in the simulated partner
	Effect    bool   // whether it acts at the partner; else it reads
}

// file is the name of the operation's files without their ending: "close_thing".
func (n names) file() string { return strings.ReplaceAll(n.Operation, "-", "_") }

// Waits are the seconds that the journey's cases have left at each of its waits.
func (n names) Waits() (left []int) {
	for s := 24 * 60 * 60; s > 0; s -= 300 {
		left = append(left, s)
	}
	return left
}

// Report is what was done, in paths from the top of the checkout.
type Report struct {
	Written []string // files that are new
	Changed []string // files to which lines were added
	Todo    []string // what is left to do by hand: a sentence each, for people
}

var (
	partnerForm   = regexp.MustCompile(`^[a-z][a-z0-9]{0,19}$`)
	operationForm = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$`)
)

// Partner writes a partner of a name into the checkout at root, and adds it to the list of partners. Its errors are for
// people: they say what is wrong, where, and what to do.
func Partner(root, name string) (Report, error) {
	switch {
	case name == "":
		return Report{}, errors.New("NAME is missing: it is the partner's, as in make partner NAME=tiny")
	case !partnerForm.MatchString(name):
		return Report{}, fmt.Errorf("%q is no name for a partner: it needs lower-case letters and digits alone, at most "+
			"20, a letter first, as it names a Go package and an environment's variable. Try NAME=tiny", name)
	}
	for _, taken := range []string{"functions/" + name, "functions/sandbox/" + name, "shared/" + name} {
		if _, err := os.Stat(filepath.Join(root, taken)); err == nil {
			return Report{}, fmt.Errorf("%q is taken: there is %s. Choose another NAME, or remove that first", name, taken)
		}
	}
	words, err := usedWords(root)
	if err != nil {
		return Report{}, err
	}
	paths, err := routed(root)
	if err != nil {
		return Report{}, err
	}
	switch {
	case reservedByGo(name) || slices.Contains(special, name) || words[name]:
		return Report{}, fmt.Errorf("%q can't name a partner's package: Go has a meaning of its own for that name, or "+
			"a partner's files use it for something else. Choose another NAME", name)
	case paths[name]:
		return Report{}, fmt.Errorf("%q can't be a partner's: Sallyport has a route of its own, /%[1]s or "+
			"/sandbox/%[1]s. Choose another NAME", name)
	}
	n := names{Name: name, Title: titled(name), Upper: strings.ToUpper(name)}
	report, err := write(root, "partner", n)
	if err != nil {
		return report, err
	}
	const list, after = "functions/partners/partners.go", `"sallyport/shared/partner"`
	return report, report.change(root, list, "[]partner.Partner", name+".Partner(),", func(text string) string {
		return strings.Replace(text, after, "\"sallyport/functions/"+name+"\"\n\t"+after, 1)
	})
}

// special are names of packages and folders that Go does not build as it does others.
var special = []string{"documentation", "internal", "main", "testdata", "vendor"}

// reservedByGo reports whether Go gives a name a meaning: a keyword, a predeclared identifier, or init.
func reservedByGo(name string) bool {
	return token.IsKeyword(name) || types.Universe.Lookup(name) != nil || name == "init"
}

// usedWords are the identifiers of the templates, of a checkout's packages that import every partner, and of its mains:
// a partner's package can have none of their names.
func usedWords(root string) (map[string]bool, error) {
	words := map[string]bool{}
	add := func(file string, text any) error {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			if word, ok := node.(*ast.Ident); ok {
				words[word.Name] = true
			}
			return true
		})
		return nil
	}
	n := names{
		Name: "a_partner", Title: "A_Partner", Upper: "A_PARTNER", Operation: "an-operation", Func: "An_Operation",
		Handler: "an_operation", Effect: true,
	}
	err := fs.WalkDir(templates, "templates", func(at string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(at, ".go.tmpl") {
			return err
		}
		text, err := filled(at, n)
		if err != nil {
			return err
		}
		return add(at, text)
	})
	for _, of := range []string{
		"functions/partners/*.go", "functions/sandbox/simulators/*.go", "functions/journeys/deployed/*.go",
		"functions/*/*/main.go",
	} {
		files, globbed := filepath.Glob(filepath.Join(root, of))
		err = errors.Join(err, globbed)
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				err = errors.Join(err, add(file, nil))
			}
		}
	}
	return words, err
}

// route finds what a path begins with: in template.yaml, and in what the sandbox serves for all partners.
var route = regexp.MustCompile(`(?m)Path: *"?/(\w+)|"[A-Z]+ /sandbox/(\w+)`)

// routed are the names that routes of a checkout begin with, at the HTTP API and within the sandbox.
func routed(root string) (map[string]bool, error) {
	files, err := filepath.Glob(filepath.Join(root, "functions/sandbox/*.go"))
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, file := range append(files, filepath.Join(root, "template.yaml")) {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for _, found := range route.FindAllStringSubmatch(string(text), -1) {
			names[found[1]+found[2]] = true
		}
	}
	return names, nil
}

// Operation writes an operation into a partner that there is, and into its simulated like. kind is "effect" or "read".
// Its errors are for people.
func Operation(root, partner, name, kind string) (Report, error) {
	n := names{
		Name: partner, Title: titled(partner), Upper: strings.ToUpper(partner), Operation: name, Effect: kind == "effect",
	}
	for word := range strings.SplitSeq(name, "-") {
		n.Func += titled(word)
	}
	folder := "functions/" + partner
	declared, err := declarations(filepath.Join(root, folder))
	known := partnerForm.MatchString(partner) && err == nil && declared["Partner"]
	switch {
	case partner == "":
		return Report{}, errors.New("PARTNER is missing: it is whose operation this is, as in make operation " +
			"PARTNER=tiny NAME=close-thing")
	case name == "":
		return Report{}, errors.New("NAME is missing: it is the operation's, as in make operation PARTNER=tiny " +
			"NAME=close-thing")
	case !known:
		return Report{}, fmt.Errorf("%q is no partner: there is no %s with a func Partner. Name one as PARTNER, or "+
			"begin one with make partner NAME=%s", partner, folder, partner)
	case kind != "effect" && kind != "read":
		return Report{}, fmt.Errorf("%q is no kind of operation: KIND is effect, for what acts at the partner, or read", kind)
	case !operationForm.MatchString(name) || len(name) > 30 || constrained(n.file()):
		return Report{}, fmt.Errorf("%q is no name for an operation: it needs words of lower-case letters and digits, a "+
			"letter first, joined by dashes, 30 bytes at most, and no last word that Go reads in a file's name. Try "+
			"NAME=close-thing", name)
	case slices.Contains(special, name):
		return Report{}, fmt.Errorf("%q can't name an operation's folder: Go has a meaning of its own for that name. "+
			"Choose another NAME", name)
	}
	if _, err := os.Stat(filepath.Join(root, folder, name)); err == nil {
		return Report{}, fmt.Errorf("%q is taken: there is %s/%[1]s. Choose another NAME", name, folder)
	}
	n.Handler = strings.ToLower(n.Func[:1]) + n.Func[1:]
	simulated, err := declarations(filepath.Join(root, "functions/sandbox", partner))
	if err != nil {
		return Report{}, err
	}
	words, err := usedWords(root)
	if err != nil {
		return Report{}, err
	}
	if declared[n.Func] || declared["Test"+n.Func] || simulated[n.Handler] {
		return Report{}, fmt.Errorf("%q is taken: %s declares %s, or its simulated like %s. Choose another NAME",
			name, folder, n.Func, n.Handler)
	}
	if reservedByGo(n.Handler) || words[n.Handler] {
		return Report{}, fmt.Errorf("%q is taken: Go, or what the new files hold, uses %s for something else. Choose "+
			"another NAME", name, n.Handler)
	}
	report, err := write(root, "operation", n)
	if err != nil {
		return report, err
	}
	method, effect, unknown := "Get", "", ""
	if n.Effect {
		method, effect, unknown = "Post", "Effect: true, ", "Unknown: \"stays unknown\",\n"
	}
	verb := strings.ToUpper(method)
	for _, add := range []struct{ file, list, text string }{
		{folder + "/partner.go", "[]partner.Endpoint", fmt.Sprintf("{\nFunction: partner.Operation(configured, %s),\n"+
			"Routes: []string{\"%s /%s/things/{thingId}/%s\"},\nSummary: \"does %s\",\n%s},",
			n.Func, verb, partner, name, name, unknown)},
		{folder + "/examples.go", "map[string][]partner.Example", fmt.Sprintf(
			"%q: {{Target: \"/%s/things/00000000-0000-4000-8000-000000000001/%s\"}},", name, partner, name)},
		{"functions/sandbox/" + partner + "/" + partner + ".go", "[]sandbox.Endpoint", fmt.Sprintf(
			"{\nName: %q, Method: http.Method%s, Path: \"/things/{thingId}/%s\",\n%sHandle: s.guarded(%s),\n},",
			name, method, name, effect, n.Handler)},
		{"functions/sandbox/" + partner + "/operations_test.go", "[]sandbox.Operation", fmt.Sprintf(
			"{\nPartner: name, Name: %q, Method: %q,\nPath: \"/things/{thingId}/%s\",%s\n},", name, verb, name, effect)},
	} {
		same := func(text string) string { return text }
		if err := report.change(root, add.file, add.list, add.text, same); err != nil {
			return report, err
		}
	}
	for at, has := range map[string]map[string]bool{folder: declared, "functions/sandbox/" + partner: simulated} {
		uses := []string{"renderError", "send", "summary", "thingID", "thingPath", "thingRecord"}
		if at != folder {
			uses = []string{"failure", "find", "guarded"}
		}
		if uses = slices.DeleteFunc(uses, func(name string) bool { return has[name] }); len(uses) > 0 {
			report.Todo = append(report.Todo, fmt.Sprintf("%s does not declare %s, which the new files use: put its own "+
				"in their place.", at, strings.Join(uses, ", ")))
		}
	}
	slices.Sort(report.Todo)
	return report, nil
}

func titled(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}

// constrained reports whether Go builds a file of this name, without its ending, on some platforms or for tests alone.
func constrained(file string) bool {
	empty := func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("package a\n")), nil }
	nowhere := build.Context{GOOS: "nowhere", GOARCH: "nothing", Compiler: "gc", OpenFile: empty}
	matches, err := nowhere.MatchFile("", file+".go")
	return err != nil || !matches || strings.HasSuffix(file, "_test")
}

// declarations are the names that a folder's package declares, its methods and imports among them.
func declarations(dir string) (map[string]bool, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		return nil, errors.Join(err, fmt.Errorf("there is no Go in %s", dir))
	}
	declared := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, decl := range parsed.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				declared[decl.Name.Name] = true
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					for _, name := range namesOf(spec) {
						declared[name] = true
					}
				}
			}
		}
	}
	return declared, nil
}

// namesOf are the names that one line of an import, const, type or var declares. An import without a name of its own is
// taken to have that of its folder.
func namesOf(spec ast.Spec) (names []string) {
	switch spec := spec.(type) {
	case *ast.ImportSpec:
		if spec.Name != nil {
			return []string{spec.Name.Name}
		}
		return []string{path.Base(strings.Trim(spec.Path.Value, `"`))}
	case *ast.TypeSpec:
		return []string{spec.Name.Name}
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			names = append(names, name.Name)
		}
	}
	return names
}

// write writes the files of one folder of templates. Where one of them is there already, or two would be one, it writes
// none.
func write(root, of string, n names) (report Report, err error) {
	files, paths := map[string][]byte{}, strings.NewReplacer("NAME", n.Name, "OPERATION", n.Operation, "FILE", n.file())
	top := path.Join("templates", of)
	err = fs.WalkDir(templates, top, func(at string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		target := paths.Replace(strings.TrimSuffix(strings.TrimPrefix(at, top+"/"), ".tmpl"))
		if _, err := os.Lstat(filepath.Join(root, target)); err == nil {
			return fmt.Errorf("%s is there already, and nothing is overwritten: choose another NAME, or remove it", target)
		}
		if files[target] != nil {
			return fmt.Errorf("two of the new files would be %s: choose another NAME", target)
		}
		files[target], err = filled(at, n)
		return err
	})
	if err != nil {
		return report, err
	}
	for _, target := range slices.Sorted(maps.Keys(files)) {
		at := filepath.Join(root, target)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			return report, err
		}
		if err := os.WriteFile(at, files[target], 0o644); err != nil {
			return report, err
		}
		report.Written = append(report.Written, target)
	}
	return report, nil
}

// filled returns a template with its names, as gofmt has it.
func filled(at string, n names) ([]byte, error) {
	text, err := templates.ReadFile(at)
	if err != nil {
		return nil, err
	}
	parsed, err := template.New(at).Delims("[[", "]]").Option("missingkey=error").Parse(string(text))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, n); err != nil {
		return nil, err
	}
	if strings.HasSuffix(at, ".go.tmpl") {
		return format.Source(out.Bytes())
	}
	return out.Bytes(), nil
}

// change adds an element at the end of the one literal of a type in a file, and edits the rest. Where there isn't one
// alone, over several lines, it leaves the file and says what to add.
func (r *Report) change(root, file, list, element string, edit func(string) string) error {
	at := filepath.Join(root, file)
	text, err := os.ReadFile(at)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var ends []int
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, text, parser.SkipObjectResolution)
	if err == nil {
		ast.Inspect(parsed, func(node ast.Node) bool {
			l, ok := node.(*ast.CompositeLit)
			if !ok || l.Type == nil || types.ExprString(l.Type) != list {
				return true
			}
			if end := set.Position(l.Rbrace); end.Line > set.Position(l.Lbrace).Line {
				ends = append(ends, end.Offset)
			}
			return true
		})
	}
	if len(ends) != 1 {
		r.Todo = append(r.Todo, fmt.Sprintf("%s has not one list %s: add this to what it has instead:\n%s",
			file, list, element))
		return nil
	}
	changed, err := format.Source([]byte(edit(string(text[:ends[0]]) + element + "\n" + string(text[ends[0]:]))))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	r.Changed = append(r.Changed, file)
	return os.WriteFile(at, changed, 0o644)
}
