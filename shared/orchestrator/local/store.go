package local

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/shared/asl"
	"sallyport/shared/bolt"
)

var (
	executions  = []byte("orchestrator/executions")  // name → stored, until its end is reported
	ended       = []byte("orchestrator/ended")       // name → stored, afterwards
	endings     = []byte("orchestrator/endings")     // when that was, name → nothing; the oldest first
	definitions = []byte("orchestrator/definitions") // fingerprint → definition
	settings    = []byte("orchestrator/settings")
	baseKey     = []byte("base")
)

// retention is how long an execution is kept after its end, for people who look, and so that a start that is repeated
// meanwhile begins nothing.
const retention = 7 * 24 * time.Hour

// sweepLimit bounds how many executions one commit deletes: more than it adds, so that none stays for good.
const sweepLimit = 16

// stored is an execution as it lies in the file.
type stored struct {
	Machine   string         `json:"machine"`
	Execution *asl.Execution `json:"execution"`
	// Definition is what the execution was started with, and ends with. It lies in its own bucket, once for all
	// executions; earlier releases wrote it here.
	Definition json.RawMessage `json:"definition,omitempty"`
	// Settled: its end is reported. Earlier releases left such an execution where it was.
	Settled bool `json:"settled,omitempty"`
}

// names lists the executions whose end is not reported yet.
func (r *Orchestrator) names() (names []string, err error) {
	err = r.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(executions).ForEach(func(name, _ []byte) error {
			names = append(names, string(name))
			return nil
		})
	})
	return names, err
}

// load returns an execution from the first of the buckets that has it; a zero value where none does.
func (r *Orchestrator) load(name string, buckets ...[]byte) (s stored, err error) {
	err = r.db.View(func(tx *bbolt.Tx) error {
		for _, bucket := range buckets {
			if text := tx.Bucket(bucket).Get([]byte(name)); text != nil {
				return json.Unmarshal(text, &s)
			}
		}
		return nil
	})
	return s, err
}

// started reports whether there is or was an execution of a name.
func (r *Orchestrator) started(name string) (found bool, err error) {
	err = r.db.View(func(tx *bbolt.Tx) error {
		found = exists(tx, name)
		return nil
	})
	return found, err
}

func exists(tx *bbolt.Tx, name string) bool {
	return tx.Bucket(executions).Get([]byte(name)) != nil || tx.Bucket(ended).Get([]byte(name)) != nil
}

// create saves an execution, unless there has been one of its name.
func (r *Orchestrator) create(name string, s stored) (created bool, err error) {
	err = r.db.Update(func(tx *bbolt.Tx) error {
		if created = !exists(tx, name); !created {
			return nil
		}
		return put(tx, executions, name, s)
	})
	return created && err == nil, err
}

// save saves an execution that has not ended or whose end is not reported yet, and what happened in it.
func (r *Orchestrator) save(name string, s stored, events []asl.Event) error {
	r.record(name, events)
	return r.db.Update(func(tx *bbolt.Tx) error { return put(tx, executions, name, s) })
}

// record gives Options.History what happened in an execution.
func (r *Orchestrator) record(name string, events []asl.Event) {
	if r.o.History != nil {
		r.o.History(name, events)
	}
}

// retire puts aside an execution whose end is reported. In the same commit it deletes some that are kept no longer.
func (r *Orchestrator) retire(name string, s stored) error {
	now := time.Now()
	err := r.db.Update(func(tx *bbolt.Tx) error {
		if err := tx.Bucket(executions).Delete([]byte(name)); err != nil {
			return err
		}
		if err := put(tx, ended, name, s); err != nil {
			return err
		}
		if err := tx.Bucket(endings).Put(append(stamp(now), name...), nil); err != nil {
			return err
		}
		return sweep(tx, now)
	})
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.forget(name)
	}
	return err
}

// Sweep deletes executions that are kept no longer, some of them. It is for a stack in which none ends.
func (r *Orchestrator) Sweep() error {
	now := time.Now()
	due := false
	err := r.db.View(func(tx *bbolt.Tx) error {
		due = len(bolt.Due(tx.Bucket(endings), stamp(now.Add(-retention)), 1)) > 0
		return nil
	})
	if err != nil || !due {
		return err
	}
	return r.db.Update(func(tx *bbolt.Tx) error { return sweep(tx, now) })
}

// sweep deletes executions that ended before the retention, at most sweepLimit of them.
func sweep(tx *bbolt.Tx, now time.Time) error {
	until := stamp(now.Add(-retention))
	for _, key := range bolt.Due(tx.Bucket(endings), until, sweepLimit) {
		if err := tx.Bucket(endings).Delete(key); err != nil {
			return err
		}
		if err := tx.Bucket(ended).Delete(key[len(until):]); err != nil {
			return err
		}
	}
	return nil
}

// stamp has a fixed width and sorts as time does.
func stamp(at time.Time) []byte { return binary.BigEndian.AppendUint64(nil, uint64(at.UnixNano())) }

// put writes an execution, and its definition where it belongs if it isn't there yet.
func put(tx *bbolt.Tx, bucket []byte, name string, s stored) error {
	fingerprint := []byte(s.Execution.Fingerprint)
	if s.Definition != nil && tx.Bucket(definitions).Get(fingerprint) == nil {
		if err := tx.Bucket(definitions).Put(fingerprint, s.Definition); err != nil {
			return err
		}
	}
	s.Definition = nil
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return tx.Bucket(bucket).Put([]byte(name), text)
}

// machine returns the machine that runs a stored execution: today's, or the one that it began with.
func (r *Orchestrator) machine(s stored) (*asl.Machine, error) {
	fingerprint := s.Execution.Fingerprint
	if m := r.o.Machines[s.Machine]; m != nil && m.Fingerprint() == fingerprint {
		return m, nil
	}
	if m, ok := r.older.Load(fingerprint); ok {
		return m.(*asl.Machine), nil
	}
	text := []byte(s.Definition)
	if text == nil {
		err := r.db.View(func(tx *bbolt.Tx) error {
			text = bytes.Clone(tx.Bucket(definitions).Get([]byte(fingerprint)))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	m, err := asl.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("definition %s: %w", fingerprint, err)
	}
	r.older.Store(fingerprint, m)
	return m, nil
}
