/* keygen, authorize, revoke: keys and the allow-list, as files of this machine. No coordinator is asked. */
#define _GNU_SOURCE
#include "coordinator/cli/cli.h"

#include "coordinator/access/allow_list.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int command_keygen(const cli_arguments *arguments)
{
    const char *folder = arguments->words[0];
    char digits[KEY_TEXT_BYTES];
    error_detail detail;
    key_pair pair;
    status code = key_pair_make(&pair, &detail);
    if (code == STATUS_OK)
        code = key_pair_write(&pair, folder, &detail);
    if (code == STATUS_OK) {
        key_format(pair.public_key, digits);
        printf("%s\n", digits);
        fprintf(stderr, "reelmill: %s/reelmill.secret stays on this machine; the public key above is for others\n", folder);
    }
    key_pair_forget(&pair);
    return code == STATUS_OK ? EXIT_PASS : cli_fail_detail(&detail);
}

/* The list while it is edited: its folder is locked, so that two edits follow one another. */
typedef struct list_edit {
    const char *path;
    char folder[PATH_MAX_BYTES];
    int lock;
    bool there;
    struct stat facts; /* if it is there */
    char *text;        /* what it holds; lives in memory */
    size_t size;
    arena memory;
} list_edit;

static status read_list(list_edit *self, error_detail *detail)
{
    FILE *file = fopen(self->path, "re");
    self->there = file != NULL;
    if (file == NULL && errno == ENOENT) {
        self->text = arena_copy_text(&self->memory, "");
        return STATUS_OK;
    }
    if (file == NULL || fstat(fileno(file), &self->facts) != 0) {
        if (file != NULL)
            fclose(file);
        return error_detail_set(detail, STATUS_STORAGE_DENIED, "the allow-list '%.300s' cannot be read: %s", self->path,
                                strerror(errno));
    }
    self->text = arena_take(&self->memory, ALLOW_LIST_TEXT_MAX + 2);
    self->size = fread(self->text, 1, ALLOW_LIST_TEXT_MAX + 1, file);
    bool whole = ferror(file) == 0 && self->size <= ALLOW_LIST_TEXT_MAX;
    fclose(file);
    return whole ? STATUS_OK
                 : error_detail_set(detail, STATUS_LIMIT, "the allow-list '%.300s' cannot be read whole", self->path);
}

static status begin_edit(list_edit *self, const cli_arguments *arguments, error_detail *detail)
{
    *self = (list_edit){.path = cli_text(arguments, "authorized"), .lock = -1};
    arena_init(&self->memory);
    if (self->path == NULL)
        self->path = getenv("REELMILL_AUTHORIZED");
    if (self->path == NULL || self->path[0] == '\0')
        self->path = "/etc/reelmill/authorized";
    char copy[PATH_MAX_BYTES];
    if ((size_t)snprintf(copy, sizeof copy, "%s", self->path) >= sizeof copy - 8)
        return error_detail_set(detail, STATUS_LIMIT, "the allow-list's path is too long");
    snprintf(self->folder, sizeof self->folder, "%s", dirname(copy));
    self->lock = open(self->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (self->lock < 0 || flock(self->lock, LOCK_EX) != 0)
        return error_detail_set(detail, STATUS_STORAGE_DENIED,
                                "the folder of the allow-list '%.300s' cannot be used: %s; give --authorized FILE, the "
                                "one that the coordinator's `authorized` names, on its machine",
                                self->path, strerror(errno));
    return read_list(self, detail);
}

/* The new text under the old name, in one step; owner and mode stay, so that the coordinator can still read it. */
static status replace_list(const list_edit *self, const char *text, size_t size, error_detail *detail)
{
    char fresh[PATH_MAX_BYTES];
    snprintf(fresh, sizeof fresh, "%s.new", self->path);
    (void)unlink(fresh); /* of an edit that was killed; nobody else edits now */
    int descriptor = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    bool written = descriptor >= 0;
    if (written && self->there)
        written = fchmod(descriptor, self->facts.st_mode & 0755) == 0 &&
                  (fchown(descriptor, self->facts.st_uid, self->facts.st_gid) == 0 || self->facts.st_uid == geteuid());
    for (size_t done = 0; written && done < size;) {
        ssize_t part = write(descriptor, text + done, size - done);
        written = part > 0 || errno == EINTR;
        done += part > 0 ? (size_t)part : 0;
    }
    written = written && fsync(descriptor) == 0 && rename(fresh, self->path) == 0 && fsync(self->lock) == 0;
    int failure = errno;
    if (descriptor >= 0)
        close(descriptor);
    if (written)
        return STATUS_OK;
    (void)unlink(fresh);
    return error_detail_set(detail, STATUS_STORAGE_DENIED, "the allow-list '%.300s' cannot be written: %s", self->path,
                            strerror(failure));
}

/* Only what can be read again becomes the list. */
static status end_edit(list_edit *self, const char *text, error_detail *detail)
{
    allow_list list;
    size_t size = strlen(text);
    status code = allow_list_parse(&list, text, size, self->path, detail);
    if (code != STATUS_OK)
        return code;
    allow_list_deinit(&list);
    return replace_list(self, text, size, detail);
}

static int finish_edit(list_edit *self, status code, const error_detail *detail)
{
    if (self->lock >= 0)
        close(self->lock);
    arena_deinit(&self->memory);
    return code == STATUS_OK ? EXIT_PASS : cli_fail_detail(detail);
}

static status make_grant(const cli_arguments *arguments, access_grant *grant, arena *memory, error_detail *detail)
{
    const char *role = cli_text(arguments, "role");
    const char *name = cli_text(arguments, "name");
    const char *roots = cli_text(arguments, "roots");
    if (role == NULL || name == NULL)
        return error_detail_set(detail, STATUS_INPUT_MISSING,
                                "--role and --name are needed: what the key may do, and whose it is");
    if (!access_role_parse(role, &grant->role))
        return error_detail_set(detail, STATUS_INPUT_INVALID,
                                "'%.40s' is no role; worker, submitter, operator and viewer are", role);
    if (strlen(name) >= sizeof grant->name)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "the name '%.80s' is longer than 63 bytes", name);
    if ((grant->role == ACCESS_SUBMITTER) != (roots != NULL))
        return error_detail_set(detail, STATUS_INPUT_INVALID,
                                roots == NULL ? "a submitter needs --roots: the media roots its jobs may use, like "
                                                "shows,library:ro (ro = read only), or * for all"
                                              : "--roots is for the role submitter only");
    char *copy = arena_copy_text(memory, roots == NULL ? "" : roots);
    for (char *at = copy; *at != '\0'; at++)
        *at = *at == ',' ? ' ' : *at;
    grant->roots = copy;
    snprintf(grant->name, sizeof grant->name, "%s", name);
    return key_public_read(grant->key, arguments->words[0], detail);
}

int command_authorize(const cli_arguments *arguments)
{
    list_edit edit;
    access_grant grant = {0};
    error_detail detail;
    status code = begin_edit(&edit, arguments, &detail);
    if (code == STATUS_OK)
        code = make_grant(arguments, &grant, &edit.memory, &detail);
    if (code == STATUS_OK && strlen(grant.roots) > ALLOW_LIST_LINE_MAX - 256)
        code = error_detail_set(&detail, STATUS_LIMIT, "the list of media roots is too long");
    if (code == STATUS_OK) {
        char line[ALLOW_LIST_LINE_MAX];
        access_grant_format(&grant, line);
        bool ended = edit.size == 0 || edit.text[edit.size - 1] == '\n';
        code = end_edit(&edit, arena_format(&edit.memory, "%s%s%s\n", edit.text, ended ? "" : "\n", line), &detail);
    }
    return finish_edit(&edit, code, &detail);
}

int command_revoke(const cli_arguments *arguments)
{
    list_edit edit;
    error_detail detail;
    const char *whose = arguments->words[0];
    size_t removed = 0;
    status code = begin_edit(&edit, arguments, &detail);
    if (code == STATUS_OK) {
        char *left = allow_list_without(edit.text, edit.size, whose, &edit.memory, &removed);
        code = removed > 0 ? end_edit(&edit, left, &detail)
                           : error_detail_set(&detail, STATUS_INPUT_MISSING,
                                              "no line of '%.300s' has the key or name '%.80s'", edit.path, whose);
    }
    return finish_edit(&edit, code, &detail);
}
