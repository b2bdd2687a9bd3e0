#define _GNU_SOURCE
#include "coordinator/cli/farm_client.h"

#include "common/base/arena.h"
#include "common/base/content_hash.h"
#include "common/base/limits.h"
#include "proto/message_decode.h"
#include "proto/message_encode.h"
#include "proto/socket_watch.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <zmq.h>

enum { RESEND_AFTER_MS = 1000, REFUSALS_MAX = 3, SUBMIT_TRIES = 5, QUERY_DOCUMENT_MAX = 256 << 20 };

struct farm_client {
    void *context;
    void *socket;
    void *monitor; /* what becomes of its connections */
    char endpoint[256]; /* as it is told */
    bool by_tcp;
    uint32_t refusals;       /* handshakes that failed in a row */
    char refused_text[1024]; /* the sentence for that */
    byte_writer frame;
    arena arena;          /* of the last answer */
    zmq_msg_t answer;     /* the last answer's frame: views point into it */
    bool has_answer;
    farm_client_tend *tend;
    void *tended;
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool random_request(uint8_t request[REQUEST_BYTES])
{
    return getrandom(request, REQUEST_BYTES, 0) == REQUEST_BYTES;
}

status farm_client_create(farm_client **out_client, const char *endpoint, const link_config *link,
                          error_detail *detail)
{
    farm_client *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    snprintf(self->endpoint, sizeof self->endpoint, "%s", endpoint);
    self->by_tcp = strncmp(endpoint, "tcp://", 6) == 0;
    byte_writer_init(&self->frame, FRAME_BYTES_MAX);
    arena_init(&self->arena);
    self->context = zmq_ctx_new();
    self->socket = self->context == NULL ? NULL : zmq_socket(self->context, ZMQ_DEALER);
    self->monitor = self->socket == NULL ? NULL : link_monitor_create(self->context, self->socket);
    if (self->monitor == NULL) {
        farm_client_destroy(&self);
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "cannot make a ZeroMQ socket: %s", zmq_strerror(errno));
    }
    /* A private farm is still starting when it is first called: its socket is there within milliseconds. */
    int reconnect = self->by_tcp ? 100 : 5;
    const socket_option options[] = {
        {ZMQ_LINGER, 0}, {ZMQ_RECONNECT_IVL, reconnect}, {ZMQ_IPV6, strchr(endpoint, '[') != NULL}};
    static const link_config none;
    link_refused_text(endpoint, link == NULL ? &none : link, self->refused_text, sizeof self->refused_text);
    status code = link_secure(self->socket, endpoint, link == NULL ? &none : link, detail);
    if (code == STATUS_OK && (!socket_options_set(self->socket, options, sizeof options / sizeof options[0]) ||
                              !socket_frame_max_set(self->socket)))
        code = error_detail_set(detail, STATUS_NODE_SYSTEM, "cannot set up a ZeroMQ socket: %s", zmq_strerror(errno));
    if (code == STATUS_OK && zmq_connect(self->socket, endpoint) != 0)
        code = error_detail_set(detail, STATUS_INPUT_INVALID,
                                "'%s' is no endpoint of a farm (%s); write it like tcp://127.0.0.1:7070", endpoint,
                                zmq_strerror(errno));
    if (code != STATUS_OK) {
        farm_client_destroy(&self);
        return code;
    }
    *out_client = self;
    return STATUS_OK;
}

static void forget_answer(farm_client *self)
{
    if (self->has_answer)
        zmq_msg_close(&self->answer);
    self->has_answer = false;
    arena_deinit(&self->arena);
}

void farm_client_destroy(farm_client **self)
{
    farm_client *client = *self;
    if (client == NULL)
        return;
    forget_answer(client);
    if (client->monitor != NULL)
        zmq_close(client->monitor);
    if (client->socket != NULL)
        zmq_close(client->socket);
    if (client->context != NULL)
        zmq_ctx_term(client->context);
    byte_writer_deinit(&client->frame);
    free(client);
    *self = NULL;
}

void farm_client_set_tend(farm_client *self, farm_client_tend *tend, void *context)
{
    self->tend = tend;
    self->tended = context;
}

/* Parts of a submission share one request id: a late answer to the part before is told by job and offset (PROTOCOL.md). */
static bool answers(const message_answer *answer, const message *request)
{
    /* To a part of an earlier go that was sent more than once: a BEGIN is never unknown, and answers keep their order. */
    if (request->type == MESSAGE_SUBMIT_BEGIN && answer->code == STATUS_INPUT_MISSING)
        return false;
    if (answer->code != STATUS_OK)
        return true;
    if (request->type == MESSAGE_SUBMIT_APPEND)
        return answer->job == 0 && answer->offset > request->submit_append.offset;
    return request->type != MESSAGE_SUBMIT_COMMIT || answer->job != 0;
}

/* True once the coordinator has refused our key, or hung up on us several times before it said anything. */
static bool is_refused(farm_client *self)
{
    for (link_event event; (event = link_monitor_next(self->monitor)) != LINK_QUIET;)
        self->refusals = event == LINK_UP        ? 0
                         : event == LINK_REFUSED ? REFUSALS_MAX
                                                 : self->refusals + (event == LINK_BROKEN ? 1 : 0);
    return self->by_tcp && self->refusals >= REFUSALS_MAX;
}

/* Waits for the answer with this request id; others (answers to requests that were sent twice) are dropped. */
static status await_answer(farm_client *self, const message *request, const uint8_t id[REQUEST_BYTES], uint64_t until_ms,
                           message *out)
{
    for (;;) {
        uint64_t now = now_ms();
        if (now >= until_ms)
            return STATUS_AGAIN;
        zmq_pollitem_t items[] = {{.socket = self->socket, .events = ZMQ_POLLIN},
                                  {.socket = self->monitor, .events = ZMQ_POLLIN}};
        if (zmq_poll(items, 2, (long)(until_ms - now)) < 0)
            return errno == EINTR ? STATUS_CANCELLED : STATUS_NODE_SYSTEM;
        if (is_refused(self))
            return STATUS_INPUT_DENIED;
        if ((items[0].revents & ZMQ_POLLIN) == 0)
            continue;
        forget_answer(self);
        zmq_msg_init(&self->answer);
        self->has_answer = true;
        if (zmq_msg_recv(&self->answer, self->socket, ZMQ_DONTWAIT) < 0)
            continue;
        if (message_decode(out, zmq_msg_data(&self->answer), zmq_msg_size(&self->answer), &self->arena, NULL) !=
            STATUS_OK)
            continue;
        if (out->type == MESSAGE_REFUSE) {
            snprintf(self->refused_text, sizeof self->refused_text, "%s", out->refuse.detail);
            return STATUS_INPUT_DENIED;
        }
        if (out->type != MESSAGE_ANSWER || memcmp(out->answer.request, id, REQUEST_BYTES) != 0 ||
            !answers(&out->answer, request))
            continue;
        return STATUS_OK;
    }
}

/* Sends a request until it is answered or the time is over. The answer's status becomes ours. */
static status ask(farm_client *self, const message *request, const uint8_t id[REQUEST_BYTES], uint32_t timeout_ms,
                  message *out_answer, error_detail *detail)
{
    byte_writer_reset(&self->frame);
    status code = message_encode(request, &self->frame);
    if (code != STATUS_OK)
        return error_detail_set(detail, code, "the request does not fit a message");
    uint64_t end_ms = now_ms() + timeout_ms;
    while (now_ms() < end_ms) {
        zmq_send(self->socket, self->frame.bytes, self->frame.size, ZMQ_DONTWAIT);
        uint64_t until = now_ms() + RESEND_AFTER_MS;
        code = await_answer(self, request, id, until < end_ms ? until : end_ms, out_answer);
        if (code == STATUS_OK && out_answer->answer.code == STATUS_AGAIN &&
            (request->type == MESSAGE_QUERY || request->type == MESSAGE_COMMAND)) {
            (void)poll(NULL, 0, RESEND_AFTER_MS); /* it is busy with others */
            code = STATUS_AGAIN;
        }
        if (code == STATUS_OK && out_answer->answer.code != STATUS_OK)
            return error_detail_set(detail, (status)out_answer->answer.code, "%s", out_answer->answer.detail);
        if (code == STATUS_OK || code == STATUS_CANCELLED)
            return code;
        if (code == STATUS_INPUT_DENIED)
            return error_detail_set(detail, code, "%s", self->refused_text);
        if (code != STATUS_AGAIN)
            return error_detail_set(detail, code, "waiting for the coordinator failed: %s", zmq_strerror(errno));
        code = self->tend == NULL ? STATUS_OK : self->tend(self->tended, detail);
        if (code != STATUS_OK)
            return code;
    }
    return error_detail_set(detail, STATUS_NODE_LOST,
                            "the coordinator at %s did not answer within %u s; is it running, and is the endpoint right?",
                            self->endpoint, (timeout_ms + 999) / 1000);
}

/* One go at a submission. STATUS_INPUT_MISSING: the coordinator restarted and knows nothing of it. */
static status submit_once(farm_client *self, const message *begin, const char *document, uint32_t timeout_ms,
                          uint32_t *out_job, error_detail *detail)
{
    const uint8_t *id = begin->submit_begin.request;
    uint64_t size = begin->submit_begin.document_size;
    message answer;
    status code = ask(self, begin, id, timeout_ms, &answer, detail);
    while (code == STATUS_OK && answer.answer.job == 0 && answer.answer.offset < size) {
        uint64_t offset = answer.answer.offset;
        uint64_t part = size - offset < DOCUMENT_CHUNK_MAX ? size - offset : DOCUMENT_CHUNK_MAX;
        message append = {.type = MESSAGE_SUBMIT_APPEND, .submit_append = {.offset = offset}};
        memcpy(append.submit_append.request, id, REQUEST_BYTES);
        append.submit_append.bytes = (message_bytes){.bytes = (const uint8_t *)document + offset, .size = (uint32_t)part};
        code = ask(self, &append, id, timeout_ms, &answer, detail);
    }
    message commit = {.type = MESSAGE_SUBMIT_COMMIT};
    memcpy(commit.submit_commit.request, id, REQUEST_BYTES);
    if (code == STATUS_OK)
        code = ask(self, &commit, id, timeout_ms, &answer, detail);
    if (code == STATUS_OK)
        *out_job = answer.answer.job;
    return code;
}

status farm_client_submit(farm_client *self, const char *document, size_t document_size, int32_t priority,
                          const uint8_t *request, uint32_t timeout_ms, uint32_t *out_job, error_detail *detail)
{
    message begin = {.type = MESSAGE_SUBMIT_BEGIN,
                     .submit_begin = {.document_size = document_size,
                                      .document_digest = content_hash_of(document, document_size),
                                      .priority = priority}};
    if (request != NULL)
        memcpy(begin.submit_begin.request, request, REQUEST_BYTES);
    else if (!random_request(begin.submit_begin.request))
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "no random numbers to be had");
    status code = STATUS_INPUT_MISSING;
    for (int tries = 0; tries < SUBMIT_TRIES && code == STATUS_INPUT_MISSING; tries++)
        code = submit_once(self, &begin, document, timeout_ms, out_job, detail);
    return code;
}

static status query_one(farm_client *self, const char *what, uint32_t job, uint32_t timeout_ms, char **out_text,
                        size_t *out_size, error_detail *detail)
{
    char *text = NULL;
    uint64_t size = 0;
    uint64_t total = 0;
    do {
        message request = {.type = MESSAGE_QUERY};
        message answer;
        if (!random_request(request.query.request)) {
            free(text);
            return error_detail_set(detail, STATUS_NODE_SYSTEM, "no random numbers to be had");
        }
        strncpy(request.query.what, what, sizeof request.query.what - 1);
        request.query.job = job;
        request.query.offset = size;
        status code = ask(self, &request, request.query.request, timeout_ms, &answer, detail);
        if (code != STATUS_OK) {
            free(text);
            return code;
        }
        const message_answer *part = &answer.answer;
        /* A document that grew or shrank between two parts is asked for from its beginning. */
        if (part->offset != size || (size > 0 && part->total_size != total)) {
            size = 0;
            continue;
        }
        total = part->total_size;
        char *bigger = total > QUERY_DOCUMENT_MAX ? NULL : realloc(text, total + 1);
        if (bigger == NULL || part->bytes.size > total - size || (part->bytes.size == 0 && size < total)) {
            free(bigger == NULL ? text : bigger);
            return error_detail_set(detail, STATUS_PEER_IMPOSSIBLE, "the coordinator's answer to '%s' makes no sense",
                                    what);
        }
        text = bigger;
        if (part->bytes.size > 0)
            memcpy(text + size, part->bytes.bytes, part->bytes.size);
        size += part->bytes.size;
        text[size] = '\0';
    } while (text == NULL || size < total);
    *out_text = text;
    *out_size = size;
    return STATUS_OK;
}

status farm_client_query_from(farm_client *self, const char *what, uint32_t job, size_t from, uint32_t timeout_ms,
                              char **out_text, size_t *out_size, error_detail *detail)
{
    message request = {.type = MESSAGE_QUERY};
    message answer;
    if (!random_request(request.query.request))
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "no random numbers to be had");
    strncpy(request.query.what, what, sizeof request.query.what - 1);
    request.query.job = job;
    request.query.offset = from;
    status code = ask(self, &request, request.query.request, timeout_ms, &answer, detail);
    if (code != STATUS_OK)
        return code;
    *out_size = answer.answer.bytes.size;
    *out_text = malloc(*out_size + 1);
    if (*out_text == NULL)
        return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    if (*out_size > 0)
        memcpy(*out_text, answer.answer.bytes.bytes, *out_size);
    (*out_text)[*out_size] = '\0';
    return STATUS_OK;
}

status farm_client_jobs(farm_client *self, uint32_t timeout_ms, json_t **out_list, error_detail *detail)
{
    status code = STATUS_OK;
    json_t *whole = NULL;
    uint32_t before = 0;
    for (bool more = true; more && code == STATUS_OK;) {
        char *text = NULL;
        size_t size = 0;
        code = query_one(self, "jobs", before, timeout_ms, &text, &size, detail);
        json_t *page = code == STATUS_OK ? json_loadb(text, size, 0, NULL) : NULL;
        free(text);
        json_t *jobs = json_object_get(page, "jobs");
        more = json_is_true(json_object_get(page, "more"));
        json_int_t last = json_integer_value(json_object_get(json_array_get(jobs, json_array_size(jobs) - 1), "job"));
        bool endless = more && (last <= 0 || (before != 0 && last >= before));
        if (code == STATUS_OK && (jobs == NULL || endless))
            code = error_detail_set(detail, STATUS_PEER_IMPOSSIBLE, "the coordinator's list of jobs makes no sense");
        before = (uint32_t)last;
        if (whole == NULL)
            whole = json_incref(page);
        else
            (void)json_array_extend(json_object_get(whole, "jobs"), jobs);
        json_decref(page);
    }
    if (code != STATUS_OK) {
        json_decref(whole);
        return code;
    }
    json_object_set_new(whole, "more", json_false());
    *out_list = whole;
    return STATUS_OK;
}

status farm_client_query(farm_client *self, const char *what, uint32_t job, uint32_t timeout_ms, char **out_text,
                         size_t *out_size, error_detail *detail)
{
    if (strcmp(what, "jobs") != 0)
        return query_one(self, what, job, timeout_ms, out_text, out_size, detail);
    json_t *list = NULL;
    status code = farm_client_jobs(self, timeout_ms, &list, detail);
    if (code != STATUS_OK)
        return code;
    char *text = json_dumps(list, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(list);
    if (text == NULL)
        return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    *out_text = text;
    *out_size = strlen(text);
    return STATUS_OK;
}

status farm_client_command(farm_client *self, const char *verb, uint32_t job, const char *target, const char *reason,
                           uint32_t timeout_ms, error_detail *detail)
{
    message request = {.type = MESSAGE_COMMAND};
    message answer;
    if (!random_request(request.command.request))
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "no random numbers to be had");
    strncpy(request.command.verb, verb, sizeof request.command.verb - 1);
    request.command.job = job;
    if (target != NULL)
        strncpy(request.command.target, target, sizeof request.command.target - 1);
    if (reason != NULL)
        strncpy(request.command.reason, reason, sizeof request.command.reason - 1);
    return ask(self, &request, request.command.request, timeout_ms, &answer, detail);
}
