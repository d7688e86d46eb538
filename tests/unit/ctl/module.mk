units += ctl/test_json ctl/test_filter ctl/test_format ctl/test_options \
	ctl/test_control ctl/test_liar
ctl/test_json_src := ctl/json.c ctl/format.c
ctl/test_filter_src := ctl/filter.c ctl/nearest.c
ctl/test_format_src := ctl/format.c
ctl/test_options_src := ctl/options.c ctl/filter.c ctl/nearest.c
units += ctl/test_reason ctl/test_groups
ctl/test_reason_src := ctl/reason.c
ctl/test_groups_src := ctl/groups.c
# Both ends of the control socket, with a queue that the test makes up.
ctl/test_control_src := $(filter-out ctl/main.c,$(wildcard ctl/*.c)) \
	queue/link_control.c queue/destination_name.c \
	$(wildcard queue/control_*.c)
ctl/test_control_libs := -lncursesw -ltinfo
ctl/test_liar_libs := -lncursesw -ltinfo
units += ctl/test_busiest
ctl/test_busiest_src := ctl/busiest.c
# A queue that is broken or taken over.
ctl/test_liar_src := $(filter-out ctl/main.c,$(wildcard ctl/*.c))
