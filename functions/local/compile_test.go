package main_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

const (
	// functionsDir keeps the compiled functions, so that a later run links only what has changed.
	functionsDir = "../../.build/functions"
	// handlerOnly is the folder of a command that does nothing but ask for invocations.
	handlerOnly = "testdata/handler"
)

// lambdas returns the folders of all functions: whatever has a main that starts a Lambda.
func lambdas() (folders []string, failed error) {
	for _, pattern := range []string{"../*/main.go", "../*/*/main.go"} {
		mains, err := filepath.Glob(pattern)
		failed = errors.Join(failed, err)
		for _, file := range mains {
			text, err := os.ReadFile(file)
			failed = errors.Join(failed, err)
			if strings.Contains(string(text), "lambda.Start") {
				folders = append(folders, strings.TrimPrefix(filepath.ToSlash(filepath.Dir(file)), "../"))
			}
		}
	}
	return folders, failed
}

// compile compiles all functions as they are deployed, but for this machine, and handlerOnly.
var compile = sync.OnceValue(func() (failed error) {
	folders, failed := lambdas()
	compiled := map[string]bool{}
	for _, folder := range folders {
		group, _, _ := strings.Cut(folder, "/")
		if !compiled[group] {
			compiled[group] = true
			failed = errors.Join(failed, compileInto(group, "../"+group+"/..."))
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
