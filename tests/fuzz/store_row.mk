fuzzers += store_row
store_row_fuzz_src := queue/store_row.c
store_row_fuzz_libs := -lxxhash
