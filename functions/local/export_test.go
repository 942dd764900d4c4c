package main

import "sallyport/shared/bolt"

// DB is the file with the gateway's own state.
func (m *Main) DB() *bolt.DB { return m.db }

// PartnerDB is the file with the simulated partners' state.
func (m *Main) PartnerDB() *bolt.DB { return m.partner }
