fuzzers += smtp_session
smtp_session_fuzz_src := smtpd/session.c smtpd/session_verb.c \
	smtpd/command.c smtpd/data.c smtpd/reply.c smtpd/trace.c
