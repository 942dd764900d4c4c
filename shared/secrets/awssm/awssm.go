// Package awssm reads secrets from AWS Secrets Manager.
package awssm

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"sallyport/shared/secrets"
)

// API is the part of the Secrets Manager client in use.
type API interface {
	GetSecretValue(
		context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options),
	) (*secretsmanager.GetSecretValueOutput, error)
}

// Source reads the current version of a secret's string.
type Source struct{ API API }

// Secret implements secrets.Source. Errors carry the secret's name, never a value.
func (s Source) Secret(ctx context.Context, name string) ([]byte, error) {
	out, err := s.API.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
	var missing *types.ResourceNotFoundException
	switch {
	case errors.As(err, &missing):
		return nil, fmt.Errorf("%w: %s", secrets.ErrNotFound, name)
	case err != nil:
		return nil, fmt.Errorf("secrets: read %s: %w", name, err)
	case out.SecretString == nil:
		return nil, fmt.Errorf("%w: %s has no string", secrets.ErrNotFound, name)
	}
	return []byte(*out.SecretString), nil
}
