/*
 * invbroker: the broker of a table of invocations. See invbroker(8).
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/message.h"
#include "common/standard_files.h"
#include "invbroker/daemonize.h"
#include "invbroker/options.h"
#include "invbroker/readiness.h"
#include "invbroker/service.h"
#include "invbroker/startup.h"
#include "invctl-exit-status.h"
#include "os/environment.h"

/*
 * A broker that an action has started is no part of that action, and must not be found as one
 * by the INVCTL_ID in its environment. /proc shows the memory in which exec put the environment,
 * so it is overwritten there.
 */
static void leave_action(void)
{
	static const char name[] = "INVCTL_ID=";
	char *variable = variable_place_of(name).variable;

	if (variable)
		memset(variable + strlen(name), 0, strlen(variable) - strlen(name));
	unsetenv("INVCTL_ID");
}

/* Signals that the caller ignores must still end the broker. A limit on the size of its files is
 * not meant for the table: it is lifted, as far as it may be, and does not kill. */
static void reset_signals(void)
{
	struct rlimit limit;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	if (getrlimit(RLIMIT_FSIZE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_FSIZE, &limit);
	}
}

static int serve(const struct options *options, int parent_fd)
{
	struct readiness readiness = {.status = EXIT_DONE};
	struct serving serving;
	bool ready = startup_serve(options, &serving, &readiness) == 0 &&
	             service_open(options, &serving, &readiness) == 0;

	if (!ready)
		startup_withdraw(&serving);
	if (parent_fd >= 0)
		daemonize_ready(parent_fd, &readiness);
	else
		readiness_report(&readiness, options->ready_fd);
	if (!ready)
		return readiness.status;
	int status = service_run();
	service_close(&serving, status);
	return status;
}

int main(int argc, char **argv)
{
	static char program[] = "invbroker";
	struct options options;
	struct readiness readiness = {.status = EXIT_DONE};

	message_program = program;
	argv[0] = program; /* the prefix of getopt's messages */
	standard_files_open();
	leave_action();
	broker_options_parse(argc, argv, &options);
	reset_signals();
	if (options.foreground)
		return serve(&options, -1);
	int parent_fd = daemonize(&readiness);
	if (parent_fd >= 0)
		return serve(&options, parent_fd);
	readiness_report(&readiness, options.ready_fd);
	return readiness.status;
}
