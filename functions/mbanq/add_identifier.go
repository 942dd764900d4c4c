package mbanq

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/tolerant"
)

// AddIdentifier adds an identity document's number to a client (mbanq §3). A lost answer is settled by the client's
// identifiers, asked for unmasked.
func AddIdentifier(c Config) operation.Operation[addition] {
	return operation.Operation[addition]{
		Name:    "mbanq/add-identifier",
		Errors:  renderError,
		MaxBody: maxRequest,
		Decode: func(req gateway.Request) (addition, error) {
			in, m, err := decodeAddition(req)
			if err != nil {
				return in, err
			}
			return in, checkIdentifier(m).err()
		},
		Resource: func(in addition) string { return ownedClient(in.ClientID) },
		Fingerprint: func(in addition) any {
			return operation.Fields("client_id", in.ClientID, "digest", in.Digest)
		},
		OnUnknown: func(addition) operation.Resolution { return operation.Lookup },
		Call: func(ctx context.Context, call operation.Call, in addition) operation.Outcome {
			outcome := c.addTo(ctx, call, in, c.lookUpIdentifier, request{
				method: http.MethodPost, path: identifiersPath(in.ClientID), body: in.Body, tenantID: in.TenantID,
			})
			return owning(outcome)
		},
		Lookup: func(ctx context.Context, call operation.Call, in addition) (operation.Outcome, operation.Finding) {
			found, finding := c.lookUpIdentifier(ctx, call, in)
			return owning(found), finding
		},
		Output: summaryOfAddition,
	}
}

// owning records whose identifier it is: documents hang from it.
func owning(outcome operation.Outcome) operation.Outcome {
	if id := outcome.Refs["resource_id"]; outcome.Class == operation.Done && id != "" {
		outcome.Creates = ownedIdentifier(id)
	}
	return outcome
}

// lookUpIdentifier looks for an identifier of the same type and number. One whose number is masked all the same can't
// be compared.
func (c Config) lookUpIdentifier(
	ctx context.Context, call operation.Call, in addition,
) (operation.Outcome, operation.Finding) {
	wanted := tolerant.ReadObject(in.Body)
	return c.lookUpAddition(ctx, call, in, request{
		method: http.MethodGet, path: identifiersPath(in.ClientID), query: url.Values{"unmaskValue": {"true"}},
	}, "id", func(m tolerant.Object) operation.Finding {
		kind := m.Object("documentType")
		switch key := m.Plain("documentKey"); {
		case idOf(kind, "id") != idOf(wanted, "documentTypeId"):
		case key == wanted.Plain("documentKey"):
			return operation.Found
		case kind.Plain("isMasked") == "true" || strings.Contains(key, "*"):
			return operation.Undetermined
		}
		return operation.NotFound
	})
}
