units += deliver_local/test_header deliver_local/test_maildir_name \
	deliver_local/test_result deliver_local/test_intake \
	deliver_local/test_place deliver_local/test_maildir \
	deliver_local/test_account deliver_local/test_cage

deliver_local/test_header_src := deliver/local/header.c
deliver_local/test_maildir_name_src := deliver/local/maildir_name.c
deliver_local/test_result_src := deliver/local/result.c
deliver_local/test_intake_src := deliver/local/intake.c
deliver_local/test_place_src := deliver/local/place.c deliver/local/result.c \
	tests/unit/deliver_local/as_user.c
deliver_local/test_maildir_src := $(filter-out deliver/local/worker.c,\
	$(wildcard deliver/local/*.c)) tests/unit/deliver_local/as_user.c
deliver_local/test_account_src := deliver/spawn/account.c deliver/local/result.c
deliver_local/test_cage_src := deliver/spawn/cage.c
