// Package asl interprets the Amazon States Language as Standard workflows run it: the JSONPath dialect, on one machine,
// one durable step at a time. It does no input or output of its own. Parse loads a definition and refuses, by name and
// place, whatever it would not run as AWS does; Start makes an Execution, which is plain JSON; Step advances it to the
// next point at which something has to come from outside, and says what: functions to invoke, a time to come back at,
// task tokens to be answered. Whoever calls persists the Execution after each of these, and may be killed at any
// moment: the execution goes on from where it was last persisted.
//
// A function whose invocation had begun when the process died is invoked again, with the same payload, byte for byte,
// and the same task token: what is invoked must be idempotent.
//
// # What is run
//
//   - Pass, Task, Choice, Wait, Succeed, Fail and inline Map states.
//   - Tasks arn:aws:states:::lambda:invoke and arn:aws:states:::lambda:invoke.waitForTaskToken with the parameters
//     FunctionName and Payload.
//   - InputPath, Parameters, ItemsPath, ItemSelector, ResultSelector, ResultPath, OutputPath, Retry, Catch, timeouts and
//     heartbeats, the context object, and the intrinsic functions that Parse's error lists.
//   - Paths that name one value: $, $.a.b, $['a'], $.a[0], and the same below $$; in payload templates and intrinsic
//     functions also those that gather a list of values: $.a[*].b.
//
// # Where AWS's own documents and its observed behaviour part
//
// A path in InputPath, Parameters, ItemsPath, OutputPath or a Choice that finds nothing fails the execution with
// States.Runtime, which nothing catches. The specification says States.ParameterPathFailure for Parameters, but
// recorded executions show States.Runtime ("The JSONPath '…' specified for the field '…' could not be found in the
// input '…'"). MissingPath is that choice. An interpreter that were kinder than AWS would hide the fault.
//
// MaxAttempts bounds the retries of one retrier, whichever of its errors caused them: so say the specification and its
// example. The developer guide's version of that example counts each error name for itself.
//
// A path with [*] that finds nothing gives an empty list on AWS, by most accounts; here it fails the execution, as any other
// path that finds nothing does, so that no definition comes to depend on it.
//
// TimeoutSecondsPath and HeartbeatSecondsPath are looked up in the state's input after InputPath, before Parameters.
//
// States.HeartbeatTimeout is matched by its own name, States.TaskFailed and States.ALL, not by States.Timeout.
package asl
