package main_test

import (
	"cmp"
	"debug/buildinfo"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
)

// measureStarts compares the start of every function, until it asks for its first invocation, with that of one that
// does nothing. Its rows go by processor time, which other work on the machine hardly changes; the clock's ratios are
// told beside.
func measureStarts(t *testing.T, effort int) []reading {
	folders, err := lambdas()
	if err != nil {
		t.Fatal(err)
	}
	progress("  compiling %d functions", len(folders))
	if err := compile(); err != nil {
		t.Fatal(err)
	}
	l := newLauncher(t)
	l.launch(t, binary(handlerOnly))

	processor, clock := map[string][]float64{}, map[string][]float64{} // ratios by folder, one for each round
	rounds := 9 * effort
	for round := range rounds {
		if round%5 == 0 {
			progress("  round %d of %d", round+1, rounds)
		}
		rand.Shuffle(len(folders), func(i, j int) { folders[i], folders[j] = folders[j], folders[i] })
		var base []started
		took := map[string]started{}
		for _, folder := range folders {
			base = append(base, l.launch(t, binary(handlerOnly)))
			took[folder] = l.launch(t, binary(folder))
		}
		by := func(of func(started) time.Duration) time.Duration {
			all := make([]time.Duration, len(base))
			for i, s := range base {
				all[i] = of(s)
			}
			return median(all)
		}
		baseProcessor, baseClock := by(started.ofProcessor), by(started.ofClock)
		for folder, s := range took {
			processor[folder] = append(processor[folder], ratio(s.processor, baseProcessor))
			clock[folder] = append(clock[folder], ratio(s.clock, baseClock))
		}
	}

	middle := func(ratios []float64) float64 { return slices.Sorted(slices.Values(ratios))[len(ratios)/2] }
	slices.SortFunc(folders, func(a, b string) int { return cmp.Compare(middle(processor[a]), middle(processor[b])) })
	var ordinary, large []string // the latter evaluate rules, or simulate five partners
	for _, folder := range folders {
		if folder == "sandbox/serve" || links(t, binary(folder), "cel.dev/cel-go") {
			large = append(large, folder)
		} else {
			ordinary = append(ordinary, folder)
		}
	}
	row := func(what string, budget float64, folder string) reading {
		return reading{
			what, budget, middle(processor[folder]), "x", fmt.Sprintf("%s, by the clock %.2fx", folder, middle(clock[folder])),
		}
	}
	for _, folder := range folders {
		progress("  %-30s %.2fx, by the clock %.2fx", folder, middle(processor[folder]), middle(clock[folder]))
	}
	return []reading{
		row("start / handler only: median of all", 2.2, folders[len(folders)/2]),
		row("start / handler only: slowest", 2.7, ordinary[len(ordinary)-1]),
		row("start / handler only: slowest of rules and sandbox", 3.5, large[len(large)-1]),
	}
}

// links reports whether a binary links something of a module.
func links(t *testing.T, binary, module string) bool {
	t.Helper()
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(info.Deps, func(m *debug.Module) bool { return m.Path == module })
}

// started is what a process took to its first request for an invocation.
type started struct{ processor, clock time.Duration }

func (s started) ofProcessor() time.Duration { return s.processor }
func (s started) ofClock() time.Duration     { return s.clock }

// launcher starts functions and answers none of their requests for an invocation.
type launcher struct {
	environment []string
	asked       chan time.Time
}

func newLauncher(t *testing.T) *launcher {
	l := &launcher{asked: make(chan time.Time)}
	api := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		l.asked <- time.Now()
		<-r.Context().Done()
	}))
	t.Cleanup(api.Close)
	for name, value := range map[string]string{
		"AWS_LAMBDA_RUNTIME_API": strings.TrimPrefix(api.URL, "http://"), "AWS_REGION": "eu-west-1", "STAGE": "bench",
		"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "LEDGER_TABLE": "ledger", "SANDBOX_TABLE": "sandbox",
		"VAULT_BUCKET":   "vault",
		"STATE_MACHINES": stateARNs, "EQUAL_BASE_URL": "http://none", "EZTO_BASE_URL": "http://none",
		"IRON_BASE_URL":  "http://none",
		"MBANQ_BASE_URL": "http://none", "DIGIT9_BASE_URL": "http://none",
	} {
		l.environment = append(l.environment, name+"="+value)
	}
	return l
}

// launch starts a binary, and kills it once it asks for an invocation.
func (l *launcher) launch(t *testing.T, binary string) started {
	t.Helper()
	command := exec.Command(binary)
	command.Env, command.Stderr = l.environment, os.Stderr
	began := time.Now()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var s started
	select {
	case at := <-l.asked:
		s.clock = at.Sub(began)
	case <-time.After(time.Minute):
		t.Errorf("%s asks for no invocation", binary)
	}
	_ = command.Process.Kill()
	_ = command.Wait() // it was killed
	if t.Failed() {
		t.FailNow()
	}
	s.processor = command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	return s
}
