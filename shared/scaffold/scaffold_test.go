package scaffold_test

import (
	"go/types"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sallyport/shared/scaffold"
)

// longest is a partner's name of as many letters as there may be.
const longest = "scaffoldedpartner020"

// TestScaffoldMatrix scaffolds a partner into a copy of the checkout, and operations into the partner. What comes of it
// passes its tests and those that loop over all partners, and its journey runs on the local stack.
func TestScaffoldMatrix(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, with -short: scaffolding in a copy of the checkout")
	}
	if _, err := exec.LookPath("make"); err != nil {
		if os.Getenv("REQUIRE_ALL") == "1" {
			t.Fatal("make is required")
		}
		t.Skip("SKIPPED: scaffolding needs make")
	}
	root := t.TempDir()
	before := checkout(t, "../..")
	for file, text := range before {
		write(t, filepath.Join(root, file), text)
	}

	commands(t, root, "adding-a-partner.md")
	checkChanged(t, before, checkout(t, root), `README\.md|events/env\.json|functions/journeys/deployed/types\.go|`+
		`functions/operate/records/records\.go|`+
		`functions/partners/partners\.go|functions/sandbox/simulators/simulators\.go|shared/docs/partners\.md|`+
		`statemachines/definitions\.go|template\.yaml`)
	run(t, root, "go vet ./functions/"+longest+"/... ./functions/sandbox/"+longest)
	local, err := os.ReadFile("testdata/local_test.go.txt")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "functions/local/scaffolded_test.go"), strings.ReplaceAll(string(local), "NAME", longest))
	run(t, root, "go test ./functions/local -run '^Test(Diagrams|Fingerprints|Unknown|Scaffolded)$|^TestFaultMatrix$/^"+longest+
		"$/.*/.*/(status_500_after_effect|reset_before_effect|malformed)'")

	commands(t, root, "adding-an-operation.md")
	run(t, root, "make operation PARTNER="+longest+" NAME=ship-a-part")
	run(t, root, "go test ./shared/archtest -run '^Test(Functions|Template|Events|Code)'")
}

// commands runs the commands of a document, for the partner with the longest name in the place of tiny, and returns
// what they say.
func commands(t *testing.T, root, document string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "shared/docs", document))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 1 {
		t.Fatalf("%s has %d blocks of commands", document, len(blocks))
	}
	return run(t, root, strings.ReplaceAll(blocks[0][1], "tiny", longest))
}

// checkout returns the files of a checkout, and what is in them.
func checkout(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(root, func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains([]string{".git", ".build", ".local", ".aws-sam"}, entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if entry.Type().IsRegular() && entry.Name() != ".git" {
			text, err := os.ReadFile(at)
			if err != nil {
				return err
			}
			relative, err := filepath.Rel(root, at)
			files[filepath.ToSlash(relative)] = string(text)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// checkChanged checks that of the files that were there only those of a pattern have changed, all of them, and that new
// ones are the partner's.
func checkChanged(t *testing.T, before, after map[string]string, pattern string) {
	t.Helper()
	expected := strings.Split(strings.ReplaceAll(pattern, `\`, ""), "|")
	own := regexp.MustCompile("^(functions|functions/sandbox)/" + longest + "/|^events/" + longest + "-|" +
		"^statemachines/(testdata/)?" + longest + "[-_]thing[./]")
	var changed []string
	for file, text := range after {
		old, known := before[file]
		switch {
		case !known && !own.MatchString(file):
			t.Errorf("%s is new", file)
		case known && old != text:
			changed = append(changed, file)
		}
	}
	if slices.Sort(changed); !slices.Equal(changed, expected) {
		t.Errorf("changed are %q, want %q", changed, expected)
	}
	for file := range before {
		if _, there := after[file]; !there {
			t.Errorf("%s is gone", file)
		}
	}
}

func write(t *testing.T, at, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// run runs commands in a checkout, apart from a make that runs the test, with the flags that builds share a cache by.
func run(t *testing.T, root, commands string) string {
	t.Helper()
	cmd := exec.Command("sh", "-eu", "-c", commands)
	cmd.Dir = root
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if !slices.Contains([]string{"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}, name) {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Env = append(cmd.Env, "GOFLAGS=-trimpath")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", commands, err, out)
	}
	return string(out)
}

// small is as much of a checkout as names are checked against: a partner "taken".
func small(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	for file, text := range map[string]string{
		"functions/partners/partners.go": "package partners\n\nimport (\n\t\"sallyport/shared/partner\"\n)\n\n" +
			"func All() []partner.Partner {\n\treturn []partner.Partner{\n\t}\n}\n",
		"functions/taken/partner.go":       "package taken\n\nfunc Partner() {}\n\nfunc GetThing() {}\n",
		"functions/taken/client.go":        "package taken\n\ntype Limit int\n\nfunc TestParts() {}\n",
		"functions/sandbox/taken/taken.go": "package taken\n\nimport \"net/http\"\n\nfunc closeThing() {}\n",
		"functions/taken/rule/rule.go":     "package rule\n",
		"functions/taken/read/main.go":     "package main\n\nfunc main() { lambda.Start(nil) }\n",
		"functions/journeys/journeys.go":   "package journeys\n",
		"functions/sandbox/sandbox.go":     "package sandbox\n\nconst route = \"GET /sandbox/requests\"\n",
		"template.yaml":                    "Path: /documents\nPath: \"/callbacks/taken\"\n",
	} {
		write(t, filepath.Join(root, file), text)
	}
	return root
}

func TestPartnerNames(t *testing.T) {
	root := small(t)
	before := checkout(t, root)
	for name, want := range map[string]string{
		"": "NAME is missing", "Tiny": "is no name", "9tiny": "is no name", "ti-ny": "is no name", "../x": "is no name",
		longest + "1": "is no name", "func": "can't name", "json": "can't name",
		"lambda": "can't name", "taken": "there is functions/taken", "journeys": "there is functions/journeys",
		"requests": "a route", "documents": "a route", "callbacks": "a route",
		"testdata": "can't name", "vendor": "can't name", "internal": "can't name", "documentation": "can't name",
		"init": "can't name", "main": "can't name", "config": "can't name", "path": "can't name", "request": "can't name",
		"secret": "can't name", "thing": "can't name", "things": "can't name", "simulation": "can't name",
	} {
		if _, err := scaffold.Partner(root, name); err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), "NAME") {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range types.Universe.Names() { // any, append, byte, error and their like
		if _, err := scaffold.Partner(root, name); err == nil || !strings.Contains(err.Error(), "NAME") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if !maps.Equal(before, checkout(t, root)) {
		t.Error("something was written")
	}
	write(t, filepath.Join(root, "statemachines/tiny_thing.go"), "mine")
	_, err := scaffold.Partner(root, "tiny")
	if err == nil || !strings.Contains(err.Error(), "statemachines/tiny_thing.go") {
		t.Errorf("overwrites: %v", err)
	}
	if len(checkout(t, root)) != len(before)+1 {
		t.Error("has written half a partner")
	}
}

func TestOperationNames(t *testing.T) {
	root := small(t)
	before := checkout(t, root)
	for _, test := range []struct{ partner, name, kind, want string }{
		{"", "x-y", "effect", "PARTNER is missing"}, {"taken", "", "read", "NAME is missing"},
		{"tiny", "get-thing", "read", "make partner NAME=tiny"},
		{"journeys", "get-thing", "read", "is no partner"},
		{"../functions/taken", "get-thing", "read", "is no partner"},
		{"taken", "list-parts", "callback", "KIND"},
		{"taken", "List", "read", "NAME"}, {"taken", "list--parts", "read", "NAME"},
		{"taken", "list-2", "read", "NAME"}, {"taken", "list-linux", "read", "NAME"},
		{"taken", "run-test", "read", "NAME"},
		{"taken", "list-" + strings.Repeat("x", 30), "read", "NAME"},
		{"taken", "get-thing", "read", "is taken"}, {"taken", "close-thing", "effect", "is taken"},
		{"taken", "client", "read", "functions/taken/client.go is there already"},
		{"taken", "limit", "read", "is taken"}, {"taken", "http", "read", "is taken"}, {"taken", "rule", "read", "is taken"},
		{"taken", "parts", "read", "is taken"}, {"taken", "append", "read", "is taken"},
		{"taken", "init", "read", "is taken"},
		{"taken", "c", "read", "is taken"}, {"taken", "internal", "read", "can't name"},
		{"taken", "testdata", "read", "can't name"}, {"taken", "vendor", "read", "can't name"},
	} {
		_, err := scaffold.Operation(root, test.partner, test.name, test.kind)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v", test, err)
		}
	}
	if !maps.Equal(before, checkout(t, root)) {
		t.Error("something was written")
	}
}

// TestOperationElsewhere: into a partner that was not scaffolded, the files are written, and the rest is said.
func TestOperationElsewhere(t *testing.T) {
	root := small(t)
	report, err := scaffold.Operation(root, "taken", "list-parts", "read")
	if err != nil || len(report.Written) != 4 || len(report.Changed) > 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	for _, want := range []string{
		"functions/taken/partner.go has not one list []partner.Endpoint", "partner.Operation(configured, ListParts)",
		"functions/taken/examples.go", "functions/sandbox/taken/taken.go", "functions/sandbox/taken/operations_test.go",
		"functions/taken does not declare renderError, send, summary, thingID, thingPath, thingRecord",
		"functions/sandbox/taken does not declare failure, find, guarded",
	} {
		if !strings.Contains(strings.Join(report.Todo, "\n"), want) {
			t.Errorf("%q is not among %q", want, report.Todo)
		}
	}
}
