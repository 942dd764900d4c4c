package mbanq

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
)

// addition is the input of what is added to a client: an address or an identifier.
type addition struct {
	ClientID string
	Type     string // of an address: it travels in the query
	Digest   string
	TenantID string
	Once     bool              // not where the client has it already
	Query    map[string]string // further parameters
	Body     jsontext.Value
}

// AddAddress adds an address to a client (§3). A lost answer is settled by the client's addresses.
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
			in.Type = strings.TrimSpace(req.Query["type"])
			if req.FromStateMachine { // it travels in a state machine's body, which is opened only here
				in.Type = m.Plain("addressTypeId")
				delete(m, "addressTypeId")
				if in.Body, err = json.Marshal(m, json.Deterministic(true)); err != nil {
					return in, err
				}
			}
			check := checkAddress(m)
			switch {
			case in.Type == "":
				check.add("address", "type", "cannot.be.blank", "The parameter `type` is mandatory.")
			case numeric(in.Type) == "":
				return in, unsupported(source.Safety("a lost address is looked for by its type"), req, "type", "must be a number")
			}
			in.Type = numeric(in.Type)
			return in, check.err()
		},
		Resource: func(in addition) string { return ownedClient(in.ClientID) },
		Fingerprint: func(in addition) any {
			return fingerprint(in.Query, "client_id", in.ClientID, "type", in.Type, "digest", in.Digest)
		},
		OnUnknown: func(addition) operation.Resolution { return operation.Lookup },
		Call: func(ctx context.Context, call operation.Call, in addition) operation.Outcome {
			return c.addTo(ctx, call, in, address(in), request{
				method: http.MethodPost, path: addressesPath(in.ClientID), query: values(in.Query, "type", in.Type), body: in.Body,
				tenantID: in.TenantID,
			})
		},
		Lookup: func(ctx context.Context, call operation.Call, in addition) (operation.Outcome, operation.Finding) {
			return c.lookUpAddition(ctx, call, in, address(in), true)
		},
		Output: summaryOfAddition,
	}
}

func decodeAddition(req gateway.Request) (in addition, m tolerant.Object, err error) {
	in = addition{
		ClientID: req.Params["clientId"], TenantID: tenantOf(req), Once: req.FromStateMachine, Body: req.Body,
		Query: further(req, "type"),
	}
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
	ctx context.Context, call operation.Call, in addition, k kind, r request,
) operation.Outcome {
	if in.Once {
		switch found, finding := c.lookUpAddition(ctx, call, in, k, call.Again); finding {
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
		id := idOf(m, "resourceId")
		if id == "" { // the list tells
			return operation.Outcome{Class: operation.Unknown, Code: "no_resource_id"}
		}
		outcome.Refs["resource_id"], outcome.Fresh = id, true
		k.own(call, in, &outcome)
	}
	return outcome
}

// kind is a kind of what is added to a client, with how one is recognised in the list of what the client has.
type kind struct {
	list  request
	id    string // the member that is its id
	owned func(client, id string) string
	words []string // of what was sent: what tells one from another
	// compare says how like what was sent an element of the list is
	compare func(m tolerant.Object) likeness
}

// likeness is how like what was sent something is that a client has.
type likeness int

const (
	ofAnotherKind likeness = iota
	unlike                 // as far as it shows: the partner may have written it otherwise
	masked
	alike // all that was sent agrees, as the partner would read it
)

// own records that the call has added what an outcome names, and in which words: the partner may show it in others.
func (k kind) own(call operation.Call, in addition, outcome *operation.Outcome) {
	outcome.Creates = k.owned(in.ClientID, outcome.Refs["resource_id"])
	outcome.Aliases = []string{k.worded(call, outcome.Creates)}
}

// worded names something together with the words in which it was sent.
func (k kind) worded(call operation.Call, record string) string {
	return record + "/" + call.Reference("mbanq/words", k.words...)
}

// lookUpAddition looks through what a client has for what was to be added. What another call is on record for is not
// this one's, unless it is to be added once. Once it may have been sent, whatever else is of its kind may be it.
func (c Config) lookUpAddition(
	ctx context.Context, call operation.Call, in addition, k kind, sent bool,
) (operation.Outcome, operation.Finding) {
	resp, failed := c.send(ctx, call, k.list)
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
		like, id := k.compare(m), idOf(m, k.id)
		if like == ofAnotherKind {
			continue
		}
		is, err := k.judge(ctx, call, in, id, like, sent)
		switch {
		case err != nil:
			return operation.Outcome{Class: operation.Unavailable, Code: "ledger_unavailable"}, operation.Undetermined
		case is == operation.Found:
			found := operation.Outcome{
				Class: operation.Done, Code: "ok", Refs: map[string]string{"client_id": in.ClientID, "resource_id": id},
				Reply: render(http.StatusOK, struct {
					ClientID   jsontext.Value `json:"clientId"`
					ResourceID jsontext.Value `json:"resourceId"`
				}{jsontext.Value(in.ClientID), jsontext.Value(id)}),
			}
			k.own(call, in, &found)
			return found, operation.Found
		case is == operation.Undetermined:
			finding = is
		}
	}
	return operation.Outcome{Class: operation.Unavailable, Code: "incomparable"}, finding
}

// judge says whether something of the kind is what was to be added.
func (k kind) judge(
	ctx context.Context, call operation.Call, in addition, id string, like likeness, sent bool,
) (operation.Finding, error) {
	if id == "" {
		return operation.Undetermined, nil
	}
	record := k.owned(in.ClientID, id)
	if in.Once && like != alike {
		same, err := call.Owned(ctx, k.worded(call, record))
		switch {
		case err != nil || same:
			return operation.Found, err
		case like == masked:
			return operation.Undetermined, nil
		case !sent:
			return operation.NotFound, nil
		}
	}
	if !in.Once || like != alike {
		another, err := call.Owned(ctx, record)
		if err != nil || another {
			return operation.NotFound, err
		}
	}
	if like == alike {
		return operation.Found, nil
	}
	return operation.Undetermined, nil
}

// address is the kind of a client's addresses of one type.
func address(in addition) kind {
	wanted := tolerant.ReadObject(in.Body)
	words := func(m tolerant.Object) []string {
		return folded(m, "addressLine1", "addressLine2", "addressLine3", "city", "stateProvinceId", "countryId", "postalCode")
	}
	return kind{
		list: request{method: http.MethodGet, path: addressesPath(in.ClientID)}, id: "addressId", owned: ownedAddress,
		words: append(words(wanted), in.Type),
		compare: func(m tolerant.Object) likeness {
			active := m.Plain("isActive")
			switch id := idOf(m, "addressTypeId"); {
			case id != "" && id != in.Type:
				return ofAnotherKind
			case id != "" && slices.Equal(words(wanted), words(m)) &&
				(active == "" || strings.EqualFold(wanted.Plain("isActive"), active)):
				return alike
			}
			return unlike
		},
	}
}

// folded are members of an object as the partner would read them, whatever they are written like.
func folded(m tolerant.Object, names ...string) (all []string) {
	for _, name := range names {
		all = append(all, tolerant.Fold(m.Plain(name)))
	}
	return all
}

// summaryOfAddition is what a state machine may see.
func summaryOfAddition(reply gateway.Reply) map[string]any {
	return map[string]any{"resource_id": idOf(tolerant.ReadObject(reply.Body), "resourceId")}
}
