/*
 * The states that a recovery passes through, at full speed: it runs in a process for
 * which the segment is read-only. Each store traps, is let through for the one
 * instruction (the trap flag), and what the segment then holds is kept.
 */
#include "crash.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "table/owner.h"

enum { TRAP_FLAG = 0x100 };

static struct scene *recovering;

static void protect(int protection)
{
	if (mprotect(recovering->table->base, recovering->table->geometry.bytes, protection) != 0)
		_exit(1);
}

static void on_store(int signum, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;
	uintptr_t offset = (uintptr_t)info->si_addr - (uintptr_t)recovering->table->base;

	(void)signum;
	if (offset >= recovering->table->geometry.bytes)
		_exit(1);
	protect(PROT_READ | PROT_WRITE);
	interrupted->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void after_store(int signum, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;

	(void)signum;
	(void)info;
	interrupted->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
	protect(PROT_READ);
	if (!states_add(&recovering->passed, recovering->table->base))
		_exit(1);
	atomic_store(recovering->passed.shared_count, recovering->passed.count);
}

static void ignore_orphan(inv_invocation *orphan, void *arg)
{
	(void)orphan;
	(void)arg;
}

static void recover_traced(struct scene *scene)
{
	struct sigaction store = {.sa_sigaction = on_store, .sa_flags = SA_SIGINFO};
	struct sigaction step = {.sa_sigaction = after_store, .sa_flags = SA_SIGINFO};

	recovering = scene;
	sigaction(SIGSEGV, &store, NULL);
	sigaction(SIGTRAP, &step, NULL);
	/* A broker that takes orphans over is an owner. */
	if (scene->operation->orphan && owner_enter(scene->table) != 0)
		_exit(1);
	protect(PROT_READ);
	broker_recover(scene->table, scene->operation->orphan ? ignore_orphan : NULL, NULL);
	_exit(0);
}

void stores_of_recovery(struct scene *scene)
{
	int status = 0;

	scene->passed.count = 0;
	atomic_store(scene->passed.shared_count, 0);
	pid_t pid = scene_fork();
	if (pid == 0)
		recover_traced(scene);
	waitpid(pid, &status, 0);
	expect(scene, WIFEXITED(status) && WEXITSTATUS(status) == 0,
	       "a recovery fails when it is traced");
	scene->passed.count = atomic_load(scene->passed.shared_count);
}
