package sandbox

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
)

// mbanqIdentifier is an identifier of a client. Of the files uploaded to it, it knows how many there were.
type mbanqIdentifier struct {
	ID          int64     `json:"id"`
	TypeID      int64     `json:"typeId"`
	Key         string    `json:"key"`
	Active      bool      `json:"active"`
	Description string    `json:"description,omitzero"`
	IssuedBy    string    `json:"issuedBy,omitzero"`
	Issued      mbanqDate `json:"issued,omitzero"`
	Expires     mbanqDate `json:"expires,omitzero"` // the last day on which it is good
	Nationality int64     `json:"nationality,omitzero"`
	Review      string    `json:"review,omitzero"` // of staff: mbanqReviewApproved, mbanqReviewRejected, or none yet
	Scans       int       `json:"scans,omitzero"`
}

// Values of a review.
const (
	mbanqReviewApproved = "APPROVED"
	mbanqReviewRejected = "REJECTED"
)

// counts reports whether verify looks at an identifier at all (mbanq §5).
func (i mbanqIdentifier) counts() bool { return i.Active && i.Review != mbanqReviewRejected }

// expired reports whether an identifier is past its day.
func (i mbanqIdentifier) expired(today mbanqDate) bool { return i.Expires != "" && i.Expires < today }

func (i mbanqIdentifier) typeName() string { return mbanqNameOf(mbanqDocumentTypes(), i.TypeID) }

// keys returns those that point at the client: by the identifier's id, and by what is on the document.
func (i mbanqIdentifier) keys() []string {
	return []string{mbanqUniqueKey("identifier", strconv.FormatInt(i.ID, 10)), mbanqUniqueKey("document", fmt.Sprint(i.TypeID, " ", i.Key))}
}

const mbanqIdentifierFields = `documentTypeId documentKey status issuedDate expiryDate issuedBy description nationality locale dateFormat`

// addIdentifier is row 12 of mbanq §2.
func (m *mbanq) addIdentifier(c *call) (answer, error) {
	id := c.request.PathValue("id")
	client, found, err := mbanqClientByID(c, id)
	switch {
	case err != nil:
		return answer{}, err
	case !found:
		return mbanqUnknownClient(id), nil
	}

	// Input. The lengths are the sandbox's own; any text may stand on a document (mbanq §3).
	in, err := readMbanq(c, "clientIdentifier", mbanqIdentifierFields)
	if err != nil {
		return answer{}, err
	}
	identifier := mbanqIdentifier{TypeID: in.id("documentTypeId", true), Key: in.text("documentKey", true, 100)}
	identifier.Active = in.oneOf("status", true, "Active", "Inactive") == "Active"
	identifier.Issued = in.date("issuedDate", identifier.TypeID != mbanqSSN)
	identifier.Expires = in.date("expiryDate", false)
	identifier.IssuedBy = in.text("issuedBy", false, 100)
	identifier.Description = in.text("description", false, 500)
	identifier.Nationality = in.id("nationality", false)
	if refused, ok := in.refused(); ok {
		return refused, nil
	}
	if identifier.typeName() == "" {
		return mbanqUnknownCode(identifier.TypeID), nil
	}

	// Is there such an identifier already?
	if slices.ContainsFunc(client.Identifiers, func(other mbanqIdentifier) bool {
		return identifier.Active && other.counts() && other.TypeID == identifier.TypeID
	}) {
		return mbanqRefused(newMbanqReason("error.msg.clientIdentifier.type.duplicate",
			"Active Client identifier of type "+identifier.typeName()+" is already present for this client", "id", identifier.typeName())), nil
	}
	taken, err := c.Get(identifier.keys()[1])
	switch {
	case err != nil:
		return answer{}, err
	case taken != nil:
		return mbanqRefused(newMbanqReason("error.msg.clientIdentifier.identityKey.duplicate",
			"Client identifier of type "+identifier.typeName()+" with value of "+identifier.Key+" already exists.", "id",
			identifier.typeName(), identifier.Key)), nil
	case len(client.Identifiers) >= maxElements:
		return mbanqTooMany("identifiers"), nil
	}

	// Effect: an identifier.
	if identifier.ID, err = mbanqNumber(c, "identifier", mbanqFirstIdentifier); err != nil {
		return answer{}, err
	}
	for _, key := range identifier.keys() {
		if err := save(c, key, client.ID); err != nil {
			return answer{}, err
		}
	}
	client.Identifiers = append(client.Identifiers, identifier)
	return did(answer{status: http.StatusOK, body: encode(struct {
		ID                 int64    `json:"id"`
		OfficeID           int64    `json:"officeId"`
		ClientID           int64    `json:"clientId"`
		ResourceID         int64    `json:"resourceId"`
		Changes            struct{} `json:"changes"`
		IsScheduled        bool     `json:"isScheduledTransfer"`
		IsSkipNotification bool     `json:"isSkipNotification"`
	}{ID: identifier.ID, OfficeID: client.OfficeID, ClientID: client.ID, ResourceID: identifier.ID})}), client.save(c)
}

// mbanqIdentifierView is an identifier as it is shown (mbanq §4).
type mbanqIdentifierView struct {
	ID           int64             `json:"id"`
	ClientID     int64             `json:"clientId"`
	DocumentType mbanqDocumentType `json:"documentType"`
	DocumentKey  string            `json:"documentKey"`
	Status       string            `json:"status"`
	Description  string            `json:"description,omitzero"`
	IssuedBy     string            `json:"issuedBy,omitzero"`
	IssuedDate   []int             `json:"issuedDate,omitzero"`
	ExpiryDate   []int             `json:"expiryDate,omitzero"`
	Nationality  *mbanqRef         `json:"nationality,omitzero"`
	Review       string            `json:"documentStatus,omitzero"`
	Verification *mbanqState       `json:"verificationStatus,omitzero"` // in the verification status only
}

type mbanqDocumentType struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	IsMasked bool   `json:"isMasked,omitzero"`
}

func (i mbanqIdentifier) view(client int64, unmasked bool) mbanqIdentifierView {
	v := mbanqIdentifierView{
		ID: i.ID, ClientID: client, DocumentType: mbanqDocumentType{i.TypeID, i.typeName(), !unmasked}, DocumentKey: i.Key,
		Status: "Active", Description: i.Description, IssuedBy: i.IssuedBy, IssuedDate: i.Issued.array(), ExpiryDate: i.Expires.array(),
		Nationality: newMbanqRef(mbanqCountries(), i.Nationality), Review: i.Review,
	}
	if !i.Active {
		v.Status = "Inactive"
	}
	if !unmasked {
		v.DocumentKey = mbanqMask(i.Key)
	}
	return v
}

// mbanqMask hides all but the last four characters, and all of what has no more than those.
func mbanqMask(s string) string {
	r := []rune(s)
	hidden := len(r) - 4
	if hidden <= 0 {
		hidden = len(r)
	}
	return strings.Repeat("*", hidden) + string(r[hidden:])
}

// listIdentifiers is row 13 of mbanq §2.
func (m *mbanq) listIdentifiers(c *call) (answer, error) {
	id := c.request.PathValue("id")
	client, found, err := mbanqClientByID(c, id)
	switch {
	case err != nil:
		return answer{}, err
	case !found:
		return mbanqUnknownClient(id), nil
	}
	views := []mbanqIdentifierView{}
	for _, identifier := range client.Identifiers {
		views = append(views, identifier.view(client.ID, c.request.URL.Query().Get("unmaskValue") == "true"))
	}
	return answer{status: http.StatusOK, body: encode(views)}, nil
}

// reviewIdentifier is row 15 of mbanq §2, which a reviewer does by hand.
func (m *mbanq) reviewIdentifier(c *call) (any, error) {
	decisions := map[string]string{"approve": mbanqReviewApproved, "reject": mbanqReviewRejected}
	command := c.request.URL.Query().Get("command")
	decision, ok := decisions[command]
	if !ok {
		return nil, unprocessableParameter("command", "is not a decision", "approve", "reject")
	}
	client, found, err := mbanqClientByID(c, c.request.PathValue("id"))
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(client.Identifiers, func(i mbanqIdentifier) bool {
		return strconv.FormatInt(i.ID, 10) == c.request.PathValue("iid")
	})
	if !found || i < 0 {
		return nil, newProblem(http.StatusNotFound, "no client has this identifier")
	}
	client.Identifiers[i].Review = decision
	return struct {
		ClientID   int64 `json:"clientId"`
		ResourceID int64 `json:"resourceId"`
	}{client.ID, client.Identifiers[i].ID}, client.save(c)
}

// maxMbanqScan is the largest file that can be uploaded, in bytes: chosen, as the contract has none. maxMbanqForm is what the form
// around it may add.
const (
	maxMbanqScan = 10 << 20
	maxMbanqForm = 64 << 10
)

// attachDocument is row 16 of mbanq §2. The file is counted, and kept nowhere.
func (m *mbanq) attachDocument(c *call) (answer, error) {
	id := c.request.PathValue("iid")
	var owner int64
	found, err := load(c, mbanqUniqueKey("identifier", id), &owner)
	if err != nil {
		return answer{}, err
	}
	client, known, err := mbanqClientByID(c, strconv.FormatInt(owner, 10))
	if err != nil {
		return answer{}, err
	}
	i := slices.IndexFunc(client.Identifiers, func(i mbanqIdentifier) bool { return strconv.FormatInt(i.ID, 10) == id })
	if !found || !known || i < 0 {
		return mbanqUnknownIdentifier(id), nil
	}
	if refused, ok := refusedMbanqScan(c.request.Header.Get("Content-Type"), c.body); ok {
		return refused, nil
	}
	client.Identifiers[i].Scans++
	number, err := mbanqNumber(c, "document", mbanqFirstDocument)
	if err != nil {
		return answer{}, err
	}
	document := strconv.FormatInt(number, 10)
	return did(answer{status: http.StatusOK, body: encode(struct {
		ID                 string `json:"id"`
		ResourceIdentifier string `json:"resourceIdentifier"`
		UUID               string `json:"uuid"`
	}{document, document, m.newID()})}), client.save(c)
}

// refusedMbanqScan reads the form of an upload part by part (mbanq §3), and returns the answer where something is wrong with it.
func refusedMbanqScan(contentType string, body []byte) (answer, bool) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil || media != "multipart/form-data" || params["boundary"] == "" {
		return mbanqMalformed(), true
	}
	in := &mbanqInput{resource: "document", members: map[string]jsontext.Value{}}
	size := int64(-1)
	parts := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return mbanqMalformed(), true
		}
		switch name := part.FormName(); name {
		case "file":
			if size, err = io.Copy(io.Discard, part); err == nil && !isMbanqScan(part) {
				in.reject("file", "content.type.not.supported", "The parameter `file` must be a PDF, JPEG or PNG.")
			}
		case "name", "type", "description":
			var value []byte
			if value, err = io.ReadAll(part); err == nil {
				in.members[name] = encode(strings.ToValidUTF8(string(value), "\uFFFD"))
			}
		}
		if err != nil {
			return mbanqMalformed(), true
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
	if size > maxMbanqScan {
		return mbanqRefused(newMbanqReason("error.msg.document.file.too.big",
			fmt.Sprintf("The file is larger than %d MB.", maxMbanqScan>>20), "id", size)), true
	}
	return answer{}, false
}

const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// isMbanqScan reports whether a file is said to be a PDF or an image, by its own content type or else by its name.
func isMbanqScan(part *multipart.Part) bool {
	media, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
	if err != nil || media == "application/octet-stream" {
		extensions := []string{".pdf", ".jpeg", ".jpg", ".png"}
		return slices.Contains(extensions, strings.ToLower(path.Ext(part.FileName())))
	}
	return slices.Contains([]string{"application/pdf", "image/jpeg", "image/jpg", "image/png"}, media)
}
