#define _GNU_SOURCE
#include "coordinator/shell/router_socket.h"

#include "common/base/log.h"
#include "coordinator/shell/backlog_guard.h"
#include "coordinator/shell/farm_config.h"
#include "coordinator/shell/peer_inbox.h"
#include "proto/message_types.h"
#include "proto/secure_socket.h"
#include "proto/socket_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <zmq.h>

enum {
    INTAKE_NS = 5000000, /* handling goes on no longer before ZeroMQ's queues are emptied again */
    INTAKE_MAX = 65536,  /* messages at once: tiny ones may come as fast as they are taken */
    GIVEN_NAME_BYTES = 5,
    SPARE_DESCRIPTORS = 64 /* free before a port is opened again: nobody else may take the last ones meanwhile */
};

typedef struct bound_endpoint {
    char name[ENDPOINT_MAX_BYTES]; /* as it was bound, with its port */
    bool closed;                   /* it is to be bound again */
} bound_endpoint;

struct router_socket {
    void *context;
    void *socket;
    socket_watch watch;
    key_guard *guard;
    backlog_guard *backlog;
    peer_inbox *inbox;
    bound_endpoint bound[FARM_LISTEN_MAX];
    uint32_t bound_count;
    uint32_t lost; /* messages, since the last router_socket_guard */
    uint64_t emptied_ns; /* when ZeroMQ's queues were read last, by uv_hrtime */
    bool emptied;        /* until nothing was left, since the last router_socket_guard */
    uint32_t first_name; /* that libzmq gave */
    bool tested; /* a stranger was refused by this very socket */
    router_receive_fn *receive;
    router_closed_fn *closed;
    void *receiver;
    void *closer;
};

/* libzmq names connections by five bytes, 0 and a number that it counts up from, two for a connection at most. Whoever claims a
   name, which it can, is none of ours. */
static uint32_t number_in(zmq_msg_t *name)
{
    const uint8_t *bytes = zmq_msg_data(name);
    return (uint32_t)bytes[1] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 8 | bytes[4];
}

static bool name_was_given(const router_socket *self, zmq_msg_t *name)
{
    if (zmq_msg_size(name) != GIVEN_NAME_BYTES || *(const uint8_t *)zmq_msg_data(name) != 0)
        return false;
    return (uint64_t)(number_in(name) - self->first_name) <= 2 * backlog_guard_accepted(self->backlog);
}

/* Moves one message from ZeroMQ into the inbox; what is more than a connection may have there is lost. False: none is left. */
static bool take_in(router_socket *self, zmq_msg_t *from, zmq_msg_t *payload)
{
    if (zmq_msg_recv(from, self->socket, ZMQ_DONTWAIT) < 0)
        return errno == EINTR;
    uint32_t parts = 0;
    for (zmq_msg_t *part = from; zmq_msg_more(part) != 0; parts++) {
        /* The parts of a message come together or not at all, so this never waits. */
        if (zmq_msg_recv(payload, self->socket, ZMQ_DONTWAIT) < 0)
            return errno == EINTR;
        part = payload;
        backlog_guard_delivered(self->backlog, zmq_msg_get(part, ZMQ_SRCFD), zmq_msg_size(part));
    }
    int link = zmq_msg_get(payload, ZMQ_SRCFD);
    if (peer_inbox_may_be_new(self->inbox, link, from))
        backlog_guard_look(self->backlog);
    uint32_t party = backlog_guard_heard(self->backlog, link, zmq_msg_gets(payload, "User-Id"));
    if (!name_was_given(self, from))
        backlog_guard_hang_up(self->backlog, link);
    else if (parts == 1 && !peer_inbox_put(self->inbox, link, party, from, payload)) {
        self->lost++;
        backlog_guard_flooded(self->backlog, link);
    }
    return true;
}

static void empty_socket(router_socket *self)
{
    zmq_msg_t from, payload;
    zmq_msg_init(&from);
    zmq_msg_init(&payload);
    bool any = true;
    for (uint32_t i = 0; i < INTAKE_MAX && any; i++)
        any = take_in(self, &from, &payload);
    self->emptied = self->emptied || !any;
    zmq_msg_close(&from);
    zmq_msg_close(&payload);
    self->emptied_ns = uv_hrtime();
}

/* Hands over one message. False when there is none left. */
static bool handle_one(void *owner)
{
    router_socket *self = owner;
    zmq_msg_t from, payload;
    if (peer_inbox_is_empty(self->inbox) || uv_hrtime() > self->emptied_ns + INTAKE_NS)
        empty_socket(self);
    zmq_msg_init(&from);
    zmq_msg_init(&payload);
    bool any = peer_inbox_take(self->inbox, &from, &payload);
    if (any) {
        routing_id sender = {.link = zmq_msg_get(&payload, ZMQ_SRCFD), .size = (uint8_t)zmq_msg_size(&from)};
        memcpy(sender.bytes, zmq_msg_data(&from), sender.size);
        self->receive(self->receiver, &sender, zmq_msg_gets(&payload, "User-Id"), zmq_msg_data(&payload),
                      zmq_msg_size(&payload));
    }
    zmq_msg_close(&from);
    zmq_msg_close(&payload);
    return any;
}

/* A peer that claims another's name can make libzmq 4.3.4 forget to close a descriptor; it closes all of an endpoint's when that
   is unbound. Peers come again by themselves. An ipc endpoint stays: its file would go with it, whoever bound it last. */
static void renew_endpoints(router_socket *self)
{
    uint32_t renewed = 0;
    for (uint32_t i = 0; i < self->bound_count; i++)
        if (!self->bound[i].closed && endpoint_kind_of(self->bound[i].name, true) != ENDPOINT_IPC &&
            zmq_unbind(self->socket, self->bound[i].name) == 0) {
            self->bound[i].closed = true;
            renewed++;
        }
    if (renewed == 0)
        return;
    backlog_guard_renew(self->backlog);
    log_line(LOG_WARN, "access.renewed", "endpoints=%u reason=\"connections that were hung up on keep their descriptors\"", renewed);
}

/* libzmq aborts where it has no descriptor for a port. */
static bool has_descriptors(void)
{
    int spare[SPARE_DESCRIPTORS];
    uint32_t count = 0;
    while (count < SPARE_DESCRIPTORS && (spare[count] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0)
        count++;
    for (uint32_t i = 0; i < count; i++)
        close(spare[i]);
    return count == SPARE_DESCRIPTORS;
}

/* The port and the descriptors are free only a moment after they were closed. */
static void bind_again(router_socket *self)
{
    error_detail detail = {0};
    bool any = false;
    for (uint32_t i = 0; i < self->bound_count; i++)
        any = any || self->bound[i].closed;
    if (!any || !has_descriptors())
        return;
    for (uint32_t i = 0; i < self->bound_count; i++) {
        bound_endpoint *place = &self->bound[i];
        if (place->closed && key_guard_arm(self->guard, self->socket, place->name, &detail) == STATUS_OK)
            place->closed = zmq_bind(self->socket, place->name) != 0;
    }
}

uint32_t router_socket_guard(router_socket *self, uint32_t *out_lost)
{
    empty_socket(self);
    socket_watch_wake(&self->watch);
    *out_lost = self->lost;
    self->lost = 0;
    bool emptied = self->emptied;
    self->emptied = false;
    bind_again(self);
    uint32_t dropped = backlog_guard_check(self->backlog, emptied);
    if (backlog_guard_is_stuck(self->backlog))
        renew_endpoints(self);
    return dropped;
}

void router_socket_drain(router_socket *self, uint32_t message_max)
{
    if (socket_watch_drain(&self->watch, message_max))
        socket_watch_wake(&self->watch);
}

static bool set_options(void *socket)
{
    static const socket_option options[] = {
        {ZMQ_ROUTER_MANDATORY, 1}, /* a message that cannot be delivered is an error, not silence */
        /* A peer that claims a name which is taken gets it. Without this what it sends is kept for ever, unread; with it libzmq
           4.3.4 may forget to close the other's descriptor. No peer of ours claims any. */
        {ZMQ_ROUTER_HANDOVER, 1},
        /* The fuse; credit governs. Each of a worker's attempts is given and acknowledged by a message of its own, and what a
           peer has taken libzmq counts by halves and now and then: whoever meets the fuse is lost. */
        {ZMQ_SNDHWM, 4 * MESSAGE_ATTEMPTS_MAX},
        {ZMQ_RCVHWM, 0}, /* the inbox has the bounds (peer_inbox.h) */
        /* No heartbeats of our own: workers send theirs with a time to live, which counts here; the kernel looks after others. */
        {ZMQ_TCP_KEEPALIVE, 1},    {ZMQ_TCP_KEEPALIVE_IDLE, 5}, {ZMQ_TCP_KEEPALIVE_INTVL, 5}, {ZMQ_TCP_KEEPALIVE_CNT, 3},
        {ZMQ_HANDSHAKE_IVL, 5000}, {ZMQ_BACKLOG, 512},          {ZMQ_TCP_MAXRT, 20000},       {ZMQ_LINGER, 500},
    };
    return socket_options_set(socket, options, sizeof options / sizeof options[0]) && socket_frame_max_set(socket);
}

static void free_socket(router_socket *self)
{
    backlog_guard_destroy(&self->backlog);
    peer_inbox_destroy(&self->inbox);
    if (self->socket != NULL)
        zmq_close(self->socket);
    if (self->context != NULL)
        zmq_ctx_term(self->context);
    free(self);
}

/* The first connection is our own, of this very process. */
static bool learn_first_name(router_socket *self)
{
    static const char place[] = "inproc://first-name";
    bool learnt = false;
    zmq_msg_t name;
    zmq_msg_init(&name);
    void *own = zmq_bind(self->socket, place) == 0 ? zmq_socket(self->context, ZMQ_DEALER) : NULL;
    if (own != NULL && zmq_connect(own, place) == 0 && zmq_send(own, "", 0, 0) == 0 &&
        zmq_msg_recv(&name, self->socket, 0) == GIVEN_NAME_BYTES && zmq_recv(self->socket, NULL, 0, 0) == 0) {
        self->first_name = number_in(&name);
        learnt = true;
    }
    zmq_msg_close(&name);
    if (own != NULL)
        zmq_close(own);
    return learnt && zmq_unbind(self->socket, place) == 0;
}

status router_socket_create(router_socket **out_socket, uv_loop_t *loop, key_guard *guard, router_receive_fn *receive,
                            void *context, error_detail *detail)
{
    router_socket *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    /* libzmq numbers connections from rand() on, and aborts where a peer has claimed the next number: nobody shall know it. */
    unsigned seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) {
        free(self);
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "the system gives no random numbers: %s", strerror(errno));
    }
    srand(seed);
    self->receive = receive;
    self->receiver = context;
    self->guard = guard;
    self->inbox = peer_inbox_create();
    self->context = zmq_ctx_new();
    status code = self->context == NULL ? STATUS_OK : key_guard_serve(guard, self->context, detail);
    if (code != STATUS_OK) {
        free_socket(self);
        return code;
    }
    self->socket = self->context == NULL ? NULL : zmq_socket(self->context, ZMQ_ROUTER);
    if (self->socket != NULL && self->inbox != NULL)
        self->backlog = backlog_guard_create(self->context, self->socket, self->inbox);
    if (self->backlog == NULL || !set_options(self->socket) || !learn_first_name(self) ||
        socket_watch_start(&self->watch, loop, self->socket, handle_one, self) != STATUS_OK) {
        code = error_detail_set(detail, STATUS_NODE_SYSTEM, "cannot make a ZeroMQ socket: %s", zmq_strerror(errno));
        free_socket(self);
        return code;
    }
    *out_socket = self;
    return STATUS_OK;
}

/* Before the first port with keys opens, one of this machine does, and a stranger is sent there. */
static status test_guard(router_socket *self, error_detail *detail)
{
    char endpoint[64];
    size_t size = sizeof endpoint;
    status code = key_guard_arm(self->guard, self->socket, "tcp://127.0.0.1:*", detail);
    if (code != STATUS_OK)
        return code;
    if (zmq_bind(self->socket, "tcp://127.0.0.1:*") != 0 ||
        zmq_getsockopt(self->socket, ZMQ_LAST_ENDPOINT, endpoint, &size) != 0)
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "the start-up test has no port on 127.0.0.1: %s",
                                zmq_strerror(errno));
    code = key_guard_self_test(self->guard, endpoint, detail);
    if (zmq_unbind(self->socket, endpoint) != 0 && code == STATUS_OK)
        code = error_detail_set(detail, STATUS_NODE_SYSTEM, "the start-up test's port stays open: %s",
                                zmq_strerror(errno));
    self->tested = code == STATUS_OK;
    return code;
}

status router_socket_bind(router_socket *self, const char *endpoint, char *out_endpoint, size_t out_size,
                          error_detail *detail)
{
    bound_endpoint place = {.closed = false};
    size_t place_size = sizeof place.name;
    status code = key_guard_check(self->guard, endpoint, detail);
    if (code == STATUS_OK && self->bound_count == FARM_LISTEN_MAX)
        code = error_detail_set(detail, STATUS_LIMIT, "'%s' is one endpoint more than %d", endpoint, FARM_LISTEN_MAX);
    if (code == STATUS_OK && !self->tested && key_guard_has_keys(self->guard) &&
        endpoint_kind_of(endpoint, true) != ENDPOINT_IPC)
        code = test_guard(self, detail);
    if (code == STATUS_OK)
        code = key_guard_arm(self->guard, self->socket, endpoint, detail);
    if (code != STATUS_OK)
        return code;
    if (zmq_bind(self->socket, endpoint) != 0)
        return error_detail_set(detail, errno == EADDRINUSE ? STATUS_INPUT_CONFLICT : STATUS_INPUT_INVALID,
                                "cannot listen on '%s': %s", endpoint, zmq_strerror(errno));
    if (zmq_getsockopt(self->socket, ZMQ_LAST_ENDPOINT, place.name, &place_size) != 0 ||
        (out_endpoint != NULL && place_size > out_size))
        return error_detail_set(detail, STATUS_LIMIT, "the endpoint '%s' is too long", endpoint);
    self->bound[self->bound_count++] = place;
    if (out_endpoint != NULL)
        memcpy(out_endpoint, place.name, place_size);
    return STATUS_OK;
}

status router_socket_send(router_socket *self, const routing_id *to, const void *bytes, size_t byte_size)
{
    if (!backlog_guard_may_send(self->backlog, to->link, byte_size))
        return STATUS_AGAIN;
    for (;;) {
        if (zmq_send(self->socket, to->bytes, to->size, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
            break;
        if (errno != EINTR)
            return errno == EAGAIN ? STATUS_AGAIN : STATUS_NODE_LOST;
    }
    /* Once its first frame is accepted a message is taken whole; only a signal can come between. */
    while (zmq_send(self->socket, bytes, byte_size, ZMQ_DONTWAIT) < 0)
        if (errno != EINTR)
            return STATUS_NODE_LOST;
    backlog_guard_sent(self->backlog, to->link, byte_size);
    return STATUS_OK;
}

static void on_closed(void *owner)
{
    router_socket *self = owner;
    router_closed_fn *closed = self->closed;
    void *closer = self->closer;
    free_socket(self);
    if (closed != NULL)
        closed(closer);
}

void router_socket_close(router_socket **self, router_closed_fn *closed, void *context)
{
    router_socket *socket = *self;
    if (socket == NULL)
        return;
    *self = NULL;
    socket->closed = closed;
    socket->closer = context;
    socket_watch_close(&socket->watch, on_closed);
}
