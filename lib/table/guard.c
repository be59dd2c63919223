/*
 * The SIGBUS guard: see guard.h.
 *
 * Access past the end of a truncated file, or to a hole on a full file system,
 * raises SIGBUS. The handler lays private zero pages over the rest of the mapping
 * and returns: the access is repeated and reads zeros, which no generation
 * matches, so that every call answers -ESTALE from then on. A SIGBUS elsewhere
 * goes to the handler that was there before.
 *
 * mmap(2) is not on POSIX's list of async-signal-safe functions; on Linux it is
 * a bare system call.
 */
#include "table/guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#include "os/fork.h"

enum { GUARDED_MAX = 64 };

static struct {
	_Atomic uintptr_t base;
	_Atomic size_t bytes;
} guarded[GUARDED_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction previous;
static bool installed;

FORK_HANDLER(.order = FORK_GUARD, .lock = &lock)

static bool lay_zeros(uintptr_t address)
{
	for (int i = 0; i < GUARDED_MAX; i++) {
		uintptr_t base = atomic_load(&guarded[i].base);
		size_t bytes = atomic_load(&guarded[i].bytes);
		if (base == 0 || address < base || address >= base + bytes)
			continue;
		uintptr_t page = address & ~(uintptr_t)4095;
		return mmap((void *)page, base + bytes - page, PROT_READ | PROT_WRITE,
		            MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
	}
	return false;
}

static void on_sigbus(int signum, siginfo_t *info, void *context)
{
	int saved = errno;
	bool mended = info->si_code > 0 && lay_zeros((uintptr_t)info->si_addr);

	errno = saved;
	if (mended)
		return;
	if (previous.sa_flags & SA_SIGINFO) {
		previous.sa_sigaction(signum, info, context);
	} else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
		previous.sa_handler(signum);
	} else {
		/* Die of it as if there were no guard: it comes again on return. */
		sigaction(SIGBUS, &previous, NULL);
		if (info->si_code <= 0)
			raise(signum);
	}
}

int guard_add(void *base, size_t bytes)
{
	int error = -ENOSPC;

	pthread_mutex_lock(&lock);
	if (!installed) {
		struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};
		sigemptyset(&action.sa_mask);
		sigaction(SIGBUS, &action, &previous);
		installed = true;
	}
	for (int i = 0; i < GUARDED_MAX && error; i++) {
		if (atomic_load(&guarded[i].base) != 0)
			continue;
		atomic_store(&guarded[i].bytes, bytes);
		atomic_store(&guarded[i].base, (uintptr_t)base);
		error = 0;
	}
	pthread_mutex_unlock(&lock);
	return error;
}

void guard_remove(void *base)
{
	pthread_mutex_lock(&lock);
	for (int i = 0; i < GUARDED_MAX; i++)
		if (atomic_load(&guarded[i].base) == (uintptr_t)base)
			atomic_store(&guarded[i].base, 0);
	pthread_mutex_unlock(&lock);
}

bool guard_installed(void)
{
	pthread_mutex_lock(&lock);
	bool answer = installed;
	pthread_mutex_unlock(&lock);
	return answer;
}
