package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/digit9"
	"sallyport/shared/awsenv"
	"sallyport/shared/awsenv/awssecrets"
	"sallyport/shared/awsenv/awssteps"
)

func main() {
	lambda.Start(awsenv.Callback(digit9.Callback(), awssecrets.New(), awssteps.New()))
}
