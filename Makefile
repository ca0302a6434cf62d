# Short names for the commands of CONTRIBUTING.md. None of them is needed: plain go run and go test work in a fresh clone.

N ?= 200000x
WITH_GOLDEN = ./internal/ui ./internal/console ./internal/phone/phoneui ./internal/graph ./internal/onprem ./internal/bench

help:
	@sed -n 's/^\([a-z0-9]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

run: ## start everything on this machine: server, network, customers
	go run ./cmd/kabar dev

test: ## run all tests
	go test ./...

race: ## run all tests under the race detector
	go test -race ./...

lint: ## formatting, vet, go.mod, linters
	bash .ci/run format vet modules lint

golden: ## write the golden files anew; read the difference before you commit it
	go test $(WITH_GOLDEN) -update

fuzz: ## try N (200000x) inputs on every fuzz target
	FUZZTIME=$(N) bash .ci/run fuzz

bench: ## run all benchmarks
	go test -run '^$$' -bench . -benchmem ./...

pg: ## run the store's tests on PostgreSQL, and make sure that they ran
	bash .ci/run postgres

browser: ## drive the pages in Chromium, and make sure that it was there
	bash .ci/run browser

e2e: ## run the end-to-end scripts against the real program
	bash .ci/run e2e

build: ## build ./kabar, a single file without a C compiler
	CGO_ENABLED=0 go build -trimpath -o kabar ./cmd/kabar

check: ## what CI runs, in the same order
	bash .ci/run

.PHONY: help run test race lint golden fuzz bench pg browser e2e build check
