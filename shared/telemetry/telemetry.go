// Package telemetry writes structured logs by an allow-list of fields, and CloudWatch metrics in the embedded metric
// format. Nothing that is not on the list gets out.
package telemetry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"
)

// fields are the names that may be logged. None ever holds a body, a path with ids, a credential or a partner's text.
var fields = map[string]bool{
	slog.TimeKey: true, slog.LevelKey: true, slog.MessageKey: true,
	"request_id": true, "transaction_id": true, "tenant": true, "operation": true, "function": true, "source": true,
	"state": true, "class": true, "code": true, "condition": true, "status": true, "replayed": true,
	"duration_ms": true, "cause": true, "partner": true, "fault": true, "effect": true, "address": true, "count": true,
}

// NewLogger returns a JSON logger that drops every field that is not on the list and cuts errors down to their codes.
func NewLogger(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: allow}))
}

func allow(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 || !fields[a.Key] {
		return slog.Attr{}
	}
	switch v := a.Value.Any().(type) {
	case error:
		return slog.String(a.Key, Cause(v))
	case string, bool, int, int64, uint64, float64, time.Time, time.Duration, slog.Level:
		return a
	default:
		if a.Value.Kind() == slog.KindAny {
			return slog.String(a.Key, fmt.Sprintf("%T", v))
		}
		return a
	}
}

// Cause names an error without its text, which may hold what a partner or a caller sent: the codes of AWS errors and
// of failed connections, otherwise the types in its chain.
func Cause(err error) string {
	var aws interface{ ErrorCode() string }
	if errors.As(err, &aws) {
		return aws.ErrorCode()
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Error()
	}
	var chain []string
	for ; err != nil; err = errors.Unwrap(err) {
		chain = append(chain, fmt.Sprintf("%T", err))
	}
	return strings.Join(chain, " < ")
}

// Namespace is the CloudWatch namespace of all metrics.
const Namespace = "Sallyport"

// Metrics writes one embedded-metric-format line per call. A nil *Metrics writes nothing.
type Metrics struct {
	w     io.Writer
	stage string
	now   func() time.Time
	mu    sync.Mutex
}

// NewMetrics makes Metrics of one stage that write to w (a Lambda's standard output).
func NewMetrics(w io.Writer, stage string, now func() time.Time) *Metrics {
	return &Metrics{w: w, stage: stage, now: now}
}

// Call records how one call of an operation ended and how long it took.
func (m *Metrics) Call(operation, state, condition string, took time.Duration) {
	if m == nil {
		return
	}
	if state == "" {
		state = "none" // an empty dimension would cost the line all of them
	}
	names := []map[string]string{{"Name": "Calls", "Unit": "Count"}, {"Name": "Duration", "Unit": "Milliseconds"}}
	line := map[string]any{"Stage": m.stage, "Operation": operation, "State": state, "Calls": 1, "Duration": took.Milliseconds()}
	if condition != "" {
		line[condition] = 1
		names = append(names, map[string]string{"Name": condition, "Unit": "Count"})
	}
	line["_aws"] = map[string]any{
		"Timestamp": m.now().UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace": Namespace, "Metrics": names,
			"Dimensions": [][]string{{"Stage", "Operation"}, {"Stage", "Operation", "State"}, {"Stage"}},
		}},
	}
	text, err := json.Marshal(line)
	if err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, _ = m.w.Write(append(text, '\n'))
}
