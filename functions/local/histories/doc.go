// Package histories holds no code. Its tests drive operations of real partners through random histories on a virtual
// clock: several clients of two tenants, few idempotency keys, failures of partners and of the ledger, invocations that
// are killed or stand still. Each history is checked for what the pipeline promises: a linearizability checker compares
// the answers and the effects of each key with a sequential model. To tell that the checks see anything, histories are
// run with faults planted into the pipeline as well.
package histories
