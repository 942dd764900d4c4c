package asl

// The resources of Task states.
const (
	Invoke             = "arn:aws:states:::lambda:invoke"
	InvokeWaitForToken = "arn:aws:states:::lambda:invoke.waitForTaskToken"
)

// task is what a Task state does.
type task struct {
	function  string
	token     bool // the result is what the token is answered with
	timeout   seconds
	heartbeat seconds
}

// seconds is TimeoutSeconds or HeartbeatSeconds, or their Path.
type seconds struct {
	field string
	is    int // zero for none
	path  *path
}

// value returns zero where nothing is set.
func (n seconds) value(s *scope) (int, *Error) {
	if n.path == nil {
		return n.is, nil
	}
	v, ok := s.find(*n.path)
	if !ok {
		return 0, notFound(*n.path, n.field, s)
	}
	if text, isNumber := v.(number); isNumber {
		if i, whole := text.integer(); whole && i >= 1 && i <= maxSeconds {
			return int(i), nil
		}
	}
	return 0, runtimeError("The path '" + n.path.text + "' of the field '" + n.field + "' must lead to a positive whole number")
}

func (p *parser) seconds(f *fields, name string) seconds {
	switch field := f.only(name, name+"Path"); field {
	case name:
		n, _ := f.whole(name, 1, maxSeconds)
		return seconds{field: name, is: n}
	case name + "Path":
		at, _ := f.path(field)
		return seconds{field: field, path: &at}
	}
	return seconds{}
}

func (p *parser) task(f *fields, s *state) {
	resource, ok := f.text("Resource")
	switch {
	case !ok:
		f.fail("Resource", "is missing")
	case resource == InvokeWaitForToken:
		s.task.token = true
	case resource != Invoke:
		f.fail("Resource", "%s is not supported, only %s and %s", resource, Invoke, InvokeWaitForToken)
	}
	s.task.timeout, s.task.heartbeat = p.seconds(f, "TimeoutSeconds"), p.seconds(f, "HeartbeatSeconds")
	if s.task.heartbeat.field != "" && !s.task.token {
		f.fail(s.task.heartbeat.field, "has no effect: the invoked function can't send heartbeats")
	}
	if s.task.timeout.is > 0 && s.task.heartbeat.is >= s.task.timeout.is {
		f.fail("HeartbeatSeconds", "must be less than TimeoutSeconds")
	}

	v, ok := f.get("Parameters")
	if !ok {
		f.fail("Parameters", "is missing")
		return
	}
	at := f.child("Parameters")
	at.token = s.task.token
	parameters := p.fields(at, v)
	s.task.function, _ = parameters.text("FunctionName")
	if s.task.function == "" {
		parameters.fail("FunctionName", "must be a string: which function is invoked must be known from the definition")
	}
	parameters.asked["FunctionName.$"] = true
	before := p.tokens
	switch name := parameters.only("Payload", "Payload.$"); name {
	case "Payload":
		payload, _ := parameters.get(name)
		s.parameters = p.template(at.child(name), payload)
	case "Payload.$":
		payload, _ := parameters.get(name)
		s.parameters = p.expression(at.child(name), name, payload)
	default:
		parameters.fail("Payload", "is missing")
	}
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
