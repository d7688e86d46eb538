fuzzers += address
address_fuzz_src :=
