#include "common/log.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/printable.h"

#define TEXT_BUFFERS 8

static struct {
	int fd;
	bool is_socket;
	enum log_form form;
	bool verbose;
	bool broken;
	uint32_t lost;
	const char *program;
	void (*on_lost)(uint32_t lines);
} state = { .fd = STDERR_FILENO, .program = "postern" };

int
log_descriptor(void)
{
	return state.fd;
}

void
log_program(enum program program)
{
	state.program = program_name(program);
}

void
log_on_lost(void (*lost)(uint32_t lines))
{
	state.on_lost = lost;
}

/* A line that is not written whole is lost as well. */
static int
write_line(const char *line, size_t length)
{
	ssize_t n;

	do
		n = state.is_socket ? send(state.fd, line, length,
					  MSG_NOSIGNAL | MSG_DONTWAIT)
				    : write(state.fd, line, length);
	while (n == -1 && errno == EINTR);
	if (n >= 0 && (size_t)n < length)
		errno = EAGAIN;
	return n == (ssize_t)length ? 0 : -1;
}

static void
count_loss(void)
{
	state.lost++;
	if (state.broken || errno == EAGAIN || errno == ENOBUFS)
		return;
	state.broken = true;
	if (state.on_lost != NULL)
		state.on_lost(state.lost);
}

static int
write_event(int priority, const char *format, va_list arguments)
{
	char line[LIMIT_LOG_LINE + 64];
	int head, body;
	size_t length;

	if (state.form == LOG_FORM_SYSLOG)
		head = snprintf(line, sizeof(line),
		    "<%d>postern/%s[%ld]: ", LOG_MAIL | priority, state.program,
		    (long)getpid());
	else
		head = snprintf(line, sizeof(line), "%s[%ld]: ", state.program,
		    (long)getpid());
	if (head < 0 || (size_t)head >= sizeof(line))
		return 0;
	body = vsnprintf(
	    line + head, sizeof(line) - (size_t)head - 1, format, arguments);
	if (body < 0)
		return 0;
	length = strlen(line);
	if (state.form == LOG_FORM_STDERR)
		line[length++] = '\n';
	return write_line(line, length);
}

__attribute__((format(printf, 1, 2))) static int
warn_of_loss(const char *format, ...)
{
	va_list arguments;
	int result;

	va_start(arguments, format);
	result = write_event(LOG_WARNING, format, arguments);
	va_end(arguments);
	return result;
}

static void
say_what_was_lost(void)
{
	if (state.lost > 0 &&
	    warn_of_loss("log-lost lines=%u", state.lost) == 0)
		state.lost = 0;
}

static void
emit(int priority, const char *format, va_list arguments)
{
	int saved = errno;

	say_what_was_lost();
	if (write_event(priority, format, arguments) == -1)
		count_loss();
	errno = saved;
}

void
log_open(int fd_take, enum log_form form, bool verbose)
{
	struct stat status;

	if (state.fd > STDERR_FILENO)
		close(state.fd);
	state.fd = fd_take;
	state.is_socket =
	    fstat(fd_take, &status) == 0 && S_ISSOCK(status.st_mode);
	state.form = form;
	state.verbose = verbose;
	state.broken = false;
	say_what_was_lost();
}

void
log_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	emit(LOG_ERR, format, arguments);
	va_end(arguments);
}

void
log_warn(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	emit(LOG_WARNING, format, arguments);
	va_end(arguments);
}

void
log_info(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	emit(LOG_INFO, format, arguments);
	va_end(arguments);
}

void
log_debug(const char *format, ...)
{
	va_list arguments;

	if (!state.verbose)
		return;
	va_start(arguments, format);
	emit(LOG_DEBUG, format, arguments);
	va_end(arguments);
}

void
log_fatal(int code, const char *format, ...)
{
	char message[LIMIT_LOG_LINE];
	int error = errno;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	if (error != 0)
		log_error("fatal %s: %s", message, strerror(error));
	else
		log_error("fatal %s", message);
	exit(code);
}

const char *
log_text(const char *text)
{
	static char buffers[TEXT_BUFFERS][LIMIT_LOG_LINE / 2];
	static unsigned int next;
	char *buffer = buffers[next++ % TEXT_BUFFERS];

	printable_copy(buffer, sizeof(buffers[0]), text != NULL ? text : "");
	return buffer;
}
