package generate

import (
	"fmt"
	"slices"
	"strings"

	"sallyport/shared/partner"
)

// routes are the rows of the README's table of partners' routes.
func routes(d deployment) string {
	var out strings.Builder
	out.WriteString("| Route | What it does | Function |\n|---|---|---|\n")
	for _, p := range d.Partners {
		for _, f := range p.Functions {
			fmt.Fprintf(&out, "| %s | %s | `%s` |\n", paths(f), f.Summary, f.Name)
		}
	}
	return out.String()
}

// capabilities is a table of what each partner's functions do, and how.
func capabilities(d deployment) string {
	var out strings.Builder
	for _, p := range d.Partners {
		fmt.Fprintf(&out, "\n## %s\n\n", p.Title)
		fmt.Fprintf(&out, "How to call it: [functions/%[1]s](../../functions/%[1]s/README.md).", p.Name)
		for i, j := range p.Journeys {
			fmt.Fprintf(&out, "%s `%s`", []string{" Journeys:", ","}[min(i, 1)], j.Name)
		}
		if len(p.Journeys) > 0 {
			out.WriteString(".")
		}
		out.WriteString("\n\n| Function | Route | Is | Idempotency key | An unknown outcome | Vault | Journeys |\n" +
			"|---|---|---|---|---|---|---|\n")
		for _, f := range p.Functions {
			fmt.Fprintf(&out, "| `%s` | %s | %s | %s | %s | %s | %s |\n", strings.TrimPrefix(f.Name, p.Name+"/"),
				paths(f), f.Kind, key(f), f.Unknown, vault(f), strings.Join(invoking(p, f), ", "))
		}
	}
	return out.String() + "\n"
}

// paths are a function's routes as people read them, without their aliases.
func paths(f function) string {
	var all []string
	for _, e := range f.Events {
		if !e.IsAlias {
			all = append(all, e.Method+" `"+e.Path+"`")
		}
	}
	return strings.Join(all, ", ")
}

func key(f function) string {
	switch {
	case f.Kind != partner.Effect:
		return ""
	case f.Key == "":
		return "optional"
	}
	return f.Key
}

func vault(f function) string {
	return []string{
		partner.NoVault: "", partner.VaultPut: "large answers", partner.VaultBoth: "large answers, references",
	}[f.Vault]
}

// invoking are the partner's journeys that invoke a function, or that wait for what it takes.
func invoking(p deployed, f function) (names []string) {
	for _, j := range p.Journeys {
		if f.IsCallback() && j.Told || slices.Contains(j.Invokes, f.ID) {
			names = append(names, "`"+j.Name+"`")
		}
	}
	return names
}
