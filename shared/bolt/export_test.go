package bolt

// Waiting returns how many callers of Update wait for their turn.
func (db *DB) Waiting() int { return int(db.waiting.Load()) }

// Allocated returns how many bytes of pages the transactions so far have written.
func (db *DB) Allocated() int64 {
	stats := db.file.Stats().TxStats
	return stats.GetPageAlloc()
}
