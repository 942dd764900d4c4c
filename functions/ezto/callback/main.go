package main

import (
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/ezto"
	"sallyport/shared/awsenv"
	"sallyport/shared/awsenv/awssecrets"
	"sallyport/shared/awsenv/awssteps"
	"sallyport/shared/upstream"
)

func main() {
	config := ezto.Config{BaseURL: os.Getenv("EZTO_BASE_URL")}
	lambda.Start(awsenv.Callback(ezto.Callback(config, upstream.New(), time.Now), awssecrets.New(), awssteps.New()))
}
