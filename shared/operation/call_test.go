package operation_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/operation"
	"sallyport/shared/token"
)

// keyed is a read that takes keys in the body as well, and notes who calls.
func (s *stack) keyed(tenant *string) operation.Operation[input] {
	op := s.read()
	op.BodyCredentials = func(req gateway.Request) []string { return strings.Fields(string(req.Body)) }
	op.Decode = func(gateway.Request) (input, error) { return input{Value: "a"}, nil }
	op.Call = func(_ context.Context, c operation.Call, _ input) operation.Outcome {
		*tenant = c.Tenant
		return operation.Outcome{Class: operation.Done, Reply: gateway.JSON(200, []byte("{}"))}
	}
	return op
}

func TestKeyInTheBody(t *testing.T) {
	s := newStack(t)
	s.p.Auth.Ring = s.p.Ring
	acme, err := s.p.Auth.Authenticate(t.Context(), "acme-key")
	if err != nil {
		t.Fatal(err)
	}
	mint := func(kind gateway.TokenKind, scope string) string {
		text, err := s.p.Auth.Mint(t.Context(), acme, kind, scope, time.Hour, gateway.Session{})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	access, refresh := mint(gateway.AccessToken, "test"), mint(gateway.RefreshToken, "test")
	other, err := s.p.Auth.Mint(
		t.Context(), ledger.Caller{KeyHash: gateway.HashKey("nobody"), Tenant: "acme"}, gateway.RefreshToken, "test",
		time.Hour, gateway.Session{},
	)
	if err != nil {
		t.Fatal(err)
	}
	var tenant string
	h := operation.New(s.p, s.keyed(&tenant))
	for name, test := range map[string]struct {
		header    map[string]string
		body      string
		tenant    string
		condition operation.Condition
	}{
		"InTheBody":           {nil, "acme-key", "acme", ""},
		"FirstThatIsHeld":     {nil, "nobody globex-key acme-key", "globex", ""},
		"HeaderWins":          {map[string]string{"x-api-key": "globex-key"}, "acme-key", "globex", ""},
		"OwnKeyDecides":       {map[string]string{"x-api-key": "spk_nobody"}, "acme-key", "", operation.BadKey},
		"ForeignHeader":       {map[string]string{"x-api-key": "nobody"}, "acme-key", "acme", ""},
		"EmptyHeader":         {map[string]string{"x-api-key": " "}, "acme-key", "acme", ""},
		"ForeignBearer":       {map[string]string{"authorization": "Bearer nobody"}, "acme-key", "acme", ""},
		"ForeignBasic":        {map[string]string{"authorization": "Basic bm86Ym9keQ"}, "acme-key", "acme", ""},
		"NoneIsHeld":          {map[string]string{"x-api-key": "nobody"}, "neither", "", operation.BadKey},
		"AccessTokenAndKey":   {map[string]string{"authorization": "Bearer " + access}, "acme-key", "acme", ""},
		"Nobodys":             {nil, "nobody neither", "", operation.BadKey},
		"None":                {nil, " ", "", operation.NoKey},
		"RefreshToken":        {nil, refresh, "acme", ""},
		"RefreshTokenHeader":  {map[string]string{"authorization": "Bearer " + refresh}, "", "", operation.BadKey},
		"RefreshTokenNobodys": {nil, other, "", operation.BadKey},
		"RefreshTokenCut":     {nil, refresh[:len(refresh)-2], "", operation.BadKey},
		"AccessTokenHeader":   {map[string]string{"authorization": "Bearer " + access}, "", "", operation.BadKey},
		"AccessTokenAsKey":    {map[string]string{"x-api-key": access}, "acme-key", "", operation.BadKey},
		"AccessTokenInBody":   {nil, access, "", operation.BadKey},
	} {
		t.Run(name, func(t *testing.T) {
			tenant = ""
			got := s.send(h, test.header, test.body)
			status := 200
			if test.condition != "" {
				status = 401
			}
			s.want(got, status, test.condition)
			if tenant != test.tenant {
				t.Errorf("%q called", tenant)
			}
		})
	}
	t.Run("NotThere", func(t *testing.T) {
		op := s.keyed(&tenant)
		op.BodyCredentials = nil
		s.want(s.send(operation.New(s.p, op), nil, "acme-key"), 401, operation.NoKey)
		op.BodyCredentials = func(gateway.Request) []string { return nil }
		s.want(s.send(operation.New(s.p, op), nil, "acme-key"), 401, operation.NoKey)
	})
	t.Run("EmptyOnesDoNotCount", func(t *testing.T) {
		op := s.keyed(&tenant)
		op.BodyCredentials = func(gateway.Request) []string { return []string{"", "acme-key"} }
		s.want(s.send(operation.New(s.p, op), nil, ""), 200, "")
	})
	t.Run("Scope", func(t *testing.T) {
		op := s.keyed(&tenant)
		op.Name = "elsewhere/act"
		s.want(s.send(operation.New(s.p, op), nil, "acme-key"), 403, operation.Forbidden)
		s.want(s.send(operation.New(s.p, op), nil, refresh), 403, operation.Forbidden)
	})
	t.Run("TooLarge", func(t *testing.T) {
		op := s.keyed(&tenant)
		op.BodyCredentials = func(gateway.Request) []string { t.Error("read a body that is too large"); return nil }
		s.want(s.send(operation.New(s.p, op), nil, strings.Repeat(" ", int(op.MaxBody)+1)), 401, operation.NoKey)
	})
	t.Run("LedgerDown", func(t *testing.T) {
		down := s.keyed(&tenant)
		p := *s.p
		p.Auth = gateway.NewAuthenticator(noCallers{}, s.clock)
		s.want(s.send(operation.New(&p, down), nil, "acme-key"), 503, operation.LedgerDown)
	})
}

type noCallers struct{}

func (noCallers) Caller(context.Context, string) (ledger.Caller, error) {
	return ledger.Caller{}, errors.New("down")
}

// issuer hands out tokens, one after the other, and takes the newest alone.
type issuer struct {
	mu      sync.Mutex
	issued  int
	refused bool // whether it gives none
	sent    []string
	renewed []bool // of every attempt
	secrets []string
}

func (i *issuer) issue(context.Context, string) (token.Grant, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.issued++
	if i.refused {
		return token.Grant{}, errors.New("refused")
	}
	return token.Grant{Access: fmt.Sprint("at-", i.issued), ExpiresIn: time.Hour}, nil
}

// revoke makes the partner refuse what it has issued so far.
func (i *issuer) revoke() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.issued++
}

// calling is an operation that sends a token.
func (i *issuer) calling(op operation.Operation[input]) operation.Operation[input] {
	op.Call = func(ctx context.Context, c operation.Call, _ input) operation.Outcome {
		access, err := c.Token(ctx, i.issue)
		i.mu.Lock()
		defer i.mu.Unlock()
		i.renewed, i.secrets = append(i.renewed, c.Renew), append(i.secrets, string(c.Secret))
		if err != nil {
			return operation.Outcome{Class: operation.Credentials, Code: "no_token"}
		}
		if i.sent = append(i.sent, access); access != fmt.Sprint("at-", i.issued) {
			return operation.Outcome{Class: operation.Credentials, Code: "http_401"}
		}
		return operation.Outcome{Class: operation.Done, Code: "ok", Reply: gateway.JSON(200, []byte("{}"))}
	}
	return op
}

func (i *issuer) wants(t *testing.T, sent string, issued int) {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	if got := strings.Join(i.sent, " "); got != sent || i.issued != issued {
		t.Errorf("sent %q, issued %d; want %q and %d", got, i.issued, sent, issued)
	}
	i.sent = nil
}

func (s *stack) cache() *token.Cache {
	return token.New(s.counting, s.p.Ring, s.clock, operation.NewID, s.p.Log)
}

func TestTokenIsShared(t *testing.T) {
	s, i := newStack(t), &issuer{}
	s.p.Tokens = s.cache()
	act, read := operation.New(s.p, i.calling(s.act(operation.Manual))), operation.New(s.p, i.calling(s.read()))
	s.want(s.post(act, "1", `{"value":"a"}`), 200, "")
	s.want(s.post(act, "2", `{"value":"a"}`), 200, "")
	s.want(s.post(read, "", `{"value":"a"}`), 200, "")
	s.want(s.postAs("globex", read, "", `{"value":"a"}`), 200, "") // who shares the credentials shares the token
	i.wants(t, "at-1 at-1 at-1 at-1", 1)

	t.Run("WithOtherContainers", func(t *testing.T) {
		p := *s.p
		p.Tokens = s.cache()
		s.want(s.post(operation.New(&p, i.calling(s.read())), "", `{"value":"a"}`), 200, "")
		i.wants(t, "at-1", 1)
	})
	t.Run("UnlessItIsRejected", func(t *testing.T) {
		i.revoke()
		s.want(s.post(act, "3", `{"value":"a"}`), 200, "")
		i.wants(t, "at-1 at-3", 3)
		s.want(s.post(read, "", `{"value":"a"}`), 200, "")
		i.wants(t, "at-3", 3)
	})
	t.Run("RenewedOnceForAll", func(t *testing.T) {
		i.revoke()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { s.want(s.post(read, "", `{"value":"a"}`), 200, "") })
		}
		wg.Wait()
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.issued != 5 {
			t.Errorf("issued %d", i.issued)
		}
		i.sent = nil
	})
	t.Run("AndTriedOnceMoreOnly", func(t *testing.T) {
		before := len(i.renewed)
		i.refused = true
		i.revoke()
		s.want(s.post(read, "", `{"value":"a"}`), 502, operation.CredentialsRejected)
		if got := fmt.Sprint(i.renewed[before:]); got != "[false true]" {
			t.Errorf("attempts %s", got)
		}
		i.refused = false
	})
	t.Run("NotWithOtherCredentials", func(t *testing.T) {
		i.mu.Lock()
		i.sent, i.issued = nil, 9
		i.mu.Unlock()
		s.source.set("sallyport/test/tenants/initech/test", "secret-of-initech")
		if err := s.counting.PutCaller(
			t.Context(), ledger.Caller{KeyHash: gateway.HashKey("initech-key"), Tenant: "initech", Scopes: []string{"test"}},
		); err != nil {
			t.Fatal(err)
		}
		s.want(s.post(read, "", `{"value":"a"}`), 200, "")
		i.wants(t, "at-10", 10)
		s.want(s.postAs("initech", read, "", `{"value":"a"}`), 200, "")
		i.wants(t, "at-11", 11)
		if i.secrets[len(i.secrets)-1] != "secret-of-initech" {
			t.Errorf("secrets %q", i.secrets)
		}
	})
}

func TestTokenWithoutACache(t *testing.T) {
	s, i := newStack(t), &issuer{}
	h := operation.New(s.p, i.calling(s.read()))
	for range 2 {
		s.want(s.post(h, "", `{"value":"a"}`), 200, "")
	}
	i.wants(t, "at-1 at-2", 2)
	i.refused = true
	s.want(s.post(h, "", `{"value":"a"}`), 502, operation.CredentialsRejected)
	i.wants(t, "", 4)
}

// A token never shows what it was made for: the ledger has neither it nor the credentials.
func TestTokenAtRest(t *testing.T) {
	s, i := newStack(t), &issuer{}
	s.p.Tokens = s.cache()
	s.source.set("sallyport/test/partners/test", "a very secret document")
	s.want(s.post(operation.New(s.p, i.calling(s.read())), "", `{"value":"a"}`), 200, "")
	if strings.Contains(s.logs.String(), "at-1") || strings.Contains(s.logs.String(), "very secret") {
		t.Errorf("logged %s", s.logs)
	}
}

// TestVisible: who sees a record of the account, by who owns it and whose the credentials are.
func TestVisible(t *testing.T) {
	const hidden, shared = `{"unowned":"hidden"}`, `{"unowned":"shared"}`
	for name, test := range map[string]struct {
		credentials, globex string   // of the deployment; of globex alone, empty for none
		owner               string   // as the ledger has it
		seenBy              []string //
	}{
		"OwnerAlone":          {"secret-1", "", "acme", []string{"acme"}},
		"Nobody's":            {"secret-1", "", "", nil},
		"Nobody'sHidden":      {hidden, "", "", nil},
		"Nobody'sShared":      {shared, "", "", []string{"acme", "globex"}},
		"OwnedAlthoughShared": {shared, "", "acme", []string{"acme"}},
		"AccountOfItsOwn":     {"secret-1", "secret-2", "acme", []string{"acme", "globex"}},
		"Nobody'sInIt":        {"secret-1", "secret-2", "", []string{"globex"}},
		"SharedInIt":          {"secret-1", hidden, "", []string{"globex"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t)
			s.source.set("sallyport/test/partners/test", test.credentials)
			if test.globex != "" {
				s.source.set("sallyport/test/tenants/globex/test", test.globex)
			}
			if test.owner != "" {
				s.owns(test.owner)
			}
			visible := map[string]bool{}
			asks := s.read()
			asks.Resource = nil
			asks.Call = func(ctx context.Context, c operation.Call, _ input) operation.Outcome {
				is, err := c.Visible(ctx, "test/record/1")
				if err != nil {
					return operation.Outcome{Class: operation.Unavailable}
				}
				visible[c.Tenant] = is
				return operation.Outcome{Class: operation.Done, Reply: gateway.JSON(200, []byte("{}"))}
			}
			act, read := operation.New(s.p, s.act(operation.Manual)), operation.New(s.p, s.read())
			for range 2 { // of which the second may remember
				for _, tenant := range []string{"acme", "globex"} {
					seen := slices.Contains(test.seenBy, tenant)
					for _, h := range []*operation.Handler[input]{act, read} {
						got := s.postAs(tenant, h, "", onRecord)
						if seen {
							s.want(got, 200, "")
						} else {
							s.want(got, 404, operation.NoSuchRecord)
						}
					}
					s.want(s.postAs(tenant, operation.New(s.p, asks), "", `{"value":"a"}`), 200, "")
					if visible[tenant] != seen {
						t.Errorf("%s: visible is %t", tenant, visible[tenant])
					}
				}
			}
			if test.globex == "" {
				p := *s.p
				p.Ledger = ownerDown{s.counting}
				p.ForgetOwner("test/record/1")
				s.want(s.post(operation.New(&p, asks), "", `{"value":"a"}`), 503, operation.PartnerDown)
			}
		})
	}
}

// TestOneOwner: a record that a tenant owns stays its own, whoever's call the partner answers with it. What only a
// lookup has found is nobody else's then.
func TestOneOwner(t *testing.T) {
	s := newStack(t)
	s.want(s.post(operation.New(s.p, s.act(operation.Manual)), "c", `{"value":"create"}`), 200, "")
	again := s.postAs("globex", operation.New(s.p, s.act(operation.Manual)), "c", `{"value":"create"}`)
	s.want(again, 200, "")
	s.want(s.postAs("globex", operation.New(s.p, s.read()), "", onRecord), 404, operation.NoSuchRecord)
	replayed := s.postAs("globex", operation.New(s.p, s.act(operation.Manual)), "c", `{"value":"create"}`)
	if replayed.body != again.body || replayed.header["Idempotency-Replayed"] != "true" {
		t.Errorf("replayed %+v", replayed)
	}

	found := s.act(operation.Lookup)
	found.Lookup = func(context.Context, operation.Call, input) (operation.Outcome, operation.Finding) {
		return operation.Outcome{
			Class: operation.Done, Reply: gateway.JSON(200, []byte(`{"of":"acme"}`)), Creates: "test/record/1",
		}, operation.Found
	}
	h := operation.New(s.p, found)
	s.partner.on(lostBefore)
	for range 3 {
		got := s.postAs("globex", h, "k", `{"value":"a"}`)
		s.want(got, 504, operation.OutcomeUnknown)
		s.partner.on(s.partner.done)
		s.pass(2 * time.Minute)
	}
	s.want(s.post(h, "k", `{"value":"a"}`), 200, "")
	s.want(s.post(operation.New(s.p, s.read()), "", onRecord), 200, "")
}

// TestAccountsApart: two accounts may give two records one id.
func TestAccountsApart(t *testing.T) {
	s := newStack(t)
	s.source.set("sallyport/test/tenants/globex/test", "secret-2")
	h := operation.New(s.p, s.act(operation.Manual))
	s.want(s.postAs("globex", h, "c", `{"value":"create"}`), 200, "")
	s.want(s.post(h, "d", onRecord), 404, operation.NoSuchRecord)
	s.want(s.post(h, "c", `{"value":"create"}`), 200, "")
	s.want(s.post(h, "d", onRecord), 200, "")
	s.want(s.postAs("globex", h, "d", onRecord), 200, "")
	asks := s.read()
	owned := map[string]bool{}
	asks.Call = func(ctx context.Context, c operation.Call, _ input) operation.Outcome {
		is, err := c.Owned(ctx, "test/record/1")
		owned[c.Tenant] = is && err == nil
		return operation.Outcome{Class: operation.Done, Reply: gateway.JSON(200, []byte("{}"))}
	}
	s.post(operation.New(s.p, asks), "", `{"value":"a"}`)
	s.postAs("globex", operation.New(s.p, asks), "", `{"value":"a"}`)
	if !owned["acme"] || !owned["globex"] {
		t.Errorf("owned %v", owned)
	}
}

// minting is an operation that mints a token of each kind, or redeems the one in the input.
func (s *stack) minting() operation.Operation[input] {
	op := s.read()
	op.Call = func(ctx context.Context, c operation.Call, in input) operation.Outcome {
		if kind, text, redeem := strings.Cut(in.Value, ":"); redeem {
			if err := c.Redeem(ctx, gateway.TokenKind(kind), text); err != nil {
				return operation.Outcome{
					Class: operation.Invalid, Code: "not_redeemed",
					Reply: gateway.JSON(400, fmt.Appendf(nil, "%t", errors.Is(err, gateway.ErrBadKey))),
				}
			}
			return operation.Outcome{Class: operation.Done, Reply: gateway.JSON(200, []byte("{}"))}
		}
		access, err := c.Mint(ctx, gateway.AccessToken, time.Hour, gateway.Session{})
		refresh, err2 := c.Mint(ctx, gateway.RefreshToken, 2*time.Hour, gateway.Session{})
		body, err3 := json.Marshal([]string{access, refresh})
		if err := errors.Join(err, err2, err3); err != nil {
			return operation.Outcome{Class: operation.Unavailable}
		}
		return operation.Outcome{Class: operation.Done, Reply: gateway.JSON(200, body)}
	}
	return op
}

func TestMintAndRedeem(t *testing.T) {
	s := newStack(t)
	s.p.Auth.Ring = s.p.Ring
	for _, caller := range []ledger.Caller{
		{KeyHash: gateway.HashKey("all-key"), Tenant: "acme", Scopes: []string{"*"}},
		{KeyHash: gateway.HashKey("second-key"), Tenant: "acme", Scopes: []string{"test"}},
	} {
		if err := s.counting.PutCaller(t.Context(), caller); err != nil {
			t.Fatal(err)
		}
	}
	h := operation.New(s.p, s.minting())
	minted := s.postAs("all", h, "", `{"value":"mint"}`)
	s.want(minted, 200, "")
	var tokens []string
	if err := json.Unmarshal([]byte(minted.body), &tokens); err != nil {
		t.Fatal(err)
	}
	access, refresh := tokens[0], tokens[1]
	as := func(key string, h lambda.Handler, value string) reply {
		t.Helper()
		return s.send(h, map[string]string{"authorization": "Bearer " + key}, `{"value":"`+value+`"}`)
	}
	s.want(as(access, h, "refresh:"+refresh), 200, "")
	s.want(as("second-key", h, "refresh:"+refresh), 200, "") // a tenant's own
	for _, value := range []string{
		"access:" + refresh, "refresh:" + access, "refresh:", "refresh:acme-key", "refresh:" + refresh + "x",
	} {
		got := as("acme-key", h, value)
		s.want(got, 400, "")
		if got.body != "true" {
			t.Errorf("%s: the error is not gateway.ErrBadKey", value)
		}
	}
	if got := as("globex-key", h, "refresh:"+refresh); got.status != 400 || got.body != "true" {
		t.Errorf("another tenant's: %+v", got)
	}
	elsewhere := s.minting()
	elsewhere.Name = "elsewhere/act"
	s.source.set("sallyport/test/partners/elsewhere", "secret")
	s.want(as("all-key", operation.New(s.p, elsewhere), "mint"), 200, "")
	s.want(as(access, operation.New(s.p, elsewhere), "mint"), 403, operation.Forbidden) // good for this partner alone
	if got := as("all-key", operation.New(s.p, elsewhere), "refresh:"+refresh); got.status != 400 {
		t.Errorf("another partner's: %+v", got)
	}
	s.pass(time.Hour)
	s.want(as(access, h, "mint"), 401, operation.BadKey)
	s.want(as("acme-key", h, "refresh:"+refresh), 200, "")
	s.pass(time.Hour)
	s.want(as("acme-key", h, "refresh:"+refresh), 400, "")
	if strings.Contains(s.logs.String(), access) || strings.Contains(s.logs.String(), refresh) {
		t.Error("a token was logged")
	}
}

func TestCallOutsideThePipeline(t *testing.T) {
	c := operation.NewCall("acme", []byte("secret"))
	if _, err := c.Mint(
		t.Context(), gateway.AccessToken, time.Hour, gateway.Session{},
	); !errors.Is(err, operation.ErrOutsidePipeline) {
		t.Errorf("minting gave %v", err)
	}
	if err := c.Redeem(t.Context(), gateway.AccessToken, "x"); !errors.Is(err, operation.ErrOutsidePipeline) {
		t.Errorf("redeeming gave %v", err)
	}
	if visible, err := c.Visible(t.Context(), "test/record/1"); !visible || err != nil {
		t.Errorf("visible: %t, %v", visible, err)
	}
	if access, err := c.Token(t.Context(), (&issuer{}).issue); access != "at-1" || err != nil {
		t.Errorf("token %q, %v", access, err)
	}
}

func TestMaxTask(t *testing.T) {
	s := newStack(t)
	op := s.act(operation.Manual)
	op.MaxBody = 40
	const overhead = len(`{"value":""}`)
	document := func(size int) string {
		t.Helper()
		id := fmt.Sprint("doc-", size)
		if err := s.p.Vault.Put(
			t.Context(), "acme", id, []byte(`"`+strings.Repeat("x", size-overhead)+`"`), s.clock().Add(time.Hour),
		); err != nil {
			t.Fatal(err)
		}
		return `{"value":{"document_id":"` + id + `"}}`
	}
	n := 0
	try := func(body string) error {
		n++
		_, err := operation.New(s.p, op).Invoke(t.Context(), taskPayload(fmt.Sprint(n), body))
		return err
	}
	tooLarge := func(err error) bool { return errorType(err) == "InvalidInput" && err.Error() == "too_large" }
	if err := try(document(40)); err != nil {
		t.Error(err)
	}
	if err := try(document(41)); !tooLarge(err) {
		t.Errorf("over MaxBody: %v", err)
	}
	op.MaxTask = 100
	if err := try(document(100)); err != nil {
		t.Error(err)
	}
	for _, body := range []string{
		document(101), `{"value":"` + strings.Repeat("x", 101-overhead) + `"}`, document(1 << 20),
	} {
		if err := try(body); !tooLarge(err) {
			t.Errorf("over MaxTask: %v", err)
		}
	}
	op.MaxTask = 1 << 20
	document(20)
	err := try(`{"value":[` + strings.Repeat(`{"document_id":"doc-20"},`, 1000) + `1]}`)
	if errorType(err) != "InvalidInput" || err.Error() != "too_many_documents" {
		t.Errorf("too many references: %v", err)
	}
	s.wantEffects(2)
	s.want(s.post(operation.New(s.p, op), "", `{"value":"`+strings.Repeat("x", 41-overhead)+`"}`), 413, operation.TooLarge)
	s.want(s.post(operation.New(s.p, op), "", `{"value":"`+strings.Repeat("x", 40-overhead)+`"}`), 200, "")
}

func TestMaxAnswer(t *testing.T) {
	s := newStack(t)
	op := s.act(operation.Manual)
	answer := func(size int) reply {
		t.Helper()
		s.partner.on(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, size)) })
		return s.post(operation.New(s.p, op), "", `{"value":"a"}`)
	}
	s.want(answer(256<<10), 200, "")
	s.want(answer(256<<10+1), 504, operation.OutcomeUnknown)
	op.MaxAnswer = 10
	s.want(answer(10), 200, "")
	s.want(answer(11), 504, operation.OutcomeUnknown)
	op.MaxAnswer = 300 << 10
	s.want(answer(300<<10), 200, "")
	s.want(answer(300<<10+1), 504, operation.OutcomeUnknown)
}

func TestQuietPeriodOfThePipeline(t *testing.T) {
	s := newStack(t)
	s.p.QuietPeriod = 5 * time.Second
	h := operation.New(s.p, s.act(operation.Lookup))
	s.partner.on(lostBefore)
	s.want(s.post(h, "k", `{"value":"a"}`), 504, operation.OutcomeUnknown)
	s.partner.on(s.partner.done)
	s.pass(4 * time.Second)
	s.want(s.post(h, "k", `{"value":"a"}`), 504, operation.OutcomeUnknown)
	s.wantCalls(1)
	s.pass(time.Second)
	s.want(s.post(h, "k", `{"value":"a"}`), 200, "")
	s.wantCalls(2)
}

// A journey's outcome may be made of a refusal as well.
func TestRefusedReadOfATaskKeepsItsAnswer(t *testing.T) {
	s := newStack(t)
	s.partner.on(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202); _, _ = w.Write([]byte(`{"no":1}`)) })
	if _, err := operation.New(s.p, s.read()).Invoke(
		t.Context(), taskPayload("0", `{"value":"a"}`),
	); errorType(err) != "Refused" {
		t.Fatalf("got %v", err)
	}
	s.partner.on(status(503)) // of what decides nothing, none is kept
	if _, err := operation.New(s.p, s.read()).Invoke(
		t.Context(), taskPayload("1", `{"value":"a"}`),
	); errorType(err) != "Unavailable" {
		t.Fatalf("got %v", err)
	}
	page, err := s.counting.Store.Transactions(t.Context(), ledger.Query{Tenant: "acme", Limit: 10})
	if err != nil || len(page.Transactions) != 2 {
		t.Fatalf("%+v, %v", page, err)
	}
	ring, err := s.p.Ring(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range page.Transactions {
		record, err := s.counting.Store.Transaction(t.Context(), "acme", row.ID)
		if err != nil {
			t.Fatal(err)
		}
		reply, err := operation.StoredReply(t.Context(), ring, s.p.Vault, record)
		if record.State == ledger.Refused && (err != nil || string(reply.Body) != `{"no":1}`) ||
			record.State == ledger.Released && !errors.Is(err, operation.ErrNoReply) {
			t.Errorf("%s keeps %s, %v", record.State, reply.Body, err)
		}
	}
}

// A lookup whose credentials are rejected is made once more, with fresh ones.
func TestLookupRenewsCredentials(t *testing.T) {
	for name, rotated := range map[string]bool{"Rotated": true, "StillRejected": false} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t)
			op := s.act(operation.Lookup)
			lookup, renewed := op.Lookup, []bool{}
			op.Lookup = func(ctx context.Context, c operation.Call, in input) (operation.Outcome, operation.Finding) {
				renewed = append(renewed, c.Renew)
				outcome, finding := lookup(ctx, c, in)
				if finding == operation.Undetermined {
					outcome.Class = operation.Credentials
				}
				return outcome, finding
			}
			s.partner.onFind(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") == "secret-1" {
					w.WriteHeader(401)
					return
				}
				_, _ = w.Write([]byte(`{"found":1}`))
			})
			h := operation.New(s.p, op)
			s.want(s.post(h, "warm", `{"value":"a"}`), 200, "")
			s.partner.on(s.partner.lostAfter)
			s.pass(time.Minute)
			if rotated {
				s.source.set("sallyport/test/partners/test", "secret-2")
				got := s.post(h, "k", `{"value":"a"}`)
				s.want(got, 200, "")
				if got.body != `{"found":1}` {
					t.Errorf("got %+v", got)
				}
			} else {
				s.want(s.post(h, "k", `{"value":"a"}`), 504, operation.OutcomeUnknown)
			}
			if fmt.Sprint(renewed) != "[false true]" {
				t.Errorf("looked up %v", renewed)
			}
			s.wantEffects(2)
		})
	}
}

// TestReadsConflict: a state machine may be given a conflict to read, over and over: its key stays free. Everything
// else that is no success is an error all the same, and so is a conflict that says nothing.
func TestReadsConflict(t *testing.T) {
	s := newStack(t)
	op := s.act(operation.Manual)
	strict := operation.New(s.p, op)
	op.ConflictIsResult = true
	reading := operation.New(s.p, op)
	for _, test := range []struct {
		handler lambda.Handler
		status  int
		want    string // the type of the error, or the result
	}{
		{strict, 409, "Conflict"}, {reading, 409, `{"code":"partner_409","size":15}`},
		{reading, 409, `{"code":"partner_409","size":15}`},
		{reading, 400, "InvalidInput"}, {reading, 202, "Refused"}, {reading, 429, "Throttled"}, {reading, 503, "Unavailable"},
		{reading, 500, "OutcomeUnknown"},
	} {
		s.partner.on(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(test.status)
			_, _ = w.Write([]byte(`{"missing":"x"}`))
		})
		key := fmt.Sprint(test.status) // what is refused or unknown stays so
		out, err := test.handler.Invoke(t.Context(), taskPayload(key, `{"value":"a"}`))
		if err != nil {
			if got := errorType(err); got != test.want {
				t.Errorf("%d: %v, want %s", test.status, err, test.want)
			}
			continue
		}
		var result map[string]any
		if err := json.Unmarshal(out, &result); err != nil {
			t.Fatal(err)
		}
		record, err := s.counting.Store.Transaction(t.Context(), "acme", fmt.Sprint(result["transaction_id"]))
		if err != nil || record.State != ledger.Released {
			t.Errorf("%d: the record is %s, %v", test.status, record.State, err)
		}
		delete(result, "transaction_id")
		delete(result, "round")
		if got, _ := json.Marshal(result); string(got) != test.want {
			t.Errorf("%d: %s, want %s", test.status, got, test.want)
		}
	}
	op.Call = func(context.Context, operation.Call, input) operation.Outcome {
		return operation.Outcome{Class: operation.Conflict, Code: "http_403"}
	}
	if out, err := operation.New(s.p, op).Invoke(
		t.Context(), taskPayload("7", `{"value":"a"}`),
	); errorType(err) != "InvalidInput" {
		t.Errorf("a conflict without words: %s, %v", out, err)
	}
	op.Call = func(context.Context, operation.Call, input) operation.Outcome {
		return operation.Outcome{Class: operation.Conflict, Code: "x", Reply: gateway.JSON(403, []byte(`{}`))}
	}
	// over HTTP it is the partner's answer
	if got := s.post(operation.New(s.p, op), "k", `{"value":"a"}`); got.status != 403 ||
		got.header["Gateway-Error"] != "" {
		t.Errorf("over HTTP: %d %v", got.status, got.header)
	}
}
