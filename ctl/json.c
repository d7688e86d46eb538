#include "ctl/json.h"

#include <inttypes.h>
#include <string.h>

#include "ctl/format.h"
#include "common/utf8.h"

void
json_begin(struct json *j, FILE *out)
{
	j->out = out;
	j->empty = true;
	fputc('{', out);
}

void
json_end(struct json *j)
{
	fputs("}\n", j->out);
}

static void
write_character(FILE *out, const char *text, size_t length, uint32_t code)
{
	switch (code) {
	case '"':
		fputs("\\\"", out);
		return;
	case '\\':
		fputs("\\\\", out);
		return;
	case '\n':
		fputs("\\n", out);
		return;
	case '\r':
		fputs("\\r", out);
		return;
	case '\t':
		fputs("\\t", out);
		return;
	default:
		if (utf8_is_visible(code))
			fwrite(text, 1, length, out);
		else if (code < 0x10000)
			fprintf(out, "\\u%04" PRIx32, code);
		else
			fprintf(out, "\\u%04" PRIx32 "\\u%04" PRIx32,
			    0xd800 + ((code - 0x10000) >> 10),
			    0xdc00 + (code & 0x3ff));
	}
}

void
json_write_string(FILE *out, const char *text, size_t length)
{
	fputc('"', out);
	while (length > 0) {
		uint32_t code;
		size_t n = utf8_decode(text, length, &code);

		if (n == 0) {
			fputs("\\ufffd", out);
			n = 1;
		} else
			write_character(out, text, n, code);
		text += n;
		length -= n;
	}
	fputc('"', out);
}

static void
write_name(struct json *j, const char *name)
{
	if (!j->empty)
		fputc(',', j->out);
	j->empty = false;
	json_write_string(j->out, name, strlen(name));
	fputc(':', j->out);
}

void
json_null(struct json *j, const char *name)
{
	write_name(j, name);
	fputs("null", j->out);
}

void
json_list_begin(struct json *j, const char *name, struct json *list)
{
	write_name(j, name);
	*list = (struct json){ .out = j->out, .empty = true };
	fputc('[', list->out);
}

void
json_list_object(struct json *list, struct json *object)
{
	if (!list->empty)
		fputc(',', list->out);
	list->empty = false;
	json_begin(object, list->out);
}

void
json_list_object_end(struct json *object)
{
	fputc('}', object->out);
}

void
json_list_end(struct json *list)
{
	fputc(']', list->out);
}

void
json_text(struct json *j, const char *name, const char *text)
{
	write_name(j, name);
	json_write_string(j->out, text, strlen(text));
}

void
json_number(struct json *j, const char *name, uint64_t value)
{
	write_name(j, name);
	fprintf(j->out, "%" PRIu64, value);
}

void
json_boolean(struct json *j, const char *name, bool value)
{
	write_name(j, name);
	fputs(value ? "true" : "false", j->out);
}

void
json_time(struct json *j, const char *name, uint64_t seconds)
{
	struct format_text text = format_time_utc(seconds);

	write_name(j, name);
	if (seconds == 0 || text.text[0] == '\0')
		fputs("null", j->out);
	else
		fprintf(j->out, "\"%s\"", text.text);
}

void
json_base64(struct json *j, const char *name, const uint8_t *data, size_t n)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz"
				       "0123456789+/";

	write_name(j, name);
	fputc('"', j->out);
	for (size_t i = 0; i < n; i += 3) {
		uint32_t three = (uint32_t)data[i] << 16;

		if (i + 1 < n)
			three |= (uint32_t)data[i + 1] << 8;
		if (i + 2 < n)
			three |= data[i + 2];
		fputc(alphabet[three >> 18], j->out);
		fputc(alphabet[three >> 12 & 63], j->out);
		fputc(i + 1 < n ? alphabet[three >> 6 & 63] : '=', j->out);
		fputc(i + 2 < n ? alphabet[three & 63] : '=', j->out);
	}
	fputc('"', j->out);
}
