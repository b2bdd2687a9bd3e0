/* reelmill-worker: the program around the worker's loop. */
#define _GNU_SOURCE
#include "common/base/ensure.h"
#include "common/base/program_part.h"
#include "proto/version_print.h"
#include "worker/shell/doctor.h"
#include "worker/shell/worker_loop.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

static int fail(const error_detail *detail)
{
    fprintf(stderr, "reelmill-worker: error: %s\n", detail->message);
    status_class class = status_class_of(detail->code);
    if (class == STATUS_CLASS_INPUT || class == STATUS_CLASS_LIMIT)
        return WORKER_EXIT_USAGE;
    return class == STATUS_CLASS_STORAGE || class == STATUS_CLASS_NODE ? WORKER_EXIT_AGAIN : WORKER_EXIT_NEVER;
}

static bool print_if_asked(const worker_config *config)
{
    if (config->help)
        settings_help_print(stdout, worker_config_program());
    else if (config->manual)
        settings_manual_print(stdout, worker_config_program());
    else if (config->version)
        version_print(stdout);
    return config->help || config->manual || config->version;
}

int main(int argc, char **argv)
{
    error_detail detail = {0};
    int exit_code = 0;
    worker_config *config = calloc(1, sizeof *config);
    ENSURE(config != NULL);
    status code = worker_config_read(config, argc, argv, &detail);
    if (code == STATUS_OK)
        code = program_part_path("reelmill-executor", config->executor, &detail);
    if (code == STATUS_OK && print_if_asked(config)) {
        free(config);
        return 0;
    }
    if (code == STATUS_OK && config->doctor) {
        exit_code = doctor_run(config, config->pair);
        free(config);
        return exit_code;
    }
    if (code == STATUS_OK && config->check) {
        code = worker_check_config(config, &detail);
        free(config);
        if (code == STATUS_OK)
            puts("reelmill-worker: the configuration is good");
        return code == STATUS_OK ? 0 : fail(&detail);
    }
    /* Nothing is left behind, whatever ends the CLI. (That the parent is process 1 proves nothing: in a container the
     * CLI may be that.) */
    if (code == STATUS_OK && config->private_farm)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    if (code == STATUS_OK) {
        char who[NAME_MAX_BYTES + 16];
        snprintf(who, sizeof who, "worker=\"%s\"", config->name);
        log_set_identity(who);
        log_set_level(config->log);
        code = worker_loop_run(config, &exit_code, &detail);
    }
    free(config);
    return code == STATUS_OK ? exit_code : fail(&detail);
}
