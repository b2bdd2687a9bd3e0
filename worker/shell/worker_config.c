#define _GNU_SOURCE
#include "worker/shell/worker_config.h"

#include "common/base/ensure.h"
#include "common/settings/settings_file.h"
#include "common/settings/settings_value.h"
#include "worker/dsp/cpu_features.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const setting_row rows[] = {
    {"config", SETTING_FLAG_ONLY, "FILE", "read this file first; flags stand over it"},
    {"coordinator", SETTING_ANYWHERE, "ENDPOINT", "tcp://127.0.0.1:7070 (default), tcp://HOST:PORT, ipc:///PATH"},
    {"key", SETTING_ANYWHERE, "FILE", "this worker's secret key (`reelmill keygen DIR`; or REELMILL_KEY); tcp needs one"},
    {"coordinator_key", SETTING_ANYWHERE, "KEY", "the coordinator's public key, or its file (or REELMILL_COORDINATOR_KEY)"},
    {"plain", SETTING_ANYWHERE, NULL, "no keys: a coordinator on 127.0.0.1 that runs with --plain (or REELMILL_PLAIN=1)"},
    {"name", SETTING_ANYWHERE, "NAME", "what people call this worker (default: the host's name)"},
    {"root", SETTING_FLAG_ONLY, "NAME=FOLDER[:ro]", "where this machine has the media root NAME; :ro = nothing is written there"},
    {"roots", SETTING_FILE_ONLY, "{NAME: FOLDER, ...}", "the same for all media roots; or NAME: {path: FOLDER, mode: ro}"},
    {"slots", SETTING_ANYWHERE, "N", "tasks at once (default: one per processor)"},
    {"cpu", SETTING_ANYWHERE, "LEVEL", "no newer instructions than scalar, avx2, avx512 or neon; the results are the same"},
    {"hang_s", SETTING_ANYWHERE, "SECONDS", "a task without progress for this long is stopped and tried elsewhere (default: 300)"},
    {"alive", SETTING_ANYWHERE, "FILE", "its time is set every second while this worker's loop turns: for probes of an engine"},
    {"log", SETTING_ANYWHERE, "LEVEL", "debug, info (default), warn, error, silent"},
    {"check_config", SETTING_FLAG_ONLY, NULL, "read everything that a start would read, say what is wrong, start nothing"},
    {"doctor", SETTING_FLAG_ONLY, NULL, "look at this machine and its mounts, say what is wrong and what to do, start nothing"},
    {"pair", SETTING_FLAG_ONLY, "1|2", "with --doctor: the mounts together with a second machine, which says 2 where this says 1"},
    {"private", SETTING_FLAG_ONLY, NULL, "the worker of one `reelmill run`: ends with the program that started it"},
    {"manual", SETTING_FLAG_ONLY, NULL, "print the manual page"},
    {"version", SETTING_FLAG_ONLY, NULL, "print engine, protocol and build"},
    {"help", SETTING_FLAG_ONLY, NULL, "print this"},
};

static const setting_program program = {
    .name = "reelmill-worker",
    .summary = "do the tasks of a render farm on one machine",
    .more = "SIGTERM or SIGINT: finish what runs, hand back what waits, leave with 0; a second one: leave at once.\n"
            "SIGHUP: read the file again; log takes effect at once, for anything else start the worker again (it\n"
            "drains first, and nothing is lost).\n"
            "\n"
            "Exit codes: 0 drained, 2 wrong usage or configuration, 75 start me again, 78 do not start me again.",
    .row_count = sizeof rows / sizeof rows[0],
    .rows = rows};

const setting_program *worker_config_program(void)
{
    return &program;
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
    return settings_text(self->cpu, sizeof self->cpu, where, text, detail);
}

/* One setting, as a flag or a key of the file. STATUS_AGAIN: there is no such key. */
static status set_key(worker_config *self, const char *where, const char *key, const char *value, error_detail *detail)
{
    if (strcmp(key, "coordinator") == 0)
        return settings_text(self->coordinator, sizeof self->coordinator, where, value, detail);
    if (strcmp(key, "key") == 0)
        return settings_secret_file(self->link.key, sizeof self->link.key, where, value, detail);
    if (strcmp(key, "coordinator_key") == 0)
        return settings_text(self->link.coordinator_key, sizeof self->link.coordinator_key, where, value, detail);
    if (strcmp(key, "plain") == 0)
        return settings_bool(&self->link.plain, where, value, detail);
    if (strcmp(key, "name") == 0)
        return settings_text(self->name, sizeof self->name, where, value, detail);
    if (strcmp(key, "slots") == 0)
        return settings_number(&self->slots, where, value, 1, WORKER_SLOTS_MAX, detail);
    if (strcmp(key, "hang_s") == 0)
        return settings_number(&self->hang_s, where, value, 1, 86400, detail);
    if (strcmp(key, "alive") == 0)
        return settings_text(self->alive, sizeof self->alive, where, value, detail);
    if (strcmp(key, "cpu") == 0)
        return set_cpu(self, where, value, detail);
    if (strcmp(key, "log") == 0)
        return settings_log_level(&self->log, where, value, detail);
    return STATUS_AGAIN;
}

/* The root of a name, made when it is not there yet; NULL with a sentence. */
static worker_config_root *root_of(worker_config *self, const char *where, const char *name, error_detail *detail)
{
    for (uint32_t i = 0; i < self->root_count; i++)
        if (strcmp(self->roots[i].name, name) == 0)
            return &self->roots[i];
    if (self->root_count == ROOTS_MAX) {
        error_detail_set(detail, STATUS_LIMIT, "%s: more than %d media roots", where, ROOTS_MAX);
        return NULL;
    }
    worker_config_root *root = &self->roots[self->root_count];
    *root = (worker_config_root){.writable = true};
    if (settings_text(root->name, sizeof root->name, where, name, detail) != STATUS_OK)
        return NULL;
    self->root_count++;
    return root;
}

/* roots: {NAME: FOLDER, NAME: {path: FOLDER, mode: ro | rw}} */
static status take_root(worker_config *self, const settings_entry *entry, error_detail *detail)
{
    if (entry->depth < 2)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "%s: roots is a mapping of names to folders", entry->key_place);
    worker_config_root *root = root_of(self, entry->key_place, entry->keys[1], detail);
    if (root == NULL)
        return detail == NULL ? STATUS_INPUT_INVALID : detail->code;
    if (entry->depth == 2 || (entry->depth == 3 && strcmp(entry->keys[2], "path") == 0))
        return settings_text(root->folder, sizeof root->folder, entry->place, entry->value, detail);
    if (entry->depth != 3 || strcmp(entry->keys[2], "mode") != 0)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "%s: a media root is NAME: FOLDER or NAME: {path: FOLDER, mode: ro}",
                                entry->key_place);
    if (strcmp(entry->value, "ro") != 0 && strcmp(entry->value, "rw") != 0)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "%s: the mode of a media root is ro or rw", entry->place);
    root->writable = strcmp(entry->value, "rw") == 0;
    return STATUS_OK;
}

static status take_entry(void *context, const settings_entry *entry, error_detail *detail)
{
    if (strcmp(entry->keys[0], "roots") == 0)
        return take_root(context, entry, detail);
    return entry->depth == 1 ? set_key(context, entry->place, entry->keys[0], entry->value, detail) : STATUS_AGAIN;
}

static status read_file(worker_config *self, const char *path, error_detail *detail)
{
    char allowed[512];
    settings_allowed(&program, allowed, sizeof allowed);
    status code = settings_file_read(path, allowed, take_entry, self, detail);
    for (uint32_t i = 0; i < self->root_count && code == STATUS_OK; i++)
        if (self->roots[i].folder[0] == '\0')
            code = error_detail_set(detail, STATUS_INPUT_MISSING, "%.300s: the media root '%s' has no path", path, self->roots[i].name);
    return code;
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
    worker_config_root *root = root_of(self, "--root", name, detail);
    if (root == NULL)
        return detail == NULL ? STATUS_INPUT_INVALID : detail->code;
    root->writable = writable;
    return settings_text(root->folder, sizeof root->folder, "--root", folder, detail);
}

static bool read_switch(worker_config *self, const char *flag)
{
    if (strcmp(flag, "private") == 0)
        self->private_farm = true;
    else if (strcmp(flag, "plain") == 0)
        self->link.plain = true;
    else if (strcmp(flag, "check_config") == 0)
        self->check = true;
    else if (strcmp(flag, "doctor") == 0)
        self->doctor = true;
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

static status read_flag(worker_config *self, const char *flag, const char *value, error_detail *detail)
{
    char where[64];
    if (strcmp(flag, "pair") == 0)
        return settings_number(&self->pair, "--pair", value, 1, 2, detail);
    if (strcmp(flag, "root") == 0)
        return add_root_flag(self, value, detail);
    snprintf(where, sizeof where, "--%.40s", flag);
    status code = set_key(self, where, flag, value, detail);
    if (code == STATUS_AGAIN)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "unknown option --%.40s; see --help", flag);
    return code;
}

/* The file is read in a walk of its own, before the flags, which then stand over it. */
static status walk_flags(worker_config *self, int argc, char *const *argv, bool file_only, error_detail *detail)
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
        bool is_file = strcmp(flag, "config") == 0;
        status code = STATUS_OK;
        if (is_file && file_only)
            code = read_file(self, value, detail);
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
    config->argument_count = argc;
    config->arguments = argv;
    status code = walk_flags(config, argc, argv, true, detail);
    if (code == STATUS_OK)
        code = walk_flags(config, argc, argv, false, detail);
    if (code == STATUS_OK && !config->help && !config->version && !config->manual)
        code = link_check(config->coordinator, &config->link, detail);
    if (code == STATUS_OK)
        *out_config = *config;
    free(config);
    return code;
}
