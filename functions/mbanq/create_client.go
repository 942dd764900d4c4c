package mbanq

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/tolerant"
)

const maxRequest = 256 << 10 // bytes

// creation is the input of CreateClient. What was validated is what is sent; requests are compared by its digest.
type creation struct {
	Digest     string
	TenantID   string
	ExternalID string
	Query      map[string]string // further parameters
	Body       jsontext.Value

	FromStateMachine bool
}

// CreateClient creates a client, which is then Pending (§3). With an externalId, which is unique at the partner,
// a lost answer is settled by looking for it; without one only a person can know.
func CreateClient(c Config) operation.Operation[creation] {
	return operation.Operation[creation]{
		Name:    "mbanq/create-client",
		Errors:  renderError,
		MaxBody: maxRequest,
		Decode:  decodeCreation,
		Fingerprint: func(in creation) any {
			return fingerprint(in.Query, "digest", in.Digest)
		},
		OnUnknown: func(in creation) operation.Resolution {
			if in.ExternalID != "" {
				return operation.Lookup
			}
			return operation.Manual
		},
		Call: func(ctx context.Context, call operation.Call, in creation) operation.Outcome {
			resp, failed := c.send(
				ctx, call,
				request{
					method: http.MethodPost, path: clientsPath, query: values(in.Query), body: in.Body, tenantID: in.TenantID,
					key: idempotencyKey(call),
				},
			)
			if failed != nil {
				return *failed
			}
			outcome, m := classify(resp)
			switch {
			case outcome.Class == operation.Done:
				id := idOf(m, "clientId")
				if id == "" {
					return operation.Outcome{Class: operation.Unknown, Code: "no_client_id", Reply: outcome.Reply}
				}
				in.own(call, id, &outcome)
				outcome.Fresh = true
			case call.Again && outcome.Class == operation.Conflict && isDuplicate(outcome.Code):
				// of what an attempt before it has created, unless another's is in the way
				if _, finding, others := c.lookUpClient(ctx, call, in); finding != operation.NotFound || !others {
					return operation.Outcome{Class: operation.Unknown, Code: outcome.Code}
				}
			case in.FromStateMachine && outcome.Code == codeDuplicateExternalID && c.isHidden(ctx, call, in.ExternalID):
				outcome.Code = operation.NotYours().Code
			}
			return outcome
		},
		Lookup: func(ctx context.Context, call operation.Call, in creation) (operation.Outcome, operation.Finding) {
			found, finding, _ := c.lookUpClient(ctx, call, in)
			return found, finding
		},
		Output: func(reply gateway.Reply) map[string]any {
			return map[string]any{"client_id": idOf(tolerant.ReadObject(reply.Body), "clientId")}
		},
	}
}

func decodeCreation(req gateway.Request) (in creation, err error) {
	m, err := body(req.Body)
	if err != nil {
		return in, err
	}
	check := checkClient(m)
	if err := check.err(); err != nil {
		return in, err
	}
	in = creation{TenantID: tenantOf(req), Query: further(req), Body: req.Body, FromStateMachine: req.FromStateMachine}
	if check.present("externalId") {
		in.ExternalID = m.Plain("externalId")
	}
	in.Digest, err = gateway.DigestJSON(req.Body)
	return in, err
}

// own records that the call has created a client, and with which externalId: the partner may show it otherwise.
func (in creation) own(call operation.Call, id string, outcome *operation.Outcome) {
	outcome.Creates, outcome.Refs = ownedClient(id), map[string]string{"client_id": id}
	if in.ExternalID != "" {
		outcome.Aliases = []string{ownedAs(call, id, in.ExternalID)}
	}
}

// ownedAs names a client together with the externalId that it was created with.
func ownedAs(call operation.Call, id, externalID string) string {
	return ownedClient(id) + "/" + call.Reference("mbanq/external id", externalID)
}

// lookUpClient looks for the client that a lost creation made, by its externalId and by its mobile number, which are
// unique at the partner (§3). One that another call is on record for is another's; others tells of such.
func (c Config) lookUpClient(
	ctx context.Context, call operation.Call, in creation,
) (found operation.Outcome, finding operation.Finding, others bool) {
	wanted := tolerant.ReadObject(in.Body)
	finding = operation.NotFound
	for _, by := range []string{"externalId", "mobileNo"} {
		if wanted.Plain(by) == "" {
			continue
		}
		failed := c.eachClient(ctx, call, by, wanted.Plain(by), func(item jsontext.Value) bool {
			m := tolerant.ReadObject(item)
			id, externalID, mobile := idOf(m, "id"), m.Plain("externalId"), m.Plain("mobileNo")
			switch another, err := call.Owned(ctx, ownedClient(id)); {
			case !isCut(externalID, in.ExternalID) && (mobile == "" || !tolerant.Same(mobile, wanted.Plain("mobileNo"))):
			case err != nil:
				found = operation.Outcome{Class: operation.Unavailable, Code: "ledger_unavailable"}
				finding = operation.Undetermined
				return false
			case another:
				others = true
			case id == "" || !tolerant.Same(externalID, in.ExternalID) || !in.agrees(m):
				finding = operation.Undetermined
			default:
				found = operation.Outcome{Class: operation.Done, Code: "ok", Reply: created(id, m.Number("officeId"))}
				in.own(call, id, &found)
				finding = operation.Found
				return false
			}
			return true
		})
		switch {
		case failed != nil:
			return *failed, operation.Undetermined, others
		case finding == operation.Found || found.Class != "":
			return found, finding, others
		}
	}
	return operation.Outcome{Class: operation.Unavailable, Code: "incomparable"}, finding, others
}

// codeDuplicateExternalID: another client has the externalId (mbanq §6).
const codeDuplicateExternalID = "client.duplicate.externalId"

// isDuplicate recognises that a client is refused for what another has in common with it.
func isDuplicate(code string) bool { return strings.HasPrefix(code, "client.duplicate.") }

// isHidden reports whether a client that is in the way of an externalId is none that the tenant may see, as far as a
// search tells by that externalId as a partner may have written it down.
func (c Config) isHidden(ctx context.Context, call operation.Call, externalID string) bool {
	if !call.Shared() {
		return false
	}
	found := c.find(ctx, call, strings.ToUpper(strings.Join(strings.Fields(externalID), " ")))
	return found.Class == operation.Done && found.Code != "ok"
}

// agrees reports whether a client is as it was to be created, as far as it is shown.
func (in creation) agrees(shown tolerant.Object) bool {
	shown = maps.Clone(shown)
	shown["genderId"], shown["legalFormId"] = shown.Object("gender")["id"], shown.Object("legalForm")["id"]
	return agree(tolerant.ReadObject(in.Body), shown, "officeId", "legalFormId", "firstname", "middlename", "lastname",
		"fullname", "dateOfBirth", "genderId", "emailAddress", "mobileCountryCode", "mobileNo")
}

// tenantOf is the partner's tenant that a caller names, if any: in a header or in the query (§1).
func tenantOf(req gateway.Request) string {
	if id := strings.TrimSpace(req.Header["tenantid"]); id != "" {
		return id
	}
	return strings.TrimSpace(req.Query["tenantIdentifier"])
}

// created is the partner's answer to a command, as far as a lookup can tell it.
func created(client string, office int64) gateway.Reply {
	return render(http.StatusOK, struct {
		ID         jsontext.Value `json:"id"`
		OfficeID   int64          `json:"officeId"`
		ClientID   jsontext.Value `json:"clientId"`
		ResourceID jsontext.Value `json:"resourceId"`
	}{jsontext.Value(client), office, jsontext.Value(client), jsontext.Value(client)})
}

const (
	pageSize = 200 // clients, as the partner's own SDK asks for
	maxPages = 10
)

// eachClient reads the clients that a search finds, page by page, until visit returns false. Where the list can't be
// read to its end, failed says why.
func (c Config) eachClient(
	ctx context.Context, call operation.Call, by, value string, visit func(jsontext.Value) bool,
) (failed *operation.Outcome) {
	for seen, page := 0, 0; page < maxPages; page++ {
		query := url.Values{by: {value}, "offset": {strconv.Itoa(seen)}, "limit": {strconv.Itoa(pageSize)}}
		resp, failed := c.send(ctx, call, request{method: http.MethodGet, path: clientsPath, query: query})
		if failed != nil {
			return failed
		}
		outcome, m := classify(resp)
		if outcome.Class != operation.Done {
			return &outcome
		}
		var items []jsontext.Value
		if m["pageItems"].Kind() != '[' || tolerant.Read(m["pageItems"], &items) != nil {
			break
		}
		for _, item := range items {
			if !visit(item) {
				return nil
			}
		}
		if seen += len(items); len(items) == 0 || int64(seen) >= m.Number("totalFilteredRecords") {
			return nil
		}
	}
	return &operation.Outcome{Class: operation.Unavailable, Code: "unreadable"}
}
