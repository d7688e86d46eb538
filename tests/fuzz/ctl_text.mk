fuzzers += ctl_text
ctl_text_fuzz_src := ctl/json.c ctl/format.c ctl/filter.c ctl/reason.c
