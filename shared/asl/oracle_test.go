package asl_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/asl/asltest"
)

// unknownToValidator are intrinsic functions that the validator's grammar does not know, and why.
var unknownToValidator = map[string]string{
	`States.Format('{}|{}|{}|{}', -1.5, true, null, 7)`: "it knows whole numbers only",
	`States.ArrayContains($.list, 1.0)`:                 "it knows whole numbers only",
	`States.Format('it\'s \{{}\} \\', $.n)`:             "it knows no backslash at the end of a string",
}

func TestOracleMatrix(t *testing.T) {
	asltest.Oracle(t, scenarios(t), definitionsToValidate(t), unknownToValidator)
}

// definitionsToValidate are those of the files, and few that hold all rules and functions of the tables.
func definitionsToValidate(t *testing.T) map[string]jsontext.Value {
	t.Helper()
	all := map[string]jsontext.Value{}
	for name, c := range corpora(t) {
		all[name] = c.Definition
	}
	var rules, calls []string
	for _, c := range choices {
		rules = append(rules, "{"+c.rule+`,"Next":"Yes"}`)
	}
	all["choices"] = jsontext.Value(`{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[` +
		strings.Join(rules, ",") + `]},"Yes":{"Type":"Succeed"}}}`)
	withCalls := func(calls ...string) jsontext.Value {
		return jsontext.Value(machine(`"Type":"Pass","Parameters":{` + strings.Join(calls, ",") + `},"End":true`))
	}
	for i, c := range intrinsicCases {
		quoted, err := json.Marshal(c.call)
		if err != nil {
			t.Fatal(err)
		}
		call := fmt.Sprintf(`"v%d.$":%s`, i, quoted)
		if _, unknown := unknownToValidator[c.call]; unknown {
			all[c.call] = withCalls(call)
		} else {
			calls = append(calls, call)
		}
	}
	all["intrinsic functions"] = withCalls(calls...)
	return all
}
