package tolerant

import (
	"encoding/base64"
	"strings"
)

// Base64 decodes base64 of either alphabet, with or without padding; nil for what is none, and for an empty text.
func Base64(text string) []byte {
	standard := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	decoded, err := base64.RawStdEncoding.DecodeString(standard)
	if err != nil || len(decoded) == 0 {
		return nil
	}
	return decoded
}
