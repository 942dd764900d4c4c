package operation

import (
	"context"

	"sallyport/shared/ledger"
)

// Ledger is what the pipeline needs of the record of transactions. Every method that writes is one conditional
// write (Complete may name an owner before it); none reads first. Implementations: ledger/dynamo, ledger/bolt.
type Ledger interface {
	// Claim takes the record t.ID for t.Attempt when it is absent, expired (ExpiresAt at or before t.ClaimedAt) or
	// released by another attempt (a delayed copy of the write that this very attempt began with must not revive it),
	// forgets what an earlier attempt left there and returns it as stored: State Claimed, Generation one
	// more than before, TakeOvers 0, ExpiresAt = Lease + ledger.Retention. A write that had already succeeded with
	// the same Attempt counts as success. Otherwise: the record as it stands, with ledger.ErrTaken.
	Claim(ctx context.Context, t ledger.Transaction) (ledger.Transaction, error)

	// TakeOver gives a record that is claimed or unknown and still held by attempt from to t.Attempt, keeping
	// Generation, ClaimedAt and Fingerprint as stored and raising TakeOvers by one; State becomes Claimed, Lease is
	// t.Lease, SentAt zero. A write that had already succeeded with the same Attempt counts as success. Otherwise:
	// the record as it stands (the zero record where there is none), with ledger.ErrTaken. The caller has checked that
	// the lease has lapsed.
	TakeOver(ctx context.Context, t ledger.Transaction, from string) (ledger.Transaction, error)

	// Complete writes t, which carries its end (State, Code, EndedAt, ExpiresAt, Reply, Refs …), over a record that
	// is claimed or unknown and still held by t.Attempt. A write that had already succeeded (same Attempt, same
	// State) counts as success. Otherwise: the record as it stands, or the zero record, with ledger.ErrFenced. Where
	// t.Owns is set, t.Tenant is an owner of that partner record, and t.Call() its Call, no later than t has its end; they
	// may be so as well where Complete fails. Where others own it: nothing is written, with ledger.ErrOwned, unless
	// t.Overrules what is known of them; see ledger.Owner. Of the names in t.Aliases it becomes the owner likewise, where
	// nobody else is.
	Complete(ctx context.Context, t ledger.Transaction) (ledger.Transaction, error)

	// Record writes a call that needed no claim (a read) after its answer. With t.Owns as Complete does.
	Record(ctx context.Context, t ledger.Transaction) error

	// Owner returns who owns a partner's record ("equal/transaction/<id>"); the zero Owner where nobody is known to. That
	// an unfinished call is its Call tells that the record is that call's work, and nobody else's.
	Owner(ctx context.Context, record string) (ledger.Owner, error)
}
