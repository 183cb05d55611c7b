# `make demo` and `make test` are the two commands to know; the others are their parts. All of them can be repeated: nothing is
# installed or built twice.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
.PHONY: demo test lint unit integration faults browser bench screenshots lighthouse fuzz build prepare-demo prepare-test

# First the tools that prepare.sh installed, then rustup's cargo, which a shell may not have in its PATH: the distribution's cargo is
# often too old. Last /usr/sbin, which Debian's users do not have, and where the tests find nft.
export PATH := $(CURDIR)/target/tools/bin:$(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH):/usr/sbin
# The shell, as make would take a path with spaces for several.
export VMFERRY := $(shell realpath --canonicalize-missing "$(or $(CARGO_TARGET_DIR),target)")/release/vmferry

# All crates but the browser's entry point: built together with it, the crate app would get the features of both sides.
native := --workspace --exclude frontend
browser_side := --package app --package frontend --features app/hydrate --target wasm32-unknown-unknown

# Starts libvirt hosts with VMs on this machine, and the console, until Ctrl-C. Arguments: make demo ARGS='--listen 127.0.0.1:9000'
demo: prepare-demo build
	@exec "$$VMFERRY" demo $(ARGS)

# Runs all checks and tests.
test: prepare-test lint unit integration faults browser

# Builds target/release/vmferry, the server with the site inside.
build:
	@xtask/wasm-target.sh
	cargo xtask build --release

# Checks formatting, lints, licenses and known vulnerabilities of dependencies.
lint:
	@xtask/wasm-target.sh
	cargo fmt --all --check
	cargo clippy $(native) --all-targets -- -D warnings
	cargo clippy $(browser_side) -- -D warnings
	cargo deny --log-level error check bans licenses sources
	@if cargo deny fetch db 2>/dev/null; then cargo deny --log-level error check advisories; \
	else echo 'note: the database of advisories cannot be reached, so advisories were not checked'; fi

# Tests that need no libvirt.
unit:
	cargo test $(native) --lib --bins

# Tests on real libvirt hosts.
integration:
	cargo test --no-fail-fast $(native) --test '*'

# Moves VMs while things go wrong: 50 runs of the fault matrix (docs/reliability.md).
faults:
	cargo xtask faults --quick

# Tests the pages in Chromium, on the binary that `make demo` starts, and over simulated hosts (docs/fleet.md).
browser: build
	cargo xtask first-visit
	cargo xtask build --release fleet
	cd end2end && npx tsc && npx playwright test && npx playwright test --config fleet.config.ts recover window

# Prints how long a sample takes from the server to the page, a preflight of 19 destinations, and migrations by our policies and by what
# other consoles do (docs/measured.md), which takes half an hour.
bench: prepare-test build
	cd end2end && npx playwright test --config bench.config.ts
	cargo xtask bench preflight
	cargo xtask bench migration

# Takes pictures of every page at four widths, light and dark: target/screenshots.
screenshots: prepare-test build
	cargo xtask build --release fleet
	cd end2end && npx playwright test --config screenshots.config.ts

# Judges every page by Lighthouse, and prints how well it performs on a phone, which depends on this machine.
lighthouse: prepare-test build
	cd end2end/lighthouse && npm ci --loglevel=error --no-audit --no-fund
	cd end2end && LIGHTHOUSE_PERFORMANCE=1 npx playwright test --config lighthouse.config.ts

# Runs each fuzz target for this time: no field of a host may change the structure of a URI.
fuzz_seconds := 300
fuzz:
	@for target in fields settings; do \
	mkdir -p target/fuzz/corpus/$$target; \
	(cd fuzz && nice cargo run --release --bin $$target -- -max_total_time=$(fuzz_seconds) -dict=hosts.dict -print_final_stats=1 \
	-artifact_prefix=../target/fuzz/ ../target/fuzz/corpus/$$target seeds/$$target); \
	done

# Install what this machine lacks.
prepare-demo:
	@xtask/prepare.sh demo

prepare-test:
	@xtask/prepare.sh test
