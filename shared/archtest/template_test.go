package archtest_test

import (
	"encoding/base64"
	"encoding/json"
	"go/ast"
	"maps"
	"mime"
	"mime/multipart"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"

	"sallyport/shared/asl"
	"sallyport/shared/gateway"
	"sallyport/shared/generate"
	"sallyport/shared/ledger"
	"sallyport/shared/ledger/ledgertest/dynamolocal"
	"sallyport/shared/operation"
	"sallyport/shared/operation/task"
	"sallyport/shared/orchestrator"
	"sallyport/shared/telemetry"
)

func TestFunctions(t *testing.T) {
	template := readTemplate(t)

	t.Run("every function has a folder and every folder a function", func(t *testing.T) {
		folders := map[string]bool{}
		for _, f := range files(t) {
			if f.name == "main.go" && below(f.dir) != "" && !isCommand(t, f.dir) {
				folders[strings.TrimPrefix(f.dir, "functions/")] = true
			}
		}
		for _, f := range template.functions {
			if !folders[f.folder()] {
				t.Errorf("template.yaml has %s, but there is no functions/%s/main.go", f.id, f.folder())
			}
			delete(folders, f.folder())
		}
		for folder := range folders {
			t.Errorf("there is a functions/%s/main.go, but template.yaml has no function for it", folder)
		}
	})

	t.Run("names follow from the logical id", func(t *testing.T) {
		for _, f := range template.functions {
			if got, want := show(&f.FunctionName), "!Sub sallyport-${Stage}-"+f.words(); got != want {
				t.Errorf("%s has the FunctionName %q, it must be %q", f.id, got, want)
			}
			if got, want := show(&f.LoggingConfig.LogGroup), "!Ref "+f.id+"Logs"; got != want {
				t.Errorf("%s logs to %q, it must be %q", f.id, got, want)
			}
			group := template.Resources[f.id+"Logs"]
			name, retention := group.property("LogGroupName"), group.property("RetentionInDays")
			if want := "!Sub /aws/lambda/sallyport-${Stage}-" + f.words(); group.Type != "AWS::Logs::LogGroup" || name != want ||
				retention == "" {
				t.Errorf("%sLogs must be a log group with a retention, named %q", f.id, want)
			}
		}
	})

	t.Run("builds by make", func(t *testing.T) {
		for _, f := range template.functions {
			if f.buildMethod != "makefile" {
				t.Errorf("%s must have the BuildMethod makefile", f.id)
			}
		}
	})

	t.Run("is built from its folder", func(t *testing.T) {
		ids := slices.Clone(template.functions)
		for _, name := range []string{"acme9/ship-a-part", "a/b", "x/y-z", "a9/get-b2-c"} {
			ids = append(ids, function{id: generate.LogicalID(name)})
			if got := ids[len(ids)-1].folder(); got != name {
				t.Errorf("%s has the folder %s, it must be %s", generate.LogicalID(name), got, name)
			}
		}
		built := builtFrom(t, ids)
		for _, f := range ids {
			if !slices.Contains(built, f.folder()) {
				t.Errorf("make build-%s does not build functions/%s, but one of %q", f.id, f.folder(), built)
			}
		}
	})

	t.Run("has time to record what happened", func(t *testing.T) {
		for _, f := range template.functions {
			if f.Timeout != 30 {
				t.Errorf("%s has a timeout of %d s, it must be what the HTTP API waits for, 30 s", f.id, f.Timeout)
			}
			if operation.InvocationTimeout >= time.Duration(f.Timeout)*time.Second {
				t.Errorf("%s must have a longer timeout than operations take, %s", f.id, operation.InvocationTimeout)
			}
		}
	})

	t.Run("gets the environment that it reads", func(t *testing.T) {
		sources := files(t)
		for _, f := range template.functions {
			reads := variablesOf(sources, "functions/"+f.folder())
			for name := range reads {
				if !template.sets(f, name) {
					t.Errorf("%s reads %s, which template.yaml does not set", f.id, name)
				}
			}
			for name := range f.Environment.Variables {
				if !reads[name] {
					t.Errorf("%s does not read %s, which template.yaml sets", f.id, name)
				}
			}
		}
	})

	t.Run("no two have one route", func(t *testing.T) {
		taken := map[string]string{}
		for _, f := range template.functions {
			for _, route := range f.routes() {
				at := route.api + " " + route.key
				if other := taken[at]; other != "" {
					t.Errorf("%s and %s have the same route, %s", f.id, other, at)
				}
				taken[at] = f.id
			}
		}
	})

	t.Run("nothing of the sandbox is in prod", func(t *testing.T) {
		for id, r := range template.Resources {
			if strings.HasPrefix(id, "Sandbox") && r.Condition != "Sandboxed" {
				t.Errorf("%s must have the condition Sandboxed", id)
			}
		}
	})

	t.Run("the sandbox can call back", func(t *testing.T) {
		secret := template.Resources["SandboxSettings"]
		if got := secret.property("SecretString"); got != `!Sub {"gateway_url":"${Api.ApiEndpoint}"}` {
			t.Errorf("SandboxSettings holds %s, it must tell where the gateway is", got)
		}
		name, named := strings.CutPrefix(secret.property("Name"), "!Sub ")
		if !named || !slices.ContainsFunc(template.Resources["SandboxServeRole"].statements(t), func(s statement) bool {
			return slices.Contains(s.Action, "secretsmanager:GetSecretValue") &&
				strings.HasSuffix(strings.Join(s.resources(), ""), ":secret:"+name+"-??????")
		}) {
			t.Error("SandboxServeRole must allow to read SandboxSettings by its name, which does not turn in a circle")
		}
		if i := slices.IndexFunc(
			template.functions, func(f function) bool { return f.id == "SandboxServe" },
		); !template.functions[i].scheduled() {
			t.Error("SandboxServe must be woken for what is due while nobody calls")
		}
	})
}

// unnamed are verbs for which AWS knows no resource (Service Authorization Reference). None of them reads or writes
// what anybody stored: by the first eight Step Functions sets up the delivery of its logs, by the last a pipe finds its
// source.
var unnamed = []string{
	"logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
	"logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
	"dynamodb:ListStreams",
}

func TestRoles(t *testing.T) {
	template := readTemplate(t)

	t.Run("allow a function nothing on every resource", func(t *testing.T) {
		for _, f := range template.functions {
			role, _ := strings.CutPrefix(show(&f.Role), "!GetAtt ")
			for _, s := range template.Resources[strings.TrimSuffix(role, ".Arn")].statements(t) {
				if slices.Contains(s.resources(), "*") {
					t.Errorf("%s may %v on every resource", f.id, s.Action)
				}
			}
		}
	})

	t.Run("tell a document that is absent from one that is forbidden", func(t *testing.T) {
		for id, r := range template.Resources {
			may := func(action, resource string) bool {
				return slices.ContainsFunc(r.statements(t), func(s statement) bool {
					return slices.Contains(s.Action, action) && slices.Contains(s.resources(), resource)
				})
			}
			if reads, lists := may(
				"s3:GetObject", "!Sub ${Vault.Arn}/*",
			), may("s3:ListBucket", "!GetAtt Vault.Arn"); reads != lists {
				t.Errorf(
					"%s may read the vault's documents: %t, and know which there are: %t; it must be both or none", id, reads, lists,
				)
			}
		}
	})

	t.Run("let into the vault whose function has one", func(t *testing.T) {
		for _, f := range template.functions {
			role, _ := strings.CutPrefix(show(&f.Role), "!GetAtt ")
			granted := template.Resources[strings.TrimSuffix(role, ".Arn")].statements(t)
			enters := slices.ContainsFunc(granted, func(s statement) bool {
				return slices.Contains(s.resources(), "!Sub ${Vault.Arn}/*")
			})
			if has := template.sets(f, "VAULT_BUCKET"); has != enters {
				t.Errorf("%s has the vault: %t, but its role lets it in: %t", f.id, has, enters)
			}
		}
	})

	t.Run("name verbs and resources", func(t *testing.T) {
		for id, r := range template.Resources {
			for _, s := range r.statements(t) {
				for _, action := range s.Action {
					if strings.Contains(action, "*") {
						t.Errorf("%s allows %s; it must name what the code calls", id, action)
					}
				}
				named := func(action string) bool { return !slices.Contains(unnamed, action) }
				for _, resource := range s.resources() {
					if resource == "" || resource == "*" && slices.ContainsFunc(s.Action, named) {
						t.Errorf("%s allows %v on every resource; it must name them", id, s.Action)
					}
				}
				kms := func(action string) bool { return strings.HasPrefix(action, "kms:") }
				if slices.ContainsFunc(s.Action, kms) && !strings.Contains(show(&s.Condition), "kms:ViaService") {
					t.Errorf("%s may use the key by itself, it must be through a service only", id)
				}
			}
			if managed := r.property("ManagedPolicyArns"); managed != "" {
				t.Errorf("%s has the managed policies %s; it must list statements of its own", id, managed)
			}
		}
	})

	t.Run("belong to every function and let it log", func(t *testing.T) {
		for _, f := range template.functions {
			if show(&f.Policies) != "" {
				t.Errorf("%s has Policies, it must have a Role whose statements one can read", f.id)
			}
			role, _ := strings.CutPrefix(show(&f.Role), "!GetAtt ")
			r, ok := template.Resources[strings.TrimSuffix(role, ".Arn")]
			if !ok || r.Type != "AWS::IAM::Role" {
				t.Errorf("%s has the role %q, which template.yaml doesn't have", f.id, role)
				continue
			}
			logs := slices.ContainsFunc(r.statements(t), func(s statement) bool {
				return slices.Contains(s.Action, "logs:PutLogEvents") && slices.Contains(s.resources(), "!GetAtt "+f.id+"Logs.Arn")
			})
			if !logs {
				t.Errorf("%s has the role %s, which may not write to its log group", f.id, role)
			}
		}
	})
}

func TestLedgerTable(t *testing.T) {
	var deployed struct {
		Schema map[string]yaml.Node `yaml:",inline"`
		TTL    struct {
			AttributeName string `yaml:"AttributeName"`
			Enabled       bool   `yaml:"Enabled"`
		} `yaml:"TimeToLiveSpecification"`
	}
	properties := readTemplate(t).Resources["Ledger"].Properties
	if err := properties.Decode(&deployed); err != nil {
		t.Fatal(err)
	}
	tested := dynamolocal.Schema("ledger") // its fields have CloudFormation's names
	for name, want := range map[string]any{
		"BillingMode": tested.BillingMode, "KeySchema": tested.KeySchema,
		"AttributeDefinitions": tested.AttributeDefinitions, "GlobalSecondaryIndexes": tested.GlobalSecondaryIndexes,
	} {
		var got any
		node := deployed.Schema[name]
		if err := node.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if got, want := canonical(t, got), canonical(t, want); got != want {
			t.Errorf("the ledger's %s in template.yaml is %s, but tests run with %s", name, got, want)
		}
	}
	if deployed.TTL.AttributeName != dynamolocal.TTL || !deployed.TTL.Enabled {
		t.Errorf("the ledger in template.yaml must be swept by %s", dynamolocal.TTL)
	}
}

// canonical renders a value as JSON without what is null or empty in it.
func canonical(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	var prune func(any) any
	prune = func(node any) any {
		switch node := node.(type) {
		case map[string]any:
			for name, member := range node {
				if node[name] = prune(member); node[name] == nil {
					delete(node, name)
				}
			}
		case []any:
			for i := range node {
				node[i] = prune(node[i])
			}
		}
		return node
	}
	if text, err = json.Marshal(prune(tree)); err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestVault holds the sweeping of the vault against how long its documents count: what was left behind goes, but not
// before.
func TestVault(t *testing.T) {
	const day = 24 * time.Hour
	longest := ledger.Retention // of an answer that is too large for its record
	for _, d := range definitions(t) {
		longest = max(longest, d.machine.Timeout()) // of what a journey was given
	}
	var properties struct {
		Lifecycle struct {
			Rules []struct {
				Status string `yaml:"Status"`
				Tags   []struct {
					Key   string `yaml:"Key"`
					Value string `yaml:"Value"`
				} `yaml:"TagFilters"`
				Days int `yaml:"ExpirationInDays"`
			} `yaml:"Rules"`
		} `yaml:"LifecycleConfiguration"`
	}
	vault := readTemplate(t).Resources["Vault"].Properties
	if err := vault.Decode(&properties); err != nil {
		t.Fatal(err)
	}
	all := false
	for _, rule := range properties.Lifecycle.Rules {
		least := longest + day // an execution may end late, and its end erases
		switch {
		case len(rule.Tags) == 0:
			all = true
		case len(rule.Tags) == 1 && rule.Tags[0].Key == "keep" && rule.Tags[0].Value == "days":
			least = day // shared/vault/s3 tags so what is kept for a day at most; a day later is as soon as S3 can
		}
		if after := time.Duration(rule.Days) * day; rule.Status != "Enabled" || after < least || after > least+7*day {
			t.Errorf("the vault sweeps %v after %s, it must be %s or a few days more", rule.Tags, after, least)
		}
	}
	if !all {
		t.Error("the vault must sweep whatever was left behind")
	}
}

func TestAlarms(t *testing.T) {
	known := map[string]bool{string(operation.NotRecorded): true, string(operation.OwnerConflict): true}
	for _, condition := range operation.Conditions() {
		known[string(condition)] = true
	}
	template := readTemplate(t)
	watched := ""
	for id, r := range template.Resources {
		if r.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		var properties struct {
			Metrics []yaml.Node `yaml:"Metrics"`
		}
		if err := r.Properties.Decode(&properties); err != nil {
			t.Fatal(err)
		}
		// CloudWatch takes ten; the one that adds them up is counted, to be safe.
		if n := len(properties.Metrics); n > 10 {
			t.Errorf("%s has %d metrics", id, n)
		}
		for _, metric := range properties.Metrics {
			watched += show(&metric) + "\n"
		}
		if name := r.property("MetricName"); r.property("Namespace") == telemetry.Namespace && !known[name] {
			t.Errorf("%s watches %s, which no operation reports", id, name)
		}
		if r.property("AlarmActions") == "" || r.property("TreatMissingData") != "notBreaching" {
			t.Errorf("%s must tell the topic, and take silence as good", id)
		}
	}
	for _, f := range template.functions {
		if !strings.HasPrefix(f.id, "Sandbox") &&
			!strings.Contains(watched, "Errors, Dimensions, [[Name, FunctionName, Value, !Ref "+f.id+"]]") {
			t.Errorf("no alarm watches the errors of %s", f.id)
		}
	}
	for id, r := range template.Resources {
		for _, metric := range []string{"ExecutionsFailed", "ExecutionsTimedOut"} {
			if r.Type == stateMachine &&
				!strings.Contains(watched, metric+", Dimensions, [[Name, StateMachineArn, Value, !Ref "+id+"]]") {
				t.Errorf("no alarm watches the %s of %s", metric, id)
			}
		}
	}
}

func TestEventsMatrix(t *testing.T) {
	template := readTemplate(t)
	samples, err := filepath.Glob(filepath.Join(root, "events/*.json"))
	if err != nil {
		t.Fatal(err)
	}
	unsampled := map[string]function{}
	for _, f := range template.functions {
		unsampled[f.words()] = f
	}
	for _, sample := range samples {
		name := strings.TrimSuffix(filepath.Base(sample), ".json")
		text, err := os.ReadFile(sample)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			checkSampleData(t, string(text))
			if name == "env" {
				return
			}
			words, isTask := strings.CutSuffix(name, "-task")
			words, isRequest := strings.CutSuffix(words, "-requested")
			words, isSchedule := strings.CutSuffix(words, "-scheduled")
			i := slices.IndexFunc(template.functions, func(f function) bool { return f.words() == words })
			if i < 0 {
				t.Fatalf("is named after no function of template.yaml")
			}
			f := template.functions[i]
			switch {
			case isTask:
				checkTask(t, f, text)
				return
			case isRequest:
				checkJourneyRequest(t, text)
				return
			case isSchedule:
				checkSchedule(t, f, text)
				return
			}
			delete(unsampled, name)
			switch payloads := payloads(t, f.id); {
			case len(f.routes()) > 0:
				checkHTTPEvent(t, template, f, text)
			case len(payloads) > 0:
				checkPayload(t, payloads, text)
			default:
				checkStatusChange(t, text)
			}
		})
	}
	for name, f := range unsampled {
		t.Errorf("%s has no sample event, events/%s.json", f.id, name)
	}
}

func checkHTTPEvent(t *testing.T, template template, f function, text []byte) {
	t.Helper()
	var event events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(text, &event); err != nil {
		t.Fatal(err)
	}
	if event.Version != "2.0" || event.RequestContext.HTTP.Path != event.RawPath ||
		event.RequestContext.RouteKey != event.RouteKey {
		t.Error("is not an HTTP API event of payload format 2.0 that agrees with itself")
	}
	if !slices.ContainsFunc(f.routes(), func(r route) bool { return r.key == event.RouteKey }) {
		t.Errorf("comes by the route %q, which %s doesn't have", event.RouteKey, f.id)
	}
	if path := filled(event.RouteKey, event.PathParameters); !strings.HasPrefix(event.RouteKey, "ANY ") &&
		path != "$default" && path != event.RequestContext.HTTP.Method+" "+event.RawPath {
		t.Errorf("comes by the path %q, but its route and parameters make %q", event.RawPath, path)
	}

	// A form of either kind is no text to the HTTP API.
	var form url.Values
	media, params, err := mime.ParseMediaType(event.Headers["content-type"])
	if err != nil && event.Body != "" {
		t.Errorf("has a body of the content type %q", event.Headers["content-type"])
	}
	isForm, isMultipart := media == "application/x-www-form-urlencoded", media == "multipart/form-data"
	if (isForm || isMultipart) != event.IsBase64Encoded {
		t.Error("must have a form as base64, and JSON as it is")
	}
	if event.IsBase64Encoded {
		body, err := base64.StdEncoding.DecodeString(event.Body)
		if err != nil {
			t.Errorf("has a body that is no base64: %v", err)
		}
		event.Body = string(body)
	}
	switch {
	case isForm:
		if form, err = url.ParseQuery(event.Body); err != nil {
			t.Errorf("has a body that is no form: %v", err)
		}
	case isMultipart:
		parts, err := multipart.NewReader(strings.NewReader(event.Body), params["boundary"]).ReadForm(1 << 20)
		if err != nil || len(parts.Value)+len(parts.File) == 0 {
			t.Errorf("has a body that is no form with the boundary %q: %v", params["boundary"], err)
		}
	case event.Body != "" && !json.Valid([]byte(event.Body)):
		t.Error("has a body that is not JSON")
	}
	if size, ok := event.Headers["content-length"]; ok && size != strconv.Itoa(len(event.Body)) {
		t.Errorf("has a body of %d bytes, but its header says %s", len(event.Body), size)
	}

	// Partners know no caller's key; some contracts have a caller's key in the form.
	if f.isCallback() {
		return
	}
	if f.id == "Operate" { // which no tenant may call
		if !slices.Contains(gateway.Keys(event.Headers), "local-operator-key") {
			t.Error("must carry the local operator's key, local-operator-key")
		}
		return
	}
	if !slices.Contains(gateway.Keys(event.Headers), "local-key") && form.Get("client_secret") != "local-key" {
		t.Error("must carry the local stack's key, local-key")
	}
}

// filled puts path parameters into a route's key.
func filled(key string, params map[string]string) string {
	for name, value := range params {
		key = strings.NewReplacer("{"+name+"}", value, "{"+name+"+}", value).Replace(key)
	}
	return key
}

// checkSchedule checks an event of EventBridge's that wakes a function.
func checkSchedule(t *testing.T, f function, text []byte) {
	t.Helper()
	var event events.EventBridgeEvent
	if err := json.Unmarshal(text, &event); err != nil {
		t.Fatal(err)
	}
	if !f.scheduled() || event.Source != "aws.events" || event.DetailType != "Scheduled Event" {
		t.Errorf("is no scheduled event, or %s has no schedule", f.id)
	}
}

// checkJourneyRequest checks a JourneyRequested event's detail, which may hold references only.
func checkJourneyRequest(t *testing.T, text []byte) {
	t.Helper()
	var detail struct {
		Tenant string                    `json:"tenant"`
		Type   string                    `json:"type"`
		Key    string                    `json:"idempotency_key"`
		Input  map[string]jsontext.Value `json:"input"`
	}
	if err := gateway.DecodeJSON(text, &detail); err != nil {
		t.Fatal(err)
	}
	if detail.Tenant != "local" || detail.Key == "" || definitions(t)[detail.Type].machine == nil {
		t.Error("must request a journey that there is, for the local stack's tenant, with a key")
	}
	for name, value := range detail.Input {
		if !strings.Contains(string(value), "document_id") {
			t.Errorf("holds %s itself instead of a document's reference", name)
		}
	}
}

// checkTask checks the sample of what a state machine sends an operation: by a state that there is, with the members
// that it sends.
func checkTask(t *testing.T, f function, text []byte) {
	t.Helper()
	var input task.Input
	if err := gateway.DecodeJSON(text, &input); err != nil {
		t.Fatalf("is no task: %v", err)
	}
	sends := false
	for _, d := range definitions(t) {
		sends = sends || slices.ContainsFunc(d.machine.States(), func(s asl.State) bool {
			return s.Name == input.Task.State && s.Task != nil && s.Task.Function == "${"+f.id+"}"
		})
	}
	if !sends {
		t.Errorf("comes from the state %q, by which no state machine invokes %s", input.Task.State, f.id)
	}
	if input.Task.Tenant != "local" {
		t.Errorf("is a task for the tenant %q, which is not the local stack's", input.Task.Tenant)
	}
	checkPayload(t, payloads(t, f.id), text)
}

// checkPayload compares the names of a step's sample with what state machines send it.
func checkPayload(t *testing.T, payloads [][]string, text []byte) {
	t.Helper()
	var members map[string]jsontext.Value
	if err := gateway.DecodeJSON(text, &members); err != nil {
		t.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(members))
	if !slices.ContainsFunc(payloads, func(p []string) bool { return slices.Equal(p, names) }) {
		t.Errorf("has the members %v, but state machines send %v", names, payloads)
	}
}

// checkStatusChange checks the detail of Step Functions' event about the end of an execution.
func checkStatusChange(t *testing.T, text []byte) {
	t.Helper()
	var change orchestrator.StatusChange
	var input struct {
		Tenant string `json:"tenant"`
		ID     string `json:"journey_id"`
	}
	if err := json.Unmarshal(text, &change); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(change.Input), &input); err != nil || input.Tenant != "local" ||
		input.ID != change.Name {
		t.Errorf("tells the end of %q, whose input is not that of a journey of the local stack's tenant", change.Name)
	}
	if !slices.Contains([]string{"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}, change.Status) {
		t.Errorf("tells of no end, but of %q", change.Status)
	}
}

// checkSampleData lets samples hold the sandbox's well-known number and OTP and the contracts' invented documents, and
// no other.
func checkSampleData(t *testing.T, text string) {
	t.Helper()
	for _, found := range regexp.MustCompile(`aadhaar_no\\?": ?\\?"([^"\\]*)`).FindAllStringSubmatch(text, -1) {
		if found[1] != "999900000016" {
			t.Error("holds an Aadhaar number that is not the sandbox's 999900000016")
		}
	}
	for _, found := range regexp.MustCompile(`otp\\?": ?\\?"([^"\\]*)`).FindAllStringSubmatch(text, -1) {
		if found[1] != "123456" {
			t.Error("holds an OTP that is not the sandbox's 123456")
		}
	}
	for _, found := range regexp.MustCompile(`id_?[nN]umber\\?": ?\\?"([^"\\]*)`).FindAllStringSubmatch(text, -1) {
		if found[1] != "784199000000017" {
			t.Error("holds a document's number that is not the contract's 784199000000017")
		}
	}
	for _, found := range regexp.MustCompile(`documentKey\\?": ?\\?"([^"\\]*)`).FindAllStringSubmatch(text, -1) {
		if found[1] != "X4409127" {
			t.Error("holds a document's number that is not the contract's X4409127")
		}
	}
	for _, found := range regexp.MustCompile(`@([\w.-]+)`).FindAllStringSubmatch(text, -1) {
		if found[1] != "example.com" {
			t.Error("holds a mail address that somebody may have")
		}
	}
}

// template is what the tests read of template.yaml.
type template struct {
	Globals struct {
		Function struct {
			Timeout     int         `yaml:"Timeout"`
			Environment environment `yaml:"Environment"`
		} `yaml:"Function"`
	} `yaml:"Globals"`
	Resources map[string]resource `yaml:"Resources"`

	functions []function // in the order of their logical ids
}

type resource struct {
	Type      string `yaml:"Type"`
	Condition string `yaml:"Condition"`
	Metadata  struct {
		BuildMethod string `yaml:"BuildMethod"`
	} `yaml:"Metadata"`
	Properties yaml.Node `yaml:"Properties"`
}

type environment struct {
	Variables map[string]yaml.Node `yaml:"Variables"`
}

type function struct {
	id          string // logical
	buildMethod string

	FunctionName  yaml.Node `yaml:"FunctionName"`
	Role          yaml.Node `yaml:"Role"`
	Policies      yaml.Node `yaml:"Policies"`
	Timeout       int       `yaml:"Timeout"`
	LoggingConfig struct {
		LogGroup yaml.Node `yaml:"LogGroup"`
	} `yaml:"LoggingConfig"`
	Environment environment `yaml:"Environment"`
	Events      map[string]struct {
		Type       string `yaml:"Type"`
		Properties struct {
			API    yaml.Node `yaml:"ApiId"`
			Method string    `yaml:"Method"`
			Path   string    `yaml:"Path"`
		} `yaml:"Properties"`
	} `yaml:"Events"`
}

type statement struct {
	Action    oneOrMore `yaml:"Action"`
	Resource  yaml.Node `yaml:"Resource"`
	Condition yaml.Node `yaml:"Condition"`
}

// oneOrMore is a list that may be written as its only element.
type oneOrMore []string

func (l *oneOrMore) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*l = []string{node.Value}
		return nil
	}
	return node.Decode((*[]string)(l))
}

func readTemplate(t *testing.T) template {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var out template
	if err := yaml.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	for _, id := range slices.Sorted(maps.Keys(out.Resources)) {
		r := out.Resources[id]
		if r.Type != "AWS::Serverless::Function" {
			continue
		}
		f := function{id: id, buildMethod: r.Metadata.BuildMethod, Timeout: out.Globals.Function.Timeout}
		if err := r.Properties.Decode(&f); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		out.functions = append(out.functions, f)
	}
	return out
}

// sets reports whether a function gets an environment variable.
func (t template) sets(f function, name string) bool {
	_, own := f.Environment.Variables[name]
	_, global := t.Globals.Function.Environment.Variables[name]
	return own || global
}

// words are a function's logical id in lower case, joined by dashes.
func (f function) words() string {
	var out strings.Builder
	for i, c := range f.id {
		if i > 0 && unicode.IsUpper(c) {
			out.WriteByte('-')
		}
		out.WriteRune(unicode.ToLower(c))
	}
	return out.String()
}

// folder is where a function lies below functions: its first word, then the others.
func (f function) folder() string { return strings.Replace(f.words(), "-", "/", 1) }

// builtFrom returns the folders below functions from which make builds functions, without building them.
func builtFrom(t *testing.T, all []function) (folders []string) {
	t.Helper()
	if _, err := exec.LookPath("make"); err != nil {
		if os.Getenv("REQUIRE_ALL") == "1" {
			t.Fatal("make is required")
		}
		t.Skip("SKIPPED: what make builds needs make")
	}
	targets := []string{"--no-print-directory", "GO_BUILD=:"}
	for _, f := range all {
		targets = append(targets, "build-"+f.id)
	}
	build := exec.Command("make", targets...)
	build.Dir = root
	build.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return regexp.MustCompile(`^(MAKE|MFLAGS|GNUMAKE)`).MatchString(variable) // of a make that runs the test
	})
	out, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		folders = append(folders, strings.TrimPrefix(strings.TrimSpace(line), "build functions/"))
	}
	return folders
}

// isCallback tells the functions that partners call.
func (f function) isCallback() bool { return strings.HasSuffix(f.id, "Callback") }

// scheduled tells the functions that are woken by the clock.
func (f function) scheduled() bool {
	for _, event := range f.Events {
		if event.Type == "Schedule" {
			return true
		}
	}
	return false
}

type route struct{ api, key string }

// routes are a function's routes, with keys as its events carry them.
func (f function) routes() (routes []route) {
	for _, event := range f.Events {
		if event.Type != "HttpApi" {
			continue
		}
		key := event.Properties.Method + " " + event.Properties.Path
		if event.Properties.Path == "" {
			key = "$default"
		}
		routes = append(routes, route{show(&event.Properties.API), key})
	}
	return routes
}

// property shows one of a resource's properties.
func (r resource) property(name string) string {
	var properties map[string]yaml.Node
	if err := r.Properties.Decode(&properties); err != nil {
		return ""
	}
	node := properties[name]
	return show(&node)
}

// statements are those of a role's policies; none for other resources.
func (r resource) statements(t *testing.T) (all []statement) {
	t.Helper()
	if r.Type != "AWS::IAM::Role" {
		return nil
	}
	var role struct {
		Policies []struct {
			PolicyDocument struct {
				Statement []statement `yaml:"Statement"`
			} `yaml:"PolicyDocument"`
		} `yaml:"Policies"`
	}
	if err := r.Properties.Decode(&role); err != nil {
		t.Fatal(err)
	}
	for _, policy := range role.Policies {
		all = append(all, policy.PolicyDocument.Statement...)
	}
	return all
}

func (s statement) resources() []string {
	if s.Resource.Kind != yaml.SequenceNode {
		return []string{show(&s.Resource)}
	}
	var all []string
	for _, node := range s.Resource.Content {
		all = append(all, show(node))
	}
	return all
}

// show writes a node as one would on one line, with CloudFormation's tags.
func show(node *yaml.Node) string {
	var parts []string
	for _, child := range node.Content {
		parts = append(parts, show(child))
	}
	text := node.Value
	if node.Kind == yaml.SequenceNode || node.Kind == yaml.MappingNode {
		text = "[" + strings.Join(parts, ", ") + "]"
	}
	if strings.HasPrefix(node.Tag, "!") && !strings.HasPrefix(node.Tag, "!!") {
		return node.Tag + " " + text
	}
	return text
}

// variablesOf returns the names of the environment's variables that a main reads, itself or in the functions by which
// it is wired. What other functions of their packages read does not count: it is another main's.
func variablesOf(sources []file, main string) map[string]bool {
	names, seen := map[string]bool{}, map[string]bool{}
	var into func(dir, function string)
	into = func(dir, function string) {
		if seen[dir+"."+function] {
			return
		}
		seen[dir+"."+function] = true
		for _, f := range sources {
			if f.dir != dir || f.test {
				continue
			}
			imports := f.wiring()
			for _, decl := range f.ast.Decls {
				fn, ok := decl.(*ast.FuncDecl)
				if !ok || fn.Recv != nil || fn.Name.Name != function {
					continue
				}
				maps.Copy(names, variables(fn))
				ast.Inspect(fn, func(n ast.Node) bool {
					switch n := n.(type) {
					case *ast.SelectorExpr:
						if x, ok := n.X.(*ast.Ident); ok && imports[x.Name] != "" {
							into(imports[x.Name], n.Sel.Name)
						}
					case *ast.CallExpr:
						if x, ok := n.Fun.(*ast.Ident); ok {
							into(dir, x.Name)
						}
					}
					return true
				})
			}
		}
	}
	into(main, "main")
	return names
}

// wiring returns the packages of ours that a file imports under their own names, by these.
func (f file) wiring() map[string]string {
	dirs := map[string]string{}
	f.eachImport("sallyport/", func(dir string) { dirs[path.Base(dir)] = dir })
	return dirs
}

// variables returns the names of the environment's variables that are read below a node.
func variables(node ast.Node) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(node, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 {
			return true
		}
		fun, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || fun.Sel.Name != "Getenv" && fun.Sel.Name != "LookupEnv" {
			return true
		}
		literal, ok := call.Args[0].(*ast.BasicLit)
		if !ok {
			return true
		}
		if name, err := strconv.Unquote(literal.Value); err == nil && !strings.HasPrefix(name, "AWS_") {
			names[name] = true // AWS_ are Lambda's own
		}
		return true
	})
	return names
}
