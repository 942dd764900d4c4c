// Package simulators lists the simulated partners.
package simulators

import (
	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/digit9"
	"sallyport/functions/sandbox/equal"
	"sallyport/functions/sandbox/ezto"
	"sallyport/functions/sandbox/iron"
	"sallyport/functions/sandbox/mbanq"
)

// All returns every simulated partner, with its default options, in the order of their names.
func All() []sandbox.Simulator {
	return []sandbox.Simulator{
		digit9.New(digit9.Options{}),
		equal.New(equal.Options{}),
		ezto.New(ezto.Options{}),
		iron.New(iron.Options{}),
		mbanq.New(mbanq.Options{}),
	}
}
