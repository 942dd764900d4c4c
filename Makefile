# Everything that is done with Sallyport. Needs Go and a POSIX shell; `make help` lists the targets.

.DEFAULT_GOAL := help

FUZZTIME    ?= 10s
CONFIG      ?= default
STATICCHECK  = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOTESTSUM    = gotest.tools/gotestsum@v1.13.0

export GOFLAGS += -trimpath # so that checkouts share what is built

SOURCES     := $(wildcard functions shared statemachines)
FUNCTIONS   := $(patsubst functions/%/main.go,%,$(shell grep -l lambda.Start functions/*/main.go functions/*/*/main.go))
GO_BUILD     = GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build -tags lambda.norpc -trimpath -buildvcs=false \
	-ldflags='-s -w'

# A logical id as words joined by dashes, of which each capital begins one: Acme9ShipAPart becomes acme9-ship-a-part.
WORDS        = sed 's/[[:upper:]]/-&/g; s/^-//' | tr '[:upper:]' '[:lower:]'

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

run: ## start everything on 127.0.0.1:3000 (PORT), without an account
	@$(BUILD_LOCAL) && exec .local/bin/sallyport

demo: ## show every journey on a stack of its own, step by step
	@$(BUILD_LOCAL) && exec .local/bin/sallyport demo

BUILD_LOCAL = mkdir -p .local/bin && \
	{ [ -e .local/bin/sallyport ] || echo "building it, which takes a minute or two the first time"; } && \
	go build -o .local/bin/sallyport ./functions/local

# Tests that go through a whole matrix have names that end in Matrix. The race detector makes them several times as long.
MATRIX          = ^Test.*Matrix$$
MATRICES        = $(shell grep -roE --include='*_test.go' '^func Test[A-Za-z0-9_]*Matrix' $(SOURCES) | tr ' ' '/')
MATRIX_PACKAGES = $(sort $(foreach matrix,$(MATRICES),./$(dir $(firstword $(subst :, ,$(matrix))))))

RACE    = $(shell [ "$$(go env CGO_ENABLED)" = 1 ] && command -v "$$(go env CC)" >/dev/null && echo -race)
LACKING = $(if $(RACE),,a C compiler for the race detector) \
	$(foreach tool,java npm,$(if $(shell command -v $(tool)),,$(tool)))

# Runs tests with flags. Shows what fails, every package, and each test that takes a second or longer; at the end, what
# failed or was skipped, and where. .build/$(1).json has the results. Vet is lint's.
gotest = mkdir -p .build; echo "go test -parallel 8 -vet=off $(strip $(2))"; \
	{ go run $(GOTESTSUM) --format testname --jsonfile-timing-events .build/$(1).json -- -parallel 8 -vet=off $(2) 2>&1; \
	echo $$? >.build/$(1).status; } | \
	grep --line-buffered -vE '^EMPTY|^PASS .*(\.Test[^ ]*/|\(0\.[0-9]+s\)$$)'; [ "$$(cat .build/$(1).status)" = 0 ]

# Says which tools tests will miss. That is an error with REQUIRE_ALL=1.
lacking = $(if $(strip $(LACKING)),echo "SKIPPED whatever needs $(strip $(LACKING))"; [ "$$REQUIRE_ALL" != 1 ],:)

test: ## run all tests, raced where there is a C compiler but for the matrices; says what it skipped
	@$(lacking)
	@status=0; \
	$(call gotest,test,$(RACE) -timeout 30m -skip '$(MATRIX)' ./...) || status=1; \
	$(call gotest,matrices,-timeout 30m -run '$(MATRIX)' $(MATRIX_PACKAGES)) || status=1; \
	ran=$$(grep -cE '"Action":"(pass|fail)".*"Test":"[A-Za-z0-9_]*Matrix"' .build/matrices.json); \
	echo "$$ran of $(words $(MATRICES)) matrices have run"; [ "$$ran" = $(words $(MATRICES)) ] || status=1; \
	$(lacking) && exit $$status

test-quick: ## run what two minutes allow: samples of the matrices, no race detector, nothing as it is deployed
	@$(call gotest,quick,-short -timeout 10m ./...)

soak: ## run everything, raced
	@[ -n "$(RACE)" ] || { echo "the race detector needs a C compiler"; exit 1; }
	@$(lacking)
	@export SOAK=1; $(call gotest,soak,$(RACE) -count 1 -timeout 3h ./...)

generate: ## write anew what follows from the partners and the journeys: template, events, state machines, documents
	go test ./statemachines -run TestDefinitions -update
	go test ./statemachines -run TestGenerated -update
	go test ./functions/partners -run TestGenerated -update
	go test ./functions/local -run '^(TestDiagrams|TestFingerprints)$$' -update

partner: ## write a new partner that works, to be changed: NAME=tiny
	go run ./functions/scaffold partner "$(NAME)"
	go vet "./functions/$(NAME)/..." "./functions/sandbox/$(NAME)"
	@$(MAKE) --no-print-directory generate

operation: ## write a new operation of a partner, likewise: PARTNER=tiny NAME=close-thing (KIND=effect or read)
	go run ./functions/scaffold operation "$(PARTNER)" "$(NAME)" "$(or $(KIND),effect)"
	go vet "./functions/$(PARTNER)/..." "./functions/sandbox/$(PARTNER)"
	@$(MAKE) --no-print-directory generate

lint: ## check format, code and template
	@unformatted=$$(gofmt -l $(SOURCES)); if [ -n "$$unformatted" ]; then echo "gofmt would change"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...
	@if command -v cfn-lint >/dev/null; then echo "cfn-lint template.yaml"; cfn-lint template.yaml; \
	else echo "SKIPPED cfn-lint: not installed"; [ "$$REQUIRE_ALL" != 1 ]; fi
	@if command -v sam >/dev/null; then echo "sam validate --lint"; sam validate --lint; \
	else echo "SKIPPED sam validate: not installed"; fi

# Go's fuzzer before 1.27 sometimes fails (golang.org/issue/75804) with no more than "context deadline exceeded" when its
# time is up in an unlucky moment: a target that fails so, without an input to show, is run again. Any other failure
# counts.
fuzz: ## run every fuzz target for FUZZTIME (10s, or a number of inputs as 5000x)
	@mkdir -p .build
	@grep -rlE --include='*_test.go' '^func Fuzz' $(SOURCES) | xargs -n 1 dirname | sort -u | while read -r package; do \
		go test -c -fuzz . -o .build/fuzz.test "./$$package" || exit 1; \
		for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$$package"/*_test.go | sed 's/func //'); do \
			for try in 1 2 3; do \
				echo "fuzz $$package $$target for $(FUZZTIME)"; \
				{ (cd "$$package" && "$(CURDIR)/.build/fuzz.test" -test.run '^$$' -test.fuzz "^$$target\$$" \
					-test.fuzztime $(FUZZTIME) -test.fuzzminimizetime 1s \
					-test.fuzzcachedir "$$(go env GOCACHE)/fuzz/sallyport/$$package") </dev/null 2>&1; \
				echo $$? >.build/fuzz.status; } | tee .build/fuzz.log; \
				[ "$$(cat .build/fuzz.status)" = 0 ] && break; \
				if [ $$try = 3 ] || ! grep -q '^ *context deadline exceeded' .build/fuzz.log || \
					grep -q 'Failing input' .build/fuzz.log; then exit 1; fi; \
				echo "the fuzzer's own deadline: once more"; \
			done || exit 1; \
		done || exit 1; \
	done

bench: ## measure what has a budget, and fail over one (BENCH=starts for these alone, UPDATE=1 to document the result)
	@mkdir -p .build/bench
	@go test -c -o .build/bench/budgets ./functions/local
	@cd functions/local && ../../.build/bench/budgets -test.run '^TestBudgets$$' -budgets '$(or $(BENCH),.)' $(if $(UPDATE),-update)

build: ## build every function as an arm64 zip below .build
	@for group in $(sort $(foreach function,$(FUNCTIONS),$(firstword $(subst /, ,$(function))))); do \
		$(GO_BUILD) -o .build/arm64/$$group/ ./functions/$$group/... || exit 1; done
	@$(MAKE) --no-print-directory -j $$(getconf _NPROCESSORS_ONLN) $(ZIPS)
	@echo "$(words $(ZIPS)) functions are in .build; the largest have, in bytes:"; \
	wc -c $(ZIPS) | grep -v ' total$$' | sort -rn | head -n 5

ZIPS = $(FUNCTIONS:%=.build/%.zip)

.build/%.zip: FORCE
	@mkdir -p .build/$* && cp .build/arm64/$(firstword $(subst /, ,$*))/$(notdir $*) .build/$*/bootstrap
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
.PHONY: help run demo test test-quick soak generate partner operation lint fuzz bench build deploy caller invoke FORCE
