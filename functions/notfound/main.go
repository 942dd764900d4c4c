package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/shared/gateway"
	"sallyport/shared/telemetry"
)

func main() {
	lambda.Start(gateway.NotFound(telemetry.NewLogger(os.Stdout, slog.LevelInfo)))
}
