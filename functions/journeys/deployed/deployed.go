// Package deployed wires the journeys of a deployed stage; functions/local wires its own.
package deployed

import (
	"time"

	"sallyport/functions/journeys"
	"sallyport/shared/awsenv"
	"sallyport/shared/awsenv/awssecrets"
	"sallyport/shared/operation"
	"sallyport/shared/seal"
)

// Service is what the functions of journeys share, but for the listing, which needs no secrets. The vault and the
// orchestrator are added by those that use them, so that the others neither link their clients nor need their
// permissions.
func Service() *journeys.Service {
	l, cache := awsenv.Ledger(), awssecrets.New()
	return &journeys.Service{
		Ledger:  l,
		Secrets: cache,
		Ring:    seal.Cached(cache.Keys),
		Auth:    awsenv.Auth(l),
		Log:     awsenv.Log(),
		Now:     time.Now,
		NewID:   operation.NewID,
	}
}
