package ezto

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"sallyport/shared/tolerant"
)

// Paths below the base URL (§2). That of the result is inferred.
func transactionPath(workspace string) string {
	return "/auth/realms/" + workspace + "/protocol/openid-connect/transaction"
}
func resultPath(workspace string) string { return transactionPath(workspace) + "/result" }
func certsPath(workspace string) string {
	return "/auth/realms/" + workspace + "/protocol/openid-connect/certs"
}

// credentials is the secret "partners/ezto": a workspace and its applications, by names of the operator's choice.
type credentials struct {
	Workspace string `json:"workspace"`
	// of a workspace that is elsewhere than the deployment's; https
	BaseURL      string                 `json:"base_url,omitzero"`
	Applications map[string]application `json:"applications"`
}

// application is what EZTO has issued for one.
type application struct {
	ID     string `json:"app_id"`
	Secret string `json:"app_secret"`

	// How its callbacks come (§7): "plaintext", which an empty one is as well, "token" or "encrypted".
	ResponseType string `json:"response_type"`
	// What encrypted ones are encrypted with: 32 bytes each, as they are or in any base64. Two live values allow a
	// rotation.
	EncryptionKeys []string `json:"encryption_keys,omitzero"`
	// What plaintext ones must show, which prove nothing by themselves: the URL that the hook calls has one of these in
	// its query, as "key". Values under 16 characters don't count, and without any such callbacks are refused. Two live
	// values allow a rotation.
	CallbackKeys []string `json:"callback_keys,omitzero"`
}

// url returns where a path of the workspace is, empty for a base URL that no secret may be sent to.
func (c credentials) url(config Config, path func(workspace string) string) string {
	base := config.BaseURL
	if c.BaseURL != "" {
		if !strings.HasPrefix(c.BaseURL, "https://") {
			return ""
		}
		base = strings.TrimSuffix(c.BaseURL, "/")
	}
	return base + path(url.PathEscape(c.Workspace))
}

// find returns an application by its name or else its app_id; without either, the only one that there is.
func (c credentials) find(named string) (name string, a application, ok bool) {
	if a, ok = c.Applications[named]; ok {
		return named, a, true
	}
	for _, name := range slices.Sorted(maps.Keys(c.Applications)) {
		if a := c.Applications[name]; named == "" && len(c.Applications) == 1 || named != "" && a.ID == named {
			return name, a, true
		}
	}
	return "", a, false
}

// triggered is what the gateway reads of the answer to a trigger (§5).
type triggered struct {
	Handle    string
	ExpiresIn time.Duration
	Interval  time.Duration
}

func readTriggered(text []byte) (t triggered, ok bool) {
	m := object(text)
	t = triggered{
		Handle: m.Text("auth_req_id"), ExpiresIn: tolerant.Seconds(m["expires_in"]),
		Interval: tolerant.Seconds(m["interval"]),
	}
	return t, t.Handle != ""
}

// Result is a final result (§6), brought into one form. Claims that were not selected are absent: nil, or empty.
type Result struct {
	Workflow   string
	UserID     string
	RequestID  string
	IEC        string // upper case
	Verified   *bool  // whether the check finished, not whether the licence is good
	VerifiedAt time.Time
	Name       string
	Status     string // Valid, Suspended, Cancelled, Deactivated, or the partner's own word
	PAN        string // upper case
	Address    string
	// Implausible are the names of members that cannot be right: of an identifier or a name that has lost its form, or is
	// blank, or an identifier that the answer has in two ways.
	Implausible []string
}

// ReadResult reads one; ok tells whether it is a result at all.
func ReadResult(text []byte) (r Result, ok bool) {
	m := object(text)
	r = Result{
		Workflow: m.Word("workflow"), UserID: m.Text("user_id", "userId"), RequestID: m.Text("request_id", "requestId"),
		IEC: strings.ToUpper(m.Text("iec_code", "ie_code")), Verified: m.Truth("iec_verified"),
		VerifiedAt: tolerant.Time(m["iec_verified_at"]),
		Name:       m.Word("name"), Status: normalStatus(m.Word("iec_status")), PAN: strings.ToUpper(m.Text("pan")),
		Address: m.Word("address"), Implausible: implausible(m),
	}
	return r, m != nil && r.RequestID != "" && m.Word("error") == ""
}

// Statuses of a licence (§12).
const (
	StatusValid       = "Valid"
	StatusSuspended   = "Suspended"
	StatusCancelled   = "Cancelled"
	StatusDeactivated = "Deactivated"
)

// normalStatus brings a status into its usual spelling; one that nobody knows stays as it is.
func normalStatus(text string) string {
	switch strings.ToLower(text) {
	case "valid", "active":
		return StatusValid
	case "suspended":
		return StatusSuspended
	case "cancelled", "canceled":
		return StatusCancelled
	case "deactivated", "inactive":
		return StatusDeactivated
	}
	return text
}

// Accepted reports whether a result stands for a good licence: the check finished, and the licence is valid.
func (r Result) Accepted() bool { return r.Verified != nil && *r.Verified && r.Status == StatusValid }

// implausible returns the names of a result's members that cannot be right (§12.1).
func implausible(m tolerant.Object) (names []string) {
	for _, claim := range []struct {
		name  string
		right func(string) bool
	}{{"iec_code", isIEC}, {"ie_code", isIEC}, {"pan", isPAN}, {"name", tolerant.IsName}} {
		value := m[claim.name]
		if kind := value.Kind(); kind != 0 && kind != 'n' && !claim.right(strings.ToUpper(tolerant.Text(value))) {
			names = append(names, claim.name)
		}
	}
	one, other := strings.ToUpper(m.Text("iec_code")), strings.ToUpper(m.Text("ie_code"))
	if one != other && one != "" && other != "" && len(names) == 0 {
		names = []string{"iec_code", "ie_code"}
	}
	return names
}

// isIEC tells what is made like a licence's number (§12.1): ten digits, as of old, or a PAN.
func isIEC(text string) bool {
	return len(text) == 10 && strings.Trim(text, "0123456789") == "" || isPAN(text)
}

// Mismatch reports whether the licence's number is made like a PAN and is not the holder's.
func (r Result) Mismatch() bool { return isPAN(r.IEC) && r.PAN != "" && r.IEC != r.PAN }

// isPAN tells what is made like a PAN (§12.1).
func isPAN(text string) bool {
	const letters, digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	return len(text) == 10 && strings.Trim(text[:3]+text[4:5]+text[9:], letters) == "" &&
		strings.Contains("ABCFGHJLPT", text[3:4]) && strings.Trim(text[5:9], digits) == ""
}

// object reads an object, also one with a comma after its last member, as the partner's own sample has it. What is no
// object is nil.
func object(text []byte) tolerant.Object {
	if m := tolerant.ReadObject(text); m != nil {
		return m
	}
	return tolerant.ReadObject(tolerant.WithoutTrailingCommas(tolerant.JSON(text)))
}

// ownedTransaction names a transaction by its handle, which is long and opaque.
func ownedTransaction(handle string) string {
	sum := sha256.Sum256([]byte(handle))
	return "ezto/transaction/" + hex.EncodeToString(sum[:16])
}
