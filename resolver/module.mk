programs += resolver
resolver_src := $(wildcard resolver/*.c)
resolver_libs := -levent_core -lunbound -lseccomp
