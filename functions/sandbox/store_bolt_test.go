package sandbox_test

import (
	"testing"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/sandboxtest"
	"sallyport/functions/sandbox/storetest"
)

func TestBolt(t *testing.T) {
	storetest.Run(t, func(t *testing.T) sandbox.Store {
		return sandboxtest.NewBolt(t)
	})
}
