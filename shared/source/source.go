// Package source says where a rule comes from. A rule may refuse a request, or end a journey in a definite way, only
// where a page of the partner's publishes it or where the gateway needs it itself: what is merely inferred of a partner
// has no value here. The tests of package archtest list all of them.
package source

// Source is where a rule comes from. Its zero value is nowhere, which the tests refuse.
type Source struct{ section, limit string }

// Published is a fact that a page publishes: a section of the table of facts in the partner's README, as in "§6", whose
// row says so.
func Published(section string) Source { return Source{section: section} }

// Safety is a limit of the gateway's own, in a few words: a size, a depth, what may become part of a path or a header.
func Safety(limit string) Source { return Source{limit: limit} }

// Interface is a member that Sallyport itself defines, as those of a journey's start, in a few words.
func Interface(member string) Source { return Source{limit: member} }

// String names it for people.
func (s Source) String() string { return s.section + s.limit }
