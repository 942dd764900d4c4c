package workspace

// Facts are what a rule may ask about one verification. Members of Metadata and Claims are what JSON has: nil, bool,
// float64, int64, string, []any and map[string]any.
type Facts struct {
	UserID          string         // user_id
	Metadata        map[string]any // metadata, what the caller said about the user
	Country         string         // country, as the caller gave it, such as IN
	Device          string         // device
	Claims          map[string]any // claims that earlier modules found; may be empty
	ForceOnboarding bool           // force_onboarding
}
