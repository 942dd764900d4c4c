package archtest_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/shared/asl"
	"sallyport/shared/asl/asltest"
)

const stateMachine = "AWS::Serverless::StateMachine"

func TestStateMachines(t *testing.T) {
	template := readTemplate(t)
	functions := map[string]function{}
	for _, f := range template.functions {
		functions[f.id] = f
	}
	deployed := map[string]bool{} // by file
	for id, r := range template.Resources {
		if r.Type == stateMachine {
			deployed[strings.TrimPrefix(r.property("DefinitionUri"), "statemachines/")] = true
			if _, ok := definitions(t)[strings.TrimSuffix(filepath.Base(r.property("DefinitionUri")), ".asl.json")]; !ok {
				t.Errorf("%s has the definition %s, which there isn't", id, r.property("DefinitionUri"))
			}
		}
	}
	errors := vocabulary(t)

	for journey, d := range definitions(t) {
		t.Run(journey, func(t *testing.T) {
			if !deployed[d.file] {
				t.Fatalf("template.yaml has no state machine with the definition statemachines/%s", d.file)
			}
			t.Run("gives every task longer than its function may take", func(t *testing.T) {
				for _, s := range d.machine.States() {
					if s.Task == nil {
						continue
					}
					f, ok := functions[strings.Trim(s.Task.Function, "${}")]
					limit := time.Duration(f.Timeout) * time.Second
					switch {
					case !ok:
						t.Errorf("%s invokes %s, which template.yaml doesn't have", s.Name, s.Task.Function)
					case s.Task.WaitForToken && s.Task.Timeout <= limit && !s.Task.TimeoutDynamic:
						t.Errorf("%s waits for a token, and must have a timeout above the %s that its function may take", s.Name, limit)
					case !s.Task.WaitForToken && s.Task.Timeout <= limit:
						t.Errorf("%s has a timeout of %s, its function may take %s", s.Name, s.Task.Timeout, limit)
					}
				}
			})
			t.Run("can't run for ever", func(t *testing.T) {
				if d.machine.Timeout() == 0 {
					t.Error("has no TimeoutSeconds")
				}
			})
			t.Run("expects errors that there are", func(t *testing.T) {
				for _, name := range asltest.ErrorEquals(d.machine) {
					if !errors[name] && !strings.HasPrefix(name, "States.") && !strings.HasPrefix(name, "Lambda.") &&
						// Lambda's own, of a function that ran too long or crashed
						name != "Sandbox.Timedout" && name != "Runtime.ExitError" {
						t.Errorf("expects %s, which is no type of shared/operation/task", name)
					}
				}
			})
			t.Run("holds no personal data", func(t *testing.T) {
				var tree any
				if err := json.Unmarshal([]byte(d.text), &tree); err != nil {
					t.Fatal(err)
				}
				checkLiterals(t, "", tree)
			})
		})
	}
}

// personal are members that hold what belongs to a person; in a definition only a path or a reference may stand there.
var personal = []string{
	"aadhaar_no", "otp", "pan", "name", "first_name", "last_name", "date_of_birth", "dob", "email", "phone", "mobile",
	"address",
	"document", "document_id", "password", "secret", "client_secret", "access_token",
	"firstname", "middlename", "lastname", "fullname", "dateOfBirth", "emailAddress", "mobileNo", "documentKey",
	"externalId", "external_id",
	"addressLine1", "addressLine2", "addressLine3", "city", "postalCode", "file",
}

// checkLiterals finds what looks like personal data among a definition's literals: numbers of a person have six digits
// or more (codes have five), mail addresses have an @, and members that are named after such data need not look like
// anything.
func checkLiterals(t *testing.T, at string, value any) {
	t.Helper()
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if _, nested := member.(map[string]any); slices.Contains(personal, name) && !nested {
				t.Errorf("%s/%s holds a literal", at, name)
			}
			if !strings.HasSuffix(name, ".$") {
				checkLiterals(t, at+"/"+name, member)
			}
		}
	case []any:
		for i, element := range value {
			checkLiterals(t, fmt.Sprintf("%s/%d", at, i), element)
		}
	case string:
		if regexp.MustCompile(`\d[ -]?(\d[ -]?){5,}|@[a-z]|\b[A-Z]{5}\d{4}[A-Z]\b`).MatchString(value) {
			t.Errorf("%s is a literal that looks like personal data", at)
		}
	}
}

// definition is one of statemachines/*.asl.json.
type definition struct {
	file    string
	text    string
	machine *asl.Machine
}

// definitions are all of them, by the type of their journey.
func definitions(t *testing.T) map[string]definition {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "statemachines/*.asl.json"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]definition{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		machine, err := asl.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		file := filepath.Base(path)
		all[strings.TrimSuffix(file, ".asl.json")] = definition{file, string(text), machine}
	}
	return all
}

// payloads are the names of the members that state machines send to a function, for each state that invokes it.
func payloads(t *testing.T, id string) (all [][]string) {
	t.Helper()
	var visit func(any)
	visit = func(value any) {
		node, _ := value.(map[string]any)
		if payload, ok := node["Payload"].(map[string]any); ok && node["FunctionName"] == "${"+id+"}" {
			var names []string
			for name := range payload {
				names = append(names, strings.TrimSuffix(name, ".$"))
			}
			slices.Sort(names)
			all = append(all, names)
		}
		for _, name := range slices.Sorted(maps.Keys(node)) {
			visit(node[name])
		}
	}
	for _, d := range definitions(t) {
		var tree any
		if err := json.Unmarshal([]byte(d.text), &tree); err != nil {
			t.Fatal(err)
		}
		visit(tree)
	}
	return all
}

// vocabulary are the errors by which functions speak to state machines: the types of shared/operation/task that are
// errors.
func vocabulary(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, f := range files(t) {
		if f.dir != "shared/operation/task" || f.test {
			continue
		}
		for _, decl := range f.ast.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || fn.Name.Name != "Error" {
				continue
			}
			if receiver, ok := fn.Recv.List[0].Type.(*ast.Ident); ok {
				names[receiver.Name] = true
			}
		}
	}
	if len(names) == 0 {
		t.Fatal("shared/operation/task has no errors")
	}
	return names
}
