#define _GNU_SOURCE
#include "coordinator/cli/show_submit.h"

#include "coordinator/cli/farm_ask.h"
#include "proto/task_body.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUBMIT_MS = 30000 };

/* A folder's path without links, '.' and '..', also where its last parts are not there yet. NULL: there is no such thing. */
static char *resolve(const char *folder)
{
    char *known = strdup(folder);
    char *base = NULL;
    /* From the end to the deepest folder that exists; what comes after it has nothing that could be a link. */
    for (size_t end = strlen(folder); known != NULL && (base = realpath(known, NULL)) == NULL && errno == ENOENT;) {
        while (end > 1 && known[end - 1] == '/')
            end--;
        while (end > 1 && known[end - 1] != '/')
            end--;
        if (end <= 1)
            break;
        known[end] = '\0';
    }
    char *path = NULL;
    const char *rest = base == NULL ? NULL : folder + strlen(known);
    if (base != NULL && asprintf(&path, "%s%s%s", base, rest[0] == '\0' || strcmp(base, "/") == 0 ? "" : "/", rest) < 0)
        path = NULL;
    free(known);
    free(base);
    return path;
}

/* Finds the named media root that a folder of this machine lies in, as the coordinator knows them. */
static status map_folder(const json_t *roots, const char *folder, plan_place *out_place, error_detail *detail)
{
    size_t best = 0;
    size_t index;
    const json_t *root;
    char *resolved = resolve(folder);
    const char *path = resolved == NULL ? folder : resolved;
    json_array_foreach (roots, index, root) {
        const char *prefix = farm_text_of(root, "path");
        size_t length = strlen(prefix);
        while (length > 1 && prefix[length - 1] == '/')
            length--;
        if (length < best || strncmp(path, prefix, length) != 0 || (path[length] != '/' && path[length] != '\0'))
            continue;
        const char *rest = path + length + (path[length] == '/' ? 1 : 0);
        best = length;
        snprintf(out_place->root, sizeof out_place->root, "%s", farm_text_of(root, "name"));
        snprintf(out_place->prefix, sizeof out_place->prefix, "%s", rest);
    }
    status code = best > 0 ? STATUS_OK
                           : error_detail_set(detail, STATUS_INPUT_INVALID,
                                              "the folder '%s' lies under no media root of this farm (%zu roots); `--root` of the coordinator names them",
                                              path, json_array_size(roots));
    free(resolved);
    return code;
}

static bool is_utf8(const char *text)
{
    json_t *value = json_string(text);
    json_decref(value);
    return value != NULL;
}

static bool can_be_named(const plan_place *place)
{
    return is_utf8(place->prefix) && (place->prefix[0] == '\0' || task_path_valid(place->prefix));
}

status show_submit(farm_client *client, const loaded_show *loaded, show_order *order, arena *memory, uint32_t *out_job,
                   error_detail *detail)
{
    char *text = NULL;
    size_t size = 0;
    status code = farm_client_query(client, "roots", 0, SUBMIT_MS, &text, &size, detail);
    if (code != STATUS_OK)
        return code;
    json_t *answer = json_loadb(text, size, 0, NULL);
    const json_t *roots = json_object_get(answer, "roots");
    free(text);
    code = map_folder(roots, loaded->media_folder, &order->options.media, detail);
    if (code == STATUS_OK)
        code = map_folder(roots, loaded->out_folder, &order->options.out, detail);
    json_decref(answer);
    if (code == STATUS_OK &&
        (!is_utf8(loaded->display) || !can_be_named(&order->options.media) || !can_be_named(&order->options.out)))
        code = error_detail_set(detail, STATUS_INPUT_INVALID,
                                "'%s': a folder on the way to it or to its media or output has a line break or another control "
                                "character in its name, or bytes that are no UTF-8; rename that folder", loaded->display);
    if (code != STATUS_OK)
        return code;
    const char *document = job_document_of_show(loaded, &order->options, memory);
    if (document == NULL)
        return error_detail_set(detail, STATUS_LIMIT, "the show file with its recipes and specs is too large");
    return farm_client_submit(client, document, strlen(document), order->priority, order->request, SUBMIT_MS, out_job, detail);
}
