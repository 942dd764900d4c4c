package main_test

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	main "sallyport/functions/local"
)

// TestReadme runs the first minute's commands as they stand, and the curl that the program prints.
func TestReadme(t *testing.T) {
	t.Parallel()
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
	if len(blocks) != 4 || blocks[0][1] != "make run\n" {
		t.Fatalf("%d blocks", len(blocks))
	}
	s := MustRun(t)
	out := shell(t, s.URL, blocks[1][1]+blocks[2][1]+blocks[3][1])
	for want, times := range map[string]int{
		`"status":"IN_PROGRESS"`: 1, `"name":"MEERA KULKARNI"`: 2, `"status":"WAITING"`: 1, `"status":"SUCCEEDED"`: 1,
		`"aadhaar_no":"XXXXXXXX0016"`: 1, `"transactions":[`: 1,
		"Gateway-Error: outcome_unknown": 3, "HTTP/1.1 200 OK": 2, "HTTP/1.1 500 ": 3,
	} {
		if n := strings.Count(out, want); n != times {
			t.Errorf("%q came %d times, want %d, in\n%s", want, n, times, out)
		}
	}
	if n := s.effects("execute-journey"); n != 5 {
		t.Errorf("%d effects: two steps, one lost answer, and a journey's two steps", n)
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

// TestReadmeSettings runs the commands that configure a verification, and have one made.
func TestReadmeSettings(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("SKIPPED: the README's commands need curl") // TestReadme fails where it is required
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	setting := regexp.MustCompile("(?m)^(URL|KEY|JSON)=.*\n").FindAllString(string(readme), -1)
	text, err := os.ReadFile("../ezto/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Workspace settings\n")
	_, script, _ := strings.Cut(section, "```sh\n")
	script, _, _ = strings.Cut(script, "```")
	s := MustRun(t)
	out := shell(t, s.URL, strings.Join(setting, "")+script)
	for _, want := range []string{
		`"rule":"country == 'IN'"`, `"notification_way":"ping"`, "<h1>Completed</h1>", `"status":"SUCCEEDED"`,
		`"ie_code":"AAXCT4821K"`, `"iec_status":"Valid"`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%s is missing in\n%s", want, out)
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

func TestDamagedState(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(dir string) error{
		"no keys": func(dir string) error { return os.Remove(filepath.Join(dir, "secrets.json")) },
		"keys":    func(dir string) error { return os.WriteFile(filepath.Join(dir, "secrets.json"), []byte(`{}`), 0o600) },
		"short key": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "secrets.json"), []byte(`{"sallyport/local/keys":{"id":"short"}}`), 0o600)
		},
		"cut": func(dir string) error { return os.Truncate(filepath.Join(dir, "sallyport.db"), 5000) },
		"garbage": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "sallyport.db"), []byte("garbage"), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := &main.Main{
				Address: "127.0.0.1:0", Dir: filepath.Join(t.TempDir(), "state"), Template: template, TimeScale: 1,
				Log: slog.New(slog.DiscardHandler),
			}
			if err := m.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
			if err := damage(m.Dir); err != nil {
				t.Fatal(err)
			}
			again := &main.Main{Address: m.Address, Dir: m.Dir, Template: template, TimeScale: 1, Log: m.Log}
			if err := again.Run(t.Context()); err == nil || strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("said %v", err)
			} else {
				t.Log(err)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	if m, err := main.New(func(string) string { return "" }); err != nil || m.Address != "127.0.0.1:3000" {
		t.Errorf("listens on %s, %v: it must be the loopback interface", m.Address, err)
	}
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
