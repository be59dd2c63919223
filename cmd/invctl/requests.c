/*
 * Requests that come to `invctl run` itself: see requests.h.
 *
 * Nothing escalates by repetition. A key that is held down sends a burst of
 * signals; a closing terminal, a shell and an init system may each send one for the same
 * reason. So signals within a second are one request, and once the processes were
 * signalled their clean-up is left alone.
 */
#include "invctl/requests.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "common/duration.h"
#include "common/message.h"
#include "invctl/signal_watch.h"

void requests_make(struct supervision *supervision, int cause, int signum, const char *reason)
{
	struct inv_run_view *view = &supervision->view;

	/* Its table may be lost, which is found out by the next view. */
	if (!supervision->delivery.alone &&
	    inv_run_request(supervision->invocation, cause, signum, reason) != -ESTALE)
		return;
	if (view->pending)
		return;
	view->requested = view->pending = 1;
	view->requested_at_ns = clock_monotonic_ns();
	view->paused = 0;
	view->request_signal = signum;
	view->cause = cause;
	view->request++;
}

static bool within_a_second(int64_t last_ns, int64_t now_ns)
{
	return last_ns != 0 && now_ns - last_ns < NS_PER_SECOND;
}

static void requested_by(struct supervision *supervision, int signum, const char *name,
                         int64_t now_ns)
{
	bool repeated = within_a_second(supervision->last_request_ns, now_ns);

	supervision->last_request_ns = now_ns;
	if (!repeated && !supervision->view.signalled)
		requests_make(supervision, INV_CAUSE_REQUESTED, signum, name);
}

static void interrupted(struct supervision *supervision, int signum, const char *key,
                        int64_t now_ns)
{
	bool first = supervision->last_interrupt_ns == 0;

	if (within_a_second(supervision->last_interrupt_ns, now_ns))
		return;
	supervision->last_interrupt_ns = now_ns;
	if (supervision->hint_at_ns < 0)
		supervision->hint_at_ns = first ? now_ns + NS_PER_SECOND : INV_FOREVER;
	if (!first && supervision->view.cooperative)
		supervision->delivery.escalation.interrupt_signal = signum;
	if (!supervision->view.signalled)
		requests_make(supervision, INV_CAUSE_INTERRUPT, signum, key);
}

void requests_from_signals(struct supervision *supervision, int64_t now_ns)
{
	struct signals_arrived arrived;

	signal_watch_take(SIGNAL_BIT(SIGINT) | SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGTERM) |
	                          SIGNAL_BIT(SIGHUP),
	                  &arrived);

	bool key = signal_arrived(arrived.from_terminal, SIGINT);

	supervision->interrupted_at_terminal |= key;
	if (signal_arrived(arrived.set, SIGINT))
		interrupted(supervision, SIGINT, key ? "Ctrl-C" : "SIGINT", now_ns);
	if (signal_arrived(arrived.set, SIGQUIT))
		interrupted(supervision, SIGQUIT, "SIGQUIT", now_ns);
	if (signal_arrived(arrived.set, SIGTERM))
		requested_by(supervision, SIGTERM, "SIGTERM", now_ns);
	if (signal_arrived(arrived.set, SIGHUP))
		requested_by(supervision, SIGHUP, "SIGHUP", now_ns);
}

void requests_from_end(struct supervision *supervision, int wait_status)
{
	int signum = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;

	if (!supervision->terminal.handed_over || (signum != SIGINT && signum != SIGQUIT))
		return;
	supervision->interrupted_at_terminal |= signum == SIGINT;
	requests_make(supervision, INV_CAUSE_INTERRUPT, signum,
	              signum == SIGINT ? "Ctrl-C" : "SIGQUIT");
}

/* What is between the request and the end. */
static const char *waits_for(const struct supervision *supervision)
{
	const struct inv_run_view *view = &supervision->view;
	bool by_signal = view->signal != 0 || (view->flags & INV_RUN_STOP_COMMAND) != 0;

	if (supervision->delivery.finish == INV_FINISH_RUNNING)
		return "the finish command of";
	if (supervision->delivery.command_ended)
		return "what is left of";
	if (view->pending && view->shielded)
		return "the end of the shield in";
	if (view->pending && view->cooperative)
		return "the next check of";
	if (view->pending && !by_signal)
		return "the first check of";
	if (view->pending && view->had_nested)
		return "what is nested in";
	return "the end of";
}

/* What one more Ctrl-C does. */
static const char *next_key(const struct supervision *supervision)
{
	const struct inv_run_view *view = &supervision->view;

	if (supervision->delivery.command_ended || !view->cooperative || view->shielded)
		return "";
	if ((view->flags & INV_RUN_STOP_COMMAND) != 0 && !view->signalled)
		return "; Ctrl-C again runs its stop command";
	return view->signal != 0 ? "; Ctrl-C again signals it" : "";
}

/* Nothing that is typed kills, so this says what does. Without a table no command reaches it. */
static void stronger_step(const struct supervision *supervision, char *text, size_t size)
{
	char id[INV_ID_TEXT_BYTES];

	inv_id_format(supervision->delivery.scope.id, id);
	if (supervision->delivery.alone)
		*text = '\0';
	else if ((supervision->view.flags & INV_RUN_NO_KILL) != 0)
		snprintf(text, size,
		         "; '%s cancel --signal %.8s' signals it, --no-kill refuses SIGKILL",
		         supervision->how_to, id);
	else
		snprintf(text, size, "; '%s cancel --kill %.8s' kills it, without clean-up",
		         supervision->how_to, id);
}

void requests_hint(struct supervision *supervision, int64_t now_ns)
{
	char stronger[INV_TABLE_NAME_BYTES + 128];
	const char *waiting = waits_for(supervision), *again = next_key(supervision);

	if (supervision->hint_at_ns < 0 || now_ns < supervision->hint_at_ns)
		return;
	supervision->hint_at_ns = INV_FOREVER;
	stronger_step(supervision, stronger, sizeof(stronger));
	if (supervision->interrupted_at_terminal)
		message_at_terminal("waiting for %s '%s'%s%s", waiting, supervision->label, again,
		                    stronger);
	else
		message("waiting for %s '%s'%s%s", waiting, supervision->label, again, stronger);
}
