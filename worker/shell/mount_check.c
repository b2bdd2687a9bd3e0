#define _GNU_SOURCE
#include "worker/shell/mount_check.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 256, NONCE = 16, LOOK_MS = 10, ALONE_MS = 20000 };

typedef struct meeting {
    const storage_root *root;
    const char *folder;
    int side;
    uint64_t until_ms; /* of the step that waits */
    uint32_t patience_ms;
    uint8_t nonce[NONCE]; /* of this meeting: what an earlier one left behind is not believed */
    error_detail *detail;
} meeting;

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static const char *path_of(const meeting *self, const char *name, char out[256])
{
    snprintf(out, 256, "%s/%s", self->folder, name);
    return out;
}

static status put_mark(const meeting *self, const char *name)
{
    char path[256];
    int descriptor = -1;
    status code = storage_remove(self->root, path_of(self, name, path), self->detail);
    if (code == STATUS_OK)
        code = storage_create_output(self->root, path, NONCE, &descriptor, self->detail);
    if (code != STATUS_OK)
        return code;
    code = storage_write_at(descriptor, self->nonce, NONCE, 0, self->detail);
    if (code == STATUS_OK)
        code = storage_sync(descriptor, self->detail);
    close(descriptor);
    return code;
}

/* The nonce of a mark; false: it is not there yet, or not whole. */
static bool look_at(const meeting *self, const char *name, uint8_t out_nonce[NONCE])
{
    char path[256];
    int descriptor = -1;
    error_detail ignored;
    if (storage_open_published(self->root, path_of(self, name, path), &descriptor, &ignored) != STATUS_OK)
        return false;
    bool whole = storage_read_at(descriptor, out_nonce, NONCE, 0, &ignored) == STATUS_OK;
    close(descriptor);
    return whole;
}

static status pause_or_give_up(meeting *self, const char *name)
{
    if (now_ms() >= self->until_ms)
        return error_detail_set(self->detail, STATUS_NODE_LOST,
                                "the other side's '%s/%s' did not appear within %u s: is the other side started, and is it the "
                                "same storage?", self->folder, name, self->patience_ms / 1000);
    (void)poll(NULL, 0, LOOK_MS);
    return STATUS_OK;
}

static status await_mark(meeting *self, const char *name)
{
    uint8_t found[NONCE];
    status code = STATUS_OK;
    self->until_ms = now_ms() + self->patience_ms;
    while (code == STATUS_OK && !(look_at(self, name, found) && memcmp(found, self->nonce, NONCE) == 0))
        code = pause_or_give_up(self, name);
    return code;
}

static void clean_up(const meeting *self)
{
    static const char *const names[] = {"data", "renamed", "ready", "join", "go", "done-0", "done-1", "read-0", "read-1",
                                        "again-0", "again-1", "end-1"};
    char path[256];
    error_detail ignored;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)!storage_remove(self->root, path_of(self, names[i], path), &ignored);
    storage_remove_empty_folders(self->root, path_of(self, "data", path));
}

static status begin(meeting *self)
{
    char path[256];
    int descriptor = -1;
    clean_up(self);
    if (getrandom(self->nonce, NONCE, 0) != NONCE)
        return error_detail_set(self->detail, STATUS_NODE_SYSTEM, "no random numbers to be had");
    status code = storage_create_output(self->root, path_of(self, "data", path), (uint64_t)PAGES * PAGE, &descriptor, self->detail);
    if (code != STATUS_OK)
        return code;
    close(descriptor);
    code = put_mark(self, "ready");
    if (code == STATUS_OK)
        code = await_mark(self, "join");
    return code == STATUS_OK ? put_mark(self, "go") : code;
}

/* Until the one that begins has taken our word: it may first clear away what an earlier meeting left. */
static status join(meeting *self)
{
    uint8_t found[NONCE];
    status code = STATUS_OK;
    self->until_ms = now_ms() + self->patience_ms;
    while (code == STATUS_OK) {
        if (look_at(self, "ready", found) && memcmp(found, self->nonce, NONCE) != 0) {
            memcpy(self->nonce, found, NONCE);
            code = put_mark(self, "join");
        }
        if (look_at(self, "go", found) && memcmp(found, self->nonce, NONCE) == 0)
            return STATUS_OK;
        if (code == STATUS_OK)
            code = pause_or_give_up(self, "go");
    }
    return code;
}

/* turn 0: every side its own pages; turn 1: those of the other, over what stands there. */
static void fill_page(const meeting *self, uint32_t turn, uint32_t page, uint8_t out[PAGE])
{
    for (uint32_t i = 0; i < PAGE; i++)
        out[i] = (uint8_t)(self->nonce[i % NONCE] + page * 31u + i / NONCE + turn * 101u);
}

static status write_pages(const meeting *self, uint32_t turn, int descriptor)
{
    uint8_t page[PAGE];
    status code = STATUS_OK;
    for (uint32_t i = (uint32_t)self->side ^ turn; i < PAGES && code == STATUS_OK; i += 2) {
        fill_page(self, turn, i, page);
        code = storage_write_at(descriptor, page, PAGE, (uint64_t)i * PAGE, self->detail);
    }
    return code == STATUS_OK ? storage_sync(descriptor, self->detail) : code;
}

static status compare_pages(const meeting *self, uint32_t turn, int descriptor)
{
    uint8_t wanted[PAGE];
    uint8_t found[PAGE];
    for (uint32_t i = 0; i < PAGES; i++) {
        status code = storage_read_at(descriptor, found, PAGE, (uint64_t)i * PAGE, self->detail);
        if (code != STATUS_OK)
            return code;
        fill_page(self, turn, i, wanted);
        const char *writer = i % 2 == ((uint32_t)self->side ^ turn) ? "this side" : "the other side";
        if (memcmp(wanted, found, PAGE) != 0 && turn == 0)
            return error_detail_set(self->detail, STATUS_STORAGE_MISMATCH,
                                    "page %u, which %s wrote and synced, reads back differently: two nodes cannot write one file "
                                    "here; mount it without caching of writes by clients, or on a file system made for it",
                                    i, writer);
        if (memcmp(wanted, found, PAGE) != 0)
            return error_detail_set(self->detail, STATUS_STORAGE_MISMATCH,
                                    "page %u, which %s wrote over and synced, is still read here as it was: this mount keeps what "
                                    "others change; mount it so that a file opened anew is read anew (GlusterFS: "
                                    "fopen-keep-cache=false)", i, writer);
    }
    return STATUS_OK;
}

/* Both sides are as far as this. */
static status meet(meeting *self, const char *mine, const char *theirs)
{
    status code = put_mark(self, mine);
    return code == STATUS_OK ? await_mark(self, theirs) : code;
}

static status write_and_compare(meeting *self, uint32_t turn)
{
    char path[256];
    int descriptor = -1;
    status code = storage_open_output(self->root, path_of(self, "data", path), &descriptor, self->detail);
    if (code != STATUS_OK)
        return code;
    code = write_pages(self, turn, descriptor);
    close(descriptor);
    const char *const written[2][2] = {{"done-0", "done-1"}, {"again-0", "again-1"}};
    if (code == STATUS_OK)
        code = meet(self, written[turn][self->side], written[turn][1 - self->side]);
    if (code == STATUS_OK) /* opened anew: that is when network file systems look at the server again */
        code = storage_open_published(self->root, path, &descriptor, self->detail);
    if (code != STATUS_OK)
        return code;
    if (turn == 0) /* as verification does; in turn 1 as any other program would read it */
        storage_drop_cache(descriptor);
    code = compare_pages(self, turn, descriptor);
    close(descriptor);
    return code;
}

/* Whoever read something else says so and goes on: the other side waits. */
static status take_turns(meeting *self)
{
    status first = write_and_compare(self, 0);
    if (first != STATUS_OK && first != STATUS_STORAGE_MISMATCH)
        return first;
    error_detail *detail = self->detail;
    error_detail later = {0};
    self->detail = first == STATUS_OK ? detail : &later;
    status code = self->side == 0 ? meet(self, "read-0", "read-1") : meet(self, "read-1", "read-0");
    if (code == STATUS_OK)
        code = write_and_compare(self, 1);
    if (code == STATUS_OK || code == STATUS_STORAGE_MISMATCH)
        (void)!(self->side == 0 ? await_mark(self, "end-1") : put_mark(self, "end-1"));
    self->detail = detail;
    return first == STATUS_OK ? code : first;
}

static status rename_and_sync(const meeting *self)
{
    char from[256];
    char to[256];
    status code = storage_rename(self->root, path_of(self, "data", from), path_of(self, "renamed", to), false, self->detail);
    return code == STATUS_OK ? storage_sync_folder(self->root, to, self->detail) : code;
}

status mount_check(const storage_root *root, const char *folder, int side, uint32_t patience_ms, error_detail *detail)
{
    meeting self = {.root = root, .folder = folder, .side = side, .patience_ms = patience_ms, .detail = detail};
    status code = side == 0 ? begin(&self) : join(&self);
    if (code == STATUS_OK)
        code = take_turns(&self);
    if (side != 0)
        return code;
    if (code == STATUS_OK)
        code = rename_and_sync(&self);
    clean_up(&self);
    return code;
}

status mount_check_alone(const storage_root *root, error_detail *detail)
{
    char folder[64];
    int ended = 0;
    snprintf(folder, sizeof folder, ".reelmill-doctor-%d", (int)getpid());
    fflush(NULL);
    pid_t other = fork();
    if (other < 0)
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "no second process can be made: %s", strerror(errno));
    if (other == 0) {
        error_detail theirs = {0};
        status code = mount_check(root, folder, 1, ALONE_MS, &theirs);
        _exit(code == STATUS_STORAGE_MISMATCH ? 1 : code == STATUS_OK ? 0 : 2);
    }
    status code = mount_check(root, folder, 0, ALONE_MS, detail);
    if (code != STATUS_OK)
        (void)kill(other, SIGKILL); /* it waits for what will not come */
    while (waitpid(other, &ended, 0) < 0 && errno == EINTR) {
    }
    if (code == STATUS_OK && (!WIFEXITED(ended) || WEXITSTATUS(ended) != 0))
        code = error_detail_set(detail, STATUS_STORAGE_MISMATCH, "the second of two processes read back something else");
    return code;
}
