#define _GNU_SOURCE
#include "coordinator/shell/farm_config.h"

#include <errno.h>
#include <libfyaml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *farm_config_usage(void)
{
    return "usage: reelmill-coordinator [--config FILE] [--listen ENDPOINT]... [--state DIR] [--root NAME=PATH]...\n"
           "                            [--key FILE --authorized FILE | --plain] [--cells-per-task N] [--lease-ms N]\n"
           "                            [--log debug|info|warn|error] [--private] [--version] [--help]\n"
           "\n"
           "  --listen ENDPOINT   tcp://127.0.0.1:7070 (default), ipc:///path; more than one is allowed\n"
           "  --state DIR         where the journal and the reports lie; a local disk (default: reelmill-state)\n"
           "  --root NAME=PATH    where this machine has the media root NAME (told to clients, never opened)\n"
           "  --key FILE          this coordinator's secret key (`reelmill keygen DIR` makes it); tcp needs one\n"
           "  --authorized FILE   the keys that may connect, and as what (`reelmill authorize` adds to it)\n"
           "  --plain             no keys on tcp://127.0.0.1: every user of this machine may do everything\n"
           "  --http ADDRESS      read-only pages and metrics, like 127.0.0.1:7071; whoever reaches it may look\n"
           "  --config FILE       YAML with the keys listen, state, roots, key, authorized, plain, http, lease_ms,\n"
           "                      cells_per_task, log\n";
}

static status copy_text(char *out, size_t out_size, const char *what, const char *text, error_detail *detail)
{
    size_t size = strlen(text);
    if (size == 0 || size >= out_size)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "%s: '%.80s' has %zu bytes; 1 to %zu are allowed", what,
                                text, size, out_size - 1);
    memcpy(out, text, size + 1);
    return STATUS_OK;
}

static status read_number(uint32_t *out, const char *what, const char *text, uint32_t low, uint32_t high,
                          error_detail *detail)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < low || value > high)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "%s: '%.40s' is no whole number from %u to %u", what,
                                text, low, high);
    *out = (uint32_t)value;
    return STATUS_OK;
}

static status add_listen(farm_config *self, const char *text, error_detail *detail)
{
    if (self->listen_count == FARM_LISTEN_MAX)
        return error_detail_set(detail, STATUS_LIMIT, "listen: more than %d endpoints", FARM_LISTEN_MAX);
    status code = copy_text(self->listen[self->listen_count], ENDPOINT_MAX_BYTES, "listen", text, detail);
    if (code == STATUS_OK)
        self->listen_count++;
    return code;
}

static status add_root(farm_config *self, const char *name, const char *path, error_detail *detail)
{
    uint32_t at = 0;
    while (at < self->root_count && strcmp(self->roots[at].name, name) != 0)
        at++;
    if (at == ROOTS_MAX)
        return error_detail_set(detail, STATUS_LIMIT, "root: more than %d media roots", ROOTS_MAX);
    farm_root root;
    status code = copy_text(root.name, sizeof root.name, "root", name, detail);
    if (code == STATUS_OK)
        code = copy_text(root.path, sizeof root.path, "root", path, detail);
    if (code != STATUS_OK)
        return code;
    self->roots[at] = root;
    if (at == self->root_count)
        self->root_count++;
    return STATUS_OK;
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
    return add_root(self, name, equals + 1, detail);
}

static status set_log(farm_config *self, const char *text, error_detail *detail)
{
    static const char *const names[] = {"debug", "info", "warn", "error", "silent"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(text, names[i]) == 0) {
            self->log = (log_level)i;
            return STATUS_OK;
        }
    return error_detail_set(detail, STATUS_INPUT_INVALID, "log: '%.40s' is none of debug, info, warn, error, silent",
                            text);
}

static status set_plain(farm_config *self, const char *text, error_detail *detail)
{
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "plain: '%.40s' is neither true nor false", text);
    self->plain = text[0] == 't';
    return STATUS_OK;
}

/* One key that may stand in the file and as a flag. STATUS_AGAIN: not one of them. */
static status set_key(farm_config *self, const char *key, const char *value, error_detail *detail)
{
    if (strcmp(key, "listen") == 0)
        return add_listen(self, value, detail);
    if (strcmp(key, "state") == 0)
        return copy_text(self->state, sizeof self->state, "state", value, detail);
    if (strcmp(key, "key") == 0)
        return copy_text(self->key, sizeof self->key, "key", value, detail);
    if (strcmp(key, "authorized") == 0)
        return copy_text(self->authorized, sizeof self->authorized, "authorized", value, detail);
    if (strcmp(key, "http") == 0)
        return copy_text(self->http, sizeof self->http, "http", value, detail);
    if (strcmp(key, "log") == 0)
        return set_log(self, value, detail);
    if (strcmp(key, "lease_ms") == 0 || strcmp(key, "lease-ms") == 0)
        return read_number(&self->lease_ms, "lease_ms", value, 500, 3600000, detail);
    if (strcmp(key, "cells_per_task") == 0 || strcmp(key, "cells-per-task") == 0)
        return read_number(&self->cells_per_task, "cells_per_task", value, 0, TASK_CELLS_MAX, detail);
    return STATUS_AGAIN;
}

/* ---- the file ---- */

/* The text of a plain value, or NULL. The caller frees it. */
static char *scalar_text(struct fy_node *node)
{
    size_t size = 0;
    const char *text = fy_node_is_scalar(node) ? fy_node_get_scalar(node, &size) : NULL;
    return text == NULL ? NULL : strndup(text, size);
}

static status read_value(farm_config *self, const char *path, const char *key, struct fy_node *node,
                         error_detail *detail)
{
    char *text = scalar_text(node);
    if (text == NULL)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "%s: '%.40s' must be a plain value", path, key);
    status code = strcmp(key, "plain") == 0 ? set_plain(self, text, detail) : set_key(self, key, text, detail);
    if (code == STATUS_AGAIN)
        code = error_detail_set(
            detail, STATUS_INPUT_INVALID,
            "%s: unknown key '%.40s'; allowed are listen, state, roots, key, authorized, plain, http, lease_ms, cells_per_task,"
            " log", path, key);
    free(text);
    return code;
}

static status read_roots(farm_config *self, const char *path, struct fy_node *node, error_detail *detail)
{
    if (!fy_node_is_mapping(node))
        return error_detail_set(detail, STATUS_INPUT_INVALID, "%s: 'roots' must be a mapping of names to folders",
                                path);
    void *state = NULL;
    status code = STATUS_OK;
    for (struct fy_node_pair *pair; code == STATUS_OK && (pair = fy_node_mapping_iterate(node, &state)) != NULL;) {
        char *name = scalar_text(fy_node_pair_key(pair));
        char *folder = scalar_text(fy_node_pair_value(pair));
        if (name == NULL || folder == NULL)
            code = error_detail_set(detail, STATUS_INPUT_INVALID, "%s: 'roots' must be a mapping of names to folders",
                                    path);
        else
            code = add_root(self, name, folder, detail);
        free(name);
        free(folder);
    }
    return code;
}

static status read_pair(farm_config *self, const char *path, struct fy_node_pair *pair, error_detail *detail)
{
    char *key = scalar_text(fy_node_pair_key(pair));
    struct fy_node *value = fy_node_pair_value(pair);
    status code = STATUS_OK;
    if (key == NULL || value == NULL) {
        code = error_detail_set(detail, STATUS_INPUT_INVALID, "%s: every key must be a word with a value", path);
    } else if (strcmp(key, "roots") == 0) {
        code = read_roots(self, path, value, detail);
    } else if (strcmp(key, "listen") == 0 && fy_node_is_sequence(value)) {
        void *state = NULL;
        for (struct fy_node *item; code == STATUS_OK && (item = fy_node_sequence_iterate(value, &state)) != NULL;)
            code = read_value(self, path, key, item, detail);
    } else {
        code = read_value(self, path, key, value, detail);
    }
    free(key);
    return code;
}

static status read_file(farm_config *self, const char *path, error_detail *detail)
{
    struct fy_parse_cfg parse = {.flags = FYPCF_QUIET};
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return error_detail_set(detail, STATUS_INPUT_MISSING, "cannot read '%s': %s", path, strerror(errno));
    char *text = malloc(SHOW_TEXT_MAX);
    size_t size = text == NULL ? 0 : fread(text, 1, SHOW_TEXT_MAX, file);
    fclose(file);
    struct fy_document *document = size == SHOW_TEXT_MAX ? NULL : fy_document_build_from_string(&parse, text, size);
    struct fy_node *root = document == NULL ? NULL : fy_document_root(document);
    status code = STATUS_OK;
    if (root == NULL || !fy_node_is_mapping(root))
        code = error_detail_set(detail, STATUS_INPUT_SYNTAX, "'%s' is no YAML mapping of settings", path);
    void *state = NULL;
    for (struct fy_node_pair *pair; code == STATUS_OK && (pair = fy_node_mapping_iterate(root, &state)) != NULL;)
        code = read_pair(self, path, pair, detail);
    fy_document_destroy(document);
    free(text);
    return code;
}

/* ---- flags ---- */

static status read_flag(farm_config *self, const char *flag, const char *value, error_detail *detail)
{
    if (strcmp(flag, "config") == 0)
        return STATUS_OK; /* was read first */
    if (strcmp(flag, "root") == 0)
        return add_root_pair(self, value, detail);
    status code = set_key(self, flag, value, detail);
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
    else if (strcmp(flag, "version") == 0)
        self->version = true;
    else if (strcmp(flag, "help") == 0)
        self->help = true;
    else
        return false;
    return true;
}

/* Calls read for every "--flag value"; switches are taken when set_switches. */
static status walk_flags(farm_config *self, int argc, char *const *argv, bool config_only, error_detail *detail)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0)
            return error_detail_set(detail, STATUS_INPUT_INVALID, "'%.80s' is no option; see --help", argv[i]);
        const char *flag = argv[i] + 2;
        if (read_switch(self, flag))
            continue;
        if (i + 1 == argc)
            return error_detail_set(detail, STATUS_INPUT_INVALID,
                                    "unknown option or missing value: --%.40s; see --help", flag);
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
        code = add_listen(config, "tcp://127.0.0.1:7070", detail);
    config->heartbeat_ms = config->lease_ms / 5 < FARM_HEARTBEAT_MS ? config->lease_ms / 5 : FARM_HEARTBEAT_MS;
    if (code == STATUS_OK)
        *out_config = *config;
    free(config);
    return code;
}
