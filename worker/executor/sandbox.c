#define _GNU_SOURCE
#include "worker/executor/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define SANDBOX_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SANDBOX_ARCH AUDIT_ARCH_AARCH64
#endif

/* Rights that came after the header of Debian 12's kernel package: Landlock ABI 2 and 3 (kernel documentation,
 * userspace-api/landlock). */
static const uint64_t RIGHT_REFER = UINT64_C(1) << 13;
static const uint64_t RIGHT_TRUNCATE = UINT64_C(1) << 14;
static const uint64_t RIGHTS_OF_ABI_1 = (UINT64_C(1) << 13) - 1;

#if !defined(REELMILL_SANITIZED)
/* A render task maps a few hundred MiB at most; a decoder that is talked into more fails there. */
static const rlim_t MEMORY_MAX = (rlim_t)4 << 30;
#endif

enum {
    DESCRIPTORS_MAX = 4096, /* inputs, outputs and roots of one task are below 1,000 */
    THREADS_MAX = 8192      /* of all processes of this user: a task has two; one that is refused reads back later */
};

int sandbox_landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version > 0 ? (int)version : 0;
}

bool sandbox_has_seccomp(void)
{
#if defined(SANDBOX_ARCH) && !defined(REELMILL_SANITIZED)
    return true;
#else
    return false;
#endif
}

static bool limit_resource(int resource, rlim_t wanted)
{
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0)
        return false;
    limit.rlim_cur = limit.rlim_max != RLIM_INFINITY && limit.rlim_max < wanted ? limit.rlim_max : wanted;
    limit.rlim_max = limit.rlim_cur; /* not to be raised again from inside */
    return setrlimit((__rlimit_resource_t)resource, &limit) == 0;
}

static status sandbox_limits(error_detail *detail)
{
    bool done = limit_resource(RLIMIT_CORE, 0) && limit_resource(RLIMIT_NOFILE, DESCRIPTORS_MAX) &&
                limit_resource(RLIMIT_NPROC, THREADS_MAX) &&
                prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
#if !defined(REELMILL_SANITIZED)
    done = done && limit_resource(RLIMIT_AS, MEMORY_MAX) && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
#endif
    return done ? STATUS_OK
                : error_detail_set(detail, STATUS_NODE_SYSTEM, "limits of an executor cannot be set: %s",
                                   strerror(errno));
}

/* ---- files ---- */

static bool landlock_root(int ruleset, const storage_root *root, uint64_t handled)
{
    uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    uint64_t writing = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
                       LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | RIGHT_REFER | RIGHT_TRUNCATE;
    struct landlock_path_beneath_attr rule = {.parent_fd = root->directory};
    rule.allowed_access = (root->writable ? reading | writing : reading) & handled;
    return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

static status sandbox_files(const storage_roots *roots, error_detail *detail)
{
    int version = sandbox_landlock_version();
    if (version == 0)
        return STATUS_OK; /* the parent has said so in its log */
    uint64_t handled = RIGHTS_OF_ABI_1;
    handled |= version >= 2 ? RIGHT_REFER : 0;
    handled |= version >= 3 ? RIGHT_TRUNCATE : 0;
    uint64_t attribute = handled; /* struct landlock_ruleset_attr as ABI 1 has it: handled_access_fs alone */
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attribute, sizeof attribute, 0);
    bool done = ruleset >= 0;
    for (uint32_t i = 0; done && i < roots->count; i++)
        done = landlock_root(ruleset, &roots->items[i], handled);
    done = done && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    int reason = errno;
    if (ruleset >= 0)
        close(ruleset);
    return done ? STATUS_OK
                : error_detail_set(detail, STATUS_NODE_SYSTEM, "an executor cannot be shut in by Landlock: %s",
                                   strerror(reason));
}

/* ---- system calls ---- */

#if defined(SANDBOX_ARCH) && !defined(REELMILL_SANITIZED)

/*
 * What tasks and the libraries under them call, as seen in every kind of task, and what libc may call in its place on another
 * machine or in another version. Every other call does not exist for an executor (ENOSYS, to which a newer libc has its answer),
 * so that no night fails over a call that nobody thought of; those of forbidden_calls end it.
 */
static const long allowed_calls[] = {
    /* files and folders; Landlock says which */
    SYS_openat, SYS_openat2, SYS_close, SYS_close_range, SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64,
    SYS_preadv, SYS_pwritev, SYS_lseek, SYS_fstat, SYS_newfstatat, SYS_statx, SYS_statfs, SYS_fstatfs, SYS_faccessat,
    SYS_faccessat2, SYS_getdents64, SYS_readlinkat, SYS_getcwd, SYS_dup, SYS_dup3, SYS_fcntl, SYS_fallocate, SYS_ftruncate,
    SYS_fsync, SYS_fdatasync, SYS_sync_file_range, SYS_fadvise64, SYS_mkdirat, SYS_unlinkat, SYS_renameat, SYS_renameat2,
    SYS_linkat,
    /* reading back beside who writes; the queue is there (sandbox_enter) */
    SYS_io_submit, SYS_io_getevents,
    /* the socket to the worker, which is there */
    SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_ppoll, SYS_pselect6,
    /* memory */
    SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise,
    /* threads, signals to oneself, the end */
    SYS_clone, SYS_futex, SYS_set_robust_list, SYS_get_robust_list, SYS_set_tid_address, SYS_rseq, SYS_gettid, SYS_getpid,
    SYS_getppid, SYS_sched_yield, SYS_sched_getaffinity, SYS_sched_getparam, SYS_sched_getscheduler, SYS_getcpu, SYS_rt_sigaction,
    SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigpending, SYS_rt_sigtimedwait, SYS_sigaltstack, SYS_tgkill,
    SYS_restart_syscall, SYS_exit, SYS_exit_group,
    /* clocks, limits as they are, who one is */
    SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday, SYS_times, SYS_getrusage,
    SYS_getrlimit, SYS_prlimit64, SYS_prctl, SYS_getrandom, SYS_sysinfo, SYS_uname, SYS_getuid, SYS_geteuid, SYS_getgid,
    SYS_getegid,
#if defined(__x86_64__)
    SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_getdents, SYS_readlink, SYS_mkdir, SYS_rmdir, SYS_unlink, SYS_rename,
    SYS_link, SYS_dup2, SYS_poll, SYS_select, SYS_time, SYS_arch_prctl,
#endif
};

/* What no task ever needs and what somebody who took over a decoder would want first: seen, it ends the executor. */
static const long forbidden_calls[] = {
    /* the network, and what else makes channels */
    SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_io_uring_setup,
    SYS_memfd_create, SYS_shmget, SYS_msgget, SYS_semget, SYS_mq_open,
    /* programs and other processes */
    SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kill, SYS_tkill,
    SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_pidfd_send_signal, SYS_pidfd_open, SYS_pidfd_getfd, SYS_setpgid,
    SYS_setsid, SYS_process_madvise, SYS_kcmp, SYS_migrate_pages, SYS_move_pages, SYS_setpriority, SYS_ioprio_set,
    SYS_sched_setscheduler, SYS_sched_setparam, SYS_sched_setattr, SYS_sched_setaffinity,
    /* who one is and where one stands */
    SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setgroups, SYS_setfsuid,
    SYS_setfsgid, SYS_capset, SYS_unshare, SYS_setns, SYS_chroot, SYS_pivot_root, SYS_mount, SYS_umount2,
    SYS_move_mount, SYS_open_tree, SYS_fsopen, SYS_fsmount, SYS_personality,
    /* files other than plain ones */
    SYS_mknodat, SYS_symlinkat, SYS_open_by_handle_at, SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_setxattr,
    SYS_lsetxattr, SYS_fsetxattr, SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr, SYS_utimensat,
    SYS_truncate, /* Landlock before version 3 lets it through */
    /* limits are set before (glibc's setrlimit is prlimit64, below) */
    SYS_setrlimit,
    /* the kernel's own affairs */
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_keyctl, SYS_add_key, SYS_request_key, SYS_init_module,
    SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_acct, SYS_quotactl,
    SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime, SYS_sethostname, SYS_setdomainname,
    SYS_syslog,
#if defined(__x86_64__)
    SYS_fork, SYS_vfork, SYS_mknod, SYS_symlink, SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes,
    SYS_futimesat, SYS_iopl, SYS_ioperm, SYS_modify_ldt,
#endif
};

enum {
    ALLOWED_COUNT = sizeof allowed_calls / sizeof allowed_calls[0],
    FORBIDDEN_COUNT = sizeof forbidden_calls / sizeof forbidden_calls[0],
    FILTER_MAX = 2 * (ALLOWED_COUNT + FORBIDDEN_COUNT) + 60
};

static struct sock_filter instruction(uint32_t code, uint32_t value, uint8_t if_true, uint8_t if_false)
{
    return (struct sock_filter){.code = (uint16_t)code, .k = value, .jt = if_true, .jf = if_false};
}

/* A call that ends the process when one of its arguments has one of these values. */
static size_t forbid_values(struct sock_filter *filter, size_t n, long call, size_t argument, const uint32_t *values, uint8_t count)
{
    filter[n++] = instruction(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, (uint8_t)(count + 2));
    filter[n++] = instruction(BPF_LD | BPF_W | BPF_ABS,
                              (uint32_t)(offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t)), 0, 0);
    for (uint8_t i = 0; i < count; i++)
        filter[n++] = instruction(BPF_JMP | BPF_JEQ | BPF_K, values[i], (uint8_t)(count - 1 - i), i + 1 == count ? 1 : 0);
    filter[n++] = instruction(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
    filter[n++] = instruction(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
    return n;
}

static size_t build_filter(struct sock_filter filter[FILTER_MAX])
{
    size_t n = 0;
    const uint32_t load = BPF_LD | BPF_W | BPF_ABS, equal = BPF_JMP | BPF_JEQ | BPF_K, give = BPF_RET | BPF_K;
    filter[n++] = instruction(load, offsetof(struct seccomp_data, arch), 0, 0);
    filter[n++] = instruction(equal, SANDBOX_ARCH, 1, 0);
    filter[n++] = instruction(give, SECCOMP_RET_KILL_PROCESS, 0, 0);
    filter[n++] = instruction(load, offsetof(struct seccomp_data, nr), 0, 0);
#if defined(__x86_64__)
    filter[n++] = instruction(BPF_JMP | BPF_JGE | BPF_K, 0x40000000u, 0, 1); /* the x32 names of the same calls */
    filter[n++] = instruction(give, SECCOMP_RET_KILL_PROCESS, 0, 0);
#endif
    for (size_t i = 0; i < FORBIDDEN_COUNT; i++) {
        filter[n++] = instruction(equal, (uint32_t)forbidden_calls[i], 0, 1);
        filter[n++] = instruction(give, SECCOMP_RET_KILL_PROCESS, 0, 0);
    }
    /* For threads alone. (clone3, which hides its flags in memory, where a filter cannot look, is not allowed.) */
    filter[n++] = instruction(equal, SYS_clone, 0, 3);
    filter[n++] = instruction(load, offsetof(struct seccomp_data, args), 0, 0);
    filter[n++] = instruction(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0);
    filter[n++] = instruction(give, SECCOMP_RET_KILL_PROCESS, 0, 0);
    filter[n++] = instruction(load, offsetof(struct seccomp_data, nr), 0, 0);
    /* Signals, as abort sends them, to oneself alone; and none by way of a descriptor's owner. */
    filter[n++] = instruction(equal, SYS_tgkill, 0, 3);
    filter[n++] = instruction(load, offsetof(struct seccomp_data, args), 0, 0);
    filter[n++] = instruction(equal, (uint32_t)getpid(), 1, 0);
    filter[n++] = instruction(give, SECCOMP_RET_KILL_PROCESS, 0, 0);
    filter[n++] = instruction(load, offsetof(struct seccomp_data, nr), 0, 0);
    n = forbid_values(filter, n, SYS_fcntl, 1, (const uint32_t[]){F_SETOWN, F_SETSIG, F_SETOWN_EX}, 3);
    /* Whom others may debug and when this process ends stays as it was set. */
    n = forbid_values(filter, n, SYS_prctl, 0, (const uint32_t[]){PR_SET_DUMPABLE, PR_SET_PTRACER, PR_SET_PDEATHSIG}, 3);
    /* No task needs a device's own calls (keys could be typed into the terminal that a worker was started from); libc
     * asks by ioctl whether a stream is a terminal, and is told no. */
    filter[n++] = instruction(equal, SYS_ioctl, 0, 1);
    filter[n++] = instruction(give, SECCOMP_RET_ERRNO | ENOTTY, 0, 0);
    /* Memory is for data: what was loaded before is all the code there is. */
    const long maps[] = {SYS_mmap, SYS_mprotect};
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
        filter[n++] = instruction(equal, (uint32_t)maps[i], 0, 4);
        filter[n++] = instruction(load, offsetof(struct seccomp_data, args) + 2 * sizeof(uint64_t), 0, 0);
        filter[n++] = instruction(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1);
        filter[n++] = instruction(give, SECCOMP_RET_ERRNO | EACCES, 0, 0);
        filter[n++] = instruction(load, offsetof(struct seccomp_data, nr), 0, 0);
    }
    /* getrlimit is prlimit64 of process 0, oneself; of others it is not wanted, and nothing is set: no new limits. */
    const uint32_t arguments = offsetof(struct seccomp_data, args), wide = sizeof(uint64_t), half = sizeof(uint32_t);
    filter[n++] = instruction(equal, SYS_prlimit64, 0, 8);
    filter[n++] = instruction(load, arguments, 0, 0);
    filter[n++] = instruction(equal, 0, 0, 4);
    filter[n++] = instruction(load, arguments + 2 * wide, 0, 0);
    filter[n++] = instruction(equal, 0, 0, 2);
    filter[n++] = instruction(load, arguments + 2 * wide + half, 0, 0);
    filter[n++] = instruction(equal, 0, 1, 0);
    filter[n++] = instruction(give, SECCOMP_RET_KILL_PROCESS, 0, 0);
    filter[n++] = instruction(load, offsetof(struct seccomp_data, nr), 0, 0);
    for (size_t i = 0; i < ALLOWED_COUNT; i++) {
        filter[n++] = instruction(equal, (uint32_t)allowed_calls[i], 0, 1);
        filter[n++] = instruction(give, SECCOMP_RET_ALLOW, 0, 0);
    }
    filter[n++] = instruction(give, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
    return n;
}

static status sandbox_calls(error_detail *detail)
{
    struct sock_filter filter[FILTER_MAX];
    struct sock_fprog program = {.filter = filter};
    program.len = (unsigned short)build_filter(filter);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0 && errno != ENOSYS && errno != EINVAL)
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "an executor cannot be shut in by seccomp: %s",
                                strerror(errno));
    return STATUS_OK;
}

#else

static status sandbox_calls(error_detail *detail)
{
    (void)detail;
    return STATUS_OK;
}

#endif

status sandbox_enter(const storage_roots *roots, error_detail *detail)
{
    storage_queue_close(storage_queue_open()); /* the process keeps it, and can make and undo none in here */
    status code = sandbox_limits(detail);
    if (code == STATUS_OK)
        code = sandbox_files(roots, detail);
    return code == STATUS_OK ? sandbox_calls(detail) : code;
}
