package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/ezto"
	"sallyport/shared/awsenv"
	"sallyport/shared/awsenv/awssecrets"
	"sallyport/shared/operation"
)

func main() {
	config := ezto.Config{BaseURL: os.Getenv("EZTO_BASE_URL")}
	lambda.Start(operation.New(awsenv.Pipeline(awssecrets.New()), ezto.GetResult(config)))
}
