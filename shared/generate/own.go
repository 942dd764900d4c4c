package generate

import (
	"cmp"
	"path"

	"sallyport/shared/partner"
)

// group is a number of Sallyport's own functions, which an alarm watches.
type group struct {
	Alarm, Description string
	Functions          []own
}

// own is one of Sallyport's own functions.
type own struct {
	Name   string // its folder below functions
	Route  string // its method and path; empty where nothing but a state machine or a rule invokes it
	Event  string // the name of the route's event; empty for "Http"
	Rule   string // the event of a rule that invokes it, which the template spells out; empty for none
	Memory int    // MB; zero for what functions have unless they say otherwise
	Role   string // the logical id, of one that functions share; empty for a role of its own
	Policy string // the policy's name; empty for the last part of Name
	May    grants

	Example partner.Example // a request to try it with; what else it is tried with is kept by hand
}

// ownFunctions are Sallyport's own functions, but for the sandbox's.
var ownFunctions = []group{{
	Alarm: "journey-function-errors",
	Description: "A function of journeys or documents crashed, ran out of time, could not start, or was given an event " +
		"that can't be right.",
	Functions: []own{{
		Name: "journeys/start", Route: "POST /journeys/{type}", Rule: "Requested",
		Memory: 512, // an input by references may have 40 MiB: it is opened, checked and sealed anew
		May: grants{
			Ledger: "GetItem PutItem", Vault: "GetObject PutObject PutObjectTagging DeleteObject", States: "StartExecution",
			Keys: true, Credentials: true, // the partners', for what their account managers issued with them
		},
		Example: partner.Example{
			Target: "/journeys/aadhaar-otp",
			Header: map[string]string{"idempotency-key": "sample-journey-1"},
			Body:   `{"aadhaar_no":"999900000016"}`,
		},
	}, {
		Name: "journeys/input", Route: "POST /journeys/{id}/inputs",
		Memory: 512, // as journeys/start: what an input refers to is opened, checked and sealed anew
		May: grants{
			Ledger: "GetItem PutItem", Keys: true, States: "SendTaskSuccess",
			Vault: "GetObject PutObject PutObjectTagging DeleteObject",
		},
		Example: partner.Example{
			Target: "/journeys/0198c0de-0000-7000-8000-000000000001/inputs",
			Header: map[string]string{"idempotency-key": "sample-input-1"},
			Body:   `{"kind":"otp","otp":"123456"}`,
		},
	}, {
		Name: "journeys/cancel", Route: "POST /journeys/{id}/cancel",
		May: grants{
			Ledger: "GetItem PutItem UpdateItem", // UpdateItem: off the list of those who wait for a partner's record
			Index:  "journey-index", Keys: true, Vault: "DeleteObject", States: "StopExecution",
		},
		Example: partner.Example{Target: "/journeys/0198c0de-0000-7000-8000-000000000001/cancel"},
	}, {
		Name: "journeys/get", Route: "GET /journeys/{id}",
		May: grants{Ledger: "GetItem", Index: "journey-index", Keys: true},
		Example: partner.Example{
			Target: "/journeys/0198c0de-0000-7000-8000-000000000001",
			Header: map[string]string{"prefer": "wait=5"},
		},
	}, {
		Name: "journeys/list", Route: "GET /journeys",
		May: grants{Ledger: "GetItem", Index: "tenant-index"},
	}, {
		Name: "journeys/await",
		May: grants{
			// GetItem: also the partner's answer that a wait shows something of; UpdateItem: onto the list of those who wait
			// for a partner's record.
			Ledger: "GetItem PutItem UpdateItem", Keys: true,
			Vault:  "GetObject",                     // a large answer that a wait shows something of
			States: "SendTaskSuccess", OfTold: true, // a wait for what the partner has told already ends at once
		},
	}, {
		Name: "journeys/finish",
		May: grants{
			Ledger: "GetItem PutItem UpdateItem", // UpdateItem: off the list of those who wait for a partner's record
			Keys:   true, Vault: "GetObject DeleteObject",
		},
	}, {
		Name: "journeys/settle", Rule: "Ended",
		May: grants{
			Ledger: "GetItem PutItem UpdateItem", // UpdateItem: off the list of those who wait for a partner's record
			Keys:   true, Vault: "DeleteObject",
		},
	}, {
		Name: "documents/create", Route: "POST /documents",
		May: grants{Ledger: "GetItem", Keys: true, Vault: "PutObject PutObjectTagging"},
	}},
}, {
	Alarm: "workspace-function-errors",
	Description: "A function of workflows, applications or owners crashed, ran out of time or could not start. What a " +
		"state machine is told as an error counts as well.",
	// Who calls, what is there and which workflows there are (GetItem), the next version (UpdateItem).
	Functions: []own{{
		Name: "workflows/put", Route: "PUT /workflows/{name}", Role: "WorkspacePutRole",
		Memory: 512, // compiling the costliest rule takes up to 185 MB
		May:    grants{Ledger: "GetItem UpdateItem"},
		Example: partner.Example{
			Target: "/workflows/iec",
			Body: `{"modules": [{
				"type": "iec_verification", "enabled": true, "rule": "country == 'IN'", "claims": ["iec_code", "iec_verified"]
			}]}`,
		},
	}, {
		Name: "workflows/get", Route: "GET /workflows/{name}", Role: "WorkspaceGetRole",
		May:     grants{Ledger: "GetItem"},
		Example: partner.Example{Target: "/workflows/iec"},
	}, {
		Name:   "workflows/evaluate",
		Memory: 512, // as workflows/put: the rule is compiled anew
		May:    grants{Ledger: "GetItem", Keys: true, Vault: "GetObject"},
	}, {
		Name: "applications/put", Route: "PUT /applications/{name}", Role: "WorkspacePutRole",
		May: grants{Ledger: "GetItem UpdateItem"},
		Example: partner.Example{
			Target: "/applications/shop",
			Body: `{
				"verification_workflow": "iec", "onboarding_workflow": null, "verification_way": "browser",
				"notification_way": "poll", "response_type": "plaintext"
			}`,
		},
	}, {
		Name: "applications/get", Route: "GET /applications/{name}", Role: "WorkspaceGetRole",
		May:     grants{Ledger: "GetItem"},
		Example: partner.Example{Target: "/applications/shop"},
	}, { // for those who run the deployment: what a tenant owns (PutItem)
		Name: "operate", Route: "PUT /owners/{partner}/{kind}/{id}", Event: "Owners",
		May: grants{Ledger: "GetItem PutItem"},
	}},
}, {
	Alarm: "function-errors",
	Description: "A function crashed, ran out of time or could not start. Errors of partners and callers do not count " +
		"here.",
	Functions: []own{{
		Name: "transactions/get", Route: "GET /transactions/{id}",
		May:     grants{Ledger: "GetItem"},
		Example: partner.Example{Target: "/transactions/0198c0de-0000-7000-8000-000000000002"},
	}, {
		Name: "transactions/list", Route: "GET /transactions",
		May: grants{Ledger: "GetItem", Index: "tenant-index"},
	}, {
		Name: "notfound", Route: "$default", Policy: "logs",
	}},
}}

// describeOwn adds Sallyport's own functions to a deployment that has the partners and the journeys.
func (d *deployment) describeOwn() error {
	for _, g := range ownFunctions {
		first := len(d.Own.Functions)
		for _, o := range g.Functions {
			if err := d.addOwn(o); err != nil {
				return err
			}
		}
		d.watchFunctions(g.Alarm, g.Description, d.Own.Functions[first:])
	}
	return nil
}

func (d *deployment) addOwn(o own) error {
	r := role{
		ID: cmp.Or(o.Role, LogicalID(o.Name)+"Role"), Policy: cmp.Or(o.Policy, path.Base(o.Name)), Shared: o.Role != "",
		May: o.May, Queues: o.Rule != "",
	}
	if o.May.Keys {
		r.Secrets = []string{"!Ref Keys"}
	}
	if o.May.Credentials {
		for _, p := range d.Partners {
			r.Secrets = append(r.Secrets, credentials(p.Partner)...)
		}
	}
	return d.Own.add(function{Endpoint: o.endpoint(), Event: o.Event, Rule: o.Rule}, r, d.Journeys)
}

// endpoint is what an own function has in common with a partner's.
func (o own) endpoint() partner.Endpoint {
	e := partner.Endpoint{Function: partner.Function{Name: o.Name}, Memory: o.Memory}
	if o.Route != "" {
		e.Routes = []string{o.Route}
	}
	return e
}
