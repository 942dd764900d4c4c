# Everything that is done with Sallyport. Needs Go and a POSIX shell; `make help` lists the targets.

.DEFAULT_GOAL := help

FUZZTIME    ?= 10s
CONFIG      ?= default
STATICCHECK  = honnef.co/go/tools/cmd/staticcheck@v0.8.2

SOURCES     := $(wildcard functions shared statemachines)
FUNCTIONS   := $(filter-out local operator,$(patsubst functions/%/main.go,%,$(wildcard functions/*/main.go functions/*/*/main.go)))
GO_BUILD     = GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build -tags lambda.norpc -trimpath -ldflags='-s -w'

# A logical id as words joined by dashes: EqualExecuteJourney becomes equal-execute-journey.
WORDS        = sed 's/\([a-z0-9]\)\([A-Z]\)/\1-\2/g' | tr '[:upper:]' '[:lower:]'

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

run: ## start everything on 127.0.0.1:3000 (PORT), without an account
	@mkdir -p .local/bin
	@go build -o .local/bin/sallyport ./functions/local && exec .local/bin/sallyport

demo: ## show every journey on a stack of its own, step by step
	@mkdir -p .local/bin
	@go build -o .local/bin/sallyport ./functions/local && exec .local/bin/sallyport demo

test: ## run all tests, with the race detector where there is a C compiler; says what it skipped
	@mkdir -p .build
	@race=; skipped=; \
	if [ "$$(go env CGO_ENABLED)" = 1 ] && command -v "$$(go env CC)" >/dev/null; then race=-race; \
	else skipped="the race detector: no C compiler"; fi; \
	for tool in java npm; do \
		command -v $$tool >/dev/null || skipped="$${skipped:+$$skipped; }whatever needs $$tool: not installed"; \
	done; \
	if [ -n "$$skipped" ] && [ "$$REQUIRE_ALL" = 1 ]; then echo "REQUIRE_ALL=1, but this would skip $$skipped"; exit 1; fi; \
	echo "go test $$race -parallel 8 -timeout 30m ./..."; \
	{ go test -v $$race -parallel 8 -timeout 30m ./... 2>&1; echo $$? >.build/test.status; } | tee .build/test.log | awk ' \
		/^=== / || /^ *--- (PASS|SKIP)/ || /^PASS$$/ || /^\?/ {next} \
		/^ok/ {print; output = ""; next} \
		/^FAIL\t/ {printf "%s", output; print; output = ""; next} \
		{output = output $$0 "\n"} \
		END {printf "%s", output}'; \
	sed -n 's/^ *[A-Za-z_0-9]*\.go:[0-9]*: SKIPPED[:,]* */SKIPPED /p' .build/test.log | sort | uniq -c; \
	if [ -n "$$skipped" ]; then echo "SKIPPED $$skipped"; fi; \
	exit "$$(cat .build/test.status)"

lint: ## check format, code and template
	@unformatted=$$(gofmt -l $(SOURCES)); if [ -n "$$unformatted" ]; then echo "gofmt would change"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...
	@if command -v cfn-lint >/dev/null; then echo "cfn-lint template.yaml"; cfn-lint template.yaml; \
	else echo "SKIPPED cfn-lint: not installed"; [ "$$REQUIRE_ALL" != 1 ]; fi
	@if command -v sam >/dev/null; then echo "sam validate --lint"; sam validate --lint; \
	else echo "SKIPPED sam validate: not installed"; fi

# Go's fuzzer before 1.27 sometimes fails (golang.org/issue/75804) with no more than "context deadline exceeded" when its time is up in an unlucky moment:
# a target that fails so, without an input to show, is run once more. Any other failure counts.
fuzz: ## run every fuzz target for FUZZTIME (10s), one after the other
	@mkdir -p .build
	@grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' $(SOURCES) | sort | while IFS=: read -r file func; do \
		name=$${func#func }; \
		for try in 1 2 3; do \
			echo "fuzz $${file%/*} $$name for $(FUZZTIME)"; \
			{ go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s "./$${file%/*}" </dev/null 2>&1; echo $$? >.build/fuzz.status; } | tee .build/fuzz.log; \
			[ "$$(cat .build/fuzz.status)" = 0 ] && break; \
			if [ $$try = 3 ] || ! grep -q '^ *context deadline exceeded' .build/fuzz.log || grep -q 'Failing input' .build/fuzz.log; then exit 1; fi; \
			echo "the fuzzer's own deadline: once more"; \
		done || exit 1; \
	done

bench: ## measure what has a budget, and fail over one: calls, large answers, starts (BENCH=starts for these alone)
	@mkdir -p .build/bench
	@go test -c -o .build/bench/budgets ./functions/local
	@cd functions/local && ../../.build/bench/budgets -test.run '^TestBudgets$$' -budgets '$(or $(BENCH),.)'

build: $(FUNCTIONS:%=.build/%.zip) ## build every function as an arm64 zip below .build
	@wc -c $^

.build/%.zip: FORCE
	@mkdir -p .build/$*
	@$(GO_BUILD) -o .build/$*/bootstrap ./functions/$*
	@rm -f $@ && zip -q -X -j $@ .build/$*/bootstrap

# What sam build calls for a function, by its logical id.
build-%:
	@folder=$$(echo '$*' | $(WORDS) | sed 's/-/\//'); echo "build functions/$$folder"; \
	$(GO_BUILD) -o "$(ARTIFACTS_DIR)/bootstrap" "./functions/$$folder"

deploy: ## build and deploy with SAM; CONFIG=prod for production
	sam build --config-env $(CONFIG)
	sam deploy --config-env $(CONFIG)

caller: ## register a caller with a deployed stage and print its key: TENANT=acme SCOPES=equal,transactions (STAGE=dev NAME= DAYS=)
	@LEDGER_TABLE=sallyport-$(or $(STAGE),dev)-ledger go run ./functions/operator caller -tenant "$(TENANT)" -scopes "$(SCOPES)" -name "$(NAME)" -days "$(or $(DAYS),0)"

invoke: ## run one function in a container with its sample event: FN=EqualExecuteJourney (EVENT=file)
	@[ -n "$(FN)" ] || { echo "FN must name a function of template.yaml, as in make invoke FN=Notfound"; exit 1; }
	sam build $(FN)
	sam local invoke $(FN) --env-vars events/env.json --event "$(or $(EVENT),events/$$(echo '$(FN)' | $(WORDS)).json)"

FORCE:
.PHONY: help run demo test lint fuzz bench build deploy caller invoke FORCE
