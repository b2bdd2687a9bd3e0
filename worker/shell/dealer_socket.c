#define _GNU_SOURCE
#include "worker/shell/dealer_socket.h"

#include "common/base/ensure.h"
#include "common/base/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

struct dealer_socket {
    void *context;
    void *socket;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    uv_poll_t poll;
    uint32_t open_handles;
    dealer_receive_fn *receive;
    void *receiver;
};

static bool socket_readable(dealer_socket *self)
{
    int events = 0;
    size_t size = sizeof events;
    return zmq_getsockopt(self->socket, ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLIN) != 0;
}

/* False when there is nothing left. */
static bool receive_one(dealer_socket *self)
{
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

static void on_idle(uv_idle_t *handle)
{
    (void)handle; /* its being active is all that counts: the loop does not block */
}

static void on_prepare(uv_prepare_t *handle)
{
    dealer_socket *self = handle->data;
    if (socket_readable(self))
        uv_idle_start(&self->idle, on_idle);
}

static void on_check(uv_check_t *handle)
{
    dealer_socket *self = handle->data;
    uv_idle_stop(&self->idle);
    for (uint32_t i = 0; i < DEALER_BUDGET && !uv_is_closing((uv_handle_t *)handle) && socket_readable(self); i++) {
        if (!receive_one(self))
            break;
    }
}

static void on_poll(uv_poll_t *handle, int result, int events)
{
    (void)handle; /* wakes the loop; reading is check's */
    (void)result;
    (void)events;
}

typedef struct socket_option {
    int name;
    int value;
} socket_option;

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
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (zmq_setsockopt(socket, options[i].name, &options[i].value, sizeof options[i].value) != 0)
            return false;
    }
    int64_t message_max = FRAME_BYTES_MAX;
    return zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &message_max, sizeof message_max) == 0 &&
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

static void start_handles(dealer_socket *self, uv_loop_t *loop)
{
    uv_prepare_init(loop, &self->prepare);
    uv_check_init(loop, &self->check);
    uv_idle_init(loop, &self->idle);
    self->prepare.data = self->check.data = self->idle.data = self->poll.data = self;
    self->open_handles = 4;
    uv_prepare_start(&self->prepare, on_prepare);
    uv_check_start(&self->check, on_check);
    uv_poll_start(&self->poll, UV_READABLE, on_poll);
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
    int descriptor = -1;
    size_t size = sizeof descriptor;
    if (self->socket == NULL || !set_options(self->socket, endpoint, routing_id, routing_id_size) ||
        zmq_getsockopt(self->socket, ZMQ_FD, &descriptor, &size) != 0)
        code = error_detail_set(detail, STATUS_NODE_SYSTEM, "a ZeroMQ socket cannot be made: %s", zmq_strerror(errno));
    else if (zmq_connect(self->socket, endpoint) != 0)
        code = error_detail_set(detail, STATUS_INPUT_INVALID, "the endpoint %.200s cannot be used: %s", endpoint,
                                zmq_strerror(errno));
    else if (uv_poll_init(loop, &self->poll, descriptor) != 0)
        code = error_detail_set(detail, STATUS_NODE_SYSTEM, "the ZeroMQ socket cannot be watched");
    if (code != STATUS_OK) {
        free_socket(self);
        return code;
    }
    start_handles(self, loop);
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

static void on_closed(uv_handle_t *handle)
{
    dealer_socket *self = handle->data;
    if (--self->open_handles == 0)
        free_socket(self);
}

void dealer_socket_close(dealer_socket **self, int linger_ms)
{
    dealer_socket *socket = *self;
    if (socket == NULL)
        return;
    *self = NULL;
    zmq_setsockopt(socket->socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    uv_poll_stop(&socket->poll);
    uv_close((uv_handle_t *)&socket->poll, on_closed);
    uv_close((uv_handle_t *)&socket->prepare, on_closed);
    uv_close((uv_handle_t *)&socket->check, on_closed);
    uv_close((uv_handle_t *)&socket->idle, on_closed);
}
