programs += postern
postern_src := $(wildcard supervisor/*.c)
postern_libs := -levent_core
