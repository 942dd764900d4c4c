package main_test

import (
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sallyport/functions/sandbox"
)

// ids tells where in a request the partner's record is named, and makes of its id another of the same form.
var ids = []struct {
	where *regexp.Regexp
	other func(id string) string
}{
	{
		regexp.MustCompile(`[/"][0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`),
		func(id string) string { return id[:25] + "0123456789ab" },
	},
	{regexp.MustCompile(`/(?:clients?|client_identifiers)/\d+`), func(id string) string { return id + "990" }},
	{regexp.MustCompile(`\b784\d{13}\b`), func(string) string { return "7849999999999999" }},
	{regexp.MustCompile(`auth_req_id=[^&]*`), func(id string) string { return id[:len(id)-8] + "AAAAAAAA" }},
	{regexp.MustCompile(`"transaction_id":"[^"]*"`), func(id string) string { return id[:len(id)-5] + `0000"` }},
}

// absent is the same request of a record that isn't there; ok where it names one.
func absent(r request) (other request, ok bool) {
	other = r
	for _, id := range ids {
		other.path = id.where.ReplaceAllStringFunc(other.path, id.other)
		other.body = id.where.ReplaceAllStringFunc(other.body, id.other)
	}
	return other, other.path != r.path || other.body != r.body
}

// TestTenantsMatrix asks on every route for another tenant's record, and for one that isn't there: nobody can tell
// which is which, by the status, the headers, the body, or how much work it makes.
func TestTenantsMatrix(t *testing.T) {
	t.Parallel()
	refer := 0
	eachCall(t, func(op sandbox.Operation, operation string, c call) {
		if c.acts != "" && c.acts != operation {
			return // the same request as that operation's own
		}
		s := MustRun(t)
		s.addCaller("other-key", "other", "*")
		foreign := c.request(s)
		gone, ok := absent(foreign)
		if !ok {
			return
		}
		refer++
		var got [2]reply
		var made [2]int
		for i, r := range []request{foreign, gone} {
			r.header = r.header.Clone()
			if r.header == nil {
				r.header = http.Header{}
			}
			r.header.Set("X-Api-Key", "other-key")
			before := len(s.requests(""))
			got[i] = s.send(r, "5d0e7a34-9f7e-4a53-8f2b-5f6d1f1f7c1"+strconv.Itoa(i))
			made[i] = len(s.requests("")) - before
			for _, name := range []string{"X-Request-Id", "Date"} {
				got[i].header.Del(name)
			}
			if got[i].header.Get("Transaction-Id") != "" {
				got[i].header.Set("Transaction-Id", "t")
			}
		}
		t.Run(operation+"/"+c.name, func(t *testing.T) {
			if got[0].status != got[1].status || fixed(got[0].body) != fixed(got[1].body) || made[0] != made[1] {
				t.Errorf("another's %d %s after %d requests, one that isn't there %d %s after %d",
					got[0].status, got[0].body, made[0], got[1].status, got[1].body, made[1])
			}
			for name := range got[0].header {
				if !slices.Equal(got[0].header[name], got[1].header[name]) {
					t.Errorf("%s: another's %q, one that isn't there %q", name, got[0].header[name], got[1].header[name])
				}
			}
			if len(got[0].header) != len(got[1].header) {
				t.Errorf("another's %v, one that isn't there %v", got[0].header, got[1].header)
			}
			if got[0].status < 400 && !strings.Contains(got[0].body, "45001") {
				t.Errorf("another's %d %s", got[0].status, got[0].body)
			}
		})
	})
	if refer < 14 {
		t.Errorf("only %d calls refer to a record", refer)
	}
}

// TestTenantsOnOwnRoutes is the same for Sallyport's own routes.
func TestTenantsOnOwnRoutes(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	s.addCaller("other-key", "other", "*")
	journey := s.startOnboarding("k", customer("784199000000413"))
	s.follow(journey, waiting)
	transaction := s.post(lookupURL, "", lookup("784199000000017")).header.Get("Transaction-Id")
	const gone = "0198c0de-0000-7000-8000-000000000002"
	for _, r := range []request{
		{method: "GET", path: "/journeys/" + journey}, {method: "POST", path: "/journeys/" + journey + "/cancel"},
		{method: "POST", path: "/journeys/" + journey + "/inputs", body: `{"kind":"otp","otp":"123456"}`},
		{method: "GET", path: "/transactions/" + transaction},
	} {
		ask := func(path string) reply {
			got := s.do(r.method, path, http.Header{"X-Api-Key": {"other-key"}}, r.body)
			got.header.Del("X-Request-Id")
			got.header.Del("Date")
			return got
		}
		foreign := ask(r.path)
		absent := ask(strings.NewReplacer(journey, gone, transaction, gone).Replace(r.path))
		if foreign.status != http.StatusNotFound || !reflect.DeepEqual(foreign, absent) {
			t.Errorf("%s %s: another's %+v, one that isn't there %+v", r.method, r.path, foreign, absent)
		}
	}
}

// TestUnknownCreation: what a creation has made whose answer was lost is nobody's, so that another tenant can't
// reach it by counting; its own caller's once a repeat has found it.
func TestUnknownCreation(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"reset_after_effect", "status_500_after_effect", "malformed", "truncated"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t)
			s.addCaller("other-key", "other", "*")
			other := http.Header{"X-Api-Key": {"other-key"}}
			first := s.createClient("first", "5550100")
			for range 2 { // its lookup fails, too
				s.arm("mbanq", "list-clients", "reset_before_effect")
			}
			s.arm("mbanq", "create-client", fault)
			lost := s.post(clientsURL, "k", clientOf("ext-1", "5550101"))
			if lost.condition() != "outcome_unknown" {
				t.Fatalf("got %d %q %s", lost.status, lost.condition(), lost.body)
			}
			next := counted(first, 1)
			for _, header := range []http.Header{other, nil} {
				for _, r := range []request{
					{method: "GET", path: clientsURL + "/" + next},
					{method: "POST", path: clientsURL + "/" + next + "/identifiers", body: passport},
					{method: "GET", path: clientsURL + "/" + next + "/identifiers"},
					{method: "POST", path: "/mbanq/v1/client/" + next + "/addresses?type=1", body: primary},
				} {
					if got := s.do(r.method, r.path, header, r.body); got.status != http.StatusNotFound {
						t.Errorf("%s %s as %v: %d %s", r.method, r.path, header, got.status, got.body)
					}
				}
			}
			again := s.post(clientsURL, "k", clientOf("ext-1", "5550101"))
			if again.condition() == "outcome_unknown" { // it has met the second fault
				again = s.post(clientsURL, "k", clientOf("ext-1", "5550101"))
			}
			if again.status != http.StatusOK {
				t.Fatalf("repeated: %d %q %s", again.status, again.condition(), again.body)
			}
			if got := s.do("GET", clientsURL+"/"+next, nil, ""); got.status != http.StatusOK {
				t.Errorf("its own: %d %s", got.status, got.body)
			}
			if got := s.do("GET", clientsURL+"/"+next, other, ""); got.status != http.StatusNotFound {
				t.Errorf("another's: %d %s", got.status, got.body)
			}
		})
	}
}

// TestOwners runs the command of shared/docs/owners.md, and looks at who may say whose a record is.
func TestOwners(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	s.addCaller("other-key", "other", "*")
	text, err := os.ReadFile("../../shared/docs/owners.md")
	if err != nil {
		t.Fatal(err)
	}
	_, script, _ := strings.Cut(string(text), "```sh\n")
	script, _, _ = strings.Cut(script, "```")
	if out := shell(t, s.URL, strings.ReplaceAll(script, "localhost:3000", "http://127.0.0.1:3000")); out !=
		`{"partner":"mbanq","kind":"client","id":"17","tenant":"local"}` {
		t.Errorf("answered %s", out)
	}
	client := s.createClient("ext-1", "5550101")
	s.own("other", "mbanq/client/"+client)
	if got := s.do("GET", clientsURL+"/"+client, nil, ""); got.status != http.StatusNotFound {
		t.Errorf("whoever owned it: %d %s", got.status, got.body)
	}
	other := http.Header{"X-Api-Key": {"other-key"}}
	if got := s.do("GET", clientsURL+"/"+client, other, ""); got.status != http.StatusOK {
		t.Errorf("whoever owns it: %d %s", got.status, got.body)
	}
	const path, body = "/owners/mbanq/client/17", `{"tenant":"local"}`
	for name, test := range map[string]struct {
		key, path, body string
		status          int
		says            string
	}{
		"NoKey":    {"no key", path, body, 401, ""},
		"Tenant's": {"local-key", path, body, 403, ""},
		"NoPartner": {
			"local-operator-key", "/owners/x/client/17", body, 400, "must be one of digit9, equal, ezto, iron, mbanq",
		},
		"NoKind": {
			"local-operator-key", "/owners/mbanq/x/17", body, 400, "must be one of address, client, identifier",
		},
		"NoID":          {"local-operator-key", "/owners/mbanq/client/017", body, 400, "id"},
		"NoTenant":      {"local-operator-key", path, `{}`, 400, "/tenant"},
		"OddTenant":     {"local-operator-key", path, `{"tenant":"a:b"}`, 400, "/tenant"},
		"Misspelt":      {"local-operator-key", path, `{"tenants":"a"}`, 400, "tenants"},
		"PartnerRoutes": {"local-operator-key", "", "", 403, ""},
	} {
		method := "PUT"
		if test.path == "" {
			method, test.path = "GET", clientsURL+"/"+client
		}
		got := s.do(method, test.path, http.Header{"X-Api-Key": {test.key}}, test.body)
		if got.status != test.status || !strings.Contains(got.body, test.says) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

// counted is the id so many after another.
func counted(id string, more int) string {
	n, _ := strconv.Atoi(id)
	return strconv.Itoa(n + more)
}
