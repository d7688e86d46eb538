fuzzers += smtp_client
smtp_client_fuzz_src := deliver/remote/session.c deliver/remote/session_say.c \
	deliver/remote/session_reply.c deliver/remote/session_move.c \
	deliver/remote/reply.c \
	deliver/remote/extensions.c deliver/remote/transaction.c
