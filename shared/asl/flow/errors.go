package flow

import "strings"

// All, in a Catch, takes every error that no Catch before it takes.
const All = "States.ALL"

// Retry says how often, and after which pauses, a task that failed is tried again.
type Retry struct {
	ErrorEquals     []string
	IntervalSeconds int
	BackoffRate     float64
	MaxAttempts     int
	MaxDelaySeconds int    `json:",omitempty"`
	JitterStrategy  string `json:",omitempty"`
}

// Catch leads to a state where errors of some names are left over.
type Catch struct {
	ErrorEquals []string
	ResultPath  any // where the error goes
	Next        string
}

// On catches errors, whose names are separated by spaces; the error goes to $.error.
func On(names, next string) Catch { return OnAt(names, "$.error", next) }

// OnAt catches errors, whose names are separated by spaces; the error goes to a path.
func OnAt(names, resultPath, next string) Catch {
	return Catch{ErrorEquals: strings.Fields(names), ResultPath: path(resultPath), Next: next}
}

// Else catches what c doesn't as well, and leads to another state with it.
func (c Catch) Else(next string) []Catch { return []Catch{c, On(All, next)} }
