#define _GNU_SOURCE
#include "coordinator/shell/router_socket.h"

#include "common/base/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

struct router_socket {
    void *context;
    void *socket;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    uv_poll_t poll;
    uint32_t open_handles;
    router_receive_fn *receive;
    router_closed_fn *closed;
    void *receiver;
    void *closer;
};

static bool socket_readable(router_socket *self)
{
    int events = 0;
    size_t size = sizeof events;
    return zmq_getsockopt(self->socket, ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLIN) != 0;
}

/* Reads one message. False when there is none left. */
static bool receive_one(router_socket *self)
{
    routing_id from;
    int size = zmq_recv(self->socket, from.bytes, sizeof from.bytes, ZMQ_DONTWAIT);
    if (size < 0)
        return errno == EINTR;
    int more = 0;
    size_t more_size = sizeof more;
    uint32_t parts = 0;
    zmq_msg_t payload;
    zmq_msg_init(&payload);
    while (zmq_getsockopt(self->socket, ZMQ_RCVMORE, &more, &more_size) == 0 && more != 0) {
        /* The parts of a message come together or not at all, so this never waits. */
        if (zmq_msg_recv(&payload, self->socket, ZMQ_DONTWAIT) < 0)
            break;
        parts++;
    }
    if (parts == 1 && size > 0 && size <= ROUTING_ID_MAX) {
        from.size = (uint8_t)size;
        self->receive(self->receiver, &from, zmq_msg_data(&payload), zmq_msg_size(&payload));
    }
    zmq_msg_close(&payload);
    return true;
}

void router_socket_drain(router_socket *self, uint32_t message_max)
{
    for (uint32_t i = 0; i < message_max && socket_readable(self); i++)
        if (!receive_one(self))
            break;
}

static void on_idle(uv_idle_t *handle)
{
    (void)handle; /* its being active is all that counts: the loop does not block */
}

static void on_prepare(uv_prepare_t *handle)
{
    router_socket *self = handle->data;
    if (socket_readable(self))
        uv_idle_start(&self->idle, on_idle);
}

static void on_check(uv_check_t *handle)
{
    router_socket *self = handle->data;
    uv_idle_stop(&self->idle);
    router_socket_drain(self, ROUTER_BUDGET);
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

static bool set_options(void *socket)
{
    static const socket_option options[] = {
        {ZMQ_ROUTER_MANDATORY, 1}, /* a message that cannot be delivered is an error, not silence */
        {ZMQ_ROUTER_HANDOVER, 1},  {ZMQ_SNDHWM, 256}, /* the fuse; credit governs */
        {ZMQ_RCVHWM, 256},         {ZMQ_HEARTBEAT_IVL, 1000}, {ZMQ_HEARTBEAT_TIMEOUT, 3000}, {ZMQ_HEARTBEAT_TTL, 4000},
        {ZMQ_HANDSHAKE_IVL, 5000}, {ZMQ_BACKLOG, 512},        {ZMQ_TCP_MAXRT, 20000},        {ZMQ_LINGER, 500},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (zmq_setsockopt(socket, options[i].name, &options[i].value, sizeof options[i].value) != 0)
            return false;
    int64_t message_max = FRAME_BYTES_MAX;
    return zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &message_max, sizeof message_max) == 0;
}

static void start_handles(router_socket *self, uv_loop_t *loop)
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

static void free_socket(router_socket *self)
{
    if (self->socket != NULL)
        zmq_close(self->socket);
    if (self->context != NULL)
        zmq_ctx_term(self->context);
    free(self);
}

status router_socket_create(router_socket **out_socket, uv_loop_t *loop, router_receive_fn *receive, void *context,
                            error_detail *detail)
{
    router_socket *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    self->receive = receive;
    self->receiver = context;
    self->context = zmq_ctx_new();
    self->socket = self->context == NULL ? NULL : zmq_socket(self->context, ZMQ_ROUTER);
    int descriptor = -1;
    size_t size = sizeof descriptor;
    if (self->socket == NULL || !set_options(self->socket) ||
        zmq_getsockopt(self->socket, ZMQ_FD, &descriptor, &size) != 0 ||
        uv_poll_init(loop, &self->poll, descriptor) != 0) {
        status code =
            error_detail_set(detail, STATUS_NODE_SYSTEM, "cannot make a ZeroMQ socket: %s", zmq_strerror(errno));
        free_socket(self);
        return code;
    }
    start_handles(self, loop);
    *out_socket = self;
    return STATUS_OK;
}

bool router_endpoint_allowed(const char *endpoint, error_detail *detail)
{
    static const char *const local[] = {"ipc://", "tcp://127.", "tcp://localhost:", "tcp://[::1]:", "tcp://lo:"};
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++)
        if (strncmp(endpoint, local[i], strlen(local[i])) == 0)
            return true;
    if (strncmp(endpoint, "tcp://", 6) == 0)
        error_detail_set(
            detail, STATUS_INPUT_UNSUPPORTED,
            "listening on '%s' would let anybody on the network send work: without keys only this machine's "
            "own addresses are allowed; use tcp://127.0.0.1:PORT, or ipc:///PATH, or a tunnel",
            endpoint);
    else
        error_detail_set(
            detail, STATUS_INPUT_INVALID,
            "'%s' is no endpoint to listen on; write it like ipc:///run/reelmill/farm or tcp://127.0.0.1:7070",
            endpoint);
    return false;
}

status router_socket_bind(router_socket *self, const char *endpoint, char *out_endpoint, size_t out_size,
                          error_detail *detail)
{
    if (!router_endpoint_allowed(endpoint, detail))
        return STATUS_INPUT_UNSUPPORTED;
    if (zmq_bind(self->socket, endpoint) != 0)
        return error_detail_set(detail, errno == EADDRINUSE ? STATUS_INPUT_CONFLICT : STATUS_INPUT_INVALID,
                                "cannot listen on '%s': %s", endpoint, zmq_strerror(errno));
    if (out_endpoint != NULL && zmq_getsockopt(self->socket, ZMQ_LAST_ENDPOINT, out_endpoint, &out_size) != 0)
        return error_detail_set(detail, STATUS_LIMIT, "the endpoint '%s' is too long", endpoint);
    return STATUS_OK;
}

status router_socket_send(router_socket *self, const routing_id *to, const void *bytes, size_t byte_size)
{
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
    return STATUS_OK;
}

static void on_closed(uv_handle_t *handle)
{
    router_socket *self = handle->data;
    if (--self->open_handles > 0)
        return;
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
    uv_poll_stop(&socket->poll);
    uv_close((uv_handle_t *)&socket->poll, on_closed);
    uv_close((uv_handle_t *)&socket->prepare, on_closed);
    uv_close((uv_handle_t *)&socket->check, on_closed);
    uv_close((uv_handle_t *)&socket->idle, on_closed);
}
