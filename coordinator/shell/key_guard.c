#define _GNU_SOURCE
#include "coordinator/shell/key_guard.h"

#include "common/base/log.h"
#include "coordinator/access/connect_rate.h"
#include "proto/secure_socket.h"
#include "proto/socket_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93 /* libzmq 4.3 has it and acts on it; its header hides it as a draft */
#endif

enum { SELF_TEST_MS = 10000, ZAP_FRAMES_MAX = 8, ZAP_FRAME_BYTES = 256 };

/* The ZAP domains of the two kinds of endpoints. */
static const char keyed_domain[] = "keyed";
static const char local_domain[] = "local";
static const char local_user[] = "local";

typedef struct file_mark {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
} file_mark;

struct key_guard {
    bool has_keys;
    bool plain;
    key_pair keys;
    char list_path[PATH_MAX_BYTES];
    file_mark list_mark;  /* of what was taken or refused */
    file_mark list_fresh; /* of what was seen being written since */
    access_grant local;
    pthread_mutex_t mutex; /* the list, its rates and the refusals; the loop alone changes the list */
    allow_list list;
    uint64_t *paid_us; /* of each grant: connect_rate */
    key_guard_refusals refusals;
    void *handler_socket;
    pthread_t handler;
    bool serving;
};

/* ---- the list ---- */

static file_mark mark_of(const struct stat *facts)
{
    return (file_mark){facts->st_dev, facts->st_ino, facts->st_size, facts->st_mtim, facts->st_ctim};
}

static bool mark_equal(const file_mark *a, const file_mark *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* The same file with other bytes: not a new one that was renamed over it. */
static bool mark_written_over(const file_mark *a, const file_mark *b)
{
    return a->device == b->device && a->inode == b->inode &&
           (a->size != b->size || a->modified.tv_sec != b->modified.tv_sec || a->modified.tv_nsec != b->modified.tv_nsec);
}

static status read_text(int descriptor, const struct stat *facts, const char *path, char **out_text, size_t *out_size,
                        error_detail *detail)
{
    if (!S_ISREG(facts->st_mode))
        return error_detail_set(detail, STATUS_INPUT_INVALID, "the allow-list '%.300s' is no regular file", path);
    if ((facts->st_mode & 022) != 0)
        return error_detail_set(detail, STATUS_INPUT_INVALID,
                                "the allow-list '%.300s' can be written by others (mode %03o); `chmod go-w` it", path,
                                (unsigned)facts->st_mode & 0777);
    if (facts->st_size > ALLOW_LIST_TEXT_MAX)
        return error_detail_set(detail, STATUS_LIMIT, "the allow-list '%.300s' has more than %d bytes", path,
                                ALLOW_LIST_TEXT_MAX);
    size_t room = (size_t)facts->st_size + 1;
    char *text = malloc(room);
    if (text == NULL)
        return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    size_t size = 0;
    for (ssize_t part; size < room && (part = read(descriptor, text + size, room - size)) != 0;) {
        if (part < 0 && errno != EINTR) {
            free(text);
            return error_detail_set(detail, STATUS_STORAGE_IO, "the allow-list '%.300s' cannot be read: %s", path,
                                    strerror(errno));
        }
        size += part > 0 ? (size_t)part : 0;
    }
    if (size == room) {
        free(text);
        return error_detail_set(detail, STATUS_INPUT_CHANGED, "the allow-list '%.300s' grew while it was read", path);
    }
    *out_text = text;
    *out_size = size;
    return STATUS_OK;
}

static status read_list(const char *path, allow_list *out_list, file_mark *out_mark, error_detail *detail)
{
    struct stat facts;
    char *text = NULL;
    size_t size = 0;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0 || fstat(descriptor, &facts) != 0) {
        if (descriptor >= 0)
            close(descriptor);
        return error_detail_set(detail, STATUS_INPUT_MISSING,
                                "the allow-list '%.300s' cannot be read: %s; `reelmill authorize` makes one", path,
                                strerror(errno));
    }
    status code = read_text(descriptor, &facts, path, &text, &size, detail);
    close(descriptor);
    if (code != STATUS_OK)
        return code;
    code = allow_list_parse(out_list, text, size, path, detail);
    free(text);
    *out_mark = mark_of(&facts);
    return code;
}

bool key_guard_reload(key_guard *self)
{
    struct stat facts = {0};
    if (!self->has_keys)
        return false;
    /* A file that is gone has a mark of its own, so that it is told of once. */
    bool there = stat(self->list_path, &facts) == 0;
    file_mark mark = there ? mark_of(&facts) : (file_mark){0};
    if (mark_equal(&mark, &self->list_mark))
        return false;
    /* Until an editor that writes in place is done, the file is empty or half a list, and workers that are refused by it
     * do not come back by themselves. */
    if (mark_written_over(&mark, &self->list_mark) && !mark_equal(&mark, &self->list_fresh)) {
        self->list_fresh = mark;
        return false;
    }
    allow_list fresh;
    error_detail detail = {0};
    if (read_list(self->list_path, &fresh, &mark, &detail) != STATUS_OK) {
        self->list_mark = mark;
        log_line(LOG_ERROR, "access.list_refused", "reason=\"%s\" kept=%zu", detail.message, self->list.count);
        return false;
    }
    uint64_t *paid_us = calloc(fresh.count + 1, sizeof *paid_us);
    if (paid_us == NULL) {
        allow_list_deinit(&fresh);
        return false; /* looked at again when there is memory */
    }
    pthread_mutex_lock(&self->mutex);
    allow_list old = self->list;
    for (size_t i = 0; i < fresh.count; i++) {
        const access_grant *before = allow_list_by_key(&old, fresh.grants[i].key);
        paid_us[i] = before == NULL ? 0 : self->paid_us[before - old.grants];
    }
    uint64_t *old_paid_us = self->paid_us;
    self->paid_us = paid_us;
    self->list = fresh;
    self->list_mark = mark;
    pthread_mutex_unlock(&self->mutex);
    free(old_paid_us);
    log_line(LOG_INFO, "access.list", "keys=%zu before=%zu", self->list.count, old.count);
    allow_list_deinit(&old);
    return true;
}

const access_grant *key_guard_whose(const key_guard *self, const char *user_id)
{
    uint8_t key[KEY_BYTES];
    if (user_id == NULL)
        return NULL;
    if (strcmp(user_id, local_user) == 0)
        return &self->local;
    return key_parse(user_id, strlen(user_id), key) ? allow_list_by_key(&self->list, key) : NULL;
}

bool key_guard_lists(const key_guard *self, const char *name, const uint8_t key[KEY_BYTES])
{
    const access_grant *grant =
        memcmp(key, self->local.key, KEY_BYTES) == 0 ? &self->local : allow_list_by_key(&self->list, key);
    return grant != NULL && strcmp(grant->name, name) == 0;
}

/* ---- the handler (RFC 27) ---- */

typedef struct zap_frame {
    size_t size;
    uint8_t bytes[ZAP_FRAME_BYTES];
} zap_frame;

static bool frame_is(const zap_frame *frame, const char *text)
{
    return frame->size == strlen(text) && memcmp(frame->bytes, text, frame->size) == 0;
}

typedef enum admission { ADMITTED, ADMITTED_LATER, REFUSED } admission;

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Who this is, as a user id, unless it is nobody that is let in. Frames: version, request, domain, address, identity,
   mechanism, credentials. */
static admission admit(key_guard *self, const zap_frame *frames, uint32_t count, char out_user[KEY_TEXT_BYTES])
{
    if (count == 6 && frame_is(&frames[2], local_domain) && frame_is(&frames[5], "NULL")) {
        snprintf(out_user, KEY_TEXT_BYTES, "%s", local_user);
        return ADMITTED;
    }
    bool keyed = count == 7 && frame_is(&frames[2], keyed_domain) && frame_is(&frames[5], "CURVE") &&
                 frames[6].size == KEY_BYTES;
    out_user[0] = '\0';
    if (keyed)
        key_format(frames[6].bytes, out_user);
    pthread_mutex_lock(&self->mutex);
    const access_grant *grant = keyed ? allow_list_by_key(&self->list, frames[6].bytes) : NULL;
    admission outcome = grant == NULL ? REFUSED : ADMITTED;
    if (grant != NULL && !connect_rate_take(&self->paid_us[grant - self->list.grants], now_us()))
        outcome = ADMITTED_LATER;
    if (outcome != ADMITTED) {
        self->refusals.count++;
        snprintf(self->refusals.address, sizeof self->refusals.address, "%.*s",
                 count > 3 ? (int)frames[3].size : 0, (const char *)frames[count > 3 ? 3 : 0].bytes);
        snprintf(self->refusals.key, sizeof self->refusals.key, "%s", out_user);
    }
    pthread_mutex_unlock(&self->mutex);
    return outcome;
}

static bool answer(void *socket, const zap_frame *request, const char *code, const char *text, const char *user)
{
    return zmq_send(socket, "1.0", 3, ZMQ_SNDMORE) >= 0 &&
           zmq_send(socket, request->bytes, request->size, ZMQ_SNDMORE) >= 0 &&
           zmq_send(socket, code, strlen(code), ZMQ_SNDMORE) >= 0 &&
           zmq_send(socket, text, strlen(text), ZMQ_SNDMORE) >= 0 &&
           zmq_send(socket, user, strlen(user), ZMQ_SNDMORE) >= 0 && zmq_send(socket, "", 0, 0) >= 0;
}

/* One request, whole. False when the context has been shut down. */
static bool receive(void *socket, zap_frame frames[ZAP_FRAMES_MAX], uint32_t *out_count)
{
    int more = 1;
    size_t more_size = sizeof more;
    for (*out_count = 0; more != 0;) {
        zap_frame spare;
        zap_frame *frame = *out_count < ZAP_FRAMES_MAX ? &frames[*out_count] : &spare;
        int size = zmq_recv(socket, frame->bytes, sizeof frame->bytes, 0);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return false;
        frame->size = (size_t)size < sizeof frame->bytes ? (size_t)size : sizeof frame->bytes;
        *out_count += *out_count < ZAP_FRAMES_MAX ? 1 : 0;
        if (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &more_size) != 0)
            return false;
    }
    return true;
}

static void *run_handler(void *context)
{
    key_guard *self = context;
    zap_frame frames[ZAP_FRAMES_MAX];
    uint32_t count = 0;
    char user[KEY_TEXT_BYTES];
    bool alive = true;
    while (alive && receive(self->handler_socket, frames, &count)) {
        bool whole = count >= 2 && frame_is(&frames[0], "1.0");
        admission outcome = whole ? admit(self, frames, count, user) : REFUSED;
        if (outcome == ADMITTED)
            alive = answer(self->handler_socket, &frames[1], "200", "OK", user);
        else if (outcome == ADMITTED_LATER) /* it is hung up on without a word (ZMQ_HANDSHAKE_IVL), and tries again by itself */
            alive = answer(self->handler_socket, &frames[1], "300", "later", "");
        else
            alive = answer(self->handler_socket, &frames[count >= 2 ? 1 : 0], "400", "not authorized", "");
    }
    zmq_close(self->handler_socket);
    return NULL;
}

status key_guard_serve(key_guard *self, void *context, error_detail *detail)
{
    int linger = 0;
    self->handler_socket = zmq_socket(context, ZMQ_REP);
    if (self->handler_socket == NULL ||
        zmq_setsockopt(self->handler_socket, ZMQ_LINGER, &linger, sizeof linger) != 0 ||
        zmq_bind(self->handler_socket, "inproc://zeromq.zap.01") != 0 ||
        pthread_create(&self->handler, NULL, run_handler, self) != 0) {
        if (self->handler_socket != NULL)
            zmq_close(self->handler_socket);
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "nobody can be asked who may connect: %s",
                                zmq_strerror(errno));
    }
    self->serving = true;
    return STATUS_OK;
}

/* ---- endpoints ---- */

bool key_guard_has_keys(const key_guard *self)
{
    return self->has_keys;
}

status key_guard_check(const key_guard *self, const char *endpoint, error_detail *detail)
{
    endpoint_kind kind = endpoint_kind_of(endpoint, true);
    if (kind == ENDPOINT_INVALID)
        return error_detail_set(
            detail, STATUS_INPUT_INVALID,
            "'%.200s' is no endpoint to listen on; write it like ipc:///run/reelmill/farm or tcp://127.0.0.1:7070",
            endpoint);
    if (kind == ENDPOINT_IPC || self->has_keys || (kind == ENDPOINT_LOOPBACK && self->plain))
        return STATUS_OK;
    return error_detail_set(detail, STATUS_INPUT_MISSING,
                            "listening on %.200s needs keys: make them with `reelmill keygen DIR` and give --key "
                            "DIR/reelmill.secret and --authorized FILE%s",
                            endpoint,
                            kind == ENDPOINT_LOOPBACK
                                ? "; or, if every user of this machine may do everything, --plain"
                                : "; --plain is for addresses of this machine only");
}

status key_guard_arm(key_guard *self, void *socket, const char *endpoint, error_detail *detail)
{
    status code = key_guard_check(self, endpoint, detail);
    if (code != STATUS_OK)
        return code;
    bool keyed = self->has_keys && endpoint_kind_of(endpoint, true) != ENDPOINT_IPC;
    const char *domain = keyed ? keyed_domain : local_domain;
    const socket_option options[] = {{ZMQ_ZAP_ENFORCE_DOMAIN, 1},
                                     {ZMQ_CURVE_SERVER, keyed ? 1 : 0},
                                     {ZMQ_IPV6, strchr(endpoint, '[') != NULL ? 1 : 0}};
    if (!socket_options_set(socket, options, sizeof options / sizeof options[0]) ||
        zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, domain, strlen(domain)) != 0 ||
        (keyed && zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, self->keys.secret_key, KEY_BYTES) != 0))
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "the endpoint %.200s cannot be guarded: %s", endpoint,
                                zmq_strerror(errno));
    return STATUS_OK;
}

/* True once the stranger's handshake has failed; false when it came through or nothing happened. */
static bool stranger_is_refused(void *monitor)
{
    zmq_pollitem_t item = {.socket = monitor, .events = ZMQ_POLLIN};
    while (zmq_poll(&item, 1, SELF_TEST_MS) > 0)
        for (link_event event; (event = link_monitor_next(monitor)) != LINK_QUIET;)
            if (event == LINK_UP || event == LINK_REFUSED) /* a broken one is tried again: the machine may be slow */
                return event == LINK_REFUSED;
    return false;
}

static bool connect_stranger(key_guard *self, void *context, const char *endpoint)
{
    key_pair stranger;
    int linger = 0;
    bool refused = false;
    void *socket = zmq_socket(context, ZMQ_DEALER);
    void *monitor = socket == NULL ? NULL : link_monitor_create(context, socket);
    if (monitor != NULL && key_pair_make(&stranger, NULL) == STATUS_OK &&
        zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger) == 0 &&
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, self->keys.public_key, KEY_BYTES) == 0 &&
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, stranger.public_key, KEY_BYTES) == 0 &&
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, stranger.secret_key, KEY_BYTES) == 0 &&
        zmq_connect(socket, endpoint) == 0)
        refused = stranger_is_refused(monitor);
    /* Refused by the handler, and not for another reason: it has seen this very key. */
    char digits[KEY_TEXT_BYTES];
    key_format(stranger.public_key, digits);
    key_guard_refusals seen = key_guard_take_refusals(self);
    if (monitor != NULL)
        zmq_close(monitor);
    if (socket != NULL)
        zmq_close(socket);
    return refused && strcmp(seen.key, digits) == 0;
}

status key_guard_self_test(key_guard *self, const char *endpoint, error_detail *detail)
{
    void *context = zmq_ctx_new();
    bool refused = context != NULL && connect_stranger(self, context, endpoint);
    if (context != NULL)
        zmq_ctx_term(context);
    return refused ? STATUS_OK
                   : error_detail_set(detail, STATUS_DEFECT,
                                      "the start-up test failed: a key that nobody authorized was not refused, so "
                                      "nothing is listened on");
}

key_guard_refusals key_guard_take_refusals(key_guard *self)
{
    pthread_mutex_lock(&self->mutex);
    key_guard_refusals taken = self->refusals;
    self->refusals = (key_guard_refusals){0};
    pthread_mutex_unlock(&self->mutex);
    return taken;
}

/* ---- life ---- */

static status read_keys(key_guard *self, const key_guard_config *config, error_detail *detail)
{
    if (config->key[0] == '\0' && config->authorized[0] == '\0')
        return STATUS_OK;
    if (config->key[0] == '\0' || config->authorized[0] == '\0')
        return error_detail_set(detail, STATUS_INPUT_MISSING,
                                "key and authorized go together: the coordinator's own secret key, and the list of the "
                                "keys that may connect; %s is not given",
                                config->key[0] == '\0' ? "key" : "authorized");
    if (config->plain)
        return error_detail_set(detail, STATUS_INPUT_CONFLICT, "both a key and plain are given; give one of them");
    if ((size_t)snprintf(self->list_path, sizeof self->list_path, "%s", config->authorized) >= sizeof self->list_path)
        return error_detail_set(detail, STATUS_LIMIT, "the allow-list's path is too long");
    status code = key_pair_read(&self->keys, config->key, detail);
    if (code == STATUS_OK)
        code = read_list(self->list_path, &self->list, &self->list_mark, detail);
    if (code == STATUS_OK && (self->paid_us = calloc(self->list.count + 1, sizeof *self->paid_us)) == NULL)
        code = error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    self->has_keys = code == STATUS_OK;
    if (self->has_keys)
        log_line(LOG_INFO, "access.list", "keys=%zu", self->list.count);
    return code;
}

status key_guard_create(key_guard **out_guard, const key_guard_config *config, error_detail *detail)
{
    key_guard *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    pthread_mutex_init(&self->mutex, NULL);
    self->plain = config->plain;
    self->local = (access_grant){.role = ACCESS_LOCAL, .roots = "*"};
    snprintf(self->local.name, sizeof self->local.name, "%s", local_user);
    status code = read_keys(self, config, detail);
    if (code != STATUS_OK) {
        key_guard_destroy(&self);
        return code;
    }
    *out_guard = self;
    return STATUS_OK;
}

void key_guard_destroy(key_guard **self)
{
    key_guard *guard = *self;
    if (guard == NULL)
        return;
    *self = NULL;
    if (guard->serving)
        pthread_join(guard->handler, NULL);
    allow_list_deinit(&guard->list);
    free(guard->paid_us);
    key_pair_forget(&guard->keys);
    pthread_mutex_destroy(&guard->mutex);
    free(guard);
}
