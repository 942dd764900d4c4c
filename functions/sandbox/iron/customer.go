package iron

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox"
)

// customerType is one of the two types of a customer (iron §3).
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
func (x *call) customer(id string) (customer customerRecord, found bool, err error) {
	found, err = x.Load(x.customerKey(id), &customer)
	return customer, found && x.sees(customer.SubPartner), err
}

// newest returns the id of the identification that counts, or "".
func (u customerRecord) newest() string {
	if len(u.Identifications) == 0 {
		return ""
	}
	return u.Identifications[len(u.Identifications)-1]
}

// newestOf loads the identification that counts; nil: there is none.
func (x *call) newestOf(customer customerRecord) (*identification, error) {
	if customer.newest() == "" {
		return nil, nil
	}
	d := &identification{}
	if found, err := x.Load(x.identificationKey(customer.newest()), d); err != nil || !found {
		return nil, err
	}
	return d, nil
}

// customerStatus is the status of a customer (iron §3).
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

// status returns where a customer stands with the newest identification in a status, empty for none (iron §7).
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
func (x *call) statusNow(customer customerRecord) (customerStatus, error) {
	signings, err := x.Setting("signings")
	if err != nil {
		return "", err
	}
	newest, err := x.newestOf(customer)
	if newest == nil || err != nil {
		return customer.status("", signings), err
	}
	return customer.status(newest.stands(x.Now).Status, signings), nil
}

// customerView is how a customer is shown (iron §3).
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
func (i *simulation) show(x *call, status int, customer customerRecord) (sandbox.Answer, error) {
	signings, err := x.Setting("signings")
	if err != nil {
		return sandbox.Answer{}, err
	}
	newest, err := x.newestOf(customer)
	if err != nil {
		return sandbox.Answer{}, err
	}
	return sandbox.JSON(status, i.view(customer, newest, signings, x.Now)), nil
}

// createCustomer is iron §3.
func (i *simulation) createCustomer(x *call) (sandbox.Answer, error) {
	// Input. The length of a name is the sandbox's own.
	wrong := object(
		need("customer_type", oneOf(string(typeBusiness), string(typePerson))),
		need("email", email),
		may("name", upTo(1000)),
		may("external_id", upTo(255)),
	)("", x.Body)
	var in struct {
		Type       customerType `json:"customer_type"`
		Email      string       `json:"email"`
		Name       string       `json:"name"`
		ExternalID string       `json:"external_id"`
	}
	if wrong == "" && json.Unmarshal(x.Body, &in) != nil {
		wrong = noObject
	}
	if wrong != "" {
		return invalid(wrong), nil
	}
	if in.ExternalID != "" {
		switch taken, err := x.Get(x.externalKey(in.ExternalID)); {
		case err != nil:
			return sandbox.Answer{}, err
		case taken != nil:
			return invalid("external_id is taken"), nil
		}
	}

	// Effect: a customer.
	var number int64
	if _, err := x.Load(x.space+"sequence", &number); err != nil {
		return sandbox.Answer{}, err
	}
	now := x.Now.UTC()
	customer := customerRecord{
		ID: x.NewID(), Number: number, SubPartner: x.subPartner, Type: in.Type, Name: cmp.Or(in.Name, in.Email),
		Email:      in.Email,
		ExternalID: in.ExternalID, CreatedAt: now, UpdatedAt: now,
	}
	if err := x.Save(x.space+"sequence", number+1); err != nil {
		return sandbox.Answer{}, err
	}
	if customer.ExternalID != "" {
		if err := x.Save(x.externalKey(customer.ExternalID), customer.ID); err != nil {
			return sandbox.Answer{}, err
		}
	}
	if err := x.Save(x.customerKey(customer.ID), customer); err != nil {
		return sandbox.Answer{}, err
	}
	if err := i.tellCreated(x, customer); err != nil {
		return sandbox.Answer{}, err
	}
	out, err := i.show(x, http.StatusCreated, customer)
	return out.WithEffect(), err
}

// getCustomer shows a customer.
func (i *simulation) getCustomer(x *call) (sandbox.Answer, error) {
	customer, found, err := x.customer(x.Request.PathValue("id"))
	switch {
	case err != nil:
		return sandbox.Answer{}, err
	case !found:
		return unknown("customer"), nil
	}
	return i.show(x, http.StatusOK, customer)
}

// findCustomer shows the customer with an external id.
func (i *simulation) findCustomer(x *call) (sandbox.Answer, error) {
	var id string
	if _, err := x.Load(x.externalKey(x.Request.PathValue("external_id")), &id); err != nil {
		return sandbox.Answer{}, err
	}
	customer, found, err := x.customer(id)
	switch {
	case err != nil:
		return sandbox.Answer{}, err
	case id == "", !found:
		return unknown("customer"), nil
	}
	return i.show(x, http.StatusOK, customer)
}

// archiveCustomer blocks a customer and all identifications for good. A second time does nothing.
func (i *simulation) archiveCustomer(x *call) (sandbox.Answer, error) {
	customer, found, err := x.customer(x.Request.PathValue("id"))
	switch {
	case err != nil:
		return sandbox.Answer{}, err
	case !found:
		return unknown("customer"), nil
	case customer.Archived:
		return i.show(x, http.StatusOK, customer)
	}
	customer.Archived, customer.UpdatedAt = true, x.Now.UTC()
	if err := x.Save(x.customerKey(customer.ID), customer); err != nil {
		return sandbox.Answer{}, err
	}
	for _, id := range customer.Identifications {
		var d identification
		if found, err := x.Load(x.identificationKey(id), &d); err != nil || !found {
			return sandbox.Answer{}, err
		}
		if d.stands(x.Now).Status == statusArchived {
			continue
		}
		if err := i.transition(x, customer, d, move{Status: statusArchived}); err != nil {
			return sandbox.Answer{}, err
		}
	}
	if err := i.tellCustomer(x, customer, customerArchived, x.Now, webhookRef{}); err != nil {
		return sandbox.Answer{}, err
	}
	out, err := i.show(x, http.StatusOK, customer)
	return out.WithEffect(), err
}

// listCustomers shows the customers who match, the newest first unless asked otherwise (iron §2).
func (i *simulation) listCustomers(x *call) (sandbox.Answer, error) {
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
				return invalid(filter.name + " is not one of " + strings.Join(filter.known, ", ")), nil
			}
		}
	}
	term := query.Get("search_term")
	if utf8.RuneCountInString(term) > 256 {
		return invalid("search_term is longer than 256 characters"), nil
	}
	signings, err := x.Setting("signings")
	if err != nil {
		return sandbox.Answer{}, err
	}

	// Those who match. Both kinds of records are listed rather than read one by one: a transaction reads few of those.
	identifications := map[string]identification{}
	items, err := x.List(x.space + identificationsPrefix)
	if err != nil {
		return sandbox.Answer{}, err
	}
	for _, item := range items {
		var d identification
		if err := json.Unmarshal(item.Value, &d); err != nil {
			return sandbox.Answer{}, fmt.Errorf("sandbox: record %q: %w", item.Key, err)
		}
		identifications[d.ID] = d
	}
	if items, err = x.List(x.space + customersPrefix); err != nil {
		return sandbox.Answer{}, err
	}
	var customers []customerRecord
	views := map[string]customerView{}
	matches := func(name, value string) bool { return len(query[name]) == 0 || slices.Contains(query[name], value) }
	for _, item := range items {
		var customer customerRecord
		if err := json.Unmarshal(item.Value, &customer); err != nil {
			return sandbox.Answer{}, fmt.Errorf("sandbox: record %q: %w", item.Key, err)
		}
		var newest *identification
		if d, ok := identifications[customer.newest()]; ok {
			newest = &d
		}
		v := i.view(customer, newest, signings, x.Now)
		if x.sees(customer.SubPartner) && customer.contains(term) && matches("status", string(v.Status)) &&
			matches("identification_status", string(v.IdentificationStatus)) &&
			matches("customer_type", string(v.CustomerType)) &&
			matches("has_transactions", "false") {
			customers, views[customer.ID] = append(customers, customer), v
		}
	}
	slices.SortFunc(customers, func(a, b customerRecord) int {
		if query.Get("sort_order") == "asc" {
			a, b = b, a
		}
		return cmp.Compare(b.Number, a.Number)
	})
	var all []customerView
	for _, customer := range customers {
		all = append(all, views[customer.ID])
	}
	return paginate(x.Request, all, func(v customerView) string { return v.ID }), nil
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
