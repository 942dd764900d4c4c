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

// AddIdentifier adds an identity document's number to a client (§3). A lost answer is settled by the client's
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
			return fingerprint(in.Query, "client_id", in.ClientID, "digest", in.Digest)
		},
		OnUnknown: func(addition) operation.Resolution { return operation.Lookup },
		Call: func(ctx context.Context, call operation.Call, in addition) operation.Outcome {
			return c.addTo(ctx, call, in, identifier(in), request{
				method: http.MethodPost, path: identifiersPath(in.ClientID), query: values(in.Query), body: in.Body,
				tenantID: in.TenantID,
			})
		},
		Lookup: func(ctx context.Context, call operation.Call, in addition) (operation.Outcome, operation.Finding) {
			return c.lookUpAddition(ctx, call, in, identifier(in), true)
		},
		Output: summaryOfAddition,
	}
}

// identifier is the kind of a client's identifiers of one type, which documents hang from. One whose number is masked
// all the same can't be compared. What is to be added once is there where its number is.
func identifier(in addition) kind {
	wanted := tolerant.ReadObject(in.Body)
	ofType := idOf(wanted, "documentTypeId") // empty for one that is no number: the partner may read it all the same
	return kind{
		list: request{
			method: http.MethodGet, path: identifiersPath(in.ClientID), query: url.Values{"unmaskValue": {"true"}},
		},
		id:    "id",
		owned: func(_, id string) string { return ownedIdentifier(id) },
		words: folded(wanted, "documentTypeId", "documentKey"),
		compare: func(m tolerant.Object) likeness {
			of, number := m.Object("documentType"), m.Plain("documentKey")
			switch id := idOf(of, "id"); {
			case id != "" && ofType != "" && id != ofType:
				return ofAnotherKind
			case of.Plain("isMasked") == "true" || strings.Contains(number, "*"):
				return masked
			case id != "" && id == ofType && tolerant.Same(number, wanted.Plain("documentKey")) &&
				(in.Once || agree(wanted, m, "status", "issuedBy", "issuedDate", "expiryDate")):
				return alike
			}
			return unlike
		},
	}
}
