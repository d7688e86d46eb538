fuzzers += smtp_command
smtp_command_fuzz_src := smtpd/command.c
