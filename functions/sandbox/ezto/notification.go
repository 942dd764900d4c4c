package ezto

import (
	"bytes"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox"
)

// tell has the gateway told how a transaction ended, in the way of its application's hook. The shapes of what is sent
// are chosen: the contract leaves them open (§2). That a link expires is not told: nothing happens then.
func (e *simulation) tell(c *sandbox.Call, t *transaction) {
	app := e.Applications[t.Application]
	if app.Hook != Poll && c.Setting("callbacks") == "sent" {
		c.CallBack(e.hook(t.Application), e.wrapped(c, t, e.told(c, t)))
	}
}

// hook is what the hook of an application calls, under the gateway's base URL, as its operator would have told EZTO.
func (e *simulation) hook(application string) string {
	path := "/callbacks/ezto/" + url.PathEscape(application)
	if e.Applications[application].Response == Plaintext {
		path += "?" + url.Values{"key": {e.CallbackKey}}.Encode()
	}
	return path
}

// told returns what is told: where the transaction stands, or all of its result, or why it has none.
func (e *simulation) told(c *sandbox.Call, t *transaction) (members []member) {
	if e.Applications[t.Application].Hook == Ping {
		return []member{{"auth_req_id", t.Handle}, {"request_id", t.RequestID}, {"status", string(t.Ended)}}
	}
	switch t.Ended {
	case failed:
		members = t.refusal("request_failed", t.failure())
	case isDenied:
		members = t.refusal("access_denied", "the user declined the consent")
	default:
		members = e.members(c, t)
	}
	if c.Setting("pushed_handle") == "yes" {
		members = append(members, member{"auth_req_id", t.Handle})
	}
	return members
}

func (t *transaction) refusal(code, description string) []member {
	return []member{
		{"user_id", t.UserID}, {"request_id", t.RequestID}, {"error", code}, {"error_description", description},
	}
}

// wrapped returns the body of a callback, in the form of the application's response type.
func (e *simulation) wrapped(c *sandbox.Call, t *transaction, members []member) []byte {
	app := e.Applications[t.Application]
	if app.Response == Token {
		token, err := e.token(c, t, members)
		c.Fail(err)
		return sandbox.Object("token", token)
	}
	plain := encodeMembers(members, app.Hook == Push && c.Setting("trailing_comma") == "yes")
	if app.Response == Encrypted {
		text, err := encrypt([]byte(e.EncryptionKey), plain)
		c.Fail(err)
		return sandbox.Object("encrypted", text)
	}
	return plain
}

// forge returns what somebody would send who has got hold of the hook's URL, with the key in it if there is one, and of
// the ids, and knows nothing to sign or encrypt with: a token with a signature of their own making, garbage for a
// ciphertext, in plain text a nudge about a handle that does not exist, or a licence that nobody verified.
func forge(c *sandbox.Call, body []byte) []byte {
	var in struct {
		Token     string `json:"token"`
		Encrypted string `json:"encrypted"`
		Status    string `json:"status"`
		UserID    string `json:"user_id"`
		UserID2   string `json:"userId"`
		Request   string `json:"request_id"`
		Request2  string `json:"requestId"`
	}
	if plain, ok := bytes.CutSuffix(body, []byte(",}")); ok {
		body = append(bytes.Clone(plain), '}')
	}
	_ = json.Unmarshal(body, &in) // its own making
	switch {
	case in.Token != "":
		parts := strings.Split(in.Token, ".")
		parts[2] = garbage(parts[2])
		return sandbox.Object("token", strings.Join(parts, "."))
	case in.Encrypted != "":
		parts := strings.Split(in.Encrypted, ".")
		for i := 2; i < len(parts); i++ {
			parts[i] = garbage(parts[i])
		}
		return sandbox.Object("encrypted", strings.Join(parts, "."))
	case in.Status != "":
		return sandbox.Object("auth_req_id", garbage(string(body)), "request_id", in.Request, "status", completed)
	}
	return sandbox.Object(
		"workflow", verificationWorkflow, "user_id", in.UserID+in.UserID2, "request_id", in.Request+in.Request2,
		"ie_code", "AAXCF6660F", "iec_verified", "true", "address", "1 Forger Lane, Mumbai 400001",
		"iec_verified_at", strconv.FormatInt(c.Now.Unix(), 10), "name", "FORGED EXPORTS PVT LTD", "iec_status", "Valid",
		"pan", "AAXCF6660F",
	)
}

// garbage returns letters and digits in the place of a text, as many as it has.
func garbage(text string) string {
	sum := sandbox.Digest(text)
	return strings.Repeat(sum, len(text)/len(sum)+1)[:len(text)]
}
