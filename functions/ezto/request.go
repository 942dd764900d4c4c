package ezto

import (
	"bytes"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
)

// field is one of a request's. A member of a JSON object has its value as it stands there, and as a form would have it.
type field struct {
	name, text string
	value      jsontext.Value
}

// fields are what a request says, in its order: those of a form, or the members of a JSON object (§3.3).
type fields []field

// readFields reads a form or a JSON object, which may have commas after its last members as the page's own sample has
// them (§5.1). No body has none.
func readFields(req gateway.Request) (all fields, isObject bool, err error) {
	body := bytes.TrimSpace(tolerant.JSON(req.Body))
	if len(body) > 0 && body[0] == '{' {
		all, err = readMembers(body)
		return all, true, err
	}
	for pair := range bytes.SplitSeq(body, []byte("&")) {
		name, text, _ := strings.Cut(string(pair), "=")
		plainName, one := url.QueryUnescape(name)
		plainText, other := url.QueryUnescape(text)
		if one != nil || other != nil || bytes.Contains(pair, []byte(";")) {
			return nil, false, &gateway.InputError{
				Reason: "is not a form (application/x-www-form-urlencoded)", Source: source.Published("§3.3"),
			}
		}
		if len(pair) > 0 {
			all = append(all, field{name: plainName, text: plainText})
		}
	}
	return all, false, nil
}

// readMembers reads a JSON object.
func readMembers(body []byte) (all fields, err error) {
	strict := tolerant.WithoutTrailingCommas(body)
	if err := gateway.CheckJSON(strict); err != nil {
		return nil, err
	}
	decoder := jsontext.NewDecoder(bytes.NewBuffer(strict))
	_, err = decoder.ReadToken()
	for err == nil && decoder.PeekKind() == '"' {
		var name jsontext.Token
		if name, err = decoder.ReadToken(); err != nil {
			break
		}
		f := field{name: name.String()}
		var value jsontext.Value
		value, err = decoder.ReadValue()
		end := int(decoder.InputOffset())
		f.value = body[end-len(value) : end] // as it came
		switch value.Kind() {
		case 'n': // as if absent, but in the object itself
		case '{', '[':
			f.text = string(f.value)
		case '"':
			f.text = tolerant.String(value)
		default:
			f.text = tolerant.Plain(value)
		}
		all = append(all, f)
	}
	return all, err
}

// find returns the first field of a name.
func (f fields) find(name string) (field, bool) {
	if i := slices.IndexFunc(f, func(f field) bool { return f.name == name }); i >= 0 {
		return f[i], true
	}
	return field{}, false
}

// text is that of the first field of a name; empty where there is none.
func (f fields) text(name string) string {
	found, _ := f.find(name)
	return found.text
}

// without returns the fields of other names.
func (f fields) without(names ...string) fields {
	return slices.DeleteFunc(slices.Clone(f), func(f field) bool { return slices.Contains(names, f.name) })
}

// beside returns the fields that go on beside those of some names, without nulls.
func (f fields) beside(names ...string) fields {
	return slices.DeleteFunc(f.without(names...), func(f field) bool { return f.value.Kind() == 'n' })
}

// values are by which requests are compared: the order of names doesn't count.
func (f fields) values() url.Values {
	values := url.Values{}
	for _, f := range f {
		values.Add(f.name, f.text)
	}
	return values
}

// encode makes a form of the fields, in their order.
func (f fields) encode() []byte {
	var out []byte
	for i, f := range f {
		if i > 0 {
			out = append(out, '&')
		}
		out = append(append(append(out, url.QueryEscape(f.name)...), '='), url.QueryEscape(f.text)...)
	}
	return out
}

// object makes a JSON object of members.
func (f fields) object() jsontext.Value {
	out := []byte{'{'}
	for i, f := range f {
		if i > 0 {
			out = append(out, ',')
		}
		out, _ = jsontext.AppendQuote(out, f.name)
		out = append(append(out, ':'), f.value...)
	}
	return append(out, '}')
}

// keys is where version 0 carries a caller's key: in the place of the application's secret.
func keys(req gateway.Request) []string {
	all, _, err := readFields(req)
	if err != nil {
		return nil
	}
	return []string{all.text(appSecret)}
}

// Fields of both requests: credentials, which never go on.
const (
	appID     = "app_id"
	appSecret = "app_secret"
)

// address is what a caller says of where a request goes.
type address struct {
	Workspace   string `json:"workspace,omitzero"`   // empty from a state machine, for ours
	Application string `json:"application,omitzero"` // its app_id or its name; empty where there is only one
}

// readAddress reads it; a state machine names the application in its query.
func readAddress(req gateway.Request, all fields) address {
	if req.FromStateMachine {
		return address{Application: req.Query["application"]}
	}
	a := address{Workspace: req.Params["workspace"], Application: all.text(appID)}
	if user, _ := gateway.Basic(req.Header); user != "" {
		a.Application = user
		if strings.Contains(user, "%") { // no app_id has any
			a.Application = gateway.Unescape(user)
		}
	}
	return a
}

// checkVersion refuses versions that there aren't. 0, which the partner's own kit sends, is as if there were none.
func checkVersion(req gateway.Request) error {
	switch strings.TrimSpace(req.Header["api-version"]) {
	case "", "0", "1":
		return nil
	}
	return &gateway.InputError{
		Pointer: "api-version", Reason: "must be 0 or 1, or missing", Source: source.Published("§3.2"),
	}
}
