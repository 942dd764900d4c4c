package digit9_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"sallyport/functions/digit9"
	"sallyport/shared/gateway"
)

// FuzzECRNOfAMessage: the number of a customer that is held is found in a message as two regular expressions would find
// it.
func FuzzECRNOfAMessage(f *testing.F) {
	likely, possible := regexp.MustCompile(`\b\d{16}\b`), regexp.MustCompile(`\b\d{10,20}\b`)
	for _, message := range []string{
		"", "Customer 7841009900000017 is held", "7841009900000017", "12345678901 and 7841009900000017",
		"12345678901, 123456789012", "123456789", "123456789012345678901", "12345678901234567890\n",
		"x7841009900000017", "7841009900000017_", "é7841009900000017é", "-7841009900000017.", "١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦",
	} {
		f.Add(message)
	}
	summary := digit9.OnboardCustomer(digit9.Config{}).Output
	f.Fuzz(func(t *testing.T, message string) {
		answer, err := json.Marshal(map[string]string{"status": "failure", "errorCode": "45013", "message": message})
		if err != nil {
			t.Fatal(err)
		}
		want := likely.FindString(message)
		if want == "" {
			want = possible.FindString(message)
		}
		if got := summary(gateway.JSON(200, answer))["ecrn"]; got != want {
			t.Errorf("%q: got %q, want %q", message, got, want)
		}
	})
}
