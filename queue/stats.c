#include "queue/stats.h"

struct stats stats;
