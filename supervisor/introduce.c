#include "supervisor/introduce.h"

#include "supervisor/links.h"
#include "supervisor/log_socket.h"
#include "supervisor/process.h"

void
introduce_config(struct process *p)
{
	struct message m = MESSAGE_INIT(MESSAGE_CONFIG, 0);

	m.config.path = p->house->config_path;
	process_tell(p, &m, p->generation->settings->fd);
}

static void
introduce_listener(struct process *p, uint32_t number, int fd)
{
	struct message m = MESSAGE_INIT(MESSAGE_LISTENER, 0);

	m.listener.number = number;
	process_tell(p, &m, fd);
}

static void
introduce_listeners(struct process *p)
{
	const struct listeners *l = &p->generation->listeners;

	if (p->spec->program == PROGRAM_QUEUE) {
		introduce_listener(p, 0, p->house->control_fd);
		introduce_listener(p, 1, p->house->users_fd);
	}
	if (p->spec->program != PROGRAM_SMTPD)
		return;
	for (unsigned int i = 0; i < l->count; i++)
		if (l->list[i].fd != -1)
			introduce_listener(p, l->list[i].number, l->list[i].fd);
}

void
introduce(struct process *p)
{
	struct message start = MESSAGE_INIT(MESSAGE_START, 0);

	log_socket_tell(p);
	introduce_config(p);
	links_make(p);
	introduce_listeners(p);
	start.start.instance = p->instance;
	start.start.generation = p->generation->number;
	process_tell(p, &start, -1);
}
