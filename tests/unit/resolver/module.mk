units += resolver/test_packet resolver/test_outcome resolver/test_name
resolver/test_packet_src := resolver/packet.c
resolver/test_outcome_src := resolver/outcome.c
resolver/test_name_src := resolver/name.c
