package digit9

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/journey"
	"sallyport/shared/source"
	"sallyport/shared/vault"
)

// maxCustomerText caps a customer with the files that it holds itself, in bytes; the files that it refers to are not
// counted.
const maxCustomerText = 8 << 20

// PartnerOnboarding is the journey "partner-onboarding": it onboards a customer, unless lookups find it, and waits for
// compliance where a customer is held.
func PartnerOnboarding() journey.Type {
	return journey.Type{
		Name:    "partner-onboarding",
		Partner: "digit9",
		MaxBody: gateway.MaxBody,
		Lasts:   62 * 24 * time.Hour,
		Start:   startPartnerOnboarding,
		Outcome: outcomePartnerOnboarding,
	}
}

// startPartnerOnboarding takes {"customer":…}: the payload of an onboarding, or a document's reference. In it
// references may stand for any value. Those of files stay references; the payload is kept for a day, what identifies
// the customer as long as the journey may last.
func startPartnerOnboarding(ctx context.Context, start journey.Start) (fields journey.Fields, err error) {
	var in struct {
		Customer jsontext.Value `json:"customer"`
	}
	if err := gateway.DecodeJSON(start.Body, &in); err != nil {
		return fields, err
	}
	if in.Customer.Kind() != '{' {
		return fields,
			&gateway.InputError{
				Pointer: "/customer", Reason: `must be an object, the payload of an onboarding, or {"document_id":…}`,
				Source: source.Interface("customer"),
			}
	}
	opened, err := start.Open(ctx, in.Customer, maxCustomerText, isFile)
	if err != nil {
		return fields, gateway.Under("/customer", err)
	}
	if err := gateway.CheckJSON(opened); err != nil {
		return fields, err
	}
	checked, err := checkCustomer(opened)
	if err != nil {
		return fields, &gateway.InputError{
			Pointer: "/customer", Reason: "must be an object", Source: source.Interface("customer"),
		}
	}
	for _, f := range checked.faults {
		return fields, &gateway.InputError{Pointer: "/customer" + f.Pointer, Reason: f.Reason, Source: f.Source}
	}
	switch {
	case len(checked.ids) == 0:
		return fields, &gateway.InputError{
			Pointer: "/customer/id_details", Reason: "must hold an identity document, which is looked up",
			Source: source.Interface("what the journey looks up"),
		}
	case slices.ContainsFunc(checked.ids, func(id identity) bool { return !id.canBeLookedUp() }):
		return fields, &gateway.InputError{
			Pointer: "/customer/id_details",
			Reason:  "each must have an id_type of 1 to 3 and an id_number of 1 to 30 characters, as lookups take them",
			Source:  source.Published("§5.1"),
		}
	}
	given := vault.References(in.Customer)
	fields = journey.Fields{
		Plain:           map[string]any{"ecrn": checked.ecrn, "update": checked.ecrn != ""},
		Sealed:          map[string]any{"customer": opened},
		Lists:           map[string][]any{},
		AlsoErase:       append(given, vault.References(opened)...),
		HasPersonalData: !vault.IsReference(in.Customer),
	}
	for _, id := range checked.ids {
		fields.Lists["ids"] = append(fields.Lists["ids"], id)
	}
	return fields, nil
}

// isFile tells the places of files, which are opened only where they are sent.
func isFile(place jsontext.Pointer) bool { return strings.HasSuffix(string(place), "/base64_data") }

// outcomePartnerOnboarding is what people read of the lookup that decided. An answer about no customer tells nothing.
func outcomePartnerOnboarding(reply gateway.Reply, _ map[string]string, _ []string) ([]byte, error) {
	a, _ := readAnswer(reply.Status, reply.Body)
	if a.verdict() == absent {
		return nil, nil
	}
	out := struct {
		ECRN           string `json:"ecrn,omitzero"`
		CustomerStatus string `json:"customer_status,omitzero"`
		AMLScanStatus  string `json:"aml_scan_status,omitzero"`
		IDStatus       string `json:"id_status,omitzero"`
		Code           string `json:"code,omitzero"`
	}{a.ECRN, a.CustomerStatus, a.AMLScanStatus, a.IDStatus, a.Code}
	return json.Marshal(out)
}
