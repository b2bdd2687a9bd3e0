#define _GNU_SOURCE
#include "coordinator/shell/job_measures.h"

#include "common/base/engine_version.h"
#include "coordinator/shell/document_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MEASURES_MAGIC = 0x534D4D52, PREFIX_BYTES = 16 + CONTENT_HASH_BYTES, COPY_BYTES = 1 << 20, ENGINE_TEXT_MAX = 64 };

/* ---- writing ---- */

/* Deliverables of one program share their cells: each stretch is kept once. */
typedef struct stretch_list {
    uint32_t count;
    cell_stretch *items; /* in the job's measure file, by offset */
    uint64_t *places;    /* in the new file, from its first record on */
    uint64_t byte_size;
} stretch_list;

static int compare_stretches(const void *a, const void *b)
{
    uint64_t left = ((const cell_stretch *)a)->offset;
    uint64_t right = ((const cell_stretch *)b)->offset;
    return left < right ? -1 : left > right;
}

static void collect_stretches(const compose_input *input, stretch_list *list, arena *memory)
{
    size_t all = 0;
    for (uint32_t i = 0; i < input->programme_count; i++)
        all += input->programmes[i].stretch_count;
    list->items = arena_take_array(memory, all, sizeof *list->items);
    list->places = arena_take_array(memory, all, sizeof *list->places);
    for (uint32_t i = 0; i < input->programme_count; i++)
        for (uint32_t k = 0; k < input->programmes[i].stretch_count; k++)
            list->items[list->count++] = input->programmes[i].stretches[k];
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, compare_stretches);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < list->count; i++)
        if (kept == 0 || list->items[kept - 1].offset != list->items[i].offset)
            list->items[kept++] = list->items[i];
    list->count = kept;
    for (uint32_t i = 0; i < kept; i++) {
        list->places[i] = list->byte_size;
        list->byte_size += list->items[i].byte_size;
    }
}

static uint64_t place_of(const stretch_list *list, const cell_stretch *stretch)
{
    const cell_stretch *found = bsearch(stretch, list->items, list->count, sizeof *list->items, compare_stretches);
    return found == NULL ? 0 : list->places[found - list->items];
}

static void write_outcomes(byte_writer *writer, const file_outcome *outcomes, uint32_t count, byte_writer *blob)
{
    for (uint32_t i = 0; i < count; i++) {
        byte_writer_reset(blob);
        if (outcomes[i].verified)
            task_verify_result_encode(&outcomes[i].digests, blob);
        byte_writer_blob(writer, blob->bytes, blob->size);
        byte_writer_u8(writer, outcomes[i].published ? 1 : 0);
        byte_writer_text(writer, outcomes[i].failure == NULL ? "" : outcomes[i].failure);
    }
}

static void write_header(byte_writer *writer, const compose_input *input, const stretch_list *list)
{
    byte_writer blob;
    byte_writer_init(&blob, JOB_MEASURES_HEADER_MAX);
    byte_writer_text(writer, ENGINE_VERSION);
    byte_writer_blob(writer, input->source->text, input->source->text_size);
    byte_writer_u32(writer, input->slot_count);
    byte_writer_u32(writer, input->cells_per_task);
    byte_writer_bytes(writer, input->plan->digest.bytes, CONTENT_HASH_BYTES);
    byte_writer_u32(writer, input->inputs->count);
    for (uint32_t i = 0; i < input->inputs->count; i++) {
        byte_writer_reset(&blob);
        media_facts_encode(&input->facts[i], &blob);
        byte_writer_blob(writer, blob.bytes, blob.size);
    }
    byte_writer_u32(writer, input->plan->listen_count);
    for (uint32_t i = 0; i < input->plan->listen_count; i++) {
        byte_writer_reset(&blob);
        if (input->heard[i] != NULL)
            sync_measure_encode(input->heard[i], &blob);
        byte_writer_blob(writer, blob.bytes, blob.size);
    }
    byte_writer_u32(writer, input->programme_count);
    for (uint32_t i = 0; i < input->programme_count; i++) {
        const programme_input *programme = &input->programmes[i];
        byte_writer_u16(writer, programme->deliverable);
        byte_writer_u8(writer, programme->complete ? 1 : 0);
        byte_writer_text(writer, programme->failure == NULL ? "" : programme->failure);
        byte_writer_f64(writer, programme->gain_db);
        byte_writer_reset(&blob);
        if (programme->metered)
            task_meter_result_encode(&programme->second, &blob);
        byte_writer_blob(writer, blob.bytes, blob.size);
        byte_writer_reset(&blob);
        if (programme->excerpts != NULL)
            task_excerpt_result_encode(programme->excerpts, &blob);
        byte_writer_blob(writer, blob.bytes, blob.size);
        byte_writer_u32(writer, programme->stretch_count);
        for (uint32_t k = 0; k < programme->stretch_count; k++) {
            byte_writer_u64(writer, place_of(list, &programme->stretches[k]));
            byte_writer_u64(writer, programme->stretches[k].byte_size);
        }
    }
    write_outcomes(writer, input->files, input->plan->file_count, &blob);
    write_outcomes(writer, input->received, input->inputs->count, &blob);
    byte_writer_reset(&blob);
    problems_encode(input->problems, &blob);
    byte_writer_blob(writer, blob.bytes, blob.size);
    byte_writer_text(writer, input->job_id);
    byte_writer_text(writer, input->finished_text);
    byte_writer_u32(writer, input->task_count);
    byte_writer_u32(writer, input->retry_count);
    byte_writer_u32(writer, input->worker_count);
    byte_writer_f64(writer, input->wall_seconds);
    byte_writer_f64(writer, input->predicted_seconds);
    byte_writer_f64(writer, input->planned_seconds);
    writer->failed = writer->failed || blob.failed;
    byte_writer_deinit(&blob);
}

/* The prefix and the header, then the records, hashed as they go by. */
static status write_file(int descriptor, int cells, const byte_writer *header, const stretch_list *list,
                         composed_document *out_document)
{
    content_hash_stream stream;
    content_hash_stream_init(&stream);
    uint64_t size = 0;
    uint8_t *buffer = malloc(COPY_BYTES);
    status code = buffer == NULL ? STATUS_NODE_MEMORY : document_write(descriptor, header->bytes, header->size);
    content_hash_stream_add(&stream, header->bytes, header->size);
    size += header->size;
    for (uint32_t i = 0; code == STATUS_OK && i < list->count; i++) {
        for (uint64_t done = 0; code == STATUS_OK && done < list->items[i].byte_size;) {
            uint64_t left = list->items[i].byte_size - done;
            size_t wanted = left < COPY_BYTES ? (size_t)left : COPY_BYTES;
            ssize_t part = pread(cells, buffer, wanted, (off_t)(list->items[i].offset + done));
            if (part < 0 && errno == EINTR)
                continue;
            code = part <= 0 ? STATUS_STORAGE_IO : document_write(descriptor, buffer, (size_t)part);
            if (code != STATUS_OK)
                break;
            content_hash_stream_add(&stream, buffer, (size_t)part);
            done += (uint64_t)part;
            size += (uint64_t)part;
        }
    }
    free(buffer);
    *out_document = (composed_document){.size = size, .digest = content_hash_stream_digest(&stream)};
    return code;
}

static void finish_header(byte_writer *out, const byte_writer *header)
{
    content_hash digest = content_hash_of(header->bytes, header->size);
    byte_writer_u32(out, MEASURES_MAGIC);
    byte_writer_u32(out, JOB_MEASURES_VERSION);
    byte_writer_u32(out, (uint32_t)header->size);
    byte_writer_u32(out, 0);
    byte_writer_bytes(out, digest.bytes, CONTENT_HASH_BYTES);
    byte_writer_bytes(out, header->bytes, header->size);
}

status job_measures_write(const compose_input *input, composed_document *out_document, error_detail *detail)
{
    arena memory;
    byte_writer header;
    byte_writer front;
    stretch_list list = {0};
    arena_init(&memory);
    byte_writer_init(&header, JOB_MEASURES_HEADER_MAX);
    byte_writer_init(&front, JOB_MEASURES_HEADER_MAX + PREFIX_BYTES);
    collect_stretches(input, &list, &memory);
    write_header(&header, input, &list);
    finish_header(&front, &header);
    *out_document = (composed_document){0};
    status code = STATUS_OK;
    int cells = -1;
    if (!header.failed && !front.failed && list.byte_size <= JOB_MEASURES_MAX - front.size) {
        document_file file;
        code = document_begin(&file, input->folder, input->keep, DOCUMENT_MEASURES);
        cells = open(input->cells_path, O_RDONLY | O_CLOEXEC);
        if (code == STATUS_OK)
            code = cells < 0 && list.count > 0 ? STATUS_STORAGE_IO
                                               : write_file(file.descriptor, cells, &front, &list, out_document);
        code = document_end(&file, code, detail);
    }
    if (cells >= 0)
        close(cells);
    byte_writer_deinit(&front);
    byte_writer_deinit(&header);
    arena_deinit(&memory);
    return code;
}

/* ---- reading ---- */

static status damaged(const char *path, error_detail *detail)
{
    return error_detail_set(detail, STATUS_INPUT_INVALID,
                            "'%s' is damaged, or was written by another version of reelmill; judge the audio itself with `reelmill qc`", path);
}

static status read_header(const char *path, arena *memory, uint8_t **out_bytes, size_t *out_size, uint64_t *out_records,
                          error_detail *detail)
{
    uint8_t prefix[PREFIX_BYTES];
    struct stat facts;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return error_detail_set(detail, STATUS_INPUT_MISSING, "cannot open '%s': %s", path, strerror(errno));
    byte_reader reader;
    byte_reader_init(&reader, prefix, sizeof prefix);
    bool whole = pread(descriptor, prefix, sizeof prefix, 0) == (ssize_t)sizeof prefix && fstat(descriptor, &facts) == 0;
    uint32_t magic = whole ? byte_reader_u32(&reader) : 0;
    uint32_t version = whole ? byte_reader_u32(&reader) : 0;
    uint32_t size = whole ? byte_reader_u32(&reader) : 0;
    whole = whole && magic == MEASURES_MAGIC && size <= JOB_MEASURES_HEADER_MAX && facts.st_size - PREFIX_BYTES >= (off_t)size;
    uint8_t *bytes = whole ? arena_take(memory, size) : NULL;
    whole = whole && pread(descriptor, bytes, size, PREFIX_BYTES) == (ssize_t)size;
    close(descriptor);
    content_hash digest = content_hash_of(bytes, whole ? size : 0);
    if (whole && version != JOB_MEASURES_VERSION)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "'%s' has version %u of its form, this reelmill reads %d; run the job again",
                                path, version, JOB_MEASURES_VERSION);
    if (!whole || memcmp(digest.bytes, prefix + 16, CONTENT_HASH_BYTES) != 0)
        return damaged(path, detail);
    *out_bytes = bytes;
    *out_size = size;
    *out_records = PREFIX_BYTES + (uint64_t)size;
    return STATUS_OK;
}

/* NULL for an empty text. */
static const char *read_text(byte_reader *reader, arena *memory)
{
    size_t size = 0;
    const uint8_t *text = byte_reader_blob(reader, ERROR_MESSAGE_SIZE, &size);
    return text == NULL || size == 0 ? NULL : arena_copy_bytes(memory, text, size);
}

static file_outcome *read_outcomes(byte_reader *reader, uint32_t count, arena *memory)
{
    file_outcome *outcomes = arena_take_array(memory, count, sizeof *outcomes);
    for (uint32_t i = 0; i < count && !reader->failed; i++) {
        size_t size = 0;
        const uint8_t *digests = byte_reader_blob(reader, ERROR_MESSAGE_SIZE, &size);
        outcomes[i].verified = digests != NULL && size > 0 &&
                               task_verify_result_decode(&outcomes[i].digests, digests, size) == STATUS_OK;
        outcomes[i].published = byte_reader_u8(reader) == 1;
        outcomes[i].failure = read_text(reader, memory);
    }
    return outcomes;
}

static const char *or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

static bool read_rest(job_measures *self, byte_reader *reader)
{
    compose_input *input = &self->input;
    size_t size = 0;
    input->files = read_outcomes(reader, self->plan->file_count, &self->arena);
    input->received = read_outcomes(reader, self->source->inputs.count, &self->arena);
    const uint8_t *problems = byte_reader_blob(reader, JOB_MEASURES_HEADER_MAX, &size);
    if (problems == NULL || problems_decode(&self->problems, problems, size, &self->arena) != STATUS_OK)
        return false;
    input->job_id = or_empty(read_text(reader, &self->arena));
    input->finished_text = or_empty(read_text(reader, &self->arena));
    input->task_count = byte_reader_u32(reader);
    input->retry_count = byte_reader_u32(reader);
    input->worker_count = byte_reader_u32(reader);
    input->wall_seconds = byte_reader_f64(reader);
    input->predicted_seconds = byte_reader_f64(reader);
    input->planned_seconds = byte_reader_f64(reader);
    input->meter = self->source->document.meter;
    return byte_reader_complete(reader);
}

static bool read_programme(byte_reader *reader, programme_input *out, uint64_t records, arena *memory)
{
    size_t size = 0;
    out->deliverable = byte_reader_u16(reader);
    out->complete = byte_reader_u8(reader) == 1;
    out->failure = read_text(reader, memory);
    out->gain_db = byte_reader_f64(reader);
    const uint8_t *second = byte_reader_blob(reader, ERROR_MESSAGE_SIZE, &size);
    out->metered = second != NULL && size > 0;
    if (out->metered && task_meter_result_decode(&out->second, second, size) != STATUS_OK)
        return false;
    const uint8_t *excerpts = byte_reader_blob(reader, FRAME_BYTES_MAX, &size);
    if (excerpts != NULL && size > 0) {
        task_excerpt_result *read = arena_take(memory, sizeof *read);
        if (task_excerpt_result_decode(read, excerpts, size, memory) != STATUS_OK)
            return false;
        out->excerpts = read;
    }
    out->stretch_count = byte_reader_u32(reader);
    if (reader->failed || out->stretch_count > byte_reader_left(reader) / 16)
        return false;
    out->stretches = arena_take_array(memory, out->stretch_count, sizeof *out->stretches);
    for (uint32_t i = 0; i < out->stretch_count; i++) {
        uint64_t place = byte_reader_u64(reader);
        uint64_t bytes = byte_reader_u64(reader);
        if (place > JOB_MEASURES_MAX || bytes > JOB_MEASURES_MAX)
            return false;
        out->stretches[i] = (cell_stretch){.offset = records + place, .byte_size = bytes};
    }
    return !reader->failed;
}

/* The same show and facts make the same plan, if it is the same planner. */
static status plan_again(job_measures *self, byte_reader *reader, const char *engine, const char *path, error_detail *detail)
{
    uint32_t slot_count = byte_reader_u32(reader);
    uint32_t cells_per_task = byte_reader_u32(reader);
    const uint8_t *digest = byte_reader_view(reader, CONTENT_HASH_BYTES);
    uint32_t count = byte_reader_u32(reader);
    if (reader->failed || count != self->source->inputs.count)
        return damaged(path, detail);
    self->facts = calloc((size_t)count + 1, sizeof *self->facts);
    for (uint32_t i = 0; self->facts != NULL && i < count; i++) {
        size_t size = 0;
        const uint8_t *bytes = byte_reader_blob(reader, JOB_MEASURES_HEADER_MAX, &size);
        byte_reader one;
        byte_reader_init(&one, bytes, size);
        media_facts_decode(&self->facts[i], &one);
        if (bytes == NULL || !byte_reader_complete(&one))
            return damaged(path, detail);
    }
    problem_list problems = {0};
    plan_options options = job_source_options(self->source, slot_count, cells_per_task);
    status code = self->facts == NULL ? STATUS_NODE_MEMORY
                                      : plan_create(&self->plan, &self->source->show, &self->source->inputs, self->facts, &options,
                                                    count + 1, &self->arena, &problems);
    if (code != STATUS_OK || memcmp(self->plan->digest.bytes, digest, CONTENT_HASH_BYTES) != 0)
        return error_detail_set(detail, STATUS_INPUT_INVALID,
                                "'%s' was made by %s%s, which planned the same show otherwise (the digests of the plans differ): where its measures "
                                "belong is not known here; judge it with the reelmill that made it, or run the job again",
                                path, strcmp(engine, ENGINE_VERSION) == 0 ? "another build of " : "", engine);
    return STATUS_OK;
}

static status read_heard(job_measures *self, byte_reader *reader, const char *path, error_detail *detail)
{
    uint32_t count = byte_reader_u32(reader);
    if (reader->failed || count != self->plan->listen_count)
        return damaged(path, detail);
    const sync_measure **heard = arena_take_array(&self->arena, count, sizeof *heard);
    for (uint32_t i = 0; i < count; i++) {
        size_t size = 0;
        const uint8_t *bytes = byte_reader_blob(reader, JOB_MEASURES_HEADER_MAX, &size);
        sync_measure *measure = arena_take(&self->arena, sizeof *measure);
        if (bytes == NULL || (size > 0 && sync_measure_decode(measure, bytes, size, &self->arena) != STATUS_OK))
            return damaged(path, detail);
        if (size > 0)
            heard[i] = measure;
    }
    self->input.heard = heard;
    for (uint32_t i = 0; i < self->plan->deliverable_count; i++)
        plan_leader_settle(self->plan, i, heard + self->plan->deliverables[i].first_seek);
    return STATUS_OK;
}

static status read_all(job_measures *self, const char *path, error_detail *detail)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    uint64_t records = 0;
    char engine[ENGINE_TEXT_MAX];
    status code = read_header(path, &self->arena, &bytes, &size, &records, detail);
    if (code != STATUS_OK)
        return code;
    byte_reader reader;
    byte_reader_init(&reader, bytes, size);
    byte_reader_text(&reader, engine, sizeof engine);
    size_t document_size = 0;
    const uint8_t *document = byte_reader_blob(&reader, JOB_DOCUMENT_MAX, &document_size);
    if (document == NULL)
        return damaged(path, detail);
    self->source = job_source_create((const char *)document, document_size);
    if (self->source == NULL || self->source->code != STATUS_OK)
        return damaged(path, detail);
    code = plan_again(self, &reader, engine, path, detail);
    if (code == STATUS_OK)
        code = read_heard(self, &reader, path, detail);
    if (code != STATUS_OK)
        return code;
    uint32_t count = byte_reader_u32(&reader);
    if (reader.failed || count > self->plan->deliverable_count)
        return damaged(path, detail);
    self->input.programmes = arena_take_array(&self->arena, count, sizeof *self->input.programmes);
    for (uint32_t i = 0; i < count; i++) {
        programme_input *programme = &self->input.programmes[self->input.programme_count++];
        if (!read_programme(&reader, programme, records, &self->arena) ||
            programme->deliverable >= self->plan->deliverable_count ||
            self->plan->deliverables[programme->deliverable].timeline == UINT16_MAX)
            return damaged(path, detail);
    }
    self->digest = content_hash_of(bytes, size);
    return read_rest(self, &reader) ? STATUS_OK : damaged(path, detail);
}

status job_measures_open(job_measures *out_measures, const char *path, error_detail *detail)
{
    *out_measures = (job_measures){0};
    arena_init(&out_measures->arena);
    status code = read_all(out_measures, path, detail);
    if (code != STATUS_OK) {
        job_measures_close(out_measures);
        return code;
    }
    compose_input *input = &out_measures->input;
    input->source = out_measures->source;
    input->show = &out_measures->source->show;
    input->plan = out_measures->plan;
    input->inputs = &out_measures->source->inputs;
    input->facts = out_measures->facts;
    input->cells_path = path;
    input->problems = &out_measures->problems;
    return STATUS_OK;
}

void job_measures_close(job_measures *self)
{
    if (self->plan != NULL)
        plan_destroy(&self->plan);
    job_source_destroy(&self->source);
    free(self->facts);
    arena_deinit(&self->arena);
    *self = (job_measures){0};
}
