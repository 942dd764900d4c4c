package sandbox

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	"sallyport/shared/gateway"
)

// scope is what a caller's key must hold for the admin routes.
const scope = "sandbox"

// CallerOnly lets the holders of a caller's key with the scope "sandbox" use the admin routes; for
// Options.Authenticate.
func CallerOnly(auth *gateway.Authenticator) func(*http.Request) error {
	return func(r *http.Request) error {
		header := map[string]string{}
		for name, values := range r.Header {
			header[strings.ToLower(name)] = strings.Join(values, ",")
		}
		caller, err := auth.Authenticate(r.Context(), gateway.Key(header))
		if err == nil && !caller.May(scope) {
			err = errors.New("sandbox: this key may not use " + scope)
		}
		return err
	}
}

// same compares pairs of what was given and what is right, in a time that doesn't tell where they differ.
func same(pairs ...string) bool {
	equal := 1
	for i := 0; i < len(pairs); i += 2 {
		got, want := sha256.Sum256([]byte(pairs[i])), sha256.Sum256([]byte(pairs[i+1]))
		equal &= subtle.ConstantTimeCompare(got[:], want[:])
	}
	return equal == 1
}
