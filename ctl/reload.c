/*
 * posternctl reload: the supervisor reads the configuration again.
 */
#include <sysexits.h>

#include "ctl/connect.h"
#include "ctl/format.h"
#include "ctl/words.h"

int
reload_run(struct ctl *ctl, const struct command *c, int count, char **words)
{
	struct message question = MESSAGE_INIT(MESSAGE_CTL_RELOAD, 0);
	struct connection connection;
	struct options options;
	int code = words_none(c, count, words, &options);

	if (code != EX_OK)
		return code;
	code = connect_open(&connection, ctl->run, PROGRAM_SUPERVISOR);
	if (code == EX_OK)
		code = connect_ask(
		    &connection, &question, connect_receive_none, NULL, true);
	connect_close(&connection);
	/* What is wrong with a configuration takes many lines. */
	format_print_lines(
	    code == EX_OK ? ctl->out : stderr, connection.text, "");
	return code;
}
