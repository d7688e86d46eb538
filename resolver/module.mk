# libunbound is built on the whole of libevent; linking only its core would
# bring a second copy of the event loop into the process.
programs += resolver
resolver_src := $(wildcard resolver/*.c)
resolver_libs := -levent -lunbound -lseccomp
