// Package sfn runs journeys on AWS Step Functions.
package sfn

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"sallyport/shared/orchestrator"
)

// API is the part of the Step Functions client in use.
type API interface {
	StartExecution(context.Context, *sfn.StartExecutionInput, ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
	StopExecution(context.Context, *sfn.StopExecutionInput, ...func(*sfn.Options)) (*sfn.StopExecutionOutput, error)
	SendTaskSuccess(context.Context, *sfn.SendTaskSuccessInput, ...func(*sfn.Options)) (*sfn.SendTaskSuccessOutput, error)
}

// Orchestrator runs the state machines of one stage, whose ARNs are made of names.
type Orchestrator struct {
	API    API
	Prefix string // "arn:aws:states:<region>:<account>:%s:sallyport-<stage>-", with %s for the kind of resource
}

// Start starts an execution. That one of this name has been started already is success.
func (o Orchestrator) Start(ctx context.Context, machine, name string, input []byte) error {
	_, err := o.API.StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: aws.String(fmt.Sprintf(o.Prefix, "stateMachine") + machine),
		Name:            &name,
		Input:           aws.String(string(input)),
	})
	var exists *types.ExecutionAlreadyExists
	if errors.As(err, &exists) {
		return nil
	}
	return err
}

// Answer completes the task that waits with the token; orchestrator.ErrGone where none does.
func (o Orchestrator) Answer(ctx context.Context, token string, output []byte) error {
	_, err := o.API.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: &token, Output: aws.String(string(output))})
	var gone *types.TaskDoesNotExist
	var timedOut *types.TaskTimedOut
	var invalid *types.InvalidToken
	if errors.As(err, &gone) || errors.As(err, &timedOut) || errors.As(err, &invalid) {
		return orchestrator.ErrGone
	}
	return err
}

// Stop aborts an execution. That it has ended, or was never started, is success.
func (o Orchestrator) Stop(ctx context.Context, machine, name, cause string) error {
	_, err := o.API.StopExecution(ctx, &sfn.StopExecutionInput{
		ExecutionArn: aws.String(fmt.Sprintf(o.Prefix, "execution") + machine + ":" + name),
		Error:        &cause,
	})
	var none *types.ExecutionDoesNotExist
	if errors.As(err, &none) {
		return nil
	}
	return err
}
