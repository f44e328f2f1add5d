# The two commands of the README are `make demo` and `make check`.

PREFIX ?= /usr/local
DESTDIR ?=
# What is installed and packed is built in this profile: release, or dev where only the way there matters.
PROFILE ?= release
# What an archive is for: a Rust target, and with `.2.17` behind it the oldest glibc that it runs with.
TARGET ?= $(shell uname -m)-unknown-linux-gnu.2.17
BUILT_FOR = target/$(firstword $(subst ., ,$(TARGET)))/$(PROFILE:dev=debug)
RUNS_HERE = $(filter $(shell uname -m)-%,$(TARGET))
RABBITMQ ?= 3.10
# End-to-end tests that run at once.
AT_ONCE ?= 4

TOOLS = rmq-declare rmq-perm rmq-recv rmq-send
PAGES = man/rmq.7 $(TOOLS:%=man/%.1)
PACKAGES = $(TOOLS:%=-p %)
# Where the tools are that are installed, and those that print their completions: they run here.
BUILT = target/$(PROFILE:dev=debug)
RUN_HERE = $(BUILT)
SHARE = $(DESTDIR)$(PREFIX)/share
BASH_COMPLETIONS = $(SHARE)/bash-completion/completions
FISH_COMPLETIONS = $(SHARE)/fish/vendor_completions.d
ZSH_COMPLETIONS = $(SHARE)/zsh/$(ZSH_DIRECTORY)
# Where zsh looks for what is installed under /usr/local and elsewhere; Debian's packages have their own.
ZSH_DIRECTORY ?= site-functions
EXAMPLES = $(shell grep -ls '^\#!' examples/* examples/*/*)

.PHONY: all demo check soak bench torture compare-logs release format lint deny man-lint script-lint unit build e2e smoke install copy uninstall deb dist package-check clean

# What `make install` copies, so that root needs no compiler.
all:
	cargo build --locked --profile $(PROFILE) $(PACKAGES)

# Everything the tests and the demo run, in one profile.
build:
	cargo build --workspace --bins

demo: build
	scripts/install-broker
	scripts/demo

check: format lint deny man-lint script-lint unit e2e smoke

format:
	cargo fmt --all --check

lint:
	cargo clippy --workspace --all-targets -- -D warnings

# Licences, bans and sources; advisories need a database that only the GitHub workflow reaches.
deny:
	command -v cargo-deny >/dev/null || cargo install --locked --quiet cargo-deny
	cargo deny --log-level error check bans licenses sources

man-lint:
	scripts/install-tools
	mandoc -Tlint -W warning $(PAGES)

script-lint:
	scripts/install-tools
	shellcheck .ci/run scripts/* bench/prefetch $(EXAMPLES)
	scripts/lint-workflows

unit:
	cargo test --workspace --exclude rmq-tests

# End to end, on real brokers: one node and a cluster of three, of the release RABBITMQ. Two
# processors are enough for four at once, because most of them wait most of the time.
e2e: build
	scripts/install-tools $(RABBITMQ) 4.0
	RUST_TEST_THREADS=$(AT_ONCE) RMQ_RELEASE=$(RABBITMQ) cargo test -p rmq-tests

# The main paths once more, and both ways of rmq-perm, on RabbitMQ 4.
smoke: build
	scripts/install-tools 4.0
	RUST_TEST_THREADS=$(AT_ONCE) RMQ_RELEASE=4.0 cargo test -p rmq-tests -- smoke administration::table

# The same tests with the full numbers, and much more random input to all parsers.
soak: build
	PROPTEST_CASES=50000 cargo test --workspace --exclude rmq-tests
	scripts/install-tools $(RABBITMQ) 4.0 4.3
	RMQ_SOAK=1 cargo test --workspace --exclude rmq-tests -- --nocapture fuzz
	RMQ_SOAK=1 RMQ_RELEASE=$(RABBITMQ) cargo test -p rmq-tests -- --nocapture

# What is to be handed out: the list of all crates that are linked is in each binary, where
# `cargo audit bin` and other scanners read it.
release:
	command -v cargo-auditable >/dev/null || cargo install --locked --quiet cargo-auditable
	cargo auditable build --locked --release --workspace --bins

# Faults of every kind at once, for so many minutes, and a report; a seed repeats a run.
torture: build
	scripts/install-tools $(RABBITMQ)
	@RMQ_SEED=$(SEED) RMQ_MINUTES=$(MINUTES) RMQ_RELEASE=$(RABBITMQ) RMQ_FAULTS=$(FAULTS) RMQ_RATE=$(RATE) \
		target/debug/torture

# How many lines of a log are lost by tail | amqp-publish and by rmq-send, which are killed alike.
compare-logs: build
	scripts/install-tools $(RABBITMQ)
	@RMQ_SEED=$(SEED) RMQ_MINUTES=$(MINUTES) RMQ_RELEASE=$(RABBITMQ) RMQ_FAULTS=$(FAULTS) RMQ_RATE=$(RATE) \
		target/debug/compare-logs

# How fast, beside amqp-tools, pika, rabbitmqctl and the wire's own ceiling; half an hour. BENCH=--help tells
# how to have a part of it.
bench:
	scripts/install-tools $(RABBITMQ)
	cargo build --release --workspace --bins
	target/release/rmq-bench --release $(RABBITMQ) $(BENCH)

# Nothing is built where there is no cargo, as with sudo.
install:
	@if command -v cargo >/dev/null; then $(MAKE) --no-print-directory all; fi
	$(MAKE) --no-print-directory copy

copy:
	BASH_COMPLETIONS="$(BASH_COMPLETIONS)" FISH_COMPLETIONS="$(FISH_COMPLETIONS)" \
		ZSH_COMPLETIONS="$(ZSH_COMPLETIONS)" scripts/copy-built "$(BUILT)" "$(RUN_HERE)" "$(DESTDIR)$(PREFIX)"

uninstall:
	cd "$(DESTDIR)$(PREFIX)/bin" && rm -f $(TOOLS)
	cd "$(SHARE)/man" && rm -f man7/rmq.7 $(TOOLS:%=man1/%.1)
	cd "$(BASH_COMPLETIONS)" && rm -f $(TOOLS)
	cd "$(FISH_COMPLETIONS)" && rm -f $(TOOLS:%=%.fish)
	cd "$(ZSH_COMPLETIONS)" && rm -f $(TOOLS:%=_%)
	rm -rf "$(SHARE)/doc/rmq"

# A Debian package, in target/dist, of what is built for this system.
deb:
	rm -rf target/tree-deb
	$(MAKE) --no-print-directory $(if $(filter release,$(PROFILE)),release,all)
	$(MAKE) --no-print-directory copy DESTDIR=target/tree-deb PREFIX=/usr ZSH_DIRECTORY=vendor-completions
	scripts/package deb target/tree-deb

# An archive for any Linux as old as TARGET says, to be unpacked in /usr/local.
dist: $(if $(RUNS_HERE),,all)
	rm -rf target/tree-dist
	scripts/build-for $(TARGET) $(PROFILE)
	$(MAKE) --no-print-directory copy DESTDIR=target/tree-dist PREFIX= BUILT=$(BUILT_FOR) \
		RUN_HERE=$(if $(RUNS_HERE),$(BUILT_FOR),$(BUILT))
	scripts/package tar target/tree-dist $(TARGET)

package-check: build
	scripts/install-tools
	$(MAKE) --no-print-directory deb dist PROFILE=dev
	scripts/test-package

clean:
	cargo clean
