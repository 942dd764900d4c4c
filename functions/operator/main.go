// Command operator is for those who operate a deployed stage. It reads LEDGER_TABLE, AWS_REGION and AWS credentials
// from the environment. As "operator caller" it registers a caller.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"sallyport/shared/awsenv"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "sallyport:", err)
		os.Exit(1)
	}
}

// run runs the command that the first argument names.
func run(ctx context.Context, args []string) error {
	command := ""
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	switch command {
	case "caller":
		return registerCaller(ctx, awsenv.Ledger(), args, os.Stdout, os.Stderr)
	}
	return fmt.Errorf("%q is no command: caller is", command)
}
