package sandbox

// Strict is the setting by which a simulated partner refuses what no page of the partner's forbids, but what it is
// inferred to refuse. By default it takes such things, as nobody knows what the live system does.
func Strict() Setting { return Setting{Name: "strict", Values: []string{"published", "inferred"}} }

// IsStrict reports whether the partner is set to go by inferred rules too.
func (c *Call) IsStrict() bool { return c.Setting("strict") == "inferred" }
