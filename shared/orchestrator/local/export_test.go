package local

// Retention, SweepLimit and Resuming are what tests compare with.
const (
	Retention  = retention
	SweepLimit = sweepLimit
	Resuming   = resuming
)

// Held returns how many locks and timers are kept.
func (r *Orchestrator) Held() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.locks) + len(r.timers)
}

// Closing is closed once Close has begun.
func (r *Orchestrator) Closing() <-chan struct{} { return r.ctx.Done() }
