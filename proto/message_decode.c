#include "proto/message_decode.h"

#include "proto/message_scan.h"
#include "proto/message_text.h"

#include <assert.h>
#include <msgpack.h>
#include <string.h>

static_assert(_Alignof(content_hash) == 1, "digests are viewed in the frame itself");

/* A walk along the items of one array. The first thing wrong is remembered; later reads give zero. */
typedef struct field_reader {
    const msgpack_object *items;
    uint32_t count;
    uint32_t next;
    const char *problem;  /* NULL while all is well; the innermost reader's is handed outwards */
    uint32_t problem_at;
} field_reader;

static void reader_fail(field_reader *self, const char *problem)
{
    if (self->problem == NULL) {
        self->problem = problem;
        self->problem_at = self->next == 0 ? 0 : self->next - 1;
    }
}

static const msgpack_object *reader_item(field_reader *self)
{
    if (self->problem != NULL || self->next == self->count) {
        self->next = self->count;
        reader_fail(self, "is missing");
        return NULL;
    }
    return &self->items[self->next++];
}

static uint64_t read_u64(field_reader *self, uint64_t minimum, uint64_t maximum)
{
    const msgpack_object *item = reader_item(self);
    if (item == NULL)
        return 0;
    if (item->type != MSGPACK_OBJECT_POSITIVE_INTEGER || item->via.u64 < minimum || item->via.u64 > maximum) {
        reader_fail(self, "is no whole number in its range");
        return 0;
    }
    return item->via.u64;
}

static uint32_t read_u32(field_reader *self, uint32_t minimum, uint32_t maximum)
{
    return (uint32_t)read_u64(self, minimum, maximum);
}

static int32_t read_i32(field_reader *self)
{
    const msgpack_object *item = reader_item(self);
    if (item == NULL)
        return 0;
    if (item->type == MSGPACK_OBJECT_POSITIVE_INTEGER && item->via.u64 <= INT32_MAX)
        return (int32_t)item->via.u64;
    if (item->type == MSGPACK_OBJECT_NEGATIVE_INTEGER && item->via.i64 >= INT32_MIN)
        return (int32_t)item->via.i64;
    reader_fail(self, "is no whole number in its range");
    return 0;
}

static bool read_flag(field_reader *self)
{
    const msgpack_object *item = reader_item(self);
    if (item == NULL || item->type != MSGPACK_OBJECT_BOOLEAN) {
        reader_fail(self, "is neither true nor false");
        return false;
    }
    return item->via.boolean;
}

static void read_text(field_reader *self, char *out, size_t out_size)
{
    const msgpack_object *item = reader_item(self);
    out[0] = '\0';
    if (item == NULL)
        return;
    if (item->type != MSGPACK_OBJECT_STR || item->via.str.size >= out_size ||
        !message_text_valid(item->via.str.ptr, item->via.str.size)) {
        reader_fail(self, "is no text of the allowed length and characters");
        return;
    }
    if (item->via.str.size > 0) /* msgpack-c gives NULL for an empty one */
        memcpy(out, item->via.str.ptr, item->via.str.size);
    out[item->via.str.size] = '\0';
}

static void read_name(field_reader *self, char *out, size_t out_size)
{
    read_text(self, out, out_size);
    if (out[0] == '\0')
        reader_fail(self, "is an empty name");
}

static message_bytes read_bytes(field_reader *self, uint32_t size_max)
{
    const msgpack_object *item = reader_item(self);
    if (item == NULL)
        return (message_bytes){0};
    if (item->type != MSGPACK_OBJECT_BIN || item->via.bin.size > size_max) {
        reader_fail(self, "is no byte string of the allowed length");
        return (message_bytes){0};
    }
    const char *bytes = item->via.bin.size == 0 ? "" : item->via.bin.ptr; /* never NULL for those who read on */
    return (message_bytes){.bytes = (const uint8_t *)bytes, .size = item->via.bin.size};
}

static void read_exactly(field_reader *self, uint8_t *out, uint32_t byte_size)
{
    message_bytes view = read_bytes(self, byte_size);
    if (view.size != byte_size) {
        reader_fail(self, "is a byte string of another length");
        return;
    }
    memcpy(out, view.bytes, byte_size);
}

static const content_hash *read_digests(field_reader *self, uint32_t count_max, uint32_t *out_count)
{
    message_bytes view = read_bytes(self, count_max * CONTENT_HASH_BYTES);
    if (view.size % CONTENT_HASH_BYTES != 0)
        reader_fail(self, "is no whole number of digests");
    *out_count = view.size / CONTENT_HASH_BYTES;
    return (const content_hash *)view.bytes;
}

/* An array field as a reader of its own; with `exactly`, of exactly that many items. Ended by reader_leave. */
static field_reader reader_enter(field_reader *self, uint32_t count_max, bool exactly)
{
    const msgpack_object *item = reader_item(self);
    if (item == NULL || item->type != MSGPACK_OBJECT_ARRAY || item->via.array.size > count_max ||
        (exactly && item->via.array.size != count_max)) {
        reader_fail(self, "is no array of the allowed length");
        return (field_reader){.problem = self->problem};
    }
    return (field_reader){.items = item->via.array.ptr, .count = item->via.array.size};
}

static void reader_leave(field_reader *self, const field_reader *inner)
{
    if (inner->problem != NULL)
        reader_fail(self, inner->problem);
    else if (inner->next != inner->count)
        reader_fail(self, "has items nobody asked for");
}

static attempt_id read_attempt_fields(field_reader *self)
{
    attempt_id attempt;
    attempt.job = read_u32(self, 0, UINT32_MAX);
    attempt.task = read_u32(self, 0, UINT32_MAX);
    attempt.term = read_u32(self, 0, UINT32_MAX);
    attempt.epoch = read_u32(self, 0, UINT32_MAX);
    return attempt;
}

static attempt_id read_attempt(field_reader *self)
{
    field_reader inner = reader_enter(self, 4, true);
    attempt_id attempt = read_attempt_fields(&inner);
    reader_leave(self, &inner);
    return attempt;
}

static uint32_t read_attempts(field_reader *self, attempt_id *out_attempts)
{
    field_reader inner = reader_enter(self, MESSAGE_ATTEMPTS_MAX, false);
    for (uint32_t i = 0; i < inner.count && inner.problem == NULL; i++)
        out_attempts[i] = read_attempt(&inner);
    reader_leave(self, &inner);
    return inner.count;
}

/* ---- worker to coordinator ---- */

static void read_hello(field_reader *fields, message_hello *hello)
{
    hello->protocol_version = read_u32(fields, 0, UINT32_MAX);
    hello->render_version = read_u32(fields, 0, UINT32_MAX);
    read_text(fields, hello->engine, sizeof hello->engine);
    read_exactly(fields, hello->instance, sizeof hello->instance);
    read_name(fields, hello->name, sizeof hello->name);
    hello->slots = read_u32(fields, 1, WORKER_SLOTS_MAX);
    read_text(fields, hello->cpu, sizeof hello->cpu);
    field_reader roots = reader_enter(fields, ROOTS_MAX, false);
    for (uint32_t i = 0; i < roots.count && roots.problem == NULL; i++) {
        field_reader root = reader_enter(&roots, 3, true);
        read_name(&root, hello->roots[i].name, sizeof hello->roots[i].name);
        hello->roots[i].writable = read_flag(&root);
        read_exactly(&root, hello->roots[i].identity.bytes, CONTENT_HASH_BYTES);
        reader_leave(&roots, &root);
    }
    hello->root_count = roots.count;
    reader_leave(fields, &roots);
    hello->term = read_u32(fields, 0, UINT32_MAX);
    hello->farm = read_u64(fields, 0, UINT64_MAX);
    hello->beat = read_u32(fields, 1, UINT32_MAX);
    hello->held_count = read_attempts(fields, hello->held);
}

static void read_heartbeat(field_reader *fields, message_heartbeat *heartbeat)
{
    heartbeat->beat = read_u32(fields, 1, UINT32_MAX);
    field_reader running = reader_enter(fields, MESSAGE_ATTEMPTS_MAX, false);
    for (uint32_t i = 0; i < running.count && running.problem == NULL; i++) {
        field_reader item = reader_enter(&running, 5, true);
        heartbeat->running[i].attempt = read_attempt_fields(&item);
        heartbeat->running[i].done_permille = read_u32(&item, 0, 1000);
        reader_leave(&running, &item);
    }
    heartbeat->running_count = running.count;
    reader_leave(fields, &running);
    heartbeat->draining = read_flag(fields);
}

static void read_cell(field_reader *fields, message_cell *cell)
{
    cell->attempt = read_attempt(fields);
    cell->cell = read_u32(fields, 0, UINT32_MAX);
    cell->inputs = read_digests(fields, CELL_INPUTS_MAX, &cell->input_count);
    cell->outputs = read_digests(fields, CELL_OUTPUTS_MAX, &cell->output_count);
    field_reader measures = reader_enter(fields, CELL_MEASURES_MAX, false);
    for (uint32_t i = 0; i < measures.count && measures.problem == NULL; i++)
        cell->measures[i] = read_bytes(&measures, MEASURE_BYTES_MAX);
    cell->measure_count = measures.count;
    reader_leave(fields, &measures);
}

static void read_result(field_reader *fields, message_result *result)
{
    result->attempt = read_attempt(fields);
    result->code = read_u32(fields, 0, STATUS_COUNT - 1);
    read_text(fields, result->detail, sizeof result->detail);
    result->cell_count = read_u32(fields, 0, TASK_CELLS_MAX);
    result->elapsed_ms = read_u64(fields, 0, UINT64_MAX);
    result->payload = read_bytes(fields, RESULT_PAYLOAD_MAX);
}

static void read_fetch(field_reader *fields, message_fetch *fetch)
{
    fetch->attempt = read_attempt(fields);
    fetch->document = read_u32(fields, 0, UINT32_MAX);
    fetch->offset = read_u64(fields, 0, UINT64_MAX);
}

/* ---- coordinator to worker ---- */

static void read_welcome(field_reader *fields, message_welcome *welcome)
{
    welcome->beat = read_u32(fields, 0, UINT32_MAX);
    welcome->term = read_u32(fields, 0, UINT32_MAX);
    welcome->farm = read_u64(fields, 0, UINT64_MAX);
    welcome->worker = read_u32(fields, 0, UINT32_MAX);
    welcome->heartbeat_ms = read_u32(fields, 1, UINT32_MAX);
    welcome->lease_ms = read_u32(fields, 1, UINT32_MAX);
}

static void read_refuse(field_reader *fields, message_refuse *refuse)
{
    refuse->code = read_u32(fields, 0, UINT32_MAX); /* a later version may have codes that this one lacks */
    read_text(fields, refuse->detail, sizeof refuse->detail);
}

static void read_assign(field_reader *fields, message_assign *assign)
{
    field_reader tasks = reader_enter(fields, MESSAGE_TASKS_MAX, false);
    for (uint32_t i = 0; i < tasks.count && tasks.problem == NULL; i++) {
        field_reader task = reader_enter(&tasks, 3, true);
        assign->tasks[i].attempt = read_attempt(&task);
        assign->tasks[i].kind = read_u32(&task, 1, TASK_KIND_REMOTE_END - 1);
        assign->tasks[i].body = read_bytes(&task, FRAME_BYTES_MAX);
        reader_leave(&tasks, &task);
    }
    assign->task_count = tasks.count;
    reader_leave(fields, &tasks);
}

static void read_chunk(field_reader *fields, message_chunk *chunk)
{
    chunk->attempt = read_attempt(fields);
    chunk->document = read_u32(fields, 0, UINT32_MAX);
    chunk->offset = read_u64(fields, 0, UINT64_MAX);
    chunk->total_size = read_u64(fields, 0, UINT64_MAX);
    chunk->bytes = read_bytes(fields, DOCUMENT_CHUNK_MAX);
}

/* ---- clients ---- */

static void read_submit_begin(field_reader *fields, message_submit_begin *begin)
{
    read_exactly(fields, begin->request, sizeof begin->request);
    begin->document_size = read_u64(fields, 1, JOB_DOCUMENT_MAX);
    read_exactly(fields, begin->document_digest.bytes, sizeof begin->document_digest.bytes);
    begin->priority = read_i32(fields);
}

static void read_submit_append(field_reader *fields, message_submit_append *append)
{
    read_exactly(fields, append->request, sizeof append->request);
    append->offset = read_u64(fields, 0, JOB_DOCUMENT_MAX);
    append->bytes = read_bytes(fields, DOCUMENT_CHUNK_MAX);
}

static void read_query(field_reader *fields, message_query *query)
{
    read_exactly(fields, query->request, sizeof query->request);
    read_name(fields, query->what, sizeof query->what);
    query->job = read_u32(fields, 0, UINT32_MAX);
    query->offset = read_u64(fields, 0, UINT64_MAX);
}

static void read_command(field_reader *fields, message_command *command)
{
    read_exactly(fields, command->request, sizeof command->request);
    read_name(fields, command->verb, sizeof command->verb);
    command->job = read_u32(fields, 0, UINT32_MAX);
    read_text(fields, command->target, sizeof command->target);
    read_text(fields, command->reason, sizeof command->reason);
}

static void read_answer(field_reader *fields, message_answer *answer)
{
    read_exactly(fields, answer->request, sizeof answer->request);
    answer->code = read_u32(fields, 0, STATUS_COUNT - 1);
    read_text(fields, answer->detail, sizeof answer->detail);
    answer->job = read_u32(fields, 0, UINT32_MAX);
    answer->total_size = read_u64(fields, 0, UINT64_MAX);
    answer->offset = read_u64(fields, 0, UINT64_MAX);
    answer->bytes = read_bytes(fields, DOCUMENT_CHUNK_MAX);
}

static void read_message(field_reader *fields, message *out)
{
    switch (out->type) {
    case MESSAGE_HELLO:
        read_hello(fields, &out->hello);
        return;
    case MESSAGE_HEARTBEAT:
        read_heartbeat(fields, &out->heartbeat);
        return;
    case MESSAGE_CELL:
        read_cell(fields, &out->cell);
        return;
    case MESSAGE_RESULT:
        read_result(fields, &out->result);
        return;
    case MESSAGE_FETCH:
        read_fetch(fields, &out->fetch);
        return;
    case MESSAGE_WELCOME:
        read_welcome(fields, &out->welcome);
        return;
    case MESSAGE_REFUSE:
        read_refuse(fields, &out->refuse);
        return;
    case MESSAGE_ASSIGN:
        read_assign(fields, &out->assign);
        return;
    case MESSAGE_ACK:
    case MESSAGE_CANCEL:
        out->attempts.beat = read_u32(fields, 0, out->type == MESSAGE_ACK ? UINT32_MAX : 0);
        out->attempts.count = read_attempts(fields, out->attempts.attempts);
        return;
    case MESSAGE_CHUNK:
        read_chunk(fields, &out->chunk);
        return;
    case MESSAGE_SUBMIT_BEGIN:
        read_submit_begin(fields, &out->submit_begin);
        return;
    case MESSAGE_SUBMIT_APPEND:
        read_submit_append(fields, &out->submit_append);
        return;
    case MESSAGE_SUBMIT_COMMIT:
        read_exactly(fields, out->submit_commit.request, sizeof out->submit_commit.request);
        return;
    case MESSAGE_QUERY:
        read_query(fields, &out->query);
        return;
    case MESSAGE_COMMAND:
        read_command(fields, &out->command);
        return;
    case MESSAGE_ANSWER:
        read_answer(fields, &out->answer);
        return;
    case MESSAGE_GOODBYE:
    case MESSAGE_DRAIN:
        return; /* no fields */
    }
    reader_fail(fields, "is a type that nobody knows");
}

static status decode_object(message *out_message, const msgpack_object *root, error_detail *detail)
{
    field_reader fields = {.items = root->via.array.ptr, .count = root->via.array.size};
    memset(out_message, 0, sizeof *out_message);
    out_message->type = (message_type)read_u32(&fields, 1, 255);
    uint32_t version = read_u32(&fields, 1, UINT32_MAX);
    /* REFUSE keeps its form for ever, so that a peer of any version can be told why it is refused. */
    if (fields.problem == NULL && version != PROTOCOL_VERSION && out_message->type != MESSAGE_REFUSE)
        return error_detail_set(detail, STATUS_PEER_VERSION, "the peer speaks protocol version %u, this is version %d",
                                version, PROTOCOL_VERSION);
    if (fields.problem == NULL)
        read_message(&fields, out_message);
    if (fields.problem == NULL && fields.next != fields.count)
        reader_fail(&fields, "is followed by more than the message has");
    if (fields.problem != NULL)
        return error_detail_set(detail, STATUS_PEER_MALFORMED, "message %s: item %u %s",
                                message_type_name(out_message->type), fields.problem_at, fields.problem);
    return STATUS_OK;
}

status message_decode(message *out_message, const void *bytes, size_t byte_size, arena *memory, error_detail *detail)
{
    (void)memory; /* every view so far points into the frame */
    status code = message_scan(bytes, byte_size, detail);
    if (code != STATUS_OK)
        return code;
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    size_t offset = 0;
    msgpack_unpack_return unpack = msgpack_unpack_next(&unpacked, bytes, byte_size, &offset);
    if (unpack != MSGPACK_UNPACK_SUCCESS || offset != byte_size || unpacked.data.type != MSGPACK_OBJECT_ARRAY)
        code = error_detail_set(detail, STATUS_PEER_MALFORMED, "msgpack does not read the frame (%d)", (int)unpack);
    else
        code = decode_object(out_message, &unpacked.data, detail);
    msgpack_unpacked_destroy(&unpacked);
    return code;
}
