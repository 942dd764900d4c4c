package operation

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"sallyport/shared/ledger"
	"sallyport/shared/secrets"
	"sallyport/shared/tolerant"
)

const (
	// ownedTTL is how long it is remembered that a tenant owns a record, and so how long a tenant whom an operator has
	// taken it from may still act on it.
	ownedTTL = 60 * time.Second
	// maxOwned is how many records a container remembers the owners of.
	maxOwned = 10_000
)

// owned remembers who owns which records. Only a yes is remembered, and it ages: an operator may give the record to
// another. That nobody owns a record isn't remembered, as somebody may at any moment. It may be used concurrently.
type owned struct {
	mu    sync.Mutex
	known map[string]knownOwner // by record
}

type knownOwner struct {
	tenant string
	until  time.Time
}

func (o *owned) has(tenant, record string, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	known := o.known[record]
	return known.tenant == tenant && now.Before(known.until)
}

// add remembers what the ledger has said when it was asked.
func (o *owned) add(tenant, record string, asked time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known == nil || len(o.known) >= maxOwned {
		o.known = map[string]knownOwner{}
	}
	o.known[record] = knownOwner{tenant, asked.Add(ownedTTL)}
}

// ForgetOwner forgets who owns a record, named as by Operation.Resource. Whoever assigns records in the process that
// calls partners calls it afterwards; other processes find out within a minute.
func (p *Pipeline) ForgetOwner(record string) {
	if p.owned == nil { // there is no handler
		return
	}
	p.owned.mu.Lock()
	defer p.owned.mu.Unlock()
	delete(p.owned.known, record)
}

// visible reports whether the caller's tenant may see a partner's record; see Call.Visible.
func (r *execution[In]) visible(ctx context.Context, record string) (bool, error) {
	tenant, asked := r.caller.Tenant, r.h.p.Now()
	if r.h.p.owned.has(tenant, record, asked) {
		return true, nil
	}
	secret, own, err := r.h.p.Secrets.Account(ctx, tenant, r.h.partner())
	if own || err != nil && !errors.Is(err, secrets.ErrNotFound) { // without credentials there will be no call
		return err == nil, err
	}
	owner, err := r.h.p.Ledger.Owner(ctx, record)
	if slices.Contains(owner.Tenants, tenant) {
		r.h.p.owned.add(tenant, record, asked)
		return true, err
	}
	return len(owner.Tenants) == 0 && err == nil && sharesUnowned(secret), err
}

// shared reports whether other tenants may own records of the account that a call is made to.
func (r *execution[In]) shared(c Call) bool { return !r.ownAccount && !sharesUnowned(c.Secret) }

// sharesUnowned reports whether the deployment's credentials say that what nobody is known to own is seen by all.
func sharesUnowned(secret []byte) bool {
	var said struct {
		Unowned string `json:"unowned"`
	}
	return tolerant.Read(secret, &said) == nil && said.Unowned == "shared"
}

// recorded returns what is on record of whose a partner's record is.
func (r *execution[In]) recorded(ctx context.Context, record string) (ledger.Owner, error) {
	return r.h.p.Ledger.Owner(ctx, r.named(record))
}

// named is the name of a record among those of all accounts: two accounts may give two records one id.
func (r *execution[In]) named(record string) string {
	if record == "" || !r.ownAccount {
		return record
	}
	return "tenants/" + r.caller.Tenant + "/" + record
}

// ownerCheck asks beside the claim whether the caller may see the record that a request refers to. A nil one is a yes.
type ownerCheck struct {
	cancel  context.CancelFunc
	done    chan struct{} // closed when the answer is there
	visible bool
	err     error
}

// startOwnerCheck starts a check where the request refers to a record whose owner isn't remembered. Whoever starts one
// stops it.
func (r *execution[In]) startOwnerCheck(ctx context.Context) *ownerCheck {
	if r.h.op.Resource == nil {
		return nil
	}
	record, now := r.h.op.Resource(r.in), r.h.p.Now()
	if record == "" || r.h.p.owned.has(r.caller.Tenant, record, now) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, deadline(ctx, now).Add(-recordReserve).Sub(now)) // a denied claim is released
	c := &ownerCheck{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		defer func() {
			if recover() != nil {
				c.err = errors.New("operation: panic in the ledger")
			}
		}()
		c.visible, c.err = r.visible(ctx, record)
	}()
	return c
}

// wait waits for what the ledger says.
func (c *ownerCheck) wait() (visible bool, err error) {
	if c == nil {
		return true, nil
	}
	<-c.done
	return c.visible, c.err
}

// stop ends the check, whose answer nobody needs any more: nothing may run on after an invocation.
func (c *ownerCheck) stop() {
	if c != nil {
		c.cancel()
		<-c.done
	}
}
