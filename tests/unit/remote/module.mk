units += remote/test_reply remote/test_stuffing remote/test_extensions \
	remote/test_hosts remote/test_dns_action remote/test_endpoint \
	remote/test_self remote/test_bad_address remote/test_transaction \
	remote/test_session remote/test_session_phases remote/test_route \
	remote/test_pool remote/test_patience remote/test_connection \
	remote/test_delivery remote/test_priority
remote/test_reply_src := deliver/remote/reply.c
remote/test_stuffing_src := deliver/remote/stuffing.c
remote/test_extensions_src := deliver/remote/extensions.c
remote/test_hosts_src := deliver/remote/hosts.c
remote/test_dns_action_src := deliver/remote/dns_action.c
remote/test_endpoint_src := deliver/remote/endpoint.c
remote/test_self_src := deliver/remote/self.c deliver/remote/endpoint.c
remote/test_bad_address_src := deliver/remote/bad_address.c \
	deliver/remote/endpoint.c
remote/test_transaction_src := deliver/remote/transaction.c
remote_session_src := deliver/remote/session.c deliver/remote/session_say.c \
	deliver/remote/session_reply.c deliver/remote/session_move.c \
	deliver/remote/reply.c \
	deliver/remote/extensions.c deliver/remote/transaction.c
remote/test_session_src := $(remote_session_src) tests/unit/remote/script.c
remote/test_session_phases_src := $(remote/test_session_src)
# The resolver is the test's; who we are is the test's too.
remote/test_route_src := deliver/remote/route.c deliver/remote/hosts.c \
	deliver/remote/endpoint.c deliver/remote/bad_address.c \
	deliver/remote/dns_action.c
remote/test_pool_src := deliver/remote/pool.c
remote/test_priority_src := deliver/remote/priority.c
remote/test_patience_src := deliver/remote/patience.c
clock_libs := -Wl,--wrap=monotime_now,--wrap=monotime_timeval
remote/test_connection_src := deliver/remote/connection.c \
	deliver/remote/outgoing.c deliver/remote/patience.c \
	deliver/remote/pool.c deliver/remote/room.c deliver/remote/stuffing.c \
	deliver/remote/bad_address.c deliver/remote/endpoint.c \
	deliver/remote/priority.c $(remote_session_src) tests/unit/remote/clock.c
remote/test_connection_libs := $(clock_libs)
# The route and the connections are the test's.
remote/test_delivery_src := deliver/remote/delivery.c \
	deliver/remote/transaction.c deliver/remote/endpoint.c \
	deliver/remote/reply.c tests/unit/remote/clock.c
remote/test_delivery_libs := $(clock_libs)
