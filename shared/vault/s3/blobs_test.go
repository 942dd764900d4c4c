package s3_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sallyport/shared/vault"
	vaults3 "sallyport/shared/vault/s3"
	"sallyport/shared/vault/s3/s3test"
)

func TestBlobs(t *testing.T) {
	fake, client, server := s3test.New(t)
	blobs, ctx, now := vaults3.New(client, "vault"), t.Context(), time.Now()
	blobs.Now = func() time.Time { return now }
	blob := bytes.Repeat([]byte{0, 255, '\n', 'a'}, 1<<18)
	if err := blobs.Put(ctx, "key", blob, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got, err := blobs.Get(ctx, "key"); err != nil || !bytes.Equal(got, blob) {
		t.Errorf("%d bytes came back, %v", len(got), err)
	}
	for path := range fake.Objects() {
		if !strings.HasPrefix(path, "/vault/") {
			t.Errorf("stored at %s", path)
		}
	}
	if tag := fake.Tag("key"); tag != "keep=days" {
		t.Errorf("an hour's blob is tagged %s", tag)
	}
	month := now.Add(30 * 24 * time.Hour)
	if err := blobs.Put(ctx, "extended", blob, now.Add(24*time.Hour)); err != nil ||
		fake.Tag("extended") != "keep=days" {
		t.Errorf("a day's blob is tagged %s, %v", fake.Tag("extended"), err)
	}
	for _, at := range []time.Time{month, month, now} { // again, and never sooner
		if err := blobs.Extend(ctx, "extended", at); err != nil {
			t.Error(err)
		}
		if got, err := blobs.Expires(ctx, "extended"); err != nil || !got.Equal(month) {
			t.Errorf("expires at %s, %v", got, err)
		}
	}
	if got, err := blobs.Get(ctx, "extended"); err != nil || !bytes.Equal(got, blob) ||
		fake.Tag("extended") != "keep=long" || fake.Copies() != 1 {
		t.Errorf("%d bytes after %d copies, tagged %s, %v", len(got), fake.Copies(), fake.Tag("extended"), err)
	}
	if err := blobs.Delete(ctx, "extended"); err != nil {
		t.Error(err)
	}
	if _, err := blobs.Expires(ctx, "extended"); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("absent: %v", err)
	}
	if err := blobs.Extend(ctx, "extended", month); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("absent: %v", err)
	}
	if err := blobs.Put(ctx, "month", []byte("x"), now.Add(30*24*time.Hour)); err != nil ||
		fake.Tag("month") != "keep=long" {
		t.Errorf("a month's blob is tagged %s, %v", fake.Tag("month"), err)
	}
	if err := blobs.Delete(ctx, "month"); err != nil {
		t.Error(err)
	}
	if _, err := blobs.Get(ctx, "other"); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("absent: %v", err)
	}
	now = now.Add(time.Hour)
	if _, err := blobs.Get(ctx, "key"); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("expired: %v", err)
	}
	if err := blobs.Extend(ctx, "key", month); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("expired: %v", err)
	}
	for range 2 {
		if err := blobs.Delete(ctx, "key"); err != nil {
			t.Error(err)
		}
	}
	if len(fake.Objects()) != 0 {
		t.Error("the object is still there")
	}
	upload, err := vaults3.Uploads{
		Blobs: blobs, Client: s3.NewPresignClient(client),
	}.Upload(ctx, "upload-1", 5, now.Add(10*time.Minute), now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPut, upload.URL, strings.NewReader("photo"))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range upload.Header {
		req.Header.Set(name, value)
	}
	if resp, err := http.DefaultClient.Do(req); err != nil || resp.StatusCode != 200 {
		t.Fatalf("%+v, %v", resp, err)
	}
	if got, err := blobs.Get(ctx, "upload-1"); err != nil || string(got) != "photo" ||
		fake.Tag("upload-1") != "keep=days" {
		t.Errorf("uploaded %q, %v, tag %s", got, err, fake.Tag("upload-1"))
	}
	query, err := url.ParseQuery(upload.URL[strings.Index(upload.URL, "?")+1:])
	if err != nil || query.Get("X-Amz-Expires") != "600" ||
		!strings.Contains(query.Get("X-Amz-SignedHeaders"), "content-length") {
		t.Errorf("signed %v", query)
	}
	server.Close()
	if _, err := blobs.Get(ctx, "key"); err == nil || errors.Is(err, vault.ErrNotFound) {
		t.Errorf("down: %v", err)
	}
}
