package awssm_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"sallyport/shared/secrets"
	"sallyport/shared/secrets/awssm"
)

type api struct {
	value *string
	err   error
}

func (a api) GetSecretValue(
	context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options),
) (*secretsmanager.GetSecretValueOutput, error) {
	return &secretsmanager.GetSecretValueOutput{SecretString: a.value}, a.err
}

func TestSecret(t *testing.T) {
	value, down := "v", errors.New("down")
	for name, test := range map[string]struct {
		api  api
		want error
	}{
		"OK":            {api{value: &value}, nil},
		"ErrNotFound":   {api{err: &types.ResourceNotFoundException{}}, secrets.ErrNotFound},
		"ErrBinaryOnly": {api{}, secrets.ErrNotFound},
		"ErrDown":       {api{err: down}, down},
	} {
		got, err := awssm.Source{API: test.api}.Secret(context.Background(), "name")
		if !errors.Is(err, test.want) || test.want == nil && string(got) != value {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}
