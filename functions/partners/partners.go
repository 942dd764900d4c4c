// Package partners lists the partners. Only what loops over them imports it: no Lambda does.
package partners

import (
	"sallyport/functions/digit9"
	"sallyport/functions/equal"
	"sallyport/functions/ezto"
	"sallyport/functions/iron"
	"sallyport/functions/mbanq"
	"sallyport/shared/partner"
)

// All returns every partner, in the order in which they came.
func All() []partner.Partner {
	return []partner.Partner{
		equal.Partner(),
		digit9.Partner(),
		mbanq.Partner(),
		iron.Partner(),
		ezto.Partner(),
	}
}
