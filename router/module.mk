programs += router
router_src := $(wildcard router/*.c)
router_libs := -levent_core -lseccomp
