package asl

import "fmt"

// inlineConcurrency is how many iterations of an inline Map run at a time at most
// (docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html).
const inlineConcurrency = 40

// iterating is what a Map state does. Its item selector is the state's parameters.
type iterating struct {
	flow
	items       lookup
	concurrency int
}

func (p *parser) each(f *fields, s *state) {
	s.each.items = lookup{path{text: "$"}, "ItemsPath"}
	if _, ok := f.get("ItemsPath"); ok {
		s.each.items.path = f.path("ItemsPath")
	}
	s.each.concurrency = inlineConcurrency
	if limit, _ := f.whole("MaxConcurrency", 0, maxSeconds); limit > 0 {
		s.each.concurrency = min(limit, inlineConcurrency)
	}
	selector := *f
	selector.item = true
	s.parameters = selector.payload("ItemSelector")
	s.selector, s.resultPath, s.catchers = f.payload("ResultSelector"), f.target(), p.catchers(f)
	f.following(s)

	value, ok := f.required("ItemProcessor")
	if !ok {
		return
	}
	processor := p.fields(f.child("ItemProcessor"), value)
	processor.text("Comment")
	if config, ok := processor.get("ProcessorConfig"); ok {
		c := p.fields(processor.child("ProcessorConfig"), config)
		if mode, ok := c.text("Mode"); ok && mode != "INLINE" {
			c.fail("Mode", "%s is not supported, only INLINE", mode)
		}
		c.done()
	}
	s.each.flow = p.flow(processor)
	processor.done()
}

// itemsOf returns the items in the state's input.
func (s *state) itemsOf(sc *scope) ([]any, *Error) {
	v, err := s.each.items.value(sc)
	if err != nil {
		return nil, err
	}
	items, ok := v.([]any)
	if !ok {
		return nil, runtimeError(fmt.Sprintf("Reference path \"%s\" must point to array.", s.each.items.path.text))
	}
	return items, nil
}

// inputOf returns the input of one iteration.
func (s *state) inputOf(sc *scope, item any, index int) (any, *Error) {
	if s.parameters == nil {
		return item, nil
	}
	inner := sc.within(sc.input)
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
