#include "coordinator/shell/shell_record.h"

#include "coordinator/verdict/verdict.h"

#include "common/base/byte_reader.h"

#include <string.h>

static void encode_attempt(const attempt_id *tried, byte_writer *writer)
{
    byte_writer_u32(writer, tried->job);
    byte_writer_u32(writer, tried->task);
    byte_writer_u32(writer, tried->term);
    byte_writer_u32(writer, tried->epoch);
}

static attempt_id decode_attempt(byte_reader *reader)
{
    attempt_id tried = {.job = byte_reader_u32(reader)};
    tried.task = byte_reader_u32(reader);
    tried.term = byte_reader_u32(reader);
    tried.epoch = byte_reader_u32(reader);
    return tried;
}

static void encode_result(const result_record *result, byte_writer *writer)
{
    encode_attempt(&result->attempt, writer);
    byte_writer_u32(writer, result->code);
    byte_writer_u64(writer, result->elapsed_ms);
    byte_writer_u64(writer, result->cells.offset);
    byte_writer_u64(writer, result->cells.byte_size);
    byte_writer_u32(writer, result->cell_count);
    byte_writer_text(writer, result->detail);
    byte_writer_blob(writer, result->payload.bytes, result->payload.size);
}

void shell_record_encode(const shell_record *self, byte_writer *writer)
{
    byte_writer_u8(writer, SHELL_RECORD_VERSION);
    switch (self->kind) {
    case RECORD_DOCUMENT:
        byte_writer_u32(writer, self->document.job);
        byte_writer_bytes(writer, self->document.request, REQUEST_BYTES);
        byte_writer_u32(writer, (uint32_t)self->document.priority);
        byte_writer_u64(writer, self->document.submitted_unix_ms);
        byte_writer_blob(writer, self->document.document.bytes, self->document.document.size);
        byte_writer_text(writer, self->document.owner);
        break;
    case RECORD_RESULT:
        encode_result(&self->result, writer);
        break;
    case RECORD_PLAN:
        byte_writer_u32(writer, self->plan.job);
        byte_writer_bytes(writer, self->plan.digest.bytes, CONTENT_HASH_BYTES);
        byte_writer_u32(writer, self->plan.slot_count);
        byte_writer_u32(writer, self->plan.cells_per_task);
        byte_writer_u32(writer, self->plan.task_count);
        break;
    case RECORD_DRAIN:
        byte_writer_text(writer, self->drain.name);
        byte_writer_u8(writer, self->drain.drained ? 1 : 0);
        byte_writer_text(writer, self->drain.reason);
        break;
    case RECORD_ENDED:
        byte_writer_u32(writer, self->ended.job);
        byte_writer_u64(writer, self->ended.ended_unix_ms);
        byte_writer_u8(writer, (uint8_t)((self->ended.held ? 1 : 0) | (self->ended.has_verdict ? 2 : 0)));
        byte_writer_u8(writer, self->ended.verdict);
        byte_writer_u8(writer, self->ended.exit_code);
        byte_writer_u32(writer, self->ended.code);
        byte_writer_text(writer, self->ended.message);
        break;
    case RECORD_FORECAST:
        byte_writer_u32(writer, self->forecast.job);
        byte_writer_u64(writer, self->forecast.made_unix_ms);
        byte_writer_u64(writer, self->forecast.ready_ms);
        break;
    case RECORD_ROOT:
        byte_writer_text(writer, self->root.name);
        byte_writer_text(writer, self->root.node);
        byte_writer_bytes(writer, self->root.identity.bytes, CONTENT_HASH_BYTES);
        break;
    case RECORD_FACT:
        writer->failed = true; /* facts have their own form */
        break;
    }
}

static void decode_document(document_record *record, uint8_t version, byte_reader *reader)
{
    record->job = byte_reader_u32(reader);
    const uint8_t *request = byte_reader_view(reader, REQUEST_BYTES);
    if (request != NULL)
        memcpy(record->request, request, REQUEST_BYTES);
    record->priority = (int32_t)byte_reader_u32(reader);
    record->submitted_unix_ms = byte_reader_u64(reader);
    size_t size = 0;
    record->document.bytes = byte_reader_blob(reader, JOB_DOCUMENT_MAX, &size);
    record->document.size = (uint32_t)size;
    if (version >= 2)
        byte_reader_text(reader, record->owner, sizeof record->owner);
}

static void decode_result(result_record *record, byte_reader *reader)
{
    record->attempt = decode_attempt(reader);
    record->code = byte_reader_u32(reader);
    record->elapsed_ms = byte_reader_u64(reader);
    record->cells.offset = byte_reader_u64(reader);
    record->cells.byte_size = byte_reader_u64(reader);
    record->cell_count = byte_reader_u32(reader);
    byte_reader_text(reader, record->detail, sizeof record->detail);
    size_t size = 0;
    record->payload.bytes = byte_reader_blob(reader, JOB_DOCUMENT_MAX, &size);
    record->payload.size = (uint32_t)size;
    if (record->code >= STATUS_COUNT || record->cells.offset > INT64_MAX || record->cells.byte_size > INT64_MAX)
        reader->failed = true;
}

static void decode_digest(content_hash *digest, byte_reader *reader)
{
    const uint8_t *bytes = byte_reader_view(reader, CONTENT_HASH_BYTES);
    if (bytes != NULL)
        memcpy(digest->bytes, bytes, CONTENT_HASH_BYTES);
}

static void decode_plan(plan_record *record, byte_reader *reader)
{
    record->job = byte_reader_u32(reader);
    decode_digest(&record->digest, reader);
    record->slot_count = byte_reader_u32(reader);
    record->cells_per_task = byte_reader_u32(reader);
    record->task_count = byte_reader_u32(reader);
}

static void decode_ended(ended_record *record, uint8_t version, byte_reader *reader)
{
    record->job = byte_reader_u32(reader);
    record->ended_unix_ms = byte_reader_u64(reader);
    record->has_outcome = version >= 3;
    if (!record->has_outcome)
        return;
    uint8_t flags = byte_reader_u8(reader);
    record->held = (flags & 1) != 0;
    record->has_verdict = (flags & 2) != 0;
    record->verdict = byte_reader_u8(reader);
    record->exit_code = byte_reader_u8(reader);
    record->code = (status)byte_reader_u32(reader);
    byte_reader_text(reader, record->message, sizeof record->message);
    if (flags > 3 || record->verdict > VERDICT_FAIL || record->exit_code > 3 || record->code >= STATUS_COUNT)
        reader->failed = true;
}

status shell_record_decode(shell_record *out_record, uint32_t kind, const void *bytes, size_t byte_size)
{
    byte_reader reader;
    byte_reader_init(&reader, bytes, byte_size);
    uint8_t version = byte_reader_u8(&reader);
    if (!reader.failed && (version == 0 || version > SHELL_RECORD_VERSION))
        return STATUS_PEER_VERSION;
    memset(out_record, 0, sizeof *out_record);
    out_record->kind = (shell_record_kind)kind;
    switch (kind) {
    case RECORD_DOCUMENT:
        decode_document(&out_record->document, version, &reader);
        break;
    case RECORD_RESULT:
        decode_result(&out_record->result, &reader);
        break;
    case RECORD_PLAN:
        decode_plan(&out_record->plan, &reader);
        break;
    case RECORD_DRAIN:
        byte_reader_text(&reader, out_record->drain.name, sizeof out_record->drain.name);
        out_record->drain.drained = byte_reader_u8(&reader) != 0;
        byte_reader_text(&reader, out_record->drain.reason, sizeof out_record->drain.reason);
        break;
    case RECORD_ENDED:
        decode_ended(&out_record->ended, version, &reader);
        break;
    case RECORD_FORECAST:
        out_record->forecast.job = byte_reader_u32(&reader);
        out_record->forecast.made_unix_ms = byte_reader_u64(&reader);
        out_record->forecast.ready_ms = byte_reader_u64(&reader);
        break;
    case RECORD_ROOT:
        byte_reader_text(&reader, out_record->root.name, sizeof out_record->root.name);
        byte_reader_text(&reader, out_record->root.node, sizeof out_record->root.node);
        decode_digest(&out_record->root.identity, &reader);
        break;
    default:
        return STATUS_PEER_VERSION;
    }
    return byte_reader_complete(&reader) ? STATUS_OK : STATUS_PEER_MALFORMED;
}
