package asl

// The resources of Task states.
const (
	Invoke             = "arn:aws:states:::lambda:invoke"
	InvokeWaitForToken = "arn:aws:states:::lambda:invoke.waitForTaskToken"
)

// task is what a Task state does.
type task struct {
	function string
	token    bool // the result is what the token is answered with
	timeout  seconds
}

func (p *parser) task(f *fields, s *state) {
	switch resource := f.must("Resource"); resource {
	case InvokeWaitForToken:
		s.task.token = true
	case Invoke, "":
	default:
		f.fail("Resource", "%s is not supported, only %s and %s", resource, Invoke, InvokeWaitForToken)
	}
	s.task.timeout = f.seconds("TimeoutSeconds", 1)
	s.selector, s.resultPath, s.output = f.payload("ResultSelector"), f.target(), f.filter("OutputPath")
	s.retriers, s.catchers = p.retriers(f), p.catchers(f)
	f.following(s)

	v, ok := f.required("Parameters")
	if !ok {
		return
	}
	at := f.child("Parameters")
	at.token = s.task.token
	parameters := p.fields(at, v)
	if s.task.function, _ = parameters.text("FunctionName"); s.task.function == "" {
		parameters.fail("FunctionName", "must be a string: which function is invoked must be known from the definition")
	}
	payload, _ := parameters.required("Payload")
	before := p.tokens
	s.parameters = p.template(at.child("Payload"), payload)
	if s.task.token && p.tokens == before {
		parameters.fail("Payload", "must hold $$.%s, or nobody could ever answer", taskToken)
	}
	parameters.done()
}

// result is what the state gets from a function's or a token's output. What AWS adds of its own HTTP exchange is not
// there, so that a definition that selects it fails.
func (t task) result(output any) any {
	if t.token {
		return output
	}
	return object{{"ExecutedVersion", "$LATEST"}, {"Payload", output}, {"StatusCode", number("200")}}
}
