#define _GNU_SOURCE
#include "coordinator/shell/router_socket.h"

#include "common/base/limits.h"
#include "proto/message_types.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

enum { ROUND_TRIPS = 5000, WINDOW = 16, TIMER_MS = 1 };

typedef struct server {
    uv_loop_t loop;
    uv_timer_t timer;
    uv_async_t stop;
    key_guard *guard;
    router_socket *router;
    routing_id last;
    uint32_t received;
    uint32_t unasked; /* sent by the timer */
    bool closed;
} server;

static void on_message(void *context, const routing_id *from, const char *user, const void *bytes, size_t byte_size)
{
    server *self = context;
    assert_string_equal(key_guard_whose(self->guard, user)->name, "local");
    self->last = *from;
    self->received++;
    assert_int_equal(router_socket_send(self->router, from, bytes, byte_size), STATUS_OK);
}

/* A timer that sends on the same socket is what makes a loop stall that reads in its poll callback alone. */
static void on_timer(uv_timer_t *handle)
{
    server *self = handle->data;
    if (self->received > 0 && router_socket_send(self->router, &self->last, "tick", 4) == STATUS_OK)
        self->unasked++;
}

static void on_closed(void *context)
{
    ((server *)context)->closed = true;
}

static void on_stop(uv_async_t *handle)
{
    server *self = handle->data;
    uv_timer_stop(&self->timer);
    uv_close((uv_handle_t *)&self->timer, NULL);
    uv_close((uv_handle_t *)&self->stop, NULL);
    router_socket_close(&self->router, on_closed, self);
}

static server *server_open_with(router_receive_fn *receive, char *out_endpoint, size_t out_size)
{
    server *self = calloc(1, sizeof *self);
    error_detail detail = {0};
    const key_guard_config plain = {.key = "", .authorized = "", .plain = true};
    assert_int_equal(key_guard_create(&self->guard, &plain, &detail), STATUS_OK);
    assert_int_equal(uv_loop_init(&self->loop), 0);
    uv_timer_init(&self->loop, &self->timer);
    uv_async_init(&self->loop, &self->stop, on_stop);
    self->timer.data = self->stop.data = self;
    assert_int_equal(router_socket_create(&self->router, &self->loop, self->guard, receive, self, &detail), STATUS_OK);
    assert_int_equal(router_socket_bind(self->router, "tcp://127.0.0.1:*", out_endpoint, out_size, &detail),
                     STATUS_OK);
    return self;
}

static server *server_open(char *out_endpoint, size_t out_size)
{
    return server_open_with(on_message, out_endpoint, out_size);
}

static void server_close(server *self)
{
    assert_true(self->closed);
    assert_int_equal(uv_loop_close(&self->loop), 0);
    key_guard_destroy(&self->guard);
    free(self);
}

typedef struct client {
    server *server;
    const char *endpoint;
    uint32_t answered;
    uint32_t ticks;
    bool ordered;
} client;

/* A stall shows as the receive time-out. */
static void *client_connect(client *self, void **out_zmq)
{
    *out_zmq = zmq_ctx_new();
    void *socket = zmq_socket(*out_zmq, ZMQ_DEALER);
    int patience_ms = 10000;
    int linger = 0;
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    self->ordered = zmq_connect(socket, self->endpoint) == 0;
    return socket;
}

static void client_leave(client *self, void *zmq, void *socket)
{
    zmq_close(socket);
    zmq_ctx_term(zmq);
    uv_async_send(&self->server->stop);
}

/* Keeps WINDOW messages under way until all are answered. */
static void *run_client(void *context)
{
    client *self = context;
    void *zmq;
    void *socket = client_connect(self, &zmq);
    uint32_t sent = 0;
    while (self->answered < ROUND_TRIPS) {
        for (; sent < ROUND_TRIPS && sent < self->answered + WINDOW; sent++)
            zmq_send(socket, &sent, sizeof sent, 0);
        char bytes[64];
        int size = zmq_recv(socket, bytes, sizeof bytes, 0);
        uint32_t number = 0;
        if (size == 4 && memcmp(bytes, "tick", 4) == 0) {
            self->ticks++;
            continue;
        }
        memcpy(&number, bytes, sizeof number);
        if (size != sizeof number || number != self->answered)
            self->ordered = false;
        if (size < 0)
            break;
        self->answered++;
    }
    client_leave(self, zmq, socket);
    return NULL;
}

static void router_socket__never_stalls_while_a_timer_sends(void **state)
{
    (void)state;
    char endpoint[128];
    server *self = server_open(endpoint, sizeof endpoint);
    uv_timer_start(&self->timer, on_timer, TIMER_MS, TIMER_MS);
    client peer = {.server = self, .endpoint = endpoint};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_client, &peer), 0);
    uv_run(&self->loop, UV_RUN_DEFAULT); /* ends when every handle is closed */
    pthread_join(thread, NULL);
    assert_int_equal(peer.answered, ROUND_TRIPS);
    assert_true(peer.ordered);
    assert_true(self->unasked > 0);
    server_close(self);
}

/* The names that libzmq 4.3.4 gives from an unseeded rand() on; it aborts where the next one is claimed. */
static void *run_claimers(void *context)
{
    enum { CLAIMED = 64, ORDINARY = 6 };
    client *self = context;
    void *zmq = zmq_ctx_new();
    void *sockets[CLAIMED + ORDINARY];
    int patience_ms = 10000;
    int linger = 0;
    for (uint32_t i = 0; i < CLAIMED + ORDINARY; i++) {
        uint32_t number = 3829176425u + i;
        const uint8_t name[] = {0, (uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
        sockets[i] = zmq_socket(zmq, ZMQ_DEALER);
        zmq_setsockopt(sockets[i], ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms);
        zmq_setsockopt(sockets[i], ZMQ_LINGER, &linger, sizeof linger);
        if (i < CLAIMED)
            zmq_setsockopt(sockets[i], ZMQ_ROUTING_ID, name, sizeof name);
        char answer[8];
        if (zmq_connect(sockets[i], self->endpoint) == 0 && zmq_send(sockets[i], "x", 1, 0) == 1 && i >= CLAIMED &&
            zmq_recv(sockets[i], answer, sizeof answer, 0) == 1)
            self->answered++;
    }
    for (uint32_t i = 0; i < CLAIMED + ORDINARY; i++)
        zmq_close(sockets[i]);
    zmq_ctx_term(zmq);
    self->ordered = self->answered == ORDINARY;
    uv_async_send(&self->server->stop);
    return NULL;
}

static void router_socket__gives_names_that_nobody_can_claim_before(void **state)
{
    (void)state;
    char endpoint[128];
    server *self = server_open(endpoint, sizeof endpoint);
    client peer = {.server = self, .endpoint = endpoint};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_claimers, &peer), 0);
    uv_run(&self->loop, UV_RUN_DEFAULT);
    pthread_join(thread, NULL);
    assert_true(peer.ordered);
    assert_int_equal(self->received, peer.answered); /* of who claims a name nothing is heard, whatever it looks like */
    server_close(self);
}

/* ---- descriptors that libzmq 4.3.4 never closes by itself ---- */

enum { DESCRIPTORS = 512, GUARD_MS = 20, NAME_PAIRS = 4 * DESCRIPTORS, ASKED_MAX = 300 };

static uint32_t descriptors_open(void)
{
    uint32_t count = 0;
    for (int i = 0; i < DESCRIPTORS; i++)
        count += fcntl(i, F_GETFD) >= 0 ? 1 : 0;
    return count;
}

/* A DEALER of ZMTP 3.0 that claims this name, once the other end has let it in; -1 when it does not. */
static int connect_named(uint16_t port, uint32_t name)
{
    enum { GREETING_BYTES = 64 };
    const uint8_t greeting[GREETING_BYTES] = {0xff, [9] = 0x7f, [10] = 3, [12] = 'N', 'U', 'L', 'L'};
    uint8_t ready[] = "\4\0\5READY\013Socket-Type\0\0\0\6DEALER\010Identity\0\0\0\4name";
    size_t ready_size = sizeof ready - 1;
    ready[1] = (uint8_t)(ready_size - 2);
    memcpy(ready + ready_size - sizeof name, &name, sizeof name);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct timeval patience = {.tv_sec = 5};
    uint8_t answer[GREETING_BYTES + 1];
    int link = socket(AF_INET, SOCK_STREAM, 0);
    if (link >= 0 && setsockopt(link, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
        connect(link, (struct sockaddr *)&address, sizeof address) == 0 &&
        send(link, greeting, sizeof greeting, MSG_NOSIGNAL) == sizeof greeting &&
        send(link, ready, ready_size, MSG_NOSIGNAL) == (ssize_t)ready_size &&
        recv(link, answer, sizeof answer, MSG_WAITALL) == sizeof answer) /* its READY begins */
        return link;
    if (link >= 0)
        close(link);
    return -1;
}

/* Of two with one name the first speaks when the second has it: its descriptor is forgotten. False: no more are let in. */
static bool forget_one(uint16_t port, uint32_t name)
{
    char rest[256];
    int first = connect_named(port, name);
    int second = first < 0 ? -1 : connect_named(port, name);
    if (second >= 0) {
        (void)!send(second, "\0\1x", 3, MSG_NOSIGNAL);
        while (recv(second, rest, sizeof rest, 0) > 0) /* until it is hung up on */
            continue;
        (void)!send(first, "\0\1x", 3, MSG_NOSIGNAL);
        close(second);
    }
    if (first >= 0)
        close(first);
    return second >= 0;
}

/* Until the other end has no more; then asks like an ordinary peer until that is answered and the forgotten ones are closed. */
static void *run_name_pairs(void *context)
{
    client *self = context;
    uint16_t port = (uint16_t)strtoul(strrchr(self->endpoint, ':') + 1, NULL, 10);
    void *zmq = zmq_ctx_new(); /* while there are descriptors: libzmq ends the process where it finds none */
    void *socket = zmq_socket(zmq, ZMQ_DEALER);
    int patience_ms = 100;
    int linger = 0;
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms);
    zmq_setsockopt(socket, ZMQ_SNDTIMEO, &patience_ms, sizeof patience_ms);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    while (self->answered < NAME_PAIRS && forget_one(port, self->answered + 1))
        self->answered++;
    char answer[8];
    zmq_connect(socket, self->endpoint);
    for (uint32_t i = 0; i < ASKED_MAX && !self->ordered; i++)
        self->ordered = zmq_send(socket, "x", 1, 0) == 1 && zmq_recv(socket, answer, sizeof answer, 0) == 1 &&
                        descriptors_open() < DESCRIPTORS / 8;
    zmq_close(socket);
    zmq_ctx_term(zmq);
    uv_async_send(&self->server->stop);
    return NULL;
}

static void on_guard(uv_timer_t *handle)
{
    uint32_t lost = 0;
    (void)router_socket_guard(((server *)handle->data)->router, &lost);
}

static void router_socket__gets_forgotten_descriptors_back(void **state)
{
    (void)state;
    char endpoint[128];
    struct rlimit all, few;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    few = (struct rlimit){.rlim_cur = DESCRIPTORS, .rlim_max = all.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    server *self = server_open(endpoint, sizeof endpoint);
    uv_timer_start(&self->timer, on_guard, GUARD_MS, GUARD_MS);
    client peer = {.server = self, .endpoint = endpoint};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_name_pairs, &peer), 0);
    uv_run(&self->loop, UV_RUN_DEFAULT);
    pthread_join(thread, NULL);
    assert_true(peer.answered > DESCRIPTORS / 2);
    assert_true(peer.ordered);
    server_close(self);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
}

/* What a pass of the loop may have for one worker: all its attempts given and acknowledged. */
static void on_hello(void *context, const routing_id *from, const char *user, const void *bytes, size_t byte_size)
{
    (void)user;
    (void)bytes;
    (void)byte_size;
    server *self = context;
    for (uint32_t i = 0; i < 2 * MESSAGE_ATTEMPTS_MAX; i++)
        if (router_socket_send(self->router, from, &i, sizeof i) == STATUS_OK)
            self->unasked++;
}

static void *run_worker(void *context)
{
    client *self = context;
    void *zmq;
    void *socket = client_connect(self, &zmq);
    self->ordered &= zmq_send(socket, "hello", 5, 0) == 5;
    uint32_t number;
    while (self->answered < 2 * MESSAGE_ATTEMPTS_MAX && zmq_recv(socket, &number, sizeof number, 0) == sizeof number)
        self->ordered &= number == self->answered++;
    client_leave(self, zmq, socket);
    return NULL;
}

static void router_socket__takes_all_that_one_worker_may_be_told_at_once(void **state)
{
    (void)state;
    char endpoint[128];
    server *self = server_open_with(on_hello, endpoint, sizeof endpoint);
    client worker = {.server = self, .endpoint = endpoint};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_worker, &worker), 0);
    uv_run(&self->loop, UV_RUN_DEFAULT);
    pthread_join(thread, NULL);
    assert_int_equal(self->unasked, 2 * MESSAGE_ATTEMPTS_MAX);
    assert_int_equal(worker.answered, 2 * MESSAGE_ATTEMPTS_MAX);
    assert_true(worker.ordered);
    server_close(self);
}

static void router_socket__says_when_nobody_is_there(void **state)
{
    (void)state;
    server *self = calloc(1, sizeof *self);
    error_detail detail = {0};
    const key_guard_config plain = {.key = "", .authorized = "", .plain = true};
    assert_int_equal(key_guard_create(&self->guard, &plain, &detail), STATUS_OK);
    assert_int_equal(uv_loop_init(&self->loop), 0);
    assert_int_equal(router_socket_create(&self->router, &self->loop, self->guard, on_message, self, &detail), STATUS_OK);
    assert_int_equal(router_socket_bind(self->router, "tcp://127.0.0.1:*", NULL, 0, &detail), STATUS_OK);
    routing_id nobody = {.size = 3, .bytes = {7, 7, 7}};
    assert_int_equal(router_socket_send(self->router, &nobody, "x", 1), STATUS_NODE_LOST);
    assert_int_equal(router_socket_bind(self->router, "tcp://*:0", NULL, 0, &detail), STATUS_INPUT_MISSING);
    router_socket_close(&self->router, on_closed, self);
    uv_run(&self->loop, UV_RUN_DEFAULT);
    server_close(self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(router_socket__gives_names_that_nobody_can_claim_before), /* first: its names are the process's first */
        cmocka_unit_test(router_socket__never_stalls_while_a_timer_sends),
        cmocka_unit_test(router_socket__takes_all_that_one_worker_may_be_told_at_once),
        cmocka_unit_test(router_socket__says_when_nobody_is_there),
        cmocka_unit_test(router_socket__gets_forgotten_descriptors_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
