fuzzers += local_header
local_header_fuzz_src := deliver/local/header.c
