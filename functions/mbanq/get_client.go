package mbanq

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
)

// clientQuery is the input of GetClient: an id, or for a state machine an externalId.
type clientQuery struct {
	ClientID   string            `json:"client_id,omitzero"`
	ExternalID string            `json:"external_id,omitzero"` // of a state machine's body
	TenantID   string            `json:"-"`
	Query      map[string]string `json:"query,omitzero"`
}

// GetClient reads a client (§4). A state machine may ask for an externalId instead, and is told where there is
// none.
func GetClient(c Config) operation.Operation[clientQuery] {
	return operation.Operation[clientQuery]{
		Name:   "mbanq/get-client",
		Errors: renderError,
		Decode: func(req gateway.Request) (in clientQuery, err error) {
			if req.FromStateMachine && len(req.Body) > 0 {
				var wanted struct {
					ExternalID string `json:"external_id"`
				}
				if err = gateway.DecodeJSON(req.Body, &wanted); err == nil && wanted.ExternalID == "" {
					err = &gateway.InputError{
						Pointer: "/external_id", Reason: "is required", Source: source.Interface("a step of a journey"),
					}
				}
				return clientQuery{ExternalID: wanted.ExternalID}, err
			}
			in = clientQuery{
				ClientID: req.Params["clientId"], TenantID: tenantOf(req),
				Query: further(req),
			}
			if !isID(in.ClientID) {
				return in, invalidID(codeClientID, "clientId")
			}
			return in, nil
		},
		Resource: func(in clientQuery) string {
			if in.ClientID == "" {
				return ""
			}
			return ownedClient(in.ClientID)
		},
		Call: func(ctx context.Context, call operation.Call, in clientQuery) operation.Outcome {
			if in.ExternalID != "" {
				return c.find(ctx, call, in.ExternalID)
			}
			return c.read(ctx, call, in)
		},
		Output: summaryOfClient,
	}
}

// further are the query parameters that are passed on: all but the tenant, and those that an operation reads itself.
func further(req gateway.Request, own ...string) map[string]string {
	query := maps.Clone(req.Query)
	maps.DeleteFunc(query, func(name, _ string) bool { return name == "tenantIdentifier" || slices.Contains(own, name) })
	return query
}

func (c Config) read(ctx context.Context, call operation.Call, in clientQuery) operation.Outcome {
	resp, failed := c.send(
		ctx, call,
		request{method: http.MethodGet, path: clientPath(in.ClientID), query: values(in.Query), tenantID: in.TenantID},
	)
	if failed != nil {
		return *failed
	}
	outcome, m := classify(resp)
	if outcome.Class == operation.Done {
		found := readClient(m)
		if found.ID != in.ClientID { // nor is it known that there is none
			return operation.Outcome{Class: operation.Unavailable, Code: "unreadable"}
		}
		outcome.Refs = refs(found)
	}
	return outcome
}

// find looks for a client of this tenant's by its externalId; an empty object stands for none. One that shows another
// is it where it was created with this one, and may be it where it shows what is left of this one, whoever may see it.
func (c Config) find(ctx context.Context, call operation.Call, externalID string) operation.Outcome {
	found, outcome := client{}, operation.Outcome{Class: operation.Done, Code: "ok"}
	doubtful, hidden := false, false
	failed := c.eachClient(ctx, call, "externalId", externalID, func(item jsontext.Value) bool {
		m := tolerant.ReadObject(item)
		id, is := idOf(m, "id"), m.String("externalId") == externalID || m.Text("externalId") == externalID
		if id == "" || !is && !isCut(m.Plain("externalId"), externalID) {
			return true
		}
		if !is {
			var err error
			var visible bool
			if is, err = call.Owned(ctx, ownedAs(call, id, externalID)); err == nil && !is {
				visible, err = call.Visible(ctx, ownedClient(id))
			}
			doubtful = doubtful || err != nil || visible
			hidden = hidden || err == nil && !is && !visible
		}
		if is {
			found, outcome.Reply = readClient(m), gateway.JSON(http.StatusOK, item)
		}
		return !is
	})
	switch {
	case failed != nil:
		return *failed
	case found.ID == "" && doubtful:
		return operation.Outcome{Class: operation.Unavailable, Code: "incomparable"}
	case found.ID == "" && hidden:
		return operation.NotYours()
	case found.ID == "":
		return operation.Outcome{Class: operation.Done, Code: "absent", Reply: gateway.JSON(http.StatusOK, []byte("{}"))}
	}
	switch visible, err := call.Visible(ctx, ownedClient(found.ID)); {
	case err != nil:
		return operation.Outcome{Class: operation.Unavailable, Code: "ledger_unavailable"}
	case !visible:
		return operation.NotYours()
	}
	outcome.Refs = refs(found)
	return outcome
}

func refs(c client) map[string]string {
	refs := map[string]string{}
	if c.ID != "" {
		refs["client_id"] = c.ID
	}
	for name, value := range map[string]string{"verification": c.Verification, "sub_status": c.SubStatus} {
		if isWord(value) {
			refs[name] = value
		}
	}
	return refs
}

// summaryOfClient is what a state machine may see of a client. What it is, state says in one word: absent, active,
// verified, in_progress, rejected, pending, other for what can't be activated, or not_yours.
func summaryOfClient(reply gateway.Reply) map[string]any {
	if operation.IsNotYours(reply) {
		return map[string]any{"client_id": "", "state": "not_yours"}
	}
	c := readClient(tolerant.ReadObject(reply.Body))
	return map[string]any{"client_id": c.ID, "state": c.state()}
}

func (c client) state() string {
	switch {
	case c.ID == "":
		return "absent"
	case c.Status == clientActive:
		return "active"
	case c.Status != clientPending:
		return "other"
	case c.verified():
		return "verified"
	case c.Verification == verificationInProgress: // also of one that was verified in part
		return "in_progress"
	case c.Verification == verificationRejected:
		return "rejected"
	}
	return "pending"
}
