# invctl: make builds into build/; make deps, check, demo, install as README.md says.
#   SANITIZE=address,undefined or thread   builds into build-address etc. instead
#   COVERAGE=1                             builds into build-coverage what counts the lines it runs
#   V=1                                    shows the commands

VERSION  := 0.1.0
PREFIX   ?= /usr/local
BINDIR   ?= $(PREFIX)/bin
LIBDIR   ?= lib
# Relative to PREFIX, or absolute: LIBDIR=lib/x86_64-linux-gnu, LIBDIR=/usr/lib/x86_64-linux-gnu.
override LIBDIR := $(if $(filter /%,$(LIBDIR)),$(LIBDIR),$(PREFIX)/$(LIBDIR))
LIBEXECDIR ?= $(PREFIX)/libexec/invctl
INCDIR   ?= $(PREFIX)/include
MANDIR   ?= $(PREFIX)/share/man
DATADIR  ?= $(PREFIX)/share
SYSTEMDDIR ?= $(PREFIX)/lib/systemd

comma    := ,
SANITIZE ?=
COVERAGE ?=
BUILD    ?= build$(if $(SANITIZE),-$(firstword $(subst $(comma), ,$(SANITIZE))))$(if $(COVERAGE),-coverage)

CC       ?= cc
CFLAGS   ?= $(if $(COVERAGE),-O0,-O2) -g
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wvla $(if $(WERROR),-Werror)
ALL_CPPFLAGS := -D_GNU_SOURCE -DINV_VERSION='"$(VERSION)"' -DINV_LIBEXECDIR='"$(LIBEXECDIR)"' \
            -DINV_BINDIR='"$(BINDIR)"' -Iinclude $(CPPFLAGS) \
            $(if $(COVERAGE),-include tests/coverage/exit.h)
ALL_CFLAGS := -std=c11 $(WARNINGS) -fvisibility=hidden -fno-common $(CFLAGS) \
            $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all) \
            $(if $(COVERAGE),--coverage -fprofile-update=atomic)
ALL_LDFLAGS := -Wl,-z,now -Wl,-z,relro -Wl,--as-needed $(LDFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE))
# The command starts faster when it needs no dynamic linker; sanitizers need one.
STATIC   ?= $(if $(SANITIZE),,-static)

Q := $(if $(V),,@)
say = $(if $(V),,@echo "  $(1)	$(2)";)

LIB_SRC    := $(sort $(wildcard lib/*/*.c))
COMMON_SRC := $(sort $(wildcard cmd/common/*.c cmd/supervise/*.c))
INVCTL_SRC := $(sort $(wildcard cmd/invctl/*.c))
VIEW_SRC   := $(sort $(wildcard cmd/invctl-view/*.c))
BROKER_SRC := $(sort $(wildcard cmd/invbroker/*.c))
HELPERS    := $(patsubst cmd/%,$(BUILD)/%,$(wildcard cmd/invctl-*))
UNIT_SRC   := $(sort $(wildcard tests/unit/test_*.c))
EXAMPLE_SRC := $(sort $(wildcard examples/*.c))

LIB_OBJ    := $(LIB_SRC:%.c=$(BUILD)/%.o)
LIB_PIC    := $(LIB_SRC:%.c=$(BUILD)/%.pic.o)
COMMON_OBJ := $(COMMON_SRC:%.c=$(BUILD)/%.o)
INVCTL_OBJ := $(INVCTL_SRC:%.c=$(BUILD)/%.o)
VIEW_OBJ   := $(VIEW_SRC:%.c=$(BUILD)/%.o)
BROKER_OBJ := $(BROKER_SRC:%.c=$(BUILD)/%.o)
UNIT_BIN   := $(UNIT_SRC:%.c=$(BUILD)/%)
EXAMPLE_BIN := $(EXAMPLE_SRC:%.c=$(BUILD)/%)

all: $(BUILD)/invctl $(BUILD)/invctl-view $(BUILD)/invbroker $(BUILD)/libinvctl.so $(BUILD)/libinvctl.a examples-bin

examples-bin: $(EXAMPLE_BIN)

# What scripts/layers.py looks into.
objects: $(patsubst %.c,$(BUILD)/%.o,$(wildcard lib/*/*.c cmd/*/*.c))

-include bench/bench.mk

$(BUILD)/invctl: $(INVCTL_OBJ) $(COMMON_OBJ) $(BUILD)/libinvctl.a
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) $(STATIC) $(ALL_LDFLAGS) -o $@ $^ -luuid -lrt -lpthread

$(BUILD)/invctl-view: $(VIEW_OBJ) $(COMMON_OBJ) $(BUILD)/libinvctl.a
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lsmartcols -luuid -lrt -lpthread

$(BUILD)/invbroker: $(BROKER_OBJ) $(COMMON_OBJ) $(BUILD)/libinvctl.a
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -luuid -lrt -lpthread

$(BUILD)/libinvctl.a: $(LIB_OBJ)
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/libinvctl.so.0: $(LIB_PIC) lib/libinvctl.map
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) -shared -Wl,-soname,libinvctl.so.0 -Wl,-z,nodelete \
		-Wl,--version-script,lib/libinvctl.map $(ALL_LDFLAGS) -o $@ $(LIB_PIC) -luuid -lrt -lpthread

$(BUILD)/libinvctl.so: $(BUILD)/libinvctl.so.0
	$(Q)ln -sf libinvctl.so.0 $@

PKG_CONFIG_FILE = sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@INCDIR@|$(INCDIR)|; s|@VERSION@|$(VERSION)|' lib/invctl.pc.in > $(1)

# An include names its layer: "table/slot.h", "common/message.h". `make lint` checks who includes whom.
$(BUILD)/lib/%.o $(BUILD)/lib/%.pic.o: ALL_CPPFLAGS += -iquote lib
$(BUILD)/cmd/%.o: ALL_CPPFLAGS += -iquote cmd -iquote lib

$(BUILD)/%.pic.o: %.c
	$(Q)mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -fPIC -ftls-model=initial-exec -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.c
	$(Q)mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# What has installed paths in it is made again when those change.
PATHS := $(BINDIR) $(LIBEXECDIR)
PATHS_SRC := $(shell grep -lE 'INV_(BIN|LIBEXEC)DIR' lib/*/*.c cmd/*/*.c tests/unit/*.c)
$(PATHS_SRC:%.c=$(BUILD)/%.o) $(PATHS_SRC:%.c=$(BUILD)/%.pic.o): $(BUILD)/paths
$(BUILD)/paths: $(if $(filter-out $(PATHS),$(shell cat $(BUILD)/paths 2>/dev/null)),FORCE)
	$(Q)mkdir -p $(@D) && echo '$(PATHS)' >$@
FORCE:

# Unit tests see the inside of the library.
$(BUILD)/tests/%.o: ALL_CPPFLAGS += -iquote lib -iquote cmd -Itests/unit
$(BUILD)/tests/unit/test_%: $(BUILD)/tests/unit/test_%.o $(BUILD)/tests/unit/fixture.o $(COMMON_OBJ) $(BUILD)/libinvctl.a
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lcmocka -luuid -lrt -lpthread

# One sees what is called in a signal handler, one decides which allocation of the library fails.
$(BUILD)/tests/unit/test_signal_handler: ALL_LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=opendir,--wrap=fopen,--wrap=pthread_mutex_lock
$(BUILD)/tests/unit/test_memory: ALL_LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=pthread_create

# The kill test has the library in it, with short slices and no dynamic linker.
CRASH_SRC := $(sort $(wildcard tests/crash/*.c))
CRASH_OBJ := $(CRASH_SRC:%.c=$(BUILD)/%.o) $(LIB_SRC:%.c=$(BUILD)/tests/crash/%.o)
$(BUILD)/tests/crash/lib/%.o: lib/%.c
	$(Q)mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(ALL_CPPFLAGS) -iquote lib -include tests/crash/slice.h $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/tests/crash/crash: $(CRASH_OBJ)
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) -static -no-pie $(ALL_LDFLAGS) -o $@ $^ -luuid -lrt -lpthread

# The examples are built as a user would: against the shared library.
$(BUILD)/examples/%: examples/%.c $(BUILD)/libinvctl.so
	$(Q)mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -o $@ $< -L$(BUILD) -linvctl -Wl,-rpath,'$$ORIGIN/..'

# Tests: `make check` installs nothing; `make deps` does.
check: all tests-bin bench-bin
	$(Q)BUILD=$(BUILD) tests/run.sh $(SUITES)

tests-bin: $(UNIT_BIN) $(BUILD)/invbroker

# The long ones, on top of check: the whole models and the broken variants.
check-long: check
	$(Q)BUILD=$(BUILD) tests/run.sh model crash_all stress_long stopped_long leaks_long fuzz_long mutants

check-mutants: all
	$(Q)BUILD=$(BUILD) tests/run.sh mutants

# Which lines of lib/ the tests run; gcov is gcc's.
coverage:
	$(Q)$(MAKE) --no-print-directory CC=gcc COVERAGE=1 BUILD=build-coverage \
		build-coverage/libinvctl.so tests-bin
	$(Q)BUILD=build-coverage tests/coverage/run.sh

lint:
	$(Q)scripts/lint.sh

deps:
	$(Q)scripts/deps.sh

demo: all
	$(Q)BUILD=$(BUILD) examples/demo.sh

INSTALL ?= install
TO := $(DESTDIR)
install: all $(HELPERS)
	$(Q)$(INSTALL) -d $(TO)$(BINDIR) $(TO)$(LIBDIR)/pkgconfig $(TO)$(LIBEXECDIR) $(TO)$(INCDIR) \
		$(TO)$(MANDIR)/man1 $(TO)$(MANDIR)/man3 $(TO)$(MANDIR)/man7 $(TO)$(MANDIR)/man8 \
		$(TO)$(SYSTEMDDIR)/user $(TO)$(SYSTEMDDIR)/system \
		$(TO)$(DATADIR)/bash-completion/completions $(TO)$(DATADIR)/zsh/site-functions \
		$(TO)$(DATADIR)/fish/vendor_completions.d
	$(Q)$(INSTALL) -m 755 $(BUILD)/invctl $(BUILD)/invbroker $(TO)$(BINDIR)
	$(Q)$(if $(HELPERS),$(INSTALL) -m 755 $(HELPERS) $(TO)$(LIBEXECDIR))
	$(Q)$(INSTALL) -m 755 $(BUILD)/libinvctl.so.0 $(TO)$(LIBDIR)
	$(Q)ln -sf libinvctl.so.0 $(TO)$(LIBDIR)/libinvctl.so
	$(Q)$(INSTALL) -m 644 $(BUILD)/libinvctl.a $(TO)$(LIBDIR)
	$(Q)$(call PKG_CONFIG_FILE,$(TO)$(LIBDIR)/pkgconfig/invctl.pc)
	$(Q)$(INSTALL) -m 644 include/invctl.h $(TO)$(INCDIR)
	$(Q)for page in man/*.[1378]; do \
		to=$(TO)$(MANDIR)/man$${page##*.}; \
		if [ -L $$page ]; then ln -sf "$$(readlink $$page)" "$$to/$${page##*/}"; \
		else $(INSTALL) -m 644 $$page "$$to"; fi || exit 1; done
	$(Q)for unit in user/invbroker.service system/invbroker@.service; do \
		sed 's|@BINDIR@|$(BINDIR)|' systemd/$$unit > $(TO)$(SYSTEMDDIR)/$$unit || exit 1; done
	$(Q)$(INSTALL) -m 644 completions/invctl.bash $(TO)$(DATADIR)/bash-completion/completions/invctl
	$(Q)$(INSTALL) -m 644 completions/_invctl $(TO)$(DATADIR)/zsh/site-functions/_invctl
	$(Q)$(INSTALL) -m 644 completions/invctl.fish $(TO)$(DATADIR)/fish/vendor_completions.d/invctl.fish

clean:
	$(Q)rm -rf build build-address build-thread build-coverage

.PHONY: all check check-long check-mutants clean coverage demo deps examples-bin FORCE install lint objects tests-bin
.SECONDARY:
.DELETE_ON_ERROR:

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
