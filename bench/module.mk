# Parts of postern measured alone. Not built unless asked for: `make benches`.
benches: $(BUILD)/queue $(BUILD)/bench/queue_bench

$(BUILD)/bench/queue_bench: $(BUILD)/obj/bench/queue_bench.o \
    $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(our_ldflags) $(LDFLAGS) -o $@ $^ -Wl,--as-needed \
	    -lbsd $(LDLIBS)

.PHONY: benches
