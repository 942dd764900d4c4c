package histories_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// oddity is a kind of input that all of a history's requests have.
type oddity string

const (
	spelledID   oddity = "an id with a leading zero" // which Mbanq gives back without
	sharedEmail oddity = "customers of the same e-mail address"
	unownedRead oddity = "reads of records whose creation nobody recorded"
)

func oddities() []oddity { return []oddity{spelledID, sharedEmail, unownedRead} }

// op is the operation whose requests have the oddity.
func (o oddity) op() string {
	if o == spelledID {
		return "mbanq/add-address"
	}
	return "iron/create-customer"
}

// TestHistoriesMatrix runs histories and checks each. SALLYPORT_TEST_HISTORY=17 runs that of one seed, and shows it.
func TestHistoriesMatrix(t *testing.T) {
	t.Parallel()
	may := oddities()
	if text := os.Getenv("SALLYPORT_TEST_HISTORY"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		must(err)
		p := newPlan(seed, "", may)
		report(t, p, planted{})
		t.Logf("\n%v", run(t, p, planted{}))
		return
	}
	seen := map[string]int{}
	for seed := range seeds() {
		p := newPlan(seed, "", may)
		h := run(t, p, planted{})
		if h.check() != nil {
			report(t, p, planted{})
			return
		}
		h.count(seen)
	}
	t.Log(seen)
	for _, what := range toBeSeen() {
		if seen[what] == 0 && !testing.Short() {
			t.Errorf("%q happens in no history", what)
		}
	}
}

// seeds are how many histories are run.
func seeds() uint64 {
	switch {
	case testing.Short():
		return 40
	case raced:
		return 1000
	}
	return 600
}

// plantedSeeds are how many histories are run at most until a planted fault is found.
const plantedSeeds = 100

// report shows what a history breaks, as short as it can be made.
func report(t *testing.T, p plan, broken planted) {
	t.Helper()
	fails := func(p plan) bool { return run(t, p, broken).check() != nil }
	if !fails(p) {
		return
	}
	p = shrink(p, fails)
	h := run(t, p, broken)
	t.Errorf("seed %d breaks promises, even where only this is done:\n%s\n%v", p.seed, strings.Join(h.check(), "\n"), h)
}

// TestHistoriesFindPlantedFaultsMatrix breaks one part of the pipeline after the other, and expects histories to tell.
func TestHistoriesFindPlantedFaultsMatrix(t *testing.T) {
	t.Parallel()
	for _, broken := range allPlanted() {
		t.Run(broken.name, func(t *testing.T) {
			for seed := range uint64(plantedSeeds) {
				if found := run(t, newPlan(seed, "", nil), broken).check(); found != nil {
					t.Logf("found by seed %d: %s", seed, found[0])
					return
				}
			}
			t.Errorf("not found by %d histories", plantedSeeds)
		})
	}
}

// TestOdditiesMatrix: what once had two effects, or one for somebody else, has one.
func TestOdditiesMatrix(t *testing.T) {
	t.Parallel()
	for _, odd := range oddities() {
		t.Run(string(odd), func(t *testing.T) {
			for seed := range uint64(plantedSeeds) {
				if p := newPlan(seed, odd, nil); run(t, p, planted{}).check() != nil {
					report(t, p, planted{})
					return
				}
			}
		})
	}
}

// TestHistoriesRepeat: a seed tells all that happens.
func TestHistoriesRepeat(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		p := newPlan(seed, "", nil)
		if once, again := run(t, p, planted{}).String(), run(t, p, planted{}).String(); once != again {
			t.Errorf("seed %d happens differently:\n%s\n%s", seed, once, again)
		}
	}
}

// count counts what happens in a history.
func (h history) count(seen map[string]int) {
	for _, c := range h.calls {
		seen[string(c.class())]++
		for _, what := range c.happened {
			seen[what]++
		}
		if c.answer != nil && c.answer.replayed {
			seen["replayed"]++
		}
	}
	for _, record := range h.records {
		seen["ends "+string(record.State)]++
		if record.TakeOvers > 0 {
			seen["taken over"]++
		}
	}
}

// toBeSeen is what histories must show, so that nothing is proved of what never happens.
func toBeSeen() []string {
	all := []string{"replayed", "taken over", "ends done", "ends refused", "ends unknown"}
	for _, c := range []class{silent, final, unrecorded, unknown, inFlight, reused, nothing, down} {
		all = append(all, string(c))
	}
	for point, effects := range troubles() {
		for _, effect := range effects {
			all = append(all, effect+" at "+point)
		}
	}
	return all
}
