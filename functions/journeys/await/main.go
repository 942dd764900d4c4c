package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/journeys/deployed"
	"sallyport/shared/awsenv"
)

func main() {
	service := deployed.Service()
	service.Orchestrator = awsenv.Orchestrator() // what a partner has told already ends a wait at once
	lambda.Start(service.Await)
}
