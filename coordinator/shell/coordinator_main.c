/* reelmill-coordinator: the program around the farm's event loop. */
#define _GNU_SOURCE
#include "coordinator/shell/farm_config.h"
#include "coordinator/shell/farm_state.h"
#include "proto/version_print.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static int fail(const error_detail *detail)
{
    fprintf(stderr, "reelmill-coordinator: error: %s\n", detail->message);
    status_class class = status_class_of(detail->code);
    return class == STATUS_CLASS_INPUT || class == STATUS_CLASS_LIMIT ? 2 : 3;
}

/* Connections are descriptors, those of strangers too until they are dropped: the journal must still get one. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static bool print_if_asked(const farm_config *config)
{
    if (config->help)
        settings_help_print(stdout, farm_config_program());
    else if (config->manual)
        settings_manual_print(stdout, farm_config_program());
    else if (config->version)
        version_print(stdout);
    return config->help || config->manual || config->version;
}

int main(int argc, char **argv)
{
    error_detail detail = {0};
    farm_config *config = calloc(1, sizeof *config);
    if (config == NULL)
        return 3;
    status code = farm_config_read(config, argc, argv, &detail);
    if (code == STATUS_OK && print_if_asked(config)) {
        free(config);
        return 0;
    }
    if (code == STATUS_OK && config->check) {
        code = farm_check_config(config, &detail);
        free(config);
        if (code == STATUS_OK)
            puts("reelmill-coordinator: the configuration is good");
        return code == STATUS_OK ? 0 : fail(&detail);
    }
    if (code == STATUS_OK && config->private_farm) {
        /* Nothing is left behind, whatever ends the CLI; the parent may be gone already. */
        pid_t parent = getppid();
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent)
            code = error_detail_set(&detail, STATUS_NODE_LOST, "the program that started this private farm is gone");
    }
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    if (code == STATUS_OK) {
        log_set_level(config->log);
        code = farm_run(config, &detail);
    }
    free(config);
    return code == STATUS_OK ? 0 : fail(&detail);
}
