package main_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"sallyport/shared/seal"
	"sallyport/shared/vault"
)

// TestOnboardingMemoryMatrix: an onboarding with a photo of 4 MB takes at its peak three times the memory of the body
// that is sent, above what the function takes anyway.
func TestOnboardingMemoryMatrix(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED, memory is measured on Linux only")
	}
	s := deployed(t)
	photo := bytes.Repeat([]byte{0xff, 0xd8, 0x00, 0x42}, 1<<20)
	for _, test := range []struct {
		name  string
		most  float64 // of the body's size; zero for whatever it is
		event func(number string, photo []byte) []byte
	}{
		{"ByReference", 3, func(number string, photo []byte) []byte {
			reference := fmt.Sprintf(`{"document_id":%q}`, s.upload(photo))
			return s.onboardTask(number, s.kept(number, withPhoto(number, reference)))
		}},
		{"InOneDocument", 3, func(number string, photo []byte) []byte {
			return s.onboardTask(number, s.put(withPhoto(number, `"`+base64.StdEncoding.EncodeToString(photo)+`"`)))
		}},
		{"ByHTTP", 0, func(number string, photo []byte) []byte {
			photo = photo[:min(len(photo), 3_300_000)] // just what a Lambda takes
			return event(t, withPhoto(number, `"`+base64.StdEncoding.EncodeToString(photo)+`"`), number, nil)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			function := s.start("digit9/onboard-customer")
			measure := func(number string, photo []byte) (idle, peak int64) {
				event := test.event(number, photo)
				idle = function.memory("VmRSS")
				if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", function.process.Pid), []byte("5"), 0); err != nil {
					t.Skipf("SKIPPED, the peak can't be reset: %v", err)
				}
				if out := function.invoke(event); !bytes.Contains(out, []byte("success")) {
					t.Fatalf("got %s", out)
				}
				return idle, function.memory("VmHWM")
			}
			measure("784199000010017", photo[:16]) // so that all the code has been there
			idle, peak := measure("784199000020017", photo)
			sent := s.sent.Load()
			_, warm := measure("784199000030017", photo) // with what the one before has left behind
			ratio := float64(peak-idle) / float64(sent)
			t.Logf(
				"%d KB are sent; %d KB idle, at the peak %d KB more: %.2f times; next time %d KB more", sent>>10, idle>>10,
				(peak-idle)>>10, ratio, (warm-idle)>>10,
			)
			if test.most > 0 && ratio > test.most {
				t.Errorf("it takes %.2f times the memory of what is sent, at most %.1f are wanted", ratio, test.most)
			}
		})
	}
}

// withPhoto is a customer with a profile photo.
func withPhoto(number, photo string) string {
	return customer(number, `"profile_photo":{"base64_data":"AAAA"`, `"profile_photo":{"base64_data":`+photo)
}

// upload puts a file into the vault past the functions, and returns its reference.
func (s *stage) upload(file []byte) string {
	s.t.Helper()
	request, err := json.Marshal(events.APIGatewayV2HTTPRequest{
		Headers:               map[string]string{"authorization": "Bearer key"},
		QueryStringParameters: map[string]string{"upload": strconv.Itoa(len(file))},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	var created struct {
		ID     string `json:"document_id"`
		Upload struct {
			URL     string            `json:"url"`
			Headers map[string]string `json:"headers"`
		} `json:"upload"`
	}
	MustDecode(s.t, s.http("documents/create", request).Body, &created)
	header := http.Header{"No-Key": {""}}
	for name, value := range created.Upload.Headers {
		header.Set(name, value)
	}
	if got, err := send("", "PUT", created.Upload.URL, header, string(file)); err != nil || got.status != 200 {
		s.t.Fatalf("upload: %v %d %s", err, got.status, got.body)
	}
	return created.ID
}

// kept has a journey start with a customer, and returns the reference under which the journey keeps it.
func (s *stage) kept(key, customer string) string {
	s.t.Helper()
	started := s.http(
		"journeys/start", event(s.t, `{"customer":`+customer+`}`, key, map[string]string{"type": "partner-onboarding"}),
	)
	request, ok := s.last("StartExecution")
	if !ok {
		s.t.Fatalf("got %+v", started)
	}
	var input struct {
		Customer struct {
			ID string `json:"document_id"`
		} `json:"customer"`
	}
	MustDecode(s.t, request.Input, &input)
	return input.Customer.ID
}

// put puts a document into the vault, larger than callers can, and returns its reference.
func (s *stage) put(document string) string {
	s.t.Helper()
	ring := seal.Cached(func(context.Context) ([]byte, error) { return []byte(s.secrets["sallyport/test/keys"]), nil })
	v := vault.Vault{Blobs: bucket{aws: s.aws}, Ring: ring}
	id := fmt.Sprint("document-", len(document))
	if err := v.Put(s.t.Context(), "acme", id, []byte(document), time.Now().Add(time.Hour)); err != nil {
		s.t.Fatal(err)
	}
	return id
}

// bucket is the vault's, to put something there as an adapter would.
type bucket struct {
	vault.Blobs
	aws *aws
}

func (b bucket) Put(_ context.Context, key string, blob []byte, expires time.Time) error {
	b.aws.mu.Lock()
	defer b.aws.mu.Unlock()
	b.aws.objects["/vault/"+key], b.aws.expires["/vault/"+key] = blob, expires.UTC().Format(time.RFC3339Nano)
	return nil
}

// onboardTask is what a state machine sends to have a customer onboarded.
func (s *stage) onboardTask(execution, reference string) []byte {
	return fmt.Appendf(
		nil, `{"task":{"tenant":"acme","execution":%q,"state":"Onboard","index":0,"round":0},"body":{"document_id":%q}}`,
		execution, reference,
	)
}

// memory reads one of a function's sizes, in bytes.
func (f *function) memory(name string) int64 {
	f.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", f.process.Pid))
	if err != nil {
		f.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), name+":")
	text, _, _ := strings.Cut(rest, " kB")
	size, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		f.t.Fatal(err)
	}
	return size << 10
}
