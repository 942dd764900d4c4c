package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/operate/records"
	"sallyport/functions/operate/routes"
	"sallyport/shared/awsenv"
)

func main() {
	ledger := awsenv.Ledger()
	lambda.Start(routes.New(records.All(), ledger, awsenv.Auth(ledger), awsenv.Log()))
}
