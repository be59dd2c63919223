/*
 * Group wake: waking another process, one way, beside a bare futex ping-pong, with
 * both processes on one processor and on two: wake ROUNDS
 * Ours: set, and a sleep that takes the request. Bare: store and FUTEX_WAKE, FUTEX_WAIT
 * and store.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "bare_futex.h"
#include "invctl.h"
#include "measure.h"

struct ball {
	_Alignas(64) _Atomic uint32_t word;
};

struct court {
	struct ball there, back;
};

static struct court *court;
static inv_event *there, *back;

static void hit(struct ball *ball)
{
	ball->word = 1;
	bare_wake(&ball->word, 1);
}

static void take(struct ball *ball)
{
	while (ball->word == 0)
		bare_wait(&ball->word, 0);
	ball->word = 0;
}

static void bare(void *arg, size_t count)
{
	(void)arg;
	for (size_t i = 0; i < count / 2; i++) {
		hit(&court->there);
		take(&court->back);
	}
}

static void ours(void *arg, size_t count)
{
	(void)arg;
	for (size_t i = 0; i < count / 2; i++) {
		measure_require(inv_event_set(there, NULL), "setting");
		inv_event_sleep(back, INV_FOREVER);
	}
}

static void get_events(void)
{
	uint8_t id[16];

	measure_id(20, 0, id);
	measure_require(inv_event_get(NULL, id, &there), "the event");
	measure_id(20, 1, id);
	measure_require(inv_event_get(NULL, id, &back), "the event");
}

/* Plays ours; a second process plays the bare game. */
static _Noreturn void play(measured *game, int processor)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	measure_pin(processor);
	get_events();
	for (;;) {
		if (game == ours) {
			inv_event_sleep(there, INV_FOREVER);
			inv_event_set(back, NULL);
		} else {
			take(&court->there);
			hit(&court->back);
		}
	}
}

static void measure_on(int processor, const char *what, size_t rounds)
{
	measured *games[] = {ours, bare};
	pid_t partners[2];

	for (int i = 0; i < 2; i++) {
		partners[i] = fork();
		if (partners[i] == 0)
			play(games[i], processor);
	}
	measure_pair(&(struct pair){
	        .what = what, .ours = ours, .beside = bare, .rounds = rounds, .count = 400});
	for (int i = 0; i < 2; i++) {
		kill(partners[i], SIGKILL);
		waitpid(partners[i], NULL, 0);
	}
}

int main(int argc, char **argv)
{
	size_t rounds = measure_argument(argc, argv, 1, "ROUNDS");

	court = mmap(NULL, sizeof(*court), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
	             0);
	if (court == MAP_FAILED)
		return 1;
	get_events();
	measure_pin(0);
	measure_on(0, "wake, one core", rounds);
	measure_on(1, "wake, two cores", rounds);
	return 0;
}
