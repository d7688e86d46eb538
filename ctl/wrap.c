#include "ctl/wrap.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "common/utf8.h"

/* A terminal that is narrower breaks lines itself. */
#define WIDTH_LEAST 20
/* What is no terminal is as wide as most are. */
#define WIDTH_USUAL 80

/* How many columns it takes. Colours, "ESC [ ... m", take none. */
static unsigned int
columns_of(const char *text, size_t length)
{
	unsigned int columns = 0;

	while (length > 0) {
		uint32_t code;
		size_t n = utf8_decode(text, length, &code);
		int width = n > 1 ? wcwidth((wchar_t)code) : 1;

		if (n == 0)
			n = 1;
		if (code == '\033' && n == 1) {
			n = strcspn(text, "m") + 1;
			width = 0;
		}
		columns += width > 0 ? (unsigned int)width : 0;
		n = n < length ? n : length;
		text += n;
		length -= n;
	}
	return columns;
}

/* A word goes with the spaces before it, which are many where columns are
 * aligned; at a break they are left out. */
static void
print_line(FILE *out, const char *text, size_t length, unsigned int width,
    unsigned int hang)
{
	const char *end = text + length;
	size_t used = 0;
	bool first = true; /* on its line */

	while (text < end) {
		size_t spaces = strspn(text, " ");
		size_t word = strcspn(text + spaces, " \n");
		size_t columns = columns_of(text + spaces, word);

		if (!first && used + spaces + columns > width &&
		    hang + columns <= width) {
			fputc('\n', out);
			used = 0;
			spaces = hang;
			text += strspn(text, " ");
		} else
			text += spaces;
		fprintf(out, "%*s", (int)spaces, "");
		fwrite(text, 1, word, out);
		used += spaces + columns;
		text += word;
		first = false;
	}
	fputc('\n', out);
}

void
wrap_print(FILE *out, const char *text, unsigned int width, unsigned int hang)
{
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");

		print_line(out, text, length, width, hang);
		text += length;
		if (*text == '\n')
			text++;
	}
}

static void
begin(struct wrap *w, const struct ctl *ctl, unsigned int width)
{
	*w = (struct wrap){ .ctl = *ctl };
	if (width == 0)
		return;
	w->ctl.width = width;
	w->out = ctl->out;
	w->ctl.out = open_memstream(&w->text, &w->length);
	/* For want of memory: as it comes. */
	if (w->ctl.out == NULL) {
		w->ctl.out = w->out;
		w->out = NULL;
	}
}

static unsigned int
width_of(const struct ctl *ctl)
{
	return ctl->terminal && ctl->width >= WIDTH_LEAST ? ctl->width : 0;
}

void
wrap_begin(struct wrap *w, const struct ctl *ctl)
{
	begin(w, ctl, width_of(ctl));
}

void
wrap_begin_always(struct wrap *w, const struct ctl *ctl)
{
	unsigned int width = width_of(ctl);

	begin(w, ctl, width != 0 ? width : WIDTH_USUAL);
}

void
wrap_end(struct wrap *w, unsigned int hang)
{
	if (w->out == NULL)
		return;
	if (fclose(w->ctl.out) == 0)
		wrap_print(w->out, w->text, w->ctl.width, hang);
	free(w->text);
}
