units += router/test_table_text router/test_table router/test_aliases \
	router/test_rules router/test_routes router/test_users \
	router/test_expand router/test_transaction router/test_links \
	router/test_delivered router/test_handles router/test_parcels
router_table_src := router/table.c router/table_file.c router/table_list.c \
	router/table_text.c
router/test_table_text_src := router/table_text.c
router/test_table_src := $(router_table_src)
router/test_aliases_src := router/aliases.c
router/test_rules_src := router/rules.c $(router_table_src)
router/test_routes_src := router/routes.c
router/test_users_src := router/users.c $(router_table_src)
# The test has users of its own.
router_expand_src := router/aliases.c router/expand.c router/mailbox.c \
	router/reply.c router/routes.c router/rules.c router/visits.c \
	router/walk.c $(router_table_src)
# What comes of it the queue must take.
router/test_expand_src := $(router_expand_src) queue/submission.c \
	queue/destination_name.c
router/test_transaction_src := router/transaction.c router/delivered.c \
	$(router_expand_src)
router/test_links_src := router/link_queue.c router/link_smtpd.c \
	router/handles.c router/parcels.c router/transaction.c router/delivered.c \
	$(router_expand_src)
router/test_delivered_src := router/delivered.c router/routes.c
router/test_handles_src := router/handles.c
# The test has transactions of its own.
router/test_parcels_src := router/handles.c router/parcels.c router/reply.c
