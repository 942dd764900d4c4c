package ezto

import (
	"net/http"
	"net/url"

	"sallyport/functions/sandbox"
)

// pagePath is what the path of a transaction's page begins with.
const pagePath = "/v/"

// pages are the pages that EZTO hosts: one for each step, and one that only says something.
type pages struct {
	consent, onboarding, number, text *sandbox.Page
}

func newPages() pages {
	return pages{
		consent:    sandbox.NewPage(consentPage),
		onboarding: sandbox.NewPage(onboardingPage),
		number:     sandbox.NewPage(numberPage),
		text:       sandbox.NewPage(textPage),
	}
}

// pageView is what a page shows.
type pageView struct {
	Title, Text string
	Pairs       pairs  // of the consent
	Number      string // that was submitted
	Wrong       string // with it; empty: nothing
	Skippable   bool
}

const consentPage = `{{define "title"}}{{.Title}}{{end}}
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

const onboardingPage = `{{define "title"}}Welcome{{end}}
{{define "main"}}<h1>Welcome</h1>
<p>You are here for the first time, or you were asked to begin anew. This makes you known.</p>
<form method="post">
<button type="submit" name="onboarding" value="done">Continue</button>
</form>{{end}}`

const numberPage = `{{define "title"}}{{if .Wrong}}Error: {{end}}IEC Verification{{end}}
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

const textPage = `{{define "title"}}{{.Title}}{{end}}
{{define "main"}}<h1>{{.Title}}</h1>
<p>{{.Text}}</p>{{end}}`

// show returns the page of a transaction that is there, after a number that may have been wrong.
func (e *simulation) show(c *sandbox.Call, t *transaction, number, wrong string) sandbox.Answer {
	text := func(status int, title, text string) sandbox.Answer {
		return e.page.text.Show(status, pageView{Title: title, Text: text})
	}
	switch t.status(c.Now) {
	case asksConsent:
		return e.page.consent.Show(http.StatusOK, pageView{Title: t.Consent.Title, Pairs: t.Consent.Message})
	case onboards:
		return e.page.onboarding.Show(http.StatusOK, nil)
	case asksNumber:
		status := http.StatusOK
		if wrong != "" {
			status = http.StatusUnprocessableEntity
		}
		return e.page.number.Show(
			status, pageView{Number: number, Wrong: wrong, Skippable: e.Applications[t.Application].Skippable},
		)
	case completed:
		return text(http.StatusOK, "Completed", "Thank you. You can close this page.")
	case skipped:
		return text(http.StatusOK, "Skipped", "There is nothing more to do. You can close this page.")
	case isDenied:
		return text(http.StatusOK, "Declined", "You declined, so nothing is checked. You can close this page.")
	case expired:
		return text(http.StatusGone, "This link has expired", "Ask whoever sent it to you for a new one.")
	}
	return text(http.StatusOK, "Not completed",
		"The check could not be completed. Whoever sent you the link knows. You can close this page.")
}

func (e *simulation) unknownPage() sandbox.Answer {
	return e.page.text.Show(
		http.StatusNotFound, pageView{Title: "Page not found", Text: "The link is not complete, or it was never issued."},
	)
}

// showPage shows the page behind the url of a transaction.
func (e *simulation) showPage(c *sandbox.Call) any {
	t, found := transactionBy(c, pageKey(c.Request.PathValue("page")))
	if !found {
		return e.unknownPage()
	}
	return e.show(c, &t, "", "")
}

// submitPage takes the form of a page. That of another step than the one where the transaction stands does nothing.
func (e *simulation) submitPage(c *sandbox.Call) any {
	t, found := transactionBy(c, pageKey(c.Request.PathValue("page")))
	if !found {
		return e.unknownPage()
	}
	form, _ := url.ParseQuery(string(c.Body)) // what can't be read is missing
	in := input{
		step: t.status(c.Now), accept: form.Get("consent") == "accept", number: form.Get("iec"), skip: form.Has("skip"),
	}
	taken := false
	switch in.step {
	case asksConsent:
		taken = form.Has("consent")
	case onboards:
		taken = form.Has("onboarding")
	case asksNumber:
		taken = form.Has("iec") || form.Has("skip")
		in.skip = in.skip && e.Applications[t.Application].Skippable
	}
	if taken {
		if wrong := e.submit(c, &t, in); wrong != "" {
			return e.show(c, &t, in.number, wrong)
		}
	}
	return c.ShowAgain()
}
