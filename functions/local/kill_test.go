package main_test

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	main "sallyport/functions/local"
	digit9sim "sallyport/functions/sandbox/digit9"
	ironsim "sallyport/functions/sandbox/iron"
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
	fmt.Println(s.URL, writes.Load())
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends
	fmt.Println(writes.Load())
	return s.Close()
}

// child is a running program.
type child struct {
	cmd    *exec.Cmd
	url    string
	writes int // before it answered
	out    *bufio.Scanner
	stdin  io.WriteCloser
}

// start runs the program; nil where it was killed before it answered.
func start(t *testing.T, dir, kill string, ahead time.Duration) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), "SALLYPORT_TEST_DIR="+dir, "SALLYPORT_TEST_KILL="+kill,
		"SALLYPORT_TEST_AHEAD="+ahead.String(),
		"GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE")) // else the race detector sleeps for a second at every end
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
	url, writes, _ := strings.Cut(c.out.Text(), " ")
	c.url = url
	if c.writes, err = strconv.Atoi(writes); err != nil {
		t.Fatal(err)
	}
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

// killedFrom is the first write to kill a program at, for the one of a test's cases at an index. What a new program
// writes before it answers is the same for all of them: the first case is enough for that.
func killedFrom(at int, dry *child) int {
	if at == 0 {
		return 1
	}
	return dry.writes + 1
}

// pastLease is how far a second program's clock is ahead: past every lease, within every wait.
const pastLease = 40 * time.Second

// answered is what a client knows of one of its calls.
type answered struct {
	name string
	reply
	err error
}

// client makes calls against a program that may be killed at any moment, each with a key of its own, a UUID.
type client struct {
	url     string
	restart func(error) string // starts the program again and returns its URL; "" where that is not to be
	all     []answered
}

// call makes a call, again where it got no answer, and again while a repeat promises to find out more.
func (c *client) call(name, path, body string) reply {
	header := map[string][]string{"Idempotency-Key": {uuid.NewSHA1(uuid.Nil, []byte(name)).String()}}
	got, err := c.send("POST", path, header, body)
	repeat(func() bool {
		if err != nil || got.condition() != "outcome_unknown" || got.header.Get("Retry-After") == "" {
			return true
		}
		got, err = send(c.url, "POST", path, header, body)
		return false
	})
	c.all = append(c.all, answered{name, got, err})
	return got
}

// repeat asks another process, less and less often, until done returns true or patience is over.
func repeat(done func() bool) {
	pause := 5 * time.Millisecond
	for until := time.Now().Add(patience); !done() && time.Now().Before(until); {
		time.Sleep(pause)
		pause = min(2*pause, 200*time.Millisecond)
	}
}

// do makes a request that takes no key, as it comes to the same however often it is made. It is among the client's
// calls only where it did not succeed.
func (c *client) do(method, path string, header http.Header, body string) reply {
	got, err := c.send(method, path, header, body)
	if err != nil || !succeeded(got) {
		c.all = append(c.all, answered{method + " " + path, got, err})
	}
	return got
}

// send makes a request, again where it got no answer.
func (c *client) send(method, path string, header http.Header, body string) (reply, error) {
	got, err := send(c.url, method, path, header, body)
	if err != nil {
		if c.url = c.restart(err); c.url != "" {
			got, err = send(c.url, method, path, header, body)
		}
	}
	return got, err
}

// script is what a client does, no call without the one before it.
type script struct {
	name     string
	run      func(*client)
	resolved []string       // the calls whose outcome can always be found out
	acts     map[string]int // how often each operation is asked to act
}

var scripts = []script{
	{"verification", func(c *client) {
		opened := c.call("init", initURL, `{"gateway_instance_id":"`+instance+`","idempotency_id":"order-1"}`)
		_, rest, _ := strings.Cut(opened.body, `"transaction_id":"`)
		id, _, _ := strings.Cut(rest, `"`)
		if id == "" {
			return
		}
		c.call("send", executeURL, execute(id, happy, ""))
		c.call("verify", executeURL, execute(id, happy, otp))
	}, []string{"init"}, map[string]int{"equal/init-transaction": 1, "equal/execute-journey": 2}},
	{"onboarding", func(c *client) {
		number := ecrn.FindString(c.call("create", onboardURL, customer("784199000000017")).body)
		if number == "" {
			return
		}
		c.call("update", onboardURL, customer("784199000000017", `{"channel"`, `{"ecrn":"`+number+`","channel"`))
		c.call("lookup", lookupURL, lookup("784199000000017"))
	}, []string{"create"}, map[string]int{"digit9/onboard-customer": 2}},
	{"identification", func(c *client) {
		// they would be written down meanwhile
		_, _ = c.send("POST", "/sandbox/settings", nil, `{"partner":"iron","name":"callbacks","value":"lost"}`)
		var customer struct{ ID string }
		if json.Unmarshal(
			[]byte(c.call("create", ironCustomersURL, ironCustomer("Person", "noor@example.com")).body), &customer,
		) != nil || customer.ID == "" {
			return
		}
		c.call("identify", identificationsURL(customer.ID), `{"type":"Direct"}`)
	}, []string{"create", "identify"}, map[string]int{"iron/create-customer": 1, "iron/create-identification": 1}},
	{"licence", func(c *client) {
		c.do("PUT", "/workflows/iec", nil, `{"modules":[{"type":"iec_verification"}]}`)
		// of what is pushed, word would be written down meanwhile
		c.do("PUT", "/applications/poll", nil, `{"verification_workflow":"iec"}`)
		var begun struct {
			Handle string `json:"auth_req_id"`
			URL    string `json:"url"`
		}
		if json.Unmarshal([]byte(c.call("trigger", triggerURL, triggerOf("poll", "u-7731")).body), &begun) != nil ||
			begun.URL == "" {
			return
		}
		c.do("POST", pageOf(begun.URL), pageForm(), "iec=AAXCT4821K")
		c.call("result", resultURL, resultOf("poll", begun.Handle))
	}, []string{"result"}, map[string]int{"ezto/trigger-request": 1}},
}

// TestKillMatrix kills the program before and after every single write that a client's calls make, starts it again, and
// lets the client repeat what it got no answer to. With -short it is killed at some of them.
func TestKillMatrix(t *testing.T) {
	t.Parallel()
	for i, script := range scripts {
		dry := &client{url: "", restart: func(err error) string { t.Error(err); return "" }}
		dir := filepath.Join(t.TempDir(), "state")
		program := start(t, dir, "never:0", 0)
		dry.url = program.url
		script.run(dry)
		for _, got := range dry.all {
			if !succeeded(got.reply) {
				t.Fatalf("%s: %d %s", got.name, got.status, got.body)
			}
		}
		writes := program.end(t)
		if writes < 3*len(dry.all) { // claim, effect, completion of each call at least
			t.Fatalf("only %d writes were seen", writes)
		}
		t.Logf("%s: %d writes, %d of them before", script.name, writes, program.writes)
		once := marksIn(t, dir)
		for n := killedFrom(i, program); n <= writes; n += every(16) {
			for _, stage := range []string{"before", "after"} {
				t.Run(fmt.Sprintf("%s/%s write %d", script.name, stage, n), func(t *testing.T) {
					t.Parallel()
					testKilled(t, script, once, fmt.Sprintf("%s:%d", stage, n))
				})
			}
		}
	}
}

func testKilled(t *testing.T, script script, once map[string]int, kill string) {
	dir := filepath.Join(t.TempDir(), "state")
	var second *child
	c := &client{restart: func(err error) string {
		if second != nil {
			t.Fatalf("the second program ended as well: %v", err)
		}
		second = start(t, dir, "never:0", pastLease)
		return second.url
	}}
	if first := start(t, dir, kill, 0); first != nil {
		c.url = first.url
	} else {
		c.url = c.restart(nil)
	}
	script.run(c)
	if second == nil {
		t.Fatal("the program was not killed")
	}
	s := &stack{Main: &main.Main{URL: second.url}, t: t}
	for _, got := range c.all {
		switch {
		case got.err != nil:
			t.Errorf("%s: %v", got.name, got.err)
		case !succeeded(got.reply) && slices.Contains(script.resolved, got.name), got.condition() != "" &&
			got.condition() != "outcome_unknown":
			t.Errorf("%s: %d %q", got.name, got.status, got.condition())
		case succeeded(got.reply):
			// An answer that was given is on record, and stays what it was.
			if record := s.transaction(got.header.Get("Transaction-Id")); record.State == "claimed" ||
				record.State == "unknown" {
				t.Errorf("%s was answered, its record is %s", got.name, record.State)
			}
		default:
			if record := s.transaction(got.header.Get("Transaction-Id")); record.State != "unknown" {
				t.Errorf("%s has an outcome that is not known, its record is %s", got.name, record.State)
			}
		}
	}
	s.wantAtMost(script.acts)
	// The client asks once more: nothing acts again, and no answer changes.
	again := &client{url: second.url, restart: c.restart}
	script.run(again)
	for i, got := range again.all {
		if i < len(c.all) && got.status != c.all[i].status {
			t.Errorf("%s was answered %d, now %d", got.name, c.all[i].status, got.status)
		}
	}
	s.wantAtMost(script.acts)
	second.end(t)
	wantMarks(t, marksIn(t, dir), once, !slices.ContainsFunc(c.all, func(a answered) bool { return !succeeded(a.reply) }))
}

// wantAtMost checks how often operations have acted.
func (s *stack) wantAtMost(acts map[string]int) {
	s.t.Helper()
	for operation, most := range acts {
		if _, n := s.reached(operation); n > most {
			s.t.Errorf("%d effects of %s, at most %d were asked for", n, operation, most)
		}
	}
}

// TestJourneyKillMatrix kills the program before and after every single write of a journey. Whatever it was doing, the
// journey is there afterwards and goes on, and whoever has to do with it gets to the end. With -short it is killed at
// some of them.
func TestJourneyKillMatrix(t *testing.T) {
	t.Parallel()
	for i, journey := range []struct {
		name string
		run  func(*person) journeyView
		acts map[string]int // how often operations are asked to act, unless more is asked for
		// why the journey fails where it was killed over a call whose outcome nobody can find out; empty: there is none
		lost string
	}{
		{"aadhaar-otp", (*person).verified, map[string]int{"equal/init-transaction": 1, "equal/execute-journey": 2}, ""},
		{"partner-onboarding", (*person).onboarded, map[string]int{"digit9/onboard-customer": 1}, ""},
		{
			"customer-identification", (*person).identified,
			map[string]int{"iron/create-customer": 1, "iron/create-identification": 1}, "",
		},
		{"iec-verification", (*person).licensed, map[string]int{"ezto/trigger-request": 1}, "trigger_unknown"},
	} {
		dir := filepath.Join(t.TempDir(), "state")
		dry := start(t, dir, "never:0", 0)
		p := &person{t: t, url: dry.url}
		if view := journey.run(p); view.Status != "SUCCEEDED" || p.resends != 0 {
			t.Fatalf("undisturbed: %+v", view)
		}
		writes := dry.end(t)
		if writes < 20 {
			t.Fatalf("only %d writes were seen", writes)
		}
		t.Logf("%s: %d writes, %d of them before", journey.name, writes, dry.writes)
		once := marksIn(t, dir)
		var lost atomic.Int64
		t.Cleanup(func() { // when all kills are over; few come while such a call is under way
			if n := int(lost.Load()); n*10 > 2*writes {
				t.Errorf("%s: %d of %d kills lost an outcome", journey.name, n, 2*writes)
			}
		})
		for n := killedFrom(i, dry); n <= writes; n += every(32) {
			for _, stage := range []string{"before", "after"} {
				t.Run(fmt.Sprintf("%s/%s write %d", journey.name, stage, n), func(t *testing.T) {
					t.Parallel()
					dir := filepath.Join(t.TempDir(), "state")
					var second *child
					p := &person{t: t, careful: n%2 == 0, restart: func() string {
						if second != nil {
							t.Fatal("the second program ended as well")
						}
						second = start(t, dir, "never:0", pastLease)
						return second.url
					}}
					if first := start(t, dir, fmt.Sprintf("%s:%d", stage, n), 0); first != nil {
						p.url = first.url
					} else {
						p.url = p.restart()
					}
					view := journey.run(p)
					switch unknown := len(view.Steps) == 1 && view.Steps[0].Status == "unknown"; { // and nothing was called after it
					case view.Status == "SUCCEEDED":
					case view.Status == "FAILED" && view.Reason == journey.lost && unknown:
						lost.Add(1)
					default:
						t.Errorf("ended %s (%s) after %d resends, steps %+v", view.Status, view.Reason, p.resends, view.Steps)
					}
					if second == nil {
						return // killed after the last answer
					}
					acts := maps.Clone(journey.acts)
					if p.resends > 0 {
						acts["equal/execute-journey"] += p.resends
					}
					(&stack{Main: &main.Main{URL: p.url}, t: t}).wantAtMost(acts)
					second.end(t)
					if p.resends == 0 && view.Status == "SUCCEEDED" {
						wantMarks(t, marksIn(t, dir), once, true)
					}
				})
			}
		}
	}
}

// person starts a journey and does for it what people and partners do until it ends, whatever becomes of the program
// meanwhile.
type person struct {
	t       *testing.T
	url     string
	restart func() string
	resends int
	careful bool // echoes awaiting_id
}

// do repeats a request until it is answered.
func (p *person) do(method, path string, header http.Header, body string) reply {
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

// start starts a journey and returns its id.
func (p *person) start(path, body string) string {
	var view journeyView
	MustDecode(p.t, p.do("POST", path, http.Header{"Idempotency-Key": {"k"}}, body).body, &view)
	return view.ID
}

// follow calls answer whenever a journey waits, until it has ended.
func (p *person) follow(id string, answer func(view journeyView, text string)) (view journeyView) {
	repeat(func() bool {
		got := p.do("GET", "/journeys/"+id, nil, "")
		view = journeyView{}
		MustDecode(p.t, got.body, &view)
		if view.Status == "WAITING" {
			answer(view, got.body)
		}
		return view.ended()
	})
	return view
}

// verified answers what a verification asks for.
func (p *person) verified() journeyView {
	id, answered := p.start("/journeys/aadhaar-otp", `{"aadhaar_no":"`+happy+`"}`), ""
	return p.follow(id, func(view journeyView, _ string) {
		if view.Awaiting.ID == answered {
			return
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
	})
}

// onboarded has compliance hold a customer and close the alert. The callback is repeated until it is acknowledged, and
// never after that: then it must not be lost.
func (p *person) onboarded() journeyView {
	p.do("POST", "/sandbox/settings", nil, `{"partner":"digit9","name":"callbacks","value":"lost"}`) // sent here instead
	id, told := p.start("/journeys/partner-onboarding", `{"customer":`+customer("784199000000423")+`}`), false
	return p.follow(id, func(_ journeyView, text string) {
		if told {
			return
		}
		number := ecrn.FindString(text)
		if got := p.do(
			"POST", "/sandbox/digit9/alerts/"+number, nil, `{"aml_scan_status":"Accepted"}`,
		); got.status != http.StatusOK {
			p.t.Fatalf("alert of %s: %d %s", text, got.status, got.body)
		}
		header := http.Header{"No-Key": {""}, "Authorization": {"Bearer " + digit9sim.Defaults().CallbackBearer}}
		waitFor(p.t, func() bool {
			got := p.do(
				"POST", closureURL, header, `{"aml_scan_status":"Accepted","ecrn":"`+number+`","customer_status":"ACTIVE"}`,
			)
			told = got.status == http.StatusOK && strings.Contains(got.body, "ACKNOWLEDGED")
			return told
		})
	})
}

// identified has the reviewers approve an identification. The webhook is repeated like onboarded's callback.
func (p *person) identified() journeyView {
	p.do("POST", "/sandbox/settings", nil, `{"partner":"iron","name":"callbacks","value":"lost"}`) // sent here instead
	id, told := p.start("/journeys/customer-identification", linkFor("noor@example.com")), false
	return p.follow(id, func(_ journeyView, text string) {
		if told {
			return
		}
		var waits awaited
		MustDecode(p.t, text, &waits)
		identification := waits.Awaiting.IdentificationID
		got := p.do(
			"POST", "/sandbox/iron/sandbox/identification/"+identification, http.Header{"No-Key": {""}}, `{"approved":true}`,
		)
		// it was approved before the program was killed
		if got.status != http.StatusCreated && got.status != http.StatusNotFound {
			p.t.Fatalf("decide: %d %s", got.status, got.body)
		}
		body := `{"type":"identification_status","data":{"message":{"id":"` + identification + `","status":"Approved"}}}`
		waitFor(p.t, func() bool {
			told = p.do("POST", "/callbacks/iron", ironSigned(body), body).status == http.StatusOK
			return told
		})
	})
}

// licensed has a licence verified, as the tenant's settings say that it is: it is entered on the hosted page, and the
// partner pushes the result. Of a trigger whose answer was lost nobody knows the page.
func (p *person) licensed() journeyView {
	p.do("PUT", "/workflows/iec", nil, `{"modules":[{"type":"iec_verification","rule":"country == 'IN'"}]}`)
	p.do("PUT", "/applications/push", nil, `{"verification_workflow":"iec","notification_way":"push"}`)
	id, entered := p.start("/journeys/iec-verification", `{"application":"push","user_id":"u-7731","country":"IN"}`), false
	return p.follow(id, func(_ journeyView, text string) {
		if entered {
			return
		}
		var waits awaited
		MustDecode(p.t, text, &waits)
		got := p.do("POST", pageOf(waits.Awaiting.URL), pageForm(), "iec=AAXCT4821K")
		if entered = strings.Contains(got.body, "Completed"); !entered {
			p.t.Fatalf("the page: %d %s", got.status, got.body)
		}
	})
}

// pageOf is the path of a page of the sandbox's, which another program has another address for.
func pageOf(url string) string {
	_, path, _ := strings.Cut(url, "/sandbox/")
	return "/sandbox/" + path
}

func pageForm() http.Header {
	return http.Header{"No-Key": {""}, "Content-Type": {"application/x-www-form-urlencoded"}}
}

// ironSigned is how the simulated Iron signs a webhook that it sends now (iron §10).
func ironSigned(body string) http.Header {
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(ironsim.Defaults().WebhookSecret))
	mac.Write([]byte(stamp + body))
	return http.Header{
		"No-Key": {""}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {"v1=" + hex.EncodeToString(mac.Sum(nil))},
	}
}

func TestSecondStart(t *testing.T) {
	t.Parallel()
	s := MustRun(t)
	other := &main.Main{Address: "127.0.0.1:0", Dir: s.Dir, Template: template, TimeScale: 1, Log: s.Log}
	if err := other.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "already runs, at "+s.URL) {
		t.Errorf("a second start said %v", err)
	}
	if got := s.do("GET", "/transactions", nil, ""); got.status != 200 {
		t.Errorf("and the first one then answered %d", got.status)
	}
}
