fuzzers += store_json
store_json_fuzz_src := queue/tool/json.c
