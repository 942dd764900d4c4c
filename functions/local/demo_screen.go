package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// screen shows lines to a person. On a terminal the last one can be a line of progress that is kept up to date;
// elsewhere everything is plain ASCII. Whatever looks like an identity number or an OTP is masked.
type screen struct {
	live   bool // out is a terminal that can replace a line
	colour bool

	mu    sync.Mutex // of what follows
	out   io.Writer
	kept  *bytes.Buffer // takes what is shown before the screen's turn; nil when that has come
	drawn bool          // a line of progress stands
}

// newScreen looks at what out is, and at NO_COLOR and TERM.
func newScreen(out *os.File, env func(string) string) *screen {
	s := &screen{out: out}
	if info, err := out.Stat(); err == nil {
		s.live = info.Mode()&os.ModeCharDevice != 0 && env("TERM") != "dumb"
	}
	s.colour = s.live && env("NO_COLOR") == ""
	return s
}

// behind returns a screen that shows things in the same place later: it keeps them until begin says that its turn has
// come.
func (s *screen) behind() *screen {
	return &screen{live: s.live, colour: s.colour, out: s.out, kept: &bytes.Buffer{}}
}

// begin shows what the screen has kept. From now on it shows everything at once.
func (s *screen) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept != nil {
		_, _ = s.kept.WriteTo(s.out)
		s.kept = nil
	}
}

// mark is the sign that a line begins with.
type mark struct {
	sign   string
	plain  string // in ASCII
	colour string // SGR parameter
}

var (
	markGood  = mark{"✓", "ok", "32"}
	markBad   = mark{"✗", "!!", "31"}
	markDoubt = mark{"!", "!", "33"} // an answer other than yes
	markWait  = mark{"…", "..", "36"}
	markAct   = mark{"→", "->", "34"}
	markEnd   = mark{"=", "=", "1"}
	markNote  = mark{"·", "-", "2"}
)

const (
	clearLine = "\r\x1b[K"
	bold      = "1"
	dim       = "2"
)

// headline shows what follows.
func (s *screen) headline(text string) {
	s.print("\n" + s.paint(bold, s.clean(text)) + "\n")
}

// line shows one thing that happened.
func (s *screen) line(m mark, text string) {
	if s.live {
		s.print(fmt.Sprintf("  %s %s\n", s.paint(m.colour, m.sign), s.clean(text)))
	} else {
		s.print(fmt.Sprintf("  %-2s %s\n", m.plain, s.clean(text)))
	}
}

// progress shows what goes on, on a terminal only, until anything else is shown. Before the screen's turn it shows
// nothing.
func (s *screen) progress(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live && s.kept == nil {
		s.drawn = true
		fmt.Fprint(s.out, clearLine+"    "+s.paint(dim, s.clean(text)))
	}
}

// print shows text in place of a line of progress.
func (s *screen) print(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.kept != nil:
		s.kept.WriteString(text)
	case s.drawn:
		s.drawn = false
		fmt.Fprint(s.out, clearLine+text)
	default:
		fmt.Fprint(s.out, text)
	}
}

func (s *screen) paint(colour, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

var (
	identityNumber = regexp.MustCompile(`\b\d{8}(\d{4})\b`)
	otpNumber      = regexp.MustCompile(`\b\d{6}\b`)
)

// clean masks numbers and takes out what a terminal would obey or a pipe can't hold.
func (s *screen) clean(text string) string {
	text = identityNumber.ReplaceAllString(text, "********$1")
	text = otpNumber.ReplaceAllString(text, "******")
	if !s.live {
		text = strings.ReplaceAll(text, "…", "...")
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || !s.live && r > unicode.MaxASCII {
			return '?'
		}
		return r
	}, text)
}
