package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// newPlayer returns a player whose temporary files are in a folder of the test's.
func newPlayer(t *testing.T, s *screen, scale float64) player {
	t.Helper()
	return player{screen: s, template: "../../template.yaml", temp: t.TempDir(), scale: scale}
}

// left lists what the player has left behind.
func (p player) left(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(p.temp)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// watch plays scenarios into a pipe, as it were, and checks what holds for whatever is shown.
func watch(t *testing.T, scenarios []scenario) (shown string, left []string, err error) {
	t.Helper()
	var out bytes.Buffer
	p := newPlayer(t, &screen{out: &out}, demoScale)
	err = p.play(t.Context(), scenarios)
	text := out.String()
	if strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') }) {
		t.Errorf("more than printable ASCII in\n%q", text)
	}
	if found := regexp.MustCompile(`\b(\d{12}|\d{6})\b`).FindString(text); found != "" {
		t.Errorf("%s must be masked in\n%s", found, text)
	}
	return text, p.left(t), err
}

// titled is one of the demo's scenarios.
func titled(t *testing.T, title string) scenario {
	t.Helper()
	for _, s := range demoScenarios() {
		if s.title == title {
			return s
		}
	}
	t.Fatalf("no scenario %q", title)
	return scenario{}
}

// TestDemoMatrix plays the demo; with -short the first scenario of each kind.
func TestDemoMatrix(t *testing.T) {
	t.Parallel()
	scenarios := demoScenarios()
	if testing.Short() {
		scenarios = slices.CompactFunc(scenarios, func(a, b scenario) bool { return a.kind == b.kind })
	}
	text, left, err := watch(t, scenarios)
	t.Log(text)
	if err != nil {
		t.Error(err)
	}
	_, rest, _ := strings.Cut(text, "\n")
	for _, s := range scenarios {
		var found bool
		if _, rest, found = strings.Cut(rest, s.title+"\n"); !found {
			t.Fatalf("no headline %q, or not in its place", s.title)
		}
		shown, _, _ := strings.Cut(rest, "\n\n")
		if end := "\n  =  " + strings.ReplaceAll(s.end(), "…", "...") + "\n"; !strings.Contains(shown, end) {
			t.Errorf("%s: no line %q", s.title, end)
		}
		if s.effects == nil {
			t.Errorf("%s: counts no effects", s.title)
		}
	}
	wanted := []string{
		"  ok OpenTransaction  done (success)  ", "  -> otp ******\n",
		fmt.Sprintf("\n%[1]d of %[1]d scenarios went as expected", len(scenarios)),
	}
	if !testing.Short() {
		wanted = append(wanted, "  !  SendOTP          unknown ", "  ok FetchData ",
			"  .. waiting for otp (delivery_unknown; delivery unknown, attempts left: 3)\n",
			"  -  at the partner: one SMS (effects of equal/execute-journey: 1)\n")
	}
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("%q was not shown", want)
		}
	}
	if left != nil {
		t.Errorf("left behind: %q", left)
	}
}

func TestDemoDeviates(t *testing.T) {
	t.Parallel()
	happy, cancelled := titled(t, "aadhaar-otp: the happy path"), titled(t, "aadhaar-otp: cancelled")
	wrongEnd := happy
	wrongEnd.title, wrongEnd.status, wrongEnd.outcome = "wrong end", "REJECTED", ""
	wrongEnd.effects = []effect{{"equal/execute-journey", 3, "two SMS and one verification"}}
	wrongWait := cancelled
	wrongWait.title, wrongWait.acts = "wrong wait", []act{cancelled.acts[0]}
	wrongWait.acts[0].waiting = "documents (missing)"
	tooEarly := happy
	tooEarly.title, tooEarly.acts = "too early", []act{happy.acts[0], happy.acts[0]}
	refused := happy
	refused.title, refused.acts = "refused", []act{happy.acts[0]}
	refused.acts[0].body = `{"kind":"otp","otp":" "}`

	text, left, err := watch(t, []scenario{wrongEnd, wrongWait, tooEarly, refused, happy})
	if err == nil || err.Error() != "otherwise than expected: wrong end; wrong wait; too early; refused" {
		t.Errorf("got %v", err)
	}
	for _, want := range []string{
		"  !! end: expected REJECTED (success), got SUCCEEDED (success)  verified true, MEERA KULKARNI, ...0016\n",
		"  !! effects of equal/execute-journey: expected 3 (two SMS and one verification), got 2\n",
		"  !! wait: expected documents (missing), got otp (delivery sent, attempts left: 3)\n",
		"  !! expected to wait for otp (delivery sent, attempts left: 3), got SUCCEEDED (success)\n",
		"/inputs: answered 400 ", "\n1 of 5 scenarios went as expected", "  -  the stacks' log is in ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q was not shown in\n%s", want, text)
		}
	}
	if len(left) != 1 || !strings.HasSuffix(left[0], ".log") {
		t.Errorf("left behind: %q", left)
	}
}

// until cancels once something was shown.
type until struct {
	bytes.Buffer
	shown  string
	cancel func()
}

func (u *until) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(u.shown)) {
		u.cancel()
	}
	return u.Buffer.Write(p)
}

func TestDemoInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &until{shown: "waiting, ", cancel: cancel} // while a request is held for its 20 seconds
	unanswered := titled(t, "aadhaar-otp: nobody answers")
	p := newPlayer(t, &screen{out: out, live: true}, 1)
	began := time.Now()
	err := p.play(ctx, []scenario{unanswered, unanswered})
	text := out.String()
	if !errors.Is(err, errInterrupted) || !strings.HasSuffix(text, "\r\x1b[K  ✗ interrupted\n") ||
		strings.Count(text, unanswered.title) != 1 {
		t.Errorf("got %v after\n%s", err, text)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("the request was held to its end: it took %s", took)
	}
	if left := p.left(t); left != nil {
		t.Errorf("left behind: %q", left)
	}
}

func TestScreen(t *testing.T) {
	show := func(s *screen) {
		s.headline("journey: one")
		s.line(markGood, "SendOTP  …0016")
		s.progress("running, 1.2 s")
		s.progress("running, 1.3 s")
		s.line(markBad, "999900000016 \x1b[2J 123456")
	}
	for _, test := range []struct {
		name   string
		screen *screen
		want   string
	}{
		{"Pipe", &screen{}, "\njourney: one\n  ok SendOTP  ...0016\n  !! ********0016 ?[2J ******\n"},
		{"Terminal", &screen{live: true}, "\njourney: one\n  ✓ SendOTP  …0016\n" +
			"\r\x1b[K    running, 1.2 s\r\x1b[K    running, 1.3 s\r\x1b[K  ✗ ********0016 ?[2J ******\n"},
		{"Colour", &screen{live: true, colour: true}, "\n\x1b[1mjourney: one\x1b[0m\n  \x1b[32m✓\x1b[0m SendOTP  …0016\n" +
			"\r\x1b[K    \x1b[2mrunning, 1.2 s\x1b[0m\r\x1b[K    \x1b[2mrunning, 1.3 s\x1b[0m\r\x1b[K" +
			"  \x1b[31m✗\x1b[0m ********0016 ?[2J ******\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			test.screen.out = &out
			show(test.screen)
			if out.String() != test.want {
				t.Errorf("got  %q\nwant %q", out.String(), test.want)
			}
		})
	}
}

// TestScreenBehind: what is shown on two screens at the same time stands one after the other.
func TestScreenBehind(t *testing.T) {
	var out bytes.Buffer
	front := &screen{out: &out, live: true}
	first, second := front.behind(), front.behind()
	second.line(markGood, "c")
	second.progress("running")
	second.line(markGood, "d")
	first.line(markGood, "a")
	if out.Len() > 0 {
		t.Errorf("before its turn a screen showed %q", out.String())
	}
	first.begin()
	first.progress("running")
	first.line(markGood, "b")
	second.begin()
	second.line(markGood, "e")
	if want := "  ✓ a\n\r\x1b[K    running\r\x1b[K  ✓ b\n  ✓ c\n  ✓ d\n  ✓ e\n"; out.String() != want {
		t.Errorf("got  %q\nwant %q", out.String(), want)
	}
}

func TestNewScreen(t *testing.T) {
	terminal, err := os.Open(os.DevNull) // a character device, too
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	for _, test := range []struct {
		name         string
		out          *os.File
		env          map[string]string
		live, colour bool
	}{
		{"Terminal", terminal, map[string]string{"TERM": "xterm"}, true, true},
		{"NoColour", terminal, map[string]string{"TERM": "xterm", "NO_COLOR": "1"}, true, false},
		{"Dumb", terminal, map[string]string{"TERM": "dumb"}, false, false},
		{"Pipe", write, map[string]string{"TERM": "xterm"}, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScreen(test.out, func(name string) string { return test.env[name] })
			if s.live != test.live || s.colour != test.colour {
				t.Errorf("live %t, colour %t", s.live, s.colour)
			}
		})
	}
}
