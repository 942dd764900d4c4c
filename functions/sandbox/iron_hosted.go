package sandbox

import (
	"html/template"
	"net/http"
	"net/url"
)

// ironPages are the pages that Iron hosts.
type ironPages struct {
	identification, terms, unknown *template.Template
}

func newIronPages() ironPages {
	return ironPages{
		identification: newHostedPage(ironIdentificationPage),
		terms:          newHostedPage(ironTermsPage),
		unknown:        newHostedPage(ironUnknownPage),
	}
}

// ironIdentificationPage shows no personal data: whoever has the link may not be the one that it was meant for.
const ironIdentificationPage = `{{define "title"}}{{if .Missing}}Error: {{end}}{{.Title}}{{end}}
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

const ironTermsPage = `{{define "title"}}Terms of Service{{end}}
{{define "main"}}<h1>Terms of Service</h1>
<p>These are the terms of a simulated partner. They bind nobody.</p>{{end}}`

const ironUnknownPage = `{{define "title"}}Page not found{{end}}
{{define "main"}}<h1>Page not found</h1>
<p>The link is not complete, or it was never issued.</p>{{end}}`

// ironHostedPage is what the page of an identification shows: the steps that are awaited, or a text.
type ironHostedPage struct {
	Title, Text string
	Steps       []ironHostedStep
	Missing     bool // of one at least
}

type ironHostedStep struct {
	Name, Label   string
	Done, Missing bool
}

// newIronHostedPage shows an identification after a move; form is what was submitted, nil for nothing.
func newIronHostedPage(d ironIdentification, at ironMove, form url.Values) ironHostedPage {
	switch {
	case at.Status == ironPending:
	case at.Status.live():
		return ironHostedPage{Title: "Completed", Text: "Thank you. Everything has arrived and is being checked. You can close this page."}
	default:
		return ironHostedPage{Title: "Nothing left to do", Text: "This verification has ended. You can close this page."}
	}
	page := ironHostedPage{Title: "Verify your identity"}
	if d.Type == ironBusiness {
		page.Title = "Verify your business"
	}
	for _, name := range at.Wants {
		step := ironHostedStep{Name: name, Label: ironLabel(name), Done: form.Get(name) != ""}
		step.Missing = form != nil && !step.Done
		page.Missing = page.Missing || step.Missing
		page.Steps = append(page.Steps, step)
	}
	return page
}

// ironLabel says a step to a person.
func ironLabel(step string) string {
	return map[string]string{
		ironIdentity: "Identity document", ironSelfie: "Selfie", ironProofOfResidence: "Proof of residence",
		ironCompanyData: "Company data", ironBeneficiaries: "Beneficiaries", ironDocuments: "Company documents",
		ironQuestionnaire: "Questionnaire",
	}[step]
}

func (x *ironCall) tokenKey(token string) string { return x.space + "by-token/" + digest(token) }

// hostedIdentification loads the identification behind a page.
func (i *iron) hostedIdentification(c *call) (x *ironCall, d ironIdentification, customer ironCustomer, found bool, err error) {
	x = &ironCall{call: c, byHand: true}
	if x.space, err = ironSpace(c); err != nil {
		return x, d, customer, false, err
	}
	var id string
	if found, err = load(x, x.tokenKey(c.request.PathValue("token")), &id); err != nil || !found {
		return x, d, customer, false, err
	}
	d, customer, found, err = x.identification(id)
	return x, d, customer, found, err
}

// showHosted shows the page behind the url of an identification.
func (i *iron) showHosted(c *call) (any, error) {
	x, d, _, found, err := i.hostedIdentification(c)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return hosted(http.StatusNotFound, i.page.unknown, nil), nil
	}
	return hosted(http.StatusOK, i.page.identification, newIronHostedPage(d, d.stands(x.now), nil)), nil
}

// submitHosted takes its form: once every step is ticked the input is finished. Where none is awaited it does nothing.
func (i *iron) submitHosted(c *call) (any, error) {
	x, d, customer, found, err := i.hostedIdentification(c)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return hosted(http.StatusNotFound, i.page.unknown, nil), nil
	}
	if at := d.stands(x.now); at.Status == ironPending {
		form, _ := url.ParseQuery(string(c.body)) // what can't be read is missing
		if page := newIronHostedPage(d, at, form); page.Missing {
			return hosted(http.StatusUnprocessableEntity, i.page.identification, page), nil
		}
		if err := i.turn(x, customer, d, ironMove{Status: ironProcessed}); err != nil {
			return nil, err
		}
	}
	out := answer{status: http.StatusSeeOther, header: http.Header{"Location": {c.request.URL.EscapedPath()}, "Cache-Control": {"no-store"}}}
	return out, nil
}

// showTerms shows what is to be signed.
func (i *iron) showTerms(c *call) (any, error) {
	if c.request.PathValue("id") != ironTermsID {
		return hosted(http.StatusNotFound, i.page.unknown, nil), nil
	}
	return hosted(http.StatusOK, i.page.terms, nil), nil
}
