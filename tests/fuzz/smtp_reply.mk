fuzzers += smtp_reply
smtp_reply_fuzz_src := deliver/remote/reply.c deliver/remote/extensions.c
