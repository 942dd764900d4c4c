package archtest_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/shared/operation"
	"sallyport/shared/telemetry"
)

// TestMetricsAreRead: every custom metric costs money at any traffic, so that each is emitted in those dimensions in
// which an alarm or the dashboard reads it, and in no others.
func TestMetricsAreRead(t *testing.T) {
	emitted, read := emittedMetrics(t), readMetrics(t)
	if !maps.Equal(emitted, read) {
		t.Errorf("a call emits\n  %s\nbut template.yaml reads\n  %s", strings.Join(slices.Sorted(maps.Keys(emitted)), "\n  "),
			strings.Join(slices.Sorted(maps.Keys(read)), "\n  "))
	}
}

// emittedMetrics are those of calls that end in every way, each as "<name> by <dimensions>".
func emittedMetrics(t *testing.T) map[string]bool {
	t.Helper()
	var lines bytes.Buffer
	metrics := telemetry.NewMetrics(&lines, "dev", time.Now)
	for _, condition := range append(operation.Conditions(), operation.NotRecorded, operation.OwnerConflict, "") {
		metrics.Call("equal/execute-journey", "done", string(condition), time.Second)
	}
	emitted := map[string]bool{}
	for decoder := json.NewDecoder(&lines); decoder.More(); {
		var line struct {
			AWS struct {
				CloudWatchMetrics []struct {
					Namespace  string
					Dimensions [][]string
					Metrics    []struct{ Name string }
				}
			} `json:"_aws"`
		}
		if err := decoder.Decode(&line); err != nil {
			t.Fatal(err)
		}
		for _, directive := range line.AWS.CloudWatchMetrics {
			if directive.Namespace != telemetry.Namespace {
				t.Errorf("a metric lies in %s", directive.Namespace)
			}
			for _, dimensions := range directive.Dimensions {
				for _, metric := range directive.Metrics {
					emitted[metric.Name+" by "+strings.Join(dimensions, ",")] = true
				}
			}
		}
	}
	return emitted
}

// readMetrics are those of the namespace that alarms and dashboards of template.yaml name, likewise.
func readMetrics(t *testing.T) map[string]bool {
	t.Helper()
	search := regexp.MustCompile(`^SEARCH\('\{` + telemetry.Namespace + `,([A-Za-z,]+)\} .*MetricName="(\w+)"'`)
	named := regexp.MustCompile(`Name, (\w+), Value`)
	read := map[string]bool{}
	for id, r := range readTemplate(t).Resources {
		switch {
		case r.Type == "AWS::CloudWatch::Alarm" && r.property("Namespace") == telemetry.Namespace:
			var dimensions []string
			for _, name := range named.FindAllStringSubmatch(r.property("Dimensions"), -1) {
				dimensions = append(dimensions, name[1])
			}
			read[r.property("MetricName")+" by "+strings.Join(dimensions, ",")] = true
		case r.Type == "AWS::CloudWatch::Alarm" &&
			strings.Contains(r.property("Metrics"), "Namespace, "+telemetry.Namespace+","):
			t.Errorf("%s reads a metric of ours in an expression, which this test doesn't understand", id)
		case r.Type == "AWS::CloudWatch::Dashboard":
			var body struct {
				Widgets []struct {
					Properties struct{ Metrics [][]any }
				}
			}
			if err := json.Unmarshal([]byte(strings.TrimPrefix(r.property("DashboardBody"), "!Sub ")), &body); err != nil {
				t.Fatalf("%s: %v", id, err)
			}
			for _, widget := range body.Widgets {
				for _, metric := range widget.Properties.Metrics {
					switch first := metric[0].(type) {
					case string: // namespace, name, then dimensions and their values in turn
						if first == telemetry.Namespace {
							var dimensions []string
							for i := 2; i+1 < len(metric); i += 2 {
								dimensions = append(dimensions, metric[i].(string))
							}
							read[metric[1].(string)+" by "+strings.Join(dimensions, ",")] = true
						}
					case map[string]any:
						expression, _ := first["expression"].(string)
						if found := search.FindStringSubmatch(expression); found != nil {
							read[found[2]+" by "+found[1]] = true
						} else if strings.Contains(expression, telemetry.Namespace+",") {
							t.Errorf("%s reads by %s, which this test doesn't understand", id, expression)
						}
					}
				}
			}
		}
	}
	return read
}
