#include "ctl/fold.h"

#include <stdarg.h>
#include <string.h>

#include "common/limits.h"
#include "ctl/format.h"

void
fold_begin(struct fold *f, FILE *out, unsigned int width, unsigned int indent,
    unsigned int column)
{
	*f = (struct fold){ .out = out,
		.width = width,
		.indent = indent,
		.column = column,
		.fresh = column == 0 };
	if (column == 0) {
		fprintf(out, "%*s", (int)indent, "");
		f->column = indent;
	}
}

void
fold_word(struct fold *f, const char *word)
{
	unsigned int width = format_width(word);

	if (!f->fresh && f->column + 1 + width > f->width) {
		fprintf(f->out, "\n%*s", (int)f->indent, "");
		f->column = f->indent;
		f->fresh = true;
	}
	if (!f->fresh) {
		fputc(' ', f->out);
		f->column++;
	}
	format_print(f->out, word);
	f->column += width;
	f->fresh = false;
}

void
fold_format(struct fold *f, const char *format, ...)
{
	char word[2 * LIMIT_PATH];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(word, sizeof(word), format, arguments);
	va_end(arguments);
	fold_word(f, word);
}

void
fold_words(struct fold *f, const char *text)
{
	char word[LIMIT_REPLY + 1];

	while (*text != '\0') {
		/* More than one space is kept. */
		size_t length = strspn(text, " ");

		length += strcspn(text + length, " ");
		snprintf(word, sizeof(word), "%.*s", (int)length, text);
		fold_word(f, word);
		text += length;
		if (*text == ' ')
			text++;
	}
}

void
fold_end(struct fold *f)
{
	fputc('\n', f->out);
}
