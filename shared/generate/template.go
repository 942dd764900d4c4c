package generate

import (
	"bytes"
	"cmp"
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
	Own      served    // Sallyport's own
	Alarms   []alarm
}

// served are functions and their roles.
type served struct {
	Functions []function
	Roles     []role
}

type deployed struct {
	partner.Partner
	served
	ID       string // logical ids begin with it: "Ezto"
	Secret   string // the example of its credentials
	Journeys []machine
	Callback *function // nil where it has none
}

type function struct {
	partner.Endpoint
	ID        string // logical: "EztoGetResult"
	Words     string // the same in a name: "ezto-get-result"
	Role      string
	Variables []variable
	Event     string // the name of the first; empty for "Http"
	Events    []event
	Base      string    // what a path begins with that has an alias,
	Alias     string    // and what the alias begins with; empty for none
	Rule      string    // the event of a rule, where one invokes the function
	Journeys  []machine // whose ends that rule may be about
}

type variable struct{ Name, Value string }

// event is of a route. That of $default has no path.
type event struct {
	ID, Method, Path string
	IsAlias          bool // of another event's route
}

// role is shared by functions that make exactly the same calls.
type role struct {
	ID, Policy string
	Shared     bool // or one function's own
	Functions  []function
	May        grants
	Secrets    []string
	Machines   []machine // those that May.States is for
	Queues     bool      // into which the events go that a function failed on
}

// grants are what a role allows beside writing logs and using the key. Actions have spaces between them.
type grants struct {
	Ledger string // actions on items
	Index  string // one that is queried
	Vault  string // actions on objects
	States string // an action on journeys' state machines or executions
	OfTold bool   // on those alone that wait for what their partners post

	Keys        bool // of an own function: the key ring
	Credentials bool // likewise: all partners' secrets
}

// alarm watches a metric of several resources, by the sum of it.
type alarm struct {
	ID, Name, Description string
	watched
	Of []string // logical ids
}

// watched is a metric of each resource of a kind, and what an alarm calls it and the sum.
type watched struct{ Namespace, Metric, Dimension, Part, Sum, Label string }

type machine struct {
	Name, ID string
	Told     bool     // its partner posts something that it waits for
	Invokes  []string // logical ids
}

// Gets and Puts report whether a role reads and writes objects of the vault.
func (r role) Gets() bool { return strings.Contains(r.May.Vault, "GetObject") }
func (r role) Puts() bool { return strings.Contains(r.May.Vault, "PutObject") }

// Services are those through which a role uses the key.
func (r role) Services() (all []string) {
	services := []string{"dynamodb", "secretsmanager", "s3", "sqs"}
	for i, used := range []bool{r.May.Ledger != "", r.Secrets != nil, r.Gets() || r.Puts(), r.Queues} {
		if used {
			all = append(all, `!Sub "`+services[i]+`.${AWS::Region}.amazonaws.com"`)
		}
	}
	return all
}

// CallsPartner reports whether the function needs the partner's base URL.
func (f function) CallsPartner() bool { return f.Kind != partner.Callback || f.CallsBack }

// HasVault reports whether the function needs the vault's name.
func (f function) HasVault() bool { return f.Vault != partner.NoVault }

// IsCallback reports whether the function answers those that wait.
func (f function) IsCallback() bool { return f.Kind == partner.Callback }

// shape names what a partner's function may do: its kind, and how it uses the vault.
func (f function) shape() string {
	kind := string(f.Kind)
	vault := []string{partner.NoVault: "", partner.VaultPut: "Put", partner.VaultBoth: "Vault"}[f.Vault]
	return strings.ToUpper(kind[:1]) + kind[1:] + vault
}

// may is what a partner's function may do. It is the same for all of a shape.
func (f function) may() grants {
	may := grants{Ledger: "GetItem UpdateItem PutItem", Vault: []string{
		partner.NoVault: "", partner.VaultPut: "PutObject PutObjectTagging",
		partner.VaultBoth: "GetObject PutObject PutObjectTagging",
	}[f.Vault]}
	switch f.Kind {
	case partner.Read:
		may.Ledger = "GetItem PutItem"
	case partner.Callback:
		may.States, may.OfTold = "SendTaskSuccess", true
	}
	return may
}

// describe makes of partners, and of their journeys' state machines, what the sections need.
func describe(all []partner.Partner, machines map[string]machine) (deployment, error) {
	var d deployment
	for _, p := range all {
		out, err := describePartner(p, machines)
		if err != nil {
			return d, err
		}
		d.Partners, d.Journeys = append(d.Partners, out), append(d.Journeys, out.Journeys...)
		d.watchFunctions(p.Name+"-function-errors", "A function of "+p.Title+" crashed, ran out of time or could not "+
			"start. What a state machine is told as an error counts as well.", out.Functions)
	}
	d.watchJourneys()
	return d, d.describeOwn()
}

func describePartner(p partner.Partner, machines map[string]machine) (deployed, error) {
	secret, err := json.Marshal(p.Credentials)
	if err != nil {
		return deployed{}, fmt.Errorf("the credentials of %s: %w", p.Name, err)
	}
	out := deployed{Partner: p, ID: LogicalID(p.Name), Secret: folded(string(secret))}
	for _, t := range journeys(p) {
		out.Journeys = append(out.Journeys, machines[t.Name])
	}
	for _, e := range p.Endpoints {
		f := function{Endpoint: e, Base: "/" + p.Name + "/", Alias: p.Alias}
		r := role{
			ID: out.ID + f.shape() + "Role", Policy: string(f.Kind), Shared: true, May: f.may(),
			Secrets: append([]string{"!Ref Keys"}, credentials(p)...),
		}
		if f.IsCallback() {
			r.Secrets = r.Secrets[:2] // no tenant's
		}
		if f.CallsPartner() {
			f.Variables = []variable{{p.Variable(), fmt.Sprintf(
				`!If [Sandboxed, !Sub "${SandboxApi.ApiEndpoint}/sandbox/%s", !Ref %sBaseUrl]`, p.Name, out.ID)}}
		}
		if err := out.add(f, r, out.Journeys); err != nil {
			return deployed{}, err
		}
		if f.IsCallback() {
			out.Callback = &out.Functions[len(out.Functions)-1]
		}
	}
	for _, m := range out.Journeys {
		if m.Told && out.Callback == nil {
			return deployed{}, fmt.Errorf("%s waits for what %s posts, which has no callback", m.Name, p.Name)
		}
	}
	return out, nil
}

// credentials are a partner's secret and those that tenants have of their own.
func credentials(p partner.Partner) []string {
	const tenants = "!Sub arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:" +
		"secret:sallyport/${Stage}/tenants/*/"
	return []string{"!Ref " + LogicalID(p.Name) + "Credentials", tenants + p.Name, tenants + p.Name + "-??????"}
}

// add adds a function, and its role unless it is there. The journeys are those that concern it.
func (s *served) add(f function, r role, journeys []machine) (err error) {
	f.ID, f.Words, f.Role, f.Journeys = LogicalID(f.Name), strings.ReplaceAll(f.Name, "/", "-"), r.ID, journeys
	if f.Events, err = events(f, cmp.Or(f.Event, "Http")); err != nil {
		return err
	}
	if r.May.Vault != "" {
		f.Variables = append(f.Variables, variable{"VAULT_BUCKET", "!Ref Vault"})
	}
	if r.May.States != "" {
		f.Variables = append(f.Variables, variable{"STATE_MACHINES",
			`!Sub "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:%s:sallyport-${Stage}-"`})
		r.Machines = slices.DeleteFunc(slices.Clone(journeys), func(m machine) bool { return r.May.OfTold && !m.Told })
	}
	s.Functions = append(s.Functions, f)
	at := slices.IndexFunc(s.Roles, func(other role) bool { return other.ID == r.ID })
	switch {
	case at < 0:
		at, s.Roles = len(s.Roles), append(s.Roles, r)
	case s.Roles[at].May != r.May:
		return fmt.Errorf("%s may do something else than the other functions of %s", f.Name, r.ID)
	}
	s.Roles[at].Functions = append(s.Roles[at].Functions, f)
	return nil
}

// watch adds an alarm, or several: one takes ten metrics, of which one is the sum of the others.
func (d *deployment) watch(name, description string, what watched, of []string) {
	for i, some := range slices.Collect(slices.Chunk(of, 9)) {
		further := ""
		if i > 0 {
			further = fmt.Sprintf("-%d", i+1)
		}
		d.Alarms = append(d.Alarms, alarm{LogicalID(name+further) + "Alarm", name + further, description, what, some})
	}
}

// watchFunctions adds an alarm on errors of functions.
func (d *deployment) watchFunctions(name, description string, functions []function) {
	var ids []string
	for _, f := range functions {
		ids = append(ids, f.ID)
	}
	d.watch(name, description, watched{"AWS/Lambda", "Errors", "FunctionName", "f", "errors", "Errors of functions"}, ids)
}

// watchJourneys adds the alarms on ends of journeys.
func (d *deployment) watchJourneys() {
	var ids []string
	for _, m := range d.Journeys {
		ids = append(ids, m.ID)
	}
	d.watch("journeys-failed", "A state machine ended in a way that its definition does not catch.",
		watched{"AWS/States", "ExecutionsFailed", "StateMachineArn", "failed", "ends", "Unforeseen ends"}, ids)
	d.watch("journeys-timed-out", "A state machine took longer than it may.",
		watched{"AWS/States", "ExecutionsTimedOut", "StateMachineArn", "timed", "ends", "Ends by time"}, ids)
}

// folded breaks JSON into lines of a folded block, between its objects.
func folded(text string) string { return strings.ReplaceAll(text, `},"`, "},\n          \"") }

// events are the events of a function's routes: the first's name, and behind it, for a further route, its path's last
// part, and for an alias "Alias".
func events(f function, first string) (all []event, err error) {
	for i, route := range f.Routes {
		method, path, ok := strings.Cut(route, " ")
		if !ok && route != "$default" {
			return nil, fmt.Errorf("%s has the route %q, it must be a method and a path", f.Name, route)
		}
		id := first
		if i > 0 {
			id += LogicalID(strings.Trim(path[strings.LastIndexByte(path, '/')+1:], "{}"))
		}
		all = append(all, event{ID: id, Method: method, Path: path})
		if rest, ok := strings.CutPrefix(path, f.Base); ok && f.Alias != "" {
			all = append(all, event{ID: id + "Alias", Method: method, Path: f.Alias + "/" + rest, IsAlias: true})
		}
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

// oneOrAll is a value of YAML, or the list of several.
func oneOrAll(values []string) string {
	if len(values) == 1 {
		return values[0]
	}
	return "[" + strings.Join(values, ", ") + "]"
}

// sectionsOf renders every section of template.yaml by its name.
func sectionsOf(d deployment) (map[string]string, error) {
	parsed, err := template.New("").Funcs(template.FuncMap{
		"add": func(a, b int) int { return a + b },
		"actions": func(service, names string) string {
			all := strings.Fields(names)
			for i := range all {
				all[i] = service + ":" + all[i]
			}
			return oneOrAll(all)
		},
		"oneOrAll": oneOrAll,
		"upTo":     func(text, end string) string { before, _, _ := strings.Cut(text, end); return before },
	}).Parse(sections)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, section := range parsed.Templates() {
		if section.Name() == "" || strings.HasPrefix(section.Name(), "part ") {
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
