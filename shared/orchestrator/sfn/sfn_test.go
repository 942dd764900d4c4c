package sfn_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"sallyport/shared/orchestrator"
	orchestratorsfn "sallyport/shared/orchestrator/sfn"
)

// api answers every call with one error, and remembers what it was asked.
type api struct {
	err   error
	start *sfn.StartExecutionInput
	stop  *sfn.StopExecutionInput
	sent  *sfn.SendTaskSuccessInput
}

func (a *api) StartExecution(
	_ context.Context, in *sfn.StartExecutionInput, _ ...func(*sfn.Options),
) (*sfn.StartExecutionOutput, error) {
	a.start = in
	return &sfn.StartExecutionOutput{}, a.err
}

func (a *api) StopExecution(
	_ context.Context, in *sfn.StopExecutionInput, _ ...func(*sfn.Options),
) (*sfn.StopExecutionOutput, error) {
	a.stop = in
	return &sfn.StopExecutionOutput{}, a.err
}

func (a *api) SendTaskSuccess(
	_ context.Context, in *sfn.SendTaskSuccessInput, _ ...func(*sfn.Options),
) (*sfn.SendTaskSuccessOutput, error) {
	a.sent = in
	return &sfn.SendTaskSuccessOutput{}, a.err
}

func TestOrchestrator(t *testing.T) {
	down := errors.New("down")
	for name, test := range map[string]struct {
		err                 error
		start, answer, stop error
	}{
		"OK":      {nil, nil, nil, nil},
		"ErrDown": {down, down, down, down},
		"Exists": {
			&types.ExecutionAlreadyExists{}, nil, &types.ExecutionAlreadyExists{}, &types.ExecutionAlreadyExists{},
		},
		"ErrGone": {
			&types.TaskDoesNotExist{}, &types.TaskDoesNotExist{}, orchestrator.ErrGone, &types.TaskDoesNotExist{},
		},
		"ErrTimedOut": {&types.TaskTimedOut{}, &types.TaskTimedOut{}, orchestrator.ErrGone, &types.TaskTimedOut{}},
		"ErrNoToken":  {&types.InvalidToken{}, &types.InvalidToken{}, orchestrator.ErrGone, &types.InvalidToken{}},
		"NeverStarted": {
			&types.ExecutionDoesNotExist{}, &types.ExecutionDoesNotExist{}, &types.ExecutionDoesNotExist{}, nil,
		},
		"ErrOverloaded": {
			&types.ExecutionLimitExceeded{}, &types.ExecutionLimitExceeded{}, &types.ExecutionLimitExceeded{},
			&types.ExecutionLimitExceeded{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := &api{err: test.err}
			o := orchestratorsfn.Orchestrator{API: a, Prefix: "arn:aws:states:eu-west-1:123456789012:%s:sallyport-dev-"}
			same := func(got, want error) bool {
				return got == want || want != nil && got != nil && got.Error() == want.Error()
			}
			if err := o.Start(t.Context(), "aadhaar-otp", "id-1", []byte(`{"a":1}`)); !same(err, test.start) {
				t.Errorf("Start: %v", err)
			}
			if err := o.Answer(t.Context(), "token", []byte(`{"kind":"otp"}`)); !same(err, test.answer) {
				t.Errorf("Answer: %v", err)
			}
			if err := o.Stop(t.Context(), "aadhaar-otp", "id-1", "cancelled_by_caller"); !same(err, test.stop) {
				t.Errorf("Stop: %v", err)
			}
			const arn = "arn:aws:states:eu-west-1:123456789012"
			if aws.ToString(a.start.StateMachineArn) != arn+":stateMachine:sallyport-dev-aadhaar-otp" ||
				aws.ToString(a.start.Name) != "id-1" || aws.ToString(a.start.Input) != `{"a":1}` ||
				aws.ToString(a.stop.ExecutionArn) != arn+":execution:sallyport-dev-aadhaar-otp:id-1" ||
				aws.ToString(a.sent.TaskToken) != "token" || aws.ToString(a.sent.Output) != `{"kind":"otp"}` {
				t.Errorf("asked %+v %+v %+v", a.start, a.stop, a.sent)
			}
		})
	}
}
