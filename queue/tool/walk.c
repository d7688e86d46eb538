#include "queue/tool/walk.h"

#include <errno.h>
#include <string.h>

static int
compare(const struct walk_row *a, const struct walk_row *b)
{
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* No message has the first id, nor the last: there is none behind it. */
static bool
read_key(const struct walk *w, struct bytes key, struct walk_row *row)
{
	row->number = 0;
	if (w->table == STORE_MESSAGE) {
		if (row_key_id_read(key.data, key.length, &row->id) == -1)
			return false;
	} else if (row_key_number_read(
		       key.data, key.length, &row->id, &row->number) == -1)
		return false;
	return row->id != 0 && row->id != UINT64_MAX;
}

/* To the row behind, or with `first` to the first one, that has a key. */
static void
look_ahead(struct walk *w, bool first)
{
	struct row_key start = { .length = 1 };
	struct bytes key;
	int found =
	    first
		? store_seek(w->store, w->table, &start, &key, &w->ahead.value)
		: store_next(w->store, w->table, &key, &w->ahead.value);

	for (; found == 0;
	     found = store_next(w->store, w->table, &key, &w->ahead.value)) {
		w->rows++;
		w->is_ahead = read_key(w, key, &w->ahead);
		if (w->is_ahead)
			return;
		w->left_out(w->table, w->context);
	}
	w->is_ahead = false;
	w->error = errno == ENOENT ? 0 : errno;
}

/* Where a row and the one behind it are in the wrong order, it is the second
 * that is damaged if it does not belong behind `last` either. */
static bool
is_in_order(struct walk *w, const struct walk_row *last)
{
	if (compare(&w->here, last) <= 0)
		return false;
	while (w->is_ahead && compare(&w->ahead, &w->here) <= 0) {
		if (compare(&w->ahead, last) > 0)
			return false;
		w->left_out(w->table, w->context);
		look_ahead(w, false);
	}
	return true;
}

/* To the row that is ahead, or the first behind it that is in order. */
static void
go_on(struct walk *w, const struct walk_row *last)
{
	while (w->is_ahead) {
		w->here = w->ahead;
		look_ahead(w, false);
		w->is_here = is_in_order(w, last);
		if (w->is_here)
			return;
		w->left_out(w->table, w->context);
	}
	w->is_here = false;
}

void
walk_begin(struct walk *w)
{
	static const struct walk_row none = { .id = 0 };

	w->rows = 0;
	w->error = 0;
	look_ahead(w, true);
	go_on(w, &none);
}

void
walk_next(struct walk *w)
{
	struct walk_row last = w->here;

	go_on(w, &last);
}
