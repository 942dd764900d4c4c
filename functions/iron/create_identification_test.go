package iron_test

import (
	"strings"
	"testing"

	"sallyport/functions/iron"
	"sallyport/shared/operation"
)

// TestWhatWasCreated: an answer without an id leaves it open what has happened; one with an id says whose it is.
func TestWhatWasCreated(t *testing.T) {
	upper := strings.ToUpper(identificationID)
	for _, test := range []struct {
		body  string
		class operation.Class
		state string
	}{
		{aPending, operation.Done, "pending"}, {change(t, aPending, identificationID, upper), operation.Done, "pending"},
		{change(t, aPending, `"Pending"`, `"Processed"`), operation.Done, "processed"},
		{change(t, aPending, `"Pending"`, `"PendingReview"`), operation.Done, "pending_review"},
		{change(t, aPending, `"Pending"`, `"Approved"`), operation.Done, "approved"},
		{change(t, aPending, `"Pending"`, `"Declined"`), operation.Done, "declined"},
		{change(t, aPending, `"Pending"`, `"Expired"`), operation.Done, "expired"},
		{change(t, aPending, `"Pending"`, `"Archived"`), operation.Done, "archived"},
		{change(t, aPending, `"Pending"`, `"Rejected of Noor"`), operation.Done, "other"},
		{change(t, aPending, `"customer_id":"`+customerID+`",`, ``), operation.Done, "pending"},
		{change(t, aPending, `"https://verify.example.test/start?token=q8"`, `5`), operation.Done, "pending"},
		{change(t, aPending, identificationID, "1"), operation.Unknown, ""},
		{change(t, aPending, `"id"`, `"ID"`), operation.Unknown, ""},
		{change(t, aPending, `"Pending"`, `""`), operation.Unknown, ""},
		{change(t, aPending, `"`+identificationID+`"`, `5`), operation.Unknown, ""},
		{change(t, aPending, customerID, "x"), operation.Unknown, ""}, {`{}`, operation.Unknown, ""},
	} {
		op := iron.CreateIdentification(newPartner(t, answer{200, none}, answer{201, test.body}).config())
		got := call(t, op, identify(direct))
		if got.Class != test.class || string(got.Reply.Body) != test.body ||
			got.Class == operation.Done &&
				(got.Creates != "iron/identification/"+identificationID ||
					got.Refs["identification_id"] != identificationID || got.Refs["state"] != test.state) ||
			got.Class != operation.Done && got.Creates != "" {
			t.Errorf("%s: %+v", test.body, got)
		}
		if summary := op.Output(got.Reply); got.Class == operation.Done &&
			(len(summary) != 2 || summary["identification_id"] != identificationID || summary["state"] != test.state) {
			t.Errorf("%s: %v", test.body, summary)
		}
	}
	for body, class := range map[string]operation.Class{
		created: operation.Done, change(t, created, customerID, strings.ToUpper(customerID)): operation.Done,
		change(t, created, customerID, "1"): operation.Unknown, `{}`: operation.Unknown,
	} {
		op := iron.CreateCustomer(newPartner(t, answer{201, body}).config())
		got := call(t, op, enroll(aCustomer))
		if got.Class != class ||
			class == operation.Done &&
				(got.Creates != "iron/customer/"+customerID || got.Refs["customer_id"] != customerID ||
					op.Output(got.Reply)["customer_id"] != customerID || len(op.Output(got.Reply)) != 1) {
			t.Errorf("%s: %+v", body, got)
		}
	}
}

// TestGuard: while the newest identification is pending none is created; where that can't be told, neither.
func TestGuard(t *testing.T) {
	list := func(items ...string) string { return `{"items":[` + strings.Join(items, ",") + `]}` }
	older := change(t, aPending, "2026-03-02T09:14:07Z", "2026-03-01T09:14:07Z")
	approved := change(t, aPending, `"Pending"`, `"Approved"`)
	for name, test := range map[string]struct {
		answers []answer
		class   operation.Class
		code    string
		posts   int
	}{
		"Pending": {[]answer{{200, list(aPending)}}, operation.Conflict, "pending_identification", 0},
		"PendingIsNewest": {
			[]answer{{200, list(change(t, older, `"Pending"`, `"Approved"`), aPending)}}, operation.Conflict,
			"pending_identification", 0,
		},
		"PendingOnPage2": {
			[]answer{
				{200, `{"items":[` + change(t, older, `"Pending"`, `"Approved"`) + `],"cursor":"` + customerID + `"}`},
				{200, list(aPending)},
			},
			operation.Conflict, "pending_identification", 0,
		},
		"PendingIsOlder": {[]answer{{200, list(older, approved)}, {201, aPending}}, operation.Done, "ok", 1},
		"Superseded": {
			[]answer{{200, list(change(t, aPending, `"Pending"`, `"Processed"`))}, {201, aPending}}, operation.Done, "ok", 1,
		},
		"Unreadable": {[]answer{{200, list(`{"status":"Pending"}`)}}, operation.Unavailable, "unreadable", 0},
		"Down":       {[]answer{{503, ``}}, operation.Unavailable, "http_503", 0},
		"Throttled":  {[]answer{{429, ``}}, operation.Throttled, "http_429", 0},
		"NotAllowed": {[]answer{{401, ``}}, operation.Credentials, "http_401", 0},
		"NoCustomer": {[]answer{{404, `"no"`}}, operation.Invalid, "http_404", 0},
		"PartnerSaysSo": {
			[]answer{{200, none}, {409, `"customer has a pending identification"`}}, operation.Conflict, "http_409", 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t, test.answers...)
			got := call(t, iron.CreateIdentification(p.config()), identify(direct))
			if got.Class != test.class || got.Code != test.code || p.posts() != test.posts ||
				len(p.requests()) != len(test.answers) {
				t.Errorf("got %+v, asked %+v", got, p.requests())
			}
			if got.Class == operation.Conflict &&
				(got.Reply.Status != 409 || string(got.Reply.Body) != `"customer has a pending identification"`) {
				t.Errorf("answers %d %s", got.Reply.Status, got.Reply.Body)
			}
		})
	}
}

// TestRepeat: a repeat is made with the same key, which the partner honours; it looks where it is refused, or where the
// answer before was a fault. What can't be told stays unknown.
func TestRepeat(t *testing.T) {
	found := `{"items":[` + aPending + `]}`
	old := `{"items":[` + change(t, aPending, "2026-03-02T09:14:07Z", "2026-03-02T09:13:36Z") + `]}`
	skewed := `{"items":[` + change(t, aPending, "2026-03-02T09:14:07Z", "2026-03-02T09:13:37Z") + `]}`
	for name, test := range map[string]struct {
		answers []answer
		class   operation.Class
		posts   int
	}{
		"There":           {[]answer{{200, found}, {201, aPending}}, operation.Done, 1},
		"ThereWithSkew":   {[]answer{{200, skewed}, {201, aPending}}, operation.Done, 1},
		"Older":           {[]answer{{200, old}, {201, aPending}}, operation.Done, 1},
		"NotThere":        {[]answer{{200, none}, {201, aPending}}, operation.Done, 1},
		"CanNotLook":      {[]answer{{503, ``}}, operation.Unknown, 0},
		"NoCustomer":      {[]answer{{404, ``}}, operation.Unknown, 0},
		"Unreadable":      {[]answer{{200, `{}`}}, operation.Unknown, 0},
		"LostAgain":       {[]answer{{200, none}, {0, ``}}, operation.Unknown, 1},
		"AnotherFault":    {[]answer{{200, none}, {500, ``}}, operation.Unknown, 1},
		"RefusedButThere": {[]answer{{200, none}, {409, `"x"`}, {200, found}}, operation.Unknown, 1},
		"InvalidButThere": {[]answer{{200, none}, {400, `"x"`}, {200, found}}, operation.Unknown, 1},
		"FaultBefore":     {[]answer{{200, found}}, operation.Done, 0},
		"FaultWithSkew":   {[]answer{{200, skewed}}, operation.Done, 0},
		"FaultOlder":      {[]answer{{200, old}, {200, old}, {201, aPending}}, operation.Done, 1},
		"FaultNotThere":   {[]answer{{200, none}, {200, none}, {201, aPending}}, operation.Done, 1},
		"FaultButThere":   {[]answer{{200, none}, {200, none}, {409, `"x"`}, {200, found}}, operation.Done, 1},
		"Refused":         {[]answer{{200, none}, {400, `"x"`}, {200, none}}, operation.Invalid, 1},
		"RefusedUnlooked": {[]answer{{200, none}, {409, `"x"`}, {503, ``}}, operation.Unknown, 1},
		// which the pipeline doesn't take for an answer to the first
		"ThrottledOnlyNow": {[]answer{{200, none}, {429, `"x"`}}, operation.Throttled, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPartner(t, test.answers...)
			repeat := again()
			if strings.HasPrefix(name, "Fault") {
				repeat.Before = "http_500"
			}
			got := callWith(t, iron.CreateIdentification(p.config()), identify(direct), repeat)
			if got.Class != test.class || p.posts() != test.posts || len(p.requests()) != len(test.answers) {
				t.Errorf("got %+v, asked %+v", got, p.requests())
			}
			if got.Class == operation.Done &&
				(got.Reply.Status != 201 || string(got.Reply.Body) != aPending && name != "FaultWithSkew" ||
					got.Creates != "iron/identification/"+identificationID) {
				t.Errorf("answers %d %s", got.Reply.Status, got.Reply.Body)
			}
		})
	}
}
