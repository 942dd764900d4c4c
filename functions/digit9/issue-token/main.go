package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/digit9"
	"sallyport/shared/awsenv"
	"sallyport/shared/awsenv/awssecrets"
	"sallyport/shared/operation"
)

func main() {
	config := digit9.Config{BaseURL: os.Getenv("DIGIT9_BASE_URL")}
	lambda.Start(operation.New(awsenv.Pipeline(awssecrets.New()), digit9.IssueToken(config)))
}
