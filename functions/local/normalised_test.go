package main_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	main "sallyport/functions/local"
	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/simulators"
	"sallyport/shared/bolt"
	"sallyport/shared/ledger"
	"sallyport/shared/operation"
)

// spelled is a call whose input the partner writes down in another way, where it is set so.
type spelled struct {
	name      string
	operation string
	path      string // %s stands for a client
	body      string
	mark      string // what the call makes, among the marks of the partner's own state
	foldable  bool   // the difference is one of case, blanks, punctuation or leading zeros, or the key tells all the same
}

// spelledCalls are calls of every operation that is settled by looking for what it has made.
func spelledCalls() []spelled {
	const addressesURL, identifiersURL = "/mbanq/v1/client/%s/addresses?type=1", clientsURL + "/%s/identifiers"
	const address = `{"addressLine1":"%s","addressLine2":"%s","city":"%s","stateProvinceId":%s,"countryId":3,"postalCode":"01 001","isActive":true}`
	const long = "order-of-the-year-2026-0017"
	numbered := func(number string) string { return strings.Replace(passport, "X4409127", number, 1) }
	return []spelled{
		{
			"Spelled", "mbanq/add-address", addressesURL, fmt.Sprintf(address, " 12  Oak Way. ", "#4", "sampletown", `"07"`),
			"mbanq/client.addresses[]", true,
		},
		{
			"Abbreviated", "mbanq/add-address", addressesURL,
			fmt.Sprintf(address, "1 First Street", "Flat 02", "Żürich an der sehr langen Promenade", "7"),
			"mbanq/client.addresses[]", false,
		},
		{
			"Spelled", "mbanq/add-identifier", identifiersURL, numbered("00x 440-9127"), "mbanq/client.identifiers[]", true,
		},
		{
			"Cut", "mbanq/add-identifier", identifiersURL, numbered("X4409127-4409128-4409129-4409130"),
			"mbanq/client.identifiers[]", false,
		},
		{
			"Spelled", "mbanq/create-client", clientsURL, clientOf("Ext-00017", "0555-0101", "Noor", " noor  ann"),
			"mbanq/client", true,
		},
		{"Cut", "mbanq/create-client", clientsURL, clientOf(long, "0555-0101", "Noor", "Nöör"), "mbanq/client", false},
		{
			"Spelled", "iron/create-customer", ironCustomersURL,
			strings.Replace(ironCustomer("Person", "Noor@Example.com", `,"external_id":"order-17"`), "Noor Ex", " noor  ex", 1),
			"iron/0/customer", true,
		},
		{
			"Cut", "iron/create-customer", ironCustomersURL,
			ironCustomer("Person", "noor+1@example.com", `,"external_id":"`+long+`"`), "iron/0/customer", true,
		},
		{
			"Spelled", "digit9/onboard-customer", onboardURL, customer("00x-784 0423", "NOOR", " noor "),
			"digit9/customer", true,
		},
		{
			"Transliterated", "digit9/onboard-customer", onboardURL, customer("784199000000423", "NOOR", "NÖÖR"),
			"digit9/customer", false,
		},
	}
}

// TestSpelledMatrix: whether or not a partner writes down in its own way what it is told, and whatever fault the call
// meets, one key has one effect. Where the difference is one that folds, the outcome is known in the end, else it may
// stay unknown. With -short, a call meets some of the faults.
func TestSpelledMatrix(t *testing.T) {
	t.Parallel()
	cell := 0
	for _, c := range spelledCalls() {
		partner, name, _ := strings.Cut(c.operation, "/")
		for _, fault := range sandbox.Faults() {
			if sandbox.Applicable(simulators.All(), partner, name, fault.Name) != nil {
				continue
			}
			for _, normalises := range []string{"no", "yes"} {
				if cell++; cell%every(17) != 0 {
					continue
				}
				t.Run(c.operation+"/"+c.name+"/"+fault.Name+"/"+normalises, func(t *testing.T) {
					t.Parallel()
					testSpelled(t, c, fault, normalises)
				})
			}
		}
	}
}

func testSpelled(t *testing.T, c spelled, fault sandbox.Fault, normalises string) {
	s := MustRun(t, func(m *main.Main) { m.UpstreamTimeout = untilHeld(fault.Name) })
	partner, name, _ := strings.Cut(c.operation, "/")
	s.setting(partner, "normalises", normalises)
	path := c.path
	if strings.Contains(path, "%s") {
		path = fmt.Sprintf(path, s.createClient("ext-1", "5550101"))
	}
	f := struck{s, request{method: "POST", path: path, body: c.body}}
	s.arm(partner, name, fault.Name)
	got := s.untilKnown(c.operation, fault.Name, f.send)
	for range 3 {
		if got.condition() == "" {
			break
		}
		s.passQuietly()
		got = f.send()
	}
	n := marks(t, s.PartnerDB())[c.mark]
	unknown := got.condition() == "outcome_unknown" && normalises == "yes" && !c.foldable
	if n > 1 || !unknown && (!succeeded(got) || got.condition() != "" || n != 1 || f.state(got) != "done") {
		t.Errorf("answered %d %q %s after %d effects", got.status, got.condition(), got.body, n)
	}
}

func (s *stack) setting(partner, name, value string) {
	s.t.Helper()
	body := fmt.Sprintf(`{"partner":%q,"name":%q,"value":%q}`, partner, name, value)
	if got := s.do("POST", "/sandbox/settings", nil, body); got.status != http.StatusOK {
		s.t.Fatalf("setting: %d %s", got.status, got.body)
	}
}

// TestTwoJourneysOfOneClient: what the first has added, the second doesn't add, in whatever words the partner shows it
// and the second says it; what is really another address is added.
func TestTwoJourneysOfOneClient(t *testing.T) {
	t.Parallel()
	for _, normalises := range []string{"no", "yes"} {
		t.Run(normalises, func(t *testing.T) {
			t.Parallel()
			s := MustRun(t)
			s.setting("mbanq", "normalises", normalises)
			home := strings.NewReplacer(`"stateProvinceId":7`, `"stateProvinceId":"07"`, "Sampletown", "Żürich").Replace(home)
			identifiers := strings.Replace(passport, "X4409127", "X4409127-4409128-4409129-4409130", 1) + "," + ssn
			start := func(key, addresses string) {
				t.Helper()
				id := s.startClient(key, clientJourney("J-1", "5550101", "FULL", addresses, identifiers))
				view := s.follow(id, func(v journeyView) bool { return ended(v) || waiting(v) })
				if view.Status != "SUCCEEDED" && view.Reason != "active" && view.Reason != "documents_missing" {
					t.Errorf("%s: %s (%s) %+v", key, view.Status, view.Reason, view.Steps)
				}
			}
			counted := func(addresses int) {
				t.Helper()
				got := marks(t, s.PartnerDB())
				if got["mbanq/client.addresses[]"] != addresses || got["mbanq/client.identifiers[]"] != 2 ||
					got["mbanq/client"] != 1 {
					t.Errorf("with %d addresses, got %v", addresses, got)
				}
			}
			s.setting("mbanq", "proof_of_address", "yes") // both wait for it
			start("one", home)
			counted(1)
			start("two", home)
			counted(1)
			start("three", strings.NewReplacer("07", "7", "1 First", "1  first").Replace(home))
			counted(1)
			start("four", strings.Replace(home, "1 First", "11 First", 1))
			counted(2)
		})
	}
}

// TestClientOfAnother: a journey with the externalId of another tenant's client ends so in whatever spelling it comes,
// and creates nothing. One that a client of its own tenant's has is never said to be another's.
func TestClientOfAnother(t *testing.T) {
	t.Parallel()
	s := MustRun(t, func(m *main.Main) { m.TimeScale = 4000 })
	s.setting("mbanq", "normalises", "yes")
	s.addCaller("other-key", "other", "*")
	theirs := http.Header{"X-Api-Key": {"other-key"}}
	for id, mobile := range map[string]string{"Lost-yes 007": "5550101", "order-of-the-year-2026-0017": "5550102"} {
		if got := s.do("POST", clientsURL, theirs, clientOf(id, mobile)); got.status != http.StatusOK {
			t.Fatalf("%s: %d %s", id, got.status, got.body)
		}
	}
	s.createClient("Own-yes", "5550103")
	ids := map[string]string{}
	for _, spelling := range []string{
		"Lost-yes 007", "LOST-YES 7", "lost-YES 7", " Lost-yes  7 ", "order-of-the-year-2026-0017",
		"order-of-the-year-2026-0018", "Own-yes", "OWN-yes", " own-YES",
	} {
		body := clientJourney(spelling, "55502"+strconv.Itoa(len(ids)), "FULL", "", "")
		ids[spelling] = s.startClient("k"+strconv.Itoa(len(ids)), body)
	}
	for spelling, id := range ids {
		view := s.follow(id, func(v journeyView) bool { return ended(v) || waiting(v) })
		another := view.Status == "REVIEW" && view.Reason == "record_not_yours"
		if own := strings.Contains(strings.ToLower(spelling), "own-yes"); another == own {
			t.Errorf("%q: %s (%s)", spelling, view.Status, view.Reason)
		}
	}
	if n := marks(t, s.PartnerDB())["mbanq/client"]; n != 3 {
		t.Errorf("%d clients", n)
	}
}

// TestJourneyLosesAnAddition: what a journey may have added, it doesn't add again.
func TestJourneyLosesAnAddition(t *testing.T) {
	t.Parallel()
	for _, normalises := range []string{"no", "yes"} {
		for name, address := range map[string]string{
			"Spelled": strings.NewReplacer(`"stateProvinceId":7`, `"stateProvinceId":"07"`, "1 First Street", "12 oak way").Replace(home),
			"Other":   home,
		} {
			t.Run(name+"/"+normalises, func(t *testing.T) {
				t.Parallel()
				s := MustRun(t, func(m *main.Main) { m.TimeScale = 4000 })
				s.setting("mbanq", "normalises", normalises)
				s.arm("mbanq", "add-address", "reset_after_effect")
				view := s.follow(s.startClient("k", clientJourney("j-1", "5550101", "FULL", address, passport+","+ssn)), ended)
				certain := normalises == "no" || name == "Spelled"
				if n := marks(t, s.PartnerDB())["mbanq/client.addresses[]"]; n != 1 || certain && view.Status != "SUCCEEDED" ||
					!certain && !slices.Contains([]string{"SUCCEEDED", "FAILED"}, view.Status) {
					t.Errorf("%s (%s) with %d addresses", view.Status, view.Reason, n)
				}
			})
		}
	}
}

// TestTwoKeysAlike: what one key has added is not what another, which asks for the same, has lost.
func TestTwoKeysAlike(t *testing.T) {
	t.Parallel()
	for _, normalises := range []string{"no", "yes"} {
		for _, fault := range []string{"reset_before_effect", "reset_after_effect"} {
			t.Run(normalises+"/"+fault, func(t *testing.T) {
				t.Parallel()
				s := MustRun(t)
				s.setting("mbanq", "normalises", normalises)
				path := "/mbanq/v1/client/" + s.createClient("ext-1", "5550101") + "/addresses?type=1"
				body := strings.Replace(primary, "1 First Street", "12 oak way", 1)
				one := s.post(path, "one", body)
				s.arm("mbanq", "add-address", fault)
				two := s.untilKnown("mbanq/add-address", fault, func() reply { return s.post(path, "two", body) })
				n := marks(t, s.PartnerDB())["mbanq/client.addresses[]"]
				if !succeeded(one) || !succeeded(two) || one.body == two.body || n != 2 {
					t.Errorf("%s, then %d %q %s: %d addresses", one.body, two.status, two.condition(), two.body, n)
				}
			})
		}
	}
}

// made names the one record that bears a mark, as the operator's route does.
func made(t *testing.T, db *bolt.DB, mark string) (record string) {
	t.Helper()
	kind, members, _ := strings.Cut(mark, ".")
	if err := db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("sandbox")).ForEach(func(k, v []byte) error {
			id, ok := strings.CutPrefix(string(k), kind+"/")
			if !ok || strings.Contains(id, "/") {
				return nil
			}
			var client struct {
				ID                     int64
				Addresses, Identifiers []struct{ ID int64 }
			}
			if kind == "mbanq/client" {
				MustDecode(t, string(v), &client)
				id = strconv.FormatInt(client.ID, 10)
			}
			switch members {
			case "addresses[]":
				record = fmt.Sprintf("mbanq/address/%s-%d", id, client.Addresses[0].ID)
			case "identifiers[]":
				record = fmt.Sprintf("mbanq/identifier/%d", client.Identifiers[0].ID)
			default:
				record = strings.Replace(kind, "/0/", "/", 1) + "/" + id
			}
			return nil
		})
	}); err != nil {
		t.Fatal(err)
	}
	return record
}

// ownerless is a ledger that can't say at times whose a record is, so that no lookup finds any.
type ownerless struct {
	operation.Ledger
	down func() bool
}

func (l ownerless) Owner(ctx context.Context, record string) (ledger.Owner, error) {
	if l.down() {
		return ledger.Owner{}, errors.New("down")
	}
	return l.Ledger.Owner(ctx, record)
}

// TestAssignedMatrix: an operator who says that what a lost call has made is its tenant's doesn't make the call act
// again; where the partner shows what was sent, the call finds it.
func TestAssignedMatrix(t *testing.T) {
	t.Parallel()
	for _, c := range spelledCalls() {
		for _, normalises := range []string{"no", "yes"} {
			t.Run(c.operation+"/"+c.name+"/"+normalises, func(t *testing.T) {
				t.Parallel()
				var s *stack
				var assigned atomic.Bool
				s = MustRun(t, func(m *main.Main) {
					m.WrapLedger = func(l operation.Ledger) operation.Ledger {
						return ownerless{l, func() bool {
							return !assigned.Load() && s != nil && marks(t, s.PartnerDB())[c.mark] > 0
						}}
					}
				})
				partner, name, _ := strings.Cut(c.operation, "/")
				s.setting(partner, "normalises", normalises)
				path := c.path
				if strings.Contains(path, "%s") {
					path = fmt.Sprintf(path, s.createClient("ext-1", "5550101"))
				}
				f := struck{s, request{method: "POST", path: path, body: c.body}}
				s.arm(partner, name, "reset_after_effect")
				if got := f.send(); got.condition() != "outcome_unknown" {
					t.Fatalf("answered %d %q %s", got.status, got.condition(), got.body)
				}
				s.own("local", made(t, s.PartnerDB(), c.mark))
				assigned.Store(true)
				if partner == "iron" {
					s.pass(24 * time.Hour) // the partner's memory of keys is over
				}
				var got reply
				for range 4 {
					s.passQuietly()
					if got = f.send(); got.condition() == "" {
						break
					}
				}
				n := marks(t, s.PartnerDB())[c.mark]
				unknown := got.condition() == "outcome_unknown" && normalises == "yes" && (!c.foldable || c.name == "Cut")
				if n != 1 || !unknown && (!succeeded(got) || got.condition() != "") {
					t.Errorf("answered %d %q %s after %d effects", got.status, got.condition(), got.body, n)
				}
			})
		}
	}
}
