#define _GNU_SOURCE
#include "proto/socket_watch.h"

#include "common/base/limits.h"

#include <zmq.h>

static bool socket_readable(void *socket)
{
    int events = 0;
    size_t size = sizeof events;
    return zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLIN) != 0;
}

bool socket_watch_drain(socket_watch *self, uint32_t message_max)
{
    for (uint32_t i = 0; i < message_max; i++)
        if (uv_is_closing((uv_handle_t *)&self->check) || !self->read(self->owner))
            return false;
    return true;
}

static void on_idle(uv_idle_t *handle)
{
    (void)handle; /* its being active is all that counts: the loop does not block */
}

void socket_watch_wake(socket_watch *self)
{
    if (!uv_is_closing((uv_handle_t *)&self->idle))
        uv_idle_start(&self->idle, on_idle);
}

static void on_prepare(uv_prepare_t *handle)
{
    socket_watch *self = handle->data;
    if (socket_readable(self->socket))
        uv_idle_start(&self->idle, on_idle);
}

static void on_check(uv_check_t *handle)
{
    socket_watch *self = handle->data;
    uv_idle_stop(&self->idle);
    if (socket_watch_drain(self, SOCKET_BUDGET))
        socket_watch_wake(self);
}

static void on_poll(uv_poll_t *handle, int result, int events)
{
    (void)handle; /* wakes the loop; reading is check's */
    (void)result;
    (void)events;
}

status socket_watch_start(socket_watch *self, uv_loop_t *loop, void *socket, socket_read_fn *read, void *owner)
{
    int descriptor = -1;
    size_t size = sizeof descriptor;
    if (zmq_getsockopt(socket, ZMQ_FD, &descriptor, &size) != 0 || uv_poll_init(loop, &self->poll, descriptor) != 0)
        return STATUS_NODE_SYSTEM;
    uv_prepare_init(loop, &self->prepare);
    uv_check_init(loop, &self->check);
    uv_idle_init(loop, &self->idle);
    self->prepare.data = self->check.data = self->idle.data = self->poll.data = self;
    self->open_handles = 4;
    self->socket = socket;
    self->read = read;
    self->owner = owner;
    uv_prepare_start(&self->prepare, on_prepare);
    uv_check_start(&self->check, on_check);
    uv_poll_start(&self->poll, UV_READABLE, on_poll);
    return STATUS_OK;
}

static void on_closed(uv_handle_t *handle)
{
    socket_watch *self = handle->data;
    if (--self->open_handles == 0)
        self->closed(self->owner);
}

void socket_watch_close(socket_watch *self, socket_closed_fn *closed)
{
    self->closed = closed;
    uv_poll_stop(&self->poll);
    uv_close((uv_handle_t *)&self->poll, on_closed);
    uv_close((uv_handle_t *)&self->prepare, on_closed);
    uv_close((uv_handle_t *)&self->check, on_closed);
    uv_close((uv_handle_t *)&self->idle, on_closed);
}

bool socket_options_set(void *socket, const socket_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (zmq_setsockopt(socket, options[i].name, &options[i].value, sizeof options[i].value) != 0)
            return false;
    return true;
}

bool socket_frame_max_set(void *socket)
{
    int64_t byte_max = FRAME_BYTES_MAX;
    return zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &byte_max, sizeof byte_max) == 0;
}
