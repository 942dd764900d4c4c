package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/transactions"
	"sallyport/shared/awsenv"
)

func main() {
	ledger := awsenv.Ledger()
	lambda.Start(transactions.Get(ledger, awsenv.Auth(ledger), awsenv.Log(), time.Now))
}
