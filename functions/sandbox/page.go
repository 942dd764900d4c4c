package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
)

// pageStyle is the style of the pages that partners host for people: readable at any zoom and on a phone, with
// contrast, and a focus that shows.
const pageStyle = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem 1rem; font: 1rem/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff; overflow-wrap: break-word; }
header, main { max-width: 36rem; margin: 0 auto; }
header { color: #4a4a4a; }
h1 { font-size: 1.75rem; line-height: 1.25; }
h2 { font-size: 1.25rem; margin: 0; }
fieldset { margin: 0 0 1.5rem; padding: 0; border: 0; }
legend { padding: 0; font-weight: 600; }
.field { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem .75rem; padding: .5rem 0; }
.field input[type=checkbox] { width: 1.5rem; height: 1.5rem; margin: 0; }
.field input[type=text] { flex-basis: 100%; min-width: 0; min-height: 2.75rem; padding: .5rem; font: inherit; color: inherit; background: #fff; border: .1rem solid #4a4a4a; border-radius: .25rem; }
.field input[aria-invalid=true] { border: .2rem solid #9b1c1c; }
dt { font-weight: 600; }
dd { margin: 0 0 1rem; }
.field label { flex: 1; }
.wrong { flex-basis: 100%; margin: 0; color: #9b1c1c; font-weight: 600; }
.problem { margin: 0 0 1.5rem; padding: 1rem; border: .2rem solid #9b1c1c; }
.problem ul { margin: .5rem 0 0; padding-left: 1.25rem; }
.problem a { color: #9b1c1c; }
button { margin: 0 .75rem .75rem 0; min-height: 2.75rem; padding: .5rem 1.5rem; font: inherit; font-weight: 600; color: #fff; background: #0b4f9e; border: .15rem solid #0b4f9e; border-radius: .25rem; }
button.second { color: #0b4f9e; background: #fff; }
:focus-visible, .problem:focus { outline: .2rem solid #0b4f9e; outline-offset: .2rem; }
`

// pageFrame is what every page has around its own title and main part.
const pageFrame = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{template "title" .}}</title>
<style>` + pageStyle + `</style>
</head>
<body>
<header><p>A simulated partner’s page. Nothing that you do here reaches a real one.</p></header>
<main>
{{template "main" .}}
</main>
</body>
</html>
`

// Page is a page that a partner hosts for people. It loads nothing, runs nothing and can't be framed.
type Page struct{ template *template.Template }

// NewPage returns a page; definitions are those of the templates "title" and "main", whose text is escaped as its place
// asks for. It panics where they are not right.
func NewPage(definitions string) *Page {
	return &Page{template.Must(template.Must(template.New("frame").Parse(pageFrame)).Parse(definitions))}
}

// Show answers with the page, filled in with data. It panics where they don't fit.
func (p *Page) Show(status int, data any) Answer {
	var body bytes.Buffer
	if err := p.template.Execute(&body, data); err != nil {
		panic(err) // a mistake in the page
	}
	style := sha256.Sum256([]byte(pageStyle))
	return Answer{Status: status, Body: body.Bytes(), Media: "text/html; charset=utf-8", Header: http.Header{
		"Content-Security-Policy": {"default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(style[:]) +
			"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
		"X-Content-Type-Options": {"nosniff"},
		"Referrer-Policy":        {"no-referrer"},
		"Cache-Control":          {"no-store"},
	}}
}

// ShowAgain answers a page's form: the browser is to get the page at the same address.
func (c *Call) ShowAgain() Answer {
	return Answer{Status: http.StatusSeeOther, Header: http.Header{
		"Location": {c.Request.URL.EscapedPath()}, "Cache-Control": {"no-store"},
	}}
}
