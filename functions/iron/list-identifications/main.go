package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/iron"
	"sallyport/shared/awsenv"
	"sallyport/shared/awsenv/awssecrets"
	"sallyport/shared/operation"
)

func main() {
	config := iron.Config{BaseURL: os.Getenv("IRON_BASE_URL")}
	lambda.Start(operation.New(awsenv.Pipeline(awssecrets.New()), iron.ListIdentifications(config)))
}
