#define _GNU_SOURCE
#include "worker/shell/dealer_socket.h"

#include "common/base/ensure.h"
#include "common/base/log.h"
#include "proto/socket_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { ASK_AGAIN_MS = 2000 };

struct dealer_socket {
    void *context;
    void *socket;
    void *monitor; /* what becomes of its connections */
    socket_watch watch;
    socket_watch monitor_watch;
    uv_timer_t again;
    uint32_t open_handles;
    char endpoint[256];
    dealer_receive_fn *receive;
    dealer_connected_fn *connected;
    void *receiver;
    bool refused;            /* and logged */
    char refused_text[1024]; /* the sentence for that */
};

/* False when there is nothing left. */
static bool receive_one(void *owner)
{
    dealer_socket *self = owner;
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    bool received = zmq_msg_recv(&frame, self->socket, ZMQ_DONTWAIT) >= 0;
    bool again = received || errno == EINTR;
    bool alone = true;
    while (received && zmq_msg_more(&frame)) { /* its parts come together or not at all: this never waits */
        alone = false;
        received = zmq_msg_recv(&frame, self->socket, ZMQ_DONTWAIT) >= 0;
    }
    if (received && alone)
        self->receive(self->receiver, zmq_msg_data(&frame), zmq_msg_size(&frame));
    zmq_msg_close(&frame);
    return again;
}

/* ZeroMQ has given the connection up for good: it is forgotten and begun anew. */
static void on_again(uv_timer_t *timer)
{
    dealer_socket *self = timer->data;
    (void)zmq_disconnect(self->socket, self->endpoint);
    if (zmq_connect(self->socket, self->endpoint) != 0)
        log_line(LOG_ERROR, "coordinator.unreachable", "reason=\"%s\"", zmq_strerror(errno));
}

static bool read_event(void *owner)
{
    dealer_socket *self = owner;
    link_event event = link_monitor_next(self->monitor);
    bool refused = event == LINK_REFUSED || event == LINK_BROKEN;
    if (refused && !self->refused)
        log_line(LOG_WARN, "coordinator.refused", "reason=\"%s\"", self->refused_text);
    if (event == LINK_UP && self->refused)
        log_line(LOG_INFO, "coordinator.let_in", "after=refusal");
    if (refused || event == LINK_UP)
        self->refused = refused;
    if (event == LINK_UP)
        self->connected(self->receiver);
    if (event == LINK_REFUSED)
        uv_timer_start(&self->again, on_again, ASK_AGAIN_MS, 0);
    return event != LINK_QUIET;
}

static bool set_options(void *socket, const char *endpoint)
{
    const socket_option options[] = {
        {ZMQ_IMMEDIATE, 1},          /* nothing queues for a connection that never comes about */
        {ZMQ_SNDHWM, 4096},          /* a task's cells sent again in one go pass; the spool bounds them */
        {ZMQ_RCVHWM, 16384},         /* never reached: libzmq 4.3.4 aborts over heartbeats of or to a peer that left then */
        {ZMQ_HEARTBEAT_IVL, 1000},   /* a black hole is noticed in 4 s */
        {ZMQ_HEARTBEAT_TIMEOUT, 3000},
        {ZMQ_HEARTBEAT_TTL, 4000},
        {ZMQ_RECONNECT_IVL, strncmp(endpoint, "ipc://", 6) == 0 ? 5 : 100}, /* ipc: the farm is just starting, on this machine */
        {ZMQ_RECONNECT_IVL_MAX, strncmp(endpoint, "ipc://", 6) == 0 ? 8 : 5000},
        {ZMQ_TCP_MAXRT, 20000},
        {ZMQ_LINGER, 0},
        {ZMQ_IPV6, strchr(endpoint, '[') != NULL},
    };
    return socket_options_set(socket, options, sizeof options / sizeof options[0]) && socket_frame_max_set(socket);
}

static void free_socket(dealer_socket *self)
{
    if (self->monitor != NULL)
        zmq_close(self->monitor);
    if (self->socket != NULL)
        zmq_close(self->socket);
    if (self->context != NULL)
        zmq_ctx_term(self->context);
    free(self);
}

static void on_closed(void *owner)
{
    dealer_socket *self = owner;
    if (--self->open_handles == 0)
        free_socket(self);
}

static void on_timer_closed(uv_handle_t *handle)
{
    on_closed(handle->data);
}

static status open_socket(dealer_socket *self, const char *endpoint, const link_config *link, error_detail *detail)
{
    self->context = zmq_ctx_new();
    self->socket = self->context == NULL ? NULL : zmq_socket(self->context, ZMQ_DEALER);
    self->monitor = self->socket == NULL ? NULL : link_monitor_create(self->context, self->socket);
    if (self->monitor == NULL || !set_options(self->socket, endpoint))
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "a ZeroMQ socket cannot be made: %s", zmq_strerror(errno));
    status code = link_secure(self->socket, endpoint, link, detail);
    if (code == STATUS_OK && zmq_connect(self->socket, endpoint) != 0)
        code = error_detail_set(detail, STATUS_INPUT_INVALID, "the endpoint %.200s cannot be used: %s", endpoint,
                                zmq_strerror(errno));
    return code;
}

status dealer_socket_create(dealer_socket **out_socket, uv_loop_t *loop, const char *endpoint, const link_config *link,
                            dealer_receive_fn *receive, dealer_connected_fn *connected, void *context, error_detail *detail)
{
    dealer_socket *self = calloc(1, sizeof *self);
    ENSURE(self != NULL);
    self->receive = receive;
    self->connected = connected;
    self->receiver = context;
    snprintf(self->endpoint, sizeof self->endpoint, "%s", endpoint);
    link_refused_text(endpoint, link, self->refused_text, sizeof self->refused_text);
    status code = open_socket(self, endpoint, link, detail);
    if (code != STATUS_OK) {
        free_socket(self);
        return code;
    }
    /* The loop is fresh and the descriptors are: what fails here is a defect. */
    code = socket_watch_start(&self->watch, loop, self->socket, receive_one, self);
    ENSURE(code == STATUS_OK);
    code = socket_watch_start(&self->monitor_watch, loop, self->monitor, read_event, self);
    ENSURE(code == STATUS_OK);
    uv_timer_init(loop, &self->again);
    self->again.data = self;
    self->open_handles = 3;
    *out_socket = self;
    return STATUS_OK;
}

bool dealer_socket_send(dealer_socket *self, const void *bytes, size_t byte_size)
{
    int sent;
    do
        sent = zmq_send(self->socket, bytes, byte_size, ZMQ_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

void dealer_socket_close(dealer_socket **self, int linger_ms)
{
    dealer_socket *socket = *self;
    if (socket == NULL)
        return;
    *self = NULL;
    zmq_setsockopt(socket->socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    socket_watch_close(&socket->watch, on_closed);
    socket_watch_close(&socket->monitor_watch, on_closed);
    uv_close((uv_handle_t *)&socket->again, on_timer_closed);
}
