package main_test

import (
	"fmt"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

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
		known, unknown := s.asOther(foreign, 0), s.asOther(gone, 1)
		t.Run(operation+"/"+c.name, func(t *testing.T) {
			if !reflect.DeepEqual(known, unknown) {
				t.Errorf("another's %+v, one that isn't there %+v", known, unknown)
			}
			if known.status < 400 && !strings.Contains(known.body, "45001") {
				t.Errorf("another's %d %s", known.status, known.body)
			}
		})
	})
	if refer < 14 {
		t.Errorf("only %d calls refer to a record", refer)
	}
}

// learned is what a tenant learns by a request, without what every answer has anew.
type learned struct {
	reply
	made int // requests of the partners
}

// asOther makes a request for the tenant "other"; one with the same number is a repeat.
func (s *stack) asOther(r request, number int) learned {
	s.t.Helper()
	if r.header = r.header.Clone(); r.header == nil {
		r.header = http.Header{}
	}
	r.header.Del("Authorization") // an example's, of the tenant "local"
	r.header.Set("X-Api-Key", "other-key")
	before := s.partnerRequests()
	got := s.send(r, fmt.Sprintf("5d0e7a34-9f7e-4a53-8f2b-5f6d1f1f%04d", number))
	for _, name := range []string{"X-Request-Id", "Date"} {
		got.header.Del(name)
	}
	if got.header.Get("Transaction-Id") != "" {
		got.header.Set("Transaction-Id", "t")
	}
	got.body = fixed(got.body)
	return learned{got, s.partnerRequests() - before}
}

// partnerRequests is how many requests have reached the partners, those for tokens not counted, nor their callbacks.
func (s *stack) partnerRequests() int {
	s.t.Helper()
	var all []sandbox.Request
	MustDecode(s.t, s.do("GET", "/sandbox/requests", nil, "").body, &all)
	return len(slices.DeleteFunc(all, func(r sandbox.Request) bool {
		return r.Operation == "callback" || r.Operation == "issue-token"
	}))
}

// TestTenantsOnboardingMatrix: whatever there is to be known of a person, what a tenant learns is the same before
// another has onboarded that person and after; and no number of a customer that it may not see.
func TestTenantsOnboardingMatrix(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	s.addCaller("other-key", "other", "*")
	key := 0
	for _, ends := range []string{
		"017", "403", "413", "423", "432", "433", "451", "461", "471", "502", "506",
	} {
		number := "784199000000" + ends
		requests := []request{
			{method: "POST", path: lookupURL, body: lookup(number)},
			{method: "POST", path: lookupURL, body: lookup(number[:3] + "-" + number[3:])},
		}
		if ends == "432" || ends == "451" { // nobody can onboard these
			requests = append(requests, request{method: "POST", path: onboardURL, body: customer(number)})
		}
		ask := func() (all []learned) {
			for _, r := range requests {
				key++
				all = append(all, s.asOther(r, key))
			}
			return all
		}
		before := ask()
		s.post(onboardURL, "", customer(number))
		after := ask()
		for i := range requests {
			if !reflect.DeepEqual(before[i], after[i]) {
				t.Errorf("%s: before %+v, after %+v", ends, before[i], after[i])
			}
			if strings.Contains(after[i].body, "<ecrn>") {
				t.Errorf("%s: %s", ends, after[i].body)
			}
		}
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
	if got := s.do("GET", clientsURL+"/"+client, nil, ""); got.status != http.StatusOK {
		t.Errorf("its creator: %d %s", got.status, got.body)
	}
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

// TestAssignedBeforeItIsThere: an operator can't give away what isn't there yet. Whose it becomes, the call tells that
// makes it.
func TestAssignedBeforeItIsThere(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	s.addCaller("other-key", "other", "*")
	other := http.Header{"X-Api-Key": {"other-key"}}
	next := counted(s.createClient("first", "5550100"), 1)
	s.own("other", "mbanq/client/"+next)
	s.pass(time.Second)
	if got := s.createClient("ext-1", "5550101"); got != next {
		t.Fatalf("created %s, want %s", got, next)
	}
	for tenant, test := range map[string]struct {
		header http.Header
		want   int
	}{"its creator": {nil, http.StatusOK}, "another": {other, http.StatusNotFound}} {
		if got := s.do("GET", clientsURL+"/"+next, test.header, ""); got.status != test.want {
			t.Errorf("%s: %d %s", tenant, got.status, got.body)
		}
	}
}

// counted is the id so many after another.
func counted(id string, more int) string {
	n, _ := strconv.Atoi(id)
	return strconv.Itoa(n + more)
}
