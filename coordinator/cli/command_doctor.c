/* Is this machine fit for the farm? What concerns the coordinator is asked here; mounts and codecs are the worker's. */
#define _GNU_SOURCE
#include "coordinator/cli/cli.h"

#include "common/base/engine_version.h"
#include "common/settings/settings_file.h"
#include "coordinator/cli/farm_ask.h"
#include "coordinator/cli/farm_client.h"
#include "proto/message_types.h"

#include <errno.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const char WORKER_CONFIG[] = "/etc/reelmill/worker.yaml";
/* Leases do not depend on the clocks of two machines, but logs are read side by side. */
static const double CLOCK_ODD_S = 2.0;
static const double CLOCK_WRONG_S = 60.0;

/* Of the worker's file only how it reaches the coordinator. */
typedef struct node_link {
    char endpoint[256];
    link_config link;
} node_link;

static status take_entry(void *context, const settings_entry *entry, error_detail *detail)
{
    node_link *self = context;
    (void)detail; /* the worker itself says what is wrong with its file */
    if (entry->depth != 1)
        return STATUS_OK;
    if (strcmp(entry->keys[0], "coordinator") == 0)
        snprintf(self->endpoint, sizeof self->endpoint, "%s", entry->value);
    else if (strcmp(entry->keys[0], "key") == 0)
        snprintf(self->link.key, sizeof self->link.key, "%s", entry->value);
    else if (strcmp(entry->keys[0], "coordinator_key") == 0)
        snprintf(self->link.coordinator_key, sizeof self->link.coordinator_key, "%s", entry->value);
    else if (strcmp(entry->keys[0], "plain") == 0)
        self->link.plain = strcmp(entry->value, "true") == 0;
    return STATUS_OK;
}

static int tell(const char *word, const char *where, const char *text)
{
    cli_print(stdout, "%-4s %-12s %s\n", word, where, text);
    return strcmp(word, "FAIL") == 0 ? EXIT_FARM : EXIT_PASS;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int look_at_answer(const json_t *about, double asked, double answered)
{
    char text[400];
    double offset = farm_number_of(about, "unix_ms") / 1000.0 - (asked + answered) / 2.0;
    double apart = fabs(offset);
    const char *engine = farm_text_of(about, "engine");
    bool same_protocol = (int)farm_number_of(about, "protocol") == PROTOCOL_VERSION;
    bool same_engine = strcmp(engine, ENGINE_VERSION) == 0;
    snprintf(text, sizeof text, "it runs %s, protocol %.0f; here is %s, protocol %d%s", engine, farm_number_of(about, "protocol"),
             ENGINE_VERSION, PROTOCOL_VERSION, same_protocol && same_engine ? "" : "; install the same version on both");
    int worst = tell(!same_protocol ? "FAIL" : same_engine ? "ok" : "warn", "versions", text);
    snprintf(text, sizeof text, "the coordinator's is %.3f s %s (answered in %.0f ms)%s", apart, offset < 0 ? "behind" : "ahead",
             (answered - asked) * 1000.0, apart > CLOCK_ODD_S ? "; set up time synchronisation (chrony, systemd-timesyncd) on both" : "");
    int code = tell(apart > CLOCK_WRONG_S ? "FAIL" : apart > CLOCK_ODD_S ? "warn" : "ok", "clock", text);
    return code > worst ? code : worst;
}

static int look_at_coordinator(const node_link *node)
{
    error_detail detail = {0};
    farm_client *client = NULL;
    json_t *about = NULL;
    char text[ERROR_MESSAGE_SIZE];
    status code = farm_client_create(&client, node->endpoint, &node->link, &detail);
    double asked = seconds_now();
    if (code == STATUS_OK)
        code = farm_ask_json(client, "about", 0, &about, &detail);
    if (code == STATUS_OK) { /* once more: the first had to make the connection */
        json_decref(about);
        asked = seconds_now();
        code = farm_ask_json(client, "about", 0, &about, &detail);
    }
    double answered = seconds_now();
    snprintf(text, sizeof text, "%.200s takes this key", node->endpoint);
    int worst = code == STATUS_OK ? tell("ok", "coordinator", text) : tell("FAIL", "coordinator", detail.message);
    if (code == STATUS_OK) {
        int more = look_at_answer(about, asked, answered);
        worst = more > worst ? more : worst;
        json_decref(about);
    }
    farm_client_destroy(&client);
    return worst;
}

/* The worker's program beside this one does the rest, and its exit code is ours. */
static int run_worker_doctor(const char *config, const char *pair)
{
    char program[PATH_MAX_BYTES];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 32);
    char *slash = NULL;
    if (size > 0) {
        program[size] = '\0';
        slash = strrchr(program, '/');
    }
    if (slash == NULL)
        return cli_fail(STATUS_NODE_SYSTEM, "the folder of this program cannot be found: %s", strerror(errno));
    strcpy(slash + 1, "reelmill-worker");
    char *arguments[] = {program, "--doctor", "--config", (char *)config, pair == NULL ? NULL : "--pair", (char *)pair, NULL};
    pid_t child = 0;
    int ended = 0;
    fflush(NULL);
    int failed = posix_spawn(&child, program, NULL, NULL, arguments, environ);
    if (failed != 0)
        return cli_fail(STATUS_NODE_SYSTEM, "%s cannot be started: %s; install the package reelmill whole", program, strerror(failed));
    while (waitpid(child, &ended, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(ended) ? WEXITSTATUS(ended) : EXIT_FARM;
}

int command_doctor(const cli_arguments *arguments)
{
    node_link node = {.endpoint = "tcp://127.0.0.1:7070"};
    error_detail detail = {0};
    const char *config = cli_text(arguments, "config");
    const char *pair = cli_text(arguments, "pair");
    if (config == NULL)
        config = getenv("REELMILL_WORKER_CONFIG") != NULL ? getenv("REELMILL_WORKER_CONFIG") : WORKER_CONFIG;
    link_config_from_environment(&node.link);
    if (settings_file_read(config, "", take_entry, &node, &detail) != STATUS_OK)
        return cli_fail_detail(&detail);
    int worst = pair == NULL ? look_at_coordinator(&node) : EXIT_PASS;
    int code = run_worker_doctor(config, pair);
    return code > worst ? code : worst;
}
