package documents_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"sallyport/functions/documents"
	"sallyport/shared/bolt"
	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/seal"
	"sallyport/shared/vault"
	vaultbolt "sallyport/shared/vault/bolt"
)

type callers struct{}

func (callers) Caller(_ context.Context, hash string) (ledger.Caller, error) {
	return ledger.Caller{KeyHash: hash, Tenant: "acme", Scopes: []string{"journeys"}}, nil
}

func TestCreate(t *testing.T) {
	db, err := bolt.Open(filepath.Join(t.TempDir(), "vault.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	blobs, err := vaultbolt.New(db)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.NewRing(seal.GenerateKeys())
	if err != nil {
		t.Fatal(err)
	}
	v := &vault.Vault{Blobs: blobs, Ring: func(context.Context) (*seal.Ring, error) { return ring, nil }}
	now := time.Now()
	route := documents.Create(
		v, gateway.NewAuthenticator(callers{}, time.Now), slog.New(slog.DiscardHandler), func() time.Time { return now },
		func() string { return "doc-1" },
	)
	for name, test := range map[string]struct {
		contentType, body string
		base64            bool
		status            int
		want              string
	}{
		"JSONString":     {"application/json", `"999900000016"`, false, 201, `"999900000016"`},
		"JSONObject":     {"application/json; charset=utf-8", ` {"a":1.0} `, false, 201, `{"a":1.0}`},
		"Image":          {"image/jpeg", "/9j/", true, 201, `"/9j/"`},
		"Text":           {"text/plain", "hello", false, 201, `"aGVsbG8="`},
		"ErrNoType":      {"", "x", false, 400, ``},
		"ErrEmpty":       {"image/jpeg", "", false, 400, ``},
		"ErrNotJSON":     {"application/json", `{"a":`, false, 400, ``},
		"ErrTwoNames":    {"application/json", `{"a":1,"a":2}`, false, 400, ``},
		"ErrNothingElse": {"application/json", `1 2`, false, 400, ``},
	} {
		t.Run(name, func(t *testing.T) {
			if err := v.Delete(t.Context(), "acme", "doc-1"); err != nil {
				t.Fatal(err)
			}
			headers := map[string]string{"x-api-key": "k"}
			if test.contentType != "" {
				headers["content-type"] = test.contentType
			}
			payload, err := json.Marshal(
				events.APIGatewayV2HTTPRequest{Headers: headers, Body: test.body, IsBase64Encoded: test.base64},
			)
			if err != nil {
				t.Fatal(err)
			}
			out, err := route.Invoke(t.Context(), payload)
			if err != nil {
				t.Fatal(err)
			}
			var response events.APIGatewayV2HTTPResponse
			if err := json.Unmarshal(out, &response); err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != test.status {
				t.Fatalf("got %d %s", response.StatusCode, response.Body)
			}
			kept, err := v.Get(t.Context(), "acme", "doc-1")
			if string(kept) != test.want || (err == nil) != (test.status == 201) {
				t.Errorf("kept %s, %v", kept, err)
			}
		})
	}
}
