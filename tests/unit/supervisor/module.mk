units += supervisor/test_backoff supervisor/test_programs \
	supervisor/test_listeners supervisor/test_process \
	supervisor/test_drain supervisor/test_relink supervisor/test_logins
supervisor/test_backoff_src := supervisor/backoff.c
supervisor/test_programs_src := supervisor/programs.c
supervisor/test_listeners_src := supervisor/listeners.c
# The test has a program of its own, which is never run.
supervisor/test_process_src := supervisor/process.c supervisor/backoff.c \
	supervisor/programs.c supervisor/listeners.c
# The test has processes of its own, which only write down what they are told.
supervisor/test_drain_src := supervisor/drain.c supervisor/programs.c supervisor/listeners.c
# The test has links of its own.
supervisor/test_relink_src := supervisor/relink.c supervisor/programs.c
# The test says what was told to the queue.
supervisor/test_logins_src := supervisor/logins.c
