package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/iron"
	"sallyport/shared/awsenv"
	"sallyport/shared/awsenv/awssecrets"
	"sallyport/shared/awsenv/awssteps"
)

func main() {
	lambda.Start(awsenv.Callback(iron.Callback(time.Now), awssecrets.New(), awssteps.New()))
}
