package bolt

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io"
	"os"
)

// Facts of bbolt's file format: two meta pages begin the file, each with a header of 16 bytes before its meta.
const (
	metaHeader = 16
	metaSize   = 64
	metaMagic  = 0xED0CDAED
)

// errCut: the file ends before what its newest meta page counts.
var errCut = errors.New("the file has been cut")

// checkWhole reports errCut for a file that lacks pages at its end: bbolt maps it, and reading what isn't there ends
// the process. Whatever else is wrong, bbolt itself says.
func checkWhole(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return nil // there is none yet, or bbolt says why
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return nil
	}
	var newest, needed uint64
	pageSize := int64(os.Getpagesize())
	for _, at := range []int64{0, pageSize} {
		meta := make([]byte, metaSize)
		if _, err := file.ReadAt(meta, at+metaHeader); err != nil && !errors.Is(err, io.EOF) {
			return nil
		}
		sum := fnv.New64a()
		_, _ = sum.Write(meta[:metaSize-8])
		field := func(from int) uint64 { return binary.LittleEndian.Uint64(meta[from:]) }
		if binary.LittleEndian.Uint32(meta) != metaMagic || field(56) != sum.Sum64() {
			continue
		}
		if pages, transaction := field(40), field(48); transaction >= newest {
			newest, needed = transaction, pages*uint64(binary.LittleEndian.Uint32(meta[8:]))
		}
	}
	if uint64(info.Size()) < needed {
		return errCut
	}
	return nil
}
