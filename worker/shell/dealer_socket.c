#define _GNU_SOURCE
#include "worker/shell/dealer_socket.h"

#include "common/base/ensure.h"
#include "proto/socket_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

struct dealer_socket {
    void *context;
    void *socket;
    socket_watch watch;
    dealer_receive_fn *receive;
    void *receiver;
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

static bool set_options(void *socket, const char *endpoint, const void *routing_id, size_t routing_id_size)
{
    const socket_option options[] = {
        {ZMQ_IMMEDIATE, 1},          /* nothing queues for a connection that never comes about */
        {ZMQ_SNDHWM, 4096},          /* a task's cells sent again in one go pass; the spool bounds them */
        {ZMQ_RCVHWM, 256},
        {ZMQ_HEARTBEAT_IVL, 1000},   /* a black hole is noticed in 4 s */
        {ZMQ_HEARTBEAT_TIMEOUT, 3000},
        {ZMQ_HEARTBEAT_TTL, 4000},
        {ZMQ_RECONNECT_IVL, strncmp(endpoint, "ipc://", 6) == 0 ? 5 : 100}, /* ipc: the farm is just starting */
        {ZMQ_RECONNECT_IVL_MAX, 5000},
        {ZMQ_TCP_MAXRT, 20000},
        {ZMQ_LINGER, 0},
        {ZMQ_IPV6, strchr(endpoint, '[') != NULL},
    };
    return socket_options_set(socket, options, sizeof options / sizeof options[0]) && socket_frame_max_set(socket) &&
           zmq_setsockopt(socket, ZMQ_ROUTING_ID, routing_id, routing_id_size) == 0;
}

static void free_socket(dealer_socket *self)
{
    if (self->socket != NULL)
        zmq_close(self->socket);
    if (self->context != NULL)
        zmq_ctx_term(self->context);
    free(self);
}

status dealer_socket_create(dealer_socket **out_socket, uv_loop_t *loop, const char *endpoint, const void *routing_id,
                            size_t routing_id_size, dealer_receive_fn *receive, void *context, error_detail *detail)
{
    status code = dealer_endpoint_check(endpoint, detail);
    if (code != STATUS_OK)
        return code;
    dealer_socket *self = calloc(1, sizeof *self);
    ENSURE(self != NULL);
    self->receive = receive;
    self->receiver = context;
    self->context = zmq_ctx_new();
    self->socket = self->context == NULL ? NULL : zmq_socket(self->context, ZMQ_DEALER);
    if (self->socket == NULL || !set_options(self->socket, endpoint, routing_id, routing_id_size))
        code = error_detail_set(detail, STATUS_NODE_SYSTEM, "a ZeroMQ socket cannot be made: %s", zmq_strerror(errno));
    else if (zmq_connect(self->socket, endpoint) != 0)
        code = error_detail_set(detail, STATUS_INPUT_INVALID, "the endpoint %.200s cannot be used: %s", endpoint,
                                zmq_strerror(errno));
    else if (socket_watch_start(&self->watch, loop, self->socket, receive_one, self) != STATUS_OK)
        code = error_detail_set(detail, STATUS_NODE_SYSTEM, "the ZeroMQ socket cannot be watched");
    if (code != STATUS_OK) {
        free_socket(self);
        return code;
    }
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

static void on_closed(void *owner)
{
    free_socket(owner);
}

void dealer_socket_close(dealer_socket **self, int linger_ms)
{
    dealer_socket *socket = *self;
    if (socket == NULL)
        return;
    *self = NULL;
    zmq_setsockopt(socket->socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    socket_watch_close(&socket->watch, on_closed);
}
