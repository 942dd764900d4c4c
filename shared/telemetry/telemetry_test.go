package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"sallyport/shared/telemetry"
)

type awsError struct{}

func (awsError) Error() string     { return "personal data" }
func (awsError) ErrorCode() string { return "ThrottlingException" }

func TestLogger(t *testing.T) {
	var out bytes.Buffer
	log := telemetry.NewLogger(&out, slog.LevelInfo)
	log.With("aadhaar_no", "personal data").WithGroup("g").Info("grouped", "code", "personal data")
	log.Info("call", "operation", "equal/execute-journey", "body", "personal data", "duration_ms", 3, "replayed", true,
		"cause", fmt.Errorf("personal data: %w", errors.New("personal data")), "state",
		struct{ Name string }{"personal data"},
		slog.Group("g", "code", "personal data"))
	log.Error("failed", "cause", fmt.Errorf("x: %w", awsError{}))
	log.Error("failed", "cause", &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")})
	log.Debug("not at this level")
	text := out.String()
	if strings.Contains(text, "personal data") {
		t.Errorf("a field off the list, a value's inside or an error's text was logged: %s", text)
	}
	for _, want := range []string{
		`"operation":"equal/execute-journey"`, `"duration_ms":3`, `"replayed":true`, `"cause":"ThrottlingException"`,
		`"cause":"dial tcp: refused"`, "*fmt.wrapError < *errors.errorString",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in %s", want, text)
		}
	}
	if strings.Count(text, "\n") != 4 {
		t.Errorf("%d lines", strings.Count(text, "\n"))
	}
}

func TestMetrics(t *testing.T) {
	var out bytes.Buffer
	m := telemetry.NewMetrics(&out, "dev", func() time.Time { return time.UnixMilli(1700000000000) })
	for _, test := range []struct{ operation, state, condition, want string }{
		{"equal/execute-journey", "unknown", "outcome_unknown", `{"_aws":{"Timestamp":1700000000000,"CloudWatchMetrics":[` +
			`{"Namespace":"Sallyport","Dimensions":[["Stage","Operation","State"]],"Metrics":[{"Name":"Calls","Unit":"Count"}]},` +
			`{"Namespace":"Sallyport","Dimensions":[["Stage","Operation"]],"Metrics":[{"Name":"Duration","Unit":"Milliseconds"}]},` +
			`{"Namespace":"Sallyport","Dimensions":[["Stage"]],"Metrics":[{"Name":"outcome_unknown","Unit":"Count"}]}]},` +
			`"Stage":"dev","Operation":"equal/execute-journey","State":"unknown","Calls":1,"Duration":1500,"outcome_unknown":1}`},
		{"a\"\\\n\xff", "", "bad_key", `{"_aws":{"Timestamp":1700000000000,"CloudWatchMetrics":[` +
			`{"Namespace":"Sallyport","Dimensions":[["Stage","Operation","State"]],"Metrics":[{"Name":"Calls","Unit":"Count"}]},` +
			`{"Namespace":"Sallyport","Dimensions":[["Stage","Operation"]],"Metrics":[{"Name":"Duration","Unit":"Milliseconds"}]}]},` +
			`"Stage":"dev","Operation":"a\"\\\n` + "\ufffd" + `","State":"none","Calls":1,"Duration":1500}`},
	} {
		out.Reset()
		m.Call(test.operation, test.state, test.condition, 1500*time.Millisecond)
		if out.String() != test.want+"\n" || !json.Valid(out.Bytes()) {
			t.Errorf("got  %swant %s", out.String(), test.want)
		}
	}
	allocs := testing.AllocsPerRun(10, func() {
		m.Call("equal/execute-journey", "unknown", "outcome_unknown", time.Second)
		out.Reset()
	})
	if allocs > 0 {
		t.Errorf("a line takes %v allocations", allocs)
	}
	var none *telemetry.Metrics
	none.Call("a", "b", "", 0)
}
