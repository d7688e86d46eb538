/*
 * Inside the life of a message: the steps that its events are made of. For
 * lifecycle*.c only.
 */
#ifndef QUEUE_LIFECYCLE_STEP_H
#define QUEUE_LIFECYCLE_STEP_H

#include "queue/lifecycle.h"

struct recipient;

/* A recipient that is new here, in this state. */
int lifecycle_enter_state(struct lifecycle *, struct recipient *,
    enum recipient_state) __attribute__((warn_unused_result));
/* From the state that it is in; `due` in seconds. With its last recipient a
 * message goes. */
int lifecycle_take_step(struct lifecycle *, struct recipient *,
    enum lifecycle_step, uint64_t due, struct lifecycle_result *)
    __attribute__((warn_unused_result));
/* By errno of rows_load_recipient(): removed meanwhile, or its row is damaged;
 * -1 if that is not it. */
int lifecycle_note_absent(uint64_t id, uint32_t number,
    struct lifecycle_result *) __attribute__((warn_unused_result));
/* After an event: is there something that the sender is to be told? */
int lifecycle_note_telling(struct lifecycle *, struct recipient *,
    const struct row_message *, uint64_t now, struct lifecycle_result *)
    __attribute__((warn_unused_result));

#endif
