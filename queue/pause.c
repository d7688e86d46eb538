#include "queue/pause.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#include "common/limits.h"
#include "common/log.h"
#include "queue/store.h"

/* Rows of the meta table: this for all, this and a colon before a name. */
#define KEY "paused"

/* Some that were allowed may be in the commit that makes it full. */
#define NAMES (PAUSE_MOST + 64)

static struct {
	bool all;
	unsigned int damaged; /* rows that make no sense */
	unsigned int count;
	char names[NAMES][LIMIT_DESTINATION + 1]; /* in order */
} state;

/* The first that is not below it; the count if there is none. */
static unsigned int
find(const char *name)
{
	unsigned int from = 0, to = state.count;

	while (from < to) {
		unsigned int middle = (from + to) / 2;

		if (strcmp(state.names[middle], name) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static bool
is_at(unsigned int at, const char *name)
{
	return at < state.count && strcmp(state.names[at], name) == 0;
}

bool
pause_is_set(const char *destination)
{
	if (destination[0] == '\0')
		return state.all;
	return is_at(find(destination), destination);
}

enum pause_kind
pause_kind(const char *destination)
{
	if (state.all)
		return PAUSE_ALL;
	return is_at(find(destination), destination) ? PAUSE_DESTINATION
						     : PAUSE_NONE;
}

unsigned int
pause_count(void)
{
	return state.count;
}

unsigned int
pause_damaged(void)
{
	return state.damaged;
}

bool
pause_is_full(void)
{
	return state.count >= PAUSE_MOST;
}

const char *
pause_from(const char *from)
{
	unsigned int at = find(from);

	return at < state.count ? state.names[at] : NULL;
}

const char *
pause_above(const char *name)
{
	unsigned int at = find(name);

	at += is_at(at, name);
	return at < state.count ? state.names[at] : NULL;
}

static void
insert(unsigned int at, const char *name)
{
	if (state.count == NAMES) {
		log_error("pause-forgotten destination=%s", log_text(name));
		return;
	}
	memmove(state.names[at + 1], state.names[at],
	    (state.count - at) * sizeof(state.names[0]));
	strlcpy(state.names[at], name, sizeof(state.names[0]));
	state.count++;
}

static void
take_out(unsigned int at)
{
	state.count--;
	memmove(state.names[at], state.names[at + 1],
	    (state.count - at) * sizeof(state.names[0]));
}

void
pause_set(const char *destination, bool paused)
{
	unsigned int at = find(destination);

	if (destination[0] == '\0')
		state.all = paused;
	else if (paused && !is_at(at, destination))
		insert(at, destination);
	else if (!paused && is_at(at, destination))
		take_out(at);
}

/* -- The store ------------------------------------------------------------ */

static struct row_key
key_of(const char *destination)
{
	char text[sizeof(KEY ":") + LIMIT_DESTINATION];

	snprintf(text, sizeof(text), "%s%s%s", KEY,
	    destination[0] != '\0' ? ":" : "", destination);
	return row_key_text(text);
}

int
pause_write(struct store *store, const char *destination, bool paused)
{
	struct row_key key = key_of(destination);

	if (paused)
		return store_put(store, STORE_META, &key, "", 0);
	if (store_delete(store, STORE_META, &key) == -1 && errno != ENOENT)
		return -1;
	return 0;
}

static bool
begins(struct bytes key, const char *with)
{
	size_t length = strlen(with);

	return key.length >= length && memcmp(key.data, with, length) == 0;
}

bool
pause_read_key(struct bytes key, char *name)
{
	static const char prefix[] = KEY ":";
	size_t length = sizeof(prefix) - 1;

	if (key.length == sizeof(KEY) - 1 &&
	    memcmp(key.data, KEY, key.length) == 0) {
		name[0] = '\0';
		return true;
	}
	if (key.length <= length || key.length > length + LIMIT_DESTINATION ||
	    !begins(key, prefix) || memchr(key.data, '\0', key.length) != NULL)
		return false;
	memcpy(name, (const char *)key.data + length, key.length - length);
	name[key.length - length] = '\0';
	return true;
}

int
pause_load(struct store *store)
{
	struct row_key from = row_key_text(KEY);
	struct bytes key, value;
	char name[LIMIT_DESTINATION + 1];
	int found = store_seek(store, STORE_META, &from, &key, &value);

	state.all = false;
	state.count = 0;
	state.damaged = 0;
	for (; found == 0 && begins(key, KEY);
	     found = store_next(store, STORE_META, &key, &value))
		if (pause_read_key(key, name))
			pause_set(name, true);
		else
			state.damaged++;
	if (state.damaged > 0)
		log_error("pause-damaged rows=%u", state.damaged);
	return found == 0 || errno == ENOENT ? 0 : -1;
}
