package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/iron"
	"sallyport/shared/awsenv"
)

func main() {
	lambda.Start(awsenv.Callback(iron.Callback(time.Now)))
}
