package digit9

import (
	"context"
	"net/http"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
)

// maxCustomer is how much of a customer is read, in bytes: it may hold the documents that were handed in, and a Lambda
// answers no more.
const maxCustomer = 5 << 20

// customerNumber is the input of GetCustomer.
type customerNumber struct {
	ECRN string `json:"ecrn"`
}

// GetCustomer reads a customer by the partner's number (§7). The contract leaves its answers open; they are
// taken for a lookup's, and a 404 for "not found".
func GetCustomer(c Config) operation.Operation[customerNumber] {
	return operation.Operation[customerNumber]{
		Name:      "digit9/get-customer",
		Errors:    c.renderRead(getGatewayPath),
		MaxAnswer: maxCustomer,
		Decode: func(req gateway.Request) (customerNumber, error) {
			in := customerNumber{req.Params["ecrn"]}
			if !isECRN(in.ECRN) {
				return in, &gateway.InputError{Pointer: "ecrn", Reason: "must have 1 to 20 letters and digits"}
			}
			return in, nil
		},
		Resource: func(in customerNumber) string { return ownedCustomer(in.ECRN) },
		Call: func(ctx context.Context, call operation.Call, in customerNumber) operation.Outcome {
			resp, failed := c.send(ctx, call, http.MethodGet, getPath+in.ECRN, nil)
			switch {
			case failed != nil:
				return *failed
			case resp.Status == http.StatusNotFound && !new(answer).read(resp.Body):
				return notFound()
			}
			return classifyRead(resp)
		},
		Output: summaryOf,
	}
}
