// Package s3 keeps the vault's blobs in an S3 bucket, one object each. What they hold is sealed before it comes here;
// the bucket encrypts it once more, and a lifecycle rule sweeps what has expired.
package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"sallyport/shared/vault"
)

// API is the part of the S3 client in use.
type API interface {
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	CopyObject(context.Context, *s3.CopyObjectInput, ...func(*s3.Options)) (*s3.CopyObjectOutput, error)
	DeleteObject(context.Context, *s3.DeleteObjectInput, ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
}

const (
	expires     = "expires" // the metadata that tells when a blob counts as absent
	contentType = "application/octet-stream"
	maxBlob     = 16 << 20 // bytes; what is larger was not put there by the vault

	// The bucket's lifecycle sweeps by this tag: what is kept for a day at most sooner than the rest.
	keepDays  = "keep=days"
	keepLong  = "keep=long"
	shortLife = 24 * time.Hour
)

// Blobs implements vault.Blobs.
type Blobs struct {
	// Now tells which blobs have expired; time.Now if nobody sets it.
	Now    func() time.Time
	client API
	bucket string
}

// New makes Blobs in a bucket.
func New(client API, bucket string) *Blobs {
	return &Blobs{Now: time.Now, client: client, bucket: bucket}
}

// Put implements vault.Blobs.
func (b *Blobs) Put(ctx context.Context, key string, blob []byte, at time.Time) error {
	in := b.put(key, at)
	in.Body = bytes.NewReader(blob)
	_, err := b.client.PutObject(ctx, in)
	return err
}

func (b *Blobs) put(key string, at time.Time) *s3.PutObjectInput {
	return &s3.PutObjectInput{
		Bucket: &b.bucket, Key: &key, ContentType: aws.String(contentType), Tagging: b.tag(at), Metadata: metadata(at),
	}
}

// tag is what the bucket's lifecycle sweeps by.
func (b *Blobs) tag(at time.Time) *string {
	if at.Sub(b.Now()) <= shortLife {
		return aws.String(keepDays)
	}
	return aws.String(keepLong)
}

func metadata(at time.Time) map[string]string {
	return map[string]string{expires: at.UTC().Format(time.RFC3339Nano)}
}

// Expires implements vault.Blobs.
func (b *Blobs) Expires(ctx context.Context, key string) (time.Time, error) {
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.bucket, Key: &key})
	var none *types.NotFound
	if errors.As(err, &none) {
		return time.Time{}, vault.ErrNotFound
	}
	if err != nil {
		return time.Time{}, err
	}
	return b.unexpired(out.Metadata)
}

// unexpired reads when an object expires, or returns vault.ErrNotFound where it has.
func (b *Blobs) unexpired(metadata map[string]string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339Nano, metadata[expires])
	if err != nil || !b.Now().Before(at) {
		return time.Time{}, vault.ErrNotFound
	}
	return at, nil
}

// Extend implements vault.Blobs. Metadata and tags are written with an object only, so it is copied onto itself.
func (b *Blobs) Extend(ctx context.Context, key string, at time.Time) error {
	now, err := b.Expires(ctx, key)
	if err != nil || !now.Before(at) {
		return err
	}
	_, err = b.client.CopyObject(ctx, &s3.CopyObjectInput{
		Bucket: &b.bucket, Key: &key, CopySource: aws.String(b.bucket + "/" + url.PathEscape(key)),
		ContentType: aws.String(contentType), MetadataDirective: types.MetadataDirectiveReplace, Metadata: metadata(at),
		TaggingDirective: types.TaggingDirectiveReplace, Tagging: b.tag(at),
	})
	var none *types.NoSuchKey
	if errors.As(err, &none) {
		return vault.ErrNotFound
	}
	return err
}

// Uploads implements vault.Uploads by presigned requests, which carry the rights of whoever made them.
type Uploads struct {
	Blobs  *Blobs
	Client *s3.PresignClient
}

// Upload implements vault.Uploads.
func (u Uploads) Upload(ctx context.Context, key string, size int64, permitted, at time.Time) (vault.Upload, error) {
	in := u.Blobs.put(key, at)
	in.ContentLength, in.IfNoneMatch = &size, aws.String("*") // once, while it lies there
	signed, err := u.Client.PresignPutObject(ctx, in, s3.WithPresignExpires(permitted.Sub(u.Blobs.Now())))
	if err != nil {
		return vault.Upload{}, err
	}
	upload := vault.Upload{URL: signed.URL, Header: map[string]string{}}
	for name, values := range signed.SignedHeader {
		if name != "Host" {
			upload.Header[name] = values[0]
		}
	}
	return upload, nil
}

// Get implements vault.Blobs.
func (b *Blobs) Get(ctx context.Context, key string) ([]byte, error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.bucket, Key: &key})
	var none *types.NoSuchKey
	if errors.As(err, &none) {
		return nil, vault.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	if _, err := b.unexpired(out.Metadata); err != nil {
		return nil, err
	}
	size := min(max(aws.ToInt64(out.ContentLength), 0), maxBlob)
	blob := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead)) // in one piece: blobs are as large as files
	if _, err = blob.ReadFrom(io.LimitReader(out.Body, maxBlob+1)); err == nil && blob.Len() > maxBlob {
		err = errors.New("s3: blob exceeds the limit")
	}
	return blob.Bytes(), err
}

// Delete implements vault.Blobs.
func (b *Blobs) Delete(ctx context.Context, key string) error {
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.bucket, Key: &key})
	return err
}
