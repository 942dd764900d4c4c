package iron_test

import (
	"strings"
	"testing"

	"sallyport/functions/iron"
	"sallyport/shared/operation"
)

// TestGetIdentification: an answer about another identification tells nothing of the one that was asked for.
func TestGetIdentification(t *testing.T) {
	other := change(t, aPending, identificationID, strings.Replace(identificationID, "7", "8", 1))
	if other == aPending {
		other = change(t, aPending, identificationID, customerID)
	}
	for body, want := range map[string]operation.Class{
		aPending: operation.Done, change(t, aPending, identificationID, strings.ToUpper(identificationID)): operation.Done,
		other: operation.Unavailable, `{}`: operation.Unavailable, ``: operation.Unavailable,
	} {
		op := iron.GetIdentification(newPartner(t, answer{200, body}).config())
		if got := call(t, op, about()); got.Class != want {
			t.Errorf("%s: %+v", body, got)
		}
	}
}
