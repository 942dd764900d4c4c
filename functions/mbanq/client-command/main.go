package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/mbanq"
	"sallyport/shared/awsenv"
	"sallyport/shared/awsenv/awssecrets"
	"sallyport/shared/operation"
)

func main() {
	config := mbanq.Config{BaseURL: os.Getenv("MBANQ_BASE_URL")}
	lambda.Start(operation.New(awsenv.Pipeline(awssecrets.New()), mbanq.ClientCommand(config)))
}
