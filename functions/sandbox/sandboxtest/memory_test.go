package sandboxtest_test

import (
	"testing"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/sandboxtest"
	"sallyport/functions/sandbox/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) sandbox.Store { return &sandboxtest.Memory{} })
}
