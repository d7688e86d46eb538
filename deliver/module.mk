# The worker that deliver/spawn forks runs deliver/local in the same binary:
# it is forked, never executed, so that nothing in spawn may exec.
programs += spawn remote
spawn_src := $(wildcard deliver/spawn/*.c deliver/local/*.c)
spawn_libs := -levent_core -lseccomp
remote_src := $(wildcard deliver/remote/*.c)
remote_libs := -levent_core -lseccomp
