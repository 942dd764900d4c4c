package bolt

import (
	"errors"

	"go.etcd.io/bbolt"

	"sallyport/shared/ledger"
)

// Fill writes records in one commit, as they are given.
func (l *Ledger) Fill(ts []ledger.Transaction, js []ledger.Journey) error {
	return l.db.Update(func(tx *bbolt.Tx) (err error) {
		for _, t := range ts {
			_, failed := transactions.store(tx, t.ID, ledger.Transaction{}, t)
			err = errors.Join(err, failed)
		}
		for _, j := range js {
			_, failed := journeys.store(tx, j.ID, ledger.Journey{}, j)
			err = errors.Join(err, failed)
		}
		return err
	})
}
