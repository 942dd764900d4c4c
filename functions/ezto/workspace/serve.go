package workspace

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
)

// Scope is what a caller of the workspace's routes must hold.
const Scope = "workspace"

// maxBody is of a workflow or an application, in bytes.
const maxBody = 32 << 10

// Store keeps settings.
type Store interface {
	// Setting returns a tenant's setting, or ledger.ErrNotFound.
	Setting(ctx context.Context, tenant, kind, name string) (ledger.Setting, error)
	// PutSetting writes a setting over the version given, or returns ledger.ErrStale.
	PutSetting(ctx context.Context, s ledger.Setting, over int) (ledger.Setting, error)
}

// Body returns the body of a request to store a workflow or an application.
func Body(req gateway.Request) ([]byte, error) {
	if req.TooLarge(maxBody) {
		return nil,
			gateway.NewProblem(http.StatusRequestEntityTooLarge, "too_large", "the body exceeds "+strconv.Itoa(maxBody)+" bytes")
	}
	return req.Body, nil
}

// view is a setting as callers see it.
type view[T any] struct {
	Setting   T         `json:",embed"`
	Version   int       `json:"version"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Put stores a workflow or an application under the name that the request's path tells, and answers with it: 201 where
// there was none, 200 where there was. If-Match, or If-None-Match with *, lets it happen only over what they name, else
// 412.
func Put[T Workflow | Application](
	ctx context.Context, store Store, req gateway.Request, tenant, kind string, setting T, now time.Time,
) (gateway.Reply, error) {
	document, err := json.Marshal(setting, json.Deterministic(true))
	if err != nil {
		return gateway.Reply{}, err
	}
	name := req.Params["name"]
	over, err := precondition(ctx, store, req, tenant, kind, name)
	if err != nil {
		return gateway.Reply{}, err
	}
	stored, err := store.PutSetting(
		ctx, ledger.Setting{Tenant: tenant, Kind: kind, Name: name, Document: document, UpdatedAt: now.UTC()}, over,
	)
	if errors.Is(err, ledger.ErrStale) {
		return gateway.Reply{}, errPrecondition()
	}
	if err != nil {
		return gateway.Reply{}, err
	}
	status := http.StatusOK
	if stored.Version == 1 {
		status = http.StatusCreated
	}
	return show[T](stored, status)
}

// Get answers with the workflow or application that the request's path names, or with 304 where If-None-Match names it.
func Get[T Workflow | Application](
	ctx context.Context, store Store, req gateway.Request, tenant, kind string,
) (gateway.Reply, error) {
	name := req.Params["name"]
	if !ValidName(name) {
		return gateway.Reply{}, ledger.ErrNotFound
	}
	stored, err := store.Setting(ctx, tenant, kind, name)
	if err != nil {
		return gateway.Reply{}, err
	}
	if tag := etag(stored.Version); slices.ContainsFunc(tags(req.Header["if-none-match"]), func(known string) bool {
		return known == "*" || strings.TrimPrefix(known, "W/") == tag
	}) {
		return gateway.Empty(http.StatusNotModified).With("ETag", tag), nil
	}
	return show[T](stored, http.StatusOK)
}

func show[T Workflow | Application](stored ledger.Setting, status int) (gateway.Reply, error) {
	v := view[T]{Version: stored.Version, UpdatedAt: stored.UpdatedAt}
	if err := json.Unmarshal(stored.Document, &v.Setting); err != nil {
		return gateway.Reply{}, err
	}
	body, err := json.Marshal(v, json.Deterministic(true))
	return gateway.JSON(status, body).With("ETag", etag(stored.Version)), err
}

// precondition returns the version that a request may write over.
func precondition(
	ctx context.Context, store Store, req gateway.Request, tenant, kind, name string,
) (over int, err error) {
	match, conditional := req.Header["if-match"]
	if none, ok := req.Header["if-none-match"]; ok {
		if conditional || strings.TrimSpace(none) != "*" {
			return 0, wrong("If-None-Match", "must be *, without If-Match")
		}
		return 0, nil
	}
	if !conditional {
		return ledger.AnyVersion, nil
	}
	standing, err := store.Setting(ctx, tenant, kind, name)
	if errors.Is(err, ledger.ErrNotFound) {
		return 0, errPrecondition()
	}
	if err != nil {
		return 0, err
	}
	switch known := tags(match); {
	case slices.Contains(known, "*"):
		return ledger.AnyVersion, nil // nothing takes a setting away
	case slices.Contains(known, etag(standing.Version)):
		return standing.Version, nil
	}
	return 0, errPrecondition()
}

func errPrecondition() error {
	return gateway.NewProblem(
		http.StatusPreconditionFailed, "precondition_failed", "what is there has another version than the request names",
	)
}

// etag is a version as an entity tag.
func etag(version int) string { return strconv.Quote(strconv.Itoa(version)) }

// tags are those of a header; ours hold no commas.
func tags(header string) []string {
	all := strings.Split(header, ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}
