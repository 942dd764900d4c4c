// Package s3test has as much of S3's REST interface as the vault uses, for tests: a bucket in memory that shows what
// its lifecycle would sweep.
package s3test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Object is what lies under a key.
type Object struct {
	Body    []byte
	Expires string // its metadata
	Tag     string // as "keep=days"
}

// Bucket is an http.Handler. It may be used concurrently.
type Bucket struct {
	mu      sync.Mutex
	objects map[string]Object // by path
	copies  int
}

// New starts a bucket named "vault", and returns a client for it.
func New(t testing.TB) (*Bucket, *s3.Client, *httptest.Server) {
	b := &Bucket{objects: map[string]Object{}}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	return b, s3.New(s3.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String(server.URL), UsePathStyle: true,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	}), server
}

// Objects returns what lies there, by path.
func (b *Bucket) Objects() map[string]Object {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := map[string]Object{}
	for path, object := range b.objects {
		all[path] = object
	}
	return all
}

// Copies counts objects that were copied onto themselves.
func (b *Bucket) Copies() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.copies
}

// Sweep does what the lifecycle does a day after everything was put there: what is tagged for days goes.
func (b *Bucket) Sweep() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for path, object := range b.objects {
		if object.Tag == "keep=days" {
			delete(b.objects, path)
		}
	}
}

// ServeHTTP implements http.Handler.
func (b *Bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	object, found := b.objects[r.URL.Path]
	absent := func() {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `<Error><Code>NoSuchKey</Code></Error>`)
	}
	switch r.Method {
	case http.MethodPut:
		body, _ := io.ReadAll(r.Body)
		if source := r.Header.Get("X-Amz-Copy-Source"); source != "" {
			switch {
			case "/"+source != r.URL.Path || r.Header.Get("X-Amz-Metadata-Directive") != "REPLACE" ||
				r.Header.Get("X-Amz-Tagging-Directive") != "REPLACE":
				w.WriteHeader(http.StatusBadRequest) // a copy onto itself that changes nothing
				return
			case !found:
				absent()
				return
			}
			body = object.Body
			b.copies++
			_, _ = io.WriteString(w, `<CopyObjectResult></CopyObjectResult>`)
		}
		b.objects[r.URL.Path] = Object{body, r.Header.Get("X-Amz-Meta-Expires"), r.Header.Get("X-Amz-Tagging")}
	case http.MethodDelete:
		delete(b.objects, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	default:
		if !found {
			absent()
			return
		}
		w.Header().Set("X-Amz-Meta-Expires", object.Expires)
		w.Header().Set("Content-Length", fmt.Sprint(len(object.Body)))
		if r.Method == http.MethodGet {
			_, _ = w.Write(object.Body)
		}
	}
}

// Tag returns the tag of the object under a key.
func (b *Bucket) Tag(key string) string {
	return b.Objects()["/vault/"+strings.TrimPrefix(key, "/")].Tag
}
