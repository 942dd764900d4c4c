package generate

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"unicode"

	"sallyport/shared/partner"
)

//go:embed template.yaml.tmpl
var sections string

// deployment is what the sections of template.yaml are made of.
type deployment struct {
	Partners []deployed
	Journeys []machine // all partners'
}

type deployed struct {
	partner.Partner
	ID        string // logical ids begin with it: "Ezto"
	Secret    string // the example of its credentials
	Functions []function
	Roles     []role
	Alarms    [][]function // those that an alarm each watches
	Journeys  []machine
	Callback  *function // nil where it has none
}

type function struct {
	partner.Endpoint
	ID     string // logical: "EztoGetResult"
	Words  string // the same in a name: "ezto-get-result"
	Role   string
	Events []event
}

type event struct{ ID, Method, Path string }

// role is shared by the functions of one partner that make exactly the same calls.
type role struct {
	ID        string
	Function  function // one of them
	Functions []function
}

type machine struct {
	Name, ID string
	Told     bool     // its partner posts something that it waits for
	Invokes  []string // logical ids
}

// Effect, Read and Callback report what the functions of a role do.
func (r role) Effect() bool   { return r.Function.Kind == partner.Effect }
func (r role) Read() bool     { return r.Function.Kind == partner.Read }
func (r role) Callback() bool { return r.Function.Kind == partner.Callback }

// Puts and Gets report how they use the vault.
func (r role) Puts() bool { return r.Function.Vault != partner.NoVault }
func (r role) Gets() bool { return r.Function.Vault == partner.VaultBoth }

// CallsPartner reports whether the function needs the partner's base URL.
func (f function) CallsPartner() bool { return f.Kind != partner.Callback || f.CallsBack }

// HasVault reports whether the function needs the vault's name.
func (f function) HasVault() bool { return f.Vault != partner.NoVault }

// Answers are the journeys that what the partner posts is for.
func (d deployed) Answers() []machine {
	return slices.DeleteFunc(slices.Clone(d.Journeys), func(m machine) bool { return !m.Told })
}

// IsCallback reports whether the function answers those that wait.
func (f function) IsCallback() bool { return f.Kind == partner.Callback }

// shape names what a function may do: its kind, and how it uses the vault.
func (f function) shape() string {
	kind := string(f.Kind)
	vault := []string{partner.NoVault: "", partner.VaultPut: "Put", partner.VaultBoth: "Vault"}[f.Vault]
	return strings.ToUpper(kind[:1]) + kind[1:] + vault
}

// describe makes of partners, and of their journeys' state machines, what the sections need.
func describe(all []partner.Partner, machines map[string]machine) (deployment, error) {
	var d deployment
	for _, p := range all {
		secret, err := json.Marshal(p.Credentials)
		if err != nil {
			return d, fmt.Errorf("the credentials of %s: %w", p.Name, err)
		}
		out := deployed{Partner: p, ID: LogicalID(p.Name), Secret: folded(string(secret))}
		roles := map[string]int{}
		for _, e := range p.Endpoints {
			f := function{Endpoint: e, ID: LogicalID(e.Name), Words: strings.ReplaceAll(e.Name, "/", "-")}
			f.Role = out.ID + f.shape() + "Role"
			if f.Events, err = events(e); err != nil {
				return d, err
			}
			at, known := roles[f.Role]
			if !known {
				at = len(out.Roles)
				roles[f.Role] = at
				out.Roles = append(out.Roles, role{ID: f.Role, Function: f})
			}
			out.Roles[at].Functions = append(out.Roles[at].Functions, f)
			out.Functions = append(out.Functions, f)
			if f.IsCallback() {
				out.Callback = &f
			}
		}
		out.Alarms = slices.Collect(slices.Chunk(out.Functions, 9)) // an alarm takes ten metrics, one adds up the others
		for _, t := range journeys(p) {
			m := machines[t.Name]
			if m.Told && out.Callback == nil {
				return d, fmt.Errorf("%s waits for what %s posts, which has no callback", t.Name, p.Name)
			}
			out.Journeys = append(out.Journeys, m)
		}
		d.Partners, d.Journeys = append(d.Partners, out), append(d.Journeys, out.Journeys...)
	}
	return d, nil
}

// folded breaks JSON into lines of a folded block, between its objects.
func folded(text string) string { return strings.ReplaceAll(text, `},"`, "},\n          \"") }

// events are the events of an endpoint's routes: "Http", and behind it, for a further route, its path's last part.
func events(e partner.Endpoint) (all []event, err error) {
	for i, route := range e.Routes {
		method, path, ok := strings.Cut(route, " ")
		if !ok {
			return nil, fmt.Errorf("%s has the route %q, it must be a method and a path", e.Name, route)
		}
		id := "Http"
		if i > 0 {
			id += LogicalID(strings.Trim(path[strings.LastIndexByte(path, '/')+1:], "{}"))
		}
		all = append(all, event{id, method, path})
	}
	return all, nil
}

// LogicalID is what template.yaml calls the function of a folder, or a journey's state machine: EqualExecuteJourney for
// "equal/execute-journey", AadhaarOtp for "aadhaar-otp".
func LogicalID(name string) string {
	var id strings.Builder
	for word := range strings.FieldsFuncSeq(name, func(c rune) bool { return c == '-' || c == '/' }) {
		id.WriteRune(unicode.ToUpper(rune(word[0])))
		id.WriteString(word[1:])
	}
	return id.String()
}

// sectionsOf renders every section of template.yaml by its name.
func sectionsOf(d deployment) (map[string]string, error) {
	parsed, err := template.New("").Funcs(template.FuncMap{
		"add":  func(a, b int) int { return a + b },
		"upTo": func(text, end string) string { before, _, _ := strings.Cut(text, end); return before },
	}).Parse(sections)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, section := range parsed.Templates() {
		if section.Name() == "" {
			continue
		}
		var text bytes.Buffer
		if err := section.Execute(&text, d); err != nil {
			return nil, err
		}
		all[section.Name()] = text.String()
	}
	return all, nil
}
