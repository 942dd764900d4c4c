package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/digit9"
	"sallyport/shared/awsenv"
)

func main() {
	lambda.Start(awsenv.Callback(digit9.Callback()))
}
