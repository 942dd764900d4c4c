package mbanq

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/functions/sandbox"
)

// maxElements is how many elements one list of a request or of a client can have, so that a client stays one item of
// the store.
const maxElements = 10

// clientRecord is one client record. It holds no files, and at most maxElements addresses and as many identifiers.
type clientRecord struct {
	ID                int64      `json:"id"`
	AccountNo         string     `json:"accountNo"`
	ExternalID        string     `json:"externalId,omitzero"`
	OfficeID          int64      `json:"officeId"`
	LegalForm         int64      `json:"legalForm"`
	Firstname         string     `json:"firstname,omitzero"`
	Middlename        string     `json:"middlename,omitzero"`
	Lastname          string     `json:"lastname,omitzero"`
	Fullname          string     `json:"fullname,omitzero"`
	DateOfBirth       date       `json:"dateOfBirth,omitzero"`
	GenderID          int64      `json:"genderId,omitzero"`
	EmailAddress      string     `json:"emailAddress,omitzero"`
	MobileCountryCode string     `json:"mobileCountryCode,omitzero"`
	MobileNo          string     `json:"mobileNo,omitzero"`
	ClientTypes       []int64    `json:"clientTypes,omitzero"`
	ClassificationID  int64      `json:"clientClassificationId,omitzero"`
	OccupationID      int64      `json:"occupationId,omitzero"`
	Staff             bool       `json:"isStaff,omitzero"`
	SubmittedOn       date       `json:"submittedOn"`
	ActivatedOn       date       `json:"activatedOn,omitzero"`
	UpdatedAt         time.Time  `json:"updatedAt"` // real
	Active            bool       `json:"active,omitzero"`
	Verified          kycLevel   `json:"verified,omitzero"`  // what verification succeeded at
	Rejected          bool       `json:"rejected,omitzero"`  // the last one that ran did not succeed, and none did before
	Verifying         *verifying `json:"verifying,omitzero"` // one that runs
	Stumbled          bool       `json:"stumbled,omitzero"`  // the fixture's first command is behind it

	Addresses   []address          `json:"addresses,omitzero"`
	Identifiers []identifierRecord `json:"identifiers,omitzero"`
}

// Values of legalFormId (§3).
const (
	legalFormPerson = 1
	legalFormEntity = 2
)

// First ids of the records.
const (
	firstClient     = 8801
	firstAddress    = 3301
	firstIdentifier = 5101
	firstDocument   = 901
)

// The keys of what must be unique come before those of the clients that they point at; see Store.Clear.
func clientKey(id int64) string            { return fmt.Sprintf("%s%012d", clientsPrefix, id) }
func uniqueKey(field, value string) string { return "mbanq/by-" + field + "/" + sandbox.Digest(value) }

const clientsPrefix = "mbanq/client/"

// clientByID loads a client by an id that the caller gave, as the client stands now: a verification that ran is over
// when its time is.
func clientByID(c *sandbox.Call, id string) (client clientRecord, found bool) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 || !c.Load(clientKey(n), &client) {
		return clientRecord{}, false
	}
	client.settle(c)
	return client, true
}

// ofClient wraps an operation that is about the client in the path.
func ofClient(handle func(*sandbox.Call, clientRecord) sandbox.Answer) sandbox.Handler {
	return func(c *sandbox.Call) sandbox.Answer {
		id := c.Request.PathValue("id")
		client, found := clientByID(c, id)
		if !found {
			return unknownClient(id)
		}
		return handle(c, client)
	}
}

// save writes a client that was changed.
func (m clientRecord) save(c *sandbox.Call) {
	m.UpdatedAt = c.Now.UTC()
	c.Save(clientKey(m.ID), m)
}

// unique returns what no two clients may have in common, by field.
func (m clientRecord) unique() [][2]string {
	return [][2]string{{"externalId", m.ExternalID}, {"accountNo", m.AccountNo}, {"mobileNo", m.MobileNo}}
}

const clientFields = `officeId legalFormId firstname middlename lastname fullname dateOfBirth dob genderId
	emailAddress mobileCountryCode mobileNo submittedOnDate dateFormat locale externalId accountNo active
	activationDate clientTypes clientClassificationId occupationId nationalityId staffId savingsProductId isStaff
	isOptedForMLALStatus currentMLALStatus address`

// createClient is row 3 of §2.
func (m *simulation) createClient(c *sandbox.Call) sandbox.Answer {
	// Input. What only a person has is not asked of an entity.
	in := readInput(c, "client", clientFields)
	client := clientRecord{OfficeID: in.id("officeId", true), LegalForm: in.id("legalFormId", true)}
	if n := client.LegalForm; n > legalFormEntity || !in.strict && (n < 0 || n == 0 && in.scalar("legalFormId") != "") {
		in.reject("legalFormId", "is.not.within.expected.range", "The parameter `legalFormId` must be between 1 and 2.",
			client.LegalForm, legalFormPerson, legalFormEntity)
	}
	person := client.LegalForm != legalFormEntity
	asks := c.Setting("contact_at_create") == "required" && (person || in.strict)
	in.names(&client)
	in.dateLayout()
	client.DateOfBirth = in.date("dateOfBirth", person)
	client.GenderID = in.id("genderId", person)
	client.EmailAddress = in.email("emailAddress", asks)
	client.MobileCountryCode = in.text("mobileCountryCode", asks, 10)
	client.MobileNo = in.text("mobileNo", asks, 50)
	client.ExternalID = in.text("externalId", false, 100)
	client.AccountNo = in.text("accountNo", false, 20)
	client.SubmittedOn = in.date("submittedOnDate", person || in.strict)
	client.Active = in.boolean("active", false)
	if client.Active {
		client.ActivatedOn = in.date("activationDate", true)
	}
	client.ClientTypes = in.ids("clientTypes")
	client.ClassificationID = in.id("clientClassificationId", false)
	client.OccupationID = in.id("occupationId", false)
	client.Staff = in.boolean("isStaff", false)
	for _, name := range []string{"nationalityId", "staffId", "savingsProductId"} {
		in.id(name, false) // shown nowhere
	}
	for _, element := range in.objects(c, "address", "address", addressFields+" addressTypeId") {
		client.Addresses = append(client.Addresses, element.address(element.id("addressTypeId", true)).normalised(c))
		in.adopt(element)
	}
	in.order(c, client)
	if refused, ok := in.refused(); ok {
		return refused
	}
	client.normalise(c)
	for _, address := range client.Addresses {
		if nameOf(addressTypes(), address.TypeID) == "" {
			return unknownCode(address.TypeID)
		}
	}

	// Is there such a client already?
	for _, unique := range client.unique() {
		if unique[1] != "" && c.Get(uniqueKey(unique[0], unique[1])) != nil {
			return duplicate(unique[0], unique[1])
		}
	}

	// Effect: a client.
	client.ID = nextNumber(c, "client", firstClient)
	client.AccountNo = cmp.Or(client.AccountNo, fmt.Sprintf("%09d", client.ID))
	for i := range client.Addresses {
		client.Addresses[i].ID = nextNumber(c, "address", firstAddress)
	}
	for _, unique := range client.unique() {
		if unique[1] != "" {
			c.Save(uniqueKey(unique[0], unique[1]), client.ID)
		}
	}
	client.save(c)
	m.tell(c, "CREATE", client.ID, c.Now)
	return client.result().WithEffect()
}

// normalise writes a client down as the partner does.
func (m *clientRecord) normalise(c *sandbox.Call) {
	for _, text := range []*string{&m.Firstname, &m.Middlename, &m.Lastname, &m.Fullname, &m.ExternalID} {
		*text = c.Prose(*text, maxLine)
	}
	m.MobileNo, m.MobileCountryCode = c.Number(m.MobileNo, maxLine), c.Number(m.MobileCountryCode, maxLine)
	m.EmailAddress = c.Mail(m.EmailAddress)
}

// names reads who a client is: a person by parts or by a full name, an entity by a full name (§3).
func (in *input) names(client *clientRecord) {
	given := func(name string) bool { return strings.TrimSpace(in.scalar(name)) != "" }
	passed := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return in.members[name] != nil })
	}
	switch {
	case given("fullname"):
		for _, part := range []string{"firstname", "middlename", "lastname"} {
			if given(part) {
				in.reject("fullname", "cannot.also.be.provided.when."+part+".is.populated",
					"The parameter `fullname` cannot also be provided when `"+part+"` is populated.")
			}
		}
		client.Fullname = in.text("fullname", true, 100)
	case client.LegalForm == legalFormEntity && !in.strict:
	case client.LegalForm == legalFormEntity && passed("fullname"):
		in.rejectBlank("fullname")
	case client.LegalForm == legalFormEntity || !passed("firstname", "middlename", "lastname"):
		in.reject("id", ".no.name.details.passed", "Failed data validation due to: .no.name.details.passed.") // two dots
	default:
		client.Firstname = in.text("firstname", true, 50)
		client.Middlename = in.text("middlename", false, 50)
		client.Lastname = in.text("lastname", true, 50)
	}
}

// order checks the dates of a new client against today and each other.
func (in *input) order(c *sandbox.Call, client clientRecord) {
	today := newDate(c.Now)
	if born := client.DateOfBirth; born >= today {
		in.reject("dateOfBirth", "is.greater.than.date", "The parameter `dateOfBirth` must be before today.", born, today)
	} else if born != "" && client.SubmittedOn != "" && born >= client.SubmittedOn {
		in.note("error.msg.clients.submittedOnDate.before.dateOfBirth",
			"submitted date cannot be before the date of birth", "submittedOnDate", client.SubmittedOn)
	}
	if client.SubmittedOn > today {
		in.note("error.msg.clients.submittedOnDate.in.the.future",
			"submitted date cannot be in the future.", "submittedOnDate", client.SubmittedOn)
	}
	if client.Active && client.ActivatedOn != "" {
		in.reasons = append(in.reasons, activationOrder(c, client, client.ActivatedOn)...)
	}
}

// result is what a command answers but for a verification (§4).
func (m clientRecord) result() sandbox.Answer {
	return sandbox.OK("id", m.ID, "officeId", m.OfficeID, "clientId", m.ID, "resourceId", m.ID)
}

// getClient is row 4 of §2.
func (m *simulation) getClient(c *sandbox.Call, client clientRecord) sandbox.Answer {
	return sandbox.JSON(http.StatusOK, client.view(m.Username))
}

// deleteClient is row 7 of §2.
func deleteClient(c *sandbox.Call, client clientRecord) sandbox.Answer {
	if client.Active {
		return refused(newReason("error.msg.clients.cannot.be.deleted",
			fmt.Sprintf("Client %d cannot be deleted: it is not pending.", client.ID), "id", client.ID))
	}
	keys := []string{clientKey(client.ID)}
	for _, unique := range client.unique() {
		keys = append(keys, uniqueKey(unique[0], unique[1]))
	}
	for _, identifier := range client.Identifiers {
		keys = append(keys, identifier.keys()...)
	}
	for _, key := range keys {
		c.Delete(key)
	}
	return sandbox.OK("officeId", client.OfficeID, "clientId", client.ID, "resourceId", client.ID).WithEffect()
}

// enum is a value of a fixed enumeration.
type enum struct {
	ID    int64  `json:"id"`
	Code  string `json:"code"`
	Value string `json:"value"`
}

func legalFormOf(id int64) enum {
	if id == legalFormEntity {
		return enum{id, "legalFormType.entity", "Entity"}
	}
	return enum{id, "legalFormType.person", "Person"}
}

// status is the main one, which moves on activate only (§5).
func (m clientRecord) status() enum {
	if m.Active {
		return enum{300, "clientStatusType.active", "Active"}
	}
	return enum{100, "clientStatusType.pending", "Pending"}
}

func (m clientRecord) displayName() string {
	return cmp.Or(m.Fullname, strings.Join(slices.DeleteFunc([]string{m.Firstname, m.Middlename, m.Lastname},
		func(s string) bool { return s == "" }), " "))
}

func (m clientRecord) officeName() string {
	return cmp.Or(nameOf(codeValues(1, office), m.OfficeID), fmt.Sprintf("Office %d", m.OfficeID))
}

// codeRef is a code value as a client shows it.
type codeRef struct {
	ID   int64  `json:"id"`
	Name string `json:"name,omitzero"`
}

func newCodeRef(options []codeValue, id int64) *codeRef {
	if id == 0 {
		return nil
	}
	return &codeRef{id, nameOf(options, id)}
}

// view returns a client as the user who made it sees it (§4). What an unset field looks like follows from
// Fineract: it is left out. A sub-status that is unset has nothing but its switches.
//
// clientKycStatus is an object here, though verify answers a text. The contract leaves its content open; it says what
// verification succeeded at.
func (m clientRecord) view(user string) jsontext.Value {
	subStatus := sandbox.Object("active", false, "mandatory", false, "systemDefined", false)
	if m.Verified != "" {
		subStatus = sandbox.Object("id", 77, "name", "Verified", "active", true, "mandatory", false, "systemDefined", true)
	}
	activatedBy := ""
	if m.Active {
		activatedBy = user
	}
	types := []codeRef{}
	for _, id := range m.ClientTypes {
		types = append(types, *newCodeRef(clientTypes(), id))
	}
	return sandbox.Object(
		"id", m.ID, "accountNo", m.AccountNo, "externalId", sandbox.Optional(m.ExternalID),
		"status", m.status(), "subStatus", subStatus,
		"active", m.Active, "activationDate", sandbox.Optional(m.ActivatedOn.array()),
		"firstname", sandbox.Optional(m.Firstname), "middlename", sandbox.Optional(m.Middlename),
		"lastname", sandbox.Optional(m.Lastname), "fullname", sandbox.Optional(m.Fullname), "displayName", m.displayName(),
		"mobileCountryCode", sandbox.Optional(m.MobileCountryCode), "mobileNo", sandbox.Optional(m.MobileNo),
		"emailAddress", sandbox.Optional(m.EmailAddress), "dateOfBirth", sandbox.Optional(m.DateOfBirth.array()),
		"gender", sandbox.Optional(newCodeRef(nil, m.GenderID)), "clientTypes", types,
		"clientClassification", sandbox.Optional(newCodeRef(classifications(), m.ClassificationID)),
		"occupation", sandbox.Object("id", sandbox.Optional(m.OccupationID), "active", m.OccupationID != 0),
		"isStaff", m.Staff, "skipAvs", false, "officeId", m.OfficeID, "officeName", m.officeName(),
		"updatedAt", m.UpdatedAt,
		"timeline", sandbox.Object(
			"submittedOnDate", m.SubmittedOn.array(), "submittedByUsername", user,
			"activatedOnDate", sandbox.Optional(m.ActivatedOn.array()), "activatedByUsername", sandbox.Optional(activatedBy),
		),
		"legalForm", legalFormOf(m.LegalForm), "clientVerificationStatus", m.state(),
		"clientKycStatus", sandbox.Object("value", m.state(), "kycVerificationType", sandbox.Optional(m.Verified)),
		"clientTransferOptionData", struct{}{}, "clientNonPersonDetails", struct{}{},
	)
}

// listClients is row 5 of §2. Parameters that nobody knows are ignored, those for ranges of dates among them,
// whose names the contract does not have.
func (m *simulation) listClients(c *sandbox.Call) sandbox.Answer {
	query := c.Request.URL.Query()
	for _, known := range []struct{ name, values string }{
		{"orderBy", "displayName accountNo officeId officeName"}, {"sortOrder", "ASC DESC"},
		{"clientStatus", "ACTIVE PENDING INACTIVE"},
	} {
		if v := query.Get(known.name); v != "" && !slices.Contains(strings.Fields(known.values), v) {
			return unsupportedQuery(known.name, v)
		}
	}
	offset, limit := 0, 200
	for _, number := range []struct {
		name string
		n    *int
	}{{"offset", &offset}, {"limit", &limit}} {
		if v := query.Get(number.name); v != "" {
			var err error
			if *number.n, err = strconv.Atoi(v); err != nil || *number.n < 0 {
				return unsupportedQuery(number.name, v)
			}
		}
	}

	all := slices.DeleteFunc(sandbox.List[clientRecord](c, clientsPrefix),
		func(client clientRecord) bool { return !client.matches(query, c.Normalises()) })
	order := func(a, b clientRecord) int {
		switch query.Get("orderBy") {
		case "displayName":
			return strings.Compare(a.displayName(), b.displayName())
		case "accountNo":
			return strings.Compare(a.AccountNo, b.AccountNo)
		case "officeId":
			return cmp.Compare(a.OfficeID, b.OfficeID)
		case "officeName":
			return strings.Compare(a.officeName(), b.officeName())
		}
		return cmp.Compare(a.ID, b.ID)
	}
	slices.SortStableFunc(all, func(a, b clientRecord) int {
		if query.Get("sortOrder") == "DESC" {
			a, b = b, a
		}
		return order(a, b)
	})
	page := []jsontext.Value{}
	rest := all[min(offset, len(all)):]
	for _, client := range rest[:min(limit, len(rest))] {
		client.settle(c)
		page = append(page, client.view(m.Username))
	}
	return sandbox.OK("totalFilteredRecords", len(all), "pageItems", page)
}

// matches reports whether a client passes the filters of a list: exact, but for a part of a name in whatever case, and
// for the case of what the partner normalises.
func (m clientRecord) matches(query url.Values, normalises bool) bool {
	is := func(name, value string) bool {
		wanted := query.Get(name)
		return wanted == "" || wanted == value || normalises && strings.EqualFold(wanted, value)
	}
	status := "PENDING"
	if m.Active {
		status = "ACTIVE"
	}
	return is("externalId", m.ExternalID) && is("mobileNo", m.MobileNo) && is("clientStatus", status) &&
		strings.Contains(strings.ToLower(m.displayName()), strings.ToLower(query.Get("displayName")))
}
