package iron

import (
	"context"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/gateway"
	"sallyport/shared/journey"
	"sallyport/shared/schema"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
	"sallyport/shared/vault"
)

// maxText caps what a start says, with the files that it holds itself, in bytes; the files that it refers to are not
// counted.
const maxText = 8 << 20

// CustomerIdentification is the journey "customer-identification": it creates a customer where there is none yet,
// begins an identification unless one is under way, and waits for what becomes of it.
func CustomerIdentification(c Config) journey.Type {
	return journey.Type{
		Name:    "customer-identification",
		Partner: "iron",
		MaxBody: gateway.MaxBody,
		Start:   c.startCustomerIdentification,
		Outcome: outcomeOfIdentification,
	}
}

// startCustomerIdentification takes {"customer" or "customer_id","identification","sub_partner_id"}. In customer and
// identification references may stand for values; those of files stay references.
func (c Config) startCustomerIdentification(ctx context.Context, s journey.Start) (fields journey.Fields, err error) {
	var in struct {
		Customer       jsontext.Value `json:"customer"`
		CustomerID     string         `json:"customer_id"`
		Identification jsontext.Value `json:"identification"`
		SubPartner     string         `json:"sub_partner_id"`
	}
	if err := gateway.DecodeJSON(s.Body, &in); err != nil {
		return fields, err
	}
	created := len(in.Customer) > 0 && in.Customer.Kind() != 'n'
	switch {
	case created == (in.CustomerID != ""):
		return fields, &gateway.InputError{
			Pointer: "/customer", Reason: "must be there, or else customer_id", Source: source.Interface("customer"),
		}
	case in.CustomerID != "" && !isUUID(in.CustomerID):
		return fields, &gateway.InputError{
			Pointer: "/customer_id", Reason: "must be a UUID", Source: source.Published("§2.1"),
		}
	case in.SubPartner != "" && !isUUID(in.SubPartner):
		return fields, &gateway.InputError{
			Pointer: "/sub_partner_id", Reason: "must be a UUID", Source: source.Published("§1.3"),
		}
	}
	fields = journey.Fields{
		Plain: map[string]any{
			"customer_id": canonicalID(in.CustomerID), "sub_partner_id": canonicalID(in.SubPartner), "find": false,
		},
		Sealed:    map[string]any{"customer": jsontext.Value("{}"), "external_id": ""},
		AlsoErase: vault.References(s.Body),
	}
	open := func(value jsontext.Value, at string, check func(jsontext.Value) []schema.Fault) (jsontext.Value, error) {
		if value.Kind() != '{' {
			return nil, &gateway.InputError{
				Pointer: at, Reason: `must be an object or {"document_id":…}`, Source: source.Interface("an object"),
			}
		}
		opened, err := s.Open(ctx, value, maxText, isFile)
		if err != nil {
			return nil, gateway.Under(at, err)
		}
		if err := gateway.CheckJSON(opened); err != nil {
			return nil, gateway.Under(at, err)
		}
		if opened.Kind() != '{' {
			return nil, &gateway.InputError{Pointer: at, Reason: "must be an object", Source: source.Interface("an object")}
		}
		for _, f := range check(opened) {
			return nil, &gateway.InputError{Pointer: at + f.Pointer, Reason: f.Reason, Source: f.Source}
		}
		fields.AlsoErase = append(fields.AlsoErase, vault.References(opened)...)
		fields.HasPersonalData = fields.HasPersonalData || !vault.IsReference(value) && !isBare(opened)
		return opened, nil
	}
	if created {
		opened, err := open(
			in.Customer, "/customer",
			func(text jsontext.Value) []schema.Fault {
				return schema.Check(text, source.Published("§3.1"), customerRules(), false)
			},
		)
		if err != nil {
			return fields, err
		}
		externalID := asSent(tolerant.ReadObject(opened)["external_id"])
		if err := checkExternalID(externalID); err != nil {
			return fields, gateway.Under("/customer", err)
		}
		fields.Sealed["customer"], fields.Sealed["external_id"] = opened, externalID
		fields.Plain["find"] = externalID != ""
	}
	generation := ""
	opened, err := open(in.Identification, "/identification", func(body jsontext.Value) []schema.Fault {
		generation = generationOf(kindOf(body))
		return c.checkIdentification(body, generation, true)
	})
	fields.Sealed["identification"], fields.Plain["generation"] = opened, generation
	return fields, err
}

// isBare reports whether an identification says no more than how it is to go.
func isBare(identification jsontext.Value) bool {
	var in struct {
		Type    string `json:"type"`
		WithEDD bool   `json:"with_edd"`
	}
	return json.Unmarshal(identification, &in, json.RejectUnknownMembers(true)) == nil &&
		slices.Contains([]string{typeDirect, typeLink}, in.Type)
}

// isFile tells the places of files, which are opened only where they are sent.
func isFile(place jsontext.Pointer) bool {
	switch place.LastToken() {
	case "file", "selfie", "identity_document_front", "identity_document_back", "proof_of_address",
		"source_of_funds_proof",
		"flow_of_funds_diagram", "source_of_funds_document":
		return true
	}
	return false
}

// outcomeOfIdentification is what people read of the identification as it was last read. An answer about none tells
// nothing.
func outcomeOfIdentification(answer gateway.Reply, _ map[string]string, _ []string) ([]byte, error) {
	found, ok := readIdentification(answer.Body)
	if !ok {
		return nil, nil
	}
	if !found.StepStatus.IsValid() { // the partner's texts are read leniently, and shown strictly
		found.StepStatus = nil
	}
	return json.Marshal(struct {
		CustomerID       string         `json:"customer_id,omitzero"`
		IdentificationID string         `json:"identification_id"`
		Status           string         `json:"status"`
		StepStatus       jsontext.Value `json:"step_status,omitzero"`
		ReviewComment    string         `json:"review_comment,omitzero"`
	}{found.CustomerID, found.ID, found.Status, found.StepStatus, found.Comment})
}
