#include "tests/unit/proto/sample_messages.h"

#include <string.h>

const message_type *sample_message_types(size_t *out_count)
{
    static const message_type types[] = {
        MESSAGE_HELLO,        MESSAGE_HEARTBEAT,     MESSAGE_CELL,          MESSAGE_RESULT, MESSAGE_FETCH,
        MESSAGE_GOODBYE,      MESSAGE_WELCOME,       MESSAGE_REFUSE,        MESSAGE_ASSIGN, MESSAGE_ACK,
        MESSAGE_CANCEL,       MESSAGE_DRAIN,         MESSAGE_CHUNK,         MESSAGE_SUBMIT_BEGIN,
        MESSAGE_SUBMIT_APPEND, MESSAGE_SUBMIT_COMMIT, MESSAGE_QUERY,        MESSAGE_COMMAND, MESSAGE_ANSWER,
    };
    *out_count = sizeof types / sizeof types[0];
    return types;
}

static const uint8_t rising[64] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
    44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
};

static const attempt_id first = {.job = 1, .task = 2, .term = 3, .epoch = 4};
static const attempt_id second = {.job = 70000, .task = 300, .term = 3, .epoch = UINT32_MAX};

static void sample_worker_message(message_type type, message *out)
{
    if (type == MESSAGE_HELLO) {
        out->hello = (message_hello){.protocol_version = PROTOCOL_VERSION,
                                     .render_version = 7,
                                     .engine = "reelmill 0.1.0",
                                     .name = "node-\xC3\xA9",
                                     .slots = 8,
                                     .cpu = "avx2",
                                     .root_count = 2,
                                     .roots = {{.name = "media"}, {.name = "out", .writable = true}},
                                     .term = 3,
                                     .farm = 0x0123456789ABCDEFu,
                                     .beat = 5,
                                     .held_count = 2,
                                     .held = {first, second}};
        memcpy(out->hello.instance, rising, INSTANCE_BYTES);
        memcpy(out->hello.roots[1].identity.bytes, rising + 32, CONTENT_HASH_BYTES);
    } else if (type == MESSAGE_HEARTBEAT) {
        out->heartbeat = (message_heartbeat){
            .beat = 6, .running_count = 2, .running = {{first, 0}, {second, 1000}}, .draining = true};
    } else if (type == MESSAGE_CELL) {
        out->cell = (message_cell){.attempt = first,
                                   .cell = 9,
                                   .input_count = 2,
                                   .inputs = (const content_hash *)rising,
                                   .output_count = 1,
                                   .outputs = (const content_hash *)(rising + 32),
                                   .measure_count = 2,
                                   .measures = {{rising, 3}, {rising + 3, 2}}};
    } else if (type == MESSAGE_RESULT) {
        out->result = (message_result){.attempt = second,
                                       .code = STATUS_STORAGE_FULL,
                                       .detail = "disk full",
                                       .cell_count = 12,
                                       .elapsed_ms = 5000000000u,
                                       .payload = {rising, 5}};
    } else if (type == MESSAGE_FETCH) {
        out->fetch = (message_fetch){.attempt = first, .document = 1, .offset = 131072};
    }
}

static void sample_coordinator_message(message_type type, message *out)
{
    if (type == MESSAGE_WELCOME)
        out->welcome = (message_welcome){
            .beat = 5, .term = 3, .farm = UINT64_MAX, .worker = 17, .heartbeat_ms = 2000, .lease_ms = 15000};
    else if (type == MESSAGE_REFUSE)
        out->refuse = (message_refuse){.code = STATUS_PEER_REFUSED, .detail = "unknown worker: say hello"};
    else if (type == MESSAGE_ASSIGN)
        out->assign = (message_assign){
            .task_count = 2, .tasks = {{first, TASK_PROBE, {rising, 4}}, {second, TASK_DEPOSIT, {rising, 0}}}};
    else if (type == MESSAGE_ACK)
        out->attempts = (message_attempts){.beat = 6, .count = 1, .attempts = {first}};
    else if (type == MESSAGE_CANCEL)
        out->attempts = (message_attempts){.count = 2, .attempts = {first, second}};
    else if (type == MESSAGE_CHUNK)
        out->chunk = (message_chunk){
            .attempt = first, .document = 1, .offset = 131072, .total_size = 131075, .bytes = {rising, 3}};
}

static void sample_client_message(message_type type, message *out)
{
    if (type == MESSAGE_SUBMIT_BEGIN) {
        out->submit_begin = (message_submit_begin){.document_size = 65536, .priority = -3};
        memcpy(out->submit_begin.document_digest.bytes, rising + 16, CONTENT_HASH_BYTES);
        memcpy(out->submit_begin.request, rising, REQUEST_BYTES);
    } else if (type == MESSAGE_SUBMIT_APPEND) {
        out->submit_append = (message_submit_append){.offset = 256, .bytes = {rising, 6}};
        memcpy(out->submit_append.request, rising, REQUEST_BYTES);
    } else if (type == MESSAGE_SUBMIT_COMMIT) {
        memcpy(out->submit_commit.request, rising, REQUEST_BYTES);
    } else if (type == MESSAGE_QUERY) {
        out->query = (message_query){.what = "report.json", .job = 1, .offset = 128};
        memcpy(out->query.request, rising, REQUEST_BYTES);
    } else if (type == MESSAGE_COMMAND) {
        out->command = (message_command){.verb = "drain", .target = "node-1", .reason = "new disk"};
        memcpy(out->command.request, rising, REQUEST_BYTES);
    } else if (type == MESSAGE_ANSWER) {
        out->answer = (message_answer){
            .code = STATUS_OK, .job = 1, .total_size = 1000, .offset = 128, .bytes = {rising, 7}};
        memcpy(out->answer.request, rising, REQUEST_BYTES);
    }
}

void sample_message(message_type type, message *out_message)
{
    memset(out_message, 0, sizeof *out_message);
    out_message->type = type;
    sample_worker_message(type, out_message);
    sample_coordinator_message(type, out_message);
    sample_client_message(type, out_message);
}
