fuzzers += store_row
store_row_fuzz_src := queue/store_row.c queue/store_row_event.c
store_row_fuzz_libs := -lxxhash
