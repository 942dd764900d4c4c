package digit9

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
	"sallyport/shared/upstream"
)

// onboarding is the input of OnboardCustomer. What was validated is what is sent: the body goes on as it came, and two
// requests are compared by its digest.
type onboarding struct {
	Digest string
	ECRN   string // of the customer to update; empty to create one
	IDs    []identity
	Body   jsontext.Value
}

// OnboardCustomer creates a customer, or with an ECRN updates one (§6). The partner takes no idempotency key.
// What became of a lost creation, lookups of every identity document tell; of a lost update nothing does, as its
// customer was there before.
func OnboardCustomer(c Config) operation.Operation[onboarding] {
	return operation.Operation[onboarding]{
		Name:    "digit9/onboard-customer",
		Errors:  c.renderOnboard,
		MaxTask: maxOnboard,
		Decode:  c.decodeOnboard,
		Resource: func(in onboarding) string {
			if in.ECRN == "" {
				return ""
			}
			return ownedCustomer(in.ECRN)
		},
		Fingerprint: func(in onboarding) any {
			return operation.Fields("digest", in.Digest)
		},
		OnUnknown: func(in onboarding) operation.Resolution {
			if in.ECRN == "" && len(in.IDs) > 0 {
				return operation.Lookup
			}
			return operation.Manual
		},
		Call: func(ctx context.Context, call operation.Call, in onboarding) operation.Outcome {
			if failed := c.guard(ctx, call, in); failed != nil {
				return *failed
			}
			resp, failed := c.send(ctx, call, http.MethodPost, onboardPath, in.Body)
			if failed != nil {
				return *failed
			}
			return owning(call, in, c.unnamed(ctx, call, classifyOnboard(resp)))
		},
		Lookup: c.lookUpOnboarded,
		Output: summaryOfOnboard,
	}
}

// guard refuses, where tenants share an account, to onboard or update with a document of a customer that this one may
// not see: the partner would update that customer, or take the document from it. It takes the partner's own words for
// an update that can't be. A document whose owner can't be told, by how its number is written, is refused too.
func (c Config) guard(ctx context.Context, call operation.Call, in onboarding) *operation.Outcome {
	if !call.Shared() {
		return nil
	}
	for _, id := range in.IDs {
		if !id.certain() {
			return c.notUpdated()
		}
		document := ownedDocument(call, id)
		own, err := call.Visible(ctx, document)
		another := false
		if err == nil && !own {
			another, err = call.Owned(ctx, document)
		}
		switch {
		case err != nil:
			return &operation.Outcome{Class: operation.Unavailable, Code: "ledger_unavailable"}
		case another:
			return c.notUpdated()
		}
		found := c.askAsWrittenDown(ctx, call, id, nil)
		switch found.Class {
		case operation.Unknown: // nothing has been sent but a question
			found.Class = operation.Unavailable
			return &found
		case operation.Unavailable, operation.Throttled, operation.Credentials:
			found.Reply = gateway.Reply{} // a lookup's shape is no answer to an onboarding
			return &found
		}
		switch visible, failed := c.visible(ctx, call, id, &found); {
		case failed != nil:
			return failed
		case !visible:
			return c.notUpdated()
		}
	}
	return nil
}

// unnamed takes the number of a customer that the tenant may not see out of a refusal.
func (c Config) unnamed(ctx context.Context, call operation.Call, refused operation.Outcome) operation.Outcome {
	if refused.Code != codeBlocked || !call.Shared() {
		return refused
	}
	if ecrn := refused.Refs["ecrn"]; ecrn != "" {
		if visible, err := call.Visible(ctx, ownedCustomer(ecrn)); err == nil && visible {
			return refused
		}
	}
	delete(refused.Refs, "ecrn")
	refused.Reply = c.barred()
	return refused
}

// barred is the partner's answer to the onboarding of somebody who is, without that customer's number.
func (c Config) barred() gateway.Reply {
	return c.snake(http.StatusNotAcceptable, 45051, "Customer Cannot be Accepted")
}

// notUpdated is the partner's answer to an update that can't be; nothing has happened.
func (c Config) notUpdated() *operation.Outcome {
	return &operation.Outcome{
		Class: operation.Conflict, Code: codeUpdateFailed,
		Reply: c.snake(http.StatusNotFound, 45032, messageUpdateFailed),
	}
}

// longest is how long the number of an identity document is at most, anywhere; a longer one the partner may cut.
const longest = 20

// certain reports whether a lookup that doesn't find a document tells that the partner doesn't have it: so does that of
// one which is written in letters and digits of ASCII, whatever stands between them.
func (id identity) certain() bool {
	return !id.odd && isCode(strings.TrimSpace(id.IDType)) && tolerant.Fold(id.IDNumber) != "" &&
		!strings.ContainsFunc(id.IDNumber, func(r rune) bool { return r > unicode.MaxASCII }) &&
		len(tolerant.Fold(id.IDNumber)) <= longest
}

// isCode reports whether text is a number or a word, which a partner can't take for another.
func isCode(text string) bool {
	word := strings.Trim(text, "0123456789")
	return text != "" && (word == "" || strings.HasPrefix(text, word[:1]) &&
		strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == "")
}

// owning records whose customer it is: by its number, where that is known, and by its documents, which is how it is
// looked up.
func owning(call operation.Call, in onboarding, outcome operation.Outcome) operation.Outcome {
	if outcome.Class != operation.Done {
		return outcome
	}
	for _, id := range in.IDs {
		outcome.Aliases = append(outcome.Aliases, ownedDocument(call, id))
	}
	if outcome.Creates == "" && len(outcome.Aliases) > 0 {
		outcome.Creates, outcome.Aliases = outcome.Aliases[0], outcome.Aliases[1:]
	}
	return outcome
}

// ownedDocument names an identity document among what tenants own, without telling which it is.
func ownedDocument(call operation.Call, id identity) string {
	return "digit9/document/" + call.Reference("digit9/document", tolerant.Fold(id.IDType), tolerant.Fold(id.IDNumber))
}

// decodeOnboard demands what the page demands (§6.1), and names every field that is wrong as the partner would.
func (c Config) decodeOnboard(req gateway.Request) (in onboarding, err error) {
	if err := gateway.CheckJSON(req.Body); err != nil {
		return in, err
	}
	checked, err := checkCustomer(req.Body)
	if err != nil {
		return in, &gateway.InputError{Reason: "must be an object", Source: source.Published("§6.1")}
	}
	if len(checked.faults) > 0 {
		details, where := map[string]string{}, []string{}
		for _, f := range checked.faults {
			key, label := spelled(f.Pointer)
			details[key] = "Invalid " + label
			where = append(where, f.Error())
		}
		return in, &operation.Rejection{
			Reply: c.invalidFields(http.StatusBadRequest, details), Code: codeInvalidFields,
			Detail: strings.Join(where[:min(len(where), maxDetails)], "; "), Source: checked.faults[0].Source,
		}
	}
	in = onboarding{ECRN: checked.ecrn, IDs: checked.ids, Body: req.Body}
	in.Digest, err = gateway.DigestJSON(req.Body)
	return in, err
}

// maxDetails is how many faults the header Gateway-Error-Detail lists; the body has all.
const maxDetails = 10

// classifyOnboard is the table of onboardings (§9.2, §9.4). A hold is an effect: the customer is on record.
func classifyOnboard(resp upstream.Response) operation.Outcome {
	a, readable := readAnswer(resp.Status, resp.Body)
	if a.Code == codeHeld || a.Code == codeBlocked {
		a.ECRN = ecrnIn(a.Message)
	}
	outcome := operation.Outcome{
		Class: operation.Unknown, Code: codeOf(a, resp.Status), Reply: operation.PassOn(resp), Refs: a.refs(),
	}
	switch {
	case a.succeeded() && isECRN(a.ECRN):
		outcome.Class, outcome.Creates = operation.Done, ownedCustomer(a.ECRN)
	case resp.Status >= 500, resp.Status == http.StatusRequestTimeout:
		if !readable {
			outcome.Reply = gateway.Reply{}
		}
	case a.Status == statusSuccess: // it contradicts itself
	case a.Code == codeHeld:
		outcome.Class = operation.Done
		if a.ECRN != "" {
			outcome.Creates = ownedCustomer(a.ECRN)
		}
	case a.isBlocked():
		outcome.Class = operation.Refused
	case a.Code == codeUpdateFailed: // its HTTP status is not documented
		outcome.Class = operation.Conflict
	case a.Code == codeInvalidFields, a.Code == codeMasterData:
		outcome.Class = operation.Invalid
		if fields := invalidFields(a); fields != "" {
			outcome.Refs["invalid_fields"] = fields
		}
	case resp.Status < 400:
		if !readable {
			outcome.Reply = gateway.Reply{}
		}
	case !readable:
		outcome.Class = operation.Invalid
	default: // a code that nobody knows is no yes
		outcome.Class = operation.Refused
		if a.Code == codeBlocked {
			outcome.Code = codeUndocumented
		}
	}
	return outcome
}

// invalidFields names the fields that an answer finds fault with, without their values.
func invalidFields(a answer) string {
	var names []string
	for name := range a.Details {
		if len(name) <= 60 && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789[].") == "" {
			names = append(names, name)
		}
	}
	if a.Code == codeMasterData && strings.HasPrefix(strings.TrimSpace(a.Message), "Invalid Nationality ") {
		names = append(names, "nationality")
	}
	slices.Sort(names)
	return strings.Join(names[:min(len(names), maxDetails)], " ")
}

// lookUpOnboarded asks for every identity document. That all are one customer's, who is as the one to be created and on
// record for no other call, tells that the creation took place; only that none is known tells that it didn't. Who is
// barred would have been refused. A hold shows no more than the document. A number that the partner may write in ways
// that nobody can guess tells nothing where it isn't found.
func (c Config) lookUpOnboarded(
	ctx context.Context, call operation.Call, in onboarding,
) (found operation.Outcome, finding operation.Finding) {
	known := 0
	for _, id := range in.IDs {
		if !id.canBeLookedUp() {
			return operation.Outcome{}, operation.Undetermined
		}
		of := c.askAsWrittenDown(ctx, call, id, nil)
		switch {
		case of.Class != operation.Done:
			return of, operation.Undetermined
		case of.Code == codeBlocked:
			return c.asOnboarded(of), operation.Found
		case of.Code == codeNotFound || of.Code == codeNotSubscribed:
			continue
		case known > 0 && (of.Code != found.Code || of.Refs["ecrn"] != found.Refs["ecrn"]) || !in.agrees(of.Reply):
			return operation.Outcome{}, operation.Undetermined
		}
		found = of
		known++
	}
	switch known {
	case 0:
		if slices.ContainsFunc(in.IDs, func(id identity) bool { return !id.certain() }) {
			return operation.Outcome{}, operation.Undetermined
		}
		return operation.Outcome{}, operation.NotFound
	case len(in.IDs):
	default:
		return operation.Outcome{}, operation.Undetermined
	}
	found = owning(call, in, c.asOnboarded(found))
	before, err := call.Owned(ctx, found.Creates)
	if err == nil && !before {
		before, err = call.Predated(ctx, found.Creates)
	}
	switch {
	case err != nil:
		return operation.Outcome{Class: operation.Unavailable, Code: "ledger_unavailable"}, operation.Undetermined
	case before: // nothing tells whether it was updated
		return operation.Outcome{}, operation.Undetermined
	}
	return found, operation.Found
}

// askAsWrittenDown looks up a document, and where it isn't known looks it up as the partner may have written it down.
func (c Config) askAsWrittenDown(
	ctx context.Context, call operation.Call, id identity, body jsontext.Value,
) operation.Outcome {
	found := c.ask(ctx, call, id, body)
	plain := identity{IDType: strings.TrimSpace(id.IDType), IDNumber: strings.ToUpper(tolerant.Fold(id.IDNumber))}
	if plain != id && plain.canBeLookedUp() && (found.Code == codeNotFound || found.Code == codeNotSubscribed) {
		return c.ask(ctx, call, plain, nil)
	}
	return found
}

// agrees reports whether a customer is as it was to be created, as far as a lookup shows it.
func (in onboarding) agrees(found gateway.Reply) bool {
	sent, shown := tolerant.ReadObject(in.Body), tolerant.ReadObject(found.Body).Object("data")
	return !slices.ContainsFunc([]string{
		"first_name", "middle_name", "last_name", "primary_mobile_number", "email_id",
	}, func(name string) bool {
		text := shown.Plain(name)
		return text != "" && !tolerant.Same(text, sent.Plain(name))
	})
}

// asOnboarded puts what a lookup found into the words of the onboarding whose answer was lost.
func (c Config) asOnboarded(found operation.Outcome) operation.Outcome {
	a, _ := readAnswer(found.Reply.Status, found.Reply.Body)
	out := operation.Outcome{Class: operation.Done, Code: found.Code, Refs: found.Refs}
	switch found.Code {
	case codeHeld:
		out.Reply = c.snake(http.StatusNotAcceptable, 45013, "Customer Under Compliance Investigation")
	case codeBlocked:
		out.Class, out.Reply = operation.Refused, c.barred()
	default:
		body, err := json.Marshal(onboarded{
			Status: statusSuccess, StatusCode: http.StatusOK, RequestID: c.requestID(),
			Data: onboardedData{a.AMLScanStatus, a.ECRN, a.CustomerStatus},
		})
		if err != nil {
			return operation.Outcome{Class: operation.Unknown, Code: "lookup"}
		}
		out.Creates, out.Reply = ownedCustomer(a.ECRN), gateway.JSON(http.StatusOK, body)
	}
	return out
}

// onboarded is the partner's answer as far as a lookup can tell it: without "pep" and "aml_category".
type onboarded struct {
	Status     string        `json:"status"`
	Data       onboardedData `json:"data"`
	StatusCode int           `json:"status_code"`
	RequestID  string        `json:"request_id"`
}

type onboardedData struct {
	AMLScanStatus  string `json:"aml_scan_status"`
	ECRN           string `json:"ecrn"`
	CustomerStatus string `json:"customer_status"`
}

// summaryOfOnboard is what a state machine may see of an onboarding. The ecrn is empty where none was told.
func summaryOfOnboard(reply gateway.Reply) map[string]any {
	a, _ := readAnswer(reply.Status, reply.Body)
	if a.Code == codeHeld {
		a.ECRN = ecrnIn(a.Message)
	}
	if !isECRN(a.ECRN) {
		a.ECRN = ""
	}
	return map[string]any{"ecrn": a.ECRN}
}
