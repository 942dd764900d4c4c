package deployed

import (
	"slices"
	"time"

	"sallyport/functions/digit9"
	"sallyport/functions/equal"
	"sallyport/functions/ezto"
	"sallyport/functions/iron"
	"sallyport/functions/mbanq"
	"sallyport/shared/journey"
)

// Types are the types of journeys that there are.
func Types() []journey.Type {
	return slices.Concat(
		equal.Journeys(time.Now),
		digit9.Journeys(time.Now),
		mbanq.Journeys(time.Now),
		iron.Journeys(time.Now),
		ezto.Journeys(time.Now),
	)
}
