#include "deliver/remote/priority.h"

#include <stddef.h>

#include <event2/event.h>

/* So many others, or so long, until what is fresh is looked for again. */
#define OTHERS 16
#define OTHERS_US 2000

struct event_base *
priority_base_new(void)
{
	static const struct timeval most = { 0, OTHERS_US };
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config != NULL && event_config_set_max_dispatch_interval(
				  config, &most, OTHERS, PRIORITY_OTHER) == 0)
		base = event_base_new_with_config(config);
	if (config != NULL)
		event_config_free(config);
	if (base != NULL && event_base_priority_init(base, PRIORITIES) == -1) {
		event_base_free(base);
		base = NULL;
	}
	return base;
}
