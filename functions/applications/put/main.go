package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/applications"
	"sallyport/shared/awsenv"
)

func main() {
	ledger := awsenv.Ledger()
	lambda.Start(applications.Put(ledger, awsenv.Auth(ledger), awsenv.Log(), time.Now))
}
