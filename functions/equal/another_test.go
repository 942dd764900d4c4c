package equal

import "testing"

// TestShowsAnother: a number counts as the one that was asked for only where it is that one, or its last four digits
// behind a mask; one that is all masked shows nothing.
func TestShowsAnother(t *testing.T) {
	const number = "999900000016"
	for shown, want := range map[string]bool{
		`"999900000016"`: false, `"9999 0000 0016"`: false, `999900000016`: false, `"XXXXXXXX0016"`: false,
		`"xxxx-xxxx-0016"`: false, `"********0016"`: false, `"XXXX"`: false, `null`: false,
		`"999911110016"`: true, `"XXXXXXXX0017"`: true, `"XXXX0016XXXX"`: true, `"0016XXXXXXXX"`: true, `"99990016"`: true,
		`"XXXXXXXX0016 (masked)"`: true, `["999900000016"]`: true, `{"v":"x"}`: true, `"ABC"`: true, `""`: true,
	} {
		text := `{"data":{"keys":{"aadhaar":[{"aadhaar_no":` + shown + `}]}}}`
		if got := showsAnother([]byte(text), number); got != want {
			t.Errorf("%s: %t", shown, got)
		}
	}
	if showsAnother([]byte(`{"data":{"keys":{"aadhaar":[{"name":"A"}]}}}`), number) {
		t.Error("a missing number is another one")
	}
}
