package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/applications"
	"sallyport/shared/awsenv"
)

func main() {
	ledger := awsenv.Ledger()
	lambda.Start(applications.Get(ledger, awsenv.Auth(ledger), awsenv.Log()))
}
