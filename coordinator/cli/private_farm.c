#define _GNU_SOURCE
#include "coordinator/cli/private_farm.h"

#include "coordinator/cli/farm_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum {
    CHILDREN_MAX = 257,      /* the coordinator and 256 workers */
    ARGUMENTS_MAX = 24 + 2 * ROOTS_MAX,
    RESTARTS_MAX = 1000,     /* of one child, as long as it lived a while in between */
    QUICK_DEATH_MS = 500,
    QUICK_DEATHS_MAX = 5,
    STOP_PATIENCE_MS = 5000
};

typedef struct farm_child {
    pid_t pid;
    int pidfd;               /* becomes readable when the child ends; -1 when there is none */
    uint64_t started_ms;
    uint32_t restarts;
    uint32_t quick_deaths;   /* in a row */
} farm_child;

struct private_farm {
    private_farm_config config;
    farm_folder state;
    char endpoint[PATH_MAX_BYTES];
    char programs[PATH_MAX_BYTES]; /* folder of the programs */
    uint32_t child_count;          /* child 0 is the coordinator */
    farm_child children[CHILDREN_MAX];
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

const char *private_farm_endpoint(const private_farm *self)
{
    return self->endpoint;
}

/* The programs of one installation lie in one folder. */
static status find_programs(private_farm *self, error_detail *detail)
{
    ssize_t size = readlink("/proc/self/exe", self->programs, sizeof self->programs - 1);
    if (size <= 0)
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "cannot find out where reelmill is installed: %s",
                                strerror(errno));
    self->programs[size] = '\0';
    char *slash = strrchr(self->programs, '/');
    if (slash != NULL)
        *slash = '\0';
    return STATUS_OK;
}

typedef struct argument_list {
    size_t count;
    char *items[ARGUMENTS_MAX];
} argument_list;

static void add_argument(argument_list *list, const char *flag, const char *value)
{
    if (list->count + 3 >= ARGUMENTS_MAX)
        return;
    list->items[list->count++] = strdup(flag);
    if (value != NULL)
        list->items[list->count++] = strdup(value);
}

static void free_arguments(argument_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    list->count = 0;
}

static void child_arguments(const private_farm *self, uint32_t index, argument_list *list)
{
    char text[PATH_MAX_BYTES + NAME_MAX_BYTES + 8];
    const private_farm_config *config = &self->config;
    snprintf(text, sizeof text, "%s/%s", self->programs, index == 0 ? "reelmill-coordinator" : "reelmill-worker");
    add_argument(list, text, NULL);
    add_argument(list, "--private", NULL);
    if (index == 0) {
        add_argument(list, "--listen", self->endpoint);
        add_argument(list, "--state", self->state.path);
        if (config->cells_per_task > 0) {
            snprintf(text, sizeof text, "%u", config->cells_per_task);
            add_argument(list, "--cells-per-task", text);
        }
    } else {
        add_argument(list, "--coordinator", self->endpoint);
        snprintf(text, sizeof text, "worker-%u", index);
        add_argument(list, "--name", text);
        snprintf(text, sizeof text, "%u", config->slots_per_worker == 0 ? 1 : config->slots_per_worker);
        add_argument(list, "--slots", text);
        if (config->cpu != NULL)
            add_argument(list, "--cpu", config->cpu);
    }
    for (uint32_t i = 0; i < config->root_count; i++) {
        snprintf(text, sizeof text, "%s=%s%s", config->roots[i].name, config->roots[i].directory,
                 index > 0 && !config->roots[i].writable ? ":ro" : "");
        add_argument(list, "--root", text);
    }
    add_argument(list, "--log", config->verbose ? "info" : "warn");
    list->items[list->count] = NULL;
}

/* The child gets its own process group: the terminal's Ctrl-C is for the CLI alone, which then winds the farm down. */
static status start_child(private_farm *self, uint32_t index, error_detail *detail)
{
    farm_child *child = &self->children[index];
    argument_list arguments = {0};
    child_arguments(self, index, &arguments);
    char log[PATH_MAX_BYTES + 32];
    snprintf(log, sizeof log, "%s/%s-%u.log", self->state.path, index == 0 ? "coordinator" : "worker", index);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    if (!self->config.verbose) {
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    }
    sigset_t none;
    sigset_t standard;
    sigemptyset(&none);
    sigemptyset(&standard);
    sigaddset(&standard, SIGINT);
    sigaddset(&standard, SIGTERM);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &standard);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int failure = posix_spawn(&child->pid, arguments.items[0], &actions, &attributes, arguments.items, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    status code = STATUS_OK;
    if (failure != 0) {
        child->pid = 0;
        code = error_detail_set(detail, STATUS_NODE_SYSTEM, "cannot start %s: %s; reelmill's programs must lie in one folder",
                                arguments.items[0], strerror(failure));
    } else {
        child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
        child->started_ms = now_ms();
    }
    free_arguments(&arguments);
    return code;
}

status private_farm_start(private_farm **out_farm, const private_farm_config *config, error_detail *detail)
{
    uint32_t workers = config->worker_count == 0 ? 1 : config->worker_count;
    if (workers >= CHILDREN_MAX)
        return error_detail_set(detail, STATUS_LIMIT, "%u workers are asked for; a private farm has at most %d",
                                workers, CHILDREN_MAX - 1);
    private_farm *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    self->config = *config;
    for (uint32_t i = 0; i < CHILDREN_MAX; i++)
        self->children[i].pidfd = -1;
    self->state.lock = -1;
    farm_folder_sweep(config->state_directory);
    status code = find_programs(self, detail);
    if (code == STATUS_OK)
        code = farm_folder_make(&self->state, config->state_directory, detail);
    /* A Unix socket's name has 107 bytes; ZeroMQ cuts nothing, it refuses. */
    if (code == STATUS_OK && strlen(self->state.path) > 90)
        code = error_detail_set(detail, STATUS_LIMIT, "the folder '%s' has too long a name for a socket; set TMPDIR",
                                self->state.path);
    if (code == STATUS_OK)
        snprintf(self->endpoint, sizeof self->endpoint, "ipc://%.90s/farm", self->state.path);
    for (uint32_t i = 0; code == STATUS_OK && i <= workers; i++) {
        code = start_child(self, i, detail);
        if (code == STATUS_OK)
            self->child_count = i + 1;
    }
    if (code != STATUS_OK) {
        private_farm_stop(&self);
        return code;
    }
    *out_farm = self;
    return STATUS_OK;
}

enum { LAST_WORD_BYTES = 768 };

/* The last line that a child logged, for the person who has to find out why it died. */
static void last_log_line(const private_farm *self, uint32_t index, char out[LAST_WORD_BYTES])
{
    char path[PATH_MAX_BYTES + 32];
    out[0] = '\0';
    snprintf(path, sizeof path, "%s/%s-%u.log", self->state.path, index == 0 ? "coordinator" : "worker", index);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return;
    char line[LAST_WORD_BYTES];
    while (fgets(line, sizeof line, file) != NULL)
        if (line[0] != '\n')
            memcpy(out, line, sizeof line);
    fclose(file);
    out[strcspn(out, "\n")] = '\0';
}

status private_farm_tend(private_farm *self, error_detail *detail)
{
    for (uint32_t i = 0; i < self->child_count; i++) {
        farm_child *child = &self->children[i];
        int ended = 0;
        if (child->pid == 0 || waitpid(child->pid, &ended, WNOHANG) != child->pid)
            continue;
        child->pid = 0;
        if (child->pidfd >= 0)
            close(child->pidfd);
        child->pidfd = -1;
        child->restarts++;
        child->quick_deaths = now_ms() - child->started_ms < QUICK_DEATH_MS ? child->quick_deaths + 1 : 0;
        if (child->quick_deaths >= QUICK_DEATHS_MAX || child->restarts > RESTARTS_MAX) {
            char line[LAST_WORD_BYTES];
            last_log_line(self, i, line);
            return error_detail_set(detail, STATUS_NODE_CRASHED, "the %s keeps dying (%s %d)%s%s",
                                    i == 0 ? "coordinator" : "worker", WIFSIGNALED(ended) ? "signal" : "exit code",
                                    WIFSIGNALED(ended) ? WTERMSIG(ended) : WEXITSTATUS(ended),
                                    line[0] == '\0' ? "" : "; its last word: ", line);
        }
        status code = start_child(self, i, detail);
        if (code != STATUS_OK)
            return code;
    }
    return STATUS_OK;
}

/* Waits until the child has ended, at most until end_ms. */
static void await_child(farm_child *child, uint64_t end_ms)
{
    while (child->pid != 0) {
        uint64_t now = now_ms();
        struct pollfd ended = {.fd = child->pidfd, .events = POLLIN};
        if (child->pidfd >= 0 && now < end_ms)
            (void)poll(&ended, 1, (int)(end_ms - now));
        bool late = child->pidfd < 0 || now_ms() >= end_ms;
        if (late)
            kill(child->pid, SIGKILL);
        if (waitpid(child->pid, NULL, late ? 0 : WNOHANG) == child->pid || errno == ECHILD)
            child->pid = 0;
    }
    if (child->pidfd >= 0)
        close(child->pidfd);
    child->pidfd = -1;
}

void private_farm_stop(private_farm **self)
{
    private_farm *farm = *self;
    if (farm == NULL)
        return;
    uint64_t end_ms = now_ms() + STOP_PATIENCE_MS;
    /* Workers first: a worker asked twice hands back at once instead of finishing what it holds. */
    for (uint32_t i = farm->child_count; i-- > 0;)
        if (farm->children[i].pid != 0)
            kill(farm->children[i].pid, i == 0 ? SIGTERM : SIGKILL);
    for (uint32_t i = farm->child_count; i-- > 0;)
        await_child(&farm->children[i], end_ms);
    farm_folder_remove(&farm->state);
    free(farm);
    *self = NULL;
}
