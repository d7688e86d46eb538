fuzzers += smtp_command
smtp_command_fuzz_src := smtpd/command.c smtpd/parameter.c smtpd/parameter_dsn.c
