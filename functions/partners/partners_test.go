package partners_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/functions/partners"
	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/simulators"
	"sallyport/shared/partner"
	"sallyport/statemachines"
)

// TestPartners checks that each partner's value agrees with itself and with its folders.
func TestPartners(t *testing.T) {
	var listed []string
	routes := map[string]string{}
	for _, p := range partners.All() {
		listed = append(listed, p.Name)
		t.Run(p.Name, func(t *testing.T) {
			examples := map[string]bool{}
			for _, e := range p.Endpoints {
				name, own := strings.CutPrefix(e.Name, p.Name+"/")
				if _, err := os.Stat(filepath.Join(root, "functions", e.Name, "main.go")); err != nil || !own {
					t.Errorf("%s has no main below functions/%s: %v", e.Name, p.Name, err)
				}
				examples[name] = true
				checkEndpoint(t, p, e)
				for _, route := range e.Routes {
					if routes[route] != "" {
						t.Errorf("%s and %s have the route %s", e.Name, routes[route], route)
					}
					routes[route] = e.Name
				}
				requests := slices.DeleteFunc(slices.Clone(p.Examples[name]), func(e partner.Example) bool { return e.State != "" })
				if len(requests) != 1 {
					t.Errorf("%s has %d examples of a request, want 1", e.Name, len(requests))
				}
			}
			checkFiles(t, p)
			for name := range p.Examples {
				if !examples[name] {
					t.Errorf("there are examples of %q, which is no endpoint", name)
				}
			}
			if p.Journeys == nil {
				return
			}
			for _, journey := range p.Journeys(time.Now) {
				if journey.Partner != p.Name {
					t.Errorf("%s gets the credentials of %s", journey.Name, journey.Partner)
				}
				switch definition := statemachines.Definitions()[journey.Name]; {
				case definition == nil:
					t.Errorf("%s has no definition in statemachines", journey.Name)
				case journey.Lasts != 0 && journey.Lasts != definition.Timeout:
					t.Errorf("%s lasts %s, its definition says %s", journey.Name, journey.Lasts, definition.Timeout)
				}
			}
		})
	}
	var found []string
	values, err := filepath.Glob(filepath.Join(root, "functions/*/partner.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range values {
		found = append(found, filepath.Base(filepath.Dir(value)))
	}
	if slices.Sort(listed); !slices.Equal(listed, found) {
		t.Errorf("All lists %v, but there are %v", listed, found)
	}
}

// TestSimulated checks that every operation has its like at the simulated partner, which shares no code with it.
func TestSimulated(t *testing.T) {
	simulated := map[string]bool{}
	parameter := regexp.MustCompile(`\{\w+\}`)
	for _, op := range sandbox.Operations(simulators.All()) {
		path := parameter.ReplaceAllString(op.Path, "{}")
		simulated[fmt.Sprint(op.Partner, "/", op.Name, " ", op.Method, " /", op.Partner, path, op.Effect)] = true
	}
	for _, p := range partners.All() {
		for _, e := range p.Endpoints {
			for _, route := range e.Routes {
				like := fmt.Sprint(e.Name, " ", parameter.ReplaceAllString(route, "{}"), e.Kind == partner.Effect)
				if e.Kind != partner.Callback && !simulated[like] {
					t.Errorf("%s is simulated by none, or by one with another route or effect", e.Name)
				}
			}
		}
	}
}

// checkFiles checks that a partner's folder has the files in which whoever knows another partner looks.
func checkFiles(t *testing.T, p partner.Partner) {
	t.Helper()
	names := []string{"README.md", "client.go", "errors.go", "examples.go", "partner.go", "types.go"}
	if p.Journeys != nil {
		names = append(names, "journey.go")
	}
	if slices.ContainsFunc(p.Endpoints, func(e partner.Endpoint) bool { return e.Kind == partner.Callback }) {
		names = append(names, "callback.go")
	}
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(root, "functions", p.Name, name)); err != nil {
			t.Error(err)
		}
	}
}

func checkEndpoint(t *testing.T, p partner.Partner, e partner.Endpoint) {
	t.Helper()
	prefix := " /" + p.Name + "/"
	if e.Kind == partner.Callback {
		prefix = " /callbacks/" + p.Name
	}
	for _, route := range e.Routes {
		if !strings.Contains(route, prefix) {
			t.Errorf("%s has the route %q", e.Name, route)
		}
	}
	if len(e.Routes) == 0 || e.Summary == "" {
		t.Errorf("%s needs a route, and a word about what it does", e.Name)
	}
	if effect := e.Kind == partner.Effect; effect != (e.Unknown != "") || !effect && e.Key != "" {
		t.Errorf("%s is for %s: it says %q of unknown outcomes, and %q of keys", e.Name, e.Kind, e.Unknown, e.Key)
	}
	if callback := e.Kind == partner.Callback; callback != (e.Hook != "") || !callback && e.CallsBack ||
		callback && e.Vault != partner.NoVault {
		t.Errorf("%s is for %s, which does not fit what it says of hooks, calls or the vault", e.Name, e.Kind)
	}
}
