package ledger

import (
	"bytes"
	"time"
)

// Setting is a document by which a tenant configures how its journeys run. It holds no personal data and never expires.
type Setting struct {
	Tenant    string
	Kind      string    // WorkflowSetting or ApplicationSetting
	Name      string    // unique within tenant and kind
	Document  []byte    // JSON
	Version   int       // 1 where there was none, raised by every write
	UpdatedAt time.Time // of the present version
}

// Kinds of settings. None holds a "#", which ends it in a key.
const (
	WorkflowSetting    = "workflow"
	ApplicationSetting = "application"
)

// AnyVersion is what PutSetting writes over where whatever is there, or nothing, is to be replaced.
const AnyVersion = -1

// WrittenAs reports whether the setting as it stands is what writing s over a version has left.
func (s Setting) WrittenAs(standing Setting, over int) bool {
	return standing.Version > 0 && standing.UpdatedAt.Equal(s.UpdatedAt) && bytes.Equal(standing.Document, s.Document) &&
		(over == AnyVersion || standing.Version == over+1)
}
