package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.etcd.io/bbolt"

	"sallyport/shared/bolt"
	"sallyport/shared/seal"
	"sallyport/shared/secrets"
)

// The files of a stack's folder. They belong together: with one of them gone, keys would be forgotten and effects
// repeated, or what is sealed could not be read.
const (
	ledgerFile  = "sallyport.db"
	partnerFile = "sandbox.db"
	secretsFile = "secrets.json"
	// unmarkedFile is there until the marks of the two databases are written: when a process dies over that, the next one
	// goes on with it. Nothing has been accepted before.
	unmarkedFile = "unmarked"
)

// marks is a bucket of either database. In it stands a reference that only the keys in secretsFile make.
var (
	marks   = []byte("stack")
	markKey = []byte("keys")
)

// errApart: the files in the folder don't belong together.
type errApart struct{ what, next string }

func (e errApart) Error() string {
	return e.what + ": " + e.next + ", or remove the folder to begin anew"
}

func (m *Main) path(name string) string { return filepath.Join(m.Dir, name) }

// checkFolder refuses a folder that has some of a stack's files and not the others. One that has none, or a secretsFile
// without keys that was prepared by hand, is a new stack's.
func (m *Main) checkFolder() error {
	faults := map[string]string{}
	var there, wrong []string
	for _, name := range []string{ledgerFile, partnerFile, secretsFile} {
		fault, err := m.fault(name)
		if err != nil {
			return err
		}
		if fault == "" {
			there = append(there, name)
			continue
		}
		faults[name] = fault
		wrong = append(wrong, name+" "+fault)
	}
	begun, err := exists(m.path(unmarkedFile))
	switch {
	case err != nil:
		return err
	case len(wrong) == 0, begun:
		return nil
	case len(there) == 0 && faults[ledgerFile] == isMissing && faults[partnerFile] == isMissing &&
		faults[secretsFile] != isEmpty:
		return m.begin()
	}
	what := "in " + m.Dir + ", "
	if len(there) > 0 {
		what += "beside " + strings.Join(there, " and ") + ", "
	}
	return errApart{what + strings.Join(wrong, " and "), "put back what was there"}
}

const (
	isMissing = "is missing"
	isEmpty   = "is empty"
	hasNoKeys = "has no " + keysSecret
)

// fault says what is wrong with one of the files; empty for nothing that shows from outside.
func (m *Main) fault(name string) (string, error) {
	info, err := os.Stat(m.path(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return isMissing, nil
	case err != nil:
		return "", err
	case info.Size() == 0:
		return isEmpty, nil
	case name != secretsFile:
		return "", nil
	}
	_, err = m.secrets().Secret(context.Background(), keysSecret)
	if errors.Is(err, secrets.ErrNotFound) {
		return hasNoKeys, nil
	}
	if err != nil {
		err = errApart{err.Error(), "put it right"}
	}
	return "", err
}

func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// begin says that the databases are to be marked.
func (m *Main) begin() error {
	if err := os.MkdirAll(m.Dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(m.path(unmarkedFile), nil, 0o600)
}

// checkDatabases refuses databases that don't belong to the keys, or not to each other. Those of a new stack it marks,
// and those of a version that marked none; a new stack gets its keys.
func (m *Main) checkDatabases() error {
	unmarked, err := exists(m.path(unmarkedFile))
	if err == nil && !unmarked {
		err = m.checkWritten()
	}
	if err == nil {
		err = m.secrets().Seed(map[string]any{keysSecret: seal.GenerateKeys()})
	}
	if err != nil {
		return err
	}
	text, err := m.secrets().Secret(context.Background(), keysSecret)
	if err != nil {
		return err
	}
	ring, err := seal.ParseRing(text)
	if err != nil {
		return errApart{fmt.Sprintf("%s in %s: %v", keysSecret, m.path(secretsFile), err), "put it right"}
	}
	reference, ofLedger, ofPartners := ring.Reference("stack"), markOf(m.db), markOf(m.partner)
	if !unmarked && ofLedger == "" && ofPartners == "" {
		unmarked = true
		if err := m.begin(); err != nil {
			return err
		}
	}
	if unmarked {
		if err := errors.Join(setMark(m.db, reference), setMark(m.partner, reference)); err != nil {
			return err
		}
		return os.Remove(m.path(unmarkedFile))
	}
	var other string
	switch {
	case ofLedger == reference && ofPartners == reference:
		return nil
	case ofLedger == reference:
		other = partnerFile
	case ofPartners == reference:
		other = ledgerFile
	case ofLedger == ofPartners:
		other = secretsFile
	default:
		other = ledgerFile + ", " + partnerFile + " and " + secretsFile + " each"
	}
	return errApart{"in " + m.Dir + ", " + other + " belongs to another stack", "put back what was there"}
}

// markOf is empty for a database without a mark.
func markOf(db *bolt.DB) (mark string) {
	_ = db.View(func(tx *bbolt.Tx) error {
		if bucket := tx.Bucket(marks); bucket != nil {
			mark = string(bytes.Clone(bucket.Get(markKey)))
		}
		return nil
	})
	return mark
}

func setMark(db *bolt.DB, mark string) error {
	return db.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucketIfNotExists(marks)
		if err != nil {
			return err
		}
		return bucket.Put(markKey, []byte(mark))
	})
}

// checkWritten refuses a ledger in which nothing was ever written.
func (m *Main) checkWritten() error {
	return m.db.View(func(tx *bbolt.Tx) error {
		if first, _ := tx.Cursor().First(); first == nil {
			return errApart{"in " + m.Dir + ", " + ledgerFile + " has nothing in it", "put back what was there"}
		}
		return nil
	})
}
