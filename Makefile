# audispatch: what can be done with it. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

DESTDIR ?=
PREFIX ?= /usr
SYSCONFDIR ?= /etc
SBINDIR ?= $(PREFIX)/sbin
# Where the daemon looks for what is not beside it.
LIBEXECDIR := /usr/libexec/audispatch
MANDIR ?= $(PREFIX)/share/man
LOGDIR := /var/log/audispatch
UNITDIR ?= $(PREFIX)/lib/systemd/system

RELEASE := .build/release
# Swift's own compiler for C: where there is Swift, there is this one.
LOAD_CC ?= $(shell command -v clang || command -v cc)
LOAD_TOOLS := $(addprefix .build/load/,loadgen floor sink logfloor logsink socketcat tally)
# Swift's crash reporter can hang for minutes where nobody watches.
export SWIFT_BACKTRACE ?= enable=no

# Golden documents of others, which are no part of the project.
GOLDENS ?= ../shared/conformance/go-libaudit

DAEMONS := audispatchd audispatchctl audispatch-integrity
PLUGINS := audispatch-kernel audispatch-print audispatch-syslog audispatch-log \
  audispatch-socket audispatch-json

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' Makefile

.PHONY: build
build: dependencies ## all executables, in .build/release
	swift build -c release --static-swift-stdlib

.PHONY: dependencies
dependencies:
	@Scripts/install-dependencies build

.PHONY: load
load: $(LOAD_TOOLS) ## load generator, floor and sink, in .build/load

.build/load/%: Tests/Load/%.c Tests/Load/load.h
	@mkdir -p $(@D) && chmod 0755 $(@D)
	$(LOAD_CC) -std=gnu11 -O2 -Wall -Wextra -Werror -o $@ $<
	@chmod 0755 $@

.PHONY: test
test: ## everything that CI checks; installs what is missing
	@Scripts/install-dependencies test
	$(MAKE) lint build load
	Scripts/fuzz $${FUZZ_SECONDS:-5}
	Scripts/instructions
	SOAK_SECONDS=20 Scripts/laggard
	AUDISPATCH_SEED=1 SOAK_SECONDS=15 Scripts/storm
	swift build --build-tests
	[ ! -d '$(GOLDENS)' ] || .build/debug/conformance '$(GOLDENS)'
	Scripts/test

.PHONY: run
run: build ## audit events through the dispatcher into plugins; LIVE=1 turns audit on
	@[ -z "$(LIVE)" ] || Scripts/install-dependencies live
	@LIVE="$(LIVE)" Scripts/run

.PHONY: bench
bench: build load ## the figures, each beside the floor; BENCH="NAME..." and PAIRS=N narrow it
	Scripts/bench $(BENCH)

.PHONY: soak
soak: build load ## 100 plugins for ten minutes; SOAK_SECONDS, SOAK_RATE, SOAK_PLUGINS
	Scripts/soak

.PHONY: faults
faults: build load ## power cuts, kills, failing calls, a modelled disk: hours; FAULTS="NAME..."
	swift build --build-tests
	Scripts/faults

.PHONY: conformance
conformance: dependencies ## documents beside Elastic's golden ones; GOLDENS=DIR
	swift build --product conformance
	.build/debug/conformance '$(GOLDENS)'

.PHONY: fuzz
fuzz: dependencies ## readers and grammar under libFuzzer; FUZZ_SECONDS for each (60)
	Scripts/fuzz $${FUZZ_SECONDS:-60}

.PHONY: instructions
instructions: build load ## instructions per record, against Tests/Load/instructions.txt
	Scripts/instructions

SWIFT_SOURCES := Sources Tests Plugins Package.swift

.PHONY: format
format: ## lay out all Swift sources
	swift format format --in-place --recursive --parallel $(SWIFT_SOURCES)

.PHONY: lint
lint: ## what format would change
	swift format lint --strict --recursive --parallel $(SWIFT_SOURCES)
	@! git ls-files | grep -E '(^|/)-' || { echo 'no name of a file may begin with -'; exit 1; }

# Files in SYSCONFDIR that are there already are left as they are. Plugins of other users have to
# find their own files there; who may read one is up to that file.
ETC := $(DESTDIR)$(SYSCONFDIR)/audispatch
DOC := $(DESTDIR)$(PREFIX)/share/doc/audispatch

.PHONY: install
install: build ## install under DESTDIR
	install -d -m 0755 '$(DESTDIR)$(SBINDIR)' '$(DESTDIR)$(LIBEXECDIR)' '$(DOC)/examples' \
	  '$(DOC)/plugins/swift/Sources'
	install -m 0755 $(DAEMONS:%=$(RELEASE)/%) '$(DESTDIR)$(SBINDIR)'
	install -m 0755 $(PLUGINS:%=$(RELEASE)/%) '$(DESTDIR)$(LIBEXECDIR)'
	install -d -m 0755 '$(ETC)' '$(ETC)/plugins.d'
	install -d -m 0750 '$(DESTDIR)$(LOGDIR)'
	[ -e '$(ETC)/audispatchd.conf' ] || \
	  install -m 0640 Documentation/examples/audispatchd.conf '$(ETC)'
	for file in plugins.d/*.conf; do \
	  [ -e '$(ETC)'/$$file ] || install -m 0640 $$file '$(ETC)'/plugins.d; \
	done
	install -D -m 0644 systemd/audispatchd.service '$(DESTDIR)$(UNITDIR)/audispatchd.service'
	install -m 0644 Documentation/*.md '$(DOC)'
	install -m 0644 Documentation/examples/* '$(DOC)/examples'
	install -m 0644 Plugins/Examples/watch.* '$(DOC)/plugins'
	install -m 0644 Plugins/Examples/swift/Package.swift '$(DOC)/plugins/swift'
	install -m 0644 Plugins/Examples/swift/Sources/main.swift '$(DOC)/plugins/swift/Sources'
	for page in Documentation/man/*.[1-8]; do \
	  install -D -m 0644 $$page '$(DESTDIR)$(MANDIR)'/man$${page##*.}/$${page##*/}; \
	done

.PHONY: clean
clean: ## remove all that was built
	rm -rf .build
