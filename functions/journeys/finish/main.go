package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/journeys/deployed"
	"sallyport/shared/awsenv/awsvault"
)

func main() {
	service := deployed.Service()
	service.Types = deployed.Types()
	service.Vault = awsvault.New(service.Ring)
	lambda.Start(service.Finish)
}
