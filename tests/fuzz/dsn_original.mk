fuzzers += dsn_original
dsn_original_fuzz_src := queue/dsn_original.c
