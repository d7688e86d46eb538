programs += queue
queue_src := $(wildcard queue/*.c)
queue_libs := -levent_core -llmdb -lseccomp
