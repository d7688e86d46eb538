programs += posternctl
posternctl_src := $(wildcard ctl/*.c)
