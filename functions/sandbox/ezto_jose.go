package sandbox

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
)

// eztoTokenLifetime is how long a token is good for, in real time: longer than its callback may be repeated or late.
const eztoTokenLifetime = 24 * time.Hour

// eztoSigningKey is a signing key as it is kept.
type eztoSigningKey struct {
	PKCS8 []byte `json:"pkcs8"`
}

const eztoSigningKeyKey = "ezto/signing-key"

// signingKey returns the key that signs tokens under the id that is its thumbprint.
func (e *ezto) signingKey(c *call) (jose.JSONWebKey, error) {
	key := e.SigningKey
	if key == nil {
		var kept eztoSigningKey
		found, err := load(c, eztoSigningKeyKey, &kept)
		if err != nil {
			return jose.JSONWebKey{}, err
		}
		if found {
			parsed, err := x509.ParsePKCS8PrivateKey(kept.PKCS8)
			if err != nil {
				return jose.JSONWebKey{}, err
			}
			var ok bool
			if key, ok = parsed.(*rsa.PrivateKey); !ok {
				return jose.JSONWebKey{}, errors.New("sandbox: the signing key in the store is not RSA's")
			}
		} else {
			if key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
				return jose.JSONWebKey{}, err
			}
			if kept.PKCS8, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
				return jose.JSONWebKey{}, err
			}
			if err := save(c, eztoSigningKeyKey, kept); err != nil {
				return jose.JSONWebKey{}, err
			}
		}
	}
	jwk := jose.JSONWebKey{Key: key, Algorithm: string(jose.RS256), Use: "sig"}
	thumbprint, err := jwk.Thumbprint(crypto.SHA256)
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return jwk, err
}

// listCerts shows the public part of the signing key (ezto §11). It needs no credentials.
func (e *ezto) listCerts(c *call) (answer, error) {
	key, err := e.signingKey(c)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}})}, nil
}

// token returns members as a signed JWT (ezto §11), which the workspace's realm issues.
func (e *ezto) token(c *call, t *eztoTransaction, members []eztoMember) (string, error) {
	key, err := e.signingKey(c)
	if err != nil {
		return "", err
	}
	claims := map[string]any{
		"iss": t.Origin + "/sandbox/ezto/auth/realms/" + e.Workspace,
		"aud": e.Applications[t.Application].ID,
		"iat": c.now.Unix(),
		"exp": c.now.Add(eztoTokenLifetime).Unix(),
	}
	for _, m := range members {
		claims[m.name] = m.value
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(encode(claims))
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// encryptEZTO returns a compact JWE, dir and A128CBC-HS256; key has 32 bytes.
func encryptEZTO(key, plain []byte) (string, error) {
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

// newEZTOHandle returns an auth_req_id of the form and the length that they have (ezto §5). Nobody, not even EZTO, can read
// one.
func newEZTOHandle() (string, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return "", err
	}
	return encryptEZTO(key, bytes.Repeat([]byte(rand.Text()), 20))
}
