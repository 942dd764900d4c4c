package main_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	main "sallyport/functions/local"
)

// TestReadme runs the first minute's commands as they stand, and the curl that the program prints.
func TestReadme(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("REQUIRE_ALL") == "1" {
			t.Fatal("curl is required")
		}
		t.Skip("SKIPPED: the README's commands need curl")
	}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## The first minute\n")
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(section, -1)
	if len(blocks) != 3 || blocks[0][1] != "make run\n" {
		t.Fatalf("%d blocks", len(blocks))
	}
	s := MustRun(t)
	out := shell(t, s.URL, blocks[1][1]+blocks[2][1])
	for want, times := range map[string]int{
		`"status":"IN_PROGRESS"`: 1, `"name":"MEERA KULKARNI"`: 1, `"aadhaar_no":"XXXXXXXX0016"`: 1, `"transactions":[`: 1,
		"Gateway-Error: outcome_unknown": 3, "HTTP/1.1 200 OK": 2, "HTTP/1.1 500 ": 3,
	} {
		if n := strings.Count(out, want); n != times {
			t.Errorf("%q came %d times, want %d, in\n%s", want, n, times, out)
		}
	}
	if n := s.effects("execute-journey"); n != 3 {
		t.Errorf("%d effects: two steps and one lost answer", n)
	}
	var greeting strings.Builder
	s.Greet(&greeting)
	for _, line := range strings.Split(greeting.String(), "\n") {
		if _, command, ok := strings.Cut(line, "curl "); ok {
			if out := shell(t, s.URL, "curl "+command); !strings.Contains(out, `"status"`) {
				t.Errorf("the printed curl answered %s", out)
			}
		}
	}
}

func shell(t *testing.T, url, script string) string {
	t.Helper()
	cmd := exec.Command("sh", "-eu", "-c", strings.ReplaceAll(script, "http://127.0.0.1:3000", url))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

func TestSettings(t *testing.T) {
	for name, value := range map[string]string{"PORT": "abc", "SANDBOX_TIME_SCALE": "0"} {
		_, err := main.New(func(asked string) string {
			if asked == name {
				return value
			}
			return ""
		})
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), value) {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
}
