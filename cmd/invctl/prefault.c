/*
 * Where `invctl` begins, before the C library does: the pages that its start is about
 * to touch are asked for in three calls, not in thirty page faults.
 *
 * A fault is an exception, and on a virtual machine one may cost fifteen times what
 * madvise(2), MADV_POPULATE_READ and MADV_POPULATE_WRITE, takes for a page. A kernel older
 * than 5.14 refuses the advice, and then the pages come by fault, as everywhere.
 *
 * Nothing of the C library works yet here: no thread's storage, no errno, no indirect
 * function such as memcpy. So the system calls are made by hand, and only where the
 * Makefile links the command statically and gives prefault_start as its entry.
 */
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#if defined(__x86_64__)

enum {
	PAGE = 4096,
	STACK_PAGES = 3, /* what a command uses beneath its arguments */
};

/* The linker's: where the file's text and data begin and end, see ld(1). */
extern char __executable_start[], __init_array_start[], _end[];

static void advise(uintptr_t from, uintptr_t to, long advice)
{
	long result;

	__asm__ volatile("syscall"
	                 : "=a"(result)
	                 : "0"((long)SYS_madvise), "D"(from), "S"(to - from), "d"(advice)
	                 : "rcx", "r11", "memory");
	(void)result; /* no page is needed before it is touched */
}

static uintptr_t page_of(uintptr_t address)
{
	return address & ~(uintptr_t)(PAGE - 1);
}

void prefault(uintptr_t stack);

void prefault(uintptr_t stack)
{
	uintptr_t text = page_of((uintptr_t)__executable_start);
	uintptr_t data = page_of((uintptr_t)__init_array_start);
	uintptr_t end = page_of((uintptr_t)_end + PAGE - 1);

	advise(text, data, MADV_POPULATE_READ);
	advise(data, end, MADV_POPULATE_WRITE);
	advise(page_of(stack) - (uintptr_t)STACK_PAGES * PAGE, page_of(stack), MADV_POPULATE_WRITE);
}

/* The stack is as the kernel has laid it out, and rdx what _start is to be given. */
__asm__(".text\n"
        ".globl prefault_start\n"
        ".type prefault_start, @function\n"
        "prefault_start:\n"
        "	mov %rsp, %rdi\n"
        "	mov %rdx, %rbx\n"
        "	call prefault\n"
        "	mov %rbx, %rdx\n"
        "	jmp _start\n"
        ".size prefault_start, . - prefault_start\n");

#endif
