package histories_test

import (
	"context"
	"errors"
	"time"

	"sallyport/shared/ledger"
	ledgerbolt "sallyport/shared/ledger/bolt"
	"sallyport/shared/operation"
)

// planted is a fault of the pipeline's own, which histories must find. The zero value is none.
type planted struct {
	name      string
	ledger    func(l operation.Ledger, inner *ledgerbolt.Ledger) operation.Ledger
	outcome   func(operation.Outcome) operation.Outcome
	blind     bool // lookups find nothing
	unkeyed   bool // each attempt has a key of its own at the partner
	alike     bool // requests are not compared
	anew      bool // replays differ from what they repeat
	oneTenant bool // callers are not told apart
	quiet     time.Duration
}

// allPlanted lists the faults that are planted, one at a time.
func allPlanted() []planted {
	type (
		wrapped = operation.Ledger
		file    = *ledgerbolt.Ledger
	)
	return []planted{
		{
			name:   "an outdated attempt completes",
			ledger: func(l wrapped, f file) wrapped { return unfenced{l, f} },
		},
		{
			name:   "a lapsed claim is free",
			ledger: func(l wrapped, f file) wrapped { return freeing{l, f} },
		},
		{
			name:   "an unknown outcome frees the key",
			ledger: func(l wrapped, _ file) wrapped { return releasing{l} },
		},
		{
			name:   "a claim that the ledger didn't take counts",
			ledger: func(l wrapped, _ file) wrapped { return trusting{l} },
		},
		{
			name:   "no record is another's",
			ledger: func(l wrapped, _ file) wrapped { return shared{l} },
		},
		{name: "an answer that was lost counts as a request not sent", outcome: func(o operation.Outcome) operation.Outcome {
			if o.Code == "answer_lost" {
				o.Class = operation.Unavailable
			}
			return o
		}},
		{name: "an unreadable answer counts as a success", outcome: func(o operation.Outcome) operation.Outcome {
			if o.Class == operation.Unknown && o.Reply.Status != 0 {
				o.Class = operation.Done
			}
			return o
		}},
		{name: "a replay is written anew", anew: true},
		{name: "a lookup goes by a spelling", blind: true},
		{name: "each attempt has another key at the partner", unkeyed: true},
		{name: "requests are not compared", alike: true},
		{name: "tenants are not told apart", oneTenant: true},
		{name: "a negative lookup counts at once", quiet: time.Nanosecond},
	}
}

// breakOperation plants a fault into an operation.
func breakOperation[In any](p planted, op operation.Operation[In]) operation.Operation[In] {
	made, lookup := op.Call, op.Lookup
	op.Call = func(ctx context.Context, c operation.Call, in In) operation.Outcome {
		if p.unkeyed {
			c.ID, c.Again = operation.NewID(), false
		}
		outcome := made(ctx, c, in)
		if p.outcome != nil {
			outcome = p.outcome(outcome)
		}
		return outcome
	}
	if p.blind && lookup != nil {
		op.Lookup = func(ctx context.Context, c operation.Call, in In) (operation.Outcome, operation.Finding) {
			outcome, finding := lookup(ctx, c, in)
			if finding == operation.Found {
				return operation.Outcome{}, operation.NotFound
			}
			return outcome, finding
		}
	}
	if p.alike && op.Fingerprint != nil {
		op.Fingerprint = func(In) any { return "" }
	}
	return op
}

// unfenced lets an attempt complete that holds the record no more.
type unfenced struct {
	operation.Ledger
	inner *ledgerbolt.Ledger
}

func (l unfenced) Complete(ctx context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	stands, err := l.Ledger.Complete(ctx, t)
	if errors.Is(err, ledger.ErrFenced) {
		return t, l.inner.Record(context.WithoutCancel(ctx), t)
	}
	return stands, err
}

// freeing lets a claim whose lease has lapsed be claimed again.
type freeing struct {
	operation.Ledger
	inner *ledgerbolt.Ledger
}

func (l freeing) Claim(ctx context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	stands, err := l.Ledger.Claim(ctx, t)
	if errors.Is(err, ledger.ErrTaken) && stands.State == ledger.Claimed && !stands.Running(t.ClaimedAt) {
		t.Generation, t.ExpiresAt = stands.Generation+1, t.Lease.Add(ledger.Retention)
		return t, l.inner.Record(context.WithoutCancel(ctx), t)
	}
	return stands, err
}

// releasing frees the key of what nobody knows the outcome of.
type releasing struct{ operation.Ledger }

func (l releasing) Complete(ctx context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	if t.State == ledger.Unknown {
		t.State = ledger.Released
	}
	return l.Ledger.Complete(ctx, t)
}

// shared takes every tenant for an owner of every record.
type shared struct{ operation.Ledger }

func (s shared) Owner(ctx context.Context, record string) (ledger.Owner, error) {
	owner, err := s.Ledger.Owner(ctx, record)
	owner.Tenants = tenants()
	return owner, err
}

// trusting goes on without the ledger.
type trusting struct{ operation.Ledger }

func (l trusting) Claim(ctx context.Context, t ledger.Transaction) (ledger.Transaction, error) {
	stands, err := l.Ledger.Claim(ctx, t)
	if errors.Is(err, errDown) {
		return t, nil
	}
	return stands, err
}
