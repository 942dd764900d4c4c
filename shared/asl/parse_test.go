package asl_test

import (
	"strings"
	"testing"
	"time"

	"sallyport/shared/asl"
	"sallyport/shared/asl/asltest"
)

// machine wraps the members of one state, which has the name S and ends unless it says otherwise.
func machine(state string) string {
	return `{"StartAt":"S","States":{"S":{` + state + `}}}`
}

const (
	invoke = `"Type":"Task","Resource":"arn:aws:states:::lambda:invoke",` +
		`"Parameters":{"FunctionName":"f","Payload":{"in.$":"$"}}`
	await = `"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken",` +
		`"Parameters":{"FunctionName":"f","Payload":{"token.$":"$$.Task.Token"}}`
	inner = `"ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}`
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

	withTask := func(fields string) string { return machine(`"Type":"Task","End":true` + fields) }
	withMap := func(fields string) string { return machine(`"Type":"Map","End":true` + fields) }
	withCatch := func(fields string) string {
		return machine(invoke + `,"End":true,"Catch":[{"ErrorEquals":["A"]` + fields + `}]`)
	}
	const plain = `,"Resource":"arn:aws:states:::lambda:invoke"`
	const waiting = `,"Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken"`
	const payload = `,"Parameters":{"FunctionName":"f","Payload":1}`
	const gathers = ` is not supported: $$ and [*] are for payload templates`

	tests := []struct{ name, definition, want string }{
		{"not JSON", `{`, "/: is not JSON"},
		{"duplicate names", `{"StartAt":"S","StartAt":"S","States":{}}`, "/: is not JSON without duplicate names"},
		{"not an object", `[]`, "/: must be an object"},
		{"no StartAt", `{"States":{"S":{"Type":"Succeed"}}}`, "/StartAt: is missing"},
		{"no States", `{"StartAt":"S"}`, "/States: is missing"},
		{"empty States", `{"StartAt":"S","States":{}}`, "/States: must be an object with at least one state"},
		{"no time at all", `{"StartAt":"S","TimeoutSeconds":0,"States":{"S":{"Type":"Succeed"}}}`,
			"/TimeoutSeconds: must be a whole number from 1"},
		{"start elsewhere", `{"StartAt":"T","States":{"S":{"Type":"Succeed"}}}`,
			`/StartAt: names the state "T", which does not exist`},
		{"missing target", machine(`"Type":"Pass","Next":"T"`),
			`/States/S (state S): goes to the state "T", which does not exist`},
		{"unreachable", `{"StartAt":"S","States":{"S":{"Type":"Succeed"},"T":{"Type":"Succeed"}}}`,
			"/States/T (state T): can't be reached"},
		{"no terminal", `{"StartAt":"S","States":{"S":{"Type":"Pass","Next":"T"},"T":{"Type":"Pass","Next":"S"}}}`,
			"never comes to an end"},
		{"neither Next nor End", machine(`"Type":"Pass"`), "must have Next or End"},
		{"both Next and End", machine(`"Type":"Pass","Next":"S","End":true`),
			"/States/S/End (state S): can't stand beside Next"},
		{"End false", machine(`"Type":"Pass","End":false`), "/States/S/End (state S): must be true"},
		{"no Type", machine(`"End":true`), "/States/S/Type (state S): is missing"},
		{"long name", `{"StartAt":"S","States":{"` + strings.Repeat("S", 81) + `":{"Type":"Succeed"}}}`,
			"1 to 80 characters"},
		{"name used within a Map", `{"StartAt":"I","States":{"I":{"Type":"Map","End":true,` + inner + `}}}`,
			"names are unique"},
		{"pointer is escaped", `{"StartAt":"a/b~c","States":{"a/b~c":{"Type":"Pass"}}}`, "/States/a~1b~0c (state a/b~c)"},

		{"function resource", withTask(`,"Resource":"arn:aws:lambda:eu-west-1:1:function:f"` + payload),
			"is not supported, only arn:aws:states:::lambda:invoke"},
		{"activity", withTask(`,"Resource":"arn:aws:states:eu-west-1:1:activity:a"` + payload),
			"is not supported, only"},
		{"no Resource", withTask(payload),
			"/States/S/Resource (state S): is missing"},
		{"no Parameters", withTask(plain), "/States/S/Parameters (state S): is missing"},
		{"function from the input", withTask(plain + `,"Parameters":{"FunctionName.$":"$.f","Payload":1}`),
			"must be known from the definition"},
		{"no payload", withTask(plain + `,"Parameters":{"FunctionName":"f"}`), "Payload (state S): is missing"},
		{"waits for a token it does not hand out", withTask(waiting + `,"Parameters":{"FunctionName":"f","Payload":{}}`),
			"nobody could ever answer"},
		{"token without waiting", withTask(plain + `,"Parameters":{"FunctionName":"f","Payload":{"t.$":"$$.Task.Token"}}`),
			"exists only in the Parameters of a Task that waits for it"},
		{"token in a result", withTask(plain + payload + `,"ResultSelector":{"t.$":"$$.Task.Token"}`),
			"exists only in the Parameters of a Task that waits for it"},
		{"two timeouts", machine(await + `,"End":true,"TimeoutSecondsPath":"$.t","TimeoutSeconds":5`),
			"can't stand beside TimeoutSeconds"},

		{"ErrorEquals missing", withRetry(`{}`), "/Retry/0/ErrorEquals (state S): is missing"},
		{"ErrorEquals empty", withRetry(`{"ErrorEquals":[]}`), "at least one element"},
		{"States.ALL with others", withRetry(`{"ErrorEquals":["States.ALL","A"]}`), "must be alone and come last"},
		{"States.ALL before others", withRetry(`{"ErrorEquals":["States.ALL"]},{"ErrorEquals":["A"]}`),
			"must be alone and come last"},
		{"States.Runtime", withRetry(`{"ErrorEquals":["States.Runtime"]}`), "can't be retried or caught"},
		{"States.DataLimitExceeded", withRetry(`{"ErrorEquals":["States.DataLimitExceeded"]}`), "can't be retried or caught"},
		{"interval", withRetry(`{"ErrorEquals":["A"],"IntervalSeconds":0}`),
			"/IntervalSeconds (state S): must be a whole number from 1"},
		{"attempts", withRetry(`{"ErrorEquals":["A"],"MaxAttempts":-1}`),
			"/MaxAttempts (state S): must be a whole number from 0"},
		{"backoff", withRetry(`{"ErrorEquals":["A"],"BackoffRate":0.5}`), "at least 1"},
		{"cap", withRetry(`{"ErrorEquals":["A"],"IntervalSeconds":5,"MaxDelaySeconds":5}`), "greater than IntervalSeconds"},
		{"jitter", withRetry(`{"ErrorEquals":["A"],"JitterStrategy":"HALF"}`), "FULL or NONE"},
		{"catch without Next", withCatch(``), "/Catch/0/Next (state S): is missing"},
		{"catch into the context", withCatch(`,"Next":"S","ResultPath":"$$.Execution.Name"`),
			`/Catch/0/ResultPath (state S): the path "$$.Execution.Name"` + gathers},

		{"no choices", machine(`"Type":"Choice","Default":"S"`), "/Choices (state S): is missing"},
		{"rule without Next", withRule(`"Variable":"$.v","IsPresent":true`), "/Choices/0/Next (state S): is missing"},
		{"rule without Variable", withRule(`"IsPresent":true,"Next":"T"`), "/Variable (state S): is missing"},
		{"rule without comparison", withRule(`"Variable":"$.v","Next":"T"`), "must have one comparison"},
		{"two comparisons", withRule(`"Variable":"$.v","IsPresent":true,"NumericEquals":1,"Next":"T"`), "can't stand beside"},
		{"comparison and Not", withRule(`"Variable":"$.v","IsPresent":true,"Not":{},"Next":"T"`), "can't stand beside"},
		{"wrong operand", withRule(`"Variable":"$.v","NumericEquals":"1","Next":"T"`), "operand of the wrong type"},
		{"wrong operand of presence", withRule(`"Variable":"$.v","IsPresent":1,"Next":"T"`), "operand of the wrong type"},
		{"path that is none", withRule(`"Variable":"$.v","NumericGreaterThanPath":1,"Next":"T"`),
			"/NumericGreaterThanPath (state S): must be a string"},
		{"Next within", withRule(`"Not":{"Variable":"$.v","IsPresent":true,"Next":"T"},"Next":"T"`),
			"/Choices/0/Not/Next (state S): Next is not supported, only"},
		{"Variable of And", withRule(`"Variable":"$.v","And":[{"Variable":"$.v","IsPresent":true}],"Next":"T"`),
			"/Choices/0/Variable (state S): Variable is not supported, only"},
		{"empty And", withRule(`"And":[],"Next":"T"`), "at least one element"},

		{"wait for nothing", machine(`"Type":"Wait","End":true`), "must have Seconds"},
		{"wait for two things", machine(`"Type":"Wait","End":true,"Seconds":1,"SecondsPath":"$.s"`),
			"can't stand beside Seconds"},
		{"wait for half a second", machine(`"Type":"Wait","End":true,"Seconds":0.5`), "must be a whole number"},
		{"two values of a Pass", machine(`"Type":"Pass","End":true,"InputPath":"$.a","Result":1`),
			"/Result (state S): can't stand beside InputPath"},

		{"Map without processor", withMap(``), "/ItemProcessor (state S): is missing"},
		{"distributed", withMap(`,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED"},"StartAt":"I",` +
			`"States":{"I":{"Type":"Pass","End":true}}}`), "DISTRIBUTED is not supported"},
		{"item outside of the selector", withMap(`,"ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","End":true,` +
			`"Parameters":{"i.$":"$$.Map.Item.Index"}}}}`), "exists only in a Map's ItemSelector"},
		{"item in the result", withMap(`,"ResultSelector":{"i.$":"$$.Map.Item.Value"},` + inner),
			"exists only in a Map's ItemSelector"},
		{"out of the Map", `{"StartAt":"S","States":{"S":{"Type":"Map","Next":"T","ItemProcessor":{"StartAt":"I","States":{` +
			`"I":{"Type":"Pass","Next":"T"}}}},"T":{"Type":"Succeed"}}}`,
			`(state I): goes to the state "T", which does not exist`},

		{"gathering InputPath", withPath("$.a[*]"), `/States/S/InputPath (state S): the path "$.a[*]"` + gathers},
		{"gathering OutputPath", machine(invoke + `,"End":true,"OutputPath":"$.a[*].b"`),
			`/States/S/OutputPath (state S): the path "$.a[*].b"` + gathers},
		{"gathering ResultPath", machine(`"Type":"Pass","End":true,"ResultPath":"$.a[*].b"`),
			`/States/S/ResultPath (state S): the path "$.a[*].b"` + gathers},
		{"gathering ItemsPath", withMap(`,"ItemsPath":"$.a[*].b",` + inner),
			`/States/S/ItemsPath (state S): the path "$.a[*].b"` + gathers},
		{"gathering Variable", withRule(`"Variable":"$.a[*]","IsPresent":true,"Next":"T"`),
			`/Choices/0/Variable (state S): the path "$.a[*]"` + gathers},
		{"gathering operand", withRule(`"Variable":"$.a","NumericGreaterThanPath":"$.b[*]","Next":"T"`),
			`the path "$.b[*]"` + gathers},
		{"gathering seconds", machine(`"Type":"Wait","End":true,"SecondsPath":"$.a[*]"`),
			`/SecondsPath (state S): the path "$.a[*]"` + gathers},
		{"gathering timeout", machine(invoke + `,"End":true,"TimeoutSecondsPath":"$.t[*]"`),
			`/TimeoutSecondsPath (state S): the path "$.t[*]"` + gathers},
		{"gathering catch", withCatch(`,"Next":"S","ResultPath":"$.a[*]"`),
			`/Catch/0/ResultPath (state S): the path "$.a[*]"` + gathers},
		{"gathering the context", withCall("$$.Execution.Name[*]"),
			`"$$.Execution.Name[*]" is not supported, of the context object only`},
		{"all of the context", withCall("$$[*]"), `"$$[*]" is not supported, of the context object only`},
		{"open bracket", withCall("$.a[*"), `"[*" is neither`},
		{"dotted wildcard in a template", withCall("$.a.*"), `".*" is neither`},
		{"wildcard and more", withCall("$.a[*,1]"), `"[*,1]" is neither`},
		{"negative index", withPath("$.a[-1]"), `"[-1]" is neither`},
		{"huge index", withPath("$.a[99999999999999999999]"), "index that is too large"},
		{"no dollar", withPath("a"), "does not begin with $"},
		{"trailing dot", withPath("$.a."), `"." is neither`},
		{"whole context", withCall("$$"), `"$$" is not supported, of the context object only`},
		{"below a name", withCall("$$.State.Name.x"), `"$$.State.Name.x" is not supported, of the context object only`},
		{"longer than a name", withCall("$$.Map.Item.Values"),
			`"$$.Map.Item.Values" is not supported, of the context object only`},

		{"not a string", machine(`"Type":"Pass","End":true,"Parameters":{"v.$":1}`),
			"/Parameters/v.$ (state S): must be a string"},
		{"no expression", withCall("plain"), "neither a path nor an intrinsic function"},
		{"unknown intrinsic", withCall("States.Nope()"), `the intrinsic function "States.Nope" is not supported`},
		{"unknown nested intrinsic", withCall("States.ArrayLength(States.MathRandom(1, 2))"),
			`"States.MathRandom" is not supported`},
		{"arguments missing", withCall("States.MathAdd(1)"), "wrong number of arguments"},
		{"no arguments", withCall("States.ArrayLength()"), "wrong number of arguments"},
		{"too few to format", withCall("States.Format('{} {}', 1)"), "as many arguments"},
		{"nothing to format", withCall("States.Format()"), "must have a string in single quotes first"},
		{"format without text", withCall("States.Format(1)"), "must have a string in single quotes first"},
		{"format of the input", withCall("States.Format($.template, 1)"), "must have a string in single quotes first"},
		{"open string", withCall("States.Format('a"), "does not end"},
		{"open call", withCall("States.ArrayLength(1"), "comma or a parenthesis"},
		{"open list", withCall("States.ArrayLength(1,"), "does not end"},
		{"more after it", withCall("States.MathAdd(1, 2) x"), "goes on"},
		{"bad escape", withCall(`States.Format('\\a')`), "backslash"},
		{"bare brace", withCall("States.Format('{a}')"), "brace without a backslash"},
		{"bad argument", withCall("States.ArrayLength(a)"), "has an argument that is no path"},
		{"bad path within", withCall("States.ArrayLength($.a[?(@.b)])"), `"[?(@.b" is neither`},
		{"one list too many", withCall("States.ArrayUnique($.a, $.b)"), "wrong number of arguments"},
		{"deep", withCall(strings.Repeat("States.ArrayLength(", 11) + "1" + strings.Repeat(")", 11)), "nests more than 10"},
		{"twice", machine(`"Type":"Pass","End":true,"Parameters":{"v":1,"v.$":"$.v"}`), "given twice"},
		{"Parameters no object", machine(`"Type":"Pass","End":true,"Parameters":[1]`),
			"/Parameters (state S): must be an object"},
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

// TestParseRefusesUnsupported: what AWS runs and no definition of ours uses is refused by name.
func TestParseRefusesUnsupported(t *testing.T) {
	refused := func(name, definition, want string) {
		t.Run(name, func(t *testing.T) {
			if got := problems(t, definition); !strings.Contains(got, want) {
				t.Errorf("problems are\n%s\nwant %q", got, want)
			}
		})
	}
	// With fields, each is added to a definition that is accepted without.
	for _, test := range []struct{ pointer, accepted, fields string }{
		{"", `{"StartAt":"S","States":{"S":{"Type":"Succeed"}}%s}`, "QueryLanguage Version"},
		{"/States/S", machine(`"Type":"Pass","End":true%s`), "Assign Output OutputPath QueryLanguage"},
		{"/States/S", machine(invoke + `,"End":true%s`),
			"Arguments Assign Credentials HeartbeatSeconds HeartbeatSecondsPath InputPath Output QueryLanguage"},
		{"/States/S", machine(await + `,"End":true%s`), "HeartbeatSeconds HeartbeatSecondsPath"},
		{"/States/S/Parameters", machine(`"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","End":true,` +
			`"Parameters":{"FunctionName":"f","Payload":1%s}`),
			"ClientContext FunctionName.$ InvocationType Payload.$ Qualifier"},
		{"/States/S/Retry/0", machine(invoke + `,"End":true,"Retry":[{"ErrorEquals":["A"]%s}]`), "Comment Next"},
		{"/States/S/Catch/0", `{"StartAt":"S","States":{"S":{` + invoke + `,"End":true,` +
			`"Catch":[{"ErrorEquals":["A"],"Next":"T"%s}]},"T":{"Type":"Succeed"}}}`, "Assign Comment Output"},
		{"/States/S", machine(`"Type":"Wait","Seconds":1,"End":true%s`),
			"Assign InputPath Output OutputPath QueryLanguage ResultPath Timestamp TimestampPath"},
		{"/States/S", machine(`"Type":"Succeed"%s`), "InputPath Output OutputPath QueryLanguage"},
		{"/States/S", `{"StartAt":"S","States":{"S":{"Type":"Choice","Default":"T","Choices":[` +
			`{"Variable":"$.v","IsPresent":true,"Next":"T"}]%s},"T":{"Type":"Succeed"}}}`,
			"Assign InputPath Output OutputPath QueryLanguage"},
		{"/States/S", machine(`"Type":"Map","End":true,` + inner + `%s`),
			"Assign InputPath ItemBatcher ItemReader Items Iterator Label MaxConcurrencyPath Output OutputPath Parameters " +
				"QueryLanguage ResultWriter Retry ToleratedFailureCount ToleratedFailureCountPath ToleratedFailurePercentage " +
				"ToleratedFailurePercentagePath"},
		{"/States/S/ItemProcessor", machine(`"Type":"Map","End":true,"ItemProcessor":{"StartAt":"I","States":{` +
			`"I":{"Type":"Pass","End":true}}%s}`), "QueryLanguage TimeoutSeconds"},
		{"/States/S/ItemProcessor/ProcessorConfig", machine(`"Type":"Map","End":true,"ItemProcessor":{` +
			`"ProcessorConfig":{"Mode":"INLINE"%s},"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}`), "ExecutionType"},
		{"/States/S/Choices/0", `{"StartAt":"S","States":{"S":{"Type":"Choice","Choices":[` +
			`{"Variable":"$.v","IsPresent":true,"Next":"T"%s}]},"T":{"Type":"Succeed"}}}`, "Assign Comment Condition Output"},
	} {
		if got := problems(t, strings.Replace(test.accepted, "%s", "", 1)); got != "" {
			t.Errorf("%s is refused: %s", test.accepted, got)
		}
		for field := range strings.FieldsSeq(test.fields) {
			definition := strings.Replace(test.accepted, "%s", `,"`+field+`":1`, 1)
			where := test.pointer + "/" + field
			if test.pointer != "" {
				where += " (state S)"
			}
			refused(definition, definition, where+": "+field+" is not supported, only ")
		}
	}
	for kind := range strings.FieldsSeq("Fail Parallel") {
		refused(kind, machine(`"Type":"`+kind+`"`),
			"/States/S/Type (state S): "+kind+" states are not supported, only Choice, Map, Pass, Succeed, Task, Wait")
	}
	for comparison := range strings.FieldsSeq(`BooleanEqualsPath IsBoolean IsNull IsNumeric IsPresentPath IsString
		IsTimestamp NumericEqualsPath NumericGreaterThanEquals NumericGreaterThanEqualsPath NumericLessThanEqualsPath
		NumericLessThanPath
		StringEqualsPath StringGreaterThan StringGreaterThanEquals StringGreaterThanEqualsPath StringGreaterThanPath
		StringLessThan StringLessThanEquals StringLessThanEqualsPath StringLessThanPath StringMatches
		TimestampEquals TimestampEqualsPath TimestampGreaterThan TimestampGreaterThanEquals
		TimestampGreaterThanEqualsPath TimestampGreaterThanPath TimestampLessThan TimestampLessThanEquals
		TimestampLessThanEqualsPath TimestampLessThanPath`) {
		rule := `{"Variable":"$.v","` + comparison + `":"$.w"`
		only := " (state S): " + comparison + " is not supported, only And, BooleanEquals, IsPresent, "
		refused(comparison, machine(`"Type":"Choice","Choices":[`+rule+`,"Next":"S"}]`),
			"/States/S/Choices/0/"+comparison+only)
		refused("Not "+comparison, machine(`"Type":"Choice","Choices":[{"Not":`+rule+`},"Next":"S"}]`),
			"/States/S/Choices/0/Not/"+comparison+only[:strings.Index(only, "And")])
	}
	withValue := func(value string) string {
		return machine(`"Type":"Pass","End":true,"Parameters":{"v.$":"` + value + `"}`)
	}
	const at = "/States/S/Parameters/v.$ (state S): "
	for name := range strings.FieldsSeq(`Array ArrayPartition ArrayRange Base64Decode Base64Encode Hash JsonMerge
		JsonToString MathRandom StringSplit UUID`) {
		refused(name, withValue("States."+name+"()"),
			at+`the intrinsic function "States.`+name+`" is not supported, only States.ArrayContains, `)
	}
	for value := range strings.FieldsSeq(`Execution.Id Execution.Input Execution.Input.a Execution.RedriveCount
		Execution.RedriveTime Execution.RoleArn Execution.StartTime Map.Item.Key Map.Item.Source State.EnteredTime
		State.RetryCount StateMachine.Id StateMachine.Name`) {
		refused(value, withValue("$$."+value),
			at+`the path "$$.`+value+`" is not supported, of the context object only $$.Execution.Name, `)
	}
	for _, path := range []string{
		"$..a", "$.*", "$.a[?(@.b)]", "$.a[0:1]", "$.a[-1]", "$['a']", "$['a','b']", "$.a.length()", "$.a[*].b[*]",
	} {
		refused(path, withValue(path), at+`the path "`+path+`" is not supported: `)
		refused("InputPath "+path, machine(`"Type":"Pass","End":true,"InputPath":"`+path+`"`),
			`/States/S/InputPath (state S): the path "`+path+`" is not supported: `)
	}
	refused("array in ResultPath", machine(`"Type":"Pass","End":true,"ResultPath":"$.a[0]"`),
		`/States/S/ResultPath (state S): the path "$.a[0]" is not supported: it leads into an array`)
	refused("null InputPath", machine(`"Type":"Pass","End":true,"InputPath":null`),
		"/States/S/InputPath (state S): must be a string")
	for name := range strings.FieldsSeq("BranchFailed ExceedToleratedFailureThreshold HeartbeatTimeout ItemReaderFailed " +
		"ParameterPathFailure Permissions QueryEvaluationError ResultWriterFailed TaskFailed Timout") {
		refused(name, machine(invoke+`,"End":true,"Retry":[{"ErrorEquals":["States.`+name+`"]}]`),
			"/States/S/Retry/0/ErrorEquals/0 (state S): States."+name+" is not supported, only States.ALL, ")
	}
}

func TestParseAccepts(t *testing.T) {
	for _, definition := range []string{
		`{"Comment":"c","StartAt":"S","TimeoutSeconds":1,"States":{"S":{"Type":"Succeed","Comment":"c"}}}`,
		machine(invoke + `,"End":true,"TimeoutSecondsPath":"$.t","Retry":[{"ErrorEquals":["A"],"BackoffRate":1,` +
			`"MaxDelaySeconds":2,"JitterStrategy":"NONE"},{"ErrorEquals":["States.ALL"],"MaxAttempts":0}]`),
		machine(await + `,"End":true,"TimeoutSeconds":5`),
		machine(invoke + `,"End":true,"ResultPath":null,"OutputPath":null`),
		machine(`"Type":"Pass","End":true,"InputPath":"$.a-b.d_e-f[12]","ResultPath":"$.über"`),
		machine(`"Type":"Pass","End":true,"Parameters":{"a.$":"$.a[*]","b":[{"c.$":"$[*].d[0].f"}],` +
			`"g.$":"States.ArrayContains($.a[*].b, $$.Execution.Name)"}`),
		machine(`"Type":"Map","End":true,"ItemSelector":{"a.$":"$.a[*].b","i.$":"$$.Map.Item.Value.c[*]",` +
			`"j.$":"$$.Map.Item.Value[0]"},` + inner),
		machine(invoke + `,"End":true,"ResultSelector":{"a.$":"$.Payload.a[*].b"}`),
		machine(`"Type":"Map","End":true,"MaxConcurrency":0,"ItemsPath":"$.items",` + inner),
	} {
		if got := problems(t, definition); got != "" {
			t.Errorf("%s is refused: %s", definition, got)
		}
	}
}

func TestInspect(t *testing.T) {
	m := MustParse(t, `{"StartAt":"M","TimeoutSeconds":90,"States":{
		"M":{"Type":"Map","Next":"W","ItemProcessor":{"StartAt":"A","States":{
			"A":{`+invoke+`,"TimeoutSecondsPath":"$.t","End":true,
				"Retry":[{"ErrorEquals":["Throttled","Unavailable"]}]}}},
			"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Z"}]},
		"W":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken",
			"Parameters":{"FunctionName":"g","Payload":{"t.$":"$$.Task.Token"}},"TimeoutSeconds":600,"Next":"Z",
			"Catch":[{"ErrorEquals":["States.Timeout"],"Next":"Z"}]},
		"Z":{"Type":"Succeed"}}}`)
	states := map[string]asl.State{}
	for _, s := range m.States() {
		states[s.Name] = s
	}
	if len(states) != 4 || m.Timeout() != 90*time.Second {
		t.Fatalf("has the states %+v and the timeout %v", states, m.Timeout())
	}
	a, w := states["A"], states["W"]
	if a.Pointer != "/States/M/ItemProcessor/States/A" || a.Task.Function != "f" || a.Task.WaitForToken ||
		!a.Task.TimeoutDynamic {
		t.Errorf("A is %+v %+v", a, a.Task)
	}
	got := a.Retry[0]
	if strings.Join(got.ErrorEquals, " ") != "Throttled Unavailable" || got.Interval != time.Second ||
		got.MaxAttempts != 3 || got.BackoffRate != 2 {
		t.Errorf("A's retrier is %+v", got)
	}
	if !w.Task.WaitForToken || w.Task.Timeout != 10*time.Minute || w.Catch[0].Next != "Z" {
		t.Errorf("W is %+v %+v", w, w.Task)
	}
	if got := strings.Join(states["M"].Targets, " "); got != "W Z" {
		t.Errorf("M goes to %s", got)
	}
	if got := strings.Join(m.Functions(), " "); got != "f g" {
		t.Errorf("invokes %s", got)
	}
	if got := strings.Join(asltest.ErrorEquals(m), " "); got != "States.ALL States.Timeout Throttled Unavailable" {
		t.Errorf("mentions %s", got)
	}
}
