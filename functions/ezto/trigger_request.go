package ezto

import (
	"bytes"
	"context"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/callback"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
)

// trigger is the input of TriggerRequest. The request goes on as it came; requests are compared by its digest. What
// else stands beside it is the application's own configuration (§4), and goes on as well.
type trigger struct {
	Address address
	Digest  string
	Extra   fields
	Request jsontext.Value // nil where nothing was sent, as by a client of which there is a public sample (§4.1)
}

// TriggerRequest begins a transaction of an application (§4): somebody is asked to take part in it on a hosted
// page. The partner takes no key and tells nobody what became of a lost request, so an unknown outcome is a person's to
// decide.
func TriggerRequest(c Config) operation.Operation[trigger] {
	return operation.Operation[trigger]{
		Name:            "ezto/trigger-request",
		Errors:          renderError,
		MaxBody:         maxRequest,
		BodyCredentials: keys,
		Decode:          decodeTrigger,
		Fingerprint: func(in trigger) any {
			if len(in.Extra) == 0 {
				return operation.Fields("address", in.Address, "digest", in.Digest)
			}
			return operation.Fields("address", in.Address, "digest", in.Digest, "extra", in.Extra.values())
		},
		OnUnknown: func(trigger) operation.Resolution { return operation.Manual },
		Call: func(ctx context.Context, call operation.Call, in trigger) operation.Outcome {
			form := in.Extra
			if in.Request != nil {
				form = append(fields{{name: "request", text: string(in.Request)}}, form...)
			}
			resp, application, failed := c.post(ctx, call, in.Address, transactionPath, form)
			if failed != nil {
				return *failed
			}
			outcome, _ := classify(resp)
			if outcome.Class == operation.Done {
				begun, ok := readTriggered(resp.Body)
				if !ok {
					return operation.Outcome{Class: operation.Unknown, Code: "no_handle", Reply: outcome.Reply}
				}
				outcome.Creates, outcome.Fresh = ownedTransaction(begun.Handle), true
				outcome.Refs = map[string]string{"record": outcome.Creates, "user_record": ""}
				if user := object(object(in.Request)["user"]).Text("user_id", "email"); user != "" {
					outcome.Refs["user_record"] = callback.SubjectRecord(call.Reference, userRecord, userOf(application, user))
				}
			}
			return outcome
		},
		OutputRefs: []string{"record", "user_record"}, // by which callbacks name it
		Output:     summaryOfTrigger,
	}
}

// What callbacks name that don't carry the handle: somebody who takes part in an application's transactions.
const userRecord = "ezto/user/"

func userOf(application, user string) string { return application + "\n" + user }

// Bounds of what the partner says of a transaction's time, for it says nothing at all now and then (§5).
const (
	usualExpiry   = 15 * time.Minute
	maxExpiry     = 30 * 24 * time.Hour
	usualInterval = 5 * time.Second
	maxInterval   = 5 * time.Minute
)

// grace is how long before a page's end the result is read once more, in seconds: it may be gone with the page.
const grace = 15

// summaryOfTrigger is what a state machine goes by, all in seconds: what is left, without the grace, of which a short
// time has none; how long the first wait lasts; back, a step below zero.
func summaryOfTrigger(reply gateway.Reply) map[string]any {
	begun, _ := readTriggered(reply.Body)
	step, last := seconds(begun.Interval, usualInterval, maxInterval), 0
	left := seconds(begun.ExpiresIn, usualExpiry, maxExpiry)
	if left > 2*grace {
		left, last = left-grace, grace
	}
	return map[string]any{"auth_req_id": begun.Handle, "left": left, "grace": last, "wait": min(step, left), "back": -step}
}

func seconds(d, usual, most time.Duration) int {
	if d <= 0 {
		d = usual
	}
	return int(min(d, most) / time.Second)
}

// decodeTrigger reads the request: a form's field, in which it is a JSON text, a JSON object's member, or the object
// itself (§3.3). A state machine sends the object.
func decodeTrigger(req gateway.Request) (in trigger, err error) {
	if err := checkVersion(req); err != nil {
		return in, err
	}
	var all fields
	if in.Request = req.Body; !req.FromStateMachine {
		if all, in.Request, in.Extra, err = readTrigger(req); err != nil {
			return in, err
		}
	}
	if in.Address = readAddress(req, all); in.Request == nil && !req.FromStateMachine {
		return in, nil
	}
	strict := tolerant.WithoutTrailingCommas(tolerant.JSON(in.Request))
	if err := gateway.CheckJSON(strict); err != nil {
		return in, gateway.Under("request", err)
	}
	in.Digest, err = gateway.DigestJSON(strict)
	return in, err
}

// readTrigger returns all that was sent, the request in it, and what goes on beside that.
func readTrigger(req gateway.Request) (all fields, request jsontext.Value, beside fields, err error) {
	all, isObject, err := readFields(req)
	given, isThere := all.find("request")
	switch {
	case err != nil || len(all) == 0 && !isObject:
	case given.text != "":
		request, beside = jsontext.Value(given.text), all.beside("request", appID, appSecret)
	case isThere || !isObject:
		err = &gateway.InputError{Pointer: "request", Reason: "is required", Source: source.Published("§4.1")}
	default:
		request = bytes.TrimSpace(tolerant.JSON(req.Body))
		if own := all.without(appID, appSecret); len(own) < len(all) {
			request = own.object()
		}
	}
	return all, request, beside, err
}
