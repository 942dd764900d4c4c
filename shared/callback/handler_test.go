package callback_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"sallyport/shared/callback"
	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	"sallyport/shared/secrets"
)

// aSecret is every partner's credentials document.
type aSecret struct{}

func (aSecret) Secret(context.Context, string) ([]byte, error) { return []byte("secret"), nil }

// untouched is a ledger that nobody may ask.
type untouched struct {
	callback.Ledger
	t *testing.T
}

func (u untouched) AddEvent(_ context.Context, record string, _ ledger.Event, _ bool) (ledger.Correlation, error) {
	u.t.Errorf("an event of %q was kept", record)
	return ledger.Correlation{}, nil
}

// TestHandler: what is answered, and what is kept. A callback that is authentic and makes no event is acknowledged, so
// that it isn't sent again.
func TestHandler(t *testing.T) {
	s := newStack(t)
	s.create("a")
	s.await("a", "t1")
	var translated []callback.Event
	var fault, doubt error
	receiver := callback.Receiver{
		Name: "test/callback",
		Verify: func(_ context.Context, secret []byte, req gateway.Request) ([]byte, error) {
			if doubt == nil && string(secret) != req.Header["key"] {
				return nil, fmt.Errorf("%w: another key", callback.ErrNotAuthentic)
			}
			return []byte(string(secret) + " opens " + string(req.Body)), doubt
		},
		Translate: func(req gateway.Request) ([]callback.Event, error) {
			if string(req.Body) != "secret opens {}" {
				t.Errorf("translated %q", req.Body)
			}
			return translated, fault
		},
		Acknowledge: func(status int, message string) gateway.Reply { return gateway.JSON(status, []byte(`"`+message+`"`)) },
	}
	take := func(x *callback.Correlator, key string) (int, string) {
		t.Helper()
		h := callback.Handler{
			Receiver: receiver, Correlator: x, Secrets: secrets.NewCache(aSecret{}, "test", s.Now),
			Log: slog.New(slog.DiscardHandler), Now: s.Now,
		}
		payload, err := json.Marshal(events.APIGatewayV2HTTPRequest{Headers: map[string]string{"Key": key}, Body: "{}"})
		if err != nil {
			t.Fatal(err)
		}
		out, err := h.Invoke(t.Context(), payload)
		var reply events.APIGatewayV2HTTPResponse
		if err = errors.Join(err, json.Unmarshal(out, &reply)); err != nil {
			t.Fatal(err)
		}
		return reply.StatusCode, reply.Body
	}
	deaf := *s.Correlator
	deaf.Ledger = untouched{s.ledger, t}
	for name, test := range map[string]struct {
		events []callback.Event
		fault  error
		doubt  error
		key    string
		status int
		body   string
	}{
		"Nothing":      {nil, nil, nil, "secret", 200, `"Acknowledged"`},
		"Empty":        {[]callback.Event{}, nil, nil, "secret", 200, `"Acknowledged"`},
		"NotAuthentic": {nil, nil, nil, "other", 401, `"Not authorized"`},
		"Unavailable": {
			[]callback.Event{event("ok")}, nil, fmt.Errorf("%w: no keys", callback.ErrUnavailable), "secret", 503,
			`"Try again later"`,
		},
		"NotVerified": {[]callback.Event{event("ok")}, nil, errors.New("no keys"), "secret", 503, `"Try again later"`},
		"NothingToSay": {
			[]callback.Event{event("ok")}, nil, &gateway.InputError{Reason: "it is nothing"}, "secret", 400, `"it is nothing"`,
		},
		"NothingToRead": {nil, errors.New("it says nothing"), nil, "secret", 400, `"it says nothing"`},
	} {
		translated, fault, doubt = test.events, test.fault, test.doubt
		if status, body := take(&deaf, test.key); status != test.status || body != test.body {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	s.wants()
	translated, fault, doubt = []callback.Event{event("ok")}, nil, nil
	if status, _ := take(s.Correlator, "secret"); status != 200 {
		t.Errorf("answered %d", status)
	}
	s.wants(answered("t1", "ok"))

	// Under each of its names, which have waiters of their own; also where one of them has no place for it, or it can't be
	// kept.
	other := callback.Event{Record: "test/other", Codes: map[string]string{"status": "ok"}}
	for i := range ledger.CorrelationCap {
		if err := s.Publish(
			t.Context(), callback.Event{Record: "test/full", Codes: map[string]string{"status": fmt.Sprint(i)}},
		); err != nil {
			t.Fatal(err)
		}
	}
	full := callback.Event{Record: "test/full", Codes: map[string]string{"status": "ok"}}
	for i, test := range []struct {
		events []callback.Event
		lost   string
		status int
	}{
		{[]callback.Event{other, event("1")}, "", 200}, {[]callback.Event{event("2"), other}, "", 200},
		{[]callback.Event{full, event("3")}, "", 200},
		{[]callback.Event{other, event("4")}, "test/other", 503},
		{[]callback.Event{full, other, event("5")}, "test/other", 503},
	} {
		s.await("a", "next")
		losing := *s.Correlator
		losing.Ledger = forgetful{s.ledger, test.lost}
		translated = test.events
		if status, _ := take(&losing, "secret"); status != test.status {
			t.Errorf("%v: answered %d", test.events, status)
		}
		s.wants(answered("next", fmt.Sprint(i+1)))
	}
	if c, err := s.ledger.Correlation(t.Context(), "test/other"); err != nil || len(c.Events) != 1 {
		t.Errorf("kept %+v, %v", c, err)
	}
}

// forgetful is a ledger that can't keep events of one record.
type forgetful struct {
	callback.Ledger
	record string
}

func (f forgetful) AddEvent(
	ctx context.Context, record string, e ledger.Event, once bool,
) (ledger.Correlation, error) {
	if record == f.record {
		return ledger.Correlation{}, errors.New("down")
	}
	return f.Ledger.AddEvent(ctx, record, e, once)
}
