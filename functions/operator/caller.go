package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
)

// How long what stands in a caller's record may be, in bytes. A tenant stands in every record.
const (
	maxTenant = 64
	maxName   = 256
	maxScopes = 4 << 10
)

// registrar is the ledger in which callers are registered.
type registrar interface {
	PutCaller(ctx context.Context, c ledger.Caller) error
}

// registerCaller makes a key, registers its hash in a deployed stage's ledger and prints it: it is kept nowhere.
func registerCaller(ctx context.Context, l registrar, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("caller", flag.ContinueOnError)
	flags.SetOutput(stderr)
	tenant := flags.String("tenant", "", "whose records its calls are (required)")
	name := flags.String("name", "", "what people call it")
	scopes := flags.String(
		"scopes", "", "what it may use, joined by commas: partners, transactions, sandbox, or * for all (required)",
	)
	days := flags.Int("days", 0, "how long the key is valid; 0 for ever")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := ledger.CheckTenant(*tenant); err != nil {
		return fmt.Errorf("caller: -tenant %w", err)
	}
	switch {
	case *scopes == "" || strings.Contains(*scopes, " "):
		return errors.New("caller: -scopes must be given, without spaces")
	case len(*tenant) > maxTenant || len(*name) > maxName || len(*scopes) > maxScopes:
		return fmt.Errorf("caller: at most %d characters for -tenant, %d for -name and %d for -scopes", maxTenant, maxName,
			maxScopes)
	case *days < 0:
		return errors.New("caller: -days must not be negative")
	}
	key := gateway.KeyPrefix + rand.Text()
	caller := ledger.Caller{
		KeyHash: gateway.HashKey(key), Tenant: *tenant, Name: *name, Scopes: strings.Split(*scopes, ","),
	}
	if *days > 0 {
		caller.ExpiresAt = time.Now().AddDate(0, 0, *days)
	}
	if err := l.PutCaller(ctx, caller); err != nil {
		return fmt.Errorf("caller: register: %w", err)
	}
	fmt.Fprintf(
		stderr, "Registered for tenant %s with scopes %s. This is the key; it is shown only now:\n", *tenant, *scopes,
	)
	_, err := fmt.Fprintln(stdout, key)
	return err
}
