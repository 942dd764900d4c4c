package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/documents"
	"sallyport/shared/awsenv"
	"sallyport/shared/awsenv/awssecrets"
	"sallyport/shared/awsenv/awsvault"
	"sallyport/shared/operation"
	"sallyport/shared/seal"
)

func main() {
	ledger, ring := awsenv.Ledger(), seal.Cached(awssecrets.New().Keys)
	lambda.Start(documents.Create(awsvault.New(ring), awsenv.Auth(ledger), awsenv.Log(), time.Now, operation.NewID))
}
