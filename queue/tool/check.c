#include <sys/stat.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "common/id.h"
#include "common/printable.h"
#include "queue/store_check.h"
#include "queue/tool/json.h"
#include "queue/tool/tool.h"

static void
print_line(const struct store_fault *f)
{
	char name[4 * ROW_KEY_SIZE + 1];

	fputs(store_table_name(f->table), stdout);
	if (f->id != 0)
		printf(" %s", id_format(f->id).text);
	if (f->number >= 0)
		printf("/%" PRId64, f->number);
	if (f->name[0] != '\0') {
		printable_copy(name, sizeof(name), f->name);
		printf(" %s", name);
	}
	printf(": %s\n", f->what);
}

static void
print_json(const struct store_fault *f)
{
	struct json j;

	json_begin(&j, stdout);
	json_text(&j, "table", store_table_name(f->table));
	if (f->id != 0)
		json_text(&j, "id", id_format(f->id).text);
	if (f->number >= 0)
		json_number(&j, "number", (uint64_t)f->number);
	if (f->name[0] != '\0')
		json_text(&j, "name", f->name);
	json_text(&j, "fault", f->what);
	json_end(&j);
}

static void
on_fault(const struct store_fault *f, void *context)
{
	const struct tool *tool = context;

	if (tool->json)
		print_json(f);
	else
		print_line(f);
}

static void
sum_up(const struct store_check *c)
{
	printf("%" PRIu64 " messages, %" PRIu64 " recipients, %" PRIu64
	       " octets: ",
	    c->totals.messages,
	    c->totals.waiting + c->totals.held + c->totals.failed, c->octets);
	if (c->faults == 0)
		puts("no faults");
	else
		printf("%" PRIu64 " %s\n", c->faults,
		    c->faults == 1 ? "fault" : "faults");
}

static int
check(struct tool *tool, struct store *store)
{
	struct store_check c = {
		.store = store,
		.now = (uint64_t)time(NULL),
		.fault = on_fault,
		.context = tool,
	};

	if (store_check_pages(&c) == -1 || store_check_rows(&c) == -1 ||
	    store_check_content(&c) == -1)
		return tool_fail(tool, "cannot read the store");
	if (!tool->json)
		sum_up(&c);
	return c.faults == 0 ? EX_OK : EX_DATAERR;
}

/* LMDB would wait for a FIFO. */
int
check_prepare(struct tool *tool)
{
	struct stat st;

	if (tool->file == NULL)
		return EX_OK;
	if (stat(tool->file, &st) == -1)
		tool_say("%s: %s", tool->file, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		tool_say("%s: not a file", tool->file);
	else
		return EX_OK;
	return EX_NOINPUT;
}

int
check_work(struct tool *tool)
{
	int code;
	struct store *store = tool_open(tool, &code);

	if (store == NULL)
		return code;
	code = check(tool, store);
	store_close(&store);
	return code;
}
