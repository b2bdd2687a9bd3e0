/* workers: places workers on an engine that starts and limits processes, and drains them. The engine's own commands do it. */
#define _GNU_SOURCE
#include "coordinator/cli/cli.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { WORKERS_MAX_AT_ONCE = 10000, SLURM_LINE_BYTES = 128 };

/* Runs a command to its end; what it prints goes where ours goes. */
static status run_tool(char *const *arguments, error_detail *detail)
{
    pid_t child;
    int ended = 0;
    int failure = posix_spawnp(&child, arguments[0], NULL, NULL, arguments, environ);
    if (failure != 0)
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "'%s' cannot be started: %s; is this a machine of the cluster?",
                                arguments[0], strerror(failure));
    while (waitpid(child, &ended, 0) < 0)
        if (errno != EINTR)
            return error_detail_set(detail, STATUS_NODE_SYSTEM, "'%s' was lost: %s", arguments[0], strerror(errno));
    if (!WIFEXITED(ended) || WEXITSTATUS(ended) != 0)
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "'%s' failed; what it said stands above", arguments[0]);
    return STATUS_OK;
}

static status slurm_start(uint32_t count, const char *script, error_detail *detail)
{
    char sbatch[] = "sbatch", parsable[] = "--parsable", array[32];
    snprintf(array, sizeof array, "--array=1-%u", count);
    char *copy = strdup(script);
    char *arguments[] = {sbatch, parsable, array, copy, NULL};
    status code = copy == NULL ? STATUS_NODE_MEMORY : run_tool(arguments, detail);
    free(copy);
    return code;
}

/* One element of the array: one that waits is cancelled, one that runs is told to drain. */
static status slurm_stop_one(char *id, bool runs, error_detail *detail)
{
    char scancel[] = "scancel", batch[] = "--batch", signal[] = "--signal=TERM";
    char *drain[] = {scancel, batch, signal, id, NULL};
    char *cancel[] = {scancel, id, NULL};
    return run_tool(runs ? drain : cancel, detail);
}

/* `squeue` lists one element a line, "ID STATE": those that wait first, then the youngest. */
static status slurm_stop(uint32_t count, error_detail *detail)
{
    FILE *list = popen("squeue --me --noheader --array --name=reelmill-worker --states=PENDING,RUNNING "
                       "--sort=t,-V --format='%i %t'", "re");
    if (list == NULL)
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "'squeue' cannot be started: %s", strerror(errno));
    char line[SLURM_LINE_BYTES];
    uint32_t stopped = 0;
    status code = STATUS_OK;
    while (code == STATUS_OK && (count == 0 || stopped < count) && fgets(line, sizeof line, list) != NULL) {
        char *state = strchr(line, ' ');
        if (state == NULL)
            continue;
        *state++ = '\0';
        code = slurm_stop_one(line, strncmp(state, "R", 1) == 0, detail);
        stopped += code == STATUS_OK ? 1 : 0;
    }
    while (fgets(line, sizeof line, list) != NULL)
        continue; /* let squeue end by itself */
    if (pclose(list) != 0 && code == STATUS_OK)
        code = error_detail_set(detail, STATUS_NODE_SYSTEM, "'squeue' failed; what it said stands above");
    if (code == STATUS_OK)
        printf("%u\n", stopped);
    return code;
}

int command_workers(const cli_arguments *arguments)
{
    error_detail detail = {0};
    const char *engine = cli_text(arguments, "on");
    if (engine == NULL || strcmp(engine, "slurm") != 0)
        return cli_fail(STATUS_INPUT_UNSUPPORTED, "workers are placed on an engine: --on slurm");
    uint32_t count = cli_number(arguments, "n", 0);
    if (count > WORKERS_MAX_AT_ONCE)
        return cli_fail(STATUS_LIMIT, "%u workers are asked for; at most %d at once", count, WORKERS_MAX_AT_ONCE);
    status code = STATUS_OK;
    if (strcmp(arguments->words[0], "start") == 0) {
        const char *script = cli_text(arguments, "script");
        if (count == 0)
            return cli_fail(STATUS_INPUT_INVALID, "say how many workers to start: -n N");
        code = slurm_start(count, script == NULL ? "/usr/share/reelmill/reelmill-worker.sbatch" : script, &detail);
    } else if (strcmp(arguments->words[0], "stop") == 0) {
        code = slurm_stop(count, &detail);
    } else {
        return cli_fail(STATUS_INPUT_INVALID, "'%s' is not known; `reelmill workers` takes start or stop",
                        arguments->words[0]);
    }
    return code == STATUS_OK ? EXIT_PASS : cli_fail_detail(&detail);
}
