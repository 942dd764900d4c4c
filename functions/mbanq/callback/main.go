package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/mbanq"
	"sallyport/shared/awsenv"
	"sallyport/shared/awsenv/awssecrets"
	"sallyport/shared/awsenv/awssteps"
)

func main() {
	lambda.Start(awsenv.Callback(mbanq.Callback(), awssecrets.New(), awssteps.New()))
}
