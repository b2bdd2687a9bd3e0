#define _GNU_SOURCE
#include "worker/shell/worker_config.h"

#include "common/base/ensure.h"
#include "worker/dsp/cpu_features.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *worker_config_usage(void)
{
    return "usage: reelmill-worker [--config FILE] [--coordinator ENDPOINT] [--root NAME=FOLDER[:ro]]...\n"
           "                       [--key FILE --coordinator-key KEY | --plain]\n"
           "                       [--name NAME] [--slots N] [--cpu scalar|avx2|avx512|neon] [--hang_s SECONDS]\n"
           "                       [--log debug|info|warn|error|silent] [--private] [--version] [--help]\n"
           "\n"
           "  --coordinator ENDPOINT  tcp://127.0.0.1:7070 (default), ipc:///path\n"
           "  --key FILE              this worker's secret key (`reelmill keygen DIR`; or REELMILL_KEY); tcp needs one\n"
           "  --coordinator-key KEY   the coordinator's public key, or its file (or REELMILL_COORDINATOR_KEY)\n"
           "  --plain                 no keys: a coordinator on 127.0.0.1 that runs with --plain (or REELMILL_PLAIN=1)\n"
           "  --root NAME=FOLDER      where this machine has the media root NAME; :ro = nothing is written there\n"
           "  --slots N               tasks at once (default: one per processor)\n"
           "  --cpu LEVEL             use no newer instructions than these; the results are the same\n"
           "  --hang_s SECONDS        a task without progress for this long is stopped and tried elsewhere (default: 300)\n"
           "  --config FILE           YAML with the keys coordinator, key, coordinator_key, plain, name, slots, cpu, hang_s, log, and\n"
           "                          roots: {media: {path: /mnt/media, mode: ro}, out: /mnt/out}\n"
           "\n"
           "SIGTERM or SIGINT: finish what runs, hand back what waits, leave with 0; a second one: leave at once.\n"
           "Exit codes: 0 drained, 2 wrong usage, 75 start me again, 78 do not start me again.\n";
}

static status copy_text(char *out, size_t out_size, const char *where, const char *text, error_detail *detail)
{
    size_t size = strlen(text);
    if (size == 0 || size >= out_size)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "%s: \"%.80s\" has %zu bytes; 1 to %zu are allowed",
                                where, text, size, out_size - 1);
    memcpy(out, text, size + 1);
    return STATUS_OK;
}

static status set_number(uint32_t *out, const char *where, const char *text, uint32_t largest, error_detail *detail)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < 1 || value > largest)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "%s: \"%.40s\" is no whole number from 1 to %u", where,
                                text, largest);
    *out = (uint32_t)value;
    return STATUS_OK;
}

static status set_plain(worker_config *self, const char *where, const char *text, error_detail *detail)
{
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "%s: \"%.40s\" is neither true nor false", where, text);
    self->link.plain = text[0] == 't';
    return STATUS_OK;
}

static status set_log(worker_config *self, const char *where, const char *text, error_detail *detail)
{
    static const char *const names[] = {"debug", "info", "warn", "error", "silent"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0) {
            self->log = (log_level)i;
            return STATUS_OK;
        }
    }
    return error_detail_set(detail, STATUS_INPUT_INVALID, "%s: \"%.40s\" is none of debug, info, warn, error, silent",
                            where, text);
}

static status set_cpu(worker_config *self, const char *where, const char *text, error_detail *detail)
{
    cpu_features features;
    status code = cpu_features_cap(text, &features);
    if (code == STATUS_INPUT_UNSUPPORTED)
        return error_detail_set(detail, code, "%s: this machine's processor has no %s; it has %s", where, text,
                                cpu_features_name(cpu_features_detect()));
    if (code != STATUS_OK)
        return error_detail_set(detail, code, "%s: \"%.40s\" is none of scalar, avx2, avx512, neon", where, text);
    return copy_text(self->cpu, sizeof self->cpu, where, text, detail);
}

status worker_config_set(worker_config *self, const char *where, const char *key, const char *value,
                         error_detail *detail)
{
    if (strcmp(key, "coordinator") == 0)
        return copy_text(self->coordinator, sizeof self->coordinator, where, value, detail);
    if (strcmp(key, "key") == 0)
        return copy_text(self->link.key, sizeof self->link.key, where, value, detail);
    if (strcmp(key, "coordinator_key") == 0 || strcmp(key, "coordinator-key") == 0)
        return copy_text(self->link.coordinator_key, sizeof self->link.coordinator_key, where, value, detail);
    if (strcmp(key, "plain") == 0)
        return set_plain(self, where, value, detail);
    if (strcmp(key, "name") == 0)
        return copy_text(self->name, sizeof self->name, where, value, detail);
    if (strcmp(key, "slots") == 0)
        return set_number(&self->slots, where, value, WORKER_SLOTS_MAX, detail);
    if (strcmp(key, "hang_s") == 0)
        return set_number(&self->hang_s, where, value, 86400, detail);
    if (strcmp(key, "cpu") == 0)
        return set_cpu(self, where, value, detail);
    if (strcmp(key, "log") == 0)
        return set_log(self, where, value, detail);
    return STATUS_AGAIN;
}

status worker_config_add_root(worker_config *self, const char *where, const char *name, const char *folder,
                              bool writable, error_detail *detail)
{
    uint32_t at = 0;
    while (at < self->root_count && strcmp(self->roots[at].name, name) != 0)
        at++;
    if (at == ROOTS_MAX)
        return error_detail_set(detail, STATUS_LIMIT, "%s: more than %d media roots", where, ROOTS_MAX);
    worker_config_root root = {.writable = writable};
    status code = copy_text(root.name, sizeof root.name, where, name, detail);
    if (code == STATUS_OK)
        code = copy_text(root.folder, sizeof root.folder, where, folder, detail);
    if (code != STATUS_OK)
        return code;
    self->roots[at] = root;
    if (at == self->root_count)
        self->root_count++;
    return STATUS_OK;
}

/* NAME=FOLDER or NAME=FOLDER:ro */
static status add_root_flag(worker_config *self, const char *text, error_detail *detail)
{
    char name[NAME_MAX_BYTES];
    char folder[WORKER_FOLDER_MAX + 4];
    const char *equals = strchr(text, '=');
    size_t name_size = equals == NULL ? 0 : (size_t)(equals - text);
    if (name_size == 0 || name_size >= sizeof name || strlen(equals + 1) >= sizeof folder)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "--root: \"%.80s\" is not of the form NAME=FOLDER[:ro]",
                                text);
    snprintf(name, sizeof name, "%.*s", (int)name_size, text);
    snprintf(folder, sizeof folder, "%s", equals + 1);
    size_t size = strlen(folder);
    bool writable = size < 3 || strcmp(folder + size - 3, ":ro") != 0;
    if (!writable)
        folder[size - 3] = '\0';
    return worker_config_add_root(self, "--root", name, folder, writable, detail);
}

static bool read_switch(worker_config *self, const char *flag)
{
    if (strcmp(flag, "private") == 0)
        self->private_farm = true;
    else if (strcmp(flag, "plain") == 0)
        self->link.plain = true;
    else if (strcmp(flag, "version") == 0)
        self->version = true;
    else if (strcmp(flag, "help") == 0)
        self->help = true;
    else
        return false;
    return true;
}

static status read_flag(worker_config *self, const char *flag, const char *value, error_detail *detail)
{
    char where[64];
    if (strcmp(flag, "root") == 0)
        return add_root_flag(self, value, detail);
    snprintf(where, sizeof where, "--%.40s", flag);
    status code = worker_config_set(self, where, flag, value, detail);
    if (code == STATUS_AGAIN)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "unknown option --%.40s; see --help", flag);
    return code;
}

/* The file is read in a walk of its own, before the flags, which then stand over it. */
static status walk_flags(worker_config *self, int argc, char *const *argv, bool file_only, error_detail *detail)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0)
            return error_detail_set(detail, STATUS_INPUT_INVALID, "\"%.80s\" is no option; see --help", argv[i]);
        const char *flag = argv[i] + 2;
        if (read_switch(self, flag))
            continue;
        if (i + 1 == argc)
            return error_detail_set(detail, STATUS_INPUT_INVALID,
                                    "unknown option or missing value: --%.40s; see --help", flag);
        const char *value = argv[++i];
        bool is_file = strcmp(flag, "config") == 0;
        status code = STATUS_OK;
        if (is_file && file_only)
            code = worker_config_read_file(self, value, detail);
        else if (!is_file && !file_only)
            code = read_flag(self, flag, value, detail);
        if (code != STATUS_OK)
            return code;
    }
    return STATUS_OK;
}

static void set_defaults(worker_config *self)
{
    cpu_set_t usable;
    int processors = sched_getaffinity(0, sizeof usable, &usable) == 0 ? CPU_COUNT(&usable) : 1;
    self->slots = processors < 1 ? 1 : processors > WORKER_SLOTS_MAX ? WORKER_SLOTS_MAX : (uint32_t)processors;
    self->log = LOG_INFO;
    link_config_from_environment(&self->link);
    snprintf(self->coordinator, sizeof self->coordinator, "tcp://127.0.0.1:7070");
    if (gethostname(self->name, sizeof self->name - 1) != 0 || self->name[0] == '\0')
        snprintf(self->name, sizeof self->name, "worker");
}

status worker_config_read(worker_config *out_config, int argc, char *const *argv, error_detail *detail)
{
    worker_config *config = calloc(1, sizeof *config);
    ENSURE(config != NULL);
    set_defaults(config);
    status code = walk_flags(config, argc, argv, true, detail);
    if (code == STATUS_OK)
        code = walk_flags(config, argc, argv, false, detail);
    if (code == STATUS_OK && !config->help && !config->version)
        code = link_check(config->coordinator, &config->link, detail);
    if (code == STATUS_OK)
        *out_config = *config;
    free(config);
    return code;
}
