package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"strings"
	"testing"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
)

type registered struct{ callers []ledger.Caller }

func (r *registered) PutCaller(_ context.Context, c ledger.Caller) error {
	r.callers = append(r.callers, c)
	return nil
}

func TestRegisterCaller(t *testing.T) {
	var r registered
	var stdout, stderr bytes.Buffer
	err := registerCaller(
		t.Context(), &r, []string{"-tenant", "acme", "-scopes", "equal,transactions", "-days", "30"}, &stdout, &stderr,
	)
	if err != nil || len(r.callers) != 1 {
		t.Fatal(err)
	}
	key := strings.TrimSpace(stdout.String())
	c := r.callers[0]
	if !strings.HasPrefix(key, gateway.KeyPrefix) || len(key) < 24 || c.KeyHash != gateway.HashKey(key) ||
		c.Tenant != "acme" || !c.May("transactions") || c.May("sandbox") || c.ExpiresAt.IsZero() {
		t.Errorf("key %s, caller %+v", key, c)
	}
	if strings.Contains(stderr.String(), key) {
		t.Error("the key must be on standard output alone")
	}
	for _, args := range [][]string{
		{}, {"-tenant", "a b", "-scopes", "x"}, {"-tenant", "acme"}, {"-tenant", "acme", "-scopes", "x", "-days", "-1"},
		{"-tenant", strings.Repeat("a", 65), "-scopes", "x"}, {"-tenant", "acme", "-scopes", strings.Repeat("x,", 3000)},
		{"-tenant", "acme", "-scopes", "x", "-name", strings.Repeat("a", 257)},
		{"-h"},
	} {
		err := registerCaller(t.Context(), &r, args, &stdout, &stderr)
		if err == nil || len(args) == 1 && !errors.Is(err, flag.ErrHelp) {
			t.Errorf("%v: %v", args, err)
		}
	}
	if len(r.callers) != 1 {
		t.Errorf("%d callers were registered", len(r.callers))
	}
}
