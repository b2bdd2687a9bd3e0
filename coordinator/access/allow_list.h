/**
 * Who may do what: the allow-list of a farm, one line per key.
 *
 *   # comment
 *   ROLE PUBLICKEY NAME [ROOT[:ro]...]
 *
 * ROLE is worker, submitter, operator or viewer; PUBLICKEY 64 hexadecimal digits; NAME is who is told of in the audit
 * log: letters, digits and . _ - @, unique. A submitter's line names the media roots its jobs may read and write
 * (`:ro` = read only), or * for all; other lines name none. One wrong line makes the whole list wrong: nobody is let in
 * or kept out by half a list.
 *
 * Pure: text in, grants out. Ownership: a list owns its memory.
 */
#ifndef COORDINATOR_ACCESS_ALLOW_LIST_H
#define COORDINATOR_ACCESS_ALLOW_LIST_H

#include "common/base/arena.h"
#include "common/base/limits.h"
#include "proto/key_file.h"

enum { ALLOW_LIST_GRANTS_MAX = 32768, ALLOW_LIST_TEXT_MAX = 8 << 20, ALLOW_LIST_LINE_MAX = 1024 };

typedef enum access_role {
    ACCESS_WORKER,
    ACCESS_SUBMITTER,
    ACCESS_OPERATOR,
    ACCESS_VIEWER,
    ACCESS_LOCAL, /**< came by ipc, or over a plain loopback endpoint: a user of this machine; never in a list */
    ACCESS_ROLE_COUNT
} access_role;
/** "worker", "submitter", "operator", "viewer", "local". */
const char *access_role_name(access_role role);
/** False for "local" and for anything else. */
bool access_role_parse(const char *text, access_role *out_role);

typedef struct access_grant {
    access_role role;
    uint8_t key[KEY_BYTES];
    char name[NAME_MAX_BYTES];
    const char *roots; /**< as in the line: words between single spaces; "" = none */
} access_grant;

typedef struct allow_list {
    size_t count;
    access_grant *grants; /**< by key */
    arena memory;
} allow_list;

/** path is named in errors. STATUS_INPUT_* or STATUS_LIMIT, with the line; out_list is then empty. */
MUST_USE status allow_list_parse(allow_list *out_list, const char *text, size_t size, const char *path,
                                 error_detail *detail);
void allow_list_deinit(allow_list *self);
/** NULL: this key is not on the list. */
const access_grant *allow_list_by_key(const allow_list *self, const uint8_t key[KEY_BYTES]);

/** May a submitter's job use this media root? Other roles are asked nothing. */
bool access_grant_has_root(const access_grant *self, const char *root, bool to_write);

/** The line of a grant as it stands in a file, without its end. */
void access_grant_format(const access_grant *self, char out_line[ALLOW_LIST_LINE_MAX]);
/**
 * The text without the lines of this key or name; *out_removed says how many there were. Comments and order stay. The
 * result lies in memory.
 */
char *allow_list_without(const char *text, size_t size, const char *key_or_name, arena *memory, size_t *out_removed);

#endif
