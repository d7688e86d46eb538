/*
 * How many connections there are at a time, and who is told when there is room
 * for another.
 */
#ifndef REMOTE_ROOM_H
#define REMOTE_ROOM_H

#include <stdbool.h>

struct event_base;

/* `announced` is called from the event loop. Exits if it fails. */
void room_init(struct event_base *, void (*announced)(void));

bool room_is_left(void);
void room_take(void);
/* Announces it, too. */
void room_give_back(void);
/* There is room, or a connection that could be taken or closed. */
void room_announce(void);

#endif
