package main_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

const (
	// functionsDir keeps the compiled functions, so that a later run links only what has changed.
	functionsDir = "../../.build/functions"
	// handlerOnly is the folder of a command that does nothing but ask for invocations.
	handlerOnly = "testdata/handler"
)

// commands are the folders below functions whose main is for people, and no Lambda.
var commands = []string{"local", "operator", "scaffold"}

// compile compiles all functions as they are deployed, but for this machine, and handlerOnly.
var compile = sync.OnceValue(func() (failed error) {
	groups, failed := os.ReadDir("..")
	for _, group := range groups {
		name := group.Name()
		if group.IsDir() && name != "partners" && !slices.Contains(commands, name) {
			failed = errors.Join(failed, compileInto(name, "../"+name+"/..."))
		}
	}
	return errors.Join(failed, compileInto(filepath.Dir(handlerOnly), "./"+handlerOnly))
})

// compileInto compiles commands into a folder below functionsDir.
func compileInto(folder, commands string) error {
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w",
		"-o", filepath.Join(functionsDir, folder)+"/", commands)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// binary returns where a function's binary is, once it is compiled.
func binary(folder string) string {
	if !strings.Contains(folder, "/") {
		folder += "/" + folder
	}
	return filepath.Join(functionsDir, folder)
}
