package mbanq_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"mime/multipart"
	"strconv"
	"strings"
	"testing"

	"sallyport/functions/mbanq"
	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// form writes a form of parts, in order; those that are named "file" are JPEG files.
func form(parts ...[2]string) (body, contentType string) {
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for _, part := range parts {
		if part[0] != "file" {
			_ = w.WriteField(part[0], part[1])
			continue
		}
		p, _ := w.CreatePart(
			map[string][]string{
				"Content-Disposition": {`form-data; name="file"; filename="scan.jpg"`}, "Content-Type": {"image/jpeg"},
			},
		)
		_, _ = p.Write([]byte(part[1]))
	}
	_ = w.Close()
	return out.String(), w.FormDataContentType()
}

// attach is an upload to identifier 17.
func attach(body, contentType string) gateway.Request {
	return gateway.Request{
		Method: "POST", Params: map[string]string{"identifierId": "17"},
		Header: map[string]string{"content-type": contentType}, Body: []byte(body),
	}
}

func TestUpload(t *testing.T) {
	name, file := [2]string{"name", "passport"}, [2]string{"file", "\xff\xd8\x00scan"}
	good, goodType := form(
		name, file, [2]string{"type", "x"}, [2]string{"description", "a passport"}, [2]string{"else", ""},
	)
	parts := func(parts ...[2]string) gateway.Request { return attach(form(parts...)) }
	var many [][2]string
	for i := range 99 {
		many = append(many, [2]string{strconv.Itoa(i), "x"})
	}
	escaped := strings.Replace(good, `name="else"`, `name*=utf-8''a%0d%0aX-Injected%3A%20y`, 1)
	escaped = strings.Replace(escaped, "a passport", strings.Repeat("x", 5), 1)
	tooLarge := strings.Replace(escaped, "\r\n\r\n\r\n", "\r\n\r\n"+strings.Repeat("x", 4<<10+1)+"\r\n", 1)
	for name, test := range map[string]struct {
		req  gateway.Request
		want string // of the codes, without "validation.msg.document."
	}{
		"Good":        {attach(good, goodType), ""},
		"NoType":      {attach(strings.Replace(good, "Content-Type: image/jpeg\r\n", "", 1), goodType), ""},
		"PDF":         {attach(strings.Replace(good, "image/jpeg", "application/pdf", 1), goodType), ""},
		"EscapedName": {attach(escaped, goodType), ""},
		"Bytes":       {attach(strings.Replace(good, "image/jpeg", "application/octet-stream", 1), goodType), ""},
		"OddType":     {attach(strings.Replace(good, "image/jpeg", "IMAGE/JPG;;", 1), goodType), ""},
		"HTML": {
			attach(strings.Replace(good, "image/jpeg", "text/html", 1), goodType), "file.content.type.not.supported",
		},
		"NoName":    {parts(file), "name.cannot.be.blank"},
		"EmptyName": {parts(file, [2]string{"name", ""}), "name.cannot.be.blank"},
		"OddName":   {parts([2]string{"name", "my passport"}, file), "name.does.not.match.regexp"},
		"NoFile":    {parts(name), "file.cannot.be.blank"},
		"EmptyFile": {parts(name, [2]string{"file", ""}), "file.cannot.be.blank"},
		"LargeFile": {parts(name, [2]string{"file", strings.Repeat("x", 10<<20+1)}), ""},
		"LargeText": {
			parts(name, file, [2]string{"description", strings.Repeat("x", 4<<10+1)}), "",
		},
		"LargeUnknown": {attach(tooLarge, goodType), ""},
		"Twice":        {parts(name, file, file), ""},
		"TooMany":      {parts(append(many, name, file)...), "input: has more than 100 parts"},
		"Nameless": {
			attach(strings.Replace(good, `name="else"`, `x="y"`, 1), goodType),
			"",
		},
		"CutOff":        {attach(good[:len(good)-60], goodType), "input: is not valid multipart/form-data"},
		"OtherBoundary": {attach(good, "multipart/form-data; boundary=x"), "input: is not valid multipart/form-data"},
		"NoBoundary":    {attach(good, "multipart/form-data"), "input: Content-Type: must be multipart/form-data"},
		"JSON":          {attach(`{}`, "application/json"), "input: Content-Type: must be multipart/form-data"},
		"NoContentType": {attach(good, ""), "input: Content-Type: must be multipart/form-data"},
		"EmptyBody":     {attach("", goodType), "input: is not valid multipart/form-data"},
		"ClosedWithNone": {
			attach("--x--\r\n", "multipart/form-data; boundary=x"), "name.cannot.be.blank file.cannot.be.blank",
		},
	} {
		t.Run(name, func(t *testing.T) {
			op := mbanq.AttachDocument(mbanq.Config{})
			in, err := op.Decode(test.req)
			if err == nil {
				text, failed := json.Marshal(op.Fingerprint(in))
				if test.want != "" || failed != nil || strings.Contains(string(text), "scan") ||
					string(in.Body) != string(test.req.Body) {
					t.Errorf("taken as %s, %v", text, failed)
				}
				return
			}
			got := refusalOf(t, err)
			if codes := strings.ReplaceAll(strings.Join(got.codes, " "), "validation.msg.document.", ""); got.codes != nil &&
				codes != test.want ||
				got.codes == nil && got.detail != test.want {
				t.Errorf("got %s, %s", codes, got.detail)
			}
			if strings.Contains(got.detail, "Injected") || strings.Contains(got.detail, "\n") {
				t.Errorf("the detail is %q", got.detail)
			}
		})
	}
}

// TestScanOfAStateMachine: its JSON becomes the form, the same for every repeat.
func TestScanOfAStateMachine(t *testing.T) {
	decode := func(text string) (gateway.Request, error) {
		req := gateway.Request{FromStateMachine: true, Params: map[string]string{"identifierId": "17"}, Body: []byte(text)}
		_, err := mbanq.AttachDocument(mbanq.Config{}).Decode(req)
		return req, err
	}
	file := base64.StdEncoding.EncodeToString([]byte("\xff\xd8\x00scan"))
	scan := `{"name":"passport","content_type":"image/jpeg","file":"` + file + `"}`
	sent := func(text string) asked {
		req, err := decode(text)
		if err != nil {
			t.Fatal(err)
		}
		p := newPartner(t, answer{200, `{"id":"901","resourceIdentifier":"901","uuid":"u"}`})
		if got := call(t, mbanq.AttachDocument(p.config()), req); got.Class != operation.Done ||
			got.Refs["identifier_id"] != "17" {
			t.Errorf("got %+v", got)
		}
		return p.requests()[1]
	}
	got := sent(scan)
	boundary := strings.TrimPrefix(got.header.Get("Content-Type"), "multipart/form-data; boundary=")
	parts, err := multipart.NewReader(strings.NewReader(got.body), boundary).ReadForm(1 << 20)
	if err != nil || parts.Value["name"][0] != "passport" ||
		parts.File["file"][0].Header.Get("Content-Type") != "image/jpeg" || parts.File["file"][0].Size != 7 {
		t.Errorf("sent %q, %v", got.body, err)
	}
	if again := sent(scan); again.body != got.body {
		t.Error("a repeat is another form")
	}
	if odd := sent(change(t, scan, "image/jpeg", `image/jpeg\r\n`)); odd.body != got.body {
		t.Errorf("sent %q", odd.body)
	}
	for text, want := range map[string]string{
		change(t, scan, file, "%"):                      "/file: must be base64",
		change(t, scan, `"`+file+`"`, "1"):              "/file: must be base64",
		change(t, scan, `,"file":"`+file+`"`, ""):       "/file: must be base64",
		change(t, scan, `{`, `{"more":1,`):              "/more: is not a known name (names are matched exactly)",
		change(t, scan, "image/jpeg", ""):               "/content_type: must be application/pdf, image/jpeg or image/png",
		change(t, scan, "image/jpeg", `a\r\nb: c`):      "/content_type: must be application/pdf, image/jpeg or image/png",
		`{"document_id":"x"}`:                           "/document_id: is not a known name (names are matched exactly)",
		change(t, scan, "image/jpeg", "text/html"):      "/file: content type not supported",
		change(t, scan, "passport", `a\"; filename=\"`): "/name: does not match regexp",
	} {
		_, err := decode(text)
		if got := strings.TrimPrefix(refusalOf(t, err).detail, "input: "); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// FuzzUpload: no form makes the upload panic, and one that is taken has a name and a file.
func FuzzUpload(f *testing.F) {
	good, goodType := form([2]string{"name", "passport"}, [2]string{"file", "\xff\xd8\x00"})
	f.Add([]byte(good), goodType)
	f.Add([]byte(strings.Replace(good, `"name"`, `"file"`, 1)), goodType)
	f.Add([]byte("--x\r\n\r\n\r\n--x--"), "multipart/form-data; boundary=x")
	f.Add([]byte(`{"name":"a","content_type":"image/png","file":"AAAA"}`), "")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		req := attach(string(body), contentType)
		for _, machine := range []bool{false, true} {
			req.FromStateMachine = machine
			in, err := mbanq.AttachDocument(mbanq.Config{}).Decode(req)
			refused(t, err)
			if err == nil && (in.Parts["name"] == "" || in.Parts["file"] == "" || len(in.Parts) > 10) {
				t.Errorf("taken: %q", body)
			}
		}
	})
}
