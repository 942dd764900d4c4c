package histories_test

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"

	"sallyport/shared/ledger"
	"sallyport/shared/operation"
)

// class is what an answer says.
type class string

const (
	silent     class = "silent"     // the invocation was killed
	final      class = "final"      // done, or decided against: every repeat is answered so
	unrecorded class = "unrecorded" // likewise, but the ledger doesn't know
	unknown    class = "unknown"
	inFlight   class = "in flight"
	reused     class = "reused"  // the key is another request's
	nothing    class = "nothing" // nothing has happened; a repeat may act
	down       class = "down"    // the ledger didn't answer; nothing was sent
	wrong      class = "wrong"
)

func (c *call) class() class {
	if c.answer == nil {
		return silent
	}
	switch c.answer.condition {
	case "":
		if c.succeeded() || c.wasRefused() {
			return final
		}
		return nothing
	case operation.NotRecorded:
		if c.succeeded() || c.wasRefused() {
			return unrecorded
		}
		return nothing
	case operation.OutcomeUnknown:
		return unknown
	case operation.InFlight:
		return inFlight
	case operation.KeyReused:
		if s := c.answer.status; s != http.StatusConflict && s != http.StatusUnprocessableEntity {
			return wrong
		}
		return reused
	case operation.LedgerDown:
		return down
	case operation.PartnerDown, operation.PartnerThrottled, operation.NoSuchRecord, operation.CredentialsRejected,
		operation.InvalidRequest:
		return nothing
	}
	return wrong
}

// succeeded reports whether the answer is that of a partner that has done what it was asked for.
func (c *call) succeeded() bool {
	switch c.op {
	case "equal/execute-journey":
		status := member(c.answer.body, "status")
		return c.answer.status == http.StatusOK && (status == "SUCCESS" || status == "IN_PROGRESS")
	case "iron/create-customer":
		return c.answer.status == http.StatusCreated
	}
	return c.answer.status == http.StatusOK
}

// wasRefused reports whether it is that of one that has decided against it.
func (c *call) wasRefused() bool {
	return c.op == "equal/execute-journey" && member(c.answer.body, "status_code") == "mobile_not_linked"
}

// names is the record that a success names as its own.
func (c *call) names() string {
	of := map[string]string{
		"equal/execute-journey": "journey_transaction_id", "iron/create-customer": "id", "mbanq/add-address": "resourceId",
	}
	return fmt.Sprint(member(c.answer.body, of[c.op]))
}

// keyState is what there is of a key: at most one effect, and at most one final answer.
type keyState struct {
	mark, record string // of the effect
	answer       string
	answered     string // the mark of the request
}

// model is the sequential specification of a key. Its operations are the effects at the partner and the answers to
// callers.
var model = porcupine.Model{
	Init: func() any { return keyState{} },
	Step: func(state, input, _ any) (bool, any) {
		s := state.(keyState)
		if e, ok := input.(effect); ok {
			if s.mark != "" || s.answer != "" {
				return false, s
			}
			s.mark, s.record = e.mark, e.id
			return true, s
		}
		return s.answers(input.(*call))
	},
}

// answers reports whether a call may be answered as it was, and how the key stands afterwards.
func (s keyState) answers(c *call) (bool, any) {
	switch c.class() {
	case final:
		answer := fmt.Sprint(c.answer.status, " ", c.answer.body)
		if s.answer == "" && s.bears(c) {
			s.answer, s.answered = answer, c.mark
		}
		return s.answer == answer && s.answered == c.mark, s
	case unrecorded:
		return s.bears(c), s
	case unknown:
		return s.answer == "" && (s.mark == "" || s.mark == c.mark), s
	case inFlight:
		return s.answer == "", s
	case reused:
		return s.mark != c.mark && s.answered != c.mark, s
	case nothing:
		return s.answer == "" && s.mark == "", s
	}
	return true, s
}

// bears reports whether a final answer tells the truth.
func (s keyState) bears(c *call) bool {
	if c.wasRefused() {
		return s.mark == ""
	}
	return c.succeeded() && s.mark == c.mark && s.record == c.names()
}

// check returns what a history breaks; nothing where it keeps all promises.
func (h history) check() (broken []string) {
	fail := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	of := map[string][]porcupine.Operation{}
	for _, e := range h.effects {
		of[e.by.claims()] = append(of[e.by.claims()], porcupine.Operation{Input: e, Call: e.at, Return: e.at})
		h.checkEffect(e, fail)
	}
	transactions := map[string]string{} // by what they were claimed for
	for _, c := range h.calls {
		if c.answer == nil {
			continue
		}
		h.checkNames(c, fail)
		if c.mark == "" {
			continue
		}
		of[c.claims()] = append(of[c.claims()], porcupine.Operation{Input: c, Call: c.began, Return: c.ended})
		h.checkAnswer(c, fail)
		if id := c.answer.transaction; id != "" {
			if before := transactions[c.claims()]; before != "" && before != id {
				fail("%s has two transactions", c.claims())
			}
			transactions[c.claims()] = id
		}
	}
	if ids := slices.Sorted(maps.Values(transactions)); len(slices.Compact(ids)) != len(transactions) {
		fail("two keys have one transaction")
	}
	for _, key := range slices.Sorted(maps.Keys(of)) {
		if !porcupine.CheckOperations(model, of[key]) {
			fail("%s is not linearizable", key)
		}
		h.checkEnd(key, fail)
	}
	return broken
}

// checkEffect: a request acts only by a call of its own, only on its tenant's records, and not where its call was
// answered that nothing happens.
func (h history) checkEffect(e effect, fail func(string, ...any)) {
	switch c := e.by; {
	case e.mark != c.mark:
		fail("call %d made a record of %s", c.number, e.mark)
	case c.variant == foreign:
		fail("call %d of %s changed a record of the other tenant", c.number, c.tenant)
	case slices.Contains([]class{reused, inFlight, nothing, down}, c.class()):
		fail("call %d acted, and was answered %q", c.number, c.class())
	}
}

// checkAnswer: where nothing has happened, none of the calls that had ended before ever acts.
func (h history) checkAnswer(c *call, fail func(string, ...any)) {
	if c.class() == wrong {
		fail("call %d was answered %d %s", c.number, c.answer.status, c.answer.condition)
	}
	if c.variant == foreign && (c.class() == final || c.class() == unrecorded) {
		fail("call %d of %s was let in to a record of the other tenant", c.number, c.tenant)
	}
	for _, e := range h.effects {
		if c.class() == nothing && e.by.claims() == c.claims() && e.by.ended < c.began {
			fail("call %d was answered that nothing has happened, but call %d acted", c.number, e.by.number)
		}
	}
}

var word = regexp.MustCompile(`[0-9A-Za-z-]+`)

// checkNames: an answer speaks of no other tenant's record, and that to an effect of no other key's, unless the request
// did.
func (h history) checkNames(c *call, fail func(string, ...any)) {
	said := word.FindAllString(c.body+" "+strings.Join(slices.Collect(maps.Values(c.params)), " "), -1)
	spoken := slices.DeleteFunc(word.FindAllString(c.answer.body, -1), func(w string) bool {
		return slices.Contains(said, w)
	})
	for _, n := range h.names {
		if n.tenant != c.tenant && slices.Contains(spoken, n.word) {
			fail("call %d of %s was answered with %s", c.number, c.tenant, n.word)
		}
	}
	for _, e := range h.effects {
		own := e.by.tenant == c.tenant && (c.mark == "" || e.mark == c.mark)
		if !own && (slices.Contains(spoken, e.mark) || slices.Contains(spoken, lastWord(e.id))) {
			fail("call %d of %s was answered with a record of %s", c.number, c.tenant, e.mark)
		}
	}
}

func lastWord(id string) string {
	words := word.FindAllString(id, -1)
	return words[len(words)-1]
}

// checkEnd: when everything has settled, a key has its answer or stands as unknown, and what has acted is one of both.
// A claim that was denied, and could not be released, stands: its repeats are denied as well.
func (h history) checkEnd(key string, fail func(string, ...any)) {
	record, known := h.records[key]
	acted := slices.ContainsFunc(h.effects, func(e effect) bool { return e.by.claims() == key })
	denied := slices.ContainsFunc(h.calls, func(c *call) bool {
		return c.claims() == key && c.client < 0 && c.answer.condition == operation.NoSuchRecord
	})
	switch {
	case acted && (!known || record.State != ledger.Done && record.State != ledger.Unknown):
		fail("%s acted, and ends as %q", key, record.State)
	case !acted && record.State == ledger.Done, record.State == ledger.Claimed && !denied:
		fail("%s ends as %q", key, record.State)
	}
}

// String shows what has happened, in its order.
func (h history) String() string {
	type line struct {
		at   int64
		text string
	}
	var lines []line
	for _, c := range h.calls {
		if strings.HasSuffix(c.op, "/init-transaction") || strings.HasSuffix(c.op, "/create-client") {
			continue // which prepare it
		}
		lines = append(lines, line{c.began, fmt.Sprintf("call %d: %v", c.number, c.step)})
		text := fmt.Sprintf("call %d: %s", c.number, c.class())
		if c.answer != nil {
			text += fmt.Sprintf(" %d %s", c.answer.status, c.answer.condition)
			if c.answer.replayed {
				text += " replayed"
			}
		}
		if c.happened != nil {
			text += " (" + strings.Join(c.happened, ", ") + ")"
		}
		lines = append(lines, line{c.ended, text})
	}
	for _, e := range h.effects {
		lines = append(lines, line{e.at, fmt.Sprintf("call %d: %s made %s", e.by.number, e.partner, e.mark)})
	}
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(a.at, b.at) })
	var text strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&text, "%s\n", l.text)
	}
	return text.String()
}
