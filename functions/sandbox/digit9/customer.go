package digit9

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox"
)

// customerRecord is one customer record. It holds no images: nothing shows them.
type customerRecord struct {
	ECRN    string          `json:"ecrn"`
	Known   bool            `json:"known,omitzero"` // was there before anyone onboarded it
	Profile customerProfile `json:"profile"`
	Stands  standing        `json:"stands"`
}

// customerProfile is what was onboarded, as get-customer shows it (§7).
type customerProfile struct {
	AgentLocationID       string     `json:"agent_location_id"`
	Channel               string     `json:"channel"`
	Salutation            string     `json:"salutation,omitzero"`
	FirstName             string     `json:"first_name"`
	MiddleName            string     `json:"middle_name"`
	LastName              string     `json:"last_name"`
	PreferredName         string     `json:"preferred_name,omitzero"`
	Nationality           string     `json:"nationality"`
	SecondNationality     string     `json:"second_nationality,omitzero"`
	NativeRegion          *int64     `json:"native_region,omitzero"`
	DateOfBirth           string     `json:"date_of_birth"`
	CountryOfBirth        string     `json:"country_of_birth"`
	PlaceOfBirth          string     `json:"place_of_birth,omitzero"`
	ResidentTypeID        int64      `json:"resident_type_id"`
	CountryOfResidence    string     `json:"country_of_residence"`
	Gender                string     `json:"gender"`
	MothersMaidenName     string     `json:"mothers_maiden_name,omitzero"`
	PrimaryMobileNumber   string     `json:"primary_mobile_number"`
	SecondaryMobileNumber string     `json:"secondary_mobile_number,omitzero"`
	EmailID               string     `json:"email_id"`
	PhoneNumber           string     `json:"phone_number,omitzero"`
	OccupationID          *int64     `json:"occupation_id,omitzero"`
	PoliticalExposed      bool       `json:"political_exposed_person"`
	AdditionalDocs        []document `json:"additional_docs,omitzero"`
	IDDetails             []idDetail `json:"id_details"`
}

// normalise writes a customer down as the partner does. It is looked for by what is written down.
func (p *customerProfile) normalise(c *sandbox.Call) {
	for _, name := range []*string{&p.FirstName, &p.MiddleName, &p.LastName} {
		*name = c.Prose(*name, maxName)
	}
	p.EmailID = c.Mail(p.EmailID)
	for i := range p.IDDetails {
		p.IDDetails[i].IDNumber = c.Number(p.IDDetails[i].IDNumber, maxName)
	}
}

// maxName is how much of a name or a number is written down by a partner that normalises.
const maxName = 24

// document is an additional document without its content.
type document struct {
	ContentType string `json:"content_type"`
	DocumentID  string `json:"document_id"`
}

// idDetail is an id without its images.
type idDetail struct {
	IDType         int64  `json:"id_type"`
	IDNumber       string `json:"id_number"`
	VisaNumber     string `json:"visa_number,omitzero"`
	VisaExpiryDate string `json:"visa_expiry_date,omitzero"`
	NameAsPerID    string `json:"name_as_per_id"`
	IssuedCountry  string `json:"issued_country"`
	IssuedBy       string `json:"issued_by,omitzero"`
	IssuedAt       string `json:"issued_at,omitzero"`
	IssuedOn       string `json:"issued_on"`
	DateOfExpiry   string `json:"date_of_expiry"`
	DefaultStatus  *bool  `json:"default_status,omitzero"`
	ActiveStatus   *bool  `json:"active_status,omitzero"`
}

// id returns the id in the form in which a lookup names it.
func (i idDetail) id() lookupID {
	return lookupID{strconv.FormatInt(i.IDType, 10), i.IDNumber}
}

// lookupID is one id as a lookup names it.
type lookupID struct {
	IDType   string `json:"idType"`
	IDNumber string `json:"idNumber"`
}

// The keys of ids come before those of the customers that they point at; see Store.Clear.
func (i lookupID) key() string       { return "digit9/by-id/" + sandbox.Digest(i.IDType, i.IDNumber) }
func customerKey(ecrn string) string { return "digit9/customer/" + ecrn }

// customerByECRN loads a customer by a number that the caller gave.
func customerByECRN(c *sandbox.Call, ecrn string) (customer customerRecord, found bool) {
	if len(ecrn) != 16 || !sandbox.IsMadeOf(ecrn, '0', '9') {
		return customer, false // none of ours
	}
	found = c.Load(customerKey(ecrn), &customer)
	return customer, found
}

// customerByID loads the customer who has an id. One whom Digit9 knows by fixture is there from now on.
func customerByID(c *sandbox.Call, id lookupID) (customer customerRecord, found bool) {
	if ecrn := c.Get(id.key()); ecrn != nil {
		found = c.Load(customerKey(string(ecrn)), &customer)
		return customer, found
	}
	stands := fixtureOf(id.IDNumber).known
	idType, err := strconv.ParseInt(id.IDType, 10, 64)
	known := idDetail{IDType: idType, IDNumber: id.IDNumber}
	if err != nil || known.id() != id || stands == (standing{}) {
		return customer, false
	}
	profile := knownProfile(known, c.Now)
	return newCustomer(c, id.IDNumber, customerRecord{Known: true, Profile: profile, Stands: stands}), true
}

// newCustomer gives a customer a number, which follows from an id number and how many it had before, and saves it.
func newCustomer(c *sandbox.Call, number string, customer customerRecord) customerRecord {
	for n := uint64(0); ; n++ {
		sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(number), n))
		customer.ECRN = fmt.Sprintf("784%013d", binary.BigEndian.Uint64(sum[:8])%1e13)
		if c.Get(customerKey(customer.ECRN)) == nil {
			break
		}
	}
	for _, id := range customer.Profile.IDDetails {
		c.Put(id.id().key(), []byte(customer.ECRN))
	}
	customer.save(c, ending(number))
	return customer
}

// ends tells people which customer it is, by the first of its ids.
func (d customerRecord) ends() string {
	if len(d.Profile.IDDetails) == 0 {
		return ""
	}
	return ending(d.Profile.IDDetails[0].IDNumber)
}

// save writes a customer, and keeps an alert open for as long as the scan is under investigation. ends tells people
// which of the customer's ids it is about.
func (d customerRecord) save(c *sandbox.Call, ends string) {
	c.Save(customerKey(d.ECRN), d)
	key := alertsPrefix + d.ECRN
	if d.Stands.AMLScanStatus != amlUnderInvestigation {
		c.Delete(key)
	} else if c.Get(key) == nil {
		c.Save(key, openAlert{ECRN: d.ECRN, IDNumberEnds: ends, OpenedAt: c.Now.UTC()})
	}
}

// knownProfile is that of a fixture whom nobody onboarded. The id is good for five years yet.
func knownProfile(id idDetail, now time.Time) customerProfile {
	id.NameAsPerID, id.IssuedCountry = "Sample Person", "AE"
	id.IssuedOn = now.UTC().AddDate(-5, 0, 0).Format(time.DateOnly)
	id.DateOfExpiry = now.UTC().AddDate(5, 0, 0).Format(time.DateOnly)
	return customerProfile{
		AgentLocationID: ownAgent, Channel: "WEB", FirstName: "SAMPLE", LastName: "PERSON",
		Nationality: "AE", DateOfBirth: "1990-01-01", CountryOfBirth: "AE", ResidentTypeID: 101, CountryOfResidence: "AE",
		Gender: "Female", PrimaryMobileNumber: "+971500000000", EmailID: "sample@example.com", IDDetails: []idDetail{id},
	}
}

// ownAgent is the agent that the token belongs to, for customers who were onboarded without one (§6.1).
const ownAgent = "784999"

// lookupCustomer is E2 (§5).
func lookupCustomer(c *sandbox.Call) sandbox.Answer {
	var id lookupID
	err := json.Unmarshal(c.Body, &id)
	if err != nil && !c.IsStrict() {
		err = readLenient(c.Body, &id)
	}
	if err != nil || !within(id.IDType, 3) || !within(id.IDNumber, 30) {
		return lookupFailed(400, 40001, "Invalid format input")
	}
	fixture := fixtureOf(id.IDNumber)
	if fixture.lookupFails {
		return lookupFailed(500, 45006, "Error while searching customer!")
	}
	customer, found := customerByID(c, id)
	switch {
	case !found && fixture.unsubscribed:
		return lookupFailed(404, 45003, "Customer not Subscribed")
	case !found:
		return lookupFailed(404, 45001, "Customer not found")
	}
	if refused, ok := customer.withheld(); ok {
		return refused
	}
	p := customer.Profile
	var of idDetail
	for _, known := range p.IDDetails {
		if known.id() == id {
			of = known
		}
	}
	return lookupFound(sandbox.Object(
		"ecrn", customer.ECRN, "first_name", p.FirstName, "middle_name", p.MiddleName, "last_name", p.LastName,
		"agent_location_id", p.AgentLocationID, "primary_mobile_number", p.PrimaryMobileNumber, "email_id", p.EmailID,
		"customer_status", customer.Stands.CustomerStatus, "aml_scan_status", customer.Stands.AMLScanStatus,
		"id_status", of.status(c.Now),
		"id_date_of_expiry", of.DateOfExpiry+"T00:00:00.000+00:00", // the sample's form, not the table's (§5)
	))
}

// status returns an id's id_status. It is good to the end of its last day.
func (i idDetail) status(now time.Time) string {
	switch {
	case i.DateOfExpiry < now.UTC().Format(time.DateOnly):
		return "Expired"
	case i.ActiveStatus != nil && !*i.ActiveStatus:
		return "Inactive"
	}
	return "Active"
}

// within reports whether a mandatory text is there and has at most so many characters.
func within(s string, limit int) bool {
	return strings.TrimSpace(s) != "" && utf8.RuneCountInString(s) <= limit
}

// getCustomer is E4 (§7).
func getCustomer(c *sandbox.Call) sandbox.Answer {
	customer, found := customerByECRN(c, c.Request.PathValue("ecrn"))
	if !found {
		return lookupFailed(404, 45001, "Customer not found")
	}
	if refused, ok := customer.withheld(); ok {
		return refused
	}
	return lookupFound(struct {
		ECRN           string `json:"ecrn"`
		CustomerStatus string `json:"customer_status"`
		AMLScanStatus  string `json:"aml_scan_status"`
		customerProfile
	}{customer.ECRN, customer.Stands.CustomerStatus, customer.Stands.AMLScanStatus, customer.Profile})
}

// withheld returns what lookups answer in the place of a customer who is barred or held.
func (d customerRecord) withheld() (sandbox.Answer, bool) {
	switch {
	case d.barred():
		return lookupFailed(404, 45051, "Customer can not be Accepted"), true
	case d.held():
		return lookupFailed(500, 45013, "Customer under Compliance investigation!"), true
	}
	return sandbox.Answer{}, false
}

func (d customerRecord) barred() bool { return d.Stands.CustomerStatus == customerBlocked }

func (d customerRecord) held() bool {
	return d.Stands.Held && d.Stands.AMLScanStatus == amlUnderInvestigation
}

// lookupFound returns a success of the lookup service, in the order of the contract's sample (§5.2).
func lookupFound(data any) sandbox.Answer {
	return sandbox.OK("status", "success", "statusCode", http.StatusOK, "data", data)
}

// lookupFailed returns a failure of the lookup service, which is always HTTP 200 (§9.1).
func lookupFailed(statusCode, errorCode int, message string) sandbox.Answer {
	return sandbox.OK("status", "failure", "statusCode", statusCode, "errorCode", errorCode, "message", message)
}
