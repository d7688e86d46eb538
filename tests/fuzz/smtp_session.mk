fuzzers += smtp_session
smtp_session_fuzz_src := $(wildcard smtpd/session*.c) smtpd/transaction.c \
	smtpd/command.c smtpd/parameter.c smtpd/parameter_dsn.c smtpd/data.c smtpd/reply.c smtpd/trace.c
