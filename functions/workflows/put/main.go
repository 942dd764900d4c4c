package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/ezto/rule"
	"sallyport/functions/workflows"
	"sallyport/shared/awsenv"
)

func main() {
	ledger := awsenv.Ledger()
	lambda.Start(workflows.Put(ledger, rule.Check, awsenv.Auth(ledger), awsenv.Log(), time.Now))
}
