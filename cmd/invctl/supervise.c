/*
 * The supervisor's loop: see supervise.h.
 *
 * One turn: take the signals that came, reap, turn signals into requests, read the view,
 * decide, carry out. The signal handlers' word is read first, and the sleep ends when it
 * differs from that, so that a signal in the middle of a turn makes the next one follow
 * at once.
 */
#include "invctl/supervise.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/duration.h"
#include "common/message.h"
#include "invctl/requests.h"
#include "invctl/signal_watch.h"

static void command_ended(struct supervision *supervision, int status)
{
	struct inv_run_result result = {.wait_known = 1, .wait_status = status};

	launch_ended(&supervision->launch);
	result.exec_errno = supervision->launch.exec_errno;
	delivery_command_ended(&supervision->delivery, &result);
	requests_from_end(supervision, status);
	terminal_end(&supervision->terminal, WIFSIGNALED(status));
}

/* Descendants that have lost their parent are reaped here as well. */
static void reap(struct supervision *supervision)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (pid != supervision->launch.pid || supervision->delivery.command_ended) {
			if (!WIFSTOPPED(status))
				delivery_reaped(&supervision->delivery, pid, status);
		} else if (WIFSTOPPED(status) && !supervision->delivery.stopped)
			terminal_command_stopped(&supervision->terminal, WSTOPSIG(status));
		else if (!WIFSTOPPED(status))
			command_ended(supervision, status);
	}
}

/* The command line's options stand: others may be able to write the table. */
static void keep_options(struct inv_run_view *view, const struct inv_run_view *own)
{
	view->signal = own->signal;
	view->flags = own->flags;
	view->signal_after_ns = own->signal_after_ns;
	view->kill_after_ns = own->kill_after_ns;
	view->nested_wait_ns = own->nested_wait_ns;
}

/* Without a table the last view stays, and requests are noted in it. */
static void refresh(struct supervision *supervision)
{
	struct inv_run_view view;

	if (supervision->delivery.alone)
		return;
	if (inv_run_view(supervision->invocation, &view) == 0) {
		keep_options(&view, &supervision->view);
		supervision->view = view;
		return;
	}
	supervision->delivery.alone = true;
	message("the table of '%s' is gone: the action goes on, but can't be seen or cancelled "
	        "by its id; SIGTERM to process %d stops it",
	        supervision->label, (int)getpid());
}

/* Without a table a step is noted in the view alone. */
static void note_alone(struct supervision *supervision, enum escalation_step step)
{
	if (!supervision->delivery.alone)
		return;
	if (step == STEP_REQUEST_DEADLINE)
		requests_make(supervision, INV_CAUSE_DEADLINE, 0, NULL);
	if (step == STEP_DELIVER || step == STEP_SIGNAL) {
		supervision->view.pending = 0;
		supervision->view.signalled = 1;
	}
	if (step == STEP_KILL)
		supervision->view.killed = 1;
	if (step == STEP_DECIDE)
		supervision->view.decided = 1;
}

static int64_t earlier(int64_t a_ns, int64_t b_ns)
{
	if (a_ns < 0 || b_ns < 0)
		return a_ns < 0 ? b_ns : a_ns;
	return a_ns < b_ns ? a_ns : b_ns;
}

static struct escalation_decision decide(struct supervision *supervision, int64_t now_ns)
{
	struct escalation_facts facts;

	delivery_gather(&supervision->delivery, &supervision->view, now_ns, &facts);

	struct escalation_decision decision =
	        escalation_decide(&supervision->delivery.escalation, &supervision->view, &facts);

	supervision->delivery.escalation = decision.next;
	return decision;
}

static void rest(struct supervision *supervision, uint32_t seen, int64_t until_ns)
{
	if (supervision->delivery.alone)
		signal_watch_sleep(seen, until_ns);
	else
		inv_run_wait(supervision->invocation, &supervision->view, signal_watch_word(), seen,
		             until_ns);
}

/* false: the invocation is over. */
static bool turn(struct supervision *supervision)
{
	uint32_t seen = *signal_watch_word();
	struct signals_arrived arrived;

	signal_watch_take(SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGCONT),
	                  &arrived);
	if (signal_arrived(arrived.set, SIGCHLD))
		reap(supervision);
	if (signal_arrived(arrived.set, SIGTSTP))
		terminal_suspend(&supervision->terminal);
	else if (signal_arrived(arrived.set, SIGCONT))
		terminal_continued(&supervision->terminal);

	int64_t now_ns = clock_monotonic_ns();

	requests_from_signals(supervision, now_ns);
	refresh(supervision);
	requests_hint(supervision, now_ns);
	delivery_pause(&supervision->delivery, &supervision->view);

	struct escalation_decision decision = decide(supervision, now_ns);

	if (decision.step == STEP_END)
		return false;
	if (decision.step != STEP_WAIT) {
		delivery_step(&supervision->delivery, &supervision->view, &decision, now_ns);
		note_alone(supervision, decision.step);
		return true;
	}

	int64_t until_ns = earlier(decision.until_ns, supervision->hint_at_ns);

	rest(supervision, seen, earlier(until_ns, kept_output_step(&supervision->output, now_ns)));
	return true;
}

void supervise(struct supervision *supervision)
{
	supervision->hint_at_ns = INV_FOREVER;
	terminal_begin(&supervision->terminal, supervision->launch.pid);
	escalation_begin(&supervision->delivery.escalation, NULL);
	while (turn(supervision))
		continue;
	delivery_free(&supervision->delivery);
	process_list_free(&supervision->launch.foreign);
}
