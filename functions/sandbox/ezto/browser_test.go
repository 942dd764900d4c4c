package ezto_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox/ezto"
	"sallyport/functions/sandbox/sandboxtest"
)

// browser is a real one, without scripts, that is used by its keyboard alone and looked at as a screen reader does.
type browser struct {
	t   *testing.T
	ctx context.Context
}

// newBrowser starts one whose window is zoomed to 200 %: it has half as many pixels, of twice the size. The test is
// skipped where none is installed, unless everything is required.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		if os.Getenv("REQUIRE_ALL") == "1" {
			t.Fatal("no browser is installed")
		}
		t.Skip("SKIPPED the hosted pages in a browser: no chromium is installed")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.UserDataDir(t.TempDir()))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	b := &browser{t: t, ctx: ctx}
	b.do(chromedp.Navigate("about:blank")) // whose context the browser lives by
	b.ctx, stop = context.WithTimeout(ctx, 60*time.Second)
	t.Cleanup(stop)
	tell(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	tell(
		b, emulation.SetDeviceMetricsOverride,
		emulation.SetDeviceMetricsOverrideParams{Width: 640, Height: 512, DeviceScaleFactor: 2},
	)
	tell(b, accessibility.Enable, cdp.Empty{})
	return b
}

func (b *browser) do(action chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, action); err != nil {
		b.t.Fatal(err)
	}
}

// tell sends a command that must succeed.
func tell[P, R any](b *browser, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	result, err := chromedp.Call(b.ctx, command, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

// press presses keys, one after the other.
func (b *browser) press(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		b.do(chromedp.KeyEvent(key))
	}
}

// at waits for a page by its title, which is announced first, and by the last of its parts, and checks that nothing of
// it is beyond the window's edge.
func (b *browser) at(title string, last node) {
	b.t.Helper()
	b.awaits(fmt.Sprint(last), func(n node) bool { return n == last })
	b.awaits(title, func(n node) bool { return n.role == "RootWebArea" && n.name == title })
	seen := tell(b, page.GetLayoutMetrics, cdp.Empty{})
	if seen.CSSContentSize.Width > float64(seen.CSSLayoutViewport.ClientWidth) {
		b.t.Errorf(
			"%q is %v wide, of which %v are seen", title, seen.CSSContentSize.Width, seen.CSSLayoutViewport.ClientWidth,
		)
	}
}

// node is what a screen reader knows of a part of the page.
type node struct {
	role, name, description string
	focused, invalid        bool
}

// tree returns the page's parts in their order; none between two pages.
func (b *browser) tree() (nodes []node) {
	all, err := chromedp.Call(b.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		return nil
	}
	textOf := func(v *accessibility.Value) (text string) {
		if v != nil {
			_ = json.Unmarshal(v.Value, &text)
		}
		return text
	}
	for _, n := range all.Nodes {
		if n.Ignored {
			continue
		}
		out := node{role: textOf(n.Role), name: textOf(n.Name), description: textOf(n.Description)}
		for _, p := range n.Properties {
			switch p.Name {
			case "focused":
				out.focused = string(p.Value.Value) == "true"
			case "invalid":
				out.invalid = textOf(p.Value) == "true"
			}
		}
		nodes = append(nodes, out)
	}
	return nodes
}

// focuses waits for a part to have the focus, which a new page gives only when it is drawn.
func (b *browser) focuses(want node) {
	b.t.Helper()
	want.focused = true
	b.awaits(fmt.Sprint(want), func(n node) bool { return n == want })
}

// awaits returns when the page has a part that is meant.
func (b *browser) awaits(what string, meant func(node) bool) {
	b.t.Helper()
	var last []node
	for deadline := time.Now().Add(20 * time.Second); !slices.ContainsFunc(last, meant); last = b.tree() {
		if time.Now().After(deadline) {
			b.t.Fatalf("no %s in %v", what, last)
		}
	}
}

// TestBrowser goes from the link to the end by keyboard alone, with a wrong number first.
func TestBrowser(t *testing.T) {
	b := newBrowser(t)
	h := openOn(t, &sandboxtest.Memory{}, func(o *options) {
		app := ezto.Defaults().Applications["poll"]
		app.Consent, app.Onboarding, app.Skippable = true, true, true
		o.Partner.Applications = map[string]ezto.Application{"poll": app}
	})
	server := httptest.NewServer(h)
	defer server.Close()
	r := request("poll", "/transaction", formOf("request", asking))
	r.Host = strings.TrimPrefix(server.URL, "http://")
	got := sandboxtest.Decoded[triggered](h.T, h.Do(r), 200)

	b.do(chromedp.Navigate(got.URL))
	b.at("Check importer licence", node{role: "button", name: "Decline"})
	b.press(kb.Tab)
	b.focuses(node{role: "button", name: "Accept"})
	b.press(kb.Enter)
	b.at("Welcome", node{role: "button", name: "Continue"})
	b.press(kb.Tab)
	b.focuses(node{role: "button", name: "Continue"})
	b.press(kb.Enter)
	b.at("IEC Verification", node{role: "button", name: "Skip"})
	b.press(kb.Tab)
	b.focuses(node{role: "textbox", name: "IEC License Number"})
	b.press("AAHCZ9999Z", kb.Enter)

	// The error is announced, and the field has the focus and says what is wrong with it.
	const wrong = "No licence has this number. 4 attempts are left."
	b.at("Error: IEC Verification", node{role: "button", name: "Skip"})
	b.focuses(node{role: "textbox", name: "IEC License Number", description: wrong, invalid: true})
	parts := b.tree()
	alert := slices.IndexFunc(parts, func(n node) bool { return n.role == "alert" })
	want(t, alert >= 0 && slices.Contains(parts[alert:], node{role: "StaticText", name: wrong}), true)
	b.press(kb.End)
	for range len("AAHCZ9999Z") {
		b.press(kb.Backspace)
	}
	b.press("AAXCT4821K", kb.Enter)
	b.at("Completed", node{role: "heading", name: "Completed"})
	want(t, h.result("poll", got.AuthReqID), "200 "+verified("u-7731", sandboxtest.ID(1)))
}
