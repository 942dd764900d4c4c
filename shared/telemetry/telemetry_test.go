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
		"cause", fmt.Errorf("personal data: %w", errors.New("personal data")), "state", struct{ Name string }{"personal data"},
		slog.Group("g", "code", "personal data"))
	log.Error("failed", "cause", fmt.Errorf("x: %w", awsError{}))
	log.Error("failed", "cause", &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")})
	log.Debug("not at this level")
	text := out.String()
	if strings.Contains(text, "personal data") {
		t.Errorf("a field off the list, a value's inside or an error's text was logged: %s", text)
	}
	for _, want := range []string{`"operation":"equal/execute-journey"`, `"duration_ms":3`, `"replayed":true`, `"cause":"ThrottlingException"`, `"cause":"dial tcp: refused"`, "*fmt.wrapError < *errors.errorString"} {
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
	m.Call("equal/execute-journey", "unknown", "outcome_unknown", 1500*time.Millisecond)
	var line struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
		Stage, Operation string
		Duration         int64
		OutcomeUnknown   int `json:"outcome_unknown"`
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	directive := line.AWS.CloudWatchMetrics[0]
	if line.AWS.Timestamp != 1700000000000 || directive.Namespace != telemetry.Namespace || len(directive.Dimensions) != 3 || len(directive.Metrics) != 3 ||
		line.Operation != "equal/execute-journey" || line.Stage != "dev" || line.Duration != 1500 || line.OutcomeUnknown != 1 {
		t.Errorf("got %s", out.String())
	}
	var none *telemetry.Metrics
	none.Call("a", "b", "", 0)
}
