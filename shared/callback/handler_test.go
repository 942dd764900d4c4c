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

func (u untouched) AddEvent(_ context.Context, record, _ string, _ []byte) (ledger.Correlation, error) {
	u.t.Errorf("news of %q was kept", record)
	return ledger.Correlation{}, nil
}

// TestNothingToTell: a callback that is authentic and tells nothing is acknowledged, so that it isn't sent again, and not kept.
func TestNothingToTell(t *testing.T) {
	s := newStack(t)
	s.create("a")
	s.await("a", "t1")
	var told []callback.News
	var fault, doubt error
	receiver := callback.Receiver{
		Name: "test/callback",
		Authentic: func(_ context.Context, secret []byte, req gateway.Request) (bool, error) {
			return string(secret) == req.Header["key"], doubt
		},
		Open: func(secret []byte, req gateway.Request) []byte {
			return []byte(string(secret) + " opens " + string(req.Body))
		},
		Read: func(req gateway.Request) ([]callback.News, error) {
			if string(req.Body) != "secret opens {}" {
				t.Errorf("read %q", req.Body)
			}
			return told, fault
		},
		Reply: func(status int, message string) gateway.Reply { return gateway.JSON(status, []byte(`"`+message+`"`)) },
	}
	take := func(x *callback.Exchange, key string) (int, string) {
		t.Helper()
		h := callback.Handler{Receiver: receiver, Exchange: x, Secrets: secrets.NewCache(aSecret{}, "test", s.Now), Log: slog.New(slog.DiscardHandler), Now: s.Now}
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
	deaf := *s.Exchange
	deaf.Ledger = untouched{s.ledger, t}
	for name, test := range map[string]struct {
		news   []callback.News
		fault  error
		doubt  error
		key    string
		status int
		body   string
	}{
		"Nothing":       {nil, nil, nil, "secret", 200, `"Acknowledged"`},
		"Empty":         {[]callback.News{}, nil, nil, "secret", 200, `"Acknowledged"`},
		"NotAuthentic":  {nil, nil, nil, "other", 401, `"Not authorized"`},
		"NotToBeTold":   {[]callback.News{news("ok")}, nil, errors.New("no keys"), "secret", 503, `"Try again later"`},
		"NothingToTell": {[]callback.News{news("ok")}, nil, &gateway.InputError{Reason: "it is nothing"}, "secret", 400, `"it is nothing"`},
		"NothingToRead": {nil, errors.New("it says nothing"), nil, "secret", 400, `"it says nothing"`},
	} {
		told, fault, doubt = test.news, test.fault, test.doubt
		if status, body := take(&deaf, test.key); status != test.status || body != test.body {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	s.wants()
	told, fault, doubt = []callback.News{news("ok")}, nil, nil
	if status, _ := take(s.Exchange, "secret"); status != 200 {
		t.Errorf("answered %d", status)
	}
	s.wants(said("t1", "ok"))

	// Under each of its names, which have waiters of their own; also where one of them has no place for it, or it can't be kept.
	other := callback.News{Record: "test/other", Codes: map[string]string{"status": "ok"}}
	for i := range ledger.CorrelationCap {
		if err := s.Tell(t.Context(), callback.News{Record: "test/full", Codes: map[string]string{"status": fmt.Sprint(i)}}); err != nil {
			t.Fatal(err)
		}
	}
	full := callback.News{Record: "test/full", Codes: map[string]string{"status": "ok"}}
	for i, test := range []struct {
		news   []callback.News
		lost   string
		status int
	}{
		{[]callback.News{other, news("1")}, "", 200}, {[]callback.News{news("2"), other}, "", 200}, {[]callback.News{full, news("3")}, "", 200},
		{[]callback.News{other, news("4")}, "test/other", 503}, {[]callback.News{full, other, news("5")}, "test/other", 503},
	} {
		s.await("a", "next")
		losing := *s.Exchange
		losing.Ledger = forgetful{s.ledger, test.lost}
		told = test.news
		if status, _ := take(&losing, "secret"); status != test.status {
			t.Errorf("%v: answered %d", test.news, status)
		}
		s.wants(said("next", fmt.Sprint(i+1)))
	}
	if c, err := s.ledger.Correlation(t.Context(), "test/other"); err != nil || len(c.Events) != 1 {
		t.Errorf("kept %+v, %v", c, err)
	}
}

// forgetful is a ledger that can't keep news of one record.
type forgetful struct {
	callback.Ledger
	record string
}

func (f forgetful) AddEvent(ctx context.Context, record, id string, sealed []byte) (ledger.Correlation, error) {
	if record == f.record {
		return ledger.Correlation{}, errors.New("down")
	}
	return f.Ledger.AddEvent(ctx, record, id, sealed)
}
