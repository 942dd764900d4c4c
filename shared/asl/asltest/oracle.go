package asltest

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/asl"
)

// oracles are the npm packages that our interpreter is compared with, and what they come with.
var oracles = []string{"aws-local-stepfunctions@3.0.0", "asl-validator@4.0.0"}

//go:embed oracle.mjs
var oracle []byte

// verdict is what the other interpreter says of a scenario.
type verdict struct {
	Output json.RawMessage `json:"output"`
	Error  string          `json:"error"`
	Cause  string          `json:"cause"`
	States []string        `json:"states"`
	Calls  []call          `json:"calls"`
}

// call is what a task's function was invoked with.
type call struct {
	State   string          `json:"state"`
	Payload json.RawMessage `json:"payload"`
}

// Oracle plays every scenario by another interpreter as well, and has definitions, by name, checked by a validator.
// Where we know why one of them answers otherwise, it must: an excuse that is no longer needed is a failure.
func Oracle(t *testing.T, all []Scenario, definitions map[string]jsontext.Value, excuses map[string]string) {
	if testing.Short() {
		t.Skip("SKIPPED, with -short: other interpreters")
	}
	folder, err := installOracles()
	if err != nil {
		if os.Getenv("REQUIRE_ALL") == "1" {
			t.Fatalf("the ASL oracles are required: %v", err)
		}
		t.Skipf("SKIPPED, no ASL oracles: %v", err)
	}
	names := slices.Sorted(maps.Keys(definitions))
	var texts []json.RawMessage
	for _, name := range names {
		texts = append(texts, json.RawMessage(definitions[name]))
	}
	verdicts, problems := ask(t, folder, all, texts)
	for i, said := range verdicts {
		s := all[i]
		t.Run(s.Name, func(t *testing.T) { excused(t, s.Oracle, said.compare(t, s, s.Play(t))) })
	}
	for i, problem := range problems {
		t.Run("validate "+names[i], func(t *testing.T) { excused(t, excuses[names[i]], problem) })
	}
}

func excused(t *testing.T, excuse, differs string) {
	t.Helper()
	switch {
	case excuse == "" && differs != "":
		t.Error(differs)
	case excuse != "" && differs == "":
		t.Errorf("answers the same, although %s", excuse)
	}
}

// compare returns how the oracle's verdict differs from our outcome. Causes that the interpreter words itself are its
// own business.
func (v verdict) compare(t *testing.T, s Scenario, o Outcome) string {
	t.Helper()
	if v.Error != o.Error || (v.Error == "") != (o.Status == "SUCCEEDED") {
		return fmt.Sprintf("ends with error %q (%s), ours with %q (%s) %s", v.Error, v.Cause, o.Error, o.Cause, o.Status)
	}
	if !strings.HasPrefix(o.Error, "States.") && v.Cause != o.Cause {
		return fmt.Sprintf("has the cause %q, ours %q", v.Cause, o.Cause)
	}
	if o.Error == "" && Canonical(t, jsontext.Value(v.Output)) != o.Output {
		return fmt.Sprintf("has the output\n%s, ours\n%s", v.Output, o.Output)
	}
	theirs, ours := slices.Clone(v.States), slices.Clone(o.Trace.States())
	if s.Unordered {
		slices.Sort(theirs)
		slices.Sort(ours)
	}
	if !slices.Equal(theirs, ours) {
		return fmt.Sprintf("enters %q, ours %q", theirs, ours)
	}
	var called, calls []string
	for _, c := range v.Calls {
		called = append(called, c.State+" "+Canonical(t, jsontext.Value(c.Payload)))
	}
	for _, e := range o.Trace {
		if e.Type == asl.TaskScheduled {
			calls = append(calls, e.State+" "+Payload(t, e))
		}
	}
	if s.Unordered {
		slices.Sort(called)
		slices.Sort(calls)
	}
	if !slices.Equal(called, calls) {
		return fmt.Sprintf("calls\n%s\nours\n%s", strings.Join(called, "\n"), strings.Join(calls, "\n"))
	}
	return ""
}

// Payload returns what a task's function is invoked with, in canonical form, its token without a number.
func Payload(t testing.TB, scheduled asl.Event) string {
	t.Helper()
	return tokens.ReplaceAllString(Canonical(t, scheduled.Input), `"token"`)
}

// tokens are those of a player. The other interpreter knows a single one.
var tokens = regexp.MustCompile(`"token-[0-9]+"`)

// timeoutPaths are left out of what the other interpreter runs: it looks for them in what Parameters made. AWS looks
// in the state's input: in the developer guide's own example, Parameters make no such value. What times out, the
// scenario says.
var timeoutPaths = regexp.MustCompile(`"TimeoutSecondsPath":\s*"[^"]*",`)

// ask runs all scenarios and checks all definitions in one process.
func ask(t *testing.T, folder string, all []Scenario, definitions []json.RawMessage) ([]verdict, []string) {
	t.Helper()
	type question struct {
		Definition json.RawMessage     `json:"definition"`
		Input      json.RawMessage     `json:"input"`
		Tasks      map[string][]Answer `json:"tasks"`
	}
	questions := make([]question, len(all))
	for i, s := range all {
		questions[i] = question{timeoutPaths.ReplaceAll(s.Definition, nil), json.RawMessage(s.Input), s.Tasks}
	}
	text, err := json.Marshal(map[string]any{"scenarios": questions, "definitions": definitions})
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "oracle.mjs")
	if err := os.WriteFile(script, oracle, 0o600); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "node", script, folder)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(text), &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var said struct {
		Scenarios   []verdict `json:"scenarios"`
		Definitions []string  `json:"definitions"`
	}
	err = json.Unmarshal(output, &said)
	if err != nil || len(said.Scenarios) != len(all) || len(said.Definitions) != len(definitions) {
		t.Fatalf("%d verdicts for %d scenarios, %d for %d definitions: %v",
			len(said.Scenarios), len(all), len(said.Definitions), len(definitions), err)
	}
	return said.Scenarios, said.Definitions
}

// installOracles returns the folder that the npm packages are installed in: one in the user's cache folder, made once.
func installOracles() (string, error) {
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "", err
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	target := filepath.Join(cache, "sallyport", "asl-"+strings.NewReplacer("@", "-").Replace(strings.Join(oracles, "-")))
	installed := func() error {
		_, err := os.Stat(filepath.Join(target, "node_modules", "aws-local-stepfunctions", "package.json"))
		return err
	}
	if installed() == nil {
		return target, nil
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return "", err
	}
	temp, err := os.MkdirTemp(filepath.Dir(target), "fetch-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temp)
	manifest := []byte(`{"name":"asl-oracles","private":true}`)
	if err := os.WriteFile(filepath.Join(temp, "package.json"), manifest, 0o644); err != nil {
		return "", err
	}
	args := []string{"install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--save-exact"}
	cmd := exec.Command("npm", append(args, oracles...)...)
	cmd.Dir = temp
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm install %s: %w: %s", strings.Join(oracles, " "), err, strings.TrimSpace(string(out)))
	}
	// Of several processes that fetch at once, the first to rename wins.
	renamed := os.Rename(temp, target)
	if err := installed(); err != nil {
		return "", errors.Join(err, renamed)
	}
	return target, nil
}
