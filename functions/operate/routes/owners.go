// Package routes serves those who run a deployment. Its routes act on what belongs to other tenants.
package routes

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/go-json-experiment/json"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
)

// Ledger is what these routes write.
type Ledger interface {
	// PutOwner makes a tenant the only owner of a partner's record, whoever owned it before.
	PutOwner(ctx context.Context, record, tenant string) error
}

// Records are the records that tenants own, by partner and kind: how each is named in the ledger by its id, which may
// not be one.
type Records map[string]map[string]func(id string) (name string, ok bool)

// ownership is the body of PUT /owners/{partner}/{kind}/{id}.
type ownership struct {
	Tenant string `json:"tenant"`
}

// New serves PUT /owners/{partner}/{kind}/{id}, which says whose a partner's record is: one that is older than
// Sallyport, was made past it, or whose creation stays unknown. It answers what was assigned, and takes the record from
// whoever owned it before. The partner isn't asked whether there is such a record.
func New(records Records, l Ledger, auth *gateway.Authenticator, log *slog.Logger) lambda.Handler {
	return gateway.Route{Auth: auth, Scope: ledger.OperatorScope, Log: log,
		Serve: func(ctx context.Context, caller ledger.Caller, req gateway.Request) (gateway.Reply, error) {
			partner, kind, id := req.Params["partner"], req.Params["kind"], req.Params["id"]
			kinds, known := records[partner]
			if !known {
				return gateway.Reply{}, unknown("partner", slices.Sorted(maps.Keys(records)))
			}
			name, known := kinds[kind]
			if !known {
				return gateway.Reply{}, unknown("kind", slices.Sorted(maps.Keys(kinds)))
			}
			record, ok := name(id)
			if !ok {
				return gateway.Reply{}, &gateway.InputError{
					Pointer: "id", Reason: "must be the id of a " + kind + " as the partner writes it",
				}
			}
			var in ownership
			if err := gateway.DecodeJSON(req.Body, &in); err != nil {
				return gateway.Reply{}, err
			}
			if err := ledger.CheckTenant(in.Tenant); err != nil {
				return gateway.Reply{}, &gateway.InputError{Pointer: "/tenant", Reason: err.Error()}
			}
			if err := l.PutOwner(ctx, record, in.Tenant); err != nil {
				return gateway.Reply{}, err
			}
			log.LogAttrs(ctx, slog.LevelInfo, "owner assigned", slog.String("record", record),
				slog.String("tenant", in.Tenant), slog.String("operator", caller.Name))
			body, err := json.Marshal(struct {
				Partner string `json:"partner"`
				Kind    string `json:"kind"`
				ID      string `json:"id"`
				ownership
			}{partner, kind, id, in})
			return gateway.JSON(200, body), err
		}}
}

func unknown(parameter string, known []string) error {
	return &gateway.InputError{Pointer: parameter, Reason: "must be one of " + strings.Join(known, ", ")}
}
