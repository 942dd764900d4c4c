package mbanq

import (
	"context"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
)

// Commands on a client (§2).
const (
	verify   = "verify"
	activate = "activate"
)

// command is the input of ClientCommand.
type command struct {
	ClientID string
	Command  string
	Digest   string
	TenantID string
	Partial  bool              // a PARTIAL verification
	Query    map[string]string // further parameters
	Body     jsontext.Value
}

// ClientCommand verifies a client, or activates it (§3). A verification that lacks something is refused and
// changes nothing. What became of a lost command, the client itself tells; where a client is verified, but not shown to
// be so in full, it doesn't.
func ClientCommand(c Config) operation.Operation[command] {
	return operation.Operation[command]{
		Name:     "mbanq/client-command",
		Errors:   renderError,
		MaxBody:  maxRequest,
		Decode:   decodeCommand,
		Resource: func(in command) string { return ownedClient(in.ClientID) },
		Fingerprint: func(in command) any {
			return fingerprint(in.Query, "client_id", in.ClientID, "command", in.Command, "digest", in.Digest)
		},
		OnUnknown:        func(command) operation.Resolution { return operation.Lookup },
		ConflictIsResult: true, // what is missing
		Call: func(ctx context.Context, call operation.Call, in command) operation.Outcome {
			resp, failed := c.send(ctx, call, request{
				method: http.MethodPost, path: clientPath(in.ClientID), query: values(in.Query, "command", in.Command),
				body: in.Body, tenantID: in.TenantID, key: idempotencyKey(call),
			})
			if failed != nil {
				return *failed
			}
			outcome, m := classify(resp)
			if outcome.Class == operation.Done && !isNamed(m) {
				return operation.Outcome{Class: operation.Unknown, Code: "no_client_id"}
			}
			outcome.Refs = map[string]string{"client_id": in.ClientID, "command": in.Command}
			switch data := m.Object("data"); {
			case outcome.Class == operation.Done && in.Command == verify && isWord(data.Word("clientVerificationStatus")):
				outcome.Code = data.Word("clientVerificationStatus")
			case outcome.Class == operation.Conflict && in.Command == verify:
				outcome.Refs["missing"] = strings.Join(missingIn(m), " ")
			}
			return outcome
		},
		Lookup: c.lookUpCommand,
		Output: summaryOfCommand,
	}
}

func decodeCommand(req gateway.Request) (in command, err error) {
	in = command{
		ClientID: req.Params["clientId"], Command: req.Query["command"], TenantID: tenantOf(req),
		Query: further(req, "command"), Body: req.Body,
	}
	if !isID(in.ClientID) {
		return in, invalidID(codeClientID, "clientId")
	}
	if in.Command != verify && in.Command != activate {
		return in, unsupported(source.Published("§2.2"), req, "command", "must be verify or activate")
	}
	m, err := body(req.Body)
	if err != nil {
		return in, err
	}
	c := newChecker(source.Published("§3.5"), "client", m)
	if in.Command == verify {
		kind := m.String("kycVerificationType")
		if c.present("kycVerificationType") && kind != "PARTIAL" && kind != "FULL" {
			c.add("client", "kycVerificationType", "is.not.one.of.expected.enumerations",
				"The parameter `kycVerificationType` must be one of [ PARTIAL, FULL ] .",
				m.Plain("kycVerificationType"), "PARTIAL", "FULL")
		}
		in.Partial = kind == "PARTIAL"
	} else {
		c.required("activationDate")
		c.dated(true)
	}
	if err := c.err(); err != nil {
		return in, err
	}
	in.Digest, err = gateway.DigestJSON(req.Body)
	return in, err
}

// lookUpCommand reads the client.
func (c Config) lookUpCommand(
	ctx context.Context, call operation.Call, in command,
) (operation.Outcome, operation.Finding) {
	read := c.read(ctx, call, clientQuery{ClientID: in.ClientID})
	if read.Class != operation.Done {
		return read, operation.Undetermined
	}
	m := tolerant.ReadObject(read.Reply.Body)
	found := readClient(m)
	out := operation.Outcome{
		Class: operation.Done, Code: "ok", Refs: map[string]string{"client_id": in.ClientID, "command": in.Command},
	}
	switch {
	case in.Command == activate && found.Status == clientActive:
		out.Reply = created(in.ClientID, m.Number("officeId"))
		return out, operation.Found
	case in.Command == verify && found.Verification == verificationInProgress, in.Command == verify && found.verified() &&
		(in.Partial || tolerant.Same(m.Object("clientKycStatus").Plain("kycVerificationType"), "FULL")):
		if out.Code = verificationInProgress; found.verified() {
			out.Code = verificationApproved
		}
		out.Reply = render(http.StatusOK, verifiedAnswer{
			jsontext.Value(in.ClientID), jsontext.Value(in.ClientID), m.Number("officeId"), jsontext.Value(in.ClientID),
			verifiedData{out.Code, out.Code},
		})
		return out, operation.Found
	case in.Command == activate && found.Status == 0,
		in.Command == verify && (found.verified() || found.Verification != "" && found.Verification != verificationPending):
		// at which level, or of which verification, nothing tells
		return operation.Outcome{Class: operation.Unavailable, Code: "incomparable"}, operation.Undetermined
	}
	return operation.Outcome{}, operation.NotFound
}

// verifiedAnswer is the partner's answer to a verification (§4).
type verifiedAnswer struct {
	ID         jsontext.Value `json:"id"`
	ClientID   jsontext.Value `json:"clientId"`
	OfficeID   int64          `json:"officeId"`
	ResourceID jsontext.Value `json:"resourceId"`
	Data       verifiedData   `json:"data"`
}

type verifiedData struct {
	Verification string `json:"clientVerificationStatus"`
	KYC          string `json:"clientKycStatus"`
}

// summaryOfCommand is what a state machine may see: the verification's status, or what is missing for it. Where it was
// refused because the client stands elsewhere, nothing is missing, and the client itself tells: the status is OTHER.
func summaryOfCommand(reply gateway.Reply) map[string]any {
	m := tolerant.ReadObject(reply.Body)
	codes := readCodes(m)
	out := map[string]any{"verification": "", "missing": "", "already_active": codes.has(codeAlreadyActive)}
	if status := m.Object("data").Word("clientVerificationStatus"); isWord(status) {
		out["verification"] = status
	}
	switch {
	case codes.has(codeAlreadyVerified), codes.has(codeNotPending):
		out["verification"] = verificationOther
	case reply.Status >= 400:
		out["missing"] = strings.Join(missingIn(m), ",")
	}
	return out
}

// isWord tells what may be kept of a partner's text: letters and underscores.
func isWord(text string) bool {
	return text != "" && len(text) <= 40 &&
		strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_") == ""
}
