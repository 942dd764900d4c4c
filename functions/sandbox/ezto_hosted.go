package sandbox

import (
	"html/template"
	"net/http"
	"net/url"
)

// eztoPagePath is what the path of a transaction's page begins with.
const eztoPagePath = "/v/"

// eztoPages are the pages that EZTO hosts: one for each step, and one that only says something.
type eztoPages struct {
	consent, onboarding, number, text *template.Template
}

func newEZTOPages() eztoPages {
	return eztoPages{
		consent:    newHostedPage(eztoConsentPage),
		onboarding: newHostedPage(eztoOnboardingPage),
		number:     newHostedPage(eztoNumberPage),
		text:       newHostedPage(eztoTextPage),
	}
}

// eztoView is what a page shows.
type eztoView struct {
	Title, Text string
	Pairs       eztoPairs // of the consent
	Number      string    // that was submitted
	Wrong       string    // with it; empty: nothing
	Skippable   bool
}

const eztoConsentPage = `{{define "title"}}{{.Title}}{{end}}
{{define "main"}}<h1>{{.Title}}</h1>
<dl>
{{- range .Pairs}}
<dt>{{.Name}}</dt>
<dd>{{.Value}}</dd>
{{- end}}
</dl>
<form method="post">
<button type="submit" name="consent" value="accept">Accept</button>
<button type="submit" name="consent" value="decline" class="second">Decline</button>
</form>{{end}}`

const eztoOnboardingPage = `{{define "title"}}Welcome{{end}}
{{define "main"}}<h1>Welcome</h1>
<p>You are here for the first time, or you were asked to begin anew. This makes you known.</p>
<form method="post">
<button type="submit" name="onboarding" value="done">Continue</button>
</form>{{end}}`

const eztoNumberPage = `{{define "title"}}{{if .Wrong}}Error: {{end}}IEC Verification{{end}}
{{define "main"}}<h1>IEC Verification</h1>
<form method="post">
<div class="field">
<label for="iec">IEC License Number</label>
{{- if .Wrong}}
<p class="wrong" id="iec-problem" role="alert">{{.Wrong}}</p>
{{- end}}
<input type="text" id="iec" name="iec" value="{{.Number}}" autocomplete="off" autocapitalize="characters" spellcheck="false"{{if .Wrong}} aria-invalid="true" aria-describedby="iec-problem" autofocus{{end}}>
</div>
<button type="submit">Submit</button>
{{- if .Skippable}}
<button type="submit" name="skip" value="yes" class="second">Skip</button>
{{- end}}
</form>{{end}}`

const eztoTextPage = `{{define "title"}}{{.Title}}{{end}}
{{define "main"}}<h1>{{.Title}}</h1>
<p>{{.Text}}</p>{{end}}`

// show returns the page of a transaction that is there, after a number that may have been wrong.
func (e *ezto) show(c *call, t *eztoTransaction, number, wrong string) answer {
	text := func(status int, title, text string) answer {
		return hosted(status, e.page.text, eztoView{Title: title, Text: text})
	}
	switch t.status(c.now) {
	case eztoAsksConsent:
		return hosted(http.StatusOK, e.page.consent, eztoView{Title: t.Consent.Title, Pairs: t.Consent.Message})
	case eztoOnboards:
		return hosted(http.StatusOK, e.page.onboarding, nil)
	case eztoAsksNumber:
		status := http.StatusOK
		if wrong != "" {
			status = http.StatusUnprocessableEntity
		}
		return hosted(status, e.page.number, eztoView{Number: number, Wrong: wrong, Skippable: e.Applications[t.Application].Skippable})
	case eztoCompleted:
		return text(http.StatusOK, "Completed", "Thank you. You can close this page.")
	case eztoSkipped:
		return text(http.StatusOK, "Skipped", "There is nothing more to do. You can close this page.")
	case eztoIsDenied:
		return text(http.StatusOK, "Declined", "You declined, so nothing is checked. You can close this page.")
	case eztoExpired:
		return text(http.StatusGone, "This link has expired", "Ask whoever sent it to you for a new one.")
	}
	return text(http.StatusOK, "Not completed", "The check could not be completed. Whoever sent you the link knows. You can close this page.")
}

func (e *ezto) unknownPage() answer {
	return hosted(http.StatusNotFound, e.page.text, eztoView{Title: "Page not found", Text: "The link is not complete, or it was never issued."})
}

// showPage shows the page behind the url of a transaction.
func (e *ezto) showPage(c *call) (any, error) {
	t, found, err := eztoTransactionBy(c, eztoPageKey(c.request.PathValue("page")))
	switch {
	case err != nil:
		return nil, err
	case !found:
		return e.unknownPage(), nil
	}
	return e.show(c, &t, "", ""), nil
}

// submitPage takes the form of a page. That of another step than the one where the transaction stands does nothing.
func (e *ezto) submitPage(c *call) (any, error) {
	t, found, err := eztoTransactionBy(c, eztoPageKey(c.request.PathValue("page")))
	switch {
	case err != nil:
		return nil, err
	case !found:
		return e.unknownPage(), nil
	}
	form, _ := url.ParseQuery(string(c.body)) // what can't be read is missing
	in := eztoInput{step: t.status(c.now), accept: form.Get("consent") == "accept", number: form.Get("iec"), skip: form.Has("skip")}
	taken := false
	switch in.step {
	case eztoAsksConsent:
		taken = form.Has("consent")
	case eztoOnboards:
		taken = form.Has("onboarding")
	case eztoAsksNumber:
		taken = form.Has("iec") || form.Has("skip")
		in.skip = in.skip && e.Applications[t.Application].Skippable
	}
	if taken {
		if wrong, err := e.submit(c, &t, in); err != nil || wrong != "" {
			return e.show(c, &t, in.number, wrong), err
		}
	}
	return answer{status: http.StatusSeeOther, header: http.Header{"Location": {c.request.URL.EscapedPath()}, "Cache-Control": {"no-store"}}}, nil
}
