package main

import (
	"io"
	"log/slog"
	"net/http"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/shared/operation"
	"sallyport/shared/telemetry"
)

// NewFront makes the front alone, before functions by their folders, for what measures them.
func NewFront(template string, functions map[string]lambda.Handler) (http.Handler, error) {
	routes, err := readRoutes(template)
	return &front{
			routes: routes, handlers: functions, log: telemetry.NewLogger(io.Discard, slog.LevelInfo), newID: operation.NewID,
		},
		err
}
