fuzzers += dns_rdata
dns_rdata_fuzz_src := resolver/packet.c resolver/outcome.c
