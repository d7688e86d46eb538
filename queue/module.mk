programs += queue
queue_src := $(wildcard queue/*.c)
queue_libs := -levent_core -llmdb -lxxhash -lseccomp
# The store's own tool: the same files that the queue reads and writes it with.
programs += postern-store
postern-store_src := $(wildcard queue/tool/*.c) $(wildcard queue/store*.c) \
	queue/destination.c queue/destination_mend.c queue/lifecycle.c \
	queue/destination_name.c queue/lifecycle_rows.c \
	queue/lifecycle_step.c queue/lifecycle_story.c queue/lifecycle_table.c \
	queue/lifecycle_told.c queue/pause.c \
	queue/recount.c queue/retry.c queue/tell.c queue/totals_mend.c
postern-store_libs := -llmdb -lxxhash -lseccomp
