package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

const (
	demoTemplate = "../../template.yaml"
	testScale    = 60 // a wait of ten minutes takes ten seconds
)

// watch plays scenarios into a pipe, as it were, and checks what holds for whatever is shown.
func watch(t *testing.T, scenarios []scenario) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := play(t.Context(), &screen{out: &out}, demoTemplate, testScale, scenarios)
	text := out.String()
	if strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') }) {
		t.Errorf("more than printable ASCII in\n%q", text)
	}
	if found := regexp.MustCompile(`\b(\d{12}|\d{6})\b`).FindString(text); found != "" {
		t.Errorf("%s must be masked in\n%s", found, text)
	}
	return text, err
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

// temporary makes a directory the one for temporary files and returns a function that lists what is left there.
func temporary(t *testing.T) (left func() []string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	return func() (names []string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		return names
	}
}

func TestDemo(t *testing.T) {
	left := temporary(t)
	text, err := watch(t, demoScenarios())
	t.Log(text)
	if err != nil {
		t.Error(err)
	}
	_, rest, _ := strings.Cut(text, "\n")
	for _, s := range demoScenarios() {
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
	for _, want := range []string{
		"  ok OpenTransaction  done (success)  ", "  -> otp ******\n", "  ok FetchData ", "  !  SendOTP          unknown ",
		"  .. waiting for otp (delivery_unknown; delivery unknown, attempts left: 3)\n", fmt.Sprintf("\n%[1]d of %[1]d scenarios went as expected", len(demoScenarios())),
		"  -  at the partner: one SMS (effects of equal/execute-journey: 1)\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q was not shown", want)
		}
	}
	if names := left(); names != nil {
		t.Errorf("left behind: %q", names)
	}
}

func TestDemoDeviates(t *testing.T) {
	left := temporary(t)
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
	refused.acts[0].body = `{"kind":"otp","otp":"1"}`

	text, err := watch(t, []scenario{wrongEnd, wrongWait, tooEarly, refused, happy})
	if err == nil || err.Error() != "otherwise than expected: wrong end; wrong wait; too early; refused" {
		t.Errorf("got %v", err)
	}
	for _, want := range []string{
		"  !! end: expected REJECTED (success), got SUCCEEDED (success)  verified true, MEERA KULKARNI, ...0016\n",
		"  !! effects of equal/execute-journey: expected 3 (two SMS and one verification), got 2\n",
		"  !! wait: expected documents (missing), got otp (delivery sent, attempts left: 3)\n",
		"  !! expected to wait for otp (delivery sent, attempts left: 3), got SUCCEEDED (success)\n",
		"/inputs: answered 400 ", "\n1 of 5 scenarios went as expected", "  -  the stack's log is in ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q was not shown in\n%s", want, text)
		}
	}
	if names := left(); len(names) != 1 || !strings.HasSuffix(names[0], ".log") {
		t.Errorf("left behind: %q", names)
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
	left := temporary(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &until{shown: "waiting, ", cancel: cancel} // while a request is held for its 20 seconds
	unanswered := titled(t, "aadhaar-otp: nobody answers")
	began := time.Now()
	err := play(ctx, &screen{out: out, live: true}, demoTemplate, 1, []scenario{unanswered, unanswered})
	text := out.String()
	if !errors.Is(err, errInterrupted) || !strings.HasSuffix(text, "\r\x1b[K  ✗ interrupted\n") || strings.Count(text, unanswered.title) != 1 {
		t.Errorf("got %v after\n%s", err, text)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	if names := left(); names != nil {
		t.Errorf("left behind: %q", names)
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
		screen screen
		want   string
	}{
		{"Pipe", screen{}, "\njourney: one\n  ok SendOTP  ...0016\n  !! ********0016 ?[2J ******\n"},
		{"Terminal", screen{live: true}, "\njourney: one\n  ✓ SendOTP  …0016\n" +
			"\r\x1b[K    running, 1.2 s\r\x1b[K    running, 1.3 s\r\x1b[K  ✗ ********0016 ?[2J ******\n"},
		{"Colour", screen{live: true, colour: true}, "\n\x1b[1mjourney: one\x1b[0m\n  \x1b[32m✓\x1b[0m SendOTP  …0016\n" +
			"\r\x1b[K    \x1b[2mrunning, 1.2 s\x1b[0m\r\x1b[K    \x1b[2mrunning, 1.3 s\x1b[0m\r\x1b[K" +
			"  \x1b[31m✗\x1b[0m ********0016 ?[2J ******\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			test.screen.out = &out
			show(&test.screen)
			if out.String() != test.want {
				t.Errorf("got  %q\nwant %q", out.String(), test.want)
			}
		})
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
