/*
 * Sleeps under a moving clock: sleeper MILLISECONDS
 * Begins an invocation, says "asleep TIME-OF-DAY" (in seconds), sleeps, waits on its event
 * as long again, ends, and says what the two answered, how long they took by the monotonic
 * clock (in ms), and the time of day.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <invctl.h>

static long long clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	int64_t duration_ns = (argc == 2 ? atoll(argv[1]) : 1000) * INT64_C(1000000);
	inv_invocation *invocation;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (inv_invocation_begin(NULL, NULL, "sleeper", &invocation) != 0)
		return 2;
	printf("asleep %lld\n", clock_ms(CLOCK_REALTIME) / 1000);

	long long begun_ms = clock_ms(CLOCK_MONOTONIC);
	int slept = inv_sleep(duration_ns);
	int waited = inv_event_wait(inv_invocation_event(invocation), duration_ns);
	long long took_ms = clock_ms(CLOCK_MONOTONIC) - begun_ms;

	inv_invocation_end(invocation, INV_COMPLETED);
	printf("awake %d %d %lld %lld\n", slept, waited, took_ms, clock_ms(CLOCK_REALTIME) / 1000);
	return 0;
}
