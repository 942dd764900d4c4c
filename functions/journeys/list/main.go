package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/journeys"
	"sallyport/shared/awsenv"
)

func main() {
	ledger := awsenv.Ledger()
	service := journeys.Service{Ledger: ledger, Auth: awsenv.Auth(ledger), Log: awsenv.Log()}
	lambda.Start(service.List())
}
