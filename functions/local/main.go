// Command local runs all of Sallyport in one process on one machine: the HTTP API's routes as template.yaml has them,
// every function behind them, the ledger and the vault in a file, and the simulated partners. It needs no account and
// no Docker, and what it has accepted survives the end of the process, however that comes. As "local demo" it
// shows every journey on a stack of its own.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/journeys"
	"sallyport/functions/partners"
	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/equal"
	"sallyport/functions/sandbox/simulators"
	"sallyport/shared/asl"
	"sallyport/shared/bolt"
	"sallyport/shared/gateway"
	"sallyport/shared/ledger"
	ledgerbolt "sallyport/shared/ledger/bolt"
	"sallyport/shared/operation"
	orchestratorlocal "sallyport/shared/orchestrator/local"
	"sallyport/shared/seal"
	"sallyport/shared/secrets"
	"sallyport/shared/secrets/file"
	"sallyport/shared/telemetry"
	"sallyport/shared/token"
	"sallyport/shared/upstream"
	"sallyport/shared/vault"
	vaultbolt "sallyport/shared/vault/bolt"
	"sallyport/statemachines"
)

// The callers that a new local stack knows: a tenant's, and whoever runs it. Plainly no secrets: the stack listens on
// the loopback interface only.
const (
	localKey    = "local-key"
	operatorKey = "local-operator-key"
	localTenant = "local"
	stage       = "local"
	keysSecret  = "sallyport/" + stage + "/keys"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	command := "run"
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	var err error
	switch command {
	case "run":
		err = serve(ctx)
	case "demo":
		err = demo(ctx, os.Stdout, "template.yaml")
	default:
		err = fmt.Errorf("%q is no command: run and demo are", command)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sallyport:", err)
		os.Exit(1)
	}
}

// serve runs the stack until it is interrupted.
func serve(ctx context.Context) error {
	m, err := New(os.Getenv)
	if err != nil {
		return err
	}
	if err := m.Run(ctx); err != nil {
		return err
	}
	m.Greet(os.Stdout)
	<-ctx.Done()
	return m.Close()
}

// Main is the local stack. Set its fields, Run it, Close it.
type Main struct {
	Address   string  // to listen on; port 0 picks a free one
	Dir       string  // where state is kept
	Template  string  // template.yaml
	TimeScale float64 // sandbox seconds per real second
	Log       *slog.Logger

	Now             func() time.Time                          // the gateway's clock, not the sandbox's; nil for time.Now
	UpstreamTimeout time.Duration                             // how long a partner may take; zero for upstream.Timeout
	OnWrite         func(stage string)                        // called around every commit, see bolt.OnWrite
	History         func(journey string, events []asl.Event)  // gets what happens in executions
	WrapLedger      func(operation.Ledger) operation.Ledger   // stands between the pipeline and the ledger
	WrapTransport   func(http.RoundTripper) http.RoundTripper // stands between the pipeline and the partners

	URL    string             // where it answers, once it runs
	Ledger *ledgerbolt.Ledger // once it runs
	Vault  *vaultbolt.Blobs   // likewise

	orchestrator *orchestratorlocal.Orchestrator
	journeys     *journeys.Service
	sandbox      *sandbox.Sandbox
	db           *bolt.DB
	partner      *bolt.DB
	server       *http.Server // what callers reach
	partners     *http.Server // the simulated partners, for the calls that the gateway makes
	closing      atomic.Bool
	stopSweep    context.CancelFunc
}

// New makes a local stack of settings in the environment: PORT and SANDBOX_TIME_SCALE.
func New(env func(string) string) (*Main, error) {
	m := &Main{
		Address: "127.0.0.1:" + cmp.Or(env("PORT"), "3000"), Dir: ".local", Template: "template.yaml", TimeScale: 1,
		Log: telemetry.NewLogger(os.Stderr, slog.LevelInfo),
	}
	if port, err := strconv.Atoi(cmp.Or(env("PORT"), "3000")); err != nil || port < 0 || port > 65535 {
		return nil, fmt.Errorf("PORT is %q, it must be a number from 0 to 65535", env("PORT"))
	}
	if text := env("SANDBOX_TIME_SCALE"); text != "" {
		scale, err := strconv.ParseFloat(text, 64)
		if err != nil || !(scale > 0 && scale <= 1e6) {
			return nil, fmt.Errorf("SANDBOX_TIME_SCALE is %q, it must be a number above 0, at most 1000000", text)
		}
		m.TimeScale = scale
	}
	return m, nil
}

// Run starts the stack and returns once it answers.
func (m *Main) Run(ctx context.Context) (err error) {
	defer func() {
		if recover() != nil { // bbolt panics over a damaged file
			err = fmt.Errorf("the state in %s is damaged: remove the folder to begin anew", m.Dir)
			return
		}
		if err != nil {
			_ = m.Close()
		}
	}()
	if m.Now == nil {
		m.Now = time.Now
	}
	routes, err := readRoutes(m.Template)
	if err != nil {
		return err
	}
	if err := m.open(); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", m.Address)
	if err != nil {
		return fmt.Errorf("%w; another PORT may be free", err)
	}
	m.URL = "http://" + listener.Addr().String()
	if err := os.WriteFile(filepath.Join(m.Dir, "url"), []byte(m.URL), 0o600); err != nil {
		return err
	}
	ofPartners, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		_ = listener.Close()
		return err
	}
	handler, err := m.wire(ctx, routes, ofPartners.Addr().String())
	if err != nil {
		_, _ = listener.Close(), ofPartners.Close()
		return err
	}
	m.partners = m.serve(ofPartners, m.sandbox)
	if err := m.resume(ctx); err != nil {
		_ = listener.Close()
		return err
	}
	sweeping, stop := context.WithCancel(context.Background())
	m.stopSweep = stop
	go m.sweep(sweeping)
	m.server = m.serve(listener, handler)
	return nil
}

// serve answers what comes to a listener.
func (m *Main) serve(listener net.Listener, handler http.Handler) *http.Server {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: time.Minute,
		MaxHeaderBytes: 10 << 10, ErrorLog: slog.NewLogLogger(fixedMessage{m.Log.Handler()}, slog.LevelWarn),
	}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			m.Log.Error("front stopped", "cause", err)
		}
	}()
	return server
}

// open opens the two files: the gateway's own state, and the simulated partners'.
func (m *Main) open() (err error) {
	if err := m.checkFolder(); err != nil {
		return err
	}
	if m.db, err = bolt.Open(m.path(ledgerFile), bolt.OnWrite(m.onWrite)); err == nil {
		m.partner, err = bolt.Open(m.path(partnerFile), bolt.OnWrite(m.onWrite))
	}
	var system *fs.PathError
	switch {
	case errors.Is(err, bolt.ErrLocked):
		url, _ := os.ReadFile(filepath.Join(m.Dir, "url"))
		return fmt.Errorf("it already runs, at %s", cmp.Or(string(url), "another port"))
	case errors.As(err, &system):
		return err
	case err != nil: // it is no database, or a damaged one
		return errApart{err.Error(), "put back what was there"}
	}
	return m.checkDatabases()
}

func (m *Main) onWrite(stage string) {
	if m.OnWrite != nil {
		m.OnWrite(stage)
	}
}

// wire connects everything and returns what answers requests. The simulated partners are called at ofPartners.
func (m *Main) wire(ctx context.Context, routes []route, ofPartners string) (http.Handler, error) {
	var err error
	if m.Ledger, err = ledgerbolt.New(m.db); err != nil {
		return nil, err
	}
	blobs, err := vaultbolt.New(m.db)
	if err != nil {
		return nil, err
	}
	m.Ledger.Now, blobs.Now, m.Vault = m.Now, m.Now, blobs
	m.Ledger.Sweeps = true
	if err := m.seed(ctx); err != nil {
		return nil, err
	}
	cache := secrets.NewCache(m.secrets(), stage, m.Now)
	ring := seal.Cached(cache.Keys)
	auth := gateway.NewAuthenticator(m.Ledger, m.Now)
	auth.Ring = ring
	m.sandbox = sandbox.New(sandbox.NewBolt(m.partner), sandbox.Options{
		TimeScale: m.TimeScale, Hijackable: true, Log: m.Log,
		Authenticate: sandbox.CallerOnly(auth),
		Simulators:   simulators.All(),
		Callbacks:    sandbox.CallbackOptions{BaseURL: m.callbacksURL},
	})
	uploads := &uploads{blobs: blobs, url: m.URL, now: m.Now, permitted: map[string]permit{}}
	p := &operation.Pipeline{
		Ledger: m.Ledger, Vault: &vault.Vault{Blobs: blobs, Uploads: uploads, Ring: ring}, Auth: auth, Secrets: cache,
		Ring:     ring,
		Tokens:   token.New(m.Ledger, ring, m.Now, operation.NewID, m.Log),
		Upstream: m.upstream(ofPartners), Log: m.Log, Now: m.Now, NewID: operation.NewID,
		QuietPeriod: time.Duration(float64(operation.QuietPeriod) / m.TimeScale), // so do the partners' own delays pass
	}
	if m.WrapLedger != nil {
		p.Ledger = m.WrapLedger(p.Ledger)
	}
	service := &journeys.Service{
		Ledger: m.Ledger, Vault: p.Vault, Secrets: cache, Ring: ring, Auth: auth, Log: m.Log, Now: m.Now,
		NewID:     operation.NewID,
		TimeScale: m.TimeScale,
	}
	for _, p := range partners.All() {
		if p.Journeys != nil {
			service.Types = append(service.Types, p.Journeys(m.Now)...)
		}
	}
	service.Orchestrator, service.Watch, m.journeys = lateOrchestrator{m}, m.Ledger.Watch, service
	handlers := functions(p, m.Ledger, service, lateOrchestrator{m}, m.URL+"/sandbox", m.TimeScale)
	if m.orchestrator, err = m.orchestrate(handlers, service); err != nil {
		return nil, err
	}
	b := &bus{requested: service.Requested, auth: auth}
	service.Changed = b.changed
	f := &front{
		routes: routes, log: m.Log, newID: operation.NewID, handlers: handlers,
		direct: map[string]http.Handler{"sandbox/serve": m.sandbox},
	}
	for _, r := range routes {
		if f.handlers[r.service] == nil && f.direct[r.service] == nil {
			return nil, fmt.Errorf("%s has a route to functions/%s, which the local stack doesn't know", m.Template, r.service)
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == busPath:
			b.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, uploadsPath):
			uploads.ServeHTTP(w, r)
		default:
			f.ServeHTTP(w, r)
		}
	}), nil
}

// lateOrchestrator is the stack's orchestrator for the functions that it runs itself, and which are made before it.
type lateOrchestrator struct{ m *Main }

func (o lateOrchestrator) Start(ctx context.Context, machine, name string, input []byte) error {
	return o.m.orchestrator.Start(ctx, machine, name, input)
}

func (o lateOrchestrator) Answer(ctx context.Context, token string, output []byte) error {
	return o.m.orchestrator.Answer(ctx, token, output)
}

func (o lateOrchestrator) Stop(ctx context.Context, machine, name, cause string) error {
	return o.m.orchestrator.Stop(ctx, machine, name, cause)
}

// orchestrate loads the definitions; in them, functions are named by their logical ids in template.yaml.
func (m *Main) orchestrate(
	handlers map[string]lambda.Handler, service *journeys.Service,
) (*orchestratorlocal.Orchestrator, error) {
	files, err := statemachines.Files.ReadDir(".")
	if err != nil {
		return nil, err
	}
	options := orchestratorlocal.Options{
		Machines: map[string]*asl.Machine{}, Functions: map[string]orchestratorlocal.Function{}, Ended: service.Settle,
		Log: m.Log, TimeScale: m.TimeScale, InvocationTimeout: operation.InvocationTimeout, History: m.History,
	}
	for _, file := range files {
		definition, err := statemachines.Files.ReadFile(file.Name())
		if err != nil {
			return nil, err
		}
		machine, err := asl.Parse(definition)
		if err != nil {
			return nil, fmt.Errorf("statemachines/%s: %w", file.Name(), err)
		}
		for _, name := range machine.Functions() {
			folder := Folder(strings.Trim(name, "${}"))
			if handlers[folder] == nil {
				return nil, fmt.Errorf("statemachines/%s invokes %s, which the local stack doesn't know", file.Name(), name)
			}
			options.Functions[name] = handlers[folder]
		}
		options.Machines[strings.TrimSuffix(file.Name(), ".asl.json")] = machine
	}
	return orchestratorlocal.New(m.db, options)
}

// callbacksURL is where the simulated partners call back; those that are due while the stack ends wait for the next.
func (m *Main) callbacksURL(context.Context) (string, error) {
	if m.closing.Load() {
		return "", errors.New("the gateway is ending")
	}
	return m.URL, nil
}

func (m *Main) upstream(ofPartners string) *upstream.Client {
	options := []upstream.Option{upstream.WithTransport(func(next http.RoundTripper) http.RoundTripper {
		return refuseTransport{partnersTransport{next, ofPartners}, m.sandbox}
	})}
	if m.UpstreamTimeout > 0 {
		options = append(options, upstream.WithTimeout(m.UpstreamTimeout))
	}
	if m.WrapTransport != nil {
		options = append(options, upstream.WithTransport(m.WrapTransport))
	}
	return upstream.New(options...)
}

func (m *Main) secrets() file.Source { return file.Source{Path: m.path(secretsFile)} }

// seed gives a new stack its callers and its credentials for the simulated partners.
func (m *Main) seed(ctx context.Context) error {
	values := map[string]any{}
	for _, p := range partners.All() {
		values["sallyport/"+stage+"/partners/"+p.Name] = p.Credentials
	}
	if err := m.secrets().Seed(values); err != nil {
		return err
	}
	hash := gateway.HashKey(localKey)
	_, known := m.Ledger.Caller(ctx, hash)
	if !errors.Is(known, ledger.ErrNotFound) {
		return known
	}
	if err := m.Ledger.PutCaller(ctx, ledger.Caller{
		KeyHash: gateway.HashKey(operatorKey), Tenant: "operator", Name: "local operator",
		Scopes: []string{ledger.OperatorScope},
	}); err != nil {
		return err
	}
	return m.Ledger.PutCaller(
		ctx, ledger.Caller{KeyHash: hash, Tenant: localTenant, Name: "local development", Scopes: []string{"*"}},
	)
}

// resume lets everything go on that had not ended.
func (m *Main) resume(ctx context.Context) error {
	if err := m.orchestrator.Resume(); err != nil {
		return err
	}
	if err := m.Vault.Sweep(ctx); err != nil {
		return err
	}
	return m.journeys.Resume(ctx, m.Ledger.OpenJourneys(ctx))
}

// sweepEvery is how often the state is rid of what has expired, also while nothing is written.
const sweepEvery = time.Minute

func (m *Main) sweep(ctx context.Context) {
	for tick := time.NewTicker(sweepEvery); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
			err := errors.Join(m.Vault.Sweep(ctx), m.Ledger.Sweep(ctx), m.orchestrator.Sweep())
			if err != nil && ctx.Err() == nil {
				m.Log.Error("state not swept", "cause", err)
			}
		}
	}
}

// Execution returns the execution of a journey, as it was last written.
func (m *Main) Execution(journey string) (*asl.Execution, error) {
	return m.orchestrator.Execution(journey)
}

// fixedMessage logs that something was said, not what: net/http prints the values of panics.
type fixedMessage struct{ slog.Handler }

// Handle implements slog.Handler.
func (h fixedMessage) Handle(ctx context.Context, r slog.Record) error {
	return h.Handler.Handle(ctx, slog.NewRecord(r.Time, r.Level, "http server error", 0))
}

// Close ends the stack; what it has accepted is kept. It takes no more requests, and waits for the calls under way,
// those of journeys too, which get their partners' true answers; what they need is closed after them.
func (m *Main) Close() error {
	var errs []error
	if m.stopSweep != nil {
		m.stopSweep()
	}
	m.closing.Store(true)
	held := shutdown(m.server)
	if m.orchestrator != nil {
		m.orchestrator.Close()
	}
	if m.sandbox != nil {
		errs = append(errs, m.sandbox.Close()) // lets go what a fault holds
	}
	errs = append(errs, shutdown(m.partners))
	if held != nil { // a fault may have held a caller of the simulated partners
		errs = append(errs, shutdown(m.server))
	}
	for _, db := range []*bolt.DB{m.db, m.partner} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if m.server != nil {
		if err := os.Remove(filepath.Join(m.Dir, "url")); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// shutdown ends a server once it has answered what is under way; nil is a server that never ran.
func shutdown(s *http.Server) error {
	if s == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), operation.InvocationTimeout+time.Second)
	defer cancel()
	return s.Shutdown(ctx)
}

// Greet tells a person where it runs and what to try first.
func (m *Main) Greet(w io.Writer) {
	fmt.Fprintf(w, `Sallyport runs at %[1]s, with simulated partners. Its state is in %[2]s; Ctrl-C ends it.
The local key is %[3]s (tenant %[4]s). A first call, which opens a transaction at Equal:

  curl -i %[1]s/equal/ie/transaction/init -H 'X-API-Key: %[3]s' -H 'Content-Type: application/json' -d '{"gateway_instance_id":"%[5]s"}'

What reached the partners: curl -H 'X-API-Key: %[3]s' %[1]s/sandbox/requests
`, m.URL, strings.TrimSuffix(m.Dir, "/")+"/", localKey, localTenant, equal.Defaults().GatewayInstanceID)
}
