units += smtpd/test_command smtpd/test_data smtpd/test_reply smtpd/test_trace \
	smtpd/test_intake smtpd/test_patience smtpd/test_session \
	smtpd/test_pairs smtpd/test_link smtpd/test_client_address
smtpd_session_src := $(wildcard smtpd/session*.c) smtpd/transaction.c \
	smtpd/command.c smtpd/parameter.c smtpd/parameter_dsn.c smtpd/data.c
smtpd/test_command_src := smtpd/command.c smtpd/parameter.c smtpd/parameter_dsn.c
smtpd/test_data_src := smtpd/data.c
smtpd/test_reply_src := smtpd/reply.c
smtpd/test_trace_src := smtpd/trace.c
smtpd/test_intake_src := smtpd/intake.c
smtpd/test_patience_src := smtpd/patience.c
smtpd/test_session_src := $(smtpd_session_src) tests/unit/smtpd/play.c
smtpd/test_pairs_src := $(smtpd_session_src) tests/unit/smtpd/play.c
smtpd/test_link_src := smtpd/link.c smtpd/link_router.c smtpd/link_resolver.c
smtpd/test_client_address_src := smtpd/client_address.c
