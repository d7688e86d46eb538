# Unit tests of common/. All of it is in libcommon.a, so there are no sources
# to name.
units += $(addprefix common/,test_acceptor test_address test_channel test_config \
	test_config_memory test_content test_dns test_dsn test_peer test_via test_id test_log test_login \
	test_message test_network test_printable test_wire)

common/test_channel_libs := -Wl,--wrap=sendmsg
common/test_config_memory_libs := -Wl,--wrap=malloc,--wrap=calloc \
	-Wl,--wrap=strdup,--wrap=reallocarray,--wrap=asprintf \
	-Wl,--wrap=open_memstream
