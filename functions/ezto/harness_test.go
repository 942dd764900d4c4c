package ezto_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

const secret = `{"workspace":"acme-trade","applications":{"poll":{"app_id":"app-1","app_secret":"s-1"},"push":{"app_id":"app-2","app_secret":"s-2"}}}`

// partner answers every request alike and keeps the last one.
type partner struct {
	*httptest.Server
	path   string
	header http.Header
	form   url.Values
	body   string
	user   string
	pass   string
	times  int
}

func newPartner(t testing.TB, status int, body string) *partner {
	t.Helper()
	p := &partner{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		p.body = string(text)
		r.Body = io.NopCloser(strings.NewReader(p.body))
		_ = r.ParseForm()
		p.path, p.header, p.form, p.times = r.URL.Path, r.Header, r.PostForm, p.times+1
		p.user, p.pass, _ = r.BasicAuth()
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(p.Close)
	return p
}

func call[In any](t testing.TB, op operation.Operation[In], req gateway.Request) operation.Outcome {
	t.Helper()
	return callWith(t, secret, op, req)
}

func callWith[In any](t testing.TB, secret string, op operation.Operation[In], req gateway.Request) operation.Outcome {
	t.Helper()
	in, err := op.Decode(req)
	if err != nil {
		t.Fatal(err)
	}
	return op.Call(context.Background(), operation.NewCall("acme", []byte(secret)), in)
}

func form(pairs ...string) gateway.Request {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return gateway.Request{
		Method: "POST", Params: map[string]string{"workspace": "acme-trade"}, Header: map[string]string{},
		Body: []byte(values.Encode()),
	}
}

const (
	request = `{"user":{"user_id":"u-7731","metadata":{"workflow":"verification"}}}`
	begun   = `{"auth_req_id":"hdr..iv.body.tag","url":"https://acme-trade.example/v/9kQ2","expires_in":900,"interval":5}`
	result  = `{"workflow":"verification","user_id":"u-7731","request_id":"5b0c7a52-90de-4a1f-8f33-2d6e1c90ab47","ie_code":"AAXCT4821K","iec_verified":"true","iec_verified_at":"1767225600","name":"TARANG OVERSEAS PVT LTD","address":"14 Dock Road, Kochi 682003","iec_status":"Valid","pan":"AAXCT4821K"}`
)
