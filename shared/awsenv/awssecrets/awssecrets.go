// Package awssecrets wires the secrets of a deployed function.
package awssecrets

import (
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"sallyport/shared/awsenv"
	"sallyport/shared/secrets"
	"sallyport/shared/secrets/awssm"
)

// New makes the secrets of the stage named by STAGE.
func New() *secrets.Cache {
	return secrets.NewCache(awssm.Source{API: secretsmanager.NewFromConfig(awsenv.Config())}, os.Getenv("STAGE"), time.Now)
}
