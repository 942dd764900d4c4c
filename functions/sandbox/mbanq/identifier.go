package mbanq

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/sandbox"
)

// identifierRecord is an identifier of a client. Of the files uploaded to it, it knows how many there were.
type identifierRecord struct {
	ID          int64  `json:"id"`
	TypeID      int64  `json:"typeId"`
	Key         string `json:"key"`
	Active      bool   `json:"active"`
	Description string `json:"description,omitzero"`
	IssuedBy    string `json:"issuedBy,omitzero"`
	Issued      date   `json:"issued,omitzero"`
	Expires     date   `json:"expires,omitzero"` // the last day on which it is good
	Nationality int64  `json:"nationality,omitzero"`
	Review      string `json:"review,omitzero"` // of staff: reviewApproved, reviewRejected, or none yet
	Scans       int    `json:"scans,omitzero"`
}

// Values of a review.
const (
	reviewApproved = "APPROVED"
	reviewRejected = "REJECTED"
)

// counts reports whether verify looks at an identifier at all (§5).
func (i identifierRecord) counts() bool { return i.Active && i.Review != reviewRejected }

// expired reports whether an identifier is past its day.
func (i identifierRecord) expired(today date) bool { return i.Expires != "" && i.Expires < today }

func (i identifierRecord) typeName() string { return nameOf(documentTypes(), i.TypeID) }

// keys returns those that point at the client: by the identifier's id, and by what is on the document.
func (i identifierRecord) keys() []string {
	return []string{
		uniqueKey("identifier", strconv.FormatInt(i.ID, 10)), uniqueKey("document", fmt.Sprint(i.TypeID, " ", i.Key)),
	}
}

const identifierFields = `documentTypeId documentKey status issuedDate expiryDate issuedBy description nationality locale dateFormat`

// addIdentifier is row 12 of §2.
func (m *simulation) addIdentifier(c *sandbox.Call, client clientRecord) sandbox.Answer {
	// Input. The lengths are the sandbox's own; any text may stand on a document (§3).
	in := readInput(c, "clientIdentifier", identifierFields)
	identifier := identifierRecord{TypeID: in.id("documentTypeId", true), Key: in.text("documentKey", true, 100)}
	identifier.Active = in.oneOf("status", true, "Active", "Inactive") == "Active"
	identifier.Issued = in.date("issuedDate", identifier.TypeID != ssn)
	identifier.Expires = in.date("expiryDate", false)
	identifier.IssuedBy = in.text("issuedBy", false, 100)
	identifier.Description = in.text("description", false, 500)
	identifier.Nationality = in.id("nationality", false)
	if refused, ok := in.refused(); ok {
		return refused
	}
	identifier.Key, identifier.IssuedBy = c.Number(identifier.Key, maxLine), c.Prose(identifier.IssuedBy, maxLine)
	if identifier.typeName() == "" {
		return unknownCode(identifier.TypeID)
	}

	// Is there such an identifier already?
	if slices.ContainsFunc(client.Identifiers, func(other identifierRecord) bool {
		return identifier.Active && other.counts() && other.TypeID == identifier.TypeID
	}) {
		return refused(newReason("error.msg.clientIdentifier.type.duplicate",
			"Active Client identifier of type "+identifier.typeName()+" is already present for this client", "id",
			identifier.typeName()))
	}
	switch {
	case c.Get(identifier.keys()[1]) != nil:
		return refused(newReason("error.msg.clientIdentifier.identityKey.duplicate",
			"Client identifier of type "+identifier.typeName()+" with value of "+identifier.Key+" already exists.", "id",
			identifier.typeName(), identifier.Key))
	case len(client.Identifiers) >= maxElements:
		return tooMany("identifiers")
	}

	// Effect: an identifier.
	identifier.ID = nextNumber(c, "identifier", firstIdentifier)
	for _, key := range identifier.keys() {
		c.Save(key, client.ID)
	}
	client.Identifiers = append(client.Identifiers, identifier)
	client.save(c)
	return sandbox.OK(
		"id", identifier.ID, "officeId", client.OfficeID, "clientId", client.ID, "resourceId", identifier.ID,
		"changes", struct{}{}, "isScheduledTransfer", false, "isSkipNotification", false,
	).WithEffect()
}

// view shows an identifier (§4); verification is nil but in the verification status.
func (i identifierRecord) view(client int64, unmasked bool, verification jsontext.Value) jsontext.Value {
	key, status := i.Key, "Active"
	if !unmasked {
		key = mask(key)
	}
	if !i.Active {
		status = "Inactive"
	}
	return sandbox.Object(
		"id", i.ID, "clientId", client,
		"documentType", sandbox.Object("id", i.TypeID, "name", i.typeName(), "isMasked", sandbox.Optional(!unmasked)),
		"documentKey", key, "status", status, "description", sandbox.Optional(i.Description),
		"issuedBy", sandbox.Optional(i.IssuedBy), "issuedDate", sandbox.Optional(i.Issued.array()),
		"expiryDate", sandbox.Optional(i.Expires.array()),
		"nationality", sandbox.Optional(newCodeRef(countries(), i.Nationality)),
		"documentStatus", sandbox.Optional(i.Review), "verificationStatus", sandbox.Optional(verification),
	)
}

// mask hides all but the last four characters, and all of what has no more than those.
func mask(s string) string {
	r := []rune(s)
	hidden := len(r) - 4
	if hidden <= 0 {
		hidden = len(r)
	}
	return strings.Repeat("*", hidden) + string(r[hidden:])
}

// listIdentifiers is row 13 of §2.
func (m *simulation) listIdentifiers(c *sandbox.Call, client clientRecord) sandbox.Answer {
	views := []jsontext.Value{}
	for _, identifier := range client.Identifiers {
		views = append(views, identifier.view(client.ID, c.Request.URL.Query().Get("unmaskValue") == "true", nil))
	}
	return sandbox.JSON(http.StatusOK, views)
}

// reviewIdentifier is row 15 of §2, which a reviewer does by hand.
func (m *simulation) reviewIdentifier(c *sandbox.Call) any {
	decisions := map[string]string{"approve": reviewApproved, "reject": reviewRejected}
	command := c.Request.URL.Query().Get("command")
	decision, ok := decisions[command]
	if !ok {
		return sandbox.UnprocessableParameter("command", "is not a decision", "approve", "reject")
	}
	client, found := clientByID(c, c.Request.PathValue("id"))
	i := slices.IndexFunc(client.Identifiers, func(i identifierRecord) bool {
		return strconv.FormatInt(i.ID, 10) == c.Request.PathValue("iid")
	})
	if !found || i < 0 {
		return sandbox.NewProblem(http.StatusNotFound, "no client has this identifier")
	}
	client.Identifiers[i].Review = decision
	client.save(c)
	return sandbox.Object("clientId", client.ID, "resourceId", client.Identifiers[i].ID)
}

// maxScan is the largest file that can be uploaded, in bytes: chosen, as the contract has none. maxForm is what the
// form around it may add.
const (
	maxScan = 10 << 20
	maxForm = 64 << 10
)

// attachDocument is row 16 of §2. The file is counted, and kept nowhere.
func (m *simulation) attachDocument(c *sandbox.Call) sandbox.Answer {
	id := c.Request.PathValue("iid")
	var owner int64
	c.Load(uniqueKey("identifier", id), &owner)
	client, found := clientByID(c, strconv.FormatInt(owner, 10))
	i := slices.IndexFunc(client.Identifiers, func(i identifierRecord) bool { return strconv.FormatInt(i.ID, 10) == id })
	if !found || i < 0 {
		return unknownIdentifier(id)
	}
	if refused, ok := refusedScan(c.IsStrict(), c.Request.Header.Get("Content-Type"), c.Body); ok {
		return refused
	}
	client.Identifiers[i].Scans++
	client.save(c)
	document := strconv.FormatInt(nextNumber(c, "document", firstDocument), 10)
	return sandbox.OK("id", document, "resourceIdentifier", document, "uuid", c.NewID()).WithEffect()
}

// refusedScan reads the form of an upload part by part (§3), and returns the answer where something is wrong with
// it.
func refusedScan(strict bool, contentType string, body []byte) (sandbox.Answer, bool) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil || media != "multipart/form-data" || params["boundary"] == "" {
		return malformed(), true
	}
	in := &input{resource: "document", strict: strict, members: map[string]jsontext.Value{}}
	size := int64(-1)
	parts := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return malformed(), true
		}
		switch name := part.FormName(); name {
		case "file":
			if size, err = io.Copy(io.Discard, part); err == nil && !isScan(part, in.strict) {
				in.reject("file", "content.type.not.supported", "The parameter `file` must be a PDF, JPEG or PNG.")
			}
		case "name", "type", "description":
			var value []byte
			if value, err = io.ReadAll(part); err == nil {
				in.members[name] = sandbox.Encode(strings.ToValidUTF8(string(value), "\uFFFD"))
			}
		}
		if err != nil {
			return malformed(), true
		}
	}
	name := in.text("name", true, 250)
	if strings.ContainsFunc(name, func(r rune) bool { return !strings.ContainsRune(alphanumeric, r) }) {
		in.reject("name", "does.not.match.regexp", "The parameter `name` must match `^[a-zA-Z0-9]+$`.")
	}
	in.text("description", false, 250)
	if size <= 0 {
		in.rejectBlank("file")
	}
	if refused, ok := in.refused(); ok {
		return refused, true
	}
	if size > maxScan {
		return refused(newReason("error.msg.document.file.too.big",
			fmt.Sprintf("The file is larger than %d MB.", maxScan>>20), "id", size)), true
	}
	return sandbox.Answer{}, false
}

const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// isScan reports whether a file is said to be a PDF or an image, by its own content type or else by its name. Only an
// inferred rule asks for the latter.
func isScan(part *multipart.Part, strict bool) bool {
	media, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
	if err != nil || media == "application/octet-stream" {
		extensions := []string{".pdf", ".jpeg", ".jpg", ".png"}
		return !strict || slices.Contains(extensions, strings.ToLower(path.Ext(part.FileName())))
	}
	return slices.Contains([]string{"application/pdf", "image/jpeg", "image/jpg", "image/png"}, media)
}
