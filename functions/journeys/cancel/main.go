package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/journeys/deployed"
	"sallyport/shared/awsenv/awssteps"
	"sallyport/shared/awsenv/awsvault"
)

func main() {
	service := deployed.Service()
	service.Vault = awsvault.New(service.Ring)
	service.Orchestrator = awssteps.New()
	lambda.Start(service.Cancel())
}
