units += ctl/test_json ctl/test_filter ctl/test_format ctl/test_options
ctl/test_json_src := ctl/json.c ctl/format.c
ctl/test_filter_src := ctl/filter.c ctl/nearest.c
ctl/test_format_src := ctl/format.c
ctl/test_options_src := ctl/options.c ctl/filter.c ctl/nearest.c
units += ctl/test_reason ctl/test_groups
ctl/test_reason_src := ctl/reason.c
ctl/test_groups_src := ctl/groups.c
units += ctl/test_busiest
ctl/test_busiest_src := ctl/busiest.c
units += ctl/test_wrap
ctl/test_wrap_src := ctl/wrap.c common/utf8.c
ctl_commands_src := tests/unit/ctl/run.c \
	$(filter-out ctl/main.c,$(wildcard ctl/*.c))
# Both ends of the control socket, with a queue that the test makes up.
ctl_pair_src := $(ctl_commands_src) tests/unit/ctl/false_queue.c \
	tests/unit/ctl/false_queue_acts.c \
	tests/unit/ctl/false_queue_history.c \
	queue/link_control.c queue/destination_name.c \
	$(wildcard queue/control_*.c)
define ctl_pair
units += ctl/$(1)
ctl/$(1)_src := $$(ctl_pair_src)
ctl/$(1)_libs := -lncursesw -ltinfo
endef
$(foreach t,test_list test_message test_sums test_act test_clients,\
	$(eval $(call ctl_pair,$(t))))
# A queue that is broken or taken over.
units += ctl/test_liar
ctl/test_liar_src := $(ctl_commands_src)
ctl/test_liar_libs := -lncursesw -ltinfo
