# Unit tests of common/. All of it is in libcommon.a, so there are no sources
# to name.
units += $(addprefix common/,test_address test_channel test_config \
	test_content test_dns test_id test_message test_network test_printable \
	test_wire)
