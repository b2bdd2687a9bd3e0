// links: coordinator_access
/* The allow-list: read, looked through, edited, read again. */
#include "coordinator/access/allow_list.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What is read can be written as a line, and is the same when that is read. */
static void write_again(const allow_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        char line[ALLOW_LIST_LINE_MAX];
        allow_list again;
        access_grant_format(&list->grants[i], line);
        if (allow_list_parse(&again, line, strlen(line), "line", NULL) != STATUS_OK || again.count != 1 ||
            strcmp(again.grants[0].name, list->grants[i].name) != 0 ||
            strcmp(again.grants[0].roots, list->grants[i].roots) != 0 ||
            memcmp(again.grants[0].key, list->grants[i].key, KEY_BYTES) != 0)
            abort();
        allow_list_deinit(&again);
        if (allow_list_by_key(list, list->grants[i].key) != &list->grants[i])
            abort();
        (void)access_grant_has_root(&list->grants[i], "shows", true);
    }
}

/* A list without one of its names has one line less, and can be read. */
static void revoke_first(const allow_list *list, const char *text, size_t size)
{
    arena memory;
    allow_list left;
    size_t removed = 0;
    arena_init(&memory);
    char *rest = allow_list_without(text, size, list->grants[0].name, &memory, &removed);
    if (removed != 1 || allow_list_parse(&left, rest, strlen(rest), "rest", NULL) != STATUS_OK ||
        left.count != list->count - 1 || allow_list_by_key(&left, list->grants[0].key) != NULL)
        abort();
    allow_list_deinit(&left);
    arena_deinit(&memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    allow_list list;
    error_detail detail;
    if (allow_list_parse(&list, (const char *)bytes, size, "list", &detail) == STATUS_OK) {
        write_again(&list);
        if (list.count > 0)
            revoke_first(&list, (const char *)bytes, size);
    } else if (list.count != 0 || detail.message[0] == '\0') {
        abort();
    }
    allow_list_deinit(&list);
    return 0;
}
