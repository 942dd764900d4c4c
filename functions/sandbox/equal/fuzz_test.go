package equal_test

import (
	"testing"
)

func FuzzServeHTTP(f *testing.F) { suite().FuzzServeHTTP(f) }
