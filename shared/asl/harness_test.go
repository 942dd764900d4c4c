package asl_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"sallyport/shared/asl"
	"sallyport/shared/asl/asltest"
)

// corpora are the files of testdata.
func corpora(t testing.TB) map[string]asltest.Corpus {
	t.Helper()
	return asltest.Read(t, "testdata/*.json")
}

// scenarios are those of the files and of the tables.
func scenarios(t testing.TB) []asltest.Scenario {
	t.Helper()
	return slices.Concat(asltest.Scenarios(corpora(t)), choiceScenarios(t), intrinsicScenarios(t), flowScenarios(t))
}

func TestScenariosMatrix(t *testing.T) { asltest.Run(t, scenarios(t)) }

func TestResumeMatrix(t *testing.T) { asltest.Resume(t, scenarios(t)) }

func TestCoverageMatrix(t *testing.T) { asltest.Cover(t, corpora(t)) }

// MustParse is for definitions that are right.
func MustParse(t testing.TB, definition string) *asl.Machine {
	t.Helper()
	m, err := asl.Parse([]byte(definition))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// problems returns why a definition is refused, a line each.
func problems(t testing.TB, definition string) string {
	t.Helper()
	_, err := asl.Parse([]byte(definition))
	if err == nil {
		return ""
	}
	var refused *asl.DefinitionError
	if !errors.As(err, &refused) || len(refused.Problems) == 0 {
		t.Fatalf("Parse fails with %T %v", err, err)
	}
	return strings.TrimPrefix(err.Error(), "asl: ")
}
