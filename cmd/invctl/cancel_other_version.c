/* invctl cancel, where the table is of another version: see cancel_other_version.h. */
#include "invctl/cancel_other_version.h"

#include <errno.h>
#include <fnmatch.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/array.h"
#include "common/attach.h"
#include "common/duration.h"
#include "common/escape.h"
#include "common/message.h"
#include "common/other_version.h"
#include "invctl-exit-status.h"
#include "invctl/await.h"

enum { PREFIX_DIGITS = 4 };

struct runs {
	struct supervised *list;
	size_t count;
};

static int collect(const struct supervised *run, void *arg)
{
	struct runs *runs = arg;
	struct supervised *list = array_room(runs->list, runs->count, sizeof(*list));

	if (!list)
		return -ENOMEM;
	runs->list = list;
	runs->list[runs->count++] = *run;
	return 0;
}

static bool is_meant(const struct supervised *run, const char *word)
{
	char id_text[INV_ID_TEXT_BYTES];
	size_t length = strlen(word);

	inv_id_format(run->id, id_text);
	return strcmp(word, run->name) == 0 ||
	       (length >= PREFIX_DIGITS && strncasecmp(word, id_text, length) == 0);
}

static bool in_a_group(const struct supervised *run, const struct selectors *selectors)
{
	return selectors->all ||
	       (selectors->name_glob && fnmatch(selectors->name_glob, run->name, 0) == 0);
}

/* The one that a word means. 0, or its exit status after a message. */
static int find(const struct globals *globals, const struct runs *runs, const char *word,
                size_t *found)
{
	size_t count = 0;

	for (size_t i = 0; i < runs->count; i++) {
		if (!is_meant(&runs->list[i], word))
			continue;
		*found = i;
		count++;
	}
	if (count == 1)
		return 0;
	if (count == 0)
		message("no run of table '%s' is '%s'; 'invctl list' shows those that this version "
		        "of invctl can reach",
		        attach_name(globals), word);
	else
		message("'%s' means %zu runs of table '%s'; give more of the id", word, count,
		        attach_name(globals));
	return count == 0 ? EXIT_NO_INVOCATION : EXIT_AMBIGUOUS;
}

/* A pidfd of its supervisor, which has got the request; negative: it has ended, or *status says why
 * not.
 */
static int request(const struct supervised *run, int *status)
{
	int pidfd = supervised_request(run);

	if (pidfd >= 0 || pidfd == -ESRCH)
		return pidfd;
	message("the supervisor of '%s' (process %d) can't be signalled: %s", run->name,
	        (int)run->supervisor, strerror(-pidfd));
	*status = EXIT_DENIED;
	return pidfd;
}

static int await_exit(const struct supervised *run, int pidfd, int64_t until_ns)
{
	struct pollfd exited = {.fd = pidfd, .events = POLLIN};
	int left_ms = -1, result;

	do {
		if (until_ns != INV_FOREVER) {
			int64_t left_ns = until_ns - clock_monotonic_ns();
			left_ms = left_ns > 0 ? (int)(left_ns / NS_PER_MS) + 1 : 0;
		}
		result = poll(&exited, 1, left_ms);
	} while (result < 0 && errno == EINTR);
	if (result == 1)
		return EXIT_DONE;
	message("'%s' still runs; its supervisor is process %d", run->name, (int)run->supervisor);
	return EXIT_TIMED_OUT;
}

static int first_failure(int so_far, int status)
{
	return so_far != 0 ? so_far : status;
}

/* All requests first: one that takes its time delays none. */
static int request_and_wait(const struct runs *runs, const bool *meant,
                            const struct other_version_cancel *cancel)
{
	int64_t until_ns = await_until(cancel->wait_ns);
	int *pidfds = calloc(runs->count + 1, sizeof(*pidfds)), failure = 0;

	if (!pidfds)
		return EXIT_INTERNAL;
	for (size_t i = 0; i < runs->count; i++) {
		int status = 0;
		pidfds[i] = meant[i] ? request(&runs->list[i], &status) : -1;
		failure = first_failure(failure, status);
	}
	for (size_t i = 0; i < runs->count; i++) {
		if (pidfds[i] < 0)
			continue;
		if (cancel->wait)
			failure = first_failure(failure,
			                        await_exit(&runs->list[i], pidfds[i], until_ns));
		close(pidfds[i]);
	}
	free(pidfds);
	return failure;
}

static void print_meant(const struct runs *runs, const bool *meant)
{
	char id_text[INV_ID_TEXT_BYTES], name[ESCAPED_BYTES(INV_NAME_BYTES)];

	for (size_t i = 0; i < runs->count; i++) {
		if (!meant[i])
			continue;
		inv_id_format(runs->list[i].id, id_text);
		escape_text(runs->list[i].name, name, sizeof(name));
		printf("%s %s\n", id_text, name);
	}
}

static int cancel_runs(const struct globals *globals, const struct runs *runs,
                       const struct other_version_cancel *cancel)
{
	bool *meant = calloc(runs->count + 1, sizeof(*meant));
	int failure = 0;
	size_t found;

	if (!meant)
		return EXIT_INTERNAL;
	for (size_t i = 0; i < cancel->selectors->count; i++) {
		int status = find(globals, runs, cancel->selectors->words[i], &found);
		if (status == 0)
			meant[found] = true;
		failure = first_failure(failure, status);
	}
	for (size_t i = 0; i < runs->count; i++)
		meant[i] |= in_a_group(&runs->list[i], cancel->selectors);
	if (cancel->dry_run)
		print_meant(runs, meant);
	else
		failure = first_failure(failure, request_and_wait(runs, meant, cancel));
	free(meant);
	return failure;
}

int cancel_other_version(const struct globals *globals, const struct other_version_cancel *cancel)
{
	struct runs runs = {0};

	if (cancel->more || cancel->selectors->children) {
		message("table '%s' was made by another version of invctl: --only, --signal, "
		        "--kill "
		        "and --children are that version's to do; without them a request is made",
		        attach_name(globals));
		return EXIT_DENIED;
	}
	other_version_each(attach_name(globals), collect, &runs);
	int status = cancel_runs(globals, &runs, cancel);
	free(runs.list);
	return status;
}
