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
STATEDIR := /var/lib/audispatch
UNITDIR ?= $(PREFIX)/lib/systemd/system

RELEASE := .build/release
# Swift's own compiler for C: where there is Swift, there is this one.
LOAD_CC ?= $(shell command -v clang || command -v cc)
LOAD_TOOLS := $(addprefix .build/load/,loadgen floor sink logfloor logsink socketcat tally)
# Swift's crash reporter can hang for minutes where nobody watches.
export SWIFT_BACKTRACE ?= enable=no

# Golden documents of others, which are no part of the project.
GOLDENS ?= ../shared/conformance/go-libaudit
BEATS_GOLDENS ?= ../shared/conformance/beats

DAEMONS := audispatchd audispatchctl audispatch-integrity
PLUGINS := audispatch-kernel audispatch-print audispatch-syslog audispatch-log \
  audispatch-socket audispatch-json audispatch-remote audispatch-receive audispatch-elastic \
  audispatch-otlp audispatch-nats audispatch-kafka
# The modules of the library for plugins.
LIBRARY := AudispatchPlugin AuditRecord CAudispatch CAudit CAuparse Configuration Linux

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' Makefile

.PHONY: build
build: dependencies ## all executables, in .build/release
	Scripts/build -c release --static-swift-stdlib

.PHONY: toolchain
toolchain:
	@Scripts/toolchain

.PHONY: dependencies
dependencies: toolchain
	@Scripts/install-dependencies build

.PHONY: load
load: $(LOAD_TOOLS) ## load generator, floor and sink, in .build/load

.build/load/%: Tests/Load/%.c $(wildcard Tests/Load/*.h)
	@mkdir -p $(@D) && chmod 0755 $(@D)
	$(LOAD_CC) -std=gnu11 -O2 -Wall -Wextra -Werror -o $@ $<
	@chmod 0755 $@

.PHONY: test
test: toolchain ## everything that CI checks; installs what is missing
	@Scripts/install-dependencies test
	$(MAKE) lint build load
	Scripts/fuzz $${FUZZ_SECONDS:-6}
	Scripts/instructions
	SOAK_SECONDS=20 Scripts/laggard
	AUDISPATCH_SEED=1 SOAK_SECONDS=15 Scripts/storm
	RECORDS=5000 Scripts/remote-storm
	Scripts/build --build-tests
	[ ! -d '$(GOLDENS)' ] || .build/debug/conformance '$(GOLDENS)'
	[ ! -d '$(BEATS_GOLDENS)' ] || .build/debug/conformance '$(BEATS_GOLDENS)'
	Scripts/test

.PHONY: run
run: build ## audit events through the dispatcher into plugins; LIVE=1 turns audit on
	@[ -z "$(LIVE)" ] || Scripts/install-dependencies live
	@LIVE="$(LIVE)" Scripts/run

.PHONY: bench
bench: build load ## the figures, each beside the floor; BENCH="NAME..." and PAIRS=N narrow it
	Scripts/bench $(BENCH)

.PHONY: soak
soak: build load ## 100 plugins for ten minutes, each transport, five hosts to a collector, one that was away; SOAK_SECONDS, SOAK_RATE, SOAK_PLUGINS
	Scripts/soak
	Scripts/transports
	Scripts/remote-storm
	Scripts/away

.PHONY: faults
faults: build load ## power cuts, kills, failing calls, a modelled disk: hours; FAULTS="NAME..."
	Scripts/build --build-tests
	Scripts/faults

.PHONY: conformance
conformance: dependencies ## documents beside Elastic's golden ones; GOLDENS=DIR
	Scripts/build --product conformance
	.build/debug/conformance '$(GOLDENS)'

.PHONY: fuzz
fuzz: dependencies ## readers and grammar under libFuzzer; FUZZ_SECONDS for each (60)
	Scripts/fuzz $${FUZZ_SECONDS:-60}

.PHONY: instructions
instructions: build load ## instructions per record, against Tests/Load/instructions.txt
	Scripts/instructions

SWIFT_SOURCES := Sources Tests Plugins Package.swift

.PHONY: format
format: toolchain ## lay out all Swift sources
	swift format format --in-place --recursive --parallel $(SWIFT_SOURCES)

.PHONY: lint
lint: toolchain ## what format would change; names of files; imports not declared; types with too many properties
	@Scripts/file-names
	@Scripts/imports
	@Scripts/stored-properties
	swift format lint --strict --recursive --parallel $(SWIFT_SOURCES)

# Files in SYSCONFDIR that are there already are left as they are. Plugins of other users have to
# find their own files there; who may read one is up to that file.
ETC := $(DESTDIR)$(SYSCONFDIR)/audispatch
DOC := $(DESTDIR)$(PREFIX)/share/doc/audispatch
# The library for plugins in Swift, as a package to depend on.
SWIFT := $(PREFIX)/share/audispatch/library
BASH_COMPLETIONS := $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSH_COMPLETIONS := $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions
FISH_COMPLETIONS := $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d

.PHONY: install
install: build install-documentation ## install under DESTDIR
	install -d -m 0755 '$(DESTDIR)$(SBINDIR)' '$(DESTDIR)$(LIBEXECDIR)'
	install -s -m 0755 $(DAEMONS:%=$(RELEASE)/%) '$(DESTDIR)$(SBINDIR)'
	install -s -m 0755 $(PLUGINS:%=$(RELEASE)/%) '$(DESTDIR)$(LIBEXECDIR)'
	install -d -m 0755 '$(ETC)' '$(ETC)/plugins.d'
	install -d -m 0750 '$(DESTDIR)$(LOGDIR)'
	install -d -m 0700 '$(DESTDIR)$(STATEDIR)'
	[ -e '$(ETC)/audispatchd.conf' ] || \
	  install -m 0640 Documentation/examples/audispatchd.conf '$(ETC)'
	for file in plugins.d/*.conf; do \
	  [ -e '$(ETC)'/$$file ] || install -m 0640 $$file '$(ETC)'/plugins.d; \
	done
	install -D -m 0644 systemd/audispatchd.service '$(DESTDIR)$(UNITDIR)/audispatchd.service'
	install -d -m 0755 '$(BASH_COMPLETIONS)' '$(ZSH_COMPLETIONS)' '$(FISH_COMPLETIONS)'
	$(RELEASE)/audispatchctl --generate-completion-script bash >'$(BASH_COMPLETIONS)/audispatchctl'
	$(RELEASE)/audispatchctl --generate-completion-script zsh >'$(ZSH_COMPLETIONS)/_audispatchctl'
	$(RELEASE)/audispatchctl --generate-completion-script fish \
	  >'$(FISH_COMPLETIONS)/audispatchctl.fish'
	install -m 0644 Scripts/completions/* '$(BASH_COMPLETIONS)'
	chmod 0644 '$(BASH_COMPLETIONS)/audispatchctl' '$(ZSH_COMPLETIONS)/_audispatchctl' \
	  '$(FISH_COMPLETIONS)/audispatchctl.fish'

# Pages, examples, and what the example in Swift is built on.
.PHONY: install-documentation
install-documentation:
	install -d -m 0755 '$(DOC)/examples' '$(DOC)/plugins/swift/Sources' '$(DESTDIR)$(SWIFT)'
	install -m 0644 Documentation/*.md '$(DOC)'
	install -m 0644 Documentation/examples/* systemd/receive.conf '$(DOC)/examples'
	install -m 0644 Plugins/Examples/watch.* '$(DOC)/plugins'
	sed 's|"../../.."|"$(SWIFT)"|' Plugins/Examples/swift/Package.swift \
	  >'$(DOC)/plugins/swift/Package.swift'
	chmod 0644 '$(DOC)/plugins/swift/Package.swift'
	install -m 0644 Plugins/Examples/swift/Sources/main.swift '$(DOC)/plugins/swift/Sources'
	install -m 0644 Plugins/Examples/library/Package.swift '$(DESTDIR)$(SWIFT)'
	find $(LIBRARY:%=Sources/%) -type f -exec install -D -m 0644 '{}' '$(DESTDIR)$(SWIFT)/{}' ';'
	for page in Documentation/man/*.[1-8]; do \
	  install -D -m 0644 $$page '$(DESTDIR)$(MANDIR)'/man$${page##*.}/$${page##*/}; \
	done

.PHONY: uninstall
uninstall: ## remove what install has put under DESTDIR, but for settings, logs and queues
	rm -f $(DAEMONS:%='$(DESTDIR)$(SBINDIR)'/%) $(PLUGINS:%='$(DESTDIR)$(LIBEXECDIR)'/%)
	rm -f '$(DESTDIR)$(UNITDIR)/audispatchd.service' '$(BASH_COMPLETIONS)'/audispatch{d,ctl,-integrity} \
	  '$(ZSH_COMPLETIONS)/_audispatchctl' '$(FISH_COMPLETIONS)/audispatchctl.fish'
	for page in Documentation/man/*.[1-8]; do \
	  rm -f '$(DESTDIR)$(MANDIR)'/man$${page##*.}/$${page##*/}; \
	done
	rm -rf '$(DOC)' '$(DESTDIR)$(PREFIX)/share/audispatch'
	rmdir '$(DESTDIR)$(LIBEXECDIR)' 2>/dev/null || true
	@echo "Left: '$(ETC)', '$(DESTDIR)$(LOGDIR)' and '$(DESTDIR)$(STATEDIR)', if they are there."

.PHONY: clean
clean: ## remove all that was built
	rm -rf .build
