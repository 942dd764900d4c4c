package bolt

import "sync"

// watchers are those who wait for a change of a journey. One process at a time holds the file, so that they hear of
// all.
type watchers struct {
	mu sync.Mutex
	of map[string]map[chan struct{}]bool // by journey
}

// Watch returns a channel that receives after a journey has changed, once for changes that come close together, until
// stop is called. Whoever watches before reading misses none.
func (l *Ledger) Watch(journey string) (changed <-chan struct{}, stop func()) {
	return l.watchers.add(journey)
}

func (w *watchers) add(journey string) (changed <-chan struct{}, stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of == nil {
		w.of = map[string]map[chan struct{}]bool{}
	}
	if w.of[journey] == nil {
		w.of[journey] = map[chan struct{}]bool{}
	}
	c := make(chan struct{}, 1)
	w.of[journey][c] = true
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if delete(w.of[journey], c); len(w.of[journey]) == 0 {
			delete(w.of, journey)
		}
	}
}

func (w *watchers) wake(journey string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.of[journey] {
		select {
		case c <- struct{}{}:
		default: // it has not heard of the one before yet, and will read this one as well
		}
	}
}
