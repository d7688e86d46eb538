fuzzers += config
config_fuzz_src :=
