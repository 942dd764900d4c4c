package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"go.etcd.io/bbolt"

	main "sallyport/functions/local"
	"sallyport/shared/asl"
	"sallyport/shared/bolt"
)

// maxRestartMemory is how much memory a restart with 10,000 waiting journeys may take, in bytes.
const maxRestartMemory = 200 << 20

// lastWaiting begins the id of the journey that a restart comes to after all others.
const lastWaiting = "ffffffff"

// restarted is what a program tells of its restart.
type restarted struct {
	Commits int64  // until the last journey had ended
	Peak    int    // resident memory, in bytes
	Status  string // of the last journey
}

// TestRestartMatrix starts the program with few and with many journeys that wait, and with one whose time is up. Those
// that only wait cost no commit, and little memory.
func TestRestartMatrix(t *testing.T) {
	if dir := os.Getenv("SALLYPORT_TEST_RESTART"); dir != "" {
		restart(t, dir)
		return
	}
	if testing.Short() {
		t.Skip("SKIPPED, with -short: ten thousand journeys")
	}
	t.Parallel()
	var few, many restarted
	for n, got := range map[int]*restarted{10: &few, 10_000: &many} {
		*got = restartWith(t, n)
		t.Logf("%d journeys: %d commits, %d MB", n, got.Commits, got.Peak>>20)
		if got.Status != "EXPIRED" {
			t.Errorf("with %d journeys, the last one is %s", n, got.Status)
		}
	}
	if many.Commits > few.Commits+5 { // writes at the same time may share a commit
		t.Errorf("%d commits with 10 waiting journeys, %d with 10,000", few.Commits, many.Commits)
	}
	if many.Peak > maxRestartMemory && !raced() {
		t.Errorf("%d MB with 10,000 waiting journeys", many.Peak>>20)
	}
}

// restartWith restarts a program that has n journeys that wait, as a process of its own.
func restartWith(t *testing.T, n int) (got restarted) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestRestartMatrix$")
	cmd.Env = append(os.Environ(), "SALLYPORT_TEST_RESTART="+waitingJourneys(t, n))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	MustDecode(t, line, &got)
	return got
}

// restart runs the program until the last journey has ended, and prints what it took.
func restart(t *testing.T, dir string) {
	var commits atomic.Int64
	s := MustRun(t, func(m *main.Main) {
		m.Dir, m.TimeScale = dir, patient
		m.OnWrite = func(stage string) {
			if stage == "after" {
				commits.Add(1)
			}
		}
	})
	id, err := os.ReadFile(filepath.Join(dir, "last"))
	if err != nil {
		t.Fatal(err)
	}
	view := s.follow(string(id), ended)
	s.endedExecution(string(id))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	line, err := json.Marshal(restarted{commits.Load(), peak(), view.Status})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(string(line))
}

// endedExecution waits for the end of a journey's execution, which comes after the journey is shown as ended.
func (s *stack) endedExecution(id string) (execution *asl.Execution) {
	s.t.Helper()
	waitFor(s.t, func() bool {
		var err error
		if execution, err = s.Execution(id); err != nil {
			s.t.Fatal(err)
		}
		return execution.Status != asl.Running
	})
	return execution
}

// peak is the most memory that this process has had resident, in bytes; zero where the system doesn't tell.
func peak() int {
	status, _ := os.ReadFile("/proc/self/status")
	found := regexp.MustCompile(`VmHWM:\s*(\d+) kB`).FindSubmatch(status)
	if found == nil {
		return 0
	}
	kilobytes, _ := strconv.Atoi(string(found[1]))
	return kilobytes << 10
}

// patient is a time scale at which no wait ends by itself during a test.
const patient = 0.01

// waitingJourneys makes the state of a program with n journeys that wait for an OTP, and one more whose wait is over.
// All are copies of one that a program has brought there.
func waitingJourneys(t *testing.T, n int) (dir string) {
	s := MustRun(t, func(m *main.Main) { m.TimeScale = patient })
	id := s.startJourney("k", happy)
	s.follow(id, waiting)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(filepath.Join(s.Dir, "sallyport.db"))
	if err != nil {
		t.Fatal(err)
	}
	rows, ids := original(t, db)
	for from := 0; from < n; from += 1000 {
		err := db.Update(func(tx *bbolt.Tx) error {
			for i := from; i < min(from+1000, n); i++ {
				if err := copyRows(tx, rows, ids, fmt.Sprintf("%08x", i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, row := range rows {
		if row.buckets[0] == "orchestrator/executions" {
			rows[i].value = deadline.ReplaceAllString(row.value, `"deadline":"2020-01-01T00:00:00Z"`)
		}
	}
	err = db.Update(func(tx *bbolt.Tx) error { return copyRows(tx, rows, ids, lastWaiting) })
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.Dir, "last"), []byte(lastWaiting+id[len(lastWaiting):]), 0o600); err != nil {
		t.Fatal(err)
	}
	return s.Dir
}

var deadline = regexp.MustCompile(`"deadline":"[^"]*"`)

// row is a row of a file, in buckets within each other.
type row struct {
	buckets    []string
	key, value string
}

// original returns the rows of a file that belong to its only journey, and the ids in them that are no other's.
func original(t *testing.T, db *bolt.DB) (rows []row, ids []string) {
	var read func(buckets []string, b *bbolt.Bucket) error
	read = func(buckets []string, b *bbolt.Bucket) error {
		return b.ForEach(func(k, v []byte) error {
			if v == nil && b.Bucket(k) != nil {
				return read(append(slices.Clone(buckets), string(k)), b.Bucket(k))
			}
			rows = append(rows, row{buckets, string(k), string(v)})
			switch buckets[0] {
			case "ledger/journeys", "ledger/journey-keys", "ledger/transactions", "vault/blobs":
				ids = append(ids, string(k))
			}
			return nil
		})
	}
	err := db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error { return read([]string{string(name)}, b) })
	})
	if err != nil || len(ids) < 5 {
		t.Fatalf("%d rows with %d ids, %v", len(rows), len(ids), err)
	}
	return rows, ids
}

// copyRows writes rows once more, under ids that begin as told.
func copyRows(tx *bbolt.Tx, rows []row, ids []string, prefix string) error {
	var pairs []string
	for _, id := range ids {
		pairs = append(pairs, id, prefix+id[len(prefix):])
	}
	renamed := strings.NewReplacer(pairs...)
	for _, row := range rows {
		bucket, err := tx.CreateBucketIfNotExists([]byte(row.buckets[0]))
		for _, name := range row.buckets[1:] {
			if err == nil {
				bucket, err = bucket.CreateBucketIfNotExists([]byte(renamed.Replace(name)))
			}
		}
		if err != nil {
			return err
		}
		if err := bucket.Put([]byte(renamed.Replace(row.key)), []byte(renamed.Replace(row.value))); err != nil {
			return err
		}
	}
	return nil
}

// raced reports whether the race detector runs, which takes memory of its own.
func raced() bool {
	info, _ := debug.ReadBuildInfo()
	return info != nil && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
