package sandbox

import (
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
		caller, err := auth.Authenticate(r.Context(), gateway.Keys(header)...)
		if err == nil && !caller.May(scope) {
			err = errors.New("sandbox: this key may not use " + scope)
		}
		return err
	}
}
