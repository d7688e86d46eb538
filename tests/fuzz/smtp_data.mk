fuzzers += smtp_data
smtp_data_fuzz_src := smtpd/data.c smtpd/opening.c
