package mbanq_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"sallyport/functions/mbanq"
	"sallyport/shared/callback"
	"sallyport/shared/gateway"
)

// The test vector of §10.
const (
	vectorBody = `{"entity":"CLIENT","action":"VERIFY"}`
	vectorSum  = "c7646efb019f2fc99752b64bb7b3d5ec4df83f63dbf6751a116eaeb193a6fd71f2fe86948b352205342c0020aa8b936360099b64d8d88ac143558bb22250b19a"

	aWebhook = `{"entity":"CLIENT","action":"VERIFY","tenantId":"t9demo","timestamp":"2026-01-05T09:00:00Z","payload":{"clientId":8812,"resourceId":8812}}`
)

func signed(body, signature string) gateway.Request {
	return gateway.Request{Method: "POST", Body: []byte(body), Header: map[string]string{"signature": signature}}
}

func sign(key, body string) []byte {
	mac := hmac.New(sha512.New, []byte(key))
	mac.Write([]byte(body))
	return mac.Sum(nil)
}

func TestSignature(t *testing.T) {
	raw, err := hex.DecodeString(vectorSum)
	if err != nil {
		t.Fatal(err)
	}
	inBase64 := base64.StdEncoding.EncodeToString(raw)
	const secret, rotating = `{"callback":{"secrets":["mbq-demo"]}}`, `{"callback":{"secrets":["","mbq-next","mbq-demo"]}}`
	for name, test := range map[string]struct {
		secret    string
		req       gateway.Request
		authentic bool
	}{
		"Hex":         {secret, signed(vectorBody, vectorSum), true},
		"UpperCase":   {secret, signed(vectorBody, strings.ToUpper(vectorSum)), true},
		"Base64":      {secret, signed(vectorBody, inBase64), true},
		"Spaces":      {secret, signed(vectorBody, " "+vectorSum+" "), true},
		"OldSecret":   {rotating, signed(vectorBody, vectorSum), true},
		"NewSecret":   {rotating, signed(vectorBody, hex.EncodeToString(sign("mbq-next", vectorBody))), true},
		"Gone":        {`{"callback":{"secrets":["mbq-next"]}}`, signed(vectorBody, vectorSum), false},
		"Altered":     {secret, signed(strings.Replace(vectorBody, "VERIFY", "DELETE", 1), vectorSum), false},
		"Reformatted": {secret, signed(vectorBody+" ", vectorSum), false},
		"CutOff":      {secret, signed(vectorBody, vectorSum[:126]), false},
		"Longer":      {secret, signed(vectorBody, vectorSum+"00"), false},
		"Prefixed":    {secret, signed(vectorBody, "sha512="+vectorSum), true},
		"AnyCase":     {secret, signed(vectorBody, "SHA512="+strings.ToUpper(vectorSum)), true},
		"Base64URL":   {secret, signed(vectorBody, base64.RawURLEncoding.EncodeToString(raw)), true},
		"PrefixedToo": {secret, signed(vectorBody, "sha512="+inBase64), true},
		"Commas":      {secret, signed(vectorBody, strings.Repeat("0", 128)+","+vectorSum), true},
		"Blanks":      {secret, signed(vectorBody, strings.Repeat("0", 128)+"  "+inBase64), true},
		"Mixed":       {secret, signed(vectorBody, "x, sha512=x ,"+vectorSum+" y"), true},
		"Pasted":      {`{"callback":{"secrets":["mbq-demo\n"]}}`, signed(vectorBody, vectorSum), true},
		"BlankSecret": {`{"callback":{"secrets":[" "]}}`, signed(vectorBody, hex.EncodeToString(sign("", vectorBody))), false},
		"SumOfBlank":  {`{"callback":{"secrets":[" "]}}`, signed(vectorBody, hex.EncodeToString(sign(" ", vectorBody))), false},
		"OtherPrefix": {secret, signed(vectorBody, "sha256="+vectorSum), false},
		"PrefixAlone": {secret, signed(vectorBody, "sha512="), false},
		"Separated":   {secret, signed(vectorBody, vectorSum[:64]+" "+vectorSum[64:]), false},
		"NoneOfTwo":   {secret, signed(vectorBody, vectorSum[:126]+"00,"+vectorSum[:126]), false},
		"None":        {secret, signed(vectorBody, ""), false},
		"NoHeader":    {secret, gateway.Request{Body: []byte(vectorBody)}, false},
		"EmptySecret": {rotating, signed(vectorBody, hex.EncodeToString(sign("", vectorBody))), false},
		"NoSecrets":   {`{}`, signed(vectorBody, vectorSum), false},
		"OddSecrets":  {`{"callback":{"secrets":"mbq-demo"}}`, signed(vectorBody, vectorSum), false},
		"NoDocument":  {``, signed(vectorBody, vectorSum), false},
	} {
		payload, err := mbanq.Callback(mbanq.Config{}).Verify(t.Context(), []byte(test.secret), test.req)
		if test.authentic && (err != nil || !bytes.Equal(payload, test.req.Body)) ||
			!test.authentic && (!errors.Is(err, callback.ErrNotAuthentic) || payload != nil) {
			t.Errorf("%s: %q, %v", name, payload, err)
		}
	}
}

// TestTranslate: a webhook names the client, and is a hint: what became of it, the partner is asked. One about anything
// else makes no event.
func TestTranslate(t *testing.T) {
	const unreadable = "-"
	for text, want := range map[string]string{
		aWebhook: "mbanq/client/8812 VERIFY",
		strings.Replace(aWebhook, `"clientId":8812`, `"clientId":"8812"`, 1):       "mbanq/client/8812 VERIFY",
		strings.Replace(aWebhook, `"clientId":8812,`, ``, 1):                       "mbanq/client/8812 VERIFY",
		strings.Replace(aWebhook, `"VERIFY"`, `"ACTIVATE"`, 1):                     "mbanq/client/8812 ACTIVATE",
		strings.Replace(aWebhook, `"VERIFY"`, `"of Noor Example"`, 1):              "mbanq/client/8812 other",
		strings.Replace(aWebhook, `"action":"VERIFY",`, ``, 1):                     "mbanq/client/8812 other",
		strings.Replace(aWebhook, `"CLIENT"`, `"client"`, 1):                       "mbanq/client/8812 VERIFY",
		strings.Replace(aWebhook, `"CLIENT"`, `" Client "`, 1):                     "mbanq/client/8812 VERIFY",
		"\uFEFF" + strings.Replace(aWebhook, `{`, `{"entity":7,`, 1):               "mbanq/client/8812 VERIFY",
		strings.Replace(aWebhook, `"CLIENT"`, `"LOAN"`, 1):                         "",
		strings.Replace(aWebhook, `"CLIENT"`, `"SAVINGSACCOUNT"`, 1):               "",
		`{"entity":"SAVINGSACCOUNT","action":"CREATE","payload":{"resourceId":5}}`: "",
		`{"officeId":1,"clientId":8812,"savingsId":5,"resourceId":5,"changes":{}}`: "",
		strings.Replace(aWebhook, `8812,"resourceId":8812`, `"../x"`, 1):           "",
		strings.Replace(aWebhook, `8812,"resourceId":8812`, `-8812`, 1):            "",
		strings.Replace(aWebhook, `{"clientId":8812,"resourceId":8812}`, `7`, 1):   "",
		vectorBody: "", `{}`: "", `{"entity":"CLIENT","entity":"CLIENT"}`: "", `{"entity":["CLIENT"],"payload":[]}`: "",
		`[]`: unreadable, `null`: unreadable, ``: unreadable, `{"entity":`: unreadable, `a=b`: unreadable,
	} {
		events, err := mbanq.Callback(mbanq.Config{}).Translate(signed(text, ""))
		got := ""
		if err != nil {
			got = unreadable
		}
		for _, n := range events {
			got += n.Record + " " + n.Codes["action"]
		}
		if got != want || len(events) > 1 || len(events) == 1 && len(events[0].Codes) != 1 {
			t.Errorf("%s gave %s, %v, want %s", text, got, err, want)
		}
	}
	if got := mbanq.Callback(mbanq.Config{}).Acknowledge(200, "Acknowledged"); got.Status != 200 ||
		string(got.Body) != `{"message":"Acknowledged"}` {
		t.Errorf("answers %d %s", got.Status, got.Body)
	}
}

// FuzzWebhook: whatever is sent, an event is about a client that has a number, and forged it is not authentic.
func FuzzWebhook(f *testing.F) {
	f.Add([]byte(aWebhook), vectorSum)
	f.Add([]byte(vectorBody), base64.StdEncoding.EncodeToString(sign("x", vectorBody)))
	f.Add([]byte(`{"entity":"CLIENT","payload":{"clientId":1e3}}`), "zz")
	f.Fuzz(func(t *testing.T, body []byte, signature string) {
		req := signed(string(body), signature)
		_, unverified := mbanq.Callback(mbanq.Config{}).Verify(t.Context(), []byte(`{"callback":{"secrets":["fuzzed"]}}`), req)
		authentic := unverified == nil
		want := string(sign("fuzzed", string(body)))
		inHex, _ := hex.DecodeString(strings.TrimSpace(signature))
		inBase64, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(signature))
		if authentic && string(inHex) != want && string(inBase64) != want {
			t.Errorf("%q is authentic", signature)
		}
		events, err := mbanq.Callback(mbanq.Config{}).Translate(req)
		for _, n := range events {
			if id, about := strings.CutPrefix(n.Record, "mbanq/client/"); err != nil || !about || id == "" ||
				strings.Trim(id, "0123456789") != "" {
				t.Errorf("%q is an event of %q, %v", body, n.Record, err)
			}
		}
	})
}
