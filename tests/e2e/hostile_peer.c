/*
 * A peer with a good key and bad manners, for test_security.py.
 *
 *   hostile_peer ENDPOINT SECRET COORDINATOR_KEY MODE
 *
 * flood: asks for `jobs` as fast as it can and never reads an answer, until it is killed. leave: 24 connections ask what
 * takes long about job 1, faster than it is answered and with a PING each millisecond between, and are gone all at once.
 * deaf: as many connections ask for the report of job 1 and read nothing until the process is killed. parts: messages of
 * three frames, 1000 of them. giant: a message of 1 MiB. garbage: 1000 messages of noise. commands: 1000 for a job that
 * there is not. The last four then ask one honest question and say whether it was answered. crowd: 2000 connections that ask
 * once; silent: as many that say nothing; nodes: a worker that says HELLO as 2000 nodes, each with all the media roots that one
 * may name. These three stay until the process is killed.
 */
#define _GNU_SOURCE
#include "common/base/engine_version.h"
#include "common/media/render_program.h"
#include "proto/message_encode.h"
#include "proto/secure_socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

enum { PATIENCE_MS = 1000, TRIES = 20, BAD_MESSAGES = 1000, GIANT_BYTES = 1 << 20 };
enum { LEAVERS = 24, QUESTIONS = 5000, COMMANDS = 1000, CROWD = 2000, NODES = 2000 };

static bool ask(void *socket, const char *what, uint32_t number)
{
    byte_writer frame;
    message *query = calloc(1, sizeof *query);
    bool sent = false;
    byte_writer_init(&frame, FRAME_BYTES_MAX);
    query->type = MESSAGE_QUERY;
    memcpy(query->query.request, &number, sizeof number);
    query->query.job = 1;
    snprintf(query->query.what, sizeof query->query.what, "%s", what);
    if (message_encode(query, &frame) == STATUS_OK)
        sent = zmq_send(socket, frame.bytes, frame.size, 0) >= 0;
    byte_writer_deinit(&frame);
    free(query);
    return sent;
}

static void command_much(void *socket)
{
    message *command = calloc(1, sizeof *command);
    byte_writer frame;
    byte_writer_init(&frame, FRAME_BYTES_MAX);
    command->type = MESSAGE_COMMAND;
    command->command.job = 99;
    snprintf(command->command.verb, sizeof command->command.verb, "cancel");
    for (uint32_t i = 0; i < COMMANDS; i++) {
        memcpy(command->command.request, &i, sizeof i);
        command->command.request[15] = 1;
        byte_writer_reset(&frame);
        if (message_encode(command, &frame) == STATUS_OK)
            zmq_send(socket, frame.bytes, frame.size, 0);
        char answer[4096];
        (void)zmq_recv(socket, answer, sizeof answer, 0);
    }
    byte_writer_deinit(&frame);
    free(command);
}

static void misbehave(void *socket, const char *mode)
{
    if (strcmp(mode, "commands") == 0) {
        command_much(socket);
        return;
    }
    char *bytes = calloc(1, GIANT_BYTES);
    uint32_t noise = 1;
    for (size_t i = 0; i < GIANT_BYTES; i++)
        bytes[i] = (char)((noise = noise * 1664525u + 1013904223u) >> 24);
    if (strcmp(mode, "giant") == 0)
        zmq_send(socket, bytes, GIANT_BYTES, 0);
    for (uint32_t i = 0; i < BAD_MESSAGES && strcmp(mode, "giant") != 0; i++) {
        bool parts = strcmp(mode, "parts") == 0;
        if (parts) {
            zmq_send(socket, bytes, 1000, ZMQ_SNDMORE);
            zmq_send(socket, "", 0, ZMQ_SNDMORE);
        }
        zmq_send(socket, bytes + i, 1 + i % 5000, 0);
    }
    free(bytes);
}

/* beat_ms: how often it says PING, 0 = never. */
static void *connect_peer(void *context, const char *endpoint, const link_config *link, int beat_ms, error_detail *detail)
{
    int patience_ms = PATIENCE_MS;
    int linger = 0;
    int beat_timeout_ms = 60000;
    void *socket = zmq_socket(context, ZMQ_DEALER);
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms);
    zmq_setsockopt(socket, ZMQ_SNDTIMEO, &patience_ms, sizeof patience_ms);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(socket, ZMQ_HEARTBEAT_IVL, &beat_ms, sizeof beat_ms);
    zmq_setsockopt(socket, ZMQ_HEARTBEAT_TIMEOUT, &beat_timeout_ms, sizeof beat_timeout_ms);
    return link_secure(socket, endpoint, link, detail) == STATUS_OK && zmq_connect(socket, endpoint) == 0 ? socket : NULL;
}

/* Each asks until its queue is full; then this process is gone, and all connections with it, or deaf. */
static void ask_and_read_nothing(void *context, const char *endpoint, const link_config *link, bool leaves)
{
    void *sockets[LEAVERS];
    error_detail detail = {0};
    int patience_ms = 1;
    for (uint32_t i = 0; i < LEAVERS; i++) {
        sockets[i] = connect_peer(context, endpoint, link, leaves ? 1 : 0, &detail);
        if (sockets[i] == NULL)
            return;
        zmq_setsockopt(sockets[i], ZMQ_SNDTIMEO, &patience_ms, sizeof patience_ms);
    }
    for (uint32_t i = 0; i < LEAVERS * QUESTIONS; i++) {
        char what[32];
        if (leaves)
            snprintf(what, sizeof what, "explain.%u", i % 30);
        else
            snprintf(what, sizeof what, "report.html");
        (void)!ask(sockets[i / 20 % LEAVERS], what, i);
    }
    puts(leaves ? "leaving" : "deaf");
    fflush(stdout);
    if (!leaves)
        pause();
    _exit(0);
}

/* Those that are hung up on come again, as ZeroMQ does it. */
static void come_in_a_crowd(void *context, const char *endpoint, const link_config *link, bool speaks)
{
    error_detail detail = {0};
    for (uint32_t i = 0; i < CROWD; i++) {
        void *socket = connect_peer(context, endpoint, link, 0, &detail);
        if (socket == NULL || (speaks && !ask(socket, "jobs", i)))
            return;
    }
}

static void say_hello_much(void *context, const char *endpoint, const link_config *link)
{
    error_detail detail = {0};
    byte_writer frame;
    message *said = calloc(1, sizeof *said);
    message_hello *hello = &said->hello;
    void *socket = connect_peer(context, endpoint, link, 0, &detail);
    byte_writer_init(&frame, FRAME_BYTES_MAX);
    said->type = MESSAGE_HELLO;
    hello->protocol_version = PROTOCOL_VERSION;
    hello->render_version = RENDER_VERSION;
    snprintf(hello->engine, sizeof hello->engine, "%s", ENGINE_VERSION);
    snprintf(hello->cpu, sizeof hello->cpu, "scalar");
    hello->slots = 1;
    hello->beat = 1;
    hello->root_count = ROOTS_MAX;
    for (uint32_t i = 0; i < ROOTS_MAX; i++)
        snprintf(hello->roots[i].name, sizeof hello->roots[i].name, "%062u", i);
    for (uint32_t i = 0; i < NODES && socket != NULL; i++) {
        memcpy(hello->instance, &i, sizeof i);
        snprintf(hello->name, sizeof hello->name, "node-%u", i);
        byte_writer_reset(&frame);
        if (message_encode(said, &frame) == STATUS_OK)
            zmq_send(socket, frame.bytes, frame.size, 0);
    }
    byte_writer_deinit(&frame);
    free(said);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    link_config link = {.plain = false};
    error_detail detail = {0};
    snprintf(link.key, sizeof link.key, "%s", argv[2]);
    snprintf(link.coordinator_key, sizeof link.coordinator_key, "%s", argv[3]);
    void *context = zmq_ctx_new();
    if (strcmp(argv[4], "leave") == 0 || strcmp(argv[4], "deaf") == 0)
        ask_and_read_nothing(context, argv[1], &link, strcmp(argv[4], "leave") == 0);
    const char *mode = argv[4];
    bool stays = strcmp(mode, "crowd") == 0 || strcmp(mode, "silent") == 0 || strcmp(mode, "nodes") == 0;
    zmq_ctx_set(context, ZMQ_MAX_SOCKETS, 2 * CROWD);
    if (strcmp(mode, "nodes") == 0)
        say_hello_much(context, argv[1], &link);
    else if (stays)
        come_in_a_crowd(context, argv[1], &link, strcmp(mode, "crowd") == 0);
    if (stays) {
        puts("here");
        fflush(stdout);
        pause();
    }
    void *socket = connect_peer(context, argv[1], &link, 0, &detail);
    if (socket == NULL) {
        fprintf(stderr, "%s\n", detail.message);
        return 2;
    }
    for (uint32_t i = 0; strcmp(argv[4], "flood") == 0; i++) {
        ask(socket, "jobs", i);
        if (i == 0) {
            puts("flooding");
            fflush(stdout);
        }
    }
    misbehave(socket, argv[4]);
    char answer[4096];
    bool answered = false;
    for (uint32_t i = 0; i < TRIES && !answered; i++) /* what was said before the connection broke is lost */
        answered = ask(socket, "jobs", i) && zmq_recv(socket, answer, sizeof answer, 0) > 0;
    puts(answered ? "answered" : "not answered");
    zmq_close(socket);
    zmq_ctx_term(context);
    return 0;
}
