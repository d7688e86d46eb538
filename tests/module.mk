# Unit tests (cmocka), fuzz targets (libFuzzer) and system tests (pytest).
#
# tests/unit/FOLDER/module.mk adds names to `units` (FOLDER/test_X, from
# tests/unit/FOLDER/test_X.c) and says in FOLDER/test_X_src which sources it
# tests, and in FOLDER/test_X_libs what else those need. tests/fuzz/X.mk adds
# X to `fuzzers`, with X_fuzz_src likewise; tests/fuzz/X.c has
# LLVMFuzzerTestOneInput, tests/fuzz/corpus/X/ its seeds.

units :=
fuzzers :=
include $(wildcard tests/unit/*/module.mk)
include $(wildcard tests/fuzz/*.mk)

define unit_rule
$(BUILD)/unit/$(1): $(BUILD)/obj/tests/unit/$(1).o \
    $(BUILD)/obj/tests/unit/open_files.o $(call object,$($(1)_src)) \
    $(BUILD)/libcommon.a
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(our_ldflags) $$(LDFLAGS) -o $$@ $$^ -Wl,--as-needed \
	    $($(1)_libs) -levent_core -lseccomp -lbsd -lcmocka $$(LDLIBS)
endef
$(foreach u,$(units),$(eval $(call unit_rule,$(u))))

units: $(addprefix $(BUILD)/unit/,$(units))

# The same file replays its corpus in `make check`, without libFuzzer.
define replay_rule
$(BUILD)/replay/$(1): $(BUILD)/obj/tests/fuzz/$(1).o \
    $(BUILD)/obj/tests/fuzz/replay.o $(call object,$($(1)_fuzz_src)) \
    $(BUILD)/libcommon.a
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(our_ldflags) $$(LDFLAGS) -o $$@ $$^ -Wl,--as-needed \
	    $($(1)_fuzz_libs) -levent_core -lseccomp -lbsd $$(LDLIBS)
endef
$(foreach f,$(fuzzers),$(eval $(call replay_rule,$(f))))

replays: $(addprefix $(BUILD)/replay/,$(fuzzers))

# All sources of a fuzz target, instrumented by clang.
fuzz_dir = build/fuzz
FUZZ_CC ?= clang
FUZZ_SECONDS ?= 60
fuzz_flags = -g -O1 -std=c11 -fsanitize=fuzzer,address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer
define fuzz_rule
$(fuzz_dir)/$(1): tests/fuzz/$(1).c $($(1)_fuzz_src) $(common_src) | generated
	@mkdir -p $$(@D)
	$$(FUZZ_CC) $$(our_cppflags) $$(fuzz_flags) -o $$@ tests/fuzz/$(1).c \
	    $($(1)_fuzz_src) $(common_src) $(common_gen) -Wl,--as-needed \
	    $($(1)_fuzz_libs) -levent_core -lseccomp -lbsd
endef
$(foreach f,$(fuzzers),$(eval $(call fuzz_rule,$(f))))

fuzzers: $(addprefix $(fuzz_dir)/,$(fuzzers))

fuzz:
	tools/install-deps build fuzz
	$(MAKE) fuzzers
	tests/fuzz/run $(fuzz_dir) $(FUZZ_SECONDS) $(fuzzers)

.PHONY: units replays fuzzers fuzz

# Small programs that the system tests use.
tools: $(addprefix $(BUILD)/tools/,inject record.so clock.so report)
$(BUILD)/tools/inject: tests/tools/inject.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE $(warnings) $(CFLAGS) -o $@ $<

$(BUILD)/tools/%.so: tests/tools/%.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE $(warnings) -Wno-missing-prototypes \
	    -fPIC -shared $(CFLAGS) -o $@ $<

report_src := tests/tools/report.c queue/dsn_field.c queue/dsn_original.c \
	queue/dsn_address.c queue/dsn_report.c \
	queue/dsn_words.c queue/dsn_status.c
$(BUILD)/tools/report: $(call object,$(report_src)) $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(our_ldflags) $(LDFLAGS) -o $@ $^ -Wl,--as-needed \
	    -levent_core -lseccomp -lbsd $(LDLIBS)

.PHONY: tools
