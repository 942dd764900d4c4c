package iron_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"sallyport/functions/iron"
	"sallyport/shared/callback"
	"sallyport/shared/gateway"
)

// The test vector of §6.1.
const (
	vectorBody  = `{"type":"identification_status","timestamp":"2026-03-02T09:16:40.118+00:00","data":{"customer_id":"7a1c1f5e-2f7b-4f0c-9d55-0b8a6a4e1d21","message":{"IdentificationStatus":{"id":"e2b8d1f4-6c0a-4a8e-a3f1-90d2b7c4aa10","status":"Approved"}}}}`
	vectorStamp = "1772443001"
	vectorSum   = "9d12a0190499e7841011bf8edcc3b930323abbd739e2c38901eb6b04995df2bd"
)

func signed(body, stamp, signature string) gateway.Request {
	return gateway.Request{
		Method: "POST", Body: []byte(body),
		Header: map[string]string{"webhook-id": aKey, "webhook-timestamp": stamp, "webhook-signature": signature},
	}
}

func sign(key, stamp, body string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(stamp + body))
	return hex.EncodeToString(mac.Sum(nil))
}

// receiver takes callbacks so many seconds after the vector's time.
func receiver(after time.Duration) callback.Receiver {
	return iron.Callback(iron.Config{Now: func() time.Time { return time.Unix(1772443001, 0).Add(after) }})
}

func TestSignature(t *testing.T) {
	const secret, rotating = `{"api_key":"k","callback":{"secrets":["demo-secret-01"]}}`, `{"callback":{"secrets":["","next","demo-secret-01"]}}`
	encoded := base64.StdEncoding.EncodeToString([]byte("the bytes\x00\xff"))
	valid := "v1=" + vectorSum
	other := "v1=" + strings.Repeat("0", 64)
	for name, test := range map[string]struct {
		secret    string
		req       gateway.Request
		after     time.Duration
		authentic bool
	}{
		"Vector":        {secret, signed(vectorBody, vectorStamp, valid), 0, true},
		"UpperCase":     {secret, signed(vectorBody, vectorStamp, "v1="+strings.ToUpper(vectorSum)), 0, true},
		"Several":       {secret, signed(vectorBody, vectorStamp, other+", "+valid+",v2=x"), 0, true},
		"SeveralOthers": {secret, signed(vectorBody, vectorStamp, other+","+other), 0, false},
		"Spaces":        {secret, signed(vectorBody, " "+vectorStamp+" ", " "+valid+" "), 0, true},
		"OldSecret":     {rotating, signed(vectorBody, vectorStamp, valid), 0, true},
		"NewSecret":     {rotating, signed(vectorBody, vectorStamp, "v1="+sign("next", vectorStamp, vectorBody)), 0, true},
		"Gone":          {`{"callback":{"secrets":["next"]}}`, signed(vectorBody, vectorStamp, valid), 0, false},
		"InBase64": {
			`{"callback":{"secrets":["whsec_` + encoded + `"]}}`,
			signed(vectorBody, vectorStamp, "v1="+sign("the bytes\x00\xff", vectorStamp, vectorBody)), 0, true,
		},
		"PrefixAsText": {
			`{"callback":{"secrets":["whsec_` + encoded + `"]}}`,
			signed(vectorBody, vectorStamp, "v1="+sign("whsec_"+encoded, vectorStamp, vectorBody)), 0, true,
		},
		"WithoutPrefix": {
			`{"callback":{"secrets":["` + encoded + `"]}}`,
			signed(vectorBody, vectorStamp, "v1="+sign("the bytes\x00\xff", vectorStamp, vectorBody)), 0, true,
		},
		"WithoutPadding": {
			`{"callback":{"secrets":["whsec_` + strings.TrimRight(encoded, "=") + `"]}}`,
			signed(vectorBody, vectorStamp, "v1="+sign("the bytes\x00\xff", vectorStamp, vectorBody)), 0, true,
		},
		"InBase64URL": {
			`{"callback":{"secrets":["whsec_-_8_"]}}`,
			signed(vectorBody, vectorStamp, "v1="+sign("\xfb\xff?", vectorStamp, vectorBody)), 0, true,
		},
		"Pasted": {
			`{"callback":{"secrets":["whsec_` + encoded + `\r\n"]}}`,
			signed(vectorBody, vectorStamp, "v1="+sign("the bytes\x00\xff", vectorStamp, vectorBody)), 0, true,
		},
		"PastedText":  {`{"callback":{"secrets":["demo-secret-01\n"]}}`, signed(vectorBody, vectorStamp, valid), 0, true},
		"Blanks":      {secret, signed(vectorBody, vectorStamp, other+" "+valid), 0, true},
		"BlanksFirst": {secret, signed(vectorBody, vectorStamp, valid+"  "+other), 0, true},
		"Mixed":       {secret, signed(vectorBody, vectorStamp, "x,"+other+" ,\t"+valid+" v2=y"), 0, true},
		"NoneOfTwo":   {secret, signed(vectorBody, vectorStamp, other+" "+other), 0, false},
		"Separated":   {secret, signed(vectorBody, vectorStamp, valid[:40]+" "+valid[40:]), 0, false},
		"PrefixAlone": {
			`{"callback":{"secrets":["whsec_"," "]}}`,
			signed(vectorBody, vectorStamp, "v1="+sign("whsec_", vectorStamp, vectorBody)+
				",v1="+sign("", vectorStamp, vectorBody)+",v1="+sign(" ", vectorStamp, vectorBody)), 0, false,
		},
		"NotInBase64": {
			`{"callback":{"secrets":["whsec_%%"]}}`,
			signed(vectorBody, vectorStamp, "v1="+sign("whsec_%%", vectorStamp, vectorBody)), 0, true,
		},
		"AtTheLimit":   {secret, signed(vectorBody, vectorStamp, valid), 300 * time.Second, true},
		"TooOld":       {secret, signed(vectorBody, vectorStamp, valid), 301 * time.Second, false},
		"NewerAtLimit": {secret, signed(vectorBody, vectorStamp, valid), -300 * time.Second, true},
		"TooNew":       {secret, signed(vectorBody, vectorStamp, valid), -301 * time.Second, false},
		"AnotherTime":  {secret, signed(vectorBody, "1772443002", valid), 0, false},
		"NoTime":       {secret, signed(vectorBody, "", valid), 0, false},
		"OddTime":      {secret, signed(vectorBody, "2026-03-02T09:16:41Z", valid), 0, false},
		"HugeTime": {
			secret, signed(vectorBody, "9223372036854775807", "v1="+sign("demo-secret-01", "9223372036854775807", vectorBody)),
			0, false,
		},
		"LowestTime": {
			secret, signed(vectorBody, "-9223372036854775808", "v1="+sign("demo-secret-01", "-9223372036854775808", vectorBody)),
			0, false,
		},
		"Altered": {
			secret, signed(strings.Replace(vectorBody, "Approved", "Declined", 1), vectorStamp, valid), 0, false,
		},
		"Reformatted": {secret, signed(vectorBody+"\n", vectorStamp, valid), 0, false},
		"WithSeparator": {
			secret, signed(vectorBody, vectorStamp, "v1="+sign("demo-secret-01", vectorStamp+".", vectorBody)), 0, false,
		},
		"StandardScheme": {secret, signed(vectorBody, vectorStamp, "v1,"+vectorSum), 0, false},
		"NoVersion":      {secret, signed(vectorBody, vectorStamp, vectorSum), 0, false},
		"OtherVersion":   {secret, signed(vectorBody, vectorStamp, "v2="+vectorSum), 0, false},
		"CutOff":         {secret, signed(vectorBody, vectorStamp, valid[:65]), 0, false},
		"Empty":          {secret, signed(vectorBody, vectorStamp, "v1="), 0, false},
		"None": {
			secret, gateway.Request{Body: []byte(vectorBody), Header: map[string]string{"webhook-timestamp": vectorStamp}}, 0,
			false,
		},
		"EmptySecret": {rotating, signed(vectorBody, vectorStamp, "v1="+sign("", vectorStamp, vectorBody)), 0, false},
		"NoSecrets":   {`{"api_key":"k"}`, signed(vectorBody, vectorStamp, valid), 0, false},
		"OddSecrets":  {`{"callback":{"secrets":"demo-secret-01"}}`, signed(vectorBody, vectorStamp, valid), 0, false},
		"NoDocument":  {``, signed(vectorBody, vectorStamp, valid), 0, false},
	} {
		payload, err := receiver(test.after).Verify(t.Context(), []byte(test.secret), test.req)
		if test.authentic && (err != nil || !bytes.Equal(payload, test.req.Body)) ||
			!test.authentic && (!errors.Is(err, callback.ErrNotAuthentic) || payload != nil) {
			t.Errorf("%s: %q, %v", name, payload, err)
		}
	}
}

// TestTranslate: a webhook names an identification, under the name of its variant or without, and is a hint. Others are
// acknowledged.
func TestTranslate(t *testing.T) {
	flat := change(
		t, vectorBody, `{"IdentificationStatus":{"id":"e2b8d1f4-6c0a-4a8e-a3f1-90d2b7c4aa10","status":"Approved"}}`,
		`{"id":"e2b8d1f4-6c0a-4a8e-a3f1-90d2b7c4aa10","status":"Approved"}`,
	)
	const of, refused, nothing = "iron/identification/" + identificationID, "-", ""
	for text, want := range map[string]string{
		vectorBody: of + " approved", flat: of + " approved",
		change(t, vectorBody, identificationID, strings.ToUpper(identificationID)): of + " approved",
		change(t, vectorBody, "Approved", "Pending"):                               of + " pending",
		change(t, vectorBody, "Approved", "Processed"):                             of + " processed",
		change(t, vectorBody, "Approved", "PendingReview"):                         of + " pending_review",
		change(t, vectorBody, "Approved", "Declined"):                              of + " declined",
		change(t, vectorBody, "Approved", "Expired"):                               of + " expired",
		change(t, vectorBody, "Approved", "Archived"):                              of + " archived",
		change(t, vectorBody, "Approved", "of Noor"):                               of + " other",
		change(t, flat, `,"status":"Approved"`, ``):                                of + " other",
		change(t, vectorBody, `"IdentificationStatus"`, `"SomethingElse"`):         of + " approved",
		change(t, flat, `"status":"Approved"`, `"status":"Approved","new":{}`):     of + " approved",
		`{"type":"customer_status","data":{"customer_id":"x","message":{"CustomerStatus":{"id":"` + customerID + `","status":"Active"}}}}`: nothing,
		`{"type":"customer_created","data":{"message":{"Event":{"id":"x","kind":"CustomerCreated"}}}}`:                                     nothing,
		`{"type":"ping","data":{"message":{"Ping":{"id":"x"}}}}`:                                                                           nothing,
		`{"type":"new_bank_account"}`: nothing, `{"type":"something_new","data":{"message":"x"}}`: nothing,
		"\uFEFF" + change(t, vectorBody, `"Approved"`, `" Approved "`):            of + " approved",
		change(t, vectorBody, identificationID, "1"):                              nothing,
		change(t, vectorBody, `"id":"e2b8d1f4-6c0a-4a8e-a3f1-90d2b7c4aa10",`, ``): nothing,
		change(t, flat, `"id"`, `"ID"`):                                           nothing,
		`{"type":"identification_status"}`:                                        nothing, `{"type":"identification_status","data":{"message":null}}`: nothing,
		`{"type":"identification_status","data":{"message":[]}}`: nothing,
		`{"type":"identification_status","data":[]}`:             nothing, `{"type":5}`: nothing, `{"type":""}`: nothing, `{}`: nothing,
		`[]`: refused, `null`: refused, ``: refused, `{"type":"ping"`: refused,
	} {
		events, err := receiver(0).Translate(signed(text, vectorStamp, ""))
		got := ""
		for _, n := range events {
			got += n.Record + " " + n.Codes["state"]
		}
		if err != nil {
			if got = refused; len(events) != 0 || strings.Contains(err.Error(), identificationID) {
				t.Errorf("%s: %v, %+v", text, err, events)
			}
		}
		if got != want || len(events) > 1 || len(events) == 1 && len(events[0].Codes) != 1 {
			t.Errorf("%s gave %s, %v, want %s", text, got, err, want)
		}
	}
	for status, want := range map[int]string{
		200: `"words"`, 400: `"words"`, 413: `"words"`, 500: `"words"`, 503: `"words"`, 401: `authorization error`,
	} {
		if got := receiver(0).Acknowledge(status, "words"); got.Status != status || string(got.Body) != want {
			t.Errorf("answers %d %s", got.Status, got.Body)
		}
	}
}

// FuzzCallback: whatever is sent, an event is about an identification, in a code; forged it is not authentic.
func FuzzCallback(f *testing.F) {
	f.Add([]byte(vectorBody), vectorStamp, "v1="+vectorSum)
	f.Add([]byte(`{"type":"identification_status","data":{"message":{"a":{"b":{}}}}}`), "0", "v1=,v1=zz,,")
	f.Add([]byte(`{"type":"ping"}`), "-1", "v1="+sign("fuzzed", "-1", `{"type":"ping"}`))
	f.Fuzz(func(t *testing.T, body []byte, stamp, signature string) {
		req := signed(string(body), stamp, signature)
		_, unverified := receiver(0).Verify(t.Context(), []byte(`{"callback":{"secrets":["fuzzed"]}}`), req)
		authentic := unverified == nil
		want := sign("fuzzed", strings.TrimSpace(stamp), string(body))
		seconds, err := strconv.ParseInt(strings.TrimSpace(stamp), 10, 64)
		if authentic &&
			(!strings.Contains(
				strings.ToLower(signature), want,
			) || err != nil || seconds < 1772443001-300 || seconds > 1772443001+300) {
			t.Errorf("%q at %q is authentic", signature, stamp)
		}
		events, err := receiver(0).Translate(req)
		for _, n := range events {
			id, about := strings.CutPrefix(n.Record, "iron/identification/")
			if err != nil || !about || len(id) != 36 || strings.Trim(id, "0123456789abcdef-") != "" ||
				strings.Trim(n.Codes["state"], "abcdefghijklmnopqrstuvwxyz_") != "" {
				t.Errorf("%q is an event of %q, %v, %v", body, n.Record, n.Codes, err)
			}
		}
	})
}
