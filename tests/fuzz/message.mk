fuzzers += message
message_fuzz_src :=
