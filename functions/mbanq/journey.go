package mbanq

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"sallyport/shared/gateway"
	"sallyport/shared/journey"
	"sallyport/shared/source"
	"sallyport/shared/tolerant"
	"sallyport/shared/vault"
)

const (
	// maxText caps what a start or an input says, with the files that it holds itself, in bytes; the files that it refers
	// to are not counted.
	maxText = 8 << 20

	maxAddresses   = 10
	maxIdentifiers = 10
)

// ClientOnboarding is the journey "client-onboarding": it creates a client, or finds the one of an externalId, adds
// what is known of it, and has it verified and activated.
func ClientOnboarding() journey.Type {
	return journey.Type{
		Name:    "client-onboarding",
		Partner: "mbanq",
		MaxBody: gateway.MaxBody,
		Start:   startClientOnboarding,
		Inputs:  map[string]func(context.Context, journey.Start) (journey.Fields, error){"documents": inputDocuments},
		Outcome: outcomeClientOnboarding,
	}
}

// start is the body of a start.
type start struct {
	Client         jsontext.Value `json:"client"`
	Addresses      jsontext.Value `json:"addresses"`
	Identifiers    jsontext.Value `json:"identifiers"`
	Verification   string         `json:"kyc_verification_type"`
	ActivationDate string         `json:"activation_date"`
}

// startClientOnboarding takes {"client","addresses","identifiers","kyc_verification_type","activation_date"}. In all of
// it references may stand for values; those of scans stay references. The client and every addition is kept by itself,
// so that the state machine hands over one at a time.
func startClientOnboarding(ctx context.Context, s journey.Start) (fields journey.Fields, err error) {
	var in start
	if err := gateway.DecodeJSON(s.Body, &in); err != nil {
		return fields, err
	}
	k := newIntake(s)
	client, err := k.open(ctx, in.Client, "/client")
	if err != nil {
		return fields, err
	}
	check := checkClient(client)
	if err := pointed("/client", check); err != nil {
		return fields, err
	}
	if check.isTrue("active") {
		return fields, &gateway.InputError{
			Pointer: "/client/active", Reason: "can't be true: the journey verifies a client before it activates it",
			Source: source.Published("§5.1"),
		}
	}
	if !check.present("externalId") {
		client["externalId"] = jsontext.Value(`"` + uuid.NewString() + `"`)
	}
	if err := k.additions(ctx, in.Addresses, in.Identifiers); err != nil {
		return fields, err
	}
	switch in.Verification {
	case "":
		in.Verification = "FULL"
	case "PARTIAL", "FULL":
	default:
		return fields, &gateway.InputError{
			Pointer: "/kyc_verification_type", Reason: "must be PARTIAL or FULL", Source: source.Published("§3.5"),
		}
	}
	if err := checkDates(client, in.ActivationDate); err != nil {
		return fields, err
	}
	k.Lists["client"], k.Lists["external"] = []any{client}, []any{client.String("externalId")}
	k.Plain["kyc_verification_type"], k.Plain["activation_date"] = in.Verification, in.ActivationDate
	return k.Fields, nil
}

// checkDates checks that a client is born, submitted and activated in this order, as far as its dates can be read: the
// partner would refuse the last step after all others were done.
func checkDates(client tolerant.Object, activation string) error {
	activated, err := time.Parse(time.DateOnly, activation)
	if err != nil {
		return &gateway.InputError{
			Pointer: "/activation_date", Reason: "must be a date as 2006-01-02", Source: source.Interface("activation_date"),
		}
	}
	submitted, isSubmitted := date(client, "submittedOnDate")
	born, isBorn := date(client, "dateOfBirth")
	switch {
	case isSubmitted && activated.Before(submitted):
		return &gateway.InputError{
			Pointer: "/activation_date", Reason: "must not be before /client/submittedOnDate", Source: source.Published("§7.2"),
		}
	case isSubmitted && isBorn && !born.Before(submitted):
		return &gateway.InputError{
			Pointer: "/client/dateOfBirth", Reason: "must be before /client/submittedOnDate", Source: source.Published("§7.2"),
		}
	}
	return nil
}

// inputDocuments takes {"addresses":…,"identifiers":…}: what a verification has found missing.
func inputDocuments(ctx context.Context, s journey.Start) (fields journey.Fields, err error) {
	var in struct {
		Addresses   jsontext.Value `json:"addresses"`
		Identifiers jsontext.Value `json:"identifiers"`
	}
	if err := gateway.DecodeJSON(s.Body, &in); err != nil {
		return fields, err
	}
	k := newIntake(s)
	err = k.additions(ctx, in.Addresses, in.Identifiers)
	return k.Fields, err
}

// intake collects the fields of a start or an input.
type intake struct {
	journey.Fields
	start journey.Start
}

func newIntake(s journey.Start) *intake {
	return &intake{start: s, Fields: journey.Fields{
		Plain:     map[string]any{},
		Lists:     map[string][]any{"addresses": {}, "identifiers": {}, "scans": {}},
		AlsoErase: vault.References(s.Body),
	}}
}

// additions takes addresses and identifiers, each with what it needs to be added by itself.
func (k *intake) additions(ctx context.Context, addresses, identifiers jsontext.Value) error {
	list, err := k.list(ctx, addresses, "/addresses", maxAddresses)
	if err != nil {
		return err
	}
	for i, m := range list {
		check := checkAddress(m)
		check.required("addressTypeId")
		if check.present("addressTypeId") && numeric(m.Plain("addressTypeId")) == "" {
			check.add(
				"address", "addressTypeId", "not.greater.than.zero", "The parameter `addressTypeId` must be greater than 0.",
			)
		}
		if err := pointed("/addresses/"+strconv.Itoa(i), check); err != nil {
			return err
		}
		k.Lists["addresses"] = append(k.Lists["addresses"], m)
	}
	if list, err = k.list(ctx, identifiers, "/identifiers", maxIdentifiers); err != nil {
		return err
	}
	scanned := []bool{}
	for i, m := range list {
		at := "/identifiers/" + strconv.Itoa(i)
		scan, hasScan := m["document"], m["document"] != nil && m["document"].Kind() != 'n'
		delete(m, "document")
		if err := pointed(at, checkIdentifier(m)); err != nil {
			return err
		}
		if !hasScan {
			scan = jsontext.Value("{}")
		} else if err := checkScan(at+"/document", scan); err != nil {
			return err
		}
		k.Lists["identifiers"] = append(k.Lists["identifiers"], m)
		k.Lists["scans"] = append(k.Lists["scans"], scan)
		scanned = append(scanned, hasScan)
	}
	k.Plain["scanned"] = scanned
	return nil
}

// scan is what AttachDocument takes of a state machine.
type scan struct {
	Name        string         `json:"name"`
	ContentType string         `json:"content_type"`
	File        jsontext.Value `json:"file"`
}

// checkScan checks {"name","content_type","file"}, whose file is base64 or a reference.
func checkScan(at string, value jsontext.Value) error {
	var in scan
	if err := gateway.DecodeJSON(value, &in); err != nil {
		return gateway.Under(at, err)
	}
	switch {
	case !isAlphanumeric(in.Name):
		return &gateway.InputError{
			Pointer: at + "/name", Reason: "must have letters and digits only", Source: source.Published("§3.4"),
		}
	case in.ContentType == "" || !isScan(in.ContentType):
		return &gateway.InputError{
			Pointer: at + "/content_type", Reason: "must be application/pdf, image/jpeg or image/png",
			Source: source.Published("§3.4"),
		}
	case vault.IsReference(in.File):
		return nil
	}
	if file, err := decodeFile(in.File); err != nil || len(file) == 0 {
		return &gateway.InputError{
			Pointer: at + "/file", Reason: `must be base64 or {"document_id":…}`, Source: source.Interface("a scan"),
		}
	}
	return nil
}

// open reads an object in which references may stand, and notes whether it holds personal data itself, and what it
// refers to.
func (k *intake) open(ctx context.Context, value jsontext.Value, at string) (tolerant.Object, error) {
	if value.Kind() != '{' {
		return nil, &gateway.InputError{
			Pointer: at, Reason: `must be an object or {"document_id":…}`, Source: source.Interface("client and additions"),
		}
	}
	text, err := k.start.Open(ctx, value, maxText, isFile)
	if err != nil {
		return nil, gateway.Under(at, err)
	}
	m, err := body(text)
	if err != nil {
		return nil, gateway.Under(at, err)
	}
	k.AlsoErase = append(k.AlsoErase, vault.References(text)...)
	k.HasPersonalData = k.HasPersonalData || !vault.IsReference(value)
	return m, nil
}

// list reads a list of such objects; none where there is no list.
func (k *intake) list(
	ctx context.Context, value jsontext.Value, at string, most int,
) (all []tolerant.Object, err error) {
	if len(value) == 0 || value.Kind() == 'n' {
		return nil, nil
	}
	var elements []jsontext.Value
	if value.Kind() != '[' || json.Unmarshal(value, &elements) != nil {
		return nil, &gateway.InputError{Pointer: at, Reason: "must be an array", Source: source.Interface("additions")}
	}
	if len(elements) > most {
		return nil, &gateway.InputError{
			Pointer: at, Reason: "must have " + strconv.Itoa(most) + " elements at most", Source: source.Safety("additions"),
		}
	}
	for i, element := range elements {
		m, err := k.open(ctx, element, at+"/"+strconv.Itoa(i))
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// pointed is the first thing that a check found wrong, with its place in a journey's body.
func pointed(at string, c *checker) error {
	if len(c.where) == 0 {
		return nil
	}
	field, reason, _ := strings.Cut(c.where[0], ": ")
	return &gateway.InputError{Pointer: at + field, Reason: reason, Source: c.Source}
}

// isFile tells the places of files, which are opened only where they are sent.
func isFile(place jsontext.Pointer) bool { return place == "/document/file" }

// outcomeClientOnboarding is what people read of the client as it was last read. An answer about no client tells
// nothing.
func outcomeClientOnboarding(reply gateway.Reply, _ map[string]string, _ []string) ([]byte, error) {
	m := tolerant.ReadObject(reply.Body)
	c := readClient(m)
	if c.ID == "" || c.Status == 0 {
		return nil, nil
	}
	return json.Marshal(struct {
		ClientID     string `json:"client_id"`
		Status       int64  `json:"status"`
		SubStatus    string `json:"sub_status,omitzero"`
		Verification string `json:"verification,omitzero"`
		AccountNo    string `json:"account_no,omitzero"`
	}{c.ID, c.Status, c.SubStatus, c.Verification, m.Text("accountNo")})
}
