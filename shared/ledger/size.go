package ledger

import (
	"cmp"
	"maps"
	"slices"
)

// MaxItem is the largest record that a ledger takes, in bytes: an item of DynamoDB's.
const MaxItem = 400 << 10

// Sizes of a journey's record, in bytes as Size counts them, whose sum stays below MaxItem.
const (
	// MaxJourneyStart is of one that has just been started.
	MaxJourneyStart = 64 << 10
	// MaxJourneyInputs is of one with all the inputs that it has accepted.
	MaxJourneyInputs = 280 << 10
	// MaxAwaiting is of what a wait shows.
	MaxAwaiting = 80 << 10
	// MaxOutcome is of an outcome: one that has ended waits no more.
	MaxOutcome = 96 << 10
	// MaxRefs is of references, of a journey's as of a transaction's.
	MaxRefs = 8 << 10
	// MaxDelivered is how many events are noted as delivered, a number.
	MaxDelivered = 128
)

// Size is how many bytes the record takes at most, as DynamoDB counts them: the names of attributes as well.
func (j Journey) Size() int {
	const fixed, element = 2 << 10, 8 // names, times and numbers; what lies around an element of a list or a map
	size := fixed + 4*(len(j.ID)+len(j.Tenant)) + len(j.Type) + len(j.Reason) + len(j.Fingerprint) + len(j.Input) +
		len(j.Outcome)
	for _, texts := range [][]string{j.Documents, j.Delivered} {
		for _, text := range texts {
			size += element + len(text)
		}
	}
	for name, value := range j.Refs {
		size += element + len(name) + len(value)
	}
	for name, in := range j.Inputs {
		size += 8*element + len(name) + len(in.Fingerprint) + len(in.Token) + len(in.Output)
	}
	if a := j.Awaiting; a != nil {
		size += a.Size() + len(a.ID) + len(a.Kind) + len(a.Token) + len(a.Record)
		for _, kind := range a.Accepts {
			size += element + len(kind)
		}
	}
	return size
}

// Size is how many bytes what the wait shows takes at most.
func (a Awaiting) Size() int {
	size := len(a.Sealed)
	for name, value := range a.Details {
		size += 8 + len(name) + len(value)
	}
	return size
}

// CapRefs returns references without those that the record has no place for: the longest go first.
func CapRefs(refs map[string]string) map[string]string {
	kept := map[string]string{}
	size := 0
	for _, name := range shortestFirst(refs) {
		if size += 8 + len(name) + len(refs[name]); size > MaxRefs {
			break
		}
		kept[name] = refs[name]
	}
	if len(kept) == len(refs) {
		return refs
	}
	return kept
}

func shortestFirst(refs map[string]string) []string {
	return slices.SortedFunc(maps.Keys(refs), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(refs[a]), len(refs[b])), cmp.Compare(a, b))
	})
}
