package operation_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sallyport/shared/ledger"
	"sallyport/shared/operation"
	"sallyport/shared/vault"
	vaultbolt "sallyport/shared/vault/bolt"
)

var errDied = errors.New("the process died")

// process dies at one of its writes, before it or after it, and writes nothing from then on.
type process struct {
	at     int // the write; 0 for none
	after  bool
	writes int
	died   bool
}

func (p *process) write(string) (before, after error) {
	if p.died {
		return errDied, nil
	}
	if p.writes++; p.writes != p.at {
		return nil, nil
	}
	p.died = true
	if p.after {
		return nil, errDied
	}
	return errDied, nil
}

// mortalBlobs are a store that the process writes to.
type mortalBlobs struct {
	vault.Blobs
	*process
}

func (b mortalBlobs) Put(ctx context.Context, key string, blob []byte, at time.Time) error {
	before, after := b.write("")
	if before != nil {
		return before
	}
	return errors.Join(b.Blobs.Put(ctx, key, blob, at), after)
}

// Wherever the process dies in a call whose answer goes to the vault, and whether or not the call is repeated: every
// answer there is named by a record, and a record that says so has its answer, as long as it lives.
func TestAnswersKilledAtEveryWrite(t *testing.T) {
	for _, resolution := range []operation.Resolution{operation.SafeRetry, operation.Lookup, operation.Manual} {
		for _, repeats := range []int{0, 1, 2} {
			t.Run(fmt.Sprint("Effect", resolution, repeats), func(t *testing.T) {
				killAtEveryWrite(t, 3, repeats, func(s *stack) bool {
					return s.post(operation.New(s.p, s.act(resolution)), "k", `{"value":"a"}`).status == 200
				})
			})
		}
	}
	for _, repeats := range []int{0, 1} {
		t.Run(fmt.Sprint("Read", repeats), func(t *testing.T) {
			killAtEveryWrite(t, 2, repeats, func(s *stack) bool {
				_, err := operation.New(s.p, s.read()).Invoke(t.Context(), taskPayload("0", `{"value":"a"}`))
				return err == nil
			})
		})
	}
}

func killAtEveryWrite(t *testing.T, least, repeats int, call func(*stack) (answered bool)) {
	for at := 1; ; at++ {
		for _, after := range []bool{false, true} {
			s, p := newStack(t), &process{at: at, after: after}
			blobs := s.p.Vault.Blobs.(*vaultbolt.Blobs)
			s.p.Vault.Blobs, s.counting.Fail = mortalBlobs{blobs, p}, p.write
			n := 0
			s.partner.on(func(w http.ResponseWriter, r *http.Request) {
				if n++; r.URL.Path == "/find" {
					w.WriteHeader(404)
				}
				_, _ = w.Write([]byte(strings.Repeat(fmt.Sprint(n%10), 9<<10)))
			})
			call(s)
			if !p.died {
				if at <= least {
					t.Fatalf("only %d writes were seen", at-1)
				}
				return
			}
			p.died, p.at = false, 0
			for range repeats {
				s.pass(2 * time.Minute) // the lease has lapsed, and the quiet period is over
				call(s)
			}
			s.wantNamed(blobs)
			s.pass(24 * time.Hour)
			s.wantNamed(blobs)
			s.pass(ledger.Retention)
			s.wantNamed(blobs)
			if count, err := blobs.Count(); err != nil || count != 0 {
				t.Errorf("write %d, %t: %d answers outlive their records, %v", at, after, count, err)
			}
		}
	}
}

// wantNamed sweeps, and checks that records name what is left, and lead to answers.
func (s *stack) wantNamed(blobs *vaultbolt.Blobs) {
	s.t.Helper()
	if err := blobs.Sweep(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	page, err := s.counting.Store.Transactions(s.t.Context(), ledger.Query{Tenant: "acme", Limit: 100})
	if err != nil {
		s.t.Fatal(err)
	}
	ring, err := s.p.Ring(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	named := 0
	for _, row := range page.Transactions {
		record, err := s.counting.Store.Transaction(s.t.Context(), "acme", row.ID)
		if err != nil {
			s.t.Fatal(err)
		}
		for generation := range record.Generation + 1 {
			for takeOvers := range record.TakeOvers + 1 {
				ref := fmt.Sprintf("transaction/%s/%d.%d", record.ID, generation, takeOvers)
				if _, err := s.p.Vault.Expires(s.t.Context(), "acme", ref); err == nil {
					named++
				}
			}
		}
		// A read whose process died before its answer was kept was answered to nobody.
		isRead := record.Operation == "test/read"
		if record.Reply != nil && record.Reply.VaultRef != "" && !isRead {
			if _, err := operation.StoredReply(s.t.Context(), ring, s.p.Vault, record); err != nil {
				s.t.Errorf("%s %s: the answer is gone: %v", record.Operation, record.State, err)
			}
		}
	}
	if count, err := blobs.Count(); err != nil || count != named {
		s.t.Errorf("%d answers are left, %d of them named by a record, %v", count, named, err)
	}
}

// Where there is no vault a record takes an answer as large as any that is read; a larger one is passed on, and the
// record says that it was done.
func TestAnswerTooLargeForItsRecord(t *testing.T) {
	for size, condition := range map[int]operation.Condition{
		300_000: "", ledger.MaxItem - 64<<10: "", ledger.MaxItem - 64<<10 + 1: operation.NotRecorded,
	} {
		s := newStack(t)
		s.p.Vault = nil
		op := s.act(operation.Manual)
		op.MaxAnswer = 1 << 20
		refs := map[string]string{"kept": "x", "long": strings.Repeat("x", ledger.MaxRefs)}
		inner := op.Call
		op.Call = func(ctx context.Context, c operation.Call, in input) operation.Outcome {
			outcome := inner(ctx, c, in)
			outcome.Refs = refs
			return outcome
		}
		s.partner.on(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, size)) })
		got := s.post(operation.New(s.p, op), "k", `{"value":"a"}`)
		s.want(got, 200, condition)
		record := s.record(got)
		if record.State != ledger.Done || len(got.body) != size || (record.Reply == nil) != (condition != "") ||
			record.Refs["kept"] != "x" || record.Refs["long"] != "" {
			t.Errorf("%d bytes: %s, %d came back, references %d", size, record.State, len(got.body), len(record.Refs))
		}
	}
}
