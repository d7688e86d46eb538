/*
 * What the kernel still has of the store in its memory is not believed.
 *
 * Where a sync failed, that memory and the disk may differ, and no later sync
 * says so: the failure is told once. So whoever opens the store lets the kernel
 * write what waits to be written, and then read the store from the disk.
 */
#ifndef QUEUE_STORE_MEMORY_H
#define QUEUE_STORE_MEMORY_H

/* Before it is opened, and owned. -1 with errno if it cannot be written. */
int store_forget_memory(const char *directory)
    __attribute__((warn_unused_result));

#endif
