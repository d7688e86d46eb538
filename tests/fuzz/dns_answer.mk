fuzzers += dns_answer
dns_answer_fuzz_src :=
