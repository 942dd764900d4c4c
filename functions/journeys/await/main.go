package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/journeys/deployed"
)

func main() {
	lambda.Start(deployed.Service().Await)
}
