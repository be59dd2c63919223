/*
 * How a supervised invocation ends: the outcome is decided, a finish command runs, the end is
 * recorded. The steps stand in protocol/finish.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "api/run.h"
#include "os/process.h"
#include "protocol/finish.h"
#include "protocol/lifecycle.h"

struct inv_run_outcome run_outcome(const struct outcome *outcome)
{
	return (struct inv_run_outcome){.status = (int)outcome->status,
	                                .cause = (int)outcome->cause,
	                                .exit_status = outcome_exit_status(outcome)};
}

static struct ending ending_of(const struct inv_run_result *result)
{
	if (result->not_started)
		return (struct ending){.how = ENDING_NOT_STARTED};
	if (result->exec_errno)
		return (struct ending){.how = ENDING_EXEC_FAILED, .code = result->exec_errno};
	if (!result->wait_known)
		return (struct ending){.how = ENDING_LOST};
	if (WIFSIGNALED(result->wait_status))
		return (struct ending){.how = ENDING_SIGNALLED,
		                       .code = WTERMSIG(result->wait_status)};
	return (struct ending){.how = ENDING_EXITED, .code = WEXITSTATUS(result->wait_status)};
}

int inv_run_decide(inv_invocation *invocation, const struct inv_run_result *result,
                   struct inv_run_outcome *outcome)
{
	struct ending ending = ending_of(result);
	struct outcome decided = outcome_without_request(&ending);
	bool owned = run_owned_word(invocation) != 0;

	if (owned)
		lifecycle_decide(invocation->table, invocation->ref, &ending, &decided);
	*outcome = run_outcome(&decided);
	return owned ? 0 : -ESTALE;
}

/* false: it is not the caller's any more. */
static bool load_finish(const inv_invocation *invocation, struct finish *finish)
{
	if (run_owned_word(invocation) == 0)
		return false;
	*finish = finish_load(invocation->table, invocation->ref);
	return true;
}

int inv_run_finish_started(inv_invocation *invocation, pid_t pid)
{
	struct finish finish;

	if (!load_finish(invocation, &finish))
		return -ESTALE;
	finish.state = FINISH_RUNNING;
	atomic_store(&run_slot(invocation)->action_process, action_word(pid, process_start(pid)));
	finish_store(invocation->table, invocation->ref, &finish);
	return 0;
}

int inv_run_finish_ended(inv_invocation *invocation, int wait_status)
{
	struct finish finish;

	if (!load_finish(invocation, &finish))
		return -ESTALE;
	finish.state = FINISH_ENDED;
	finish.by_signal = WIFSIGNALED(wait_status);
	finish.code = (unsigned)(WIFSIGNALED(wait_status) ? WTERMSIG(wait_status)
	                                                  : WEXITSTATUS(wait_status));
	finish_store(invocation->table, invocation->ref, &finish);
	atomic_store(&run_slot(invocation)->action_process, 0);
	return 0;
}

int inv_run_end(inv_invocation *invocation, const struct inv_run_result *result)
{
	inv_table *table = invocation->table;
	struct ending ending = ending_of(result);
	uint64_t word = run_owned_word(invocation);
	struct outcome outcome;

	if (word != 0 && lifecycle_end(table, invocation->ref, word, &ending, &outcome) == 0) {
		pthread_mutex_lock(&table->lock);
		table->owned--;
		pthread_mutex_unlock(&table->lock);
	} else {
		outcome = outcome_without_request(&ending);
	}
	inv_event_put(invocation->event);
	free(invocation);
	return outcome_exit_status(&outcome);
}
