package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/journeys/deployed"
	"sallyport/shared/awsenv/awssteps"
	"sallyport/shared/awsenv/awsvault"
)

func main() {
	service := deployed.Service()
	service.Vault = awsvault.New(service.Ring) // where large answers are
	service.Orchestrator = awssteps.New()      // what a partner has told already ends a wait at once
	lambda.Start(service.Await)
}
