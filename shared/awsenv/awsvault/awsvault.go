// Package awsvault wires the vault of a deployed function.
package awsvault

import (
	"context"
	"os"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sallyport/shared/awsenv"
	"sallyport/shared/seal"
	"sallyport/shared/vault"
	vaults3 "sallyport/shared/vault/s3"
)

// attemptTimeout is longer than awsenv's: a try carries a whole file.
const attemptTimeout = 6 * time.Second

// New makes the vault in the bucket named by VAULT_BUCKET.
func New(ring func(context.Context) (*seal.Ring, error)) *vault.Vault {
	cfg := awsenv.Config()
	cfg.HTTPClient = awshttp.NewBuildableClient().WithTimeout(attemptTimeout)
	client := s3.NewFromConfig(cfg)
	blobs := vaults3.New(client, os.Getenv("VAULT_BUCKET"))
	return &vault.Vault{
		Blobs: blobs, Uploads: vaults3.Uploads{Blobs: blobs, Client: s3.NewPresignClient(client)}, Ring: ring,
	}
}
