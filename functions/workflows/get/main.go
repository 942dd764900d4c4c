package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/workflows"
	"sallyport/shared/awsenv"
)

func main() {
	ledger := awsenv.Ledger()
	lambda.Start(workflows.Get(ledger, awsenv.Auth(ledger), awsenv.Log()))
}
