#define _GNU_SOURCE
#include "worker/shell/doctor.h"

#include "common/base/engine_version.h"
#include "worker/dsp/cpu_features.h"
#include "worker/shell/executor_spawn.h"
#include "worker/shell/mount_check.h"
#include "worker/shell/root_identity.h"
#include "worker/shell/root_mount.h"
#include "worker/executor/sandbox.h"
#include "worker/shell/worker_loop.h"

#include <errno.h>
#include <sched.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAIR_PATIENCE_MS = 120000, SLOT_MEMORY_MIB = 256, DESCRIPTORS_WANTED = 1024 };

typedef enum finding { FINE, ODD, WRONG } finding;

typedef struct doctor {
    uint32_t wrong;
} doctor;

static void tell(doctor *self, finding what, const char *where, const char *format, ...) PRINTF_LIKE(4, 5);

static void tell(doctor *self, finding what, const char *where, const char *format, ...)
{
    static const char *const words[] = {"ok", "warn", "FAIL"};
    va_list arguments;
    va_start(arguments, format);
    printf("%-4s %-12s ", words[what], where);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
    self->wrong += what == WRONG ? 1 : 0;
}

/* ---- the machine ---- */

static void look_at_machine(doctor *self, const worker_config *config)
{
    cpu_set_t usable;
    int processors = sched_getaffinity(0, sizeof usable, &usable) == 0 ? CPU_COUNT(&usable) : 1;
    bool many = config->slots > (uint32_t)processors;
    tell(self, many ? ODD : FINE, "processors", "%d of them, %s; slots: %u%s", processors,
         cpu_features_name(cpu_features_detect()), config->slots, many ? "; more slots than processors slow each other down" : "");
    long pages = sysconf(_SC_AVPHYS_PAGES);
    uint64_t free_mib = pages < 0 ? 0 : (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) >> 20;
    bool little = free_mib < (uint64_t)config->slots * SLOT_MEMORY_MIB;
    tell(self, little ? ODD : FINE, "memory", "%llu MiB free%s", (unsigned long long)free_mib,
         little ? "; give each slot 256 MiB: fewer `slots`, or more memory" : "");
    struct rlimit limit = {0};
    bool few = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < DESCRIPTORS_WANTED;
    tell(self, few ? ODD : FINE, "descriptors", "%llu allowed%s", (unsigned long long)limit.rlim_cur,
         few ? "; set LimitNOFILE=4096 in the service, or `ulimit -n 4096`" : "");
    int landlock = sandbox_landlock_version();
    bool whole = landlock > 0 && sandbox_has_seccomp();
    tell(self, whole ? FINE : ODD, "sandbox", "Landlock %d, seccomp %s%s", landlock, sandbox_has_seccomp() ? "yes" : "no",
         whole ? "" : "; executors are less shut in than they could be: a kernel from 5.13 on has Landlock (lsm=landlock)");
}

/* The program that reads audio: whether it is of this version, and what it can read, which it knows. */
static void look_at_executor(doctor *self, const char *program)
{
    error_detail detail = {0};
    int opened = -1;
    status code = executor_program_open(program, &opened, &detail);
    if (code == STATUS_OK)
        code = executor_program_check(opened, program, 10000, &detail);
    if (opened >= 0)
        close(opened);
    tell(self, code == STATUS_OK ? FINE : WRONG, "executor", "%s", code == STATUS_OK ? "of this version" : detail.message);
    if (code != STATUS_OK)
        return;
    char *arguments[] = {(char *)program, "--codecs", NULL};
    pid_t child = 0;
    int ended = -1;
    fflush(stdout);
    int failed = posix_spawn(&child, program, NULL, NULL, arguments, environ);
    while (failed == 0 && waitpid(child, &ended, 0) < 0 && errno == EINTR) {
    }
    if (failed != 0)
        tell(self, WRONG, "codecs", "%s cannot be started: %s; install reelmill anew", program, strerror(failed));
    else if (ended != 0)
        tell(self, WRONG, "codecs", "%s does not run here, or lacks a library; install reelmill anew", program);
}

/* ---- media roots ---- */

/* What is known to matter about a file system; "" = nothing. */
static const char *filesystem_name(const char *folder)
{
    struct statfs facts;
    if (statfs(folder, &facts) != 0)
        return "";
    switch ((unsigned long)facts.f_type) {
    case 0x6969:
        return "NFS";
    case 0xFF534D42:
    case 0xFE534D42:
        return "SMB";
    case 0x65735546:
        return "FUSE";
    case 0x01021994:
        return "tmpfs, which is gone after a restart";
    default:
        return "local";
    }
}

static void look_at_space(doctor *self, const worker_config_root *root)
{
    struct statvfs facts;
    if (statvfs(root->folder, &facts) != 0)
        return;
    double free_gib = (double)facts.f_bavail * (double)facts.f_frsize / (1 << 30);
    if (facts.f_blocks == 0)
        return; /* it does not count */
    double share = (double)facts.f_bavail / (double)facts.f_blocks;
    bool out_of_names = facts.f_files > 0 && facts.f_favail == 0;
    finding what = facts.f_bavail == 0 || out_of_names ? WRONG : free_gib < 1.0 || share < 0.02 ? ODD : FINE;
    const char *advice = !root->writable || what == FINE ? ""
                         : out_of_names                  ? "; no file names are left: remove files"
                                                         : "; make room before a job needs it";
    tell(self, root->writable ? what : FINE, root->name, "%.1f GiB free (%.0f %%), %s%s", free_gib, share * 100.0,
         filesystem_name(root->folder), advice);
}

static void look_at_root(doctor *self, const worker_config_root *root, uint32_t pair)
{
    storage_roots roots = {0};
    error_detail detail = {0};
    status code = root_mount_check(ROOT_MOUNT_TABLE, root, &detail);
    if (code == STATUS_OK)
        code = storage_roots_add(&roots, root->name, root->folder, root->writable, &detail);
    if (code != STATUS_OK) {
        tell(self, WRONG, root->name, "%s", detail.message);
        return;
    }
    look_at_space(self, root);
    content_hash identity;
    code = root_identity_read(&roots.items[0], &identity, &detail);
    if (code != STATUS_OK)
        tell(self, WRONG, root->name, "%s", detail.message);
    else if (!root->writable)
        tell(self, content_hash_is_zero(&identity) ? ODD : FINE, root->name, "%s can be read; nothing is written there (ro)%s",
             root->folder, content_hash_is_zero(&identity) ? "; another folder in its place would not be noticed: put a file "
             ROOT_IDENTITY_FILE " with any text of its own there" : "");
    else {
        code = pair == 0 ? mount_check_alone(&roots.items[0], &detail)
                         : mount_check(&roots.items[0], ".reelmill-doctor-pair", (int)pair - 1, PAIR_PATIENCE_MS, &detail);
        tell(self, code == STATUS_OK ? FINE : WRONG, root->name, "%s", code != STATUS_OK ? detail.message
             : pair == 0 ? "two processes wrote one file in place by turns, synced it, and read the same; rename works"
                         : "this machine and the other wrote one file in place by turns, synced it, and read the same");
    }
    storage_roots_deinit(&roots);
}

int doctor_run(const worker_config *config, uint32_t pair)
{
    doctor self = {0};
    error_detail detail = {0};
    tell(&self, FINE, "engine", "%s", ENGINE_VERSION);
    if (pair == 0) {
        look_at_machine(&self, config);
        look_at_executor(&self, config->executor);
        status code = worker_check_keys(config, &detail);
        tell(&self, code == STATUS_OK ? FINE : WRONG, "keys", "%s", code != STATUS_OK ? detail.message
             : config->link.key[0] != '\0' ? "both can be read, and no one else can read the secret one" : "none are needed here");
    }
    if (config->root_count == 0)
        tell(&self, WRONG, "roots", "no media root is configured: name them under `roots` in worker.yaml");
    for (uint32_t i = 0; i < config->root_count; i++)
        look_at_root(&self, &config->roots[i], pair);
    fflush(stdout);
    return self.wrong == 0 ? 0 : 3;
}
