#define _GNU_SOURCE
#include "coordinator/shell/farm_config.h"

#include "common/settings/settings_file.h"
#include "common/settings/settings_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const setting_row rows[] = {
    {"config", SETTING_FLAG_ONLY, "FILE", "read this file first; flags stand over it"},
    {"listen", SETTING_ANYWHERE, "ENDPOINT", "tcp://127.0.0.1:7070 (default), tcp://*:PORT, ipc:///PATH; several are allowed"},
    {"state", SETTING_ANYWHERE, "DIR", "where the journal and the reports lie; a local disk (default: reelmill-state)"},
    {"root", SETTING_FLAG_ONLY, "NAME=PATH", "where this machine has the media root NAME (told to clients, never opened)"},
    {"roots", SETTING_FILE_ONLY, "{NAME: PATH, ...}", "the same for all media roots"},
    {"key", SETTING_ANYWHERE, "FILE", "this coordinator's secret key (`reelmill keygen DIR` makes it); tcp needs one"},
    {"authorized", SETTING_ANYWHERE, "FILE", "the keys that may connect, and as what (`reelmill authorize` adds to it)"},
    {"plain", SETTING_ANYWHERE, NULL, "no keys on tcp://127.0.0.1: every user of this machine may do everything"},
    {"http", SETTING_ANYWHERE, "ADDRESS", "read-only pages and metrics, like 127.0.0.1:7071; whoever reaches it may look"},
    {"root_limits", SETTING_FILE_ONLY, "{NAME: N, ...}", "at most N tasks at once of jobs that read or write below the media root NAME"},
    {"show_limits", SETTING_FILE_ONLY, "{SLUG: N, ...}", "at most N tasks at once of the show; \"*\" is every show without a line"},
    {"on_end", SETTING_FILE_ONLY, "[PROGRAM, ARGUMENT, ...]", "run at every job's end, its document on standard input (docs/operations.md)"},
    {"lease_ms", SETTING_ANYWHERE, "N", "a worker that is silent for so long is lost, and its work done elsewhere (default: 5000)"},
    {"cells_per_task", SETTING_ANYWHERE, "N", "size of render tasks (default: chosen; bytes do not depend on it)"},
    {"keep_jobs_days", SETTING_ANYWHERE, "N", "forget jobs (facts, log, reports; not what they made) so many days after their end (default: 90; 0: never)"},
    {"storage_wait_minutes", SETTING_ANYWHERE, "N", "a job whose storage is full or away waits so long before it fails (default: 720; 0: it fails)"},
    {"log", SETTING_ANYWHERE, "LEVEL", "debug, info (default), warn, error, silent"},
    {"check_config", SETTING_FLAG_ONLY, NULL, "read everything that a start would read, say what is wrong, start nothing"},
    {"private", SETTING_FLAG_ONLY, NULL, "the farm of one `reelmill run`: ends with the program that started it"},
    {"manual", SETTING_FLAG_ONLY, NULL, "print the manual page"},
    {"version", SETTING_FLAG_ONLY, NULL, "print engine, protocol and build"},
    {"help", SETTING_FLAG_ONLY, NULL, "print this"},
};

static const setting_program program = {
    .name = "reelmill-coordinator",
    .summary = "keep the jobs and tasks of a render farm",
    .more = "SIGTERM and SIGINT: leave; running work goes on and is taken up at the next start. SIGHUP: read the file again;\n"
            "log, roots, limits and keep_jobs_days take effect at once, other changes at the next start (the log names them). The list of keys\n"
            "is read again whenever it changes.\n"
            "\n"
            "Exit codes: 0 told to stop, 2 wrong usage or configuration, 3 something else is wrong.",
    .row_count = sizeof rows / sizeof rows[0],
    .rows = rows};

const setting_program *farm_config_program(void)
{
    return &program;
}

static status add_listen(farm_config *self, const char *where, const char *text, error_detail *detail)
{
    if (self->listen_count == FARM_LISTEN_MAX)
        return error_detail_set(detail, STATUS_LIMIT, "%s: more than %d endpoints", where, FARM_LISTEN_MAX);
    status code = settings_text(self->listen[self->listen_count], ENDPOINT_MAX_BYTES, where, text, detail);
    if (code == STATUS_OK)
        self->listen_count++;
    return code;
}

static status add_root(farm_config *self, const char *where, const char *name, const char *path, error_detail *detail)
{
    uint32_t at = 0;
    while (at < self->root_count && strcmp(self->roots[at].name, name) != 0)
        at++;
    if (at == ROOTS_MAX)
        return error_detail_set(detail, STATUS_LIMIT, "%s: more than %d media roots", where, ROOTS_MAX);
    farm_root root;
    status code = settings_text(root.name, sizeof root.name, where, name, detail);
    if (code == STATUS_OK)
        code = settings_text(root.path, sizeof root.path, where, path, detail);
    if (code != STATUS_OK)
        return code;
    self->roots[at] = root;
    if (at == self->root_count)
        self->root_count++;
    return STATUS_OK;
}

static status add_limit(farm_config *self, const settings_entry *entry, error_detail *detail)
{
    if (entry->depth != 2)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "%s: %s is a mapping of names to numbers of tasks", entry->key_place,
                                entry->keys[0]);
    if (self->limit_count == SCHEDULER_LIMITS_MAX)
        return error_detail_set(detail, STATUS_LIMIT, "%s: more than %d limits", entry->place, SCHEDULER_LIMITS_MAX);
    farm_limit *limit = &self->limits[self->limit_count];
    limit->root = strcmp(entry->keys[0], "root_limits") == 0;
    status code = settings_text(limit->name, sizeof limit->name, entry->place, entry->keys[1], detail);
    if (code == STATUS_OK)
        code = settings_number(&limit->most, entry->place, entry->value, 1, LEASES_MAX, detail);
    for (uint32_t i = 0; code == STATUS_OK && i < self->limit_count; i++)
        if (self->limits[i].root == limit->root && strcmp(self->limits[i].name, limit->name) == 0)
            code = error_detail_set(detail, STATUS_INPUT_INVALID, "%s: '%s' has a limit already", entry->place, limit->name);
    if (code == STATUS_OK)
        self->limit_count++;
    return code;
}

static status add_root_pair(farm_config *self, const char *text, error_detail *detail)
{
    char name[NAME_MAX_BYTES];
    const char *equals = strchr(text, '=');
    size_t size = equals == NULL ? 0 : (size_t)(equals - text);
    if (size == 0 || size >= sizeof name)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "--root: '%.80s' is not of the form NAME=PATH", text);
    memcpy(name, text, size);
    name[size] = '\0';
    return add_root(self, "--root", name, equals + 1, detail);
}

/* One key that may stand in the file and as a flag. STATUS_AGAIN: not one of them. */
static status set_key(farm_config *self, const char *where, const char *key, const char *value, error_detail *detail)
{
    if (strcmp(key, "listen") == 0)
        return add_listen(self, where, value, detail);
    if (strcmp(key, "state") == 0)
        return settings_text(self->state, sizeof self->state, where, value, detail);
    if (strcmp(key, "key") == 0)
        return settings_secret_file(self->key, sizeof self->key, where, value, detail);
    if (strcmp(key, "authorized") == 0)
        return settings_text(self->authorized, sizeof self->authorized, where, value, detail);
    if (strcmp(key, "plain") == 0)
        return settings_bool(&self->plain, where, value, detail);
    if (strcmp(key, "http") == 0)
        return settings_text(self->http, sizeof self->http, where, value, detail);
    if (strcmp(key, "log") == 0)
        return settings_log_level(&self->log, where, value, detail);
    if (strcmp(key, "lease_ms") == 0)
        return settings_number(&self->lease_ms, where, value, 500, 3600000, detail);
    if (strcmp(key, "keep_jobs_days") == 0)
        return settings_number(&self->keep_jobs_days, where, value, 0, 36500, detail);
    if (strcmp(key, "storage_wait_minutes") == 0)
        return settings_number(&self->storage_wait_minutes, where, value, 0, 100000, detail);
    if (strcmp(key, "cells_per_task") == 0)
        return settings_number(&self->cells_per_task, where, value, 0, TASK_CELLS_MAX, detail);
    return STATUS_AGAIN;
}

static status take_entry(void *context, const settings_entry *entry, error_detail *detail)
{
    farm_config *self = context;
    if (strcmp(entry->keys[0], "roots") == 0) {
        if (entry->depth != 2)
            return error_detail_set(detail, STATUS_INPUT_INVALID, "%s: roots is a mapping of names to folders", entry->key_place);
        return add_root(self, entry->place, entry->keys[1], entry->value, detail);
    }
    if (strcmp(entry->keys[0], "root_limits") == 0 || strcmp(entry->keys[0], "show_limits") == 0)
        return add_limit(self, entry, detail);
    if (strcmp(entry->keys[0], "on_end") == 0) {
        if (entry->depth != 1 || self->on_end_count == ON_END_WORDS_MAX || (self->on_end_count == 0 && entry->value[0] != '/'))
            return error_detail_set(detail, STATUS_INPUT_INVALID,
                                    "%s: on_end is a list of a program's full path and its arguments, at most %d; write [/usr/share/reelmill/mail-at-end, anna@example.org]",
                                    entry->place, ON_END_WORDS_MAX);
        return settings_text(self->on_end[self->on_end_count++], ON_END_BYTES_MAX, entry->place, entry->value, detail);
    }
    return entry->depth == 1 ? set_key(self, entry->place, entry->keys[0], entry->value, detail) : STATUS_AGAIN;
}

static status read_file(farm_config *self, const char *path, error_detail *detail)
{
    char allowed[512];
    settings_allowed(&program, allowed, sizeof allowed);
    return settings_file_read(path, allowed, take_entry, self, detail);
}

/* ---- flags ---- */

static status read_flag(farm_config *self, const char *flag, const char *value, error_detail *detail)
{
    char where[64];
    if (strcmp(flag, "config") == 0)
        return STATUS_OK; /* was read first */
    if (strcmp(flag, "root") == 0)
        return add_root_pair(self, value, detail);
    snprintf(where, sizeof where, "--%.40s", flag);
    status code = set_key(self, where, flag, value, detail);
    if (code == STATUS_AGAIN)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "unknown option --%.40s; see --help", flag);
    return code;
}

static bool read_switch(farm_config *self, const char *flag)
{
    if (strcmp(flag, "private") == 0)
        self->private_farm = true;
    else if (strcmp(flag, "plain") == 0)
        self->plain = true;
    else if (strcmp(flag, "check_config") == 0)
        self->check = true;
    else if (strcmp(flag, "manual") == 0)
        self->manual = true;
    else if (strcmp(flag, "version") == 0)
        self->version = true;
    else if (strcmp(flag, "help") == 0)
        self->help = true;
    else
        return false;
    return true;
}

/* Calls read for every "--flag value"; switches are taken in both walks. */
static status walk_flags(farm_config *self, int argc, char *const *argv, bool config_only, error_detail *detail)
{
    for (int i = 1; i < argc; i++) {
        char name[48];
        const char *flag = strncmp(argv[i], "--", 2) == 0 ? settings_flag_name(argv[i] + 2, name, sizeof name) : NULL;
        if (flag == NULL)
            return error_detail_set(detail, STATUS_INPUT_INVALID, "'%.80s' is no option; see --help", argv[i]);
        if (read_switch(self, flag))
            continue;
        if (i + 1 == argc)
            return error_detail_set(detail, STATUS_INPUT_INVALID,
                                    "unknown option or missing value: %.40s; see --help", argv[i]);
        const char *value = argv[++i];
        status code = STATUS_OK;
        if (!config_only)
            code = read_flag(self, flag, value, detail);
        else if (strcmp(flag, "config") == 0)
            code = read_file(self, value, detail);
        if (code != STATUS_OK)
            return code;
    }
    return STATUS_OK;
}

status farm_config_read(farm_config *out_config, int argc, char *const *argv, error_detail *detail)
{
    farm_config *config = calloc(1, sizeof *config);
    if (config == NULL)
        return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    config->lease_ms = FARM_LEASE_MS;
    config->argument_count = argc;
    config->arguments = argv;
    config->keep_jobs_days = FARM_KEEP_JOBS_DAYS;
    config->storage_wait_minutes = FARM_STORAGE_WAIT_MINUTES;
    config->log = LOG_INFO;
    snprintf(config->state, sizeof config->state, "reelmill-state");
    status code = walk_flags(config, argc, argv, true, detail);
    uint32_t from_file = config->listen_count;
    if (code == STATUS_OK)
        code = walk_flags(config, argc, argv, false, detail);
    /* An endpoint given as a flag replaces those of the file. */
    if (from_file > 0 && config->listen_count > from_file) {
        config->listen_count -= from_file;
        memmove(config->listen, config->listen + from_file, config->listen_count * sizeof config->listen[0]);
    }
    if (code == STATUS_OK && config->listen_count == 0)
        code = add_listen(config, "listen", "tcp://127.0.0.1:7070", detail);
    config->heartbeat_ms = config->lease_ms / 5 < FARM_HEARTBEAT_MS ? config->lease_ms / 5 : FARM_HEARTBEAT_MS;
    if (code == STATUS_OK)
        *out_config = *config;
    free(config);
    return code;
}
