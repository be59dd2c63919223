/* Identity and life of processes: see process.h. */
#include "os/process.h"
#include "os/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

/* Fields of /proc/PID/stat, as proc(5) numbers them. */
enum {
	STAT_STATE = 3,
	STAT_PARENT = 4,
	STAT_SESSION = 6,
	STAT_THREADS = 20,
	STAT_START = 22,
	STAT_START_CODE = 26,
	STAT_START_STACK = 28,
};
enum { STAT_BYTES = 1024, STATUS_BYTES = 8192, OFFSETS_BYTES = 256, PATH_BYTES = 40 };
#define PIDFS_MAGIC 0x50494446
#define NS_PER_TICK UINT64_C(10000000) /* USER_HZ is 100 */

/* snprintf(3), strtoull(3) are not async-signal-safe. */
static char *append(char *end, const char *text)
{
	size_t length = strlen(text);

	memcpy(end, text, length + 1);
	return end + length;
}

static char *append_number(char *end, unsigned number)
{
	char digits[12];
	char *first = digits + sizeof(digits) - 1;

	*first = '\0';
	do
		*--first = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	return append(end, first);
}

static uint64_t parse_number(const char *text)
{
	uint64_t number = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		number = number * 10 + (uint64_t)(*text - '0');
	return number;
}

static int64_t parse_signed(const char *text)
{
	return *text == '-' ? -(int64_t)parse_number(text + 1) : (int64_t)parse_number(text);
}

static uint64_t parse_hexadecimal(const char *text)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t number = 0;

	for (const char *digit; *text && (digit = strchr(digits, *text)) != NULL; text++)
		number = number << 4 | (uint64_t)(digit - digits);
	return number;
}

/* /proc/PID/file. In any /proc, self is the reading process. */
static void proc_path(char path[PATH_BYTES], pid_t pid, const char *file)
{
	char *end = append(path, "/proc/");

	end = pid == getpid() ? append(end, "self") : append_number(end, (unsigned)pid);
	append(append(end, "/"), file);
}

static int read_file(pid_t pid, const char *file, char *text, size_t size)
{
	char path[PATH_BYTES];

	proc_path(path, pid, file);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t length = read(fd, text, size - 1);
	int error = errno;
	close(fd);
	if (length < 0)
		return -error;
	text[length] = '\0';
	return 0;
}

/* What stands behind a key at the beginning of a line, and blanks; "": nothing. */
static const char *value_of(const char *status, const char *key)
{
	const char *line = strstr(status, key);

	return line ? line + strlen(key) + strspn(line + strlen(key), " \t") : "";
}

/* How far the boot time of our time namespace is ahead of the first one's. 0 where the kernel has
 * no time namespaces. The file is about the namespace of our children, which is ours but between
 * unshare(2) and the next fork. Cached by pid: a forked child may be in another one. */
static int64_t boot_offset_ns(void)
{
	static _Atomic int64_t offset_ns;
	static _Atomic pid_t cached;
	char text[OFFSETS_BYTES];
	pid_t pid = getpid();

	/* acquire: pairs with the release, so that the offset is this pid's */
	if (atomic_load_explicit(&cached, memory_order_acquire) == pid)
		return atomic_load_explicit(&offset_ns, memory_order_relaxed);

	int64_t ns = 0;

	if (read_file(pid, "timens_offsets", text, sizeof(text)) == 0) {
		const char *seconds = value_of(text, "\nboottime");

		ns = parse_signed(seconds) * NS_PER_SECOND;
		seconds += strspn(seconds, "-0123456789");
		ns += parse_signed(seconds + strspn(seconds, " \t"));
	}
	atomic_store_explicit(&offset_ns, ns, memory_order_relaxed);
	atomic_store_explicit(&cached, pid, memory_order_release);
	return ns;
}

/* The kernel shows start times in the reader's time namespace. Recorded are those of the first
 * one, which are the same to all readers. Of a process from before the namespace's boot it
 * shows a negative time, modulo 2^64 ns. */
static uint64_t start_of_shown(uint64_t shown_ticks)
{
	int64_t offset_ns = boot_offset_ns();

	if (offset_ns == 0)
		return shown_ticks;
	return (shown_ticks * NS_PER_TICK - (uint64_t)offset_ns + NS_PER_TICK / 2) / NS_PER_TICK;
}

/* An offset that is no whole number of ticks, and a negative time, are rounded. */
bool process_starts_equal(uint64_t one, uint64_t other)
{
	int64_t offset_ns = boot_offset_ns();
	bool exact = offset_ns >= 0 && (uint64_t)offset_ns % NS_PER_TICK == 0;

	return one == other || (!exact && (one > other ? one - other : other - one) == 1);
}

/* Address-space randomisation moves the stack with every exec. A kernel that hides
 * the addresses from us says 0 or 1. */
static uint32_t image_of(uint64_t start_code, uint64_t start_stack)
{
	uint64_t addresses = start_stack ^ start_code << 20;

	return start_stack > 1 ? (uint32_t)(addresses >> 4 ^ addresses >> 36) | 1 : 0;
}

/* The name in parentheses may hold anything, blanks and parentheses too, so it
 * ends, and fields are counted, at the last ')'. */
static bool parse_stat(const char *text, struct process *process)
{
	const char *name = strchr(text, '('), *field = strrchr(text, ')');
	uint64_t numbers[STAT_START_STACK + 1] = {0};

	if (!name || !field)
		return false;
	memcpy(process->name, name + 1, strnlen(name + 1, sizeof(process->name) - 1));
	if ((size_t)(field - name - 1) < sizeof(process->name))
		process->name[field - name - 1] = '\0';
	for (int number = STAT_STATE; number <= STAT_START_STACK; number++) {
		field = strchr(field, ' ');
		if (!field)
			break;
		field++;
		if (number == STAT_STATE)
			process->state = *field;
		numbers[number] = parse_number(field);
	}
	process->parent = (pid_t)numbers[STAT_PARENT];
	process->session = (pid_t)numbers[STAT_SESSION];
	process->threads = (int)numbers[STAT_THREADS];
	process->start = start_of_shown(numbers[STAT_START]);
	process->image = image_of(numbers[STAT_START_CODE], numbers[STAT_START_STACK]);
	return process->start != 0;
}

static int read_stat(pid_t pid, struct process *process)
{
	char text[STAT_BYTES];
	int error = read_file(pid, "stat", text, sizeof(text));

	*process = (struct process){.pid = pid};
	if (!error && !parse_stat(text, process))
		error = -ESRCH;
	return error;
}

/* Not for want of descriptors or memory, so that it says something about the process. */
static bool is_about_process(int error)
{
	return error != -EMFILE && error != -ENFILE && error != -ENOMEM;
}

int process_read(pid_t pid, struct process *process)
{
	int error = read_stat(pid, process);

	return error && is_about_process(error) ? -ESRCH : error;
}

char process_state(pid_t pid)
{
	char text[STAT_BYTES];
	const char *name_end =
	        read_file(pid, "stat", text, sizeof(text)) ? NULL : strrchr(text, ')');

	return name_end && name_end[1] == ' ' ? name_end[2] : '\0';
}

int process_read_status(pid_t pid, struct process_status *status)
{
	char text[STATUS_BYTES];
	int error = read_file(pid, "status", text, sizeof(text));

	if (error)
		return is_about_process(error) ? -ESRCH : error;
	status->uid = (uid_t)parse_number(value_of(text, "\nUid:"));
	status->caught = parse_hexadecimal(value_of(text, "\nSigCgt:"));
	return strstr(text, "\nUid:") ? 0 : -ESRCH;
}

uint64_t process_namespace(void)
{
	/* | pid 32 | inode 32 |. A process can't change its own PID namespace, so once is
	 * enough; but unshare(2) puts its children into another. */
	static _Atomic uint64_t cached;
	uint64_t seen = atomic_load_explicit(&cached, memory_order_relaxed);
	uint64_t pid = (uint64_t)getpid();
	struct stat status;

	if (seen >> 32 != pid && stat("/proc/self/ns/pid", &status) == 0) {
		seen = pid << 32 | (uint32_t)status.st_ino;
		atomic_store_explicit(&cached, seen, memory_order_relaxed);
	}
	return seen >> 32 == pid ? (uint32_t)seen : 0;
}

bool process_proc_is_own(void)
{
	char self[24] = "";

	return readlink("/proc/self", self, sizeof(self) - 1) > 0 &&
	       parse_number(self) == (uint64_t)getpid();
}

uint64_t process_start(pid_t pid)
{
	struct process process;

	return read_stat(pid, &process) == 0 ? process.start : 0;
}

/* pidfs numbers every process of a boot differently; before Linux 6.9 all pidfds
 * share one inode. */
static uint64_t pidfs_inode(int pidfd)
{
	struct statfs system;
	struct stat status;

	if (fstatfs(pidfd, &system) != 0 || system.f_type != PIDFS_MAGIC ||
	    fstat(pidfd, &status) != 0)
		return 0;
	return status.st_ino;
}

static int pidfd_of(pid_t pid)
{
	long fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : (int)fd;
}

int process_self(struct process_identity *self)
{
	struct process process;
	int error = read_stat(getpid(), &process);

	if (error)
		return error;
	*self = (struct process_identity){.pid = getpid(),
	                                  .start = process.start,
	                                  .namespace = process_namespace(),
	                                  .image = process.image};
	int pidfd = pidfd_of(self->pid);
	if (pidfd >= 0) {
		self->pidfs = pidfs_inode(pidfd);
		close(pidfd);
	}
	return 0;
}

/* Readable: every thread of it has ended. */
static bool pidfd_ended(int pidfd)
{
	struct pollfd poll_one = {.fd = pidfd, .events = POLLIN};

	return poll(&poll_one, 1, 0) == 1;
}

/* The descriptor holds on to one process: if what has the pid now is the one that is
 * meant, and the descriptor's has not ended, they are the same. */
static int verify(const struct process_identity *identity, int pidfd)
{
	struct process now;
	uint64_t inode = identity->pidfs != 0 ? pidfs_inode(pidfd) : 0;

	if (inode != 0 && inode != identity->pidfs)
		return -ESRCH;
	int error = read_stat(identity->pid, &now);
	if (error && !is_about_process(error))
		return error;
	if (pidfd_ended(pidfd))
		return -ESRCH;
	if (error)
		return 0; /* /proc hides it, or is not there: only the pid is known, and it lives */
	bool same = (inode != 0 || identity->start == 0 ||
	             process_starts_equal(now.start, identity->start)) &&
	            (identity->image == 0 || now.image == 0 || now.image == identity->image);
	/* Another namespace's /proc has read about another process. */
	return same || !process_proc_is_own() ? 0 : -ESRCH;
}

int process_open(const struct process_identity *identity)
{
	if (identity->pid <= 0)
		return -ESRCH;
	int pidfd = pidfd_of(identity->pid);
	if (pidfd < 0)
		return pidfd == -EINVAL ? -ESRCH : pidfd;
	int error = verify(identity, pidfd);
	if (!error)
		return pidfd;
	close(pidfd);
	return error;
}

int process_signal_pidfd(int pidfd, int signum)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, 0) == 0 ? 0 : -errno;
}

enum process_life process_life(const struct process_identity *identity)
{
	if (identity->namespace != 0 && identity->namespace != process_namespace())
		return PROCESS_UNKNOWN;
	int pidfd = process_open(identity);
	if (pidfd >= 0) {
		close(pidfd);
		return PROCESS_ALIVE;
	}
	/* Out of descriptors, say: nothing is concluded. */
	return pidfd == -ESRCH ? PROCESS_DEAD : PROCESS_UNKNOWN;
}

bool process_executed(const struct process_identity *identity)
{
	struct process now;

	return identity->pid > 0 && identity->image != 0 &&
	       identity->namespace == process_namespace() && read_stat(identity->pid, &now) == 0 &&
	       process_starts_equal(now.start, identity->start) && now.image != 0 &&
	       now.image != identity->image;
}

pid_t process_newest(void)
{
	char text[128];
	int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	ssize_t length = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length <= 0)
		return 0;
	text[length] = '\0';
	/* "0.00 0.01 0.05 1/123 4567\n" */
	const char *last = strrchr(text, ' ');
	return last ? (pid_t)parse_number(last + 1) : 0;
}

uint64_t process_ticks_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return start_of_shown(((uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec) /
	                      NS_PER_TICK);
}

void process_command(pid_t pid, char command[16])
{
	char text[64] = "";

	if (read_file(pid, "comm", text, sizeof(text)) != 0)
		text[0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	memset(command, 0, 16);
	memcpy(command, text, strnlen(text, 15));
}
