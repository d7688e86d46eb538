fuzzers += delivered
delivered_fuzz_src := router/delivered.c router/routes.c deliver/local/header.c
