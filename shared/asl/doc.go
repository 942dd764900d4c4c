// Package asl interprets the Amazon States Language as Standard workflows run it: in JSONPath, on one machine, one
// durable step at a time. It supports what the project's definitions use and what package flow can write. Parse
// refuses the rest, by name and place; its example lists what is supported.
//
// The package does no input or output of its own. Start makes an Execution, which is plain JSON. Step advances it to
// the next point at which something has to come from outside, and says what: functions to invoke, a time to come back
// at, task tokens to be answered. Whoever calls Step stores the Execution after each step. The process may be killed
// at any moment: the execution goes on from where it was last stored.
//
// A function whose invocation had begun when the process was killed is invoked again, with the same payload, byte for
// byte, and the same task token. What is invoked must be idempotent.
//
// # Where AWS's own documents and its observed behaviour part
//
// A path that finds nothing fails the execution with States.Runtime, which nothing catches. The specification says
// States.ParameterPathFailure for Parameters, but recorded executions show States.Runtime ("The JSONPath '…' specified
// for the field '…' could not be found in the input '…'"). An interpreter that were kinder than AWS would hide the
// fault.
//
// MaxAttempts bounds the retries of one retrier, whichever of its errors caused them: so say the specification and its
// example. The developer guide's version of that example counts each error name for itself.
//
// A path with [*] that finds nothing gives an empty list on AWS, by most accounts. Here it fails the execution, as any
// other path that finds nothing does, so that no definition comes to depend on it.
//
// TimeoutSecondsPath is looked up in the state's input, not in what Parameters made of it.
package asl
