# The two commands of a newcomer are `make demo` and `make test`; `make help` lists the rest.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Cargo runs many jobs itself; two of these at once would only wait for its lock.
.NOTPARALLEL:

# Test targets that need real servers (test = false in Cargo.toml): plain `cargo test` leaves them out.
servers := kafka alertmanager prometheus board
server_targets := $(addprefix --test ,$(servers))
rule_tests := $(wildcard deploy/prometheus/*_test.yml)

# Where the bench starts a broker of its own, and the options of `shiftpulse bench`.
BENCH_PORT ?= 19292
BENCH ?=

.PHONY: help
help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: build
build: tools ## the binary: target/release/shiftpulse
	cargo build --release

.PHONY: demo
demo: build ## the whole product on this machine with simulated traffic; prints the address of its board
	cargo run --release --quiet -- demo

.PHONY: test
test: tools servers ## every test, also those on a real Kafka, Prometheus, Alertmanager and Chromium, installed if missing
	cargo test --no-fail-fast
	cargo test --no-fail-fast $(server_targets)
	$(if $(rule_tests),promtool test rules $(rule_tests))

.PHONY: check
check: lint docs ## what a change must pass besides the tests: format, lints, documentation

.PHONY: lint
lint: tools ## rustfmt and clippy, warnings denied
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	cargo clippy $(server_targets) -- -D warnings

.PHONY: docs
docs: tools ## the API's documentation, warnings denied: target/doc/shiftpulse/index.html
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps

.PHONY: bench
bench: build ## measures this machine beside a real broker: throughput, memory, delay; BENCH="--events 3000000" passes options
	@address=$$(deploy/kafka/broker.sh start $(BENCH_PORT) | grep -oE '[0-9.]+:[0-9]+$$'); \
	trap 'deploy/kafka/broker.sh stop' EXIT; \
	cargo run --release --quiet -- bench --brokers "$$address" $(BENCH)

# What building needs, and why the first build is long: said before it starts.
.PHONY: tools
tools:
	@deploy/check-build-tools.sh

.PHONY: servers
servers:
	@tests/install-servers.sh
	@deploy/kafka/broker.sh obtain
