package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/workflows"
	"sallyport/shared/awsenv"
	"sallyport/shared/awsenv/awsvault"
	"sallyport/shared/rule"
	"sallyport/shared/seal"
)

func main() {
	vault := awsvault.New(seal.Cached(awsenv.Secrets().Keys))
	lambda.Start(workflows.Evaluator{Store: awsenv.Ledger(), Vault: vault, Decide: rule.Decide, Log: awsenv.Log()})
}
