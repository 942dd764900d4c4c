package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/shared/awsenv"
	"sallyport/shared/gateway"
)

func main() {
	lambda.Start(gateway.NotFound(awsenv.Log()))
}
