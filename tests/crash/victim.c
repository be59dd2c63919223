/*
 * The process that is killed.
 *
 * It prepares, stops itself, makes one call and stops again. It is first stepped
 * through the call, an instruction at a time, and the address of each is kept.
 * To be killed after the first n instructions, a fresh one then runs at full speed
 * to the n-th: a breakpoint at its address, passed as often as that address had
 * occurred before. Every victim is forked from the same static program, so that the
 * addresses are the same.
 */
#include "crash.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define BREAKPOINT_BYTE 0xccL

static inline void stop_here(void)
{
	__asm__ volatile("int3" ::: "memory");
}

static void victim_main(struct scene *scene)
{
	const struct operation *operation = scene->operation;

	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(1);
	if (operation->prepare)
		operation->prepare(scene);
	stop_here();
	int result = operation->act(scene);
	atomic_store(&scene->board->result, result);
	atomic_store(&scene->board->acted, 1);
	stop_here();
	for (;;)
		pause();
}

/* The next stop: true, and not the end of the process. */
static bool stopped(pid_t victim)
{
	int status;

	while (waitpid(victim, &status, __WALL) < 0)
		if (errno != EINTR)
			return false;
	return WIFSTOPPED(status);
}

pid_t victim_start(struct scene *scene)
{
	atomic_store(&scene->board->acted, 0);
	atomic_store(&scene->board->result, NOT_YET);
	pid_t victim = scene->operation->elsewhere ? scene_fork_elsewhere() : scene_fork();
	if (victim == 0) {
		victim_main(scene);
		_exit(1);
	}
	if (!stopped(victim)) {
		expect(scene, false, "the victim could not be prepared");
		exit(1);
	}
	ptrace(PTRACE_SETOPTIONS, victim, NULL, PTRACE_O_EXITKILL);
	return victim;
}

static uint64_t instruction_pointer(pid_t victim)
{
	return (uint64_t)ptrace(PTRACE_PEEKUSER, victim, offsetof(struct user_regs_struct, rip),
	                        NULL);
}

bool victim_step_through(struct scene *scene, pid_t victim, struct path *path,
                         struct states *states)
{
	const unsigned char *segment = scene->table->base;
	bool room = states_add(states, segment);

	path->count = 0;
	while (path->count < PATH_MAX_INSTRUCTIONS) {
		path->address[path->count++] = instruction_pointer(victim);
		if (ptrace(PTRACE_SINGLESTEP, victim, NULL, NULL) != 0 || !stopped(victim))
			return false;
		if (atomic_load(&scene->board->acted))
			return room;
		const unsigned char *last = states->contents + (states->count - 1) * states->bytes;
		if (memcmp(last, segment, states->bytes) == 0)
			continue;
		room = states_add(states, segment) && room;
		path->changed[path->count] = true;
	}
	return false;
}

static size_t earlier_visits(const struct path *path, size_t place)
{
	size_t count = 0;

	for (size_t i = 0; i < place; i++)
		count += path->address[i] == path->address[place];
	return count;
}

/* Back from behind the breakpoint to the instruction that it stands for. */
static void lift_breakpoint(pid_t victim, uint64_t address, long code)
{
	ptrace(PTRACE_POKETEXT, victim, address, code);
	ptrace(PTRACE_POKEUSER, victim, offsetof(struct user_regs_struct, rip), address);
}

bool victim_run_to(struct scene *scene, pid_t victim, const struct path *path, size_t place)
{
	uint64_t address = path->address[place];
	size_t left = place == 0 ? 0 : earlier_visits(path, place) + 1;

	errno = 0;
	long code = ptrace(PTRACE_PEEKTEXT, victim, address, NULL);
	if (errno != 0)
		return false;
	for (; left > 0; left--) {
		ptrace(PTRACE_POKETEXT, victim, address, (code & ~0xffL) | BREAKPOINT_BYTE);
		ptrace(PTRACE_CONT, victim, NULL, NULL);
		if (!stopped(victim))
			return false;
		if (atomic_load(&scene->board->acted) ||
		    instruction_pointer(victim) != address + 1) {
			/* It went another way this time, and is at its end. */
			ptrace(PTRACE_POKETEXT, victim, address, code);
			return false;
		}
		lift_breakpoint(victim, address, code);
		if (left > 1 &&
		    (ptrace(PTRACE_SINGLESTEP, victim, NULL, NULL) != 0 || !stopped(victim)))
			return false;
	}
	return true;
}

bool victim_carry_on(struct scene *scene, pid_t victim)
{
	if (!atomic_load(&scene->board->acted)) {
		ptrace(PTRACE_CONT, victim, NULL, NULL);
		if (!stopped(victim))
			return false;
	}
	return atomic_load(&scene->board->acted);
}

void victim_kill(pid_t victim)
{
	siginfo_t end;

	kill(victim, SIGKILL);
	/* Dead, but not reaped: a zombie is not alive. */
	while (waitid(P_PID, (id_t)victim, &end, WEXITED | WNOWAIT | __WALL) != 0 && errno == EINTR)
		;
}

void victim_reap(pid_t victim)
{
	waitpid(victim, NULL, __WALL);
}
