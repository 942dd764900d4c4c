package digit9

import (
	"context"
	"net/http"

	"sallyport/shared/gateway"
	"sallyport/shared/operation"
	"sallyport/shared/source"
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
				return in, &gateway.InputError{
					Pointer: "ecrn", Reason: "must have 1 to 20 letters and digits", Source: source.Safety("part of the path"),
				}
			}
			return in, nil
		},
		Resource: func(in customerNumber) string { return ownedCustomer(in.ECRN) },
		Call: func(ctx context.Context, call operation.Call, in customerNumber) operation.Outcome {
			resp, failed := c.send(ctx, call, http.MethodGet, getPath+in.ECRN, nil)
			if failed != nil {
				return *failed
			}
			if _, readable := readAnswer(resp.Status, resp.Body); resp.Status == http.StatusNotFound && !readable {
				return notFound()
			}
			return classifyRead(resp)
		},
		Output: summaryOf,
	}
}
