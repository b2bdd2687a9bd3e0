// links: coordinator_shell
/* A coordinator's configuration file, whatever is in it: read as --config, refused with a sentence that names the file. */
#define _GNU_SOURCE
#include "coordinator/shell/farm_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Every text ends, every count fits: what is read can be looked through. */
static void look_through(const farm_config *config)
{
    if (config->listen_count == 0 || config->listen_count > FARM_LISTEN_MAX || config->root_count > ROOTS_MAX ||
        config->limit_count > SCHEDULER_LIMITS_MAX || config->on_end_count > ON_END_WORDS_MAX || config->lease_ms < 500)
        abort();
    for (uint32_t i = 0; i < config->listen_count; i++)
        if (strnlen(config->listen[i], ENDPOINT_MAX_BYTES) == ENDPOINT_MAX_BYTES)
            abort();
    for (uint32_t i = 0; i < config->root_count; i++)
        if (strnlen(config->roots[i].name, NAME_MAX_BYTES) == NAME_MAX_BYTES ||
            strnlen(config->roots[i].path, PATH_MAX_BYTES) == PATH_MAX_BYTES)
            abort();
    for (uint32_t i = 0; i < config->limit_count; i++)
        if (strnlen(config->limits[i].name, NAME_MAX_BYTES) == NAME_MAX_BYTES || config->limits[i].most == 0)
            abort();
    for (uint32_t i = 0; i < config->on_end_count; i++)
        if (strnlen(config->on_end[i], ON_END_BYTES_MAX) == ON_END_BYTES_MAX)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static farm_config config;
    error_detail detail = {0};
    char path[64];
    char program[] = "reelmill-coordinator", flag[] = "--config";
    char *words[] = {program, flag, path, NULL};
    int file = memfd_create("settings", MFD_CLOEXEC);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    status code = farm_config_read(&config, 3, words, &detail);
    close(file);
    if (code == STATUS_OK)
        look_through(&config);
    else if (detail.message[0] == '\0')
        abort();
    return 0;
}
