package bolt

import (
	"errors"

	"go.etcd.io/bbolt"

	"sallyport/shared/ledger"
)

// Fill writes records in one commit, as they are given.
func (l *Ledger) Fill(transactions []ledger.Transaction, journeys []ledger.Journey) error {
	return l.db.Update(func(tx *bbolt.Tx) (err error) {
		for _, t := range transactions {
			_, failed := store(tx, ledger.Transaction{}, t)
			err = errors.Join(err, failed)
		}
		for _, j := range journeys {
			_, failed := storeJourney(tx, ledger.Journey{}, j)
			err = errors.Join(err, failed)
		}
		return err
	})
}
