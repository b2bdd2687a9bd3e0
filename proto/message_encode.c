#include "proto/message_encode.h"

#include "common/base/ensure.h"
#include "proto/message_text.h"

#include <msgpack.h>
#include <string.h>

static int writer_append(void *context, const char *bytes, size_t byte_size)
{
    byte_writer *writer = context;
    byte_writer_bytes(writer, bytes, byte_size);
    return writer->failed ? -1 : 0;
}

/* msgpack's results are not looked at: its only failure is the writer's, which remembers it. */

static void pack_u32(msgpack_packer *packer, uint32_t value)
{
    (void)msgpack_pack_uint32(packer, value);
}

static void pack_u64(msgpack_packer *packer, uint64_t value)
{
    (void)msgpack_pack_uint64(packer, value);
}

static void pack_flag(msgpack_packer *packer, bool value)
{
    (void)(value ? msgpack_pack_true(packer) : msgpack_pack_false(packer));
}

static void pack_array(msgpack_packer *packer, uint32_t count)
{
    (void)msgpack_pack_array(packer, count);
}

/* size_max: of the field in its struct. What is no allowed text (a file name may be anything) is cleaned on the way. */
static void pack_text(msgpack_packer *packer, const char *text, size_t size_max)
{
    char clean[ERROR_MESSAGE_SIZE];
    ENSURE(size_max <= sizeof clean);
    size_t size = message_text_clean(text, clean, size_max);
    (void)msgpack_pack_str_with_body(packer, clean, size);
}

static void pack_bytes(msgpack_packer *packer, const void *bytes, size_t byte_size)
{
    (void)msgpack_pack_bin(packer, byte_size);
    if (byte_size > 0)
        (void)msgpack_pack_bin_body(packer, bytes, byte_size);
}

static void pack_view(msgpack_packer *packer, const message_bytes *view, uint32_t size_max)
{
    ENSURE(view->size <= size_max);
    pack_bytes(packer, view->bytes, view->size);
}

static void pack_attempt_fields(msgpack_packer *packer, const attempt_id *attempt)
{
    pack_u32(packer, attempt->job);
    pack_u32(packer, attempt->task);
    pack_u32(packer, attempt->term);
    pack_u32(packer, attempt->epoch);
}

static void pack_attempt(msgpack_packer *packer, const attempt_id *attempt)
{
    pack_array(packer, 4);
    pack_attempt_fields(packer, attempt);
}

static void pack_attempts(msgpack_packer *packer, uint32_t count, const attempt_id *attempts)
{
    ENSURE(count <= MESSAGE_ATTEMPTS_MAX);
    pack_array(packer, count);
    for (uint32_t i = 0; i < count; i++)
        pack_attempt(packer, &attempts[i]);
}

static void pack_head(msgpack_packer *packer, message_type type, uint32_t field_count)
{
    pack_array(packer, 2 + field_count);
    pack_u32(packer, (uint32_t)type);
    pack_u32(packer, PROTOCOL_VERSION);
}

/* ---- worker to coordinator ---- */

static void pack_hello(msgpack_packer *packer, const message_hello *hello)
{
    ENSURE(hello->root_count <= ROOTS_MAX);
    pack_head(packer, MESSAGE_HELLO, 12);
    pack_u32(packer, hello->protocol_version);
    pack_u32(packer, hello->render_version);
    pack_text(packer, hello->engine, sizeof hello->engine);
    pack_bytes(packer, hello->instance, sizeof hello->instance);
    pack_text(packer, hello->name, sizeof hello->name);
    pack_u32(packer, hello->slots);
    pack_text(packer, hello->cpu, sizeof hello->cpu);
    pack_array(packer, hello->root_count);
    for (uint32_t i = 0; i < hello->root_count; i++) {
        pack_array(packer, 3);
        pack_text(packer, hello->roots[i].name, sizeof hello->roots[i].name);
        pack_flag(packer, hello->roots[i].writable);
        pack_bytes(packer, hello->roots[i].identity.bytes, CONTENT_HASH_BYTES);
    }
    pack_u32(packer, hello->term);
    pack_u64(packer, hello->farm);
    pack_u32(packer, hello->beat);
    pack_attempts(packer, hello->held_count, hello->held);
}

static void pack_heartbeat(msgpack_packer *packer, const message_heartbeat *heartbeat)
{
    ENSURE(heartbeat->running_count <= MESSAGE_ATTEMPTS_MAX);
    pack_head(packer, MESSAGE_HEARTBEAT, 3);
    pack_u32(packer, heartbeat->beat);
    pack_array(packer, heartbeat->running_count);
    for (uint32_t i = 0; i < heartbeat->running_count; i++) {
        pack_array(packer, 5);
        pack_attempt_fields(packer, &heartbeat->running[i].attempt);
        pack_u32(packer, heartbeat->running[i].done_permille);
    }
    pack_flag(packer, heartbeat->draining);
}

static void pack_cell(msgpack_packer *packer, const message_cell *cell)
{
    ENSURE(cell->input_count <= CELL_INPUTS_MAX && cell->output_count <= CELL_OUTPUTS_MAX &&
           cell->measure_count <= CELL_MEASURES_MAX);
    pack_head(packer, MESSAGE_CELL, 5);
    pack_attempt(packer, &cell->attempt);
    pack_u32(packer, cell->cell);
    pack_bytes(packer, cell->inputs, (size_t)cell->input_count * sizeof *cell->inputs);
    pack_bytes(packer, cell->outputs, (size_t)cell->output_count * sizeof *cell->outputs);
    pack_array(packer, cell->measure_count);
    for (uint32_t i = 0; i < cell->measure_count; i++)
        pack_view(packer, &cell->measures[i], MEASURE_BYTES_MAX);
}

static void pack_result(msgpack_packer *packer, const message_result *result)
{
    pack_head(packer, MESSAGE_RESULT, 6);
    pack_attempt(packer, &result->attempt);
    pack_u32(packer, result->code);
    pack_text(packer, result->detail, sizeof result->detail);
    pack_u32(packer, result->cell_count);
    pack_u64(packer, result->elapsed_ms);
    pack_view(packer, &result->payload, RESULT_PAYLOAD_MAX);
}

static void pack_fetch(msgpack_packer *packer, const message_fetch *fetch)
{
    pack_head(packer, MESSAGE_FETCH, 3);
    pack_attempt(packer, &fetch->attempt);
    pack_u32(packer, fetch->document);
    pack_u64(packer, fetch->offset);
}

/* ---- coordinator to worker ---- */

static void pack_welcome(msgpack_packer *packer, const message_welcome *welcome)
{
    pack_head(packer, MESSAGE_WELCOME, 6);
    pack_u32(packer, welcome->beat);
    pack_u32(packer, welcome->term);
    pack_u64(packer, welcome->farm);
    pack_u32(packer, welcome->worker);
    pack_u32(packer, welcome->heartbeat_ms);
    pack_u32(packer, welcome->lease_ms);
}

static void pack_refuse(msgpack_packer *packer, const message_refuse *refuse)
{
    pack_head(packer, MESSAGE_REFUSE, 2);
    pack_u32(packer, refuse->code);
    pack_text(packer, refuse->detail, sizeof refuse->detail);
}

static void pack_assign(msgpack_packer *packer, const message_assign *assign)
{
    ENSURE(assign->task_count <= MESSAGE_TASKS_MAX);
    pack_head(packer, MESSAGE_ASSIGN, 1);
    pack_array(packer, assign->task_count);
    for (uint32_t i = 0; i < assign->task_count; i++) {
        pack_array(packer, 3);
        pack_attempt(packer, &assign->tasks[i].attempt);
        pack_u32(packer, assign->tasks[i].kind);
        pack_bytes(packer, assign->tasks[i].body.bytes, assign->tasks[i].body.size);
    }
}

static void pack_chunk(msgpack_packer *packer, const message_chunk *chunk)
{
    pack_head(packer, MESSAGE_CHUNK, 5);
    pack_attempt(packer, &chunk->attempt);
    pack_u32(packer, chunk->document);
    pack_u64(packer, chunk->offset);
    pack_u64(packer, chunk->total_size);
    pack_view(packer, &chunk->bytes, DOCUMENT_CHUNK_MAX);
}

/* ---- clients ---- */

static void pack_submit_begin(msgpack_packer *packer, const message_submit_begin *begin)
{
    pack_head(packer, MESSAGE_SUBMIT_BEGIN, 4);
    pack_bytes(packer, begin->request, sizeof begin->request);
    pack_u64(packer, begin->document_size);
    pack_bytes(packer, begin->document_digest.bytes, sizeof begin->document_digest.bytes);
    (void)msgpack_pack_int32(packer, begin->priority);
}

static void pack_submit_append(msgpack_packer *packer, const message_submit_append *append)
{
    pack_head(packer, MESSAGE_SUBMIT_APPEND, 3);
    pack_bytes(packer, append->request, sizeof append->request);
    pack_u64(packer, append->offset);
    pack_view(packer, &append->bytes, DOCUMENT_CHUNK_MAX);
}

static void pack_submit_commit(msgpack_packer *packer, const message_submit_commit *commit)
{
    pack_head(packer, MESSAGE_SUBMIT_COMMIT, 1);
    pack_bytes(packer, commit->request, sizeof commit->request);
}

static void pack_query(msgpack_packer *packer, const message_query *query)
{
    pack_head(packer, MESSAGE_QUERY, 4);
    pack_bytes(packer, query->request, sizeof query->request);
    pack_text(packer, query->what, sizeof query->what);
    pack_u32(packer, query->job);
    pack_u64(packer, query->offset);
}

static void pack_command(msgpack_packer *packer, const message_command *command)
{
    pack_head(packer, MESSAGE_COMMAND, 5);
    pack_bytes(packer, command->request, sizeof command->request);
    pack_text(packer, command->verb, sizeof command->verb);
    pack_u32(packer, command->job);
    pack_text(packer, command->target, sizeof command->target);
    pack_text(packer, command->reason, sizeof command->reason);
}

static void pack_answer(msgpack_packer *packer, const message_answer *answer)
{
    pack_head(packer, MESSAGE_ANSWER, 7);
    pack_bytes(packer, answer->request, sizeof answer->request);
    pack_u32(packer, answer->code);
    pack_text(packer, answer->detail, sizeof answer->detail);
    pack_u32(packer, answer->job);
    pack_u64(packer, answer->total_size);
    pack_u64(packer, answer->offset);
    pack_view(packer, &answer->bytes, DOCUMENT_CHUNK_MAX);
}

static void pack_to_coordinator(msgpack_packer *packer, const message *self)
{
    if (self->type == MESSAGE_HELLO)
        pack_hello(packer, &self->hello);
    else if (self->type == MESSAGE_HEARTBEAT)
        pack_heartbeat(packer, &self->heartbeat);
    else if (self->type == MESSAGE_CELL)
        pack_cell(packer, &self->cell);
    else if (self->type == MESSAGE_RESULT)
        pack_result(packer, &self->result);
    else if (self->type == MESSAGE_FETCH)
        pack_fetch(packer, &self->fetch);
    else
        pack_head(packer, MESSAGE_GOODBYE, 0);
}

static void pack_to_worker(msgpack_packer *packer, const message *self)
{
    if (self->type == MESSAGE_WELCOME) {
        pack_welcome(packer, &self->welcome);
    } else if (self->type == MESSAGE_REFUSE) {
        pack_refuse(packer, &self->refuse);
    } else if (self->type == MESSAGE_ASSIGN) {
        pack_assign(packer, &self->assign);
    } else if (self->type == MESSAGE_CHUNK) {
        pack_chunk(packer, &self->chunk);
    } else if (self->type == MESSAGE_DRAIN) {
        pack_head(packer, MESSAGE_DRAIN, 0);
    } else { /* ACK, CANCEL */
        pack_head(packer, self->type, 2);
        pack_u32(packer, self->attempts.beat);
        pack_attempts(packer, self->attempts.count, self->attempts.attempts);
    }
}

static void pack_message(msgpack_packer *packer, const message *self)
{
    switch (self->type) {
    case MESSAGE_HELLO:
    case MESSAGE_HEARTBEAT:
    case MESSAGE_CELL:
    case MESSAGE_RESULT:
    case MESSAGE_FETCH:
    case MESSAGE_GOODBYE:
        pack_to_coordinator(packer, self);
        return;
    case MESSAGE_WELCOME:
    case MESSAGE_REFUSE:
    case MESSAGE_ASSIGN:
    case MESSAGE_ACK:
    case MESSAGE_CANCEL:
    case MESSAGE_DRAIN:
    case MESSAGE_CHUNK:
        pack_to_worker(packer, self);
        return;
    case MESSAGE_SUBMIT_BEGIN:
        pack_submit_begin(packer, &self->submit_begin);
        return;
    case MESSAGE_SUBMIT_APPEND:
        pack_submit_append(packer, &self->submit_append);
        return;
    case MESSAGE_SUBMIT_COMMIT:
        pack_submit_commit(packer, &self->submit_commit);
        return;
    case MESSAGE_QUERY:
        pack_query(packer, &self->query);
        return;
    case MESSAGE_COMMAND:
        pack_command(packer, &self->command);
        return;
    case MESSAGE_ANSWER:
        pack_answer(packer, &self->answer);
        return;
    }
    ENSURE(false && "a message of no known type");
}

status message_encode(const message *self, byte_writer *writer)
{
    size_t begin = writer->size;
    msgpack_packer packer;
    msgpack_packer_init(&packer, writer, writer_append);
    pack_message(&packer, self);
    if (!writer->failed && writer->size - begin > FRAME_BYTES_MAX)
        writer->failed = true;
    return writer->failed ? STATUS_LIMIT : STATUS_OK;
}
