package asl

import "fmt"

// inlineConcurrency is how many iterations of an inline Map run at a time at most
// (docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html).
const inlineConcurrency = 40

// iterating is what a Map state does; its item selector is the state's parameters.
type iterating struct {
	flow
	items       filter
	concurrency int
}

func (p *parser) each(f *fields, s *state) {
	s.each.items = f.filter("ItemsPath", false)
	if s.each.items.null {
		f.fail("ItemsPath", "must be a path")
	}
	limit, _ := f.whole("MaxConcurrency", 0, maxSeconds)
	s.each.concurrency = inlineConcurrency
	if limit > 0 {
		s.each.concurrency = min(limit, inlineConcurrency)
	}
	if name := f.only("ItemSelector", "Parameters"); name != "" {
		at := *f
		at.place.item = true
		s.parameters = at.payload(name)
	}
	name := f.only("ItemProcessor", "Iterator")
	if name == "" {
		f.fail("ItemProcessor", "is missing")
		return
	}
	value, _ := f.get(name)
	at := f.child(name)
	g := p.fields(at, value)
	g.text("Comment")
	p.queryLanguage(g)
	if config, ok := g.get("ProcessorConfig"); ok && name == "ItemProcessor" {
		c := p.fields(g.child("ProcessorConfig"), config)
		if mode, ok := c.text("Mode"); ok && mode != "INLINE" {
			c.fail("Mode", "%s is not supported, only INLINE", mode)
		}
		c.done()
	}
	s.each.flow = p.flow(g)
	g.done()
}

// itemsOf returns the state's effective input and the items in it.
func (s *state) itemsOf(sc *scope) (effective any, items []any, err *Error) {
	effective, err = s.input.apply("InputPath", sc)
	if err != nil {
		return nil, nil, err
	}
	v, err := s.each.items.apply("ItemsPath", sc.within(effective))
	if err != nil {
		return nil, nil, err
	}
	items, ok := v.([]any)
	if !ok {
		from := "$"
		if s.each.items.set {
			from = s.each.items.path.text
		}
		return nil, nil, runtimeError(fmt.Sprintf("Reference path \"%s\" must point to array.", from))
	}
	return effective, items, nil
}

// inputOf returns the input of one iteration.
func (s *state) inputOf(sc *scope, effective, item any, index int) (any, *Error) {
	if s.parameters == nil {
		return item, nil
	}
	inner := sc.within(effective)
	inner.context = func(name string) any {
		switch name {
		case mapIndex:
			return number(fmt.Sprint(index))
		case mapValue:
			return item
		}
		return sc.context(name)
	}
	return s.parameters.value(inner)
}
