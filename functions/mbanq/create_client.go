package mbanq

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

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
	Body       jsontext.Value
}

// CreateClient creates a client, which is then Pending (mbanq §3). With an externalId, which is unique at the partner,
// a lost answer is settled by looking for it; without one only a person can know.
func CreateClient(c Config) operation.Operation[creation] {
	return operation.Operation[creation]{
		Name:    "mbanq/create-client",
		Errors:  renderError,
		MaxBody: maxRequest,
		Decode:  decodeCreation,
		Fingerprint: func(in creation) any {
			return operation.Fields("digest", in.Digest)
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
					method: http.MethodPost, path: clientsPath, body: in.Body, tenantID: in.TenantID, key: idempotencyKey(call),
				},
			)
			if failed != nil {
				return *failed
			}
			outcome, m := classify(resp)
			if outcome.Class == operation.Done {
				id := idOf(m, "clientId")
				if id == "" {
					return operation.Outcome{Class: operation.Unknown, Code: "no_client_id", Reply: outcome.Reply}
				}
				outcome.Creates, outcome.Refs = ownedClient(id), map[string]string{"client_id": id}
			}
			return outcome
		},
		Lookup: func(ctx context.Context, call operation.Call, in creation) (operation.Outcome, operation.Finding) {
			found, finding := c.byExternalID(ctx, call, in.ExternalID)
			if finding != operation.Found {
				return found, finding
			}
			m := tolerant.ReadObject(found.Reply.Body)
			id, office := idOf(m, "id"), m.Number("officeId")
			switch owned, err := call.Owned(ctx, ownedClient(id)); {
			case err != nil:
				return operation.Outcome{Class: operation.Unavailable, Code: "ledger_unavailable"}, operation.Undetermined
			case owned: // another call's, and as the externalId is unique, there is none of this one's
				return operation.Outcome{}, operation.NotFound
			}
			return operation.Outcome{
				Class: operation.Done, Code: "ok", Creates: ownedClient(id), Refs: map[string]string{"client_id": id},
				Reply: created(id, office),
			}, operation.Found
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
	in = creation{TenantID: tenantOf(req), Body: req.Body}
	if check.present("externalId") {
		in.ExternalID = m.String("externalId")
	}
	in.Digest, err = gateway.DigestJSON(req.Body)
	return in, err
}

// tenantOf is the partner's tenant that a caller names, if any: in a header or in the query (mbanq §1).
func tenantOf(req gateway.Request) string {
	if id := req.Header["tenantid"]; id != "" {
		return id
	}
	return req.Query["tenantIdentifier"]
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

// byExternalID looks for a client, page by page in case the partner takes the externalId for a part of one. Its answer,
// where one is found, is the client as the list shows it. Only a list that was read to its end tells that there is
// none.
func (c Config) byExternalID(
	ctx context.Context, call operation.Call, externalID string,
) (operation.Outcome, operation.Finding) {
	unreadable := operation.Outcome{Class: operation.Unavailable, Code: "unreadable"}
	for seen, page := 0, 0; page < maxPages; page++ {
		query := url.Values{"externalId": {externalID}, "offset": {strconv.Itoa(seen)}, "limit": {strconv.Itoa(pageSize)}}
		resp, failed := c.send(ctx, call, request{method: http.MethodGet, path: clientsPath, query: query})
		if failed != nil {
			return *failed, operation.Undetermined
		}
		outcome, m := classify(resp)
		if outcome.Class != operation.Done {
			return outcome, operation.Undetermined
		}
		var items []jsontext.Value
		if m["pageItems"].Kind() != '[' || tolerant.Read(m["pageItems"], &items) != nil {
			return unreadable, operation.Undetermined
		}
		for _, item := range items {
			if found := readClient(tolerant.ReadObject(item)); found.ExternalID == externalID && found.ID != "" {
				outcome.Reply = gateway.JSON(http.StatusOK, item)
				return outcome, operation.Found
			}
		}
		if seen += len(items); len(items) == 0 || int64(seen) >= m.Number("totalFilteredRecords") {
			return outcome, operation.NotFound
		}
	}
	return unreadable, operation.Undetermined
}
