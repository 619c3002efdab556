/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeping the module's worker away, to see what holds before it has come. The
 * test, and the agents that it starts, become more urgent than everything else,
 * and while the worker is held the CPUs that they leave free have urgent work,
 * too. If the kernel lets the worker through all the same, a test sees less
 * than it could; it does not fail.
 */
#ifndef WORKER_H
#define WORKER_H

void worker_prepare(void);
void worker_hold(void);
void worker_release(void);

#endif /* WORKER_H */
