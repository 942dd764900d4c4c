package iron

import (
	"net/http"
	"net/url"

	"sallyport/functions/sandbox"
)

// pages are the pages that Iron hosts.
type pages struct {
	identification, terms, unknown *sandbox.Page
}

func newPages() pages {
	return pages{
		identification: sandbox.NewPage(identificationPage),
		terms:          sandbox.NewPage(termsPage),
		unknown:        sandbox.NewPage(unknownPage),
	}
}

// identificationPage shows no personal data: whoever has the link may not be the one that it was meant for.
const identificationPage = `{{define "title"}}{{if .Missing}}Error: {{end}}{{.Title}}{{end}}
{{define "main"}}<h1>{{.Title}}</h1>
{{- if .Steps}}
{{- if .Missing}}
<div class="problem" id="problem" role="alert" tabindex="-1" autofocus>
<h2>There is a problem</h2>
<ul>
{{- range .Steps}}{{if .Missing}}
<li><a href="#{{.Name}}">{{.Label}} is not done</a></li>
{{- end}}{{end}}
</ul>
</div>
{{- end}}
<form method="post">
<fieldset>
<legend>Tick each step when it is done</legend>
{{- range .Steps}}
<div class="field">
{{- if .Missing}}
<p class="wrong" id="{{.Name}}-problem">{{.Label}} is not done</p>
{{- end}}
<input type="checkbox" id="{{.Name}}" name="{{.Name}}" value="done"{{if .Done}} checked{{end}}{{if .Missing}} aria-invalid="true" aria-describedby="{{.Name}}-problem"{{end}}>
<label for="{{.Name}}">{{.Label}}</label>
</div>
{{- end}}
</fieldset>
<button type="submit">Submit</button>
</form>
{{- else}}
<p>{{.Text}}</p>
{{- end}}{{end}}`

const termsPage = `{{define "title"}}Terms of Service{{end}}
{{define "main"}}<h1>Terms of Service</h1>
<p>These are the terms of a simulated partner. They bind nobody.</p>{{end}}`

const unknownPage = `{{define "title"}}Page not found{{end}}
{{define "main"}}<h1>Page not found</h1>
<p>The link is not complete, or it was never issued.</p>{{end}}`

// pageView is what the page of an identification shows: the steps that are awaited, or a text.
type pageView struct {
	Title, Text string
	Steps       []pageStep
	Missing     bool // of one at least
}

type pageStep struct {
	Name, Label   string
	Done, Missing bool
}

// newPageView shows an identification after a move; form is what was submitted, nil for nothing.
func newPageView(d identification, at move, form url.Values) pageView {
	switch {
	case at.Status == statusPending:
	case at.Status.live():
		return pageView{
			Title: "Completed", Text: "Thank you. Everything has arrived and is being checked. You can close this page.",
		}
	default:
		return pageView{Title: "Nothing left to do", Text: "This verification has ended. You can close this page."}
	}
	page := pageView{Title: "Verify your identity"}
	if d.Type == typeBusiness {
		page.Title = "Verify your business"
	}
	for _, name := range at.Wants {
		step := pageStep{Name: name, Label: label(name), Done: form.Get(name) != ""}
		step.Missing = form != nil && !step.Done
		page.Missing = page.Missing || step.Missing
		page.Steps = append(page.Steps, step)
	}
	return page
}

// label says a step to a person.
func label(step string) string {
	return map[string]string{
		stepIdentity: "Identity document", stepSelfie: "Selfie", stepProofOfResidence: "Proof of residence",
		stepCompanyData: "Company data", stepBeneficiaries: "Beneficiaries", stepDocuments: "Company documents",
		stepQuestionnaire: "Questionnaire",
	}[step]
}

func (x *call) tokenKey(token string) string { return x.space + "by-token/" + sandbox.Digest(token) }

// hostedIdentification loads the identification behind a page.
func hostedIdentification(c *sandbox.Call) (x *call, d identification, customer customerRecord, found bool) {
	x = &call{Call: c, manual: true, space: currentSpace(c)}
	var id string
	if x.Load(x.tokenKey(c.Request.PathValue("token")), &id) {
		d, customer, found = x.identification(id)
	}
	return x, d, customer, found
}

// showHosted shows the page behind the url of an identification.
func (i *simulation) showHosted(c *sandbox.Call) any {
	x, d, _, found := hostedIdentification(c)
	if !found {
		return i.page.unknown.Show(http.StatusNotFound, nil)
	}
	return i.page.identification.Show(http.StatusOK, newPageView(d, d.stands(x.Now), nil))
}

// submitHosted takes its form: once every step is ticked the input is finished. Where none is awaited it does nothing.
func (i *simulation) submitHosted(c *sandbox.Call) any {
	x, d, customer, found := hostedIdentification(c)
	if !found {
		return i.page.unknown.Show(http.StatusNotFound, nil)
	}
	if at := d.stands(x.Now); at.Status == statusPending {
		form, _ := url.ParseQuery(string(c.Body)) // what can't be read is missing
		if page := newPageView(d, at, form); page.Missing {
			return i.page.identification.Show(http.StatusUnprocessableEntity, page)
		}
		i.transition(x, customer, d, move{Status: statusProcessed})
	}
	return c.ShowAgain()
}

// showTerms shows what is to be signed.
func (i *simulation) showTerms(c *sandbox.Call) any {
	if c.Request.PathValue("id") != termsID {
		return i.page.unknown.Show(http.StatusNotFound, nil)
	}
	return i.page.terms.Show(http.StatusOK, nil)
}
