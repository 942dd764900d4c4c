package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"sallyport/functions/sandbox"
	"sallyport/shared/telemetry"
)

const (
	demoScale    = 40              // a sandbox minute takes a second and a half
	demoAtOnce   = 16              // scenarios that are played at the same time; most of them wait most of the time
	demoPatience = 2 * time.Minute // what one scenario may take at most
	demoTick     = 100 * time.Millisecond
	demoLook     = time.Second // how often the steps of a journey that runs are read
)

var errInterrupted = errors.New("interrupted")

// demo plays every scenario on a stack of its own, through HTTP as a caller would, and shows each step. It returns an
// error where something went otherwise than a scenario expects, after all of them, or where ctx has ended.
func demo(ctx context.Context, out *os.File, template string) error {
	return player{screen: newScreen(out, os.Getenv), template: template, scale: demoScale}.play(ctx, demoScenarios())
}

// player plays scenarios and shows them on a screen.
type player struct {
	*screen
	template string  // template.yaml
	temp     string  // folder for temporary files; the system's where empty
	scale    float64 // of a scenario that has none of its own
}

// play plays scenarios, some at the same time, and shows them one after the other. It leaves nothing behind but, where
// one deviated, the stacks' log.
func (p player) play(ctx context.Context, scenarios []scenario) (err error) {
	began := time.Now()
	dir, err := os.MkdirTemp(p.temp, "sallyport-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	logs, err := os.CreateTemp(p.temp, "sallyport-demo-*.log")
	if err != nil {
		return err
	}
	defer func() {
		_ = logs.Close()
		if err == nil || errors.Is(err, errInterrupted) {
			err = errors.Join(err, os.Remove(logs.Name()))
			return
		}
		p.line(markNote, "the stacks' log is in "+logs.Name())
	}()
	log := telemetry.NewLogger(logs, slog.LevelInfo)
	runs := make([]*run, len(scenarios))
	for i, s := range scenarios {
		stack := &Main{Address: "127.0.0.1:0", Dir: filepath.Join(dir, strconv.Itoa(i)), Template: p.template,
			TimeScale: cmp.Or(s.scale, p.scale), Log: log}
		runs[i] = &run{screen: p.behind(), scenario: s, stack: stack, shown: map[string]bool{}, ended: make(chan struct{})}
	}
	var playing sync.WaitGroup
	defer playing.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	next := make(chan *run)
	for range demoAtOnce {
		playing.Go(func() {
			for r := range next {
				r.err = r.play(ctx)
				close(r.ended)
			}
		})
	}
	playing.Go(func() {
		defer close(next)
		for _, r := range runs {
			select {
			case next <- r:
			case <-ctx.Done():
				return
			}
		}
	})

	var deviated []string
	for _, r := range runs {
		r.begin()
		select {
		case <-r.ended:
		case <-ctx.Done():
			playing.Wait()
		}
		switch {
		case ctx.Err() != nil:
			r.line(markBad, "interrupted")
			return errInterrupted
		case r.err != nil:
			return r.err
		case r.deviated:
			deviated = append(deviated, r.title)
		}
	}
	p.headline(fmt.Sprintf("%d of %d scenarios went as expected, in %s",
		len(scenarios)-len(deviated), len(scenarios), took(time.Since(began))))
	if len(deviated) > 0 {
		return fmt.Errorf("otherwise than expected: %s", strings.Join(deviated, "; "))
	}
	return nil
}

// run is a scenario under way.
type run struct {
	*screen
	scenario
	stack    *Main // of its own
	posts    int
	id       string          // of the journey, once it has been started
	shown    map[string]bool // steps that were
	deviated bool
	err      error         // of its stack
	ended    chan struct{} // closed at its end
}

// play shows the scenario from its headline to its end. It returns an error where the stack can't be started or closed.
func (r *run) play(ctx context.Context) (err error) {
	if err := r.stack.Run(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.stack.Close()) }()
	r.show(ctx)
	return nil
}

func (r *run) show(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	r.headline(r.title)
	r.line(markNote, "expects "+r.expects())
	at, err := r.drive(ctx)
	if r.id != "" && !at.ended() {
		r.abandon(ctx)
	}
	switch {
	case errors.Is(err, context.Canceled):
	case errors.Is(err, context.DeadlineExceeded):
		r.deviation(fmt.Sprintf("it did not get there in %s", took(demoPatience)))
	case err != nil:
		r.deviation(err.Error())
	default:
		r.check(ctx, at)
	}
}

// drive makes the journey go through all acts to its end.
func (r *run) drive(ctx context.Context) (at position, err error) {
	for _, a := range r.before {
		if err := r.do(ctx, a, at); err != nil {
			return at, err
		}
	}
	var started struct {
		ID string `json:"journey_id"`
	}
	r.line(markAct, "start "+r.kind.name+": "+r.says)
	if err := r.post(ctx, act{path: "/journeys/" + r.kind.name, body: r.start}, &started); err != nil {
		return at, err
	}
	r.id = started.ID
	for _, a := range r.acts {
		answered := at.waitID()
		at, err = r.follow(ctx, func(p position) bool { return p.Status == "WAITING" && p.waitID() != answered })
		if err != nil {
			return at, err
		}
		if at.ended() {
			r.deviation(fmt.Sprintf("expected to wait for %s, got %s (%s)", a.waiting, at.Status, at.Reason))
			return at, nil
		}
		waiting := r.waiting(at)
		r.line(markWait, "waiting for "+waiting)
		r.compare("wait", a.waiting, waiting)
		if err := r.count(ctx, a.effects); err != nil {
			return at, err
		}
		if err := r.do(ctx, a, at); err != nil {
			return at, err
		}
	}
	return r.follow(ctx, position.ended)
}

// do shows and does what an act says.
func (r *run) do(ctx context.Context, a act, at position) error {
	if a.after > 0 {
		if err := r.pass(ctx, a.after); err != nil {
			return err
		}
	}
	r.line(markAct, a.says)
	if a.path == "" {
		return nil
	}
	a.path = fill(strings.ReplaceAll(a.path, "{journey_id}", r.id), at.Awaiting)
	return r.post(ctx, a, nil)
}

// pass lets sandbox time go by.
func (r *run) pass(ctx context.Context, d time.Duration) error {
	left := time.Duration(float64(d) / r.stack.TimeScale)
	r.line(markWait, fmt.Sprintf("%s must pass, here in %s", took(d), took(left)))
	over, tick := time.NewTimer(left), time.NewTicker(demoTick)
	defer over.Stop()
	defer tick.Stop()
	for began := time.Now(); ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-over.C:
			return nil
		case <-tick.C:
			r.progress(took(left-time.Since(began)) + " left")
		}
	}
}

// follow shows a journey's steps until it is as wanted, or has ended.
func (r *run) follow(ctx context.Context, wanted func(position) bool) (position, error) {
	at, err := r.read(ctx, "")
	for err == nil && !wanted(at) && !at.ended() {
		at, err = r.next(ctx, at)
	}
	if err == nil {
		r.steps(at)
	}
	return at, err
}

// next holds a request until the journey has changed; meanwhile it shows its steps and how the time goes by.
func (r *run) next(ctx context.Context, known position) (at position, err error) {
	changed := make(chan struct{})
	go func() {
		defer close(changed)
		at, err = r.read(ctx, known.etag)
	}()
	tick, look := time.NewTicker(demoTick), time.NewTicker(demoLook)
	defer tick.Stop()
	defer look.Stop()
	for began := time.Now(); ; {
		select {
		case <-changed:
			return at, err
		case <-tick.C:
			if known.Status == "WAITING" {
				r.progress("waiting, " + took(time.Until(known.expiresAt())) + " left")
			} else {
				r.progress("running, " + took(time.Since(began)))
			}
		case <-look.C:
			if now, err := r.read(ctx, ""); err == nil {
				r.steps(now)
			}
		}
	}
}

// steps shows those that have ended and were not shown yet.
func (r *run) steps(at position) {
	for _, s := range at.Steps {
		if s.Status == "claimed" || r.shown[s.ID+s.Status] {
			continue
		}
		r.shown[s.ID+s.Status] = true
		mark := markDoubt
		if s.Status == "done" {
			mark = markGood
		}
		text := s.Status
		if s.Code != "" {
			text += " (" + s.Code + ")"
		}
		r.line(mark, fmt.Sprintf("%-15s  %s  %s", s.Name, text, took(s.EndedAt.Sub(s.StartedAt))))
	}
}

// check compares the end with what the scenario expects.
func (r *run) check(ctx context.Context, at position) {
	end := at.Status + " (" + at.Reason + ")"
	if len(at.Outcome) > 0 {
		end += "  " + fill(r.kind.outcome, at.Outcome)
	}
	r.line(markEnd, end)
	r.compare("end", r.end(), end)
	if err := r.count(ctx, r.effects); err != nil {
		r.deviation(err.Error())
	}
}

// count compares what happened at the simulated partners with what should have.
func (r *run) count(ctx context.Context, wanted []effect) error {
	for _, e := range wanted {
		partner, operation, _ := strings.Cut(e.operation, "/")
		var requests []sandbox.Request
		if _, err := r.call(
			ctx, http.MethodGet, "/sandbox/requests?partner="+partner+"&operation="+operation, nil, "", &requests,
		); err != nil {
			return err
		}
		n := 0
		for _, request := range requests {
			if request.Effect {
				n++
			}
		}
		if n == e.times {
			r.line(markNote, fmt.Sprintf("at the partner: %s (effects of %s: %d)", e.are, e.operation, n))
		} else {
			r.deviation(fmt.Sprintf("effects of %s: expected %d (%s), got %d", e.operation, e.times, e.are, n))
		}
	}
	return nil
}

func (r *run) compare(what, want, got string) {
	if got != want {
		r.deviation(what + ": expected " + want + ", got " + got)
	}
}

func (r *run) deviation(text string) {
	r.deviated = true
	r.line(markBad, text)
}

// abandon cancels a journey that was left, so that nothing of it keeps the stack from closing.
func (r *run) abandon(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = r.post(ctx, act{path: "/journeys/" + r.id + "/cancel"}, nil) // what went wrong before is what counts
}

// position is where a journey stands, as callers see it.
type position struct {
	Status   string         `json:"status"`
	Reason   string         `json:"reason"`
	Awaiting map[string]any `json:"awaiting"`
	Outcome  map[string]any `json:"outcome"`
	Steps    []struct {
		ID        string    `json:"transaction_id"`
		Name      string    `json:"name"`
		Status    string    `json:"status"`
		Code      string    `json:"code"`
		StartedAt time.Time `json:"started_at"`
		EndedAt   time.Time `json:"ended_at"`
	} `json:"steps"`
	etag string
}

func (p position) ended() bool {
	return p.Status != "" && p.Status != "RUNNING" && p.Status != "WAITING"
}

func (p position) waitID() string {
	id, _ := p.Awaiting["id"].(string)
	return id
}

func (p position) expiresAt() time.Time {
	text, _ := p.Awaiting["expires_at"].(string)
	at, _ := time.Parse(time.RFC3339, text)
	return at
}

// read returns where the journey stands: at once, or, where an ETag is known, once it differs or 20 seconds have
// passed.
func (r *run) read(ctx context.Context, known string) (at position, err error) {
	for {
		header := http.Header{}
		if known != "" {
			header = http.Header{"Prefer": {"wait=20"}, "If-None-Match": {known}}
		}
		resp, err := r.call(ctx, http.MethodGet, "/journeys/"+r.id, header, "", &at)
		if err != nil || resp.StatusCode != http.StatusNotModified {
			if err == nil {
				at.etag = resp.Header.Get("ETag")
			}
			return at, err
		}
	}
}

func (r *run) post(ctx context.Context, a act, out any) error {
	r.posts++
	key := uuid.NewSHA1(uuid.NameSpaceURL, fmt.Append(nil, "demo-", r.posts)).String() // Iron takes nothing else
	_, err := r.call(ctx, cmp.Or(a.method, http.MethodPost), a.path, http.Header{"Idempotency-Key": {key}}, a.body, out)
	return err
}

// call makes a request and reads its answer into out, unless that is nil or there is none. Every status from 400 is an
// error.
func (r *run) call(
	ctx context.Context, method, path string, header http.Header, body string, out any,
) (*http.Response, error) {
	address, form := strings.CutPrefix(path, r.stack.URL) // a page of a partner's, which people fill in
	req, err := http.NewRequestWithContext(ctx, method, r.stack.URL+address, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("X-API-Key", localKey)
	req.Header.Set("Content-Type", "application/json")
	if form {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode >= 400:
		return nil, fmt.Errorf("%s %s: answered %d %s", method, path, resp.StatusCode, bytes.TrimSpace(answer))
	case out == nil || len(answer) == 0:
		return resp, nil
	}
	return resp, json.Unmarshal(answer, out)
}

var placeholder = regexp.MustCompile(`\{\w+\}`)

// fill puts values in place of their {names}.
func fill(text string, values map[string]any) string {
	return placeholder.ReplaceAllStringFunc(text, func(name string) string {
		value, ok := values[strings.Trim(name, "{}")]
		if !ok {
			return "?"
		}
		return fmt.Sprint(value)
	})
}

// took is a duration as people read it.
func took(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}
