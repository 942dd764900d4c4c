package operation

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// maxOwned is how many records a container remembers the owners of.
const maxOwned = 10_000

// owned remembers which tenants own which records. Only a yes is remembered: it stays true, while a record without an
// owner may get one. It may be used concurrently.
type owned struct {
	mu    sync.Mutex
	known map[ownership]struct{}
}

type ownership struct{ tenant, record string }

func (o *owned) has(who ownership) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, ok := o.known[who]
	return ok
}

func (o *owned) add(who ownership) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known == nil || len(o.known) >= maxOwned {
		o.known = map[ownership]struct{}{}
	}
	o.known[who] = struct{}{}
}

// ownedByOther reports whether a partner's record was created by other tenants' calls alone.
func (r *execution[In]) ownedByOther(ctx context.Context, tenant, record string) (bool, error) {
	who := ownership{tenant, record}
	if r.h.owned.has(who) {
		return false, nil
	}
	owners, err := r.owners(ctx, record)
	if slices.Contains(owners, tenant) {
		r.h.owned.add(who)
		return false, err
	}
	return len(owners) > 0, err
}

// ownerCheck asks beside the claim whether a request refers to a record of other tenants. A nil one is a no.
type ownerCheck struct {
	cancel  context.CancelFunc
	done    chan struct{} // closed when the answer is there
	ofOther bool
	err     error
}

// startOwnerCheck starts a check where the request refers to a record whose owner isn't remembered. Whoever starts one
// stops it.
func (r *execution[In]) startOwnerCheck(ctx context.Context) *ownerCheck {
	if r.h.op.Resource == nil {
		return nil
	}
	record, tenant := r.h.op.Resource(r.in), r.caller.Tenant
	if record == "" || r.h.owned.has(ownership{tenant, record}) {
		return nil
	}
	now := r.h.p.Now()
	ctx, cancel := context.WithTimeout(ctx, deadline(ctx, now).Add(-recordReserve).Sub(now)) // a denied claim is released
	c := &ownerCheck{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		defer func() {
			if recover() != nil {
				c.err = errors.New("operation: panic in the ledger")
			}
		}()
		c.ofOther, c.err = r.ownedByOther(ctx, tenant, record)
	}()
	return c
}

// wait waits for what the ledger says.
func (c *ownerCheck) wait() (ofOther bool, err error) {
	if c == nil {
		return false, nil
	}
	<-c.done
	return c.ofOther, c.err
}

// stop ends the check, whose answer nobody needs any more: nothing may run on after an invocation.
func (c *ownerCheck) stop() {
	if c != nil {
		c.cancel()
		<-c.done
	}
}
