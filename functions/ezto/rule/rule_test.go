package rule_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"sallyport/functions/ezto/rule"
	"sallyport/functions/ezto/workspace"
)

func facts() workspace.Facts {
	return workspace.Facts{
		UserID: "mark@gmail.com", Country: "IN", Device: "mobile",
		Metadata: map[string]any{
			"vip": true, "age": 18.0, "account": int64(123456789012345678), "tier": "gold", "nothing": nil,
			"tags": []any{"importer", "new"}, "address": map[string]any{"city": "Kochi"},
		},
		Claims: map[string]any{"iec_status": "Valid"},
	}
}

func TestEval(t *testing.T) {
	forced := facts()
	forced.ForceOnboarding = true
	for text, want := range map[string]bool{
		`true`:                                                    true,
		`false`:                                                   false,
		`country == 'IN'`:                                         true,
		`country in ["AE", "SG"]`:                                 false,
		`device != 'mobile'`:                                      false,
		`user_id.endsWith('@gmail.com')`:                          true,
		`user_id.matches('^[a-z]+@')`:                             true,
		`!force_onboarding`:                                       true,
		`metadata.vip == true`:                                    true,
		`metadata['tier'] == 'gold'`:                              true,
		`metadata.age >= 18`:                                      true,
		`metadata.age == 18 && metadata.age > 17.5`:               true,
		`metadata.account == 123456789012345678`:                  true,
		`metadata.account == 123456789012345679`:                  false,
		`metadata.nothing == null`:                                true,
		`metadata.address.city == 'Kochi'`:                        true,
		`has(metadata.absent)`:                                    false,
		`has(metadata.absent) && metadata.absent == 1`:            false,
		`metadata.absent == 1 || country == 'IN'`:                 true, // as CEL has it: what decides it is known
		`metadata.tags.exists(t, t == 'importer')`:                true,
		`metadata.tags.all(t, t.startsWith('i'))`:                 false,
		`metadata.tags.filter(t, t != 'new').size() == 1`:         true,
		`metadata.exists(k, k == 'vip')`:                          true,
		`claims.all(k, k in ['iec_status', 'pan'])`:               true,
		`claims.iec_status == 'Valid'`:                            true,
		`size(claims) == 1`:                                       true,
		`[1, 2].exists(a, [2, 3].exists(b, a == b))`:              true,
		"country == 'IN'\n  && device == 'mobile'":                true,
		`timestamp('2026-01-01T00:00:00Z').getFullYear() == 2026`: true,
	} {
		t.Run(text, func(t *testing.T) {
			r, err := rule.Compile(text)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := r.Eval(t.Context(), facts()); err != nil || got != want {
				t.Fatalf("got %v, %v", got, err)
			}
		})
	}
	for text, f := range map[string]workspace.Facts{
		`force_onboarding`: forced,
		`user_id == '' && country == '' && metadata == {} && !has(claims.pan) && size(claims) == 0`: {},
	} {
		if got, err := rule.Decide(t.Context(), text, f); err != nil || !got {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	for text, want := range map[string]string{
		``:                                   `line 1, column 1: is not an expression`,
		`country ==`:                         `line 1, column 11: is not an expression`,
		"country == 'IN' &&\n  (device":      `line 2, column 10: is not an expression`,
		`country = 'IN'`:                     `line 1, column 9: holds a character, or begins a text, that does not belong here`,
		`country == 'IN`:                     `line 1, column 12: holds a character, or begins a text, that does not belong here`,
		"\x00":                               `line 1, column 1: holds a character, or begins a text, that does not belong here`,
		`for == 1`:                           `line 1, column 1: is a reserved word`,
		`metadata.n == 99999999999999999999`: `line 1, column 15: is no number that there is`,
		`contry == 'IN'`:                     `line 1, column 1: is neither a function nor one of user_id, metadata, country, device, claims, force_onboarding`,
		`user_id == mark42`:                  `line 1, column 12: is neither a function nor one of user_id, metadata, country, device, claims, force_onboarding`,
		`"é" == country && contry == ''`:     `line 1, column 19: is neither a function nor one of user_id, metadata, country, device, claims, force_onboarding`,
		`user_id == 5`:                       `line 1, column 9: cannot be applied to (string, int)`,
		`user_id.domain == 'x'`:              `line 1, column 8: has no fields, since it is of type string`,
		`country && true`:                    `line 1, column 1: must be of type bool`,
		`country.all(c, true)`:               `line 1, column 1: cannot be looped over, since it is of type string`,
		`country`:                            `must be of type bool, but is string`,
		`1`:                                  `must be of type bool, but is int`,
		`null`:                               `must be of type bool, but is null`,
		`metadata`:                           `must be of type bool, but is map(string, dyn)`,
		`metadata.vip`:                       `must be of type bool, which only a comparison makes sure: write … == true`,
		`user_id.matches('[')`:               `line 1, column 17: is not a regular expression`,
		`user_id.matches(country)`:           `line 1, column 17: must be a literal, since it is a regular expression`,
		`matches(user_id, 'a' + country)`:    `line 1, column 22: must be a literal, since it is a regular expression`,
		`duration('soon') > duration('1s')`:  `line 1, column 10: is not a duration`,
		`timestamp('now') > timestamp('2026-01-01T00:00:00Z')`: `line 1, column 11: is not a timestamp`,
	} {
		t.Run(text, func(t *testing.T) { wantCompileError(t, text, want) })
	}
}

// TestHostileRules are refused when they are saved.
func TestHostileRules(t *testing.T) {
	ones := "[" + strings.Repeat("1,", 300) + "1]"
	for name, test := range map[string]struct{ text, want string }{
		"TooLong": {"'" + strings.Repeat("x", rule.MaxText) + "' == ''", `has over 4096 bytes`},
		"LoopOverLoop": {
			ones + ".all(a, " + ones + ".all(b, a == b))",
			`may cost 547831, over the limit of 100000: loop over less, or not within another loop`,
		},
		"LoopOverFacts": {
			"metadata.l.all(a, metadata.l.all(b, a == b))",
			`may cost 2033155, over the limit of 100000: loop over less, or not within another loop`,
		},
		"LoopsOverNothing": {"[1].all(a, [1].all(b, [1].all(c, true)))", `line 1, column 30: is a loop in too many others`},
		"HugeMade":         {ones + ".map(a, " + ones + ".map(b, metadata)) == []", ``},
		"LargePattern":     {"user_id.matches('(a{900}b{900})')", `line 1, column 17: is too large a regular expression`},
		"ExplodingPattern": {"user_id.matches('((a{100}){100}){100}')", `line 1, column 17: is not a regular expression`},
		"Bytes": {
			"metadata.l.all(x, bytes(user_id).size() > 0)", `line 1, column 24: is a function that rules don't have: bytes`,
		},
		"Brackets": {strings.Repeat("(", 100) + "true" + strings.Repeat(")", 100), `nests too deep`},
		"Lists":    {strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + " == []", `nests too deep`},
		"Maps":     {strings.Repeat("{1:", 300) + "1" + strings.Repeat("}", 300) + " == {}", `nests too deep`},
		"Sums":     {"country" + strings.Repeat("+country", 100) + " == ''", `nests too deep`},
		"Fields":   {"metadata" + strings.Repeat(".a", 1000) + " == ''", `nests too deep`},
		"Choices":  {strings.Repeat("true ? true : ", 200) + "true", `nests too deep`},
		"Parts":    {"[" + strings.Repeat("1,", 2040) + "1] == []", `has too many parts`},
		"Garbage":  {strings.Repeat("((((", 1000), `nests too deep`},
		"ManyArguments": {
			"size(" + strings.Repeat("1,", 1000) + "1) == 1", `line 1, column 5: cannot be applied to what it is`,
		},
		"DeepType":    {strings.Repeat("[", 40) + "1" + strings.Repeat("]", 40), `must be of type bool`},
		"NeverEnding": {strings.Repeat("'", 4000), ``},
	} {
		t.Run(name, func(t *testing.T) { wantCompileError(t, test.text, test.want) })
	}
}

// TestWideRules are long without being deep, and are taken.
func TestWideRules(t *testing.T) {
	for name, text := range map[string]string{
		"Or":      "country == 'AE'" + strings.Repeat(" || country == 'IN'", 200),
		"And":     "country == 'IN'" + strings.Repeat(" && country == 'IN'", 200),
		"List":    "country in ['IN'" + strings.Repeat(",'AE'", 500) + "]",
		"Not":     strings.Repeat("!", 1000) + "true",
		"Comment": "country == 'IN' // " + strings.Repeat("x", 4000),
	} {
		if got, err := rule.Decide(t.Context(), text, facts()); err != nil || !got {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}

func wantCompileError(t *testing.T, text, want string) {
	t.Helper()
	_, err := rule.Compile(text)
	var e *rule.Error
	if !errors.As(err, &e) || errors.Is(err, rule.ErrEval) || errors.Is(err, rule.ErrCost) {
		t.Fatalf("got %v, want an error that is of no evaluation", err)
	}
	if want != "" && err.Error() != want {
		t.Fatalf("\n got %s\nwant %s", err, want)
	}
	if checked := rule.Check(text); checked.Error() != err.Error() {
		t.Errorf("Check says %v", checked)
	}
}

func TestEvalErrors(t *testing.T) {
	large := facts()
	large.Metadata["list"] = make([]any, rule.MaxValues)
	long := facts()
	long.Metadata["text"] = strings.Repeat("x", rule.MaxFactsText)
	dear := facts()
	list := make([]any, 600)
	for i := range list {
		list[i] = "abc"
	}
	dear.Metadata["list"], dear.Metadata["text"] = list, strings.Repeat("ab", 10_000)
	for _, test := range []struct {
		name, text string
		facts      workspace.Facts
		kind       error
		want       string
	}{
		{
			"MissingKey", `country == 'IN' && metadata.absent == 1`, facts(), rule.ErrEval,
			`line 1, column 28: is a key that these facts don't have`,
		},
		{
			"MissingKeyOfAFact", "device == 'mobile' &&\nclaims[user_id] == 1", facts(), rule.ErrEval,
			`line 2, column 7: is a key that these facts don't have`,
		},
		{
			"NoClaims", `claims.pan == ''`, workspace.Facts{}, rule.ErrEval,
			`line 1, column 7: is a key that these facts don't have`,
		},
		{"NotANumber", `int(user_id) > 1`, facts(), rule.ErrEval, `line 1, column 4: cannot be evaluated with these facts`},
		{
			"NotATime", `timestamp(user_id) > timestamp('2026-01-01T00:00:00Z')`, facts(), rule.ErrEval,
			`line 1, column 10: cannot be evaluated with these facts`,
		},
		{
			"TypesOfFacts", `metadata.tier > 5`, facts(), rule.ErrEval,
			`line 1, column 15: cannot be evaluated with these facts`,
		},
		{
			"DivisionByNone", `1 / (size(country) - 2) == 1`, facts(), rule.ErrEval,
			`line 1, column 3: cannot be evaluated with these facts`,
		},
		{"NotBool", `metadata.tier && true`, facts(), rule.ErrEval, ``},
		{"TooManyFacts", `true`, large, rule.ErrCost, `is not evaluated, since the facts are too many`},
		{"TooLongFacts", `true`, long, rule.ErrCost, `is not evaluated, since the facts are too many`},
		{
			"TooDear", `metadata.list.all(x, metadata.text.contains('bb') || true)`, dear, rule.ErrCost,
			`takes too long with these facts`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := rule.Compile(test.text)
			if err != nil {
				t.Fatal(err)
			}
			got, err := r.Eval(t.Context(), test.facts)
			var e *rule.Error
			if got || !errors.As(err, &e) || !errors.Is(err, test.kind) ||
				errors.Is(err, rule.ErrEval) && errors.Is(err, rule.ErrCost) {
				t.Fatalf("got %v, %v", got, err)
			}
			if test.want != "" && err.Error() != test.want {
				t.Fatalf("\n got %s\nwant %s", err, test.want)
			}
			for _, private := range []string{"mark", "gmail", "gold", "Kochi"} {
				if strings.Contains(err.Error(), private) {
					t.Errorf("%q holds a fact", err)
				}
			}
		})
	}
}

func TestEvalWithinItsContext(t *testing.T) {
	r, err := rule.Compile(`metadata.list.all(x, [1, 2, 3].all(y, x != y))`)
	if err != nil {
		t.Fatal(err)
	}
	f := workspace.Facts{Metadata: map[string]any{"list": make([]any, 900)}}
	if got, err := r.Eval(t.Context(), f); err != nil || !got {
		t.Fatalf("got %v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := r.Eval(ctx, f); got || !errors.Is(err, context.Canceled) || errors.Is(err, rule.ErrCost) {
		t.Fatalf("got %v, %v", got, err)
	}
}

func TestEvalConcurrently(t *testing.T) {
	r, err := rule.Compile(`metadata.tags.exists(t, t == user_id)`)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			f := facts()
			f.UserID, f.Metadata["tags"] = fmt.Sprint(i), []any{fmt.Sprint(i &^ 1)}
			if got, err := r.Eval(t.Context(), f); err != nil || got != (i%2 == 0) {
				t.Errorf("%d: got %v, %v", i, got, err)
			}
		})
	}
	wg.Wait()
}

// FuzzCompile checks that every text is either refused, in words that hold none of its texts, or evaluated within the
// limits.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		"", "true", "country == 'IN'", "metadata.tags.exists(t, t == 'x')", "[1].all(a, [2].map(b, a + b).size() > 0)",
		"user_id.matches('^a+$')", "has(claims.pan) ? claims.pan != '' : force_onboarding",
		"{'a': [1u, 2.0, b'x']}['a'][0] == 1u",
		"metadata.m == metadata && !(device < 'z')",
		"timestamp('2026-01-01T00:00:00Z') + duration('1h') > timestamp(user_id)",
		"'PRIVATE42' == user_id &&", "PRIVATE42.x(1)", "user_id == PRIVATE42", "PRIVATE42{} == 1", "{'a': 1}.PRIVATE42(1)",
		"[1].map(PRIVATE42, 1)", "size(PRIVATE42) == 'PRIVATE42'", "google.protobuf.Struct{fields: {}} == {}",
		"\"\"\"a\nb\"\"\" + r'\\d' == ''", "((((", "1 ? 2 : 3",
	} {
		f.Add(seed)
	}
	facts := facts()
	facts.Metadata["list"] = make([]any, 500)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := rule.Compile(text)
		var e *rule.Error
		switch {
		case err == nil:
			if _, err := r.Eval(t.Context(), facts); err != nil && !errors.Is(err, rule.ErrEval) &&
				!errors.Is(err, rule.ErrCost) {
				t.Fatalf("Eval: %v", err)
			}
		case !errors.As(err, &e):
			t.Fatalf("Compile: %v", err)
		case strings.Contains(e.Error(), "PRIVATE42"), len(e.Error()) > 300:
			t.Fatalf("%s", e)
		case e.Line < 0 || e.Line > 1+strings.Count(text, "\n") || e.Column < 0 || e.Column > len(text)+1:
			t.Fatalf("%s: there is no such place", e)
		}
	})
}
