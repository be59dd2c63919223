/* What a worker does with `invctl run`. */
#ifndef STRESS_WORKER_RUNS_H
#define STRESS_WORKER_RUNS_H

/* Runs a command of a kind taken by chance, nested in the current invocation if there
 * is one, waits for the supervisor, and notes what became of it. */
void worker_run(const char *invctl);

#endif
