package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/ezto/rule"
	"sallyport/functions/workflows"
	"sallyport/shared/awsenv"
	"sallyport/shared/awsenv/awssecrets"
	"sallyport/shared/awsenv/awsvault"
	"sallyport/shared/seal"
)

func main() {
	vault := awsvault.New(seal.Cached(awssecrets.New().Keys))
	lambda.Start(workflows.Evaluator{Store: awsenv.Ledger(), Vault: vault, Decide: rule.Decide, Log: awsenv.Log()})
}
