package main_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	main "sallyport/functions/local"
	"sallyport/functions/sandbox"
	"sallyport/shared/telemetry"
)

// TestMain runs the program itself instead of the tests where a test has started this binary to be killed.
func TestMain(m *testing.M) {
	if os.Getenv("SALLYPORT_TEST_DIR") != "" {
		if err := runChild(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// runChild runs the stack until it kills itself: without warning, at the chosen write.
func runChild() error {
	var writes atomic.Int64
	stage, n, _ := strings.Cut(os.Getenv("SALLYPORT_TEST_KILL"), ":")
	at, err := strconv.Atoi(n)
	if err != nil {
		return err
	}
	ahead, err := time.ParseDuration(os.Getenv("SALLYPORT_TEST_AHEAD"))
	if err != nil {
		return err
	}
	s := &main.Main{
		Address: "127.0.0.1:0", Dir: os.Getenv("SALLYPORT_TEST_DIR"), Template: template, TimeScale: 10,
		Log: telemetry.NewLogger(io.Discard, slog.LevelError),
		Now: func() time.Time { return time.Now().Add(ahead) },
	}
	s.OnWrite = func(now string) {
		if now == "before" {
			writes.Add(1)
		}
		if now == stage && writes.Load() == int64(at) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // until the signal arrives
		}
	}
	if err := s.Run(context.Background()); err != nil {
		return err
	}
	fmt.Println(s.URL)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends
	fmt.Println(writes.Load())
	return s.Close()
}

// child is a running program.
type child struct {
	cmd   *exec.Cmd
	url   string
	out   *bufio.Scanner
	stdin io.WriteCloser
}

// start runs the program; nil where it was killed before it answered.
func start(t *testing.T, dir, kill string, ahead time.Duration) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), "SALLYPORT_TEST_DIR="+dir, "SALLYPORT_TEST_KILL="+kill, "SALLYPORT_TEST_AHEAD="+ahead.String())
	c.cmd.Stderr = os.Stderr
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.stdin = stdin
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.cmd.Process.Kill() })
	c.out = bufio.NewScanner(stdout)
	if !c.out.Scan() {
		_ = c.cmd.Wait()
		if status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
			t.Fatalf("the program ended by itself: %v", c.cmd.ProcessState)
		}
		return nil
	}
	c.url = c.out.Text()
	return c
}

// end lets the program end in order and returns how often it wrote.
func (c *child) end(t *testing.T) int {
	t.Helper()
	_ = c.stdin.Close()
	c.out.Scan()
	writes, err := strconv.Atoi(c.out.Text())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return writes
}

// pastLease is how far a second program's clock is ahead: past every lease, within every wait.
const pastLease = 40 * time.Second

// answered is what a client knows of one of its calls.
type answered struct {
	name string
	reply
	err error
}

// verification makes the calls of a verification against a program that may be killed at any moment: each with a key of its
// own, none without the one before it.
func verification(url string, wait func(error) string) []answered {
	var all []answered
	call := func(name, path, body string) reply {
		header := map[string][]string{"Idempotency-Key": {name}}
		got, err := send(url, "POST", path, header, body)
		if err != nil {
			if url = wait(err); url != "" {
				got, err = send(url, "POST", path, header, body)
			}
		}
		all = append(all, answered{name, got, err})
		return got
	}
	opened := call("init", initURL, `{"gateway_instance_id":"`+instance+`","idempotency_id":"order-1"}`)
	_, rest, _ := strings.Cut(opened.body, `"transaction_id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	if id == "" {
		return all
	}
	call("send", executeURL, execute(id, happy, ""))
	call("verify", executeURL, execute(id, happy, otp))
	return all
}

// TestKilled kills the program before and after every single write of a verification, starts it again, and lets the
// client repeat what it got no answer to.
func TestKilled(t *testing.T) {
	dry := start(t, filepath.Join(t.TempDir(), "state"), "never:0", 0)
	for _, got := range verification(dry.url, func(err error) string { t.Error(err); return "" }) {
		if got.status != 200 {
			t.Fatalf("%s: %d %s", got.name, got.status, got.body)
		}
	}
	writes := dry.end(t)
	if writes < 9 { // claim, effect, completion of three calls at least
		t.Fatalf("only %d writes were seen", writes)
	}
	t.Logf("%d writes", writes)
	for n := 1; n <= writes; n++ {
		for _, stage := range []string{"before", "after"} {
			t.Run(fmt.Sprintf("%s write %d", stage, n), func(t *testing.T) { testKilled(t, fmt.Sprintf("%s:%d", stage, n)) })
		}
	}
}

func testKilled(t *testing.T, kill string) {
	dir := filepath.Join(t.TempDir(), "state")
	killed := false
	var second *child
	restart := func(error) string {
		killed = true
		second = start(t, dir, "never:0", pastLease)
		return second.url
	}
	first := start(t, dir, kill, 0)
	var calls []answered
	if first == nil {
		calls = verification(restart(nil), func(err error) string { t.Error(err); return "" })
	} else {
		calls = verification(first.url, restart)
	}
	if !killed {
		t.Fatal("the program was not killed")
	}
	s := &stack{Main: &main.Main{URL: second.url}, t: t}
	for _, got := range calls {
		switch {
		case got.err != nil:
			t.Errorf("%s: %v", got.name, got.err)
		case got.condition() != "" && got.condition() != "outcome_unknown":
			t.Errorf("%s: %d %q", got.name, got.status, got.condition())
		case got.status == 200:
			// An answer that was given is on record, and stays what it was.
			if record := s.transaction(got.header.Get("Transaction-Id")); record.State == "claimed" || record.State == "unknown" {
				t.Errorf("%s was answered, its record is %s", got.name, record.State)
			}
		default:
			if record := s.transaction(got.header.Get("Transaction-Id")); record.State != "unknown" {
				t.Errorf("%s has an outcome that is not known, its record is %s", got.name, record.State)
			}
		}
	}
	for _, op := range sandbox.Operations() {
		want := map[string]int{"init-transaction": 1, "execute-journey": 2}[op.Name]
		if n := s.effects(op.Name); n > want {
			t.Errorf("%d effects of %s, at most %d were asked for", n, op.Name, want)
		}
	}
	// The client asks once more: nothing acts again, and no answer changes.
	for i, got := range verification(second.url, func(err error) string { t.Error(err); return "" }) {
		if i < len(calls) && got.status != calls[i].status {
			t.Errorf("%s was answered %d, now %d", got.name, calls[i].status, got.status)
		}
	}
	if n := s.effects("execute-journey"); n > 2 {
		t.Errorf("%d effects", n)
	}
	second.end(t)
}

// TestJourneyKilled kills the program before and after every single write of a journey. Whatever it was doing, the
// journey is there afterwards and goes on, and the person who answers it gets to the end.
func TestJourneyKilled(t *testing.T) {
	dry := start(t, filepath.Join(t.TempDir(), "state"), "never:0", 0)
	p := &person{t: t, url: dry.url}
	if view := p.journey(); view.Status != "SUCCEEDED" || p.resends != 0 {
		t.Fatalf("undisturbed: %+v", view)
	}
	writes := dry.end(t)
	if writes < 20 {
		t.Fatalf("only %d writes were seen", writes)
	}
	t.Logf("%d writes", writes)
	for n := 1; n <= writes; n++ {
		for _, stage := range []string{"before", "after"} {
			t.Run(fmt.Sprintf("%s write %d", stage, n), func(t *testing.T) {
				t.Parallel()
				dir := filepath.Join(t.TempDir(), "state")
				var second *child
				restart := func() string {
					if second != nil {
						t.Fatal("the second program ended as well")
					}
					second = start(t, dir, "never:0", pastLease)
					return second.url
				}
				p := &person{t: t, restart: restart, careful: n%2 == 0}
				if first := start(t, dir, fmt.Sprintf("%s:%d", stage, n), 0); first != nil {
					p.url = first.url
				} else {
					p.url = restart()
				}
				view := p.journey()
				if view.Status != "SUCCEEDED" {
					t.Errorf("ended %s (%s) after %d resends, steps %+v", view.Status, view.Reason, p.resends, view.Steps)
				}
				if second == nil {
					return // killed after the last answer
				}
				s := &stack{Main: &main.Main{URL: p.url}, t: t}
				if n := s.effects("execute-journey"); n > 2+p.resends {
					t.Errorf("%d effects: one SMS and one verification were asked for, and %d resends", n, p.resends)
				}
				if n := s.effects("init-transaction"); n != 1 {
					t.Errorf("%d transactions were opened", n)
				}
				second.end(t)
			})
		}
	}
}

// person starts a journey and answers it until it ends, whatever becomes of the program meanwhile.
type person struct {
	t       *testing.T
	url     string
	restart func() string
	resends int
	careful bool // echoes awaiting_id
}

// do repeats a request until it is answered.
func (p *person) do(method, path string, header map[string][]string, body string) reply {
	for {
		got, err := send(p.url, method, path, header, body)
		if err == nil {
			return got
		}
		if p.restart == nil {
			p.t.Fatal(err)
		}
		p.url = p.restart()
	}
}

func (p *person) journey() (view journeyView) {
	started := p.do("POST", "/journeys/aadhaar-otp", map[string][]string{"Idempotency-Key": {"k"}}, `{"aadhaar_no":"`+happy+`"}`)
	MustDecode(p.t, started.body, &view)
	id, answered := view.ID, ""
	for range 100 {
		got := p.do("GET", "/journeys/"+id, nil, "")
		view = journeyView{}
		MustDecode(p.t, got.body, &view)
		if view.ended() {
			return view
		}
		if view.Status != "WAITING" || view.Awaiting.ID == answered {
			p.do("GET", "/journeys/"+id, map[string][]string{"Prefer": {"wait=5"}, "If-None-Match": {got.header.Get("Etag")}}, "")
			continue
		}
		body := enter(otp)
		if view.Reason == "otp_not_generated" || view.Reason == "otp_request_too_soon" {
			body, p.resends = `{"kind":"resend"}`, p.resends+1
		}
		if p.careful {
			body = strings.Replace(body, "{", `{"awaiting_id":"`+view.Awaiting.ID+`",`, 1)
		}
		if got := p.do("POST", "/journeys/"+id+"/inputs", nil, body); got.status == 202 {
			answered = view.Awaiting.ID
		}
	}
	return view
}

func TestSecondStart(t *testing.T) {
	s := MustRun(t)
	other := &main.Main{Address: "127.0.0.1:0", Dir: s.Dir, Template: template, TimeScale: 1, Log: s.Log}
	if err := other.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "already runs, at "+s.URL) {
		t.Errorf("a second start said %v", err)
	}
	if got := s.do("GET", "/transactions", nil, ""); got.status != 200 {
		t.Errorf("and the first one then answered %d", got.status)
	}
}
