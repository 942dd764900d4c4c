// Package awssteps wires the state machines of a deployed function.
package awssteps

import (
	"os"

	awssfn "github.com/aws/aws-sdk-go-v2/service/sfn"

	"sallyport/shared/awsenv"
	"sallyport/shared/orchestrator/sfn"
)

// New makes the orchestrator that runs the state machines whose ARNs STATE_MACHINES tells, with %s for "stateMachine"
// or "execution".
func New() sfn.Orchestrator {
	return sfn.Orchestrator{API: awssfn.NewFromConfig(awsenv.Config()), Prefix: os.Getenv("STATE_MACHINES")}
}
