# `make demo` and `make test` are the two commands to know; the others are their parts. All of them may be repeated: what is
# there already is not done again.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
.PHONY: demo test lint unit integration browser bench fuzz build prepare-demo prepare-test

# Tools that prepare.sh brought come first; where rustup puts cargo is for shells that have not read its profile.
export PATH := $(CURDIR)/target/tools/bin:$(PATH):$(HOME)/.cargo/bin
export VMFERRY := $(abspath $(or $(CARGO_TARGET_DIR),target))/release/vmferry

# Everything but the crate of the browser's side: with that in the same build, app would get the features of both sides.
native := --workspace --exclude frontend
browser_side := --package app --package frontend --features app/hydrate --target wasm32-unknown-unknown

# Libvirt hosts on this machine with the console on top, until Ctrl-C. Arguments: make demo ARGS='--listen 127.0.0.1:9000'
demo: prepare-demo build
	@exec "$$VMFERRY" demo $(ARGS)

test: prepare-test lint unit integration browser

# target/release/vmferry: the server, with the site inside.
build:
	@xtask/wasm-target.sh
	cargo xtask build --release

lint:
	@xtask/wasm-target.sh
	cargo fmt --all --check
	cargo clippy $(native) --all-targets -- -D warnings
	cargo clippy $(browser_side) -- -D warnings
	cargo deny --log-level error check bans licenses sources
	@if cargo deny fetch db 2>/dev/null; then cargo deny --log-level error check advisories; \
	else echo 'note: the database of advisories cannot be reached, so advisories were not checked'; fi

unit:
	cargo test $(native) --lib --bins

# On real libvirt hosts, those of the demo.
integration:
	cargo test $(native) --test '*'

# On the very binary that `make demo` starts.
browser: build
	cargo xtask first-visit
	cd end2end && npx tsc && npx playwright test

# Prints how long a sample takes from the server to the page, and a look at 19 destinations.
bench: prepare-test build
	cd end2end && npx playwright test --config bench.config.ts
	cargo bench --package vmferry --bench preflight
	cargo bench --package vmferry --bench migration

# Looks for a field of a host that gets out of its place in a URI, for as many seconds with each target.
fuzz_seconds := 300
fuzz:
	@for target in fields settings; do \
	mkdir -p target/fuzz/corpus/$$target; \
	(cd fuzz && nice cargo run --release --bin $$target -- -max_total_time=$(fuzz_seconds) -dict=hosts.dict -print_final_stats=1 \
	-artifact_prefix=../target/fuzz/ ../target/fuzz/corpus/$$target seeds/$$target); \
	done

prepare-demo:
	@xtask/prepare.sh demo

prepare-test:
	@xtask/prepare.sh test
