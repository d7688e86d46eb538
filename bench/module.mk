# Parts of postern measured alone. Not built unless asked for: `make benches`.
benches: $(BUILD)/queue $(BUILD)/bench/queue_bench

$(BUILD)/bench/queue_bench: $(BUILD)/obj/bench/queue_bench.o \
    $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(our_ldflags) $(LDFLAGS) -o $@ $^ -Wl,--as-needed \
	    -lbsd $(LDLIBS)

# A very large queue, and Postfix's beside it; as root. Smaller, to try it:
# `make bench-queue BENCH_MESSAGES=100000`.
BENCH_MESSAGES ?= 1000000
BENCH_SECONDS ?= 120
BENCH_DIR ?= /var/tmp

$(BUILD)/bench/backlog: $(BUILD)/obj/bench/backlog.o \
    $(filter-out $(BUILD)/obj/queue/tool/%,$(call object,$(postern-store_src))) \
    $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(our_ldflags) $(LDFLAGS) -o $@ $^ -Wl,--as-needed \
	    -llmdb -lxxhash -lbsd $(LDLIBS)

bench-queue: programs $(BUILD)/bench/backlog
	$(MAKE) -s install BUILD=$(BUILD) DESTDIR=$(abspath $(BUILD))/stage \
	    PREFIX=/usr/local SYSCONFDIR=/etc/postern
	POSTERN_STAGE=$(abspath $(BUILD))/stage TMPDIR=$(BENCH_DIR) \
	    /usr/bin/python3 bench/million.py --build $(BUILD) \
	    --messages $(BENCH_MESSAGES) --seconds $(BENCH_SECONDS)

.PHONY: benches bench-queue
