fuzzers += aliases
aliases_fuzz_src := router/aliases.c router/expand.c router/mailbox.c \
	router/reply.c router/routes.c router/rules.c router/table_text.c \
	router/visits.c router/walk.c
