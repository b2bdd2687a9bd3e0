#include "coordinator/shell/job_payload.h"

#include "common/base/byte_reader.h"
#include "common/measure/sync_measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAYLOAD_VERSION = 1, PROBLEM_BYTES_MAX = 256 << 10 };

static bool version_fits(byte_reader *reader)
{
    return byte_reader_u8(reader) == PAYLOAD_VERSION;
}

static status ended(const byte_reader *reader, bool valid)
{
    return valid && byte_reader_complete(reader) ? STATUS_OK : STATUS_PEER_MALFORMED;
}

void merge_outcome_encode(const merge_outcome *self, byte_writer *writer)
{
    byte_writer_u8(writer, PAYLOAD_VERSION);
    byte_writer_u8(writer, self->verdict);
    byte_writer_u8(writer, self->publish ? 1 : 0);
    byte_writer_u16(writer, (uint16_t)self->loudness_value);
    byte_writer_u16(writer, (uint16_t)self->loudness_range);
    byte_writer_u16(writer, (uint16_t)self->max_true_peak);
    byte_writer_u16(writer, (uint16_t)self->max_momentary);
    byte_writer_u16(writer, (uint16_t)self->max_short_term);
    for (int i = 0; i <= FINDING_FAIL; i++)
        byte_writer_u32(writer, self->by_severity[i]);
    byte_writer_u32(writer, self->finding_count);
    for (uint32_t i = 0; i < self->finding_count; i++) {
        byte_writer_u8(writer, self->findings[i].severity);
        byte_writer_text(writer, self->findings[i].check);
        byte_writer_text(writer, self->findings[i].message);
    }
    byte_writer_u32(writer, self->place_count);
    for (uint32_t i = 0; i < self->place_count; i++)
        task_place_encode(&self->places[i], writer);
}

status merge_outcome_decode(merge_outcome *out_outcome, const void *bytes, size_t byte_size)
{
    byte_reader reader;
    byte_reader_init(&reader, bytes, byte_size);
    bool valid = version_fits(&reader);
    merge_outcome outcome = {.verdict = byte_reader_u8(&reader)};
    outcome.publish = byte_reader_u8(&reader) != 0;
    outcome.loudness_value = (int16_t)byte_reader_u16(&reader);
    outcome.loudness_range = (int16_t)byte_reader_u16(&reader);
    outcome.max_true_peak = (int16_t)byte_reader_u16(&reader);
    outcome.max_momentary = (int16_t)byte_reader_u16(&reader);
    outcome.max_short_term = (int16_t)byte_reader_u16(&reader);
    for (int i = 0; i <= FINDING_FAIL; i++)
        outcome.by_severity[i] = byte_reader_u32(&reader);
    outcome.finding_count = byte_reader_u32(&reader);
    valid = valid && outcome.verdict <= VERDICT_FAIL && outcome.finding_count <= MERGE_FINDINGS_MAX;
    for (uint32_t i = 0; valid && i < outcome.finding_count; i++) {
        merged_finding *item = &outcome.findings[i];
        item->severity = byte_reader_u8(&reader);
        byte_reader_text(&reader, item->check, sizeof item->check);
        byte_reader_text(&reader, item->message, sizeof item->message);
        valid = item->severity <= FINDING_FAIL;
    }
    if (byte_reader_left(&reader) > 0) /* journals of before there were excerpts end here */
        outcome.place_count = byte_reader_u32(&reader);
    valid = valid && outcome.place_count <= TASK_PLACES_MAX;
    for (uint32_t i = 0; valid && i < outcome.place_count; i++)
        task_place_decode(&outcome.places[i], &reader);
    status code = ended(&reader, valid);
    if (code == STATUS_OK)
        *out_outcome = outcome;
    return code;
}

void gain_outcome_encode(double gain_db, byte_writer *writer)
{
    byte_writer_u8(writer, PAYLOAD_VERSION);
    byte_writer_f64(writer, gain_db);
}

status gain_outcome_decode(double *out_gain_db, const void *bytes, size_t byte_size)
{
    byte_reader reader;
    byte_reader_init(&reader, bytes, byte_size);
    bool valid = version_fits(&reader);
    double gain_db = byte_reader_f64(&reader);
    status code = ended(&reader, valid && isfinite(gain_db));
    if (code == STATUS_OK)
        *out_gain_db = gain_db;
    return code;
}

const char *job_document_file(job_document_id id)
{
    static const char *const names[DOCUMENT_COUNT] = {"report.json",  "report.html",        "report.pdf",
                                                      "measures.bin", "delivery_list.json", "result.json"};
    return (unsigned)id < DOCUMENT_COUNT ? names[id] : "?";
}

void compose_outcome_encode(const compose_outcome *self, byte_writer *writer)
{
    byte_writer_u8(writer, PAYLOAD_VERSION);
    byte_writer_u8(writer, self->verdict);
    for (size_t i = 0; i < sizeof self->documents / sizeof self->documents[0]; i++) {
        byte_writer_u64(writer, self->documents[i].size);
        byte_writer_bytes(writer, self->documents[i].digest.bytes, CONTENT_HASH_BYTES);
    }
}

status compose_outcome_decode(compose_outcome *out_outcome, const void *bytes, size_t byte_size)
{
    byte_reader reader;
    byte_reader_init(&reader, bytes, byte_size);
    bool valid = version_fits(&reader);
    compose_outcome outcome = {.verdict = byte_reader_u8(&reader)};
    /* Journals of before there was a PDF have two. */
    for (size_t i = 0; i < DOCUMENTS_COMPOSED && (i < 2 || byte_reader_left(&reader) > 0); i++) {
        outcome.documents[i].size = byte_reader_u64(&reader);
        const uint8_t *digest = byte_reader_view(&reader, CONTENT_HASH_BYTES);
        if (digest != NULL)
            memcpy(outcome.documents[i].digest.bytes, digest, CONTENT_HASH_BYTES);
    }
    status code = ended(&reader, valid && outcome.verdict <= VERDICT_FAIL);
    if (code == STATUS_OK)
        *out_outcome = outcome;
    return code;
}

void problems_encode(const problem_list *problems, byte_writer *writer)
{
    byte_writer_u8(writer, PAYLOAD_VERSION);
    size_t size = 0;
    size_t count = 0;
    while (count < problems->count && size < PROBLEM_BYTES_MAX) {
        size += strlen(problems->items[count].file) + strlen(problems->items[count].message) + 17;
        count++;
    }
    byte_writer_u32(writer, (uint32_t)count);
    byte_writer_u32(writer, (uint32_t)(problems->dropped + problems->count - count));
    for (size_t i = 0; i < count; i++) {
        const problem *item = &problems->items[i];
        byte_writer_u8(writer, (uint8_t)item->severity);
        byte_writer_u32(writer, item->line);
        byte_writer_u32(writer, item->column);
        byte_writer_text(writer, item->file);
        byte_writer_text(writer, item->message);
    }
}

static const char *read_copy(byte_reader *reader, arena *memory)
{
    size_t size = 0;
    const uint8_t *bytes = byte_reader_blob(reader, PROBLEM_BYTES_MAX, &size);
    return bytes == NULL ? "" : arena_copy_bytes(memory, bytes, size);
}

status problems_decode(problem_list *out_problems, const void *bytes, size_t byte_size, arena *memory)
{
    byte_reader reader;
    byte_reader_init(&reader, bytes, byte_size);
    bool valid = version_fits(&reader);
    problem_list problems = {.count = byte_reader_u32(&reader)};
    problems.dropped = byte_reader_u32(&reader);
    if (reader.failed || !valid || problems.count > PROBLEMS_MAX)
        return STATUS_PEER_MALFORMED;
    problems.capacity = problems.count;
    problems.items = arena_take_array(memory, problems.count, sizeof *problems.items);
    for (size_t i = 0; i < problems.count && !reader.failed; i++) {
        problem *item = &problems.items[i];
        uint8_t severity = byte_reader_u8(&reader);
        valid = valid && severity <= PROBLEM_ERROR;
        item->severity = severity <= PROBLEM_ERROR ? (problem_severity)severity : PROBLEM_ERROR;
        item->line = byte_reader_u32(&reader);
        item->column = byte_reader_u32(&reader);
        item->file = read_copy(&reader, memory);
        item->message = read_copy(&reader, memory);
        if (item->severity == PROBLEM_ERROR)
            problems.error_count++;
    }
    status code = ended(&reader, valid);
    if (code == STATUS_OK)
        *out_problems = problems;
    return code;
}

/* ---- of workers ---- */

bool payload_finds_none(const message_bytes *payload, char out_text[ERROR_MESSAGE_SIZE])
{
    byte_reader reader;
    byte_reader_init(&reader, payload->bytes, payload->size);
    media_facts *facts = malloc(sizeof *facts);
    if (facts == NULL)
        return false;
    media_facts_decode(facts, &reader);
    bool none = byte_reader_complete(&reader) && facts->outcome == STATUS_INPUT_MISSING;
    memcpy(out_text, facts->message, ERROR_MESSAGE_SIZE);
    free(facts);
    return none;
}

bool payload_fits(uint8_t kind, bool of_input, const message_bytes *payload)
{
    if (kind == TASK_PROBE) {
        byte_reader reader;
        byte_reader_init(&reader, payload->bytes, payload->size);
        media_facts *facts = malloc(sizeof *facts);
        if (facts != NULL)
            media_facts_decode(facts, &reader);
        free(facts);
        return byte_reader_complete(&reader);
    }
    if (kind == TASK_SEAL || kind == TASK_DEPOSIT)
        return payload->size == (kind == TASK_SEAL ? 2 * CONTENT_HASH_BYTES : 1);
    if (kind == TASK_LISTEN) {
        arena memory;
        sync_measure heard;
        arena_init(&memory);
        bool fits = sync_measure_decode(&heard, payload->bytes, payload->size, &memory) == STATUS_OK;
        arena_deinit(&memory);
        return fits;
    }
    task_verify_result verified;
    if (kind == TASK_VERIFY || (kind == TASK_INSPECT && of_input))
        return task_verify_result_decode(&verified, payload->bytes, payload->size) == STATUS_OK;
    task_meter_result metered;
    if (kind == TASK_METER)
        return task_meter_result_decode(&metered, payload->bytes, payload->size) == STATUS_OK;
    if (kind == TASK_EXCERPT && payload->size > 0) {
        arena memory;
        arena_init(&memory);
        task_excerpt_result *excerpts = arena_take(&memory, sizeof *excerpts);
        bool fits = task_excerpt_result_decode(excerpts, payload->bytes, payload->size, &memory) == STATUS_OK;
        arena_deinit(&memory);
        return fits;
    }
    return true;
}
