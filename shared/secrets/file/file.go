// Package file reads secrets from one JSON file, for local development: an object of secret names and values.
package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sallyport/shared/secrets"
)

// Source reads the file anew at every call, so that an edit counts at the next refresh.
type Source struct{ Path string }

// Secret implements secrets.Source.
func (s Source) Secret(_ context.Context, name string) ([]byte, error) {
	all, err := s.read()
	if err != nil {
		return nil, err
	}
	value, ok := all[name]
	if !ok {
		return nil, fmt.Errorf("%w: %s", secrets.ErrNotFound, name)
	}
	return value, nil
}

// Seed writes those of values that the file does not have yet, in a file that only its owner can read.
func (s Source) Seed(values map[string]any) error {
	all, err := s.read()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if all == nil {
		all = map[string]jsontext.Value{}
	}
	added := false
	for name, value := range values {
		if _, ok := all[name]; ok {
			continue
		}
		if all[name], err = json.Marshal(value); err != nil {
			return err
		}
		added = true
	}
	if !added {
		return nil
	}
	text, err := json.Marshal(all, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	temp := s.Path + ".new"
	if err := os.WriteFile(temp, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(temp, s.Path)
}

func (s Source) read() (map[string]jsontext.Value, error) {
	text, err := os.ReadFile(s.Path)
	if err != nil {
		return nil, fmt.Errorf("secrets: %w", err)
	}
	var all map[string]jsontext.Value
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("secrets: %s is not a JSON object of names and values", s.Path)
	}
	return all, nil
}
