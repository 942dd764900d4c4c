package mbanq

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/source"
)

const (
	// maxFile is of the scan, in bytes. The partner's own limit is unknown (§3).
	maxFile  = 10 << 20
	maxParts = 100
	// maxAttach is of a request over HTTP; a state machine's file comes from the vault.
	maxAttach     = gateway.MaxBody
	maxAttachTask = maxFile*4/3 + 64<<10
)

// attachment is the input of AttachDocument. The file is only in the body, which goes on as it came; requests are
// compared by the digests of its parts.
type attachment struct {
	IdentifierID string
	Parts        map[string]string // digests, by the part's name
	TenantID     string
	Query        map[string]string // further parameters
	ContentType  string
	Body         []byte
}

// AttachDocument uploads the scan of an identifier (§3). Nothing tells what became of a lost upload.
func AttachDocument(c Config) operation.Operation[attachment] {
	return operation.Operation[attachment]{
		Name:     "mbanq/attach-document",
		Errors:   renderIdentifierError,
		MaxBody:  maxAttach,
		MaxTask:  maxAttachTask,
		Decode:   decodeAttachment,
		Resource: func(in attachment) string { return ownedIdentifier(in.IdentifierID) },
		Fingerprint: func(in attachment) any {
			return fingerprint(in.Query, "identifier_id", in.IdentifierID, "parts", in.Parts)
		},
		OnUnknown: func(attachment) operation.Resolution { return operation.Manual },
		Call: func(ctx context.Context, call operation.Call, in attachment) operation.Outcome {
			resp, failed := c.send(ctx, call, request{
				method: http.MethodPost, path: documentsPath(in.IdentifierID), query: values(in.Query),
				contentType: in.ContentType, body: in.Body, tenantID: in.TenantID, key: idempotencyKey(call),
			})
			if failed != nil {
				return *failed
			}
			outcome, m := classify(resp)
			if outcome.Class == operation.Done && !isNamed(m) {
				return operation.Outcome{Class: operation.Unknown, Code: "no_document_id"}
			}
			outcome.Refs = map[string]string{"identifier_id": in.IdentifierID}
			return outcome
		},
	}
}

func decodeAttachment(req gateway.Request) (in attachment, err error) {
	in = attachment{
		IdentifierID: req.Params["identifierId"], TenantID: tenantOf(req), Query: further(req),
		ContentType: req.Header["content-type"], Body: req.Body,
	}
	if !isID(in.IdentifierID) {
		return in, invalidID(codeIdentifierID, "identifierId")
	}
	if req.FromStateMachine {
		if in.Body, in.ContentType, err = form(req.Body); err != nil {
			return in, err
		}
	}
	return in, in.read()
}

// read checks the parts, one after the other: the file is hashed, not kept.
func (in *attachment) read() error {
	media, params, err := mime.ParseMediaType(in.ContentType)
	if err != nil || media != "multipart/form-data" || params["boundary"] == "" {
		return &gateway.InputError{
			Pointer: "Content-Type", Reason: "must be multipart/form-data", Source: source.Published("§3.4"),
		}
	}
	reader := multipart.NewReader(bytes.NewReader(in.Body), params["boundary"])
	check := &faults{Source: source.Published("§3.4")}
	in.Parts = map[string]string{}
	count := map[string]int{} // of the parts that say something, by name
	for n := 0; ; n++ {
		part, err := reader.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return &gateway.InputError{Reason: "is not valid multipart/form-data", Source: source.Published("§3.4")}
		}
		if n == maxParts {
			return &gateway.InputError{
				Reason: "has more than " + strconv.Itoa(maxParts) + " parts", Source: source.Safety("parts of a form"),
			}
		}
		name := part.FormName()
		if name == "file" && !isScan(part.Header.Get("Content-Type")) {
			check.add("document", "file", "content.type.not.supported", "The parameter `file` must be a PDF, JPEG or PNG.")
		}
		sum := sha256.New()
		var text bytes.Buffer
		var into io.Writer = sum
		if name == "name" {
			into = io.MultiWriter(sum, &text)
		}
		size, err := io.Copy(into, part)
		switch {
		case err != nil:
			return &gateway.InputError{Reason: "is not valid multipart/form-data", Source: source.Published("§3.4")}
		case name == "name" && size > 0 && !isAlphanumeric(text.String()):
			check.add("document", "name", "does.not.match.regexp", "The parameter `name` must match `^[a-zA-Z0-9]+$`.")
		}
		if size > 0 {
			count[name]++
		}
		if key := name; in.Parts[key] != "" {
			in.Parts[name+"#"+strconv.Itoa(n)] = hex.EncodeToString(sum.Sum(nil))
		} else if in.Parts[key] = ""; size > 0 {
			in.Parts[key] = hex.EncodeToString(sum.Sum(nil))
		}
	}
	for _, field := range []string{"name", "file"} {
		if count[field] == 0 {
			check.add("document", field, "cannot.be.blank", "The parameter `"+field+"` is mandatory.")
		}
	}
	return check.err()
}

// isScan tells which files may be taken: what calls itself something else is not, what doesn't say is the partner's to
// judge.
func isScan(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err != nil || slices.Contains(
		[]string{"application/pdf", "image/jpeg", "image/jpg", "image/png", "application/octet-stream"}, media,
	)
}

func isAlphanumeric(text string) bool {
	return text != "" && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// form makes of a state machine's {"name","content_type","file"}, the file in base64, what the partner takes.
func form(text []byte) (body []byte, contentType string, err error) {
	var in scan
	if err := gateway.DecodeJSON(text, &in); err != nil {
		return nil, "", err
	}
	file, err := decodeFile(in.File)
	if err != nil {
		return nil, "", &gateway.InputError{
			Pointer: "/file", Reason: "must be base64", Source: source.Interface("a scan of a journey"),
		}
	}
	var out bytes.Buffer
	out.Grow(len(file) + 1<<10)
	w := multipart.NewWriter(&out)
	// The same boundary for the same file, so that a repeat is the same request.
	sum := sha256.Sum256(file)
	if err := w.SetBoundary(hex.EncodeToString(sum[:])[:40]); err != nil {
		return nil, "", err
	}
	if err := w.WriteField("name", in.Name); err != nil {
		return nil, "", err
	}
	media, _, err := mime.ParseMediaType(in.ContentType) // no more of it than that: it becomes a line of the form
	if err != nil {
		return nil, "",
			&gateway.InputError{
				Pointer: "/content_type", Reason: "must be application/pdf, image/jpeg or image/png",
				Source: source.Interface("a scan of a journey"),
			}
	}
	part, err := w.CreatePart(map[string][]string{
		"Content-Disposition": {`form-data; name="file"; filename="scan"`}, "Content-Type": {media},
	})
	if err == nil {
		_, err = part.Write(file)
	}
	if err == nil {
		err = w.Close()
	}
	return out.Bytes(), w.FormDataContentType(), err
}

// decodeFile reads a JSON string of base64.
func decodeFile(value jsontext.Value) ([]byte, error) {
	var encoded string
	if err := json.Unmarshal(value, &encoded); err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(encoded)
}
