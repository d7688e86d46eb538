#include "tests/unit/ctl/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "ctl/options.h"

char run_directory[] = "/tmp/postern-ctl-XXXXXX";
char *run_out;
char run_err[65536];
struct ctl run_ctl;

void
run_socket_path(struct sockaddr_un *address, const char *name)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	assert_true(
	    snprintf(address->sun_path, sizeof(address->sun_path), "%s/%s",
		run_directory, name) < (int)sizeof(address->sun_path));
}

int
run_listen(const char *name)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	run_socket_path(&address, name);
	unlink(address.sun_path);
	assert_int_not_equal(fd, -1);
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

pid_t
run_server(void (*serve)(int listener), const char *name)
{
	int listener = run_listen(name);
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		alarm(120);
		serve(listener);
		_exit(0);
	}
	close(listener);
	return pid;
}

void
run_stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int
run_prepare(void **state)
{
	(void)state;
	run_ctl.now = NOW;
	setenv("TZ", "UTC", 1);
	if (mkdtemp(run_directory) == NULL)
		return -1;
	run_ctl.run = run_directory;
	return 0;
}

void
run_clean_up(void)
{
	struct sockaddr_un address;

	run_socket_path(&address, "control");
	unlink(address.sun_path);
	run_socket_path(&address, "supervisor");
	unlink(address.sun_path);
	run_socket_path(&address, "users");
	unlink(address.sun_path);
	rmdir(run_directory);
	free(run_out);
}

int
run(int (*function)(struct ctl *, const struct command *, int, char **),
    unsigned int verb, const char *line)
{
	struct command command = {
		.name = "test",
		.arguments = "",
		.options = OPTIONS_JSON | OPTIONS_FILTER | OPTIONS_ACT |
			   OPTIONS_CONTENT | OPTIONS_PAUSE |
			   OPTIONS_PROMETHEUS | OPTIONS_TO,
		.verb = verb,
	};
	char copy[1024], *words[8];
	int count = 0, code, stderr_was = dup(STDERR_FILENO);
	FILE *errors = tmpfile();
	size_t size;

	assert_non_null(errors);
	strlcpy(copy, line, sizeof(copy));
	for (char *w = strtok(copy, " "); w != NULL; w = strtok(NULL, " ")) {
		assert_true(count < 8);
		words[count++] = w;
	}
	free(run_out);
	run_out = NULL;
	run_ctl.out = open_memstream(&run_out, &size);
	assert_non_null(run_ctl.out);
	fflush(stderr);
	dup2(fileno(errors), STDERR_FILENO);
	code = function(&run_ctl, &command, count, words);
	fflush(stderr);
	dup2(stderr_was, STDERR_FILENO);
	close(stderr_was);
	assert_int_equal(fclose(run_ctl.out), 0);
	rewind(errors);
	run_err[fread(run_err, 1, sizeof(run_err) - 1, errors)] = '\0';
	fclose(errors);
	return code;
}

size_t
run_lines(void)
{
	size_t lines = 0;

	for (const char *p = run_out; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	return lines;
}
