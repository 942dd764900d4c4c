package main

import (
	"strings"

	"go.etcd.io/bbolt"

	"sallyport/shared/bolt"
)

// DB is the file with the gateway's own state.
func (m *Main) DB() *bolt.DB { return m.db }

// PartnerDB is the file with the simulated partners' state.
func (m *Main) PartnerDB() *bolt.DB { return m.partner }

// Unmark makes of a database one of a version that marked none.
func Unmark(path string) error {
	db, err := bolt.Open(path)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Update(func(tx *bbolt.Tx) error { return tx.DeleteBucket(marks) })
}

// OwnRoutes returns the routes of a template that are Sallyport's own, by their keys and functions.
func OwnRoutes(template string) (map[string]string, error) {
	routes, err := readRoutes(template)
	own := map[string]string{}
	for _, r := range routes {
		switch folder, _, _ := strings.Cut(r.service, "/"); folder {
		case "journeys", "transactions", "documents", "workflows", "applications", "operate":
			own[r.key()] = r.service
		}
	}
	return own, err
}
