package iron

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox"
)

// customerType is one of the two types of a customer (§3).
type customerType string

const (
	typePerson   customerType = "Person"
	typeBusiness customerType = "Business"
)

// customerRecord is one customer record. It holds at most maxIdentifications ids and one signing, so that it stays one
// item of the store.
type customerRecord struct {
	ID              string       `json:"id"`
	Number          int64        `json:"number"` // in the order of creation
	SubPartner      string       `json:"sub_partner,omitzero"`
	Type            customerType `json:"type"`
	Name            string       `json:"name"`
	Email           string       `json:"email"`
	ExternalID      string       `json:"external_id,omitzero"`
	CreatedAt       time.Time    `json:"created_at"` // real, as all times here
	UpdatedAt       time.Time    `json:"updated_at"`
	Archived        bool         `json:"archived,omitzero"`
	Identifications []string     `json:"identifications,omitzero"` // the oldest first
	Signing         *signing     `json:"signing,omitzero"`
}

// The keys of what points at a customer come before those of the customers; see Store.Clear.
func (x *call) customerKey(id string) string { return x.space + customersPrefix + id }
func (x *call) externalKey(id string) string { return x.space + "by-external/" + sandbox.Digest(id) }

const customersPrefix = "customer/"

// customer loads a customer whom the call may see.
func (x *call) customer(id string) (customer customerRecord, found bool) {
	found = x.Load(x.customerKey(id), &customer) && x.sees(customer.SubPartner)
	return customer, found
}

// ofCustomer wraps an operation that is about the customer in the path.
func ofCustomer(handle func(*call, customerRecord) sandbox.Answer) func(*call) sandbox.Answer {
	return func(x *call) sandbox.Answer {
		customer, found := x.customer(x.Request.PathValue("id"))
		if !found {
			return unknown("customer")
		}
		return handle(x, customer)
	}
}

// ofLiveCustomer wraps one that a customer who is archived can't have.
func ofLiveCustomer(handle func(*call, customerRecord) sandbox.Answer) func(*call) sandbox.Answer {
	return ofCustomer(func(x *call, customer customerRecord) sandbox.Answer {
		if customer.Archived {
			return errorText(http.StatusForbidden, "customer is archived")
		}
		return handle(x, customer)
	})
}

// newest returns the id of the identification that counts, or "".
func (u customerRecord) newest() string {
	if len(u.Identifications) == 0 {
		return ""
	}
	return u.Identifications[len(u.Identifications)-1]
}

// newestOf loads the identification that counts; nil: there is none.
func (x *call) newestOf(customer customerRecord) *identification {
	d := &identification{}
	if customer.newest() == "" || !x.Load(x.identificationKey(customer.newest()), d) {
		return nil
	}
	return d
}

// customerStatus is the status of a customer (§3).
type customerStatus string

const (
	customerSigningsRequired       customerStatus = "SigningsRequired"
	customerIdentificationRequired customerStatus = "IdentificationRequired"
	customerActive                 customerStatus = "Active"
	customerArchived               customerStatus = "Archived"
)

func customerStatuses() []customerStatus {
	return []customerStatus{
		"UserRequired", customerSigningsRequired, customerIdentificationRequired, customerActive, "Suspended",
		customerArchived,
	}
}

// status returns where a customer stands with the newest identification in a status, empty for none (§7).
func (u customerRecord) status(newest identificationStatus, signings string) customerStatus {
	unsigned := signings != "none" && u.Signing == nil
	switch {
	case u.Archived:
		return customerArchived
	case signings == "first" && unsigned:
		return customerSigningsRequired
	case newest != statusApproved:
		return customerIdentificationRequired
	case unsigned:
		return customerSigningsRequired
	}
	return customerActive
}

// statusNow returns where a customer stands.
func (x *call) statusNow(customer customerRecord) customerStatus {
	var at identificationStatus
	if newest := x.newestOf(customer); newest != nil {
		at = newest.stands(x.Now).Status
	}
	return customer.status(at, x.Setting("signings"))
}

// customerView is how a customer is shown (§3).
type customerView struct {
	ID                   string               `json:"id"`
	PartnerID            string               `json:"partner_id"`
	CustomerType         customerType         `json:"customer_type"`
	Name                 string               `json:"name"`
	Email                string               `json:"email"`
	Status               customerStatus       `json:"status"`
	IdentificationIDs    []string             `json:"identification_ids"`
	SigningIDs           []string             `json:"signing_ids"`
	IdentificationStatus identificationStatus `json:"identification_status,omitzero"`
	CreatedAt            time.Time            `json:"created_at"`
	UpdatedAt            time.Time            `json:"updated_at"`
	ExternalID           string               `json:"external_id,omitzero"`
	SpendingLimitEuro    *struct{}            `json:"spending_limit_euro"` // null always
}

// view shows a customer with the newest identification, nil for none.
func (i *simulation) view(u customerRecord, newest *identification, signings string, now time.Time) customerView {
	v := customerView{
		ID: u.ID, PartnerID: i.PartnerID, CustomerType: u.Type, Name: u.Name, Email: u.Email,
		IdentificationIDs: append([]string{}, u.Identifications...), SigningIDs: []string{},
		CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt, ExternalID: u.ExternalID,
	}
	if newest != nil {
		at := newest.stands(now)
		v.IdentificationStatus = at.Status
		if at.At.After(v.UpdatedAt) {
			v.UpdatedAt = at.At
		}
	}
	v.Status = u.status(v.IdentificationStatus, signings)
	if u.Signing != nil {
		v.SigningIDs = append(v.SigningIDs, u.Signing.ID)
	}
	return v
}

// show answers with a customer.
func (i *simulation) show(x *call, status int, customer customerRecord) sandbox.Answer {
	return sandbox.JSON(status, i.view(customer, x.newestOf(customer), x.Setting("signings"), x.Now))
}

// createCustomer is §3.
func (i *simulation) createCustomer(x *call) sandbox.Answer {
	// Input. That a text has a thousand characters at most is the sandbox's own.
	wrong := object(
		need("customer_type", oneOf(string(typeBusiness), string(typePerson))),
		need("email", email),
		may("name", upTo(1000)),
		may("external_id", guess(upTo(255), upTo(1000))),
	)("", x.Body)
	var in struct {
		Type       customerType `json:"customer_type"`
		Email      string       `json:"email"`
		Name       string       `json:"name"`
		ExternalID string       `json:"external_id"`
	}
	if wrong = x.judged(wrong); wrong == "" && json.Unmarshal(x.Body, &in) != nil {
		wrong = noObject
	}
	if wrong != "" {
		return invalid(wrong)
	}
	in.Name, in.Email, in.ExternalID = x.Prose(in.Name, maxName), x.Mail(in.Email), x.Prose(in.ExternalID, maxName)
	if in.ExternalID != "" && x.Get(x.externalKey(in.ExternalID)) != nil {
		return invalid("external_id is taken")
	}

	// Effect: a customer.
	var number int64
	x.Load(x.space+"sequence", &number)
	now := x.Now.UTC()
	customer := customerRecord{
		ID: x.NewID(), Number: number, SubPartner: x.subPartner, Type: in.Type, Name: cmp.Or(in.Name, in.Email),
		Email:      in.Email,
		ExternalID: in.ExternalID, CreatedAt: now, UpdatedAt: now,
	}
	x.Save(x.space+"sequence", number+1)
	if customer.ExternalID != "" {
		x.Save(x.externalKey(customer.ExternalID), customer.ID)
	}
	x.Save(x.customerKey(customer.ID), customer)
	i.tellCreated(x, customer)
	return i.show(x, http.StatusCreated, customer).WithEffect()
}

// maxName is how much of a name or an external id is written down by a partner that normalises.
const maxName = 24

// getCustomer shows a customer.
func (i *simulation) getCustomer(x *call, customer customerRecord) sandbox.Answer {
	return i.show(x, http.StatusOK, customer)
}

// findCustomer shows the customer with an external id.
func (i *simulation) findCustomer(x *call) sandbox.Answer {
	var id string
	x.Load(x.externalKey(x.Prose(x.Request.PathValue("external_id"), maxName)), &id)
	customer, found := x.customer(id)
	if id == "" || !found {
		return unknown("customer")
	}
	return i.show(x, http.StatusOK, customer)
}

// archiveCustomer blocks a customer and all identifications for good. A second time does nothing.
func (i *simulation) archiveCustomer(x *call, customer customerRecord) sandbox.Answer {
	if customer.Archived {
		return i.show(x, http.StatusOK, customer)
	}
	customer.Archived, customer.UpdatedAt = true, x.Now.UTC()
	x.Save(x.customerKey(customer.ID), customer)
	for _, id := range customer.Identifications {
		var d identification
		if x.Load(x.identificationKey(id), &d) && d.stands(x.Now).Status != statusArchived {
			i.transition(x, customer, d, move{Status: statusArchived})
		}
	}
	i.tellCustomer(x, customer, customerArchived, x.Now, webhookRef{})
	return i.show(x, http.StatusOK, customer).WithEffect()
}

// listCustomers shows the customers who match, the newest first unless asked otherwise (§2).
func (i *simulation) listCustomers(x *call) sandbox.Answer {
	// Input.
	query := x.Request.URL.Query()
	for _, filter := range []struct {
		name  string
		known []string
	}{
		{"status", textsOf(customerStatuses())},
		{"identification_status", textsOf(identificationStatuses())},
		{"customer_type", []string{string(typeBusiness), string(typePerson)}},
		{"sort_order", []string{"asc", "desc"}},
		{"has_transactions", []string{"false", "true"}},
	} {
		query[filter.name] = append(query[filter.name], query[filter.name+"[]"]...)
		for _, value := range query[filter.name] {
			if !slices.Contains(filter.known, value) {
				return invalid(filter.name + " is not one of " + strings.Join(filter.known, ", "))
			}
		}
	}
	term := query.Get("search_term")
	if utf8.RuneCountInString(term) > 256 {
		return invalid("search_term is longer than 256 characters")
	}
	signings := x.Setting("signings")

	// Those who match. Both kinds of records are listed rather than read one by one: a transaction reads few of those.
	identifications := map[string]identification{}
	for _, d := range sandbox.List[identification](x.Call, x.space+identificationsPrefix) {
		identifications[d.ID] = d
	}
	customers := sandbox.List[customerRecord](x.Call, x.space+customersPrefix)
	slices.SortFunc(customers, func(a, b customerRecord) int {
		if query.Get("sort_order") == "asc" {
			a, b = b, a
		}
		return cmp.Compare(b.Number, a.Number)
	})
	var all []customerView
	matches := func(name, value string) bool { return len(query[name]) == 0 || slices.Contains(query[name], value) }
	for _, customer := range customers {
		var newest *identification
		if d, ok := identifications[customer.newest()]; ok {
			newest = &d
		}
		v := i.view(customer, newest, signings, x.Now)
		if x.sees(customer.SubPartner) && customer.contains(term) && matches("status", string(v.Status)) &&
			matches("identification_status", string(v.IdentificationStatus)) &&
			matches("customer_type", string(v.CustomerType)) && matches("has_transactions", "false") {
			all = append(all, v)
		}
	}
	return paginate(x.Request, all, func(v customerView) string { return v.ID })
}

// contains reports whether a term is part of what a customer is known by, in whatever case.
func (u customerRecord) contains(term string) bool {
	return slices.ContainsFunc([]string{u.ID, u.Name, u.Email, u.ExternalID}, func(s string) bool {
		return strings.Contains(strings.ToLower(s), strings.ToLower(term))
	})
}

func textsOf[T ~string](all []T) (texts []string) {
	for _, v := range all {
		texts = append(texts, string(v))
	}
	return texts
}
