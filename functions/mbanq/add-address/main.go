package main

import (
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/mbanq"
	"sallyport/shared/awsenv"
	"sallyport/shared/awsenv/awssecrets"
	"sallyport/shared/awsenv/awsvault"
	"sallyport/shared/operation"
)

func main() {
	config := mbanq.Config{BaseURL: os.Getenv("MBANQ_BASE_URL")}
	pipeline := awsenv.Pipeline(awssecrets.New())
	pipeline.Vault = awsvault.New(pipeline.Ring) // a state machine hands personal data over by reference
	lambda.Start(operation.New(pipeline, mbanq.AddAddress(config)))
}
