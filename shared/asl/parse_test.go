package asl_test

import (
	"strings"
	"testing"
	"time"

	"sallyport/shared/asl"
)

// machine wraps the members of one state, which has the name S and ends unless it says otherwise.
func machine(state string) string {
	return `{"StartAt":"S","States":{"S":{` + state + `}}}`
}

const (
	invoke = `"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","Payload.$":"$"}`
	await  = `"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken","Parameters":{"FunctionName":"f","Payload":{"token.$":"$$.Task.Token"}}`
	inner  = `"ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}`
)

func TestParseRefuses(t *testing.T) {
	withRetry := func(retrier string) string { return machine(invoke + `,"End":true,"Retry":[` + retrier + `]`) }
	withCall := func(call string) string {
		return machine(`"Type":"Pass","End":true,"Parameters":{"v.$":"` + call + `"}`)
	}
	withRule := func(rule string) string {
		return `{"StartAt":"S","States":{"S":{"Type":"Choice","Choices":[{` + rule + `}]},"T":{"Type":"Succeed"}}}`
	}
	withPath := func(path string) string { return machine(`"Type":"Pass","End":true,"InputPath":"` + path + `"`) }

	tests := []struct{ name, definition, want string }{
		{"not JSON", `{`, "/: is not JSON"},
		{"duplicate names", `{"StartAt":"S","StartAt":"S","States":{}}`, "/: is not JSON without duplicate names"},
		{"not an object", `[]`, "/: must be an object"},
		{"no StartAt", `{"States":{"S":{"Type":"Succeed"}}}`, "/StartAt: is missing"},
		{"no States", `{"StartAt":"S"}`, "/States: is missing"},
		{"empty States", `{"StartAt":"S","States":{}}`, "/States: must be an object with at least one state"},
		{"unknown field of the machine", `{"StartAt":"S","States":{"S":{"Type":"Succeed"}},"Beep":1}`, "/Beep: is not a field"},
		{"another version", `{"StartAt":"S","Version":"2.0","States":{"S":{"Type":"Succeed"}}}`, "/Version: must be 1.0"},
		{"JSONata machine", `{"StartAt":"S","QueryLanguage":"JSONata","States":{"S":{"Type":"Succeed"}}}`, "/QueryLanguage: JSONata is not supported"},
		{"JSONata state", machine(`"Type":"Succeed","QueryLanguage":"JSONata"`), "/States/S/QueryLanguage (state S): JSONata is not supported"},
		{"no time at all", `{"StartAt":"S","TimeoutSeconds":0,"States":{"S":{"Type":"Succeed"}}}`, "/TimeoutSeconds: must be a whole number from 1"},
		{"start elsewhere", `{"StartAt":"T","States":{"S":{"Type":"Succeed"}}}`, `/StartAt: names the state "T", which does not exist`},
		{"missing target", machine(`"Type":"Pass","Next":"T"`), `/States/S (state S): goes to the state "T", which does not exist`},
		{"unreachable", `{"StartAt":"S","States":{"S":{"Type":"Succeed"},"T":{"Type":"Succeed"}}}`, "/States/T (state T): can't be reached"},
		{"no terminal", `{"StartAt":"S","States":{"S":{"Type":"Pass","Next":"T"},"T":{"Type":"Pass","Next":"S"}}}`, "never comes to an end"},
		{"neither Next nor End", machine(`"Type":"Pass"`), "must have Next or End"},
		{"both Next and End", machine(`"Type":"Pass","Next":"S","End":true`), "/States/S/End (state S): can't stand beside Next"},
		{"End false", machine(`"Type":"Pass","End":false`), "/States/S/End (state S): must be true"},
		{"no Type", machine(`"End":true`), "/States/S/Type (state S): is missing"},
		{"Parallel", machine(`"Type":"Parallel","End":true,"Branches":[]`), "Parallel states are not supported"},
		{"long name", `{"StartAt":"S","States":{"` + strings.Repeat("S", 81) + `":{"Type":"Succeed"}}}`, "1 to 80 characters"},
		{"name used within a Map", `{"StartAt":"I","States":{"I":{"Type":"Map","End":true,` + inner + `}}}`, "names are unique"},
		{"pointer is escaped", `{"StartAt":"a/b~c","States":{"a/b~c":{"Type":"Pass"}}}`, "/States/a~1b~0c (state a/b~c)"},

		{"variables", machine(`"Type":"Pass","End":true,"Assign":{}`), "/States/S/Assign (state S): variables are not supported"},
		{"credentials", machine(invoke + `,"End":true,"Credentials":{}`), "credentials are not supported"},
		{"arguments", machine(invoke + `,"End":true,"Arguments":{}`), "JSONata is not supported"},
		{"unknown field", machine(invoke + `,"End":true,"Beep":1`), "/States/S/Beep (state S): is not a field that belongs here"},
		{"ResultPath of a Wait", machine(`"Type":"Wait","Seconds":1,"End":true,"ResultPath":"$"`), "/States/S/ResultPath (state S): is not a field"},

		{"function resource", machine(`"Type":"Task","End":true,"Resource":"arn:aws:lambda:eu-west-1:1:function:f","Parameters":{"FunctionName":"f","Payload":1}`), "is not supported, only arn:aws:states:::lambda:invoke"},
		{"activity", machine(`"Type":"Task","End":true,"Resource":"arn:aws:states:eu-west-1:1:activity:a","Parameters":{"FunctionName":"f","Payload":1}`), "is not supported, only"},
		{"no Resource", machine(`"Type":"Task","End":true,"Parameters":{"FunctionName":"f","Payload":1}`), "/States/S/Resource (state S): is missing"},
		{"no Parameters", machine(`"Type":"Task","End":true,"Resource":"arn:aws:states:::lambda:invoke"`), "/States/S/Parameters (state S): is missing"},
		{"function from the input", machine(`"Type":"Task","End":true,"Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName.$":"$.f","Payload":1}`), "must be known from the definition"},
		{"no payload", machine(`"Type":"Task","End":true,"Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f"}`), "Payload (state S): is missing"},
		{"invocation type", machine(`"Type":"Task","End":true,"Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","Payload":1,"InvocationType":"Event"}`), "/Parameters/InvocationType (state S): is not a field"},
		{"waits for a token it does not hand out", machine(`"Type":"Task","End":true,"Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken","Parameters":{"FunctionName":"f","Payload":{}}`), "nobody could ever answer"},
		{"token without waiting", machine(`"Type":"Task","End":true,"Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","Payload":{"t.$":"$$.Task.Token"}}`), "exists only in the Parameters of a Task that waits for it"},
		{"heartbeat of a function", machine(invoke + `,"End":true,"HeartbeatSeconds":5`), "has no effect"},
		{"heartbeat too long", machine(await + `,"End":true,"HeartbeatSeconds":5,"TimeoutSeconds":5`), "must be less than TimeoutSeconds"},
		{"two timeouts", machine(await + `,"End":true,"TimeoutSecondsPath":"$.t","TimeoutSeconds":5`), "can't stand beside TimeoutSeconds"},

		{"ErrorEquals missing", withRetry(`{}`), "/Retry/0/ErrorEquals (state S): is missing"},
		{"ErrorEquals empty", withRetry(`{"ErrorEquals":[]}`), "at least one element"},
		{"States.ALL with others", withRetry(`{"ErrorEquals":["States.ALL","A"]}`), "must be alone and come last"},
		{"States.ALL before others", withRetry(`{"ErrorEquals":["States.ALL"]},{"ErrorEquals":["A"]}`), "must be alone and come last"},
		{"States.Runtime", withRetry(`{"ErrorEquals":["States.Runtime"]}`), "can't be retried or caught"},
		{"States.DataLimitExceeded", withRetry(`{"ErrorEquals":["States.DataLimitExceeded"]}`), "can't be retried or caught"},
		{"unknown States error", withRetry(`{"ErrorEquals":["States.Timout"]}`), "nothing here reports"},
		{"interval", withRetry(`{"ErrorEquals":["A"],"IntervalSeconds":0}`), "/IntervalSeconds (state S): must be a whole number from 1"},
		{"attempts", withRetry(`{"ErrorEquals":["A"],"MaxAttempts":-1}`), "/MaxAttempts (state S): must be a whole number from 0"},
		{"backoff", withRetry(`{"ErrorEquals":["A"],"BackoffRate":0.5}`), "at least 1"},
		{"cap", withRetry(`{"ErrorEquals":["A"],"IntervalSeconds":5,"MaxDelaySeconds":5}`), "greater than IntervalSeconds"},
		{"jitter", withRetry(`{"ErrorEquals":["A"],"JitterStrategy":"HALF"}`), "FULL or NONE"},
		{"unknown in a retrier", withRetry(`{"ErrorEquals":["A"],"Next":"S"}`), "/Retry/0/Next (state S): is not a field"},
		{"catch without Next", machine(invoke + `,"End":true,"Catch":[{"ErrorEquals":["A"]}]`), "/Catch/0/Next (state S): is missing"},
		{"catch into the context", machine(invoke + `,"End":true,"Catch":[{"ErrorEquals":["A"],"Next":"S","ResultPath":"$$.Execution.Input.a"}]`), "can't be changed"},
		{"States.TaskFailed of a Map", machine(`"Type":"Map","End":true,` + inner + `,"Catch":[{"ErrorEquals":["States.TaskFailed"],"Next":"S"}]`), "is for Task states"},

		{"no choices", machine(`"Type":"Choice","Default":"S"`), "/Choices (state S): is missing"},
		{"rule without Next", withRule(`"Variable":"$.v","IsNull":true`), "/Choices/0/Next (state S): is missing"},
		{"rule without Variable", withRule(`"IsNull":true,"Next":"T"`), "/Variable (state S): is missing"},
		{"rule without comparison", withRule(`"Variable":"$.v","Next":"T"`), "must have one comparison"},
		{"two comparisons", withRule(`"Variable":"$.v","IsNull":true,"IsString":true,"Next":"T"`), "can't stand beside"},
		{"wrong operand", withRule(`"Variable":"$.v","NumericEquals":"1","Next":"T"`), "operand of the wrong type"},
		{"wrong timestamp", withRule(`"Variable":"$.v","TimestampEquals":"2026-02-30T00:00:00Z","Next":"T"`), "operand of the wrong type"},
		{"StringMatchesPath", withRule(`"Variable":"$.v","StringMatchesPath":"$.w","Next":"T"`), "does not exist"},
		{"pattern", withRule(`"Variable":"$.v","StringMatches":"a\\b","Next":"T"`), "backslash only before"},
		{"Next within", withRule(`"Not":{"Variable":"$.v","IsNull":true,"Next":"T"},"Next":"T"`), "/Choices/0/Not/Next (state S): is not a field"},
		{"empty And", withRule(`"And":[],"Next":"T"`), "at least one element"},
		{"JSONata condition", withRule(`"Condition":"{% true %}","Next":"T"`), "JSONata is not supported"},

		{"wait for nothing", machine(`"Type":"Wait","End":true`), "must have Seconds"},
		{"wait for two things", machine(`"Type":"Wait","End":true,"Seconds":1,"SecondsPath":"$.s"`), "can't stand beside Seconds"},
		{"wait for half a second", machine(`"Type":"Wait","End":true,"Seconds":0.5`), "must be a whole number"},
		{"wait for a date", machine(`"Type":"Wait","End":true,"Timestamp":"2026-01-01"`), "must be a timestamp"},

		{"Map without processor", machine(`"Type":"Map","End":true`), "/ItemProcessor (state S): is missing"},
		{"two processors", machine(`"Type":"Map","End":true,"Iterator":{},` + inner), "can't stand beside ItemProcessor"},
		{"distributed", machine(`"Type":"Map","End":true,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED"},"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}`), "DISTRIBUTED is not supported"},
		{"item reader", machine(`"Type":"Map","End":true,"ItemReader":{},` + inner), "distributed Map is not supported"},
		{"MaxConcurrencyPath", machine(`"Type":"Map","End":true,"MaxConcurrencyPath":"$.m",` + inner), "only MaxConcurrency is supported"},
		{"item outside of the selector", machine(`"Type":"Map","End":true,"ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","End":true,"Parameters":{"i.$":"$$.Map.Item.Index"}}}}`), "exists only in a Map's ItemSelector"},
		{"out of the Map", `{"StartAt":"S","States":{"S":{"Type":"Map","Next":"T","ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","Next":"T"}}}},"T":{"Type":"Succeed"}}}`, `(state I): goes to the state "T", which does not exist`},
		{"timeout within", machine(`"Type":"Map","End":true,"ItemProcessor":{"TimeoutSeconds":1,"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}`), "/ItemProcessor/TimeoutSeconds (state S): is not a field"},

		{"recursive descent", withPath("$..a"), "recursive descent"},
		{"gathering InputPath", withPath("$.a[*]"), `/States/S/InputPath (state S): the path "$.a[*]" is not supported: [*] is for payload templates`},
		{"gathering OutputPath", machine(`"Type":"Pass","End":true,"OutputPath":"$.a[*].b"`), "/States/S/OutputPath (state S): the path \"$.a[*].b\" is not supported: [*]"},
		{"gathering ResultPath", machine(`"Type":"Pass","End":true,"ResultPath":"$.a[*].b"`), "/States/S/ResultPath (state S): the path \"$.a[*].b\" is not supported: [*]"},
		{"gathering ItemsPath", machine(`"Type":"Map","End":true,"ItemsPath":"$.a[*].b",` + inner), "/States/S/ItemsPath (state S): the path \"$.a[*].b\" is not supported: [*]"},
		{"gathering Variable", withRule(`"Variable":"$.a[*]","IsNull":true,"Next":"T"`), "/Choices/0/Variable (state S): the path \"$.a[*]\" is not supported: [*]"},
		{"gathering operand", withRule(`"Variable":"$.a","StringEqualsPath":"$.b[*]","Next":"T"`), "[*] is for payload templates"},
		{"gathering seconds", machine(`"Type":"Wait","End":true,"SecondsPath":"$.a[*]"`), "/SecondsPath (state S): the path \"$.a[*]\" is not supported: [*]"},
		{"gathering timestamp", machine(`"Type":"Wait","End":true,"TimestampPath":"$.a[*]"`), "/TimestampPath (state S): the path \"$.a[*]\" is not supported: [*]"},
		{"gathering timeout", machine(invoke + `,"End":true,"TimeoutSecondsPath":"$.t[*]"`), "/TimeoutSecondsPath (state S): the path \"$.t[*]\" is not supported: [*]"},
		{"gathering catch", machine(invoke + `,"End":true,"Catch":[{"ErrorEquals":["A"],"Next":"S","ResultPath":"$.a[*]"}]`), "/Catch/0/ResultPath (state S): the path \"$.a[*]\" is not supported: [*]"},
		{"gathering the context", withCall("$$.Execution.Name[*]"), "no such single value"},
		{"all of the context", withCall("$$[*]"), "no such single value"},
		{"dotted wildcard", withPath("$.*"), "wildcards other than [*]"},
		{"dotted wildcard in a template", withCall("$.a.*"), "wildcards other than [*]"},
		{"open wildcard", withCall("$.a[*"), "wildcards other than [*]"},
		{"wildcard and more", withCall("$.a[*,1]"), "wildcards other than [*]"},
		{"filter", withPath("$.a[?(@.b)]"), "filters"},
		{"slice", withPath("$.a[0:1]"), "slices"},
		{"negative index", withPath("$.a[-1]"), "one index"},
		{"union", withPath("$['a','b']"), "one quoted name"},
		{"function", withPath("$.a.length()"), "functions"},
		{"no dollar", withPath("a"), "does not begin with $"},
		{"trailing dot", withPath("$.a."), "a name must follow"},
		{"whole context", withPath("$$"), "no such single value"},
		{"unknown context", withPath("$$.Execution.RoleArn"), "no such single value"},
		{"below a name", withPath("$$.State.Name.x"), "no such single value"},

		{"not a string", machine(`"Type":"Pass","End":true,"Parameters":{"v.$":1}`), "/Parameters/v.$ (state S): must be a string"},
		{"no expression", withCall("plain"), "neither a path nor an intrinsic function"},
		{"unsupported intrinsic", withCall("States.ArrayRange(1, 2, 3)"), `the intrinsic function "States.ArrayRange" is not supported`},
		{"unknown intrinsic", withCall("States.Nope()"), `the intrinsic function "States.Nope" is not supported`},
		{"unknown nested intrinsic", withCall("States.Array(States.MathRandom(1, 2))"), `"States.MathRandom" is not supported`},
		{"arguments missing", withCall("States.MathAdd(1)"), "wrong number of arguments"},
		{"too few to format", withCall("States.Format('{} {}', 1)"), "as many arguments"},
		{"format without text", withCall("States.Format(1)"), "must have a string first"},
		{"open string", withCall("States.Format('a"), "does not end"},
		{"open call", withCall("States.Array(1"), "comma or a parenthesis"},
		{"open list", withCall("States.Array(1,"), "does not end"},
		{"more after it", withCall("States.UUID() x"), "goes on"},
		{"bad escape", withCall(`States.Format('\\a')`), "backslash"},
		{"bare brace", withCall("States.Format('{a}')"), "brace without a backslash"},
		{"bad argument", withCall("States.Array(a)"), "has an argument that is no path"},
		{"bad path within", withCall("States.Array($.a[?(@.b)])"), "filters"},
		{"one list too many", withCall("States.ArrayUnique($.a, $.b)"), "wrong number of arguments"},
		{"deep", withCall(strings.Repeat("States.Array(", 11) + strings.Repeat(")", 11)), "nests more than 10"},
		{"twice", machine(`"Type":"Pass","End":true,"Parameters":{"v":1,"v.$":"$.v"}`), "given twice"},
		{"Parameters no object", machine(`"Type":"Pass","End":true,"Parameters":[1]`), "/Parameters (state S): must be an object"},
		{"ErrorPath and Error", machine(`"Type":"Fail","Error":"E","ErrorPath":"$.e"`), "can't stand beside Error"},
		{"bad CausePath", machine(`"Type":"Fail","CausePath":"$..e"`), "recursive descent"},
		{"Fail with output", machine(`"Type":"Fail","OutputPath":"$"`), "is not a field"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := problems(t, test.definition); !strings.Contains(got, test.want) {
				t.Errorf("problems are\n%s\nwant %q", got, test.want)
			}
		})
	}

	t.Run("lists everything at once", func(t *testing.T) {
		got := problems(t, machine(`"Type":"Wait","Seconds":-1,"Beep":1`))
		for _, want := range []string{"Seconds", "Beep", "Next or End"} {
			if !strings.Contains(got, want) {
				t.Errorf("problems are\n%s\nwithout %q", got, want)
			}
		}
	})
}

func TestParseAccepts(t *testing.T) {
	for _, definition := range []string{
		`{"Comment":"c","StartAt":"S","Version":"1.0","QueryLanguage":"JSONPath","TimeoutSeconds":1,"States":{"S":{"Type":"Succeed","Comment":"c","QueryLanguage":"JSONPath"}}}`,
		machine(invoke + `,"End":true,"TimeoutSecondsPath":"$.t","Retry":[{"ErrorEquals":["A"],"Comment":"c","BackoffRate":1,"MaxDelaySeconds":2,"JitterStrategy":"NONE"},{"ErrorEquals":["States.ALL"],"MaxAttempts":0}]`),
		machine(await + `,"End":true,"HeartbeatSecondsPath":"$.h","TimeoutSeconds":5`),
		machine(`"Type":"Pass","End":true,"InputPath":"$['a b'][\"c\"].d_e-f[12]","OutputPath":null,"ResultPath":"$.über"`),
		machine(`"Type":"Pass","End":true,"Parameters":{"a.$":"$.a[*]","b":[{"c.$":"$[*]['d e'][0][*].f"}],"g.$":"States.Array($.a[*].b, $$.Execution.Input.a[*])"}`),
		machine(`"Type":"Map","End":true,"ItemSelector":{"a.$":"$.a[*].b","i.$":"$$.Map.Item.Value.c[*]"},` + inner),
		machine(invoke + `,"End":true,"ResultSelector":{"a.$":"$.Payload.a[*].b"}`),
		machine(`"Type":"Fail"`),
		machine(`"Type":"Map","End":true,"MaxConcurrency":0,"ItemsPath":"$$.Execution.Input.items",` + inner),
	} {
		if got := problems(t, definition); got != "" {
			t.Errorf("%s is refused: %s", definition, got)
		}
	}
}

func TestInspect(t *testing.T) {
	m := MustParse(t, `{"StartAt":"M","TimeoutSeconds":90,"States":{
		"M":{"Type":"Map","Next":"W","ItemProcessor":{"StartAt":"A","States":{"A":{`+invoke+`,"TimeoutSecondsPath":"$.t","End":true,
			"Retry":[{"ErrorEquals":["Throttled","Unavailable"]}]}}},"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Z"}]},
		"W":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken","Parameters":{"FunctionName":"g","Payload":{"t.$":"$$.Task.Token"}},
			"TimeoutSeconds":600,"HeartbeatSeconds":60,"Next":"Z","Catch":[{"ErrorEquals":["States.Timeout"],"Next":"Z"}]},
		"Z":{"Type":"Succeed"}}}`)
	states := map[string]asl.State{}
	for _, s := range m.States() {
		states[s.Name] = s
	}
	if len(states) != 4 || m.Timeout() != 90*time.Second {
		t.Fatalf("has the states %+v and the timeout %v", states, m.Timeout())
	}
	a, w := states["A"], states["W"]
	if a.Pointer != "/States/M/ItemProcessor/States/A" || a.Task.Function != "f" || a.Task.WaitForToken || !a.Task.TimeoutDynamic {
		t.Errorf("A is %+v %+v", a, a.Task)
	}
	if got := a.Retry[0]; strings.Join(got.ErrorEquals, " ") != "Throttled Unavailable" || got.Interval != time.Second || got.MaxAttempts != 3 || got.BackoffRate != 2 {
		t.Errorf("A's retrier is %+v", got)
	}
	if !w.Task.WaitForToken || w.Task.Timeout != 10*time.Minute || w.Task.Heartbeat != time.Minute || w.Catch[0].Next != "Z" {
		t.Errorf("W is %+v %+v", w, w.Task)
	}
	if got := strings.Join(states["M"].Targets, " "); got != "W Z" {
		t.Errorf("M goes to %s", got)
	}
	if got := strings.Join(m.Functions(), " "); got != "f g" {
		t.Errorf("invokes %s", got)
	}
	if got := strings.Join(m.ErrorEquals(), " "); got != "States.ALL States.Timeout Throttled Unavailable" {
		t.Errorf("mentions %s", got)
	}
}
