package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/mbanq"
	"sallyport/shared/awsenv"
)

func main() {
	lambda.Start(awsenv.Callback(mbanq.Callback()))
}
