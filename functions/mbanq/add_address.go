package mbanq

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/tolerant"
)

// addition is the input of what is added to a client: an address or an identifier.
type addition struct {
	ClientID string
	Type     string // of an address: it travels in the query
	Digest   string
	TenantID string
	Once     bool // not where the client has it already
	Body     jsontext.Value
}

// AddAddress adds an address to a client (mbanq §3). A lost answer is settled by the client's addresses.
func AddAddress(c Config) operation.Operation[addition] {
	return operation.Operation[addition]{
		Name:    "mbanq/add-address",
		Errors:  renderError,
		MaxBody: maxRequest,
		Decode: func(req gateway.Request) (addition, error) {
			in, m, err := decodeAddition(req)
			if err != nil {
				return in, err
			}
			in.Type = req.Query["type"]
			if req.FromStateMachine { // it travels in a state machine's body, which is opened only here
				in.Type = idOf(m, "addressTypeId")
				delete(m, "addressTypeId")
				if in.Body, err = json.Marshal(m, json.Deterministic(true)); err != nil {
					return in, err
				}
			}
			check := checkAddress(m)
			switch {
			case in.Type == "":
				check.add("address", "type", "cannot.be.blank", "The parameter `type` is mandatory.")
			case !isID(in.Type):
				return in, unsupported(req, "type", "must be a number")
			}
			return in, check.err()
		},
		Resource: func(in addition) string { return ownedClient(in.ClientID) },
		Fingerprint: func(in addition) any {
			return operation.Fields("client_id", in.ClientID, "type", in.Type, "digest", in.Digest)
		},
		OnUnknown: func(addition) operation.Resolution { return operation.Lookup },
		Call: func(ctx context.Context, call operation.Call, in addition) operation.Outcome {
			return c.addTo(ctx, call, in, c.lookUpAddress, request{
				method: http.MethodPost, path: addressesPath(in.ClientID), query: url.Values{"type": {in.Type}}, body: in.Body,
				tenantID: in.TenantID,
			})
		},
		Lookup: c.lookUpAddress,
		Output: summaryOfAddition,
	}
}

func decodeAddition(req gateway.Request) (in addition, m tolerant.Object, err error) {
	in = addition{ClientID: req.Params["clientId"], TenantID: tenantOf(req), Once: req.FromStateMachine, Body: req.Body}
	if !isID(in.ClientID) {
		return in, nil, invalidID(codeClientID, "clientId")
	}
	if m, err = body(req.Body); err == nil {
		in.Digest, err = gateway.DigestJSON(req.Body)
	}
	return in, m, err
}

// addTo adds something to a client. A state machine's is added once: what an earlier journey has added counts.
func (c Config) addTo(
	ctx context.Context, call operation.Call, in addition,
	known func(context.Context, operation.Call, addition) (operation.Outcome, operation.Finding), r request,
) operation.Outcome {
	if in.Once {
		switch found, finding := known(ctx, call, in); finding {
		case operation.Found:
			return found
		case operation.Undetermined: // nothing has been sent
			if found.Class == operation.Unknown {
				found.Class = operation.Unavailable
			}
			return found
		}
	}
	r.key = idempotencyKey(call)
	resp, failed := c.send(ctx, call, r)
	if failed != nil {
		return *failed
	}
	outcome, m := classify(resp)
	outcome.Refs = map[string]string{"client_id": in.ClientID}
	if outcome.Class == operation.Done {
		if outcome.Refs["resource_id"] = idOf(m, "resourceId"); outcome.Refs["resource_id"] == "" { // the list tells
			return operation.Outcome{Class: operation.Unknown, Code: "no_resource_id"}
		}
	}
	return outcome
}

// lookUpAddress looks for an address that says the same, of the same type. A postal code that the partner gives back as
// a number has lost its leading zeros.
func (c Config) lookUpAddress(
	ctx context.Context, call operation.Call, in addition,
) (operation.Outcome, operation.Finding) {
	wanted := tolerant.ReadObject(in.Body)
	return c.lookUpAddition(ctx, call, in, request{method: http.MethodGet, path: addressesPath(in.ClientID)}, "addressId",
		func(m tolerant.Object) operation.Finding {
			active := m.Plain("isActive")
			if idOf(m, "addressTypeId") != in.Type || active != "" && !strings.EqualFold(wanted.Plain("isActive"), active) {
				return operation.NotFound
			}
			for _, field := range []string{
				"addressLine1", "addressLine2", "addressLine3", "city", "stateProvinceId", "countryId",
			} {
				if wanted.Plain(field) != m.Plain(field) {
					return operation.NotFound
				}
			}
			code, known := wanted.Plain("postalCode"), m.Plain("postalCode")
			if code == known || m["postalCode"].Kind() == '0' && strings.TrimLeft(code, "0") == known {
				return operation.Found
			}
			return operation.NotFound
		})
}

// lookUpAddition looks through a list for what was to be added; same compares it with an element.
func (c Config) lookUpAddition(
	ctx context.Context, call operation.Call, in addition, r request, idName string,
	same func(tolerant.Object) operation.Finding,
) (operation.Outcome, operation.Finding) {
	resp, failed := c.send(ctx, call, r)
	if failed != nil {
		return *failed, operation.Undetermined
	}
	items, readable := tolerant.ReadObjects(resp.Body)
	switch {
	case resp.Status >= 400:
		outcome, _ := classify(resp)
		return outcome, operation.Undetermined
	case resp.Status != http.StatusOK || !readable:
		return operation.Outcome{Class: operation.Unavailable, Code: "unreadable"}, operation.Undetermined
	}
	finding := operation.NotFound
	for _, m := range items {
		id, s := idOf(m, idName), same(m)
		if s == operation.Undetermined {
			finding = s
		}
		if id != "" && s == operation.Found {
			return operation.Outcome{
				Class: operation.Done, Code: "ok", Refs: map[string]string{"client_id": in.ClientID, "resource_id": id},
				Reply: render(http.StatusOK, struct {
					ClientID   jsontext.Value `json:"clientId"`
					ResourceID jsontext.Value `json:"resourceId"`
				}{jsontext.Value(in.ClientID), jsontext.Value(id)}),
			}, operation.Found
		}
	}
	return operation.Outcome{Class: operation.Unavailable, Code: "incomparable"}, finding
}

// summaryOfAddition is what a state machine may see.
func summaryOfAddition(reply gateway.Reply) map[string]any {
	return map[string]any{"resource_id": idOf(tolerant.ReadObject(reply.Body), "resourceId")}
}
