/*
 * A clock that stands until a test moves it: the linker wraps monotime_now() and
 * monotime_timeval(), see module.mk. A timer that is set by it does not fire by itself: the
 * test fires it once the clock says so.
 */
#ifndef TESTS_UNIT_REMOTE_CLOCK_H
#define TESTS_UNIT_REMOTE_CLOCK_H

#include <stdint.h>

#include "common/monotime.h"

extern int64_t clock_ms;
/* When the timer that was set last is due. */
extern int64_t clock_due_ms;

#define CLOCK_SECONDS(n) ((n)*INT64_C(1000))

#endif
