programs += posternctl
posternctl_src := $(wildcard ctl/*.c)
# Only because the blocking half of common/channel.c lies beside the other.
posternctl_libs := -levent_core
