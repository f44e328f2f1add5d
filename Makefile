# The two commands of the README are `make demo` and `make check`.

PREFIX ?= /usr/local
DESTDIR ?=
RABBITMQ ?= 3.10

TOOLS = rmq-declare rmq-perm rmq-recv rmq-send
PAGES = man/rmq.7 $(TOOLS:%=man/%.1)

.PHONY: all demo check soak bench format lint deny man-lint script-lint unit build e2e smoke install uninstall clean

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
	shellcheck .ci/run scripts/* bench/prefetch

unit:
	cargo test --workspace --exclude rmq-tests

# End to end, on real brokers: one node and a cluster of three, of the release RABBITMQ.
e2e: build
	scripts/install-tools $(RABBITMQ) 4.0
	RMQ_RELEASE=$(RABBITMQ) cargo test -p rmq-tests

# The main paths once more, on RabbitMQ 4.
smoke: build
	scripts/install-tools 4.0
	RMQ_RELEASE=4.0 cargo test -p rmq-tests -- smoke

# The same tests with the full numbers.
soak: build
	scripts/install-tools $(RABBITMQ) 4.0
	RMQ_SOAK=1 RMQ_RELEASE=$(RABBITMQ) cargo test -p rmq-tests -- --nocapture

# How fast, beside amqp-tools, pika, rabbitmqctl and the wire's own ceiling; half an hour. BENCH=--help tells
# how to have a part of it.
bench:
	scripts/install-tools $(RABBITMQ)
	cargo build --release --workspace --bins
	target/release/rmq-bench --release $(RABBITMQ) $(BENCH)

install:
	cargo build --release --workspace --bins
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/man/man1" "$(DESTDIR)$(PREFIX)/share/man/man7"
	install -m 755 $(TOOLS:%=target/release/%) "$(DESTDIR)$(PREFIX)/bin"
	install -m 644 $(TOOLS:%=man/%.1) "$(DESTDIR)$(PREFIX)/share/man/man1"
	install -m 644 man/rmq.7 "$(DESTDIR)$(PREFIX)/share/man/man7"

uninstall:
	cd "$(DESTDIR)$(PREFIX)/bin" && rm -f $(TOOLS)
	cd "$(DESTDIR)$(PREFIX)/share/man" && rm -f man7/rmq.7 $(TOOLS:%=man1/%.1)

clean:
	cargo clean
