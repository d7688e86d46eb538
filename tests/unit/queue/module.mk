units += queue/test_store_row queue/test_retry queue/test_lifecycle \
	queue/test_store queue/test_commit queue/test_scheduler \
	queue/test_scheduler_share queue/test_scheduler_faults \
	queue/test_scheduler_clock queue/test_scheduler_order \
	queue/test_scheduler_retry \
	queue/test_submission queue/test_content_cache
queue/test_store_row_src := queue/store_row.c queue/store_row_event.c
queue/test_store_row_libs := -lxxhash
queue/test_retry_src := queue/retry.c
# A store in a directory of its own, a clock that stands still, and the proof
# that a store is whole.
queue_house_src := tests/unit/queue/house.c tests/unit/queue/sound.c \
	queue/destination.c queue/destination_mend.c \
	queue/destination_name.c queue/lifecycle.c queue/pause.c \
	queue/lifecycle_rows.c queue/lifecycle_story.c \
	queue/lifecycle_step.c queue/lifecycle_table.c queue/lifecycle_told.c \
	queue/recount.c queue/retry.c queue/store.c queue/store_open.c \
	queue/store_check.c queue/store_check_counts.c \
	queue/store_check_pages.c queue/store_check_reports.c \
	queue/store_check_rows.c queue/store_content.c queue/store_event.c \
	queue/store_lock.c queue/store_memory.c queue/store_migrate.c \
	queue/store_room.c queue/store_row.c queue/store_row_event.c queue/submission.c queue/tell.c \
	queue/totals_mend.c
units += queue/test_query queue/test_workers
queue/test_query_src := $(queue_house_src) queue/flight.c queue/query.c
queue/test_query_libs := -llmdb -lxxhash
queue/test_workers_src := queue/workers.c queue/scheduler_share.c
queue/test_workers_libs := -Wl,--wrap=calloc
queue/test_lifecycle_src := $(queue_house_src)
queue/test_lifecycle_libs := -llmdb -lxxhash
queue/test_store_src := $(queue_house_src)
queue/test_store_libs := -llmdb -lxxhash
queue/test_commit_src := $(queue_house_src) queue/commit.c \
	queue/commit_apply.c queue/commit_operation.c \
	queue/commit_tell.c queue/flight.c queue/stats.c
queue/test_commit_libs := -llmdb -lxxhash
# The real commit and scheduler besides, between a fake router and fake agents.
rig_src := tests/unit/queue/rig.c $(queue_house_src) queue/commit.c \
	queue/commit_apply.c queue/commit_operation.c \
	queue/commit_tell.c queue/collect.c queue/content_cache.c \
	queue/flight.c queue/losses.c queue/scheduler.c \
	queue/scheduler_lane.c queue/scheduler_lists.c \
	queue/scheduler_share.c queue/stats.c
queue/test_scheduler_src := $(rig_src)
queue/test_scheduler_libs := -llmdb -lxxhash
queue/test_scheduler_share_src := $(rig_src)
queue/test_scheduler_share_libs := -llmdb -lxxhash
queue/test_scheduler_faults_src := $(rig_src)
queue/test_scheduler_faults_libs := -llmdb -lxxhash \
	-Wl,--wrap=store_read_begin -Wl,--wrap=destination_open
queue/test_scheduler_clock_src := $(rig_src)
queue/test_scheduler_clock_libs := -llmdb -lxxhash
queue/test_scheduler_order_src := $(rig_src)
queue/test_scheduler_order_libs := -llmdb -lxxhash
queue/test_scheduler_retry_src := $(rig_src)
queue/test_scheduler_retry_libs := -llmdb -lxxhash
units += queue/test_query_destinations queue/test_pause
queue/test_pause_src := $(rig_src) queue/query_destinations.c
queue/test_pause_libs := -llmdb -lxxhash
queue/test_query_destinations_src := $(rig_src) queue/query_destinations.c
queue/test_query_destinations_libs := -llmdb -lxxhash
queue/test_submission_src := queue/submission.c queue/destination_name.c
queue/test_content_cache_src := $(queue_house_src) queue/content_cache.c \
	queue/flight.c queue/losses.c
queue/test_content_cache_libs := -llmdb -lxxhash
units += queue/test_store_check
queue/test_store_check_src := $(queue_house_src)
queue/test_store_check_libs := -llmdb -lxxhash
units += queue/test_damage
queue/test_damage_src := $(rig_src)
queue/test_damage_libs := -llmdb -lxxhash
units += queue/test_store_json
queue/test_store_json_src := queue/tool/json.c
units += queue/test_tell queue/test_dsn
queue/test_tell_src := queue/tell.c
queue/test_dsn_src := queue/dsn_field.c queue/dsn_original.c queue/dsn_status.c
# And the router, for what the queue gives it.
played_src := $(rig_src) tests/unit/queue/played_router.c queue/errand.c
played_libs := -llmdb -lxxhash -Wl,--wrap=event_add,--wrap=event_new
units += queue/test_reporter
queue/test_reporter_src := $(played_src) queue/reporter.c \
	queue/reporter_compose.c queue/dsn_field.c queue/dsn_original.c \
	queue/dsn_address.c queue/dsn_report.c \
	queue/dsn_words.c queue/dsn_status.c
queue/test_reporter_libs := $(played_libs)
units += queue/test_link_agent
queue/test_link_agent_src := queue/link_agent.c queue/stats.c
units += queue/test_remotes
queue/test_remotes_src := queue/remotes.c
queue/test_remotes_libs := -Wl,--wrap=event_add
units += queue/test_life
queue/test_life_src := $(queue/test_reporter_src) queue/history.c
queue/test_life_libs := $(queue/test_reporter_libs)
units += queue/test_dsn_report
queue/test_dsn_report_src := queue/dsn_address.c queue/dsn_field.c \
	queue/dsn_original.c queue/dsn_report.c queue/dsn_status.c \
	queue/dsn_words.c
units += queue/test_damage_each
queue/test_damage_each_src := $(rig_src) queue/query.c \
	queue/query_destinations.c
queue/test_damage_each_libs := -llmdb -lxxhash
units += queue/test_history
queue/test_history_src := $(queue_house_src) queue/history.c queue/stats.c
queue/test_history_libs := -llmdb -lxxhash -Wl,--wrap=monotime_timeval
units += queue/test_redirector
queue/test_redirector_src := $(played_src) queue/hops.c \
	queue/redirection.c queue/redirector.c
queue/test_redirector_libs := $(played_libs)
units += queue/test_store_disorder queue/test_store_open
queue/test_store_disorder_src := $(queue_house_src)
queue/test_store_disorder_libs := -llmdb -lxxhash
queue/test_store_open_src := $(queue_house_src)
queue/test_store_open_libs := -llmdb -lxxhash -Wl,--wrap=fsync
