// Command scaffold writes a new partner, or a new operation of one, into the checkout in which it runs: as "scaffold
// partner NAME", or as "scaffold operation PARTNER NAME KIND".
package main

import (
	"fmt"
	"os"

	"sallyport/shared/scaffold"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "sallyport:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	var report scaffold.Report
	var err error
	switch {
	case len(args) == 2 && args[0] == "partner":
		report, err = scaffold.Partner(".", args[1])
	case len(args) == 4 && args[0] == "operation":
		report, err = scaffold.Operation(".", args[1], args[2], args[3])
	default:
		err = fmt.Errorf("%q is no command: make partner NAME=tiny is, and make operation PARTNER=tiny NAME=close-thing", args)
	}
	for _, file := range report.Written {
		fmt.Println("new     ", file)
	}
	for _, file := range report.Changed {
		fmt.Println("changed ", file)
	}
	for _, todo := range report.Todo {
		fmt.Println("to do   ", todo)
	}
	return err
}
