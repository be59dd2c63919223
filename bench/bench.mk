# The benchmark programs: included by the Makefile.

# Those that use a table as any program does are linked as a user would: against the
# shared library. Those that make one see lib/api/broker.h, and are linked with the archive.
BENCH_USER  := check death fill find population register spawn stop target wake wake_many
BENCH_MAKER := growth keeper operations
BENCH_BIN   := $(BENCH_USER:%=$(BUILD)/bench/%) $(BENCH_MAKER:%=$(BUILD)/bench/%)

$(BENCH_MAKER:%=$(BUILD)/bench/%.o): ALL_CPPFLAGS += -iquote lib

$(BUILD)/bench/libyardstick.so: $(BUILD)/bench/yardstick.pic.o
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) -shared -Wl,-soname,libyardstick.so $(ALL_LDFLAGS) -o $@ $<

$(BENCH_USER:%=$(BUILD)/bench/%): $(BUILD)/bench/%: $(BUILD)/bench/%.o $(BUILD)/bench/measure.o \
		$(BUILD)/bench/libyardstick.so $(BUILD)/libinvctl.so
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) \
		-L$(BUILD) -linvctl -L$(BUILD)/bench -lyardstick -Wl,-rpath,'$$ORIGIN:$$ORIGIN/..' -lpthread

$(BENCH_MAKER:%=$(BUILD)/bench/%): $(BUILD)/bench/%: $(BUILD)/bench/%.o $(BUILD)/bench/measure.o \
		$(BUILD)/libinvctl.a
	$(call say,LINK,$@)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -luuid -lrt -lpthread

bench-bin: $(BENCH_BIN)

bench: all bench-bin
	$(Q)BUILD=$(BUILD) bench/run

bench-quick: all bench-bin
	$(Q)BUILD=$(BUILD) bench/run --quick

.PHONY: bench bench-bin bench-quick
