package flow_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"sallyport/shared/asl/flow"
)

func Example() {
	m := &flow.Machine{Comment: "Asks, and looks again where nothing is known.", Timeout: time.Hour}
	m.Add("Ask", flow.Task{
		Function: "Ask", Payload: flow.F{"id.$": "$.id"}, Timeout: time.Minute, Keep: "state left", ResultPath: "$.asked",
		Retry: []flow.Retry{{ErrorEquals: []string{"Throttled"}, IntervalSeconds: 2, BackoffRate: 1.5, MaxAttempts: 3}},
		Catch: []flow.Catch{flow.On("Refused Conflict", "Ended"), flow.OnAt(flow.All, flow.Discard, "Later")}, Next: "Known",
	})
	m.Add("Known", flow.Choice{
		Rules: []flow.Rule{
			flow.When(flow.OneOf("$.asked.state", "yes", "no"), "Ended"),
			flow.When(flow.And(flow.Above("$.asked.left", 0), flow.Not(flow.Is("$.asked.last", true))), "Later"),
		},
		Default: "Each",
	})
	m.Add("Later", flow.Wait{ForPath: "$.asked.pause", Next: "Count"})
	m.Add("Count", flow.Pass{
		Template: flow.F{"left.$": "States.MathAdd($.asked.left, -1)"}, ResultPath: "$.asked", Next: "Ask",
	})
	m.Add("Each", flow.Map{
		Items: "$.ids", AtOnce: 2, Item: flow.F{"id.$": "$$.Map.Item.Value"}, ResultPath: flow.Discard,
		Each: func(each *flow.Machine) { each.Add("One", flow.Pass{Value: "<>", Next: flow.End}) },
		Next: "Ended",
	})
	m.Add("Ended", flow.Succeed{})
	text, err := m.JSON()
	if err != nil {
		fmt.Println(err)
	}
	_, _ = os.Stdout.Write(text)
	// Output:
	// {
	//   "Comment": "Asks, and looks again where nothing is known.",
	//   "StartAt": "Ask",
	//   "TimeoutSeconds": 3600,
	//   "States": {
	//     "Ask": {
	//       "Type": "Task",
	//       "Resource": "arn:aws:states:::lambda:invoke",
	//       "Parameters": {
	//         "FunctionName": "${Ask}",
	//         "Payload": {
	//           "id.$": "$.id"
	//         }
	//       },
	//       "TimeoutSeconds": 60,
	//       "ResultSelector": {
	//         "left.$": "$.Payload.left",
	//         "state.$": "$.Payload.state"
	//       },
	//       "ResultPath": "$.asked",
	//       "Retry": [
	//         {
	//           "ErrorEquals": [
	//             "Throttled"
	//           ],
	//           "IntervalSeconds": 2,
	//           "BackoffRate": 1.5,
	//           "MaxAttempts": 3
	//         }
	//       ],
	//       "Catch": [
	//         {
	//           "ErrorEquals": [
	//             "Refused",
	//             "Conflict"
	//           ],
	//           "ResultPath": "$.error",
	//           "Next": "Ended"
	//         },
	//         {
	//           "ErrorEquals": [
	//             "States.ALL"
	//           ],
	//           "ResultPath": null,
	//           "Next": "Later"
	//         }
	//       ],
	//       "Next": "Known"
	//     },
	//     "Known": {
	//       "Type": "Choice",
	//       "Choices": [
	//         {
	//           "Next": "Ended",
	//           "Or": [
	//             {
	//               "StringEquals": "yes",
	//               "Variable": "$.asked.state"
	//             },
	//             {
	//               "StringEquals": "no",
	//               "Variable": "$.asked.state"
	//             }
	//           ]
	//         },
	//         {
	//           "And": [
	//             {
	//               "NumericGreaterThan": 0,
	//               "Variable": "$.asked.left"
	//             },
	//             {
	//               "Not": {
	//                 "BooleanEquals": true,
	//                 "Variable": "$.asked.last"
	//               }
	//             }
	//           ],
	//           "Next": "Later"
	//         }
	//       ],
	//       "Default": "Each"
	//     },
	//     "Later": {
	//       "Type": "Wait",
	//       "SecondsPath": "$.asked.pause",
	//       "Next": "Count"
	//     },
	//     "Count": {
	//       "Type": "Pass",
	//       "Parameters": {
	//         "left.$": "States.MathAdd($.asked.left, -1)"
	//       },
	//       "ResultPath": "$.asked",
	//       "Next": "Ask"
	//     },
	//     "Each": {
	//       "Type": "Map",
	//       "ItemsPath": "$.ids",
	//       "MaxConcurrency": 2,
	//       "ItemSelector": {
	//         "id.$": "$$.Map.Item.Value"
	//       },
	//       "ItemProcessor": {
	//         "ProcessorConfig": {
	//           "Mode": "INLINE"
	//         },
	//         "StartAt": "One",
	//         "States": {
	//           "One": {
	//             "Type": "Pass",
	//             "Result": "<>",
	//             "End": true
	//           }
	//         }
	//       },
	//       "ResultPath": null,
	//       "Next": "Ended"
	//     },
	//     "Ended": {
	//       "Type": "Succeed"
	//     }
	//   }
	// }
}

// TestFaults: a definition that lacks what its author forgot is not rendered, and the state is named.
func TestFaults(t *testing.T) {
	for want, add := range map[string]func(*flow.Machine){
		"Same is added twice": func(m *flow.Machine) {
			m.Add("Same", flow.Succeed{})
			m.Add("Same", flow.Succeed{})
		},
		"Ask has no Next":      func(m *flow.Machine) { m.Add("Ask", flow.Task{}) },
		"Count has no Next":    func(m *flow.Machine) { m.Add("Count", flow.Pass{}) },
		"Later has no Next":    func(m *flow.Machine) { m.Add("Later", flow.Wait{}) },
		"Known has no Default": func(m *flow.Machine) { m.Add("Known", flow.Choice{}) },
		"Each: One has no Next": func(m *flow.Machine) {
			m.Add("Each", each(func(m *flow.Machine) { m.Add("One", flow.Pass{}) }))
		},
		"Each has no Next": func(m *flow.Machine) { m.Add("Each", flow.Map{Each: func(*flow.Machine) {}}) },
		"Each is a Map, whose flow can have no timeout": func(m *flow.Machine) {
			m.Add("Each", each(func(m *flow.Machine) { m.Timeout = time.Hour }))
		},
	} {
		var m flow.Machine
		add(&m)
		if text, err := m.JSON(); err == nil || !strings.HasPrefix(err.Error(), want) || text != nil {
			t.Errorf("%s: %s, %v", want, text, err)
		}
	}
}

func each(flowOf func(*flow.Machine)) flow.Map { return flow.Map{Each: flowOf, Next: flow.End} }
