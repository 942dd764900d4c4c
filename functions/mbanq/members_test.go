package mbanq_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"sallyport/functions/mbanq"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// TestFurtherMembersMatrix: whatever stands beside the members that a page demands reaches the partner as it was sent,
// byte for byte, and so do further query parameters.
func TestFurtherMembersMatrix(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	values := []string{
		`null`, `true`, `""`, `" "`, `"` + strings.Repeat("é", 300) + `"`, `"\u0627\ud83d\ude00"`, `12345678901234567890`, `-0`,
		`1e999`, `0.10`, `[]`, `[1, "a",{"b":null}]`, `{}`, `{"a":{"b":[{"c":"d"}]}, "e":5}`, `"2026-13-45"`, `"<b>&"`,
	}
	names := []string{`x`, `clientTypeId`, `note`, `Ünï`, `a b`, `"`, `officeid`, `data`, `active`, `staffId`, `issuedBy`}
	// with adds some members at random places of an object's top level
	with := func(object string) string {
		used, text := map[string]bool{}, object
		for range 1 + random.IntN(4) {
			name := names[random.IntN(len(names))]
			if used[name] || strings.Contains(object, strconv.Quote(name)) {
				continue
			}
			used[name] = true
			member := " " + strconv.Quote(name) + " :\t" + values[random.IntN(len(values))]
			if random.IntN(2) == 0 {
				text = "{" + member + "," + text[1:]
			} else {
				text = text[:len(text)-1] + "," + member + "\n}"
			}
		}
		return text
	}
	for name, ask := range map[string]struct {
		body string
		call func(c mbanq.Config, body string) operation.Outcome
	}{
		"Create": {aClient, func(c mbanq.Config, body string) operation.Outcome {
			return call(t, mbanq.CreateClient(c), query(post(body)))
		}},
		"Address": {anAddress, func(c mbanq.Config, body string) operation.Outcome {
			return call(t, mbanq.AddAddress(c), query(to(body, "type", "1")))
		}},
		"Identifier": {aPassport, func(c mbanq.Config, body string) operation.Outcome {
			return call(t, mbanq.AddIdentifier(c), query(to(body)))
		}},
		"Verify": {full, func(c mbanq.Config, body string) operation.Outcome {
			return call(t, mbanq.ClientCommand(c), query(to(body, "command", "verify")))
		}},
		"Activate": {activation, func(c mbanq.Config, body string) operation.Outcome {
			return call(t, mbanq.ClientCommand(c), query(to(body, "command", "activate")))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for range 30 {
				body := with(ask.body)
				p := newPartner(t, answer{200, `{"id":1,"clientId":8812,"resourceId":1}`})
				ask.call(p.config(), body)
				asked := p.requests()
				if got := asked[len(asked)-1]; got.body != body || !strings.Contains(got.url, "new=a%26b") {
					t.Fatalf("sent %s, arrived %s of %s", body, got.body, got.url)
				}
			}
		})
	}
}

// query adds a parameter that nobody knows.
func query(req gateway.Request) gateway.Request {
	all := map[string]string{"new": "a&b"}
	for name, value := range req.Query {
		all[name] = value
	}
	req.Query = all
	return req
}
