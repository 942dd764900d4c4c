// Package telemetry writes structured logs by an allow-list of fields, and CloudWatch metrics in the embedded metric
// format. Nothing that is not on the list gets out.
package telemetry

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
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
	if a.Value.Kind() != slog.KindAny {
		return a
	}
	switch v := a.Value.Any().(type) {
	case error:
		return slog.String(a.Key, Cause(v))
	case slog.Level:
		return a
	default:
		return slog.String(a.Key, fmt.Sprintf("%T", v))
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

// conditions are those of calls that an alarm or the dashboard watches; no other becomes a metric, as each costs money
// at any traffic.
var conditions = []string{
	"ledger_unavailable", "not_recorded", "outcome_unknown", "owner_conflict", "partner_credentials_rejected",
}

// Metrics writes one embedded-metric-format line per call. A nil *Metrics writes nothing.
type Metrics struct {
	w     io.Writer
	stage string
	now   func() time.Time
	mu    sync.Mutex
	line  []byte // the last one
}

// NewMetrics makes Metrics of one stage that write to w (a Lambda's standard output).
func NewMetrics(w io.Writer, stage string, now func() time.Time) *Metrics {
	return &Metrics{w: w, stage: stage, now: now}
}

// Call records how one call of an operation ended and how long it took: Calls by operation and state, Duration by
// operation in milliseconds, and a condition that is watched by the stage alone.
func (m *Metrics) Call(operation, state, condition string, took time.Duration) {
	if m == nil {
		return
	}
	if state == "" {
		state = "none" // an empty dimension would cost the line all of them
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.line = strconv.AppendInt(append(m.line[:0], `{"_aws":{"Timestamp":`...), m.now().UnixMilli(), 10)
	m.line = append(m.line, `,"CloudWatchMetrics":[`...)
	m.directive(`["Stage","Operation","State"]`, "Calls", "Count")
	m.line = append(m.line, ',')
	m.directive(`["Stage","Operation"]`, "Duration", "Milliseconds")
	watched := slices.Contains(conditions, condition)
	if watched {
		m.line = append(m.line, ',')
		m.directive(`["Stage"]`, condition, "Count")
	}
	m.line = append(m.line, `]},"Stage":`...)
	m.quote(m.stage)
	m.line = append(m.line, `,"Operation":`...)
	m.quote(operation)
	m.line = append(m.line, `,"State":`...)
	m.quote(state)
	m.line = strconv.AppendInt(append(m.line, `,"Calls":1,"Duration":`...), took.Milliseconds(), 10)
	if watched {
		m.line = append(m.line, ',')
		m.quote(condition)
		m.line = append(m.line, `:1`...)
	}
	m.line = append(m.line, '}', '\n')
	_, _ = m.w.Write(m.line)
}

// directive appends what CloudWatch makes a metric by.
func (m *Metrics) directive(dimensions, name, unit string) {
	m.line = append(m.line, `{"Namespace":"`+Namespace+`","Dimensions":[`...)
	m.line = append(append(m.line, dimensions...), `],"Metrics":[{"Name":`...)
	m.quote(name)
	m.line = append(m.line, `,"Unit":`...)
	m.quote(unit)
	m.line = append(m.line, `}]}`...)
}

// quote appends a JSON string, in which broken UTF-8 is replaced.
func (m *Metrics) quote(text string) { m.line, _ = jsontext.AppendQuote(m.line, text) }
