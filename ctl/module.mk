programs += posternctl
posternctl_src := $(wildcard ctl/*.c)
posternctl_libs := -lncursesw -ltinfo
