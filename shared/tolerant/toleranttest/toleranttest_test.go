package toleranttest_test

import (
	"testing"

	"sallyport/shared/tolerant/toleranttest"
)

func TestSpellings(t *testing.T) {
	got := toleranttest.Spellings(t, `{"a":8,"b":["9",true,"x",null,{}],"c":"07"}`)
	for name, want := range map[string]string{
		"numbers as text":  `{"a":"8","b":["9",true,"x",null,{}],"c":"07"}`,
		"fraction of zero": `{"a":8.0,"b":["9",true,"x",null,{}],"c":"07"}`,
		"exponent":         `{"a":8E0,"b":["9",true,"x",null,{}],"c":"07"}`,
		"text as numbers":  `{"a":8,"b":[9,true,"x",null,{}],"c":"07"}`,
		"blanks around":    `{"a":8,"b":[" 9 ",true," x ",null,{}],"c":" 07 "}`,
		"truth as text":    `{"a":8,"b":["9","TRUE","x",null,{}],"c":"07"}`,
		"unknown member":   `{"zz_unknown":[{"a":null}],"a":8,"b":["9",true,"x",null,{}],"c":"07"}`,
	} {
		if got[name] != want {
			t.Errorf("%s: %s, want %s", name, got[name], want)
		}
	}
}
