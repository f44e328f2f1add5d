# The two commands of the README are `make demo` and `make check`.

PREFIX ?= /usr/local
DESTDIR ?=
RABBITMQ ?= 3.10

TOOLS = rmq-declare rmq-perm rmq-recv rmq-send
PAGES = man/rmq.7 $(TOOLS:%=man/%.1)

.PHONY: all demo check soak torture release format lint deny man-lint script-lint unit build e2e smoke install uninstall clean

all: build

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
	shellcheck .ci/run scripts/*

unit:
	cargo test --workspace --exclude rmq-tests

# End to end, on real brokers: one node and a cluster of three, of the release RABBITMQ.
e2e: build
	scripts/install-tools $(RABBITMQ) 4.0
	RMQ_RELEASE=$(RABBITMQ) cargo test -p rmq-tests

# The main paths once more, and both ways of rmq-perm, on RabbitMQ 4.
smoke: build
	scripts/install-tools 4.0
	RMQ_RELEASE=4.0 cargo test -p rmq-tests -- smoke administration::table

# The same tests with the full numbers, and much more random input to all parsers.
soak: build
	PROPTEST_CASES=50000 cargo test --workspace --exclude rmq-tests
	scripts/install-tools $(RABBITMQ) 4.0
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

install:
	cargo build --locked --release --workspace --bins
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/man/man1" "$(DESTDIR)$(PREFIX)/share/man/man7"
	install -m 755 $(TOOLS:%=target/release/%) "$(DESTDIR)$(PREFIX)/bin"
	install -m 644 $(TOOLS:%=man/%.1) "$(DESTDIR)$(PREFIX)/share/man/man1"
	install -m 644 man/rmq.7 "$(DESTDIR)$(PREFIX)/share/man/man7"

uninstall:
	cd "$(DESTDIR)$(PREFIX)/bin" && rm -f $(TOOLS)
	cd "$(DESTDIR)$(PREFIX)/share/man" && rm -f man7/rmq.7 $(TOOLS:%=man1/%.1)

clean:
	cargo clean
