package main_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

var budgets = flag.String("budgets", "", "which budgets to measure, as a regular expression; all of them take minutes")

// reading is a row of the table of budgets.
type reading struct {
	what   string
	budget float64 // the most that is allowed; zero for none
	value  float64
	unit   string
	note   string
}

func (r reading) over() bool { return r.budget > 0 && r.value > r.budget }

// measurement takes readings. The more effort, the more often it repeats what it measures.
type measurement struct {
	name string
	take func(t *testing.T, effort int) []reading
}

func measurements() []measurement {
	all := []measurement{
		{"calls, against a bare reverse proxy", measureCalls},
		{"allocations of calls", measureAllocations},
	}
	for _, filling := range slices.Sorted(maps.Keys(fillings)) {
		all = append(all, measurement{"large answers: " + filling, func(t *testing.T, effort int) []reading {
			return measureAnswer(t, effort, filling)
		}})
	}
	return append(all,
		measurement{"starts of all functions", measureStarts},
		measurement{"journeys on the local stack", measureJourneys},
		measurement{"restart of the local stack", measureRestart},
	)
}

// moreEffort is how much more often a measurement repeats what it measures when it was over a budget: a machine that is
// busy makes readings worse, but no budget larger.
const moreEffort = 3

// TestBudgets measures what the design allows at most, prints it as a table, and fails over a budget.
func TestBudgets(t *testing.T) {
	if *budgets == "" {
		t.Skip("make bench measures the budgets")
	}
	wanted, err := regexp.Compile(*budgets)
	if err != nil {
		t.Fatal(err)
	}
	var all []reading
	for _, m := range measurements() {
		if wanted.MatchString(m.name) {
			all = append(all, m.readings(t)...)
		}
	}
	if len(all) == 0 {
		t.Fatalf("no budget is named like %q", *budgets)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "what\tbudget\tmeasured\tok\t")
	document := "| what | budget | measured | |\n|---|---|---|---|\n"
	for _, r := range all {
		budget, ok := "-", "-"
		if r.budget > 0 {
			budget, ok = show(r.budget, r.unit), "yes"
		}
		if r.over() {
			ok = "NO"
			t.Errorf("%s: %s, the budget is %s", r.what, show(r.value, r.unit), budget)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", r.what, budget, show(r.value, r.unit), ok, r.note)
		document += fmt.Sprintf("| %s | %s | %s | %s |\n", r.what, budget, show(r.value, r.unit), r.note)
	}
	if err := table.Flush(); err != nil {
		t.Error(err)
	}
	if *update {
		writeBudgets(t, document)
	}
}

// writeBudgets writes the table between the marks of the document of budgets.
func writeBudgets(t *testing.T, table string) {
	t.Helper()
	const file, begin, end = "../../shared/docs/budgets.md", "<!-- measured -->\n", "<!-- end of measured -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", file)
	}
	if err := os.WriteFile(file, []byte(before+begin+table+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// readings takes the readings, once more with more effort where one is over its budget.
func (m measurement) readings(t *testing.T) []reading {
	began := time.Now()
	progress("%s", m.name)
	readings := m.take(t, 1)
	if i := slices.IndexFunc(readings, reading.over); i >= 0 {
		progress(
			"  over the budget, so measured for longer: %s was %s", readings[i].what, show(readings[i].value, readings[i].unit),
		)
		readings = m.take(t, moreEffort)
	}
	progress("  took %.0f s", time.Since(began).Seconds())
	return readings
}

// progress tells a person who waits what is being done.
func progress(format string, values ...any) { fmt.Fprintf(os.Stderr, format+"\n", values...) }

// show writes a value with three digits at least, and its unit.
func show(value float64, unit string) string {
	decimals := 2
	if value >= 100 {
		decimals = 0
	}
	return strconv.FormatFloat(value, 'f', decimals, 64) + unit
}
