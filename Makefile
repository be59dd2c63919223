# invctl: make builds into build/; make deps, check, demo, install as README.md says.
#   SANITIZE=address,undefined or thread   builds into build-address etc. instead
#   V=1                                    shows the commands

VERSION  := 0.1.0
PREFIX   ?= /usr/local
BINDIR   ?= $(PREFIX)/bin
LIBDIR   ?= $(PREFIX)/lib
LIBEXECDIR ?= $(PREFIX)/libexec/invctl
INCDIR   ?= $(PREFIX)/include
MANDIR   ?= $(PREFIX)/share/man
DATADIR  ?= $(PREFIX)/share
UNITDIR  ?= $(PREFIX)/lib/systemd/user

comma    := ,
SANITIZE ?=
BUILD    ?= build$(if $(SANITIZE),-$(firstword $(subst $(comma), ,$(SANITIZE))))

CC       ?= cc
CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wvla $(if $(WERROR),-Werror)
ALL_CPPFLAGS := -D_GNU_SOURCE -DINV_VERSION='"$(VERSION)"' -DINV_LIBEXECDIR='"$(LIBEXECDIR)"' \
            -DINV_BINDIR='"$(BINDIR)"' -Iinclude $(CPPFLAGS)
ALL_CFLAGS := -std=c11 $(WARNINGS) -fvisibility=hidden -fno-common $(CFLAGS) \
            $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)
ALL_LDFLAGS := -Wl,-z,now -Wl,-z,relro -Wl,--as-needed $(LDFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE))
# The command starts faster when it needs no dynamic linker; sanitizers need one.
STATIC   ?= $(if $(SANITIZE),,-static)

Q := $(if $(V),,@)
say = $(if $(V),,@echo "  $(1)	$(2)";)

LIB_SRC    := $(sort $(wildcard lib/*.c))
COMMON_SRC := $(sort $(wildcard cmd/common/*.c))
INVCTL_SRC := $(sort $(wildcard cmd/invctl/*.c))
BROKER_SRC := $(sort $(wildcard cmd/invbroker/*.c))
UNIT_SRC   := $(sort $(wildcard tests/unit/test_*.c))
EXAMPLE_SRC := $(sort $(wildcard examples/*.c))

LIB_OBJ    := $(LIB_SRC:%.c=$(BUILD)/%.o)
LIB_PIC    := $(LIB_SRC:%.c=$(BUILD)/%.pic.o)
COMMON_OBJ := $(COMMON_SRC:%.c=$(BUILD)/%.o)
INVCTL_OBJ := $(INVCTL_SRC:%.c=$(BUILD)/%.o)
BROKER_OBJ := $(BROKER_SRC:%.c=$(BUILD)/%.o)
UNIT_BIN   := $(UNIT_SRC:%.c=$(BUILD)/%)
EXAMPLE_BIN := $(EXAMPLE_SRC:%.c=$(BUILD)/%)

all: $(BUILD)/invctl $(BUILD)/invbroker $(BUILD)/libinvctl.so $(BUILD)/libinvctl.a $(BUILD)/invctl.pc examples-bin

examples-bin: $(EXAMPLE_BIN)

$(BUILD)/invctl: $(INVCTL_OBJ) $(COMMON_OBJ) $(BUILD)/libinvctl.a
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) $(STATIC) $(ALL_LDFLAGS) -o $@ $^ -ljson-c -luuid -lrt -lpthread

$(BUILD)/invbroker: $(BROKER_OBJ) $(COMMON_OBJ) $(BUILD)/libinvctl.a
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -luuid -lrt -lpthread

$(BUILD)/libinvctl.a: $(LIB_OBJ)
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/libinvctl.so.0: $(LIB_PIC) lib/libinvctl.map
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) -shared -Wl,-soname,libinvctl.so.0 \
		-Wl,--version-script,lib/libinvctl.map $(ALL_LDFLAGS) -o $@ $(LIB_PIC) -luuid -lrt -lpthread

$(BUILD)/libinvctl.so: $(BUILD)/libinvctl.so.0
	$(Q)ln -sf libinvctl.so.0 $@

$(BUILD)/invctl.pc: lib/invctl.pc.in Makefile
	$(Q)mkdir -p $(@D)
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@INCDIR@|$(INCDIR)|; s|@VERSION@|$(VERSION)|' $< > $@

# Only the library itself sees lib/; the broker sees the one header meant for it.
$(BUILD)/lib/%.o $(BUILD)/lib/%.pic.o: ALL_CPPFLAGS += -Ilib
$(BUILD)/cmd/%.o: ALL_CPPFLAGS += -Icmd/common
$(BUILD)/cmd/invbroker/%.o: ALL_CPPFLAGS += -iquote lib

$(BUILD)/%.pic.o: %.c
	$(Q)mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -fPIC -ftls-model=initial-exec -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.c
	$(Q)mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Unit tests see the inside of the library.
$(BUILD)/tests/%.o: ALL_CPPFLAGS += -Ilib -Icmd/common -Itests/unit
$(BUILD)/tests/unit/test_%: $(BUILD)/tests/unit/test_%.o $(BUILD)/libinvctl.a
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(BUILD)/libinvctl.a -lcmocka -luuid -lrt -lpthread

# The examples are built as a user would: against the shared library.
$(BUILD)/examples/%: examples/%.c $(BUILD)/libinvctl.so
	$(Q)mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -o $@ $< -L$(BUILD) -linvctl -Wl,-rpath,'$$ORIGIN/..'

clean:
	$(Q)rm -rf build build-address build-thread build-coverage

.PHONY: all clean examples-bin
.SECONDARY:
.DELETE_ON_ERROR:

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
