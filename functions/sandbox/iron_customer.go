package sandbox

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
)

// ironCustomerType is one of the two types of a customer (iron §3).
type ironCustomerType string

const (
	ironPerson   ironCustomerType = "Person"
	ironBusiness ironCustomerType = "Business"
)

// ironCustomer is one customer record. It holds at most maxIronIdentifications ids and one signing, so that it stays one item
// of the store.
type ironCustomer struct {
	ID              string           `json:"id"`
	Number          int64            `json:"number"` // in the order of creation
	SubPartner      string           `json:"sub_partner,omitzero"`
	Type            ironCustomerType `json:"type"`
	Name            string           `json:"name"`
	Email           string           `json:"email"`
	ExternalID      string           `json:"external_id,omitzero"`
	CreatedAt       time.Time        `json:"created_at"` // real, as all times here
	UpdatedAt       time.Time        `json:"updated_at"`
	Archived        bool             `json:"archived,omitzero"`
	Identifications []string         `json:"identifications,omitzero"` // the oldest first
	Signing         *ironSigning     `json:"signing,omitzero"`
}

// The keys of what points at a customer come before those of the customers; see Store.Clear.
func (x *ironCall) customerKey(id string) string { return x.space + ironCustomers + id }
func (x *ironCall) externalKey(id string) string { return x.space + "by-external/" + digest(id) }

const ironCustomers = "customer/"

// customer loads a customer whom the call may see.
func (x *ironCall) customer(id string) (customer ironCustomer, found bool, err error) {
	found, err = load(x, x.customerKey(id), &customer)
	return customer, found && x.sees(customer.SubPartner), err
}

// newest returns the id of the identification that counts, or "".
func (u ironCustomer) newest() string {
	if len(u.Identifications) == 0 {
		return ""
	}
	return u.Identifications[len(u.Identifications)-1]
}

// newestOf loads the identification that counts; nil: there is none.
func (x *ironCall) newestOf(customer ironCustomer) (*ironIdentification, error) {
	if customer.newest() == "" {
		return nil, nil
	}
	d := &ironIdentification{}
	if found, err := load(x, x.identificationKey(customer.newest()), d); err != nil || !found {
		return nil, err
	}
	return d, nil
}

// ironCustomerStatus is the status of a customer (iron §3).
type ironCustomerStatus string

const (
	ironSigningsRequired       ironCustomerStatus = "SigningsRequired"
	ironIdentificationRequired ironCustomerStatus = "IdentificationRequired"
	ironActive                 ironCustomerStatus = "Active"
	ironCustomerArchived       ironCustomerStatus = "Archived"
)

func ironCustomerStatuses() []ironCustomerStatus {
	return []ironCustomerStatus{"UserRequired", ironSigningsRequired, ironIdentificationRequired, ironActive, "Suspended", ironCustomerArchived}
}

// status returns where a customer stands with the newest identification in a status, empty for none (iron §7).
func (u ironCustomer) status(newest ironStatus, signings string) ironCustomerStatus {
	unsigned := signings != "none" && u.Signing == nil
	switch {
	case u.Archived:
		return ironCustomerArchived
	case signings == "first" && unsigned:
		return ironSigningsRequired
	case newest != ironApproved:
		return ironIdentificationRequired
	case unsigned:
		return ironSigningsRequired
	}
	return ironActive
}

// statusNow returns where a customer stands.
func (x *ironCall) statusNow(customer ironCustomer) (ironCustomerStatus, error) {
	signings, err := x.setting("signings")
	if err != nil {
		return "", err
	}
	newest, err := x.newestOf(customer)
	if newest == nil || err != nil {
		return customer.status("", signings), err
	}
	return customer.status(newest.stands(x.now).Status, signings), nil
}

// ironCustomerView is how a customer is shown (iron §3).
type ironCustomerView struct {
	ID                   string             `json:"id"`
	PartnerID            string             `json:"partner_id"`
	CustomerType         ironCustomerType   `json:"customer_type"`
	Name                 string             `json:"name"`
	Email                string             `json:"email"`
	Status               ironCustomerStatus `json:"status"`
	IdentificationIDs    []string           `json:"identification_ids"`
	SigningIDs           []string           `json:"signing_ids"`
	IdentificationStatus ironStatus         `json:"identification_status,omitzero"`
	CreatedAt            time.Time          `json:"created_at"`
	UpdatedAt            time.Time          `json:"updated_at"`
	ExternalID           string             `json:"external_id,omitzero"`
	SpendingLimitEuro    *struct{}          `json:"spending_limit_euro"` // null always
}

// view shows a customer with the newest identification, nil for none.
func (i *iron) view(u ironCustomer, newest *ironIdentification, signings string, now time.Time) ironCustomerView {
	v := ironCustomerView{
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
func (i *iron) show(x *ironCall, status int, customer ironCustomer) (answer, error) {
	signings, err := x.setting("signings")
	if err != nil {
		return answer{}, err
	}
	newest, err := x.newestOf(customer)
	if err != nil {
		return answer{}, err
	}
	return answer{status: status, body: encode(i.view(customer, newest, signings, x.now))}, nil
}

// createCustomer is iron §3.
func (i *iron) createCustomer(x *ironCall) (answer, error) {
	// Input. The length of a name is the sandbox's own.
	wrong := ironObject(
		need("customer_type", ironOneOf(string(ironBusiness), string(ironPerson))),
		need("email", ironEmail),
		may("name", ironUpTo(1000)),
		may("external_id", ironUpTo(255)),
	)("", x.body)
	var in struct {
		Type       ironCustomerType `json:"customer_type"`
		Email      string           `json:"email"`
		Name       string           `json:"name"`
		ExternalID string           `json:"external_id"`
	}
	if wrong == "" && json.Unmarshal(x.body, &in) != nil {
		wrong = ironNoObject
	}
	if wrong != "" {
		return ironInvalid(wrong), nil
	}
	if in.ExternalID != "" {
		switch taken, err := x.Get(x.externalKey(in.ExternalID)); {
		case err != nil:
			return answer{}, err
		case taken != nil:
			return ironInvalid("external_id is taken"), nil
		}
	}

	// Effect: a customer.
	var number int64
	if _, err := load(x, x.space+"sequence", &number); err != nil {
		return answer{}, err
	}
	now := x.now.UTC()
	customer := ironCustomer{
		ID: i.newID(), Number: number, SubPartner: x.subPartner, Type: in.Type, Name: cmp.Or(in.Name, in.Email), Email: in.Email,
		ExternalID: in.ExternalID, CreatedAt: now, UpdatedAt: now,
	}
	if err := save(x, x.space+"sequence", number+1); err != nil {
		return answer{}, err
	}
	if customer.ExternalID != "" {
		if err := save(x, x.externalKey(customer.ExternalID), customer.ID); err != nil {
			return answer{}, err
		}
	}
	if err := save(x, x.customerKey(customer.ID), customer); err != nil {
		return answer{}, err
	}
	if err := i.tellCreated(x, customer); err != nil {
		return answer{}, err
	}
	out, err := i.show(x, http.StatusCreated, customer)
	return did(out), err
}

// getCustomer shows a customer.
func (i *iron) getCustomer(x *ironCall) (answer, error) {
	customer, found, err := x.customer(x.request.PathValue("id"))
	switch {
	case err != nil:
		return answer{}, err
	case !found:
		return ironUnknown("customer"), nil
	}
	return i.show(x, http.StatusOK, customer)
}

// findCustomer shows the customer with an external id.
func (i *iron) findCustomer(x *ironCall) (answer, error) {
	var id string
	if _, err := load(x, x.externalKey(x.request.PathValue("external_id")), &id); err != nil {
		return answer{}, err
	}
	customer, found, err := x.customer(id)
	switch {
	case err != nil:
		return answer{}, err
	case id == "", !found:
		return ironUnknown("customer"), nil
	}
	return i.show(x, http.StatusOK, customer)
}

// archiveCustomer blocks a customer and all identifications for good. A second time does nothing.
func (i *iron) archiveCustomer(x *ironCall) (answer, error) {
	customer, found, err := x.customer(x.request.PathValue("id"))
	switch {
	case err != nil:
		return answer{}, err
	case !found:
		return ironUnknown("customer"), nil
	case customer.Archived:
		return i.show(x, http.StatusOK, customer)
	}
	customer.Archived, customer.UpdatedAt = true, x.now.UTC()
	if err := save(x, x.customerKey(customer.ID), customer); err != nil {
		return answer{}, err
	}
	for _, id := range customer.Identifications {
		var d ironIdentification
		if found, err := load(x, x.identificationKey(id), &d); err != nil || !found {
			return answer{}, err
		}
		if d.stands(x.now).Status == ironArchived {
			continue
		}
		if err := i.turn(x, customer, d, ironMove{Status: ironArchived}); err != nil {
			return answer{}, err
		}
	}
	if err := i.tellCustomer(x, customer, ironCustomerArchived, x.now, ironRef{}); err != nil {
		return answer{}, err
	}
	out, err := i.show(x, http.StatusOK, customer)
	return did(out), err
}

// listCustomers shows the customers who match, the newest first unless asked otherwise (iron §2).
func (i *iron) listCustomers(x *ironCall) (answer, error) {
	// Input.
	query := x.request.URL.Query()
	for _, filter := range []struct {
		name  string
		known []string
	}{
		{"status", ironTexts(ironCustomerStatuses())},
		{"identification_status", ironTexts(ironStatuses())},
		{"customer_type", []string{string(ironBusiness), string(ironPerson)}},
		{"sort_order", []string{"asc", "desc"}},
		{"has_transactions", []string{"false", "true"}},
	} {
		query[filter.name] = append(query[filter.name], query[filter.name+"[]"]...)
		for _, value := range query[filter.name] {
			if !slices.Contains(filter.known, value) {
				return ironInvalid(filter.name + " is not one of " + strings.Join(filter.known, ", ")), nil
			}
		}
	}
	term := query.Get("search_term")
	if utf8.RuneCountInString(term) > 256 {
		return ironInvalid("search_term is longer than 256 characters"), nil
	}
	signings, err := x.setting("signings")
	if err != nil {
		return answer{}, err
	}

	// Those who match. Both kinds of records are listed rather than read one by one: a transaction reads few of those.
	identifications := map[string]ironIdentification{}
	items, err := x.List(x.space + ironIdentifications)
	if err != nil {
		return answer{}, err
	}
	for _, item := range items {
		var d ironIdentification
		if err := json.Unmarshal(item.Value, &d); err != nil {
			return answer{}, fmt.Errorf("sandbox: record %q: %w", item.Key, err)
		}
		identifications[d.ID] = d
	}
	if items, err = x.List(x.space + ironCustomers); err != nil {
		return answer{}, err
	}
	var customers []ironCustomer
	views := map[string]ironCustomerView{}
	matches := func(name, value string) bool { return len(query[name]) == 0 || slices.Contains(query[name], value) }
	for _, item := range items {
		var customer ironCustomer
		if err := json.Unmarshal(item.Value, &customer); err != nil {
			return answer{}, fmt.Errorf("sandbox: record %q: %w", item.Key, err)
		}
		var newest *ironIdentification
		if d, ok := identifications[customer.newest()]; ok {
			newest = &d
		}
		v := i.view(customer, newest, signings, x.now)
		if x.sees(customer.SubPartner) && customer.contains(term) && matches("status", string(v.Status)) &&
			matches("identification_status", string(v.IdentificationStatus)) && matches("customer_type", string(v.CustomerType)) &&
			matches("has_transactions", "false") {
			customers, views[customer.ID] = append(customers, customer), v
		}
	}
	slices.SortFunc(customers, func(a, b ironCustomer) int {
		if query.Get("sort_order") == "asc" {
			a, b = b, a
		}
		return cmp.Compare(b.Number, a.Number)
	})
	var all []ironCustomerView
	for _, customer := range customers {
		all = append(all, views[customer.ID])
	}
	return ironPage(x.request, all, func(v ironCustomerView) string { return v.ID }), nil
}

// contains reports whether a term is part of what a customer is known by, in whatever case.
func (u ironCustomer) contains(term string) bool {
	return slices.ContainsFunc([]string{u.ID, u.Name, u.Email, u.ExternalID}, func(s string) bool {
		return strings.Contains(strings.ToLower(s), strings.ToLower(term))
	})
}

func ironTexts[T ~string](all []T) (texts []string) {
	for _, v := range all {
		texts = append(texts, string(v))
	}
	return texts
}
