package journeys_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"sallyport/functions/equal"
	"sallyport/functions/journeys"
	"sallyport/shared/bolt"
	"sallyport/shared/gateway"
	"sallyport/shared/journey"
	"sallyport/shared/ledger"
	ledgerbolt "sallyport/shared/ledger/bolt"
	"sallyport/shared/operation"
	"sallyport/shared/seal"
	"sallyport/shared/vault"
	vaultbolt "sallyport/shared/vault/bolt"
)

// orchestrator takes answers, or fails.
type orchestrator struct {
	answers []string
	err     error
}

func (o *orchestrator) Start(context.Context, string, string, []byte) error { return o.err }
func (o *orchestrator) Stop(context.Context, string, string, string) error  { return o.err }
func (o *orchestrator) Answer(_ context.Context, token string, output []byte) error {
	if o.err == nil {
		o.answers = append(o.answers, token+" "+string(output))
	}
	return o.err
}

// losing writes a journey and then loses the answer, once.
type losing struct {
	*ledgerbolt.Ledger
	lose bool
}

func (l *losing) UpdateJourney(ctx context.Context, j ledger.Journey) (ledger.Journey, error) {
	written, err := l.Ledger.UpdateJourney(ctx, j)
	if l.lose {
		l.lose = false
		return ledger.Journey{}, errors.New("answer lost")
	}
	return written, err
}

// An input that was written down and not handed over, or whose writer was told nothing, is handed over by its repeat,
// also by one that names nothing; and what was sealed for it is still there.
func TestInputIsNotLost(t *testing.T) {
	for name, fail := range map[string]func(l *losing, o *orchestrator){
		"NotHandedOver": func(_ *losing, o *orchestrator) { o.err = errors.New("down") },
		"AnswerLost":    func(l *losing, _ *orchestrator) { l.lose = true },
	} {
		t.Run(name, func(t *testing.T) {
			db, err := bolt.Open(filepath.Join(t.TempDir(), "test.db"))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			inner, err := ledgerbolt.New(db)
			if err != nil {
				t.Fatal(err)
			}
			blobs, err := vaultbolt.New(db)
			if err != nil {
				t.Fatal(err)
			}
			ring, err := seal.NewRing(seal.GenerateKeys())
			if err != nil {
				t.Fatal(err)
			}
			rings := func(context.Context) (*seal.Ring, error) { return ring, nil }
			l, o := &losing{Ledger: inner}, &orchestrator{}
			s := &journeys.Service{Ledger: l, Orchestrator: o, Ring: rings, Vault: &vault.Vault{Blobs: blobs, Ring: rings},
				Auth: gateway.NewAuthenticator(inner, time.Now), Types: []journey.Type{equal.AadhaarOTP()},
				Log: slog.New(slog.DiscardHandler), Now: time.Now, NewID: operation.NewID}
			if err := inner.PutCaller(
				t.Context(), ledger.Caller{KeyHash: gateway.HashKey("k"), Tenant: "acme", Scopes: []string{"*"}},
			); err != nil {
				t.Fatal(err)
			}
			if _, err := inner.CreateJourney(
				t.Context(), "key",
				ledger.Journey{ID: "j", Tenant: "acme", Type: "aadhaar-otp", Status: ledger.JourneyRunning, CreatedAt: time.Now()},
			); err != nil {
				t.Fatal(err)
			}
			wait := journeys.AwaitInput{
				Tenant: "acme", Journey: "j", Token: "token-1", Kind: "otp", Accepts: []string{"otp"}, Seconds: 60,
			}
			if err := s.Await(t.Context(), wait); err != nil {
				t.Fatal(err)
			}
			send := func() int {
				payload, err := json.Marshal(events.APIGatewayV2HTTPRequest{Headers: map[string]string{"x-api-key": "k"},
					PathParameters: map[string]string{"id": "j"}, Body: `{"kind":"otp","otp":"123456"}`})
				if err != nil {
					t.Fatal(err)
				}
				out, err := s.Input().Invoke(t.Context(), payload)
				if err != nil {
					t.Fatal(err)
				}
				var response events.APIGatewayV2HTTPResponse
				if err := json.Unmarshal(out, &response); err != nil {
					t.Fatal(err)
				}
				return response.StatusCode
			}
			fail(l, o)
			if status := send(); status != 503 {
				t.Fatalf("answered %d", status)
			}
			o.err = nil
			if status := send(); status != 202 || len(o.answers) == 0 || !strings.HasPrefix(o.answers[0], "token-1 ") {
				t.Fatalf("the repeat was answered %d, handed over %q", status, o.answers)
			}
			var output struct {
				OTP struct {
					ID string `json:"document_id"`
				} `json:"otp"`
			}
			if err := json.Unmarshal([]byte(strings.TrimPrefix(o.answers[0], "token-1 ")), &output); err != nil {
				t.Fatal(err)
			}
			if otp, err := s.Vault.Get(t.Context(), "acme", output.OTP.ID); err != nil || string(otp) != `"123456"` {
				t.Errorf("handed over a reference to %s, %v", otp, err)
			}
		})
	}
}
