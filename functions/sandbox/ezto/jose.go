package ezto

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"

	"sallyport/functions/sandbox"
)

// tokenLifetime is how long a token is good for, in real time: longer than its callback may be repeated or late.
const tokenLifetime = 24 * time.Hour

// keptKey is a signing key as it is kept.
type keptKey struct {
	PKCS8 []byte `json:"pkcs8"`
}

const signingKeyKey = "ezto/signing-key"

// signingKey returns the key that signs tokens under the id that is its thumbprint.
func (e *simulation) signingKey(c *sandbox.Call) (jose.JSONWebKey, error) {
	key := e.SigningKey
	if key == nil {
		var kept keptKey
		if c.Load(signingKeyKey, &kept) {
			parsed, err := x509.ParsePKCS8PrivateKey(kept.PKCS8)
			if err != nil {
				return jose.JSONWebKey{}, err
			}
			var ok bool
			if key, ok = parsed.(*rsa.PrivateKey); !ok {
				return jose.JSONWebKey{}, errors.New("sandbox: the signing key in the store is not RSA's")
			}
		} else {
			var err error
			if key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
				return jose.JSONWebKey{}, err
			}
			if kept.PKCS8, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
				return jose.JSONWebKey{}, err
			}
			c.Save(signingKeyKey, kept)
		}
	}
	jwk := jose.JSONWebKey{Key: key, Algorithm: string(jose.RS256), Use: "sig"}
	thumbprint, err := jwk.Thumbprint(crypto.SHA256)
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return jwk, err
}

// listCerts shows the public part of the signing key (§11). It needs no credentials.
func (e *simulation) listCerts(c *sandbox.Call) sandbox.Answer {
	key, err := e.signingKey(c)
	c.Fail(err)
	return sandbox.JSON(http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}})
}

// token returns members as a signed JWT (§11), which the workspace's realm issues.
func (e *simulation) token(c *sandbox.Call, t *transaction, members []member) (string, error) {
	key, err := e.signingKey(c)
	if err != nil {
		return "", err
	}
	claims := map[string]any{
		"iss": t.Origin + "/sandbox/ezto/auth/realms/" + e.Workspace,
		"aud": e.Applications[t.Application].ID,
		"iat": c.Now.Unix(),
		"exp": c.Now.Add(tokenLifetime).Unix(),
	}
	for _, m := range members {
		claims[m.name] = m.value
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithType("JWT"),
	)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(sandbox.Encode(claims))
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// encrypt returns a compact JWE, dir and A128CBC-HS256; key has 32 bytes.
func encrypt(key, plain []byte) (string, error) {
	encrypter, err := jose.NewEncrypter(jose.A128CBC_HS256, jose.Recipient{Algorithm: jose.DIRECT, Key: key}, nil)
	if err != nil {
		return "", err
	}
	encrypted, err := encrypter.Encrypt(plain)
	if err != nil {
		return "", err
	}
	return encrypted.CompactSerialize()
}

// newHandle returns an auth_req_id of the form and the length that they have (§5). Nobody, not even EZTO, can read
// one.
func newHandle() (string, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return "", err
	}
	return encrypt(key, bytes.Repeat([]byte(rand.Text()), 20))
}
