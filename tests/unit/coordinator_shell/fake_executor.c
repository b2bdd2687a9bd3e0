#include "fake_executor.h"

#include "common/measure/cell_measure.h"
#include "common/measure/stem_features.h"
#include "common/measure/sync_measure.h"
#include "proto/message_decode.h"
#include "proto/message_encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool same_attempt(const attempt_id *a, const attempt_id *b)
{
    return a->job == b->job && a->task == b->task && a->term == b->term && a->epoch == b->epoch;
}

void fake_execution_drop(fake_execution *execution)
{
    free(execution->body);
    byte_writer_deinit(&execution->fetched);
    *execution = (fake_execution){0};
}

static fake_execution *find_execution(fake_worker *worker, const attempt_id *attempt)
{
    for (size_t i = 0; i < sizeof worker->executions / sizeof worker->executions[0]; i++)
        if (worker->executions[i].used && same_attempt(&worker->executions[i].attempt, attempt))
            return &worker->executions[i];
    return NULL;
}

void fake_execution_start(world *world_of, fake_worker *worker, const session_order *order)
{
    fake_execution *execution = NULL;
    for (size_t i = 0; i < sizeof worker->executions / sizeof worker->executions[0]; i++)
        if (!worker->executions[i].used)
            execution = &worker->executions[i];
    assert_non_null(execution);
    *execution = (fake_execution){.used = true,
                                  .attempt = order->attempt,
                                  .kind = order->kind,
                                  .body = malloc(order->byte_size + 1),
                                  .body_size = order->byte_size,
                                  .turns_left = 2};
    memcpy(execution->body, order->bytes, order->byte_size);
    byte_writer_init(&execution->fetched, 64 << 20);
    world_of->starts[order->kind]++;
}

/* ---- the world ---- */

const world_file *world_find_final(const world *self, const char *final)
{
    const world_file *found = NULL;
    for (uint32_t i = 0; i < self->file_count; i++)
        if (strstr(self->files[i].final, final) != NULL)
            found = &self->files[i];
    return found;
}

static world_file *find_part(world *self, const task_path *part)
{
    for (uint32_t i = 0; i < self->file_count; i++)
        if (strcmp(self->files[i].path, part->path) == 0)
            return &self->files[i];
    return NULL;
}

static content_hash cell_digest(const char *part, uint64_t file_frame)
{
    char text[PATH_MAX_BYTES + 32];
    int size = snprintf(text, sizeof text, "%s@%llu", part, (unsigned long long)file_frame);
    return content_hash_of(text, (size_t)size);
}

static content_hash edge_digest(const char *part, const char *edge)
{
    char text[PATH_MAX_BYTES + 32];
    int size = snprintf(text, sizeof text, "%s %s", part, edge);
    return content_hash_of(text, (size_t)size);
}

/* ---- tasks ---- */

static void end_execution(fake_worker *worker, fake_execution *execution, status code, const char *detail,
                          const byte_writer *payload, uint64_t now_ms)
{
    message_result *result = calloc(1, sizeof *result);
    result->attempt = execution->attempt;
    result->code = (uint32_t)code;
    snprintf(result->detail, sizeof result->detail, "%s", detail);
    if (payload != NULL)
        result->payload = (message_bytes){.bytes = payload->bytes, .size = (uint32_t)payload->size};
    assert_int_equal(worker_session_ended(worker->session, now_ms, result, &worker->orders), STATUS_OK);
    free(result);
    fake_execution_drop(execution);
}

static void probe(const world *world_of, const fake_worker *worker, const task_probe *task, byte_writer *payload)
{
    media_facts *facts = calloc(1, sizeof *facts);
    bool sees = world_of->blind != NULL && world_of->blind != worker;
    if (!sees && world_of->missing != NULL && strstr(task->file.path, world_of->missing) != NULL) {
        facts->outcome = STATUS_INPUT_MISSING;
        snprintf(facts->message, sizeof facts->message, "'%.200s' is not there", task->file.path);
    } else {
        uint32_t channels = strstr(task->file.path, "_MONO") != NULL ? 1 : 6;
        uint64_t bytes = world_of->file_frames * channels * 3;
        *facts = (media_facts){.outcome = STATUS_OK,
                               .identity = {.dev = 1, .ino = 2, .size = bytes + 44},
                               .container = CONTAINER_WAV,
                               .encoding = ENCODING_PCM_24,
                               .valid_bits = 24,
                               .sample_rate = 48000,
                               .channel_count = channels,
                               .frame_count = world_of->file_frames,
                               .data_offset = 44,
                               .direct = true};
    }
    media_facts_encode(facts, payload);
    free(facts);
}

static void allocate(world *world_of, const task_allocate *task)
{
    world_file *file = find_part(world_of, &task->part);
    if (file == NULL) {
        assert_true(world_of->file_count < HARNESS_FILES_MAX);
        file = &world_of->files[world_of->file_count++];
    }
    assert_false(file->sealed);
    *file = (world_file){.frame_count = task->header.frame_count};
    memcpy(file->path, task->part.path, sizeof file->path);
    memcpy(file->final, task->final.path, sizeof file->final);
}

/* A measure of the right shape: one part in a million of energy everywhere. */
/* Features of low noise at -23 dBFS, 24 bits deep, the same in every block. */
static cell_signal *make_signal(uint8_t groups, const cell_measure *measure)
{
    const float power = 5e-3f;
    uint8_t pairs[SIGNAL_PAIRS_MAX];
    cell_signal *made = groups == 0 ? NULL : calloc(1, sizeof *made);
    if (made == NULL)
        return NULL;
    made->groups = groups;
    made->channel_count = measure->channel_count;
    made->pair_count = (uint8_t)cell_signal_pairs(measure->layout, pairs);
    uint32_t block = cell_signal_block_frames(measure->sample_rate);
    for (uint32_t left = measure->frame_count; (groups & SIGNAL_GROUP_SOUND) != 0 && left > 0;) {
        uint32_t b = made->block_count++;
        made->block_frames[b] = left < block ? left : block;
        left -= made->block_frames[b];
        for (uint32_t c = 0; c < made->channel_count; c++)
            made->energy[b][c] = power;
        for (uint32_t i = 0; i < made->pair_count; i++)
            made->cross[b][i] = power / 2;
    }
    for (uint32_t c = 0; c < made->channel_count; c++) {
        made->bits[c] = 0xFFFFFF00u;
        made->spectrum[c][0] = power; /* below 187 Hz at 48 kHz: also what an LFE may hold */
    }
    return made;
}

static void encode_measure(const task_render *task, uint32_t output, uint32_t cell, byte_writer *writer)
{
    const render_output *made = &task->program.outputs[output];
    const channel_layout *layout = channel_layout_get((channel_layout_id)made->layout);
    const task_piece *piece = &task->pieces[0];
    uint64_t first = (uint64_t)cell * CELL_FRAMES;
    uint64_t left = piece->frame_count - first;
    cell_measure measure = {.sample_rate = task->program.sample_rate,
                            .layout = made->layout,
                            .channel_count = layout->channel_count,
                            .programme_frame = piece->programme_frame + first,
                            .frame_count = (uint32_t)(left < CELL_FRAMES ? left : CELL_FRAMES)};
    uint64_t last = measure.programme_frame + measure.frame_count - 1;
    measure.first_slot = cell_measure_slot_of(measure.programme_frame, measure.sample_rate);
    measure.slot_count = (uint32_t)(cell_measure_slot_of(last, measure.sample_rate) - measure.first_slot + 1);
    measure.first_decislot = measure.first_slot / 10;
    measure.decislot_count =
        (uint32_t)((measure.first_slot + measure.slot_count - 1) / 10 - measure.first_decislot + 1);
    measure.slot_energy = calloc(measure.slot_count, sizeof(double));
    measure.channel_energy = calloc((size_t)measure.decislot_count * layout->channel_count, sizeof(double));
    for (uint32_t i = 0; i < measure.slot_count; i++)
        measure.slot_energy[i] = 480e-6;
    for (uint32_t i = 0; i < layout->channel_count; i++)
        measure.channels[i] = (channel_measure){.sample_peak = 0.1, .true_peak = 0.11, .mix_peak = 0.1};
    measure.signal = make_signal(render_output_signal_groups(made, task->signal_groups), &measure);
    cell_measure_encode(&measure, writer);
    free(measure.signal);
    free(measure.slot_energy);
    free(measure.channel_energy);
}

/* The stems' features of the same cell: every lane plays at -40 dBFS, none has to do with another. */
static void encode_stems(const task_render *task, uint32_t cell, byte_writer *writer)
{
    uint64_t left = task->pieces[0].frame_count - (uint64_t)cell * CELL_FRAMES;
    bool crossed = task->stems == STEMS_CROSSED;
    stem_features features = {.sample_rate = task->program.sample_rate,
                              .programme_frame = task->pieces[0].programme_frame + (uint64_t)cell * CELL_FRAMES,
                              .frame_count = (uint32_t)(left < CELL_FRAMES ? left : CELL_FRAMES),
                              .lane_count = task->program.input_count,
                              .crossed = crossed};
    features.block_count = stem_block_count(features.lane_count, crossed, features.frame_count);
    features.sums = calloc((size_t)features.block_count * stem_sum_count(features.lane_count, crossed), sizeof(double));
    for (uint32_t b = 0; b < features.block_count; b++)
        for (uint32_t i = 0; i < features.lane_count; i++)
            features.sums[(size_t)b * stem_sum_count(features.lane_count, crossed) + (crossed ? stem_sum_index(i, i) : i)] =
                1e-4 * stem_block_frames(features.lane_count, crossed);
    stem_features_encode(&features, writer);
    stem_features_deinit(&features);
}

static void send_cell(world *world_of, fake_worker *worker, const attempt_id *attempt, const task_render *task, uint32_t cell,
                      uint64_t now_ms)
{
    message *made = calloc(1, sizeof *made);
    content_hash outputs[CELL_OUTPUTS_MAX];
    byte_writer measures[CELL_MEASURES_MAX];
    made->type = MESSAGE_CELL;
    made->cell.attempt = *attempt;
    made->cell.cell = cell;
    made->cell.output_count = task->file_count;
    for (uint32_t i = 0; i < task->file_count; i++)
        outputs[i] = cell_digest(task->files[i].part.path, task->files[i].file_frame + (uint64_t)cell * CELL_FRAMES);
    made->cell.outputs = outputs;
    uint32_t outputs_measured = task->program.output_count;
    made->cell.measure_count = outputs_measured + (task->stems != STEMS_NONE);
    for (uint32_t i = 0; i < made->cell.measure_count; i++) {
        byte_writer_init(&measures[i], MEASURE_BYTES_MAX);
        if (i < outputs_measured)
            encode_measure(task, i, cell, &measures[i]);
        else
            encode_stems(task, cell, &measures[i]);
        assert_false(measures[i].failed);
        made->cell.measures[i] = (message_bytes){.bytes = measures[i].bytes, .size = (uint32_t)measures[i].size};
    }
    if (world_of->wrong_cells > 0) {
        world_of->wrong_cells--;
        made->cell.measures[0].size--;
    }
    byte_writer frame;
    byte_writer_init(&frame, FRAME_BYTES_MAX);
    assert_int_equal(message_encode(made, &frame), STATUS_OK);
    assert_int_equal(worker_session_cell(worker->session, now_ms, *attempt, frame.bytes, frame.size, &worker->orders),
                     STATUS_OK);
    byte_writer_deinit(&frame);
    for (uint32_t i = 0; i < made->cell.measure_count; i++)
        byte_writer_deinit(&measures[i]);
    free(made);
}

static void render(world *world_of, fake_worker *worker, const fake_execution *execution, const task_render *task,
                   uint64_t now_ms)
{
    for (uint32_t i = 0; i < task->file_count; i++) {
        world_file *file = find_part(world_of, &task->files[i].part);
        assert_non_null(file); /* it was allocated under this very name */
        assert_false(file->sealed);
        assert_false(file->discarded);
    }
    for (uint32_t cell = task->first_cell; cell < task->first_cell + task->cell_count; cell++)
        send_cell(world_of, worker, &execution->attempt, task, cell, now_ms);
}

static void seal(world *world_of, const task_seal *task, byte_writer *payload)
{
    world_file *file = find_part(world_of, &task->part);
    assert_non_null(file);
    file->sealed = true;
    assert_int_not_equal(task->header.bext.loudness_value, 0x7FFF); /* the merge had a figure */
    content_hash header = edge_digest(task->part.path, "header");
    content_hash trailer = edge_digest(task->part.path, "trailer");
    byte_writer_bytes(payload, header.bytes, sizeof header.bytes);
    byte_writer_bytes(payload, trailer.bytes, sizeof trailer.bytes);
}

/* The digests asked for must be those that the renders said, in the file's order. */
static void verify(world *world_of, const task_verify *task, byte_writer *payload)
{
    if (task->range_count > 0) {
        world_file *file = find_part(world_of, &task->file);
        assert_non_null(file);
        assert_true(file->sealed);
        content_hash header = edge_digest(task->file.path, "header");
        assert_true(content_hash_equal(&header, &task->header_digest));
        uint64_t frame = 0;
        for (uint32_t i = 0; i < task->range_count; i++) {
            content_hash wanted = cell_digest(task->file.path, frame);
            assert_true(content_hash_equal(&wanted, &task->ranges[i].digest));
            frame += task->ranges[i].frame_count;
        }
        assert_true(frame == file->frame_count);
        file->verified = true;
    }
    task_verify_result result = {.identity = {.size = 1}};
    task_verify_result_encode(&result, payload);
}

static status publish(world *world_of, const task_publish *task)
{
    if (world_of->publish_refusals > 0) {
        world_of->publish_refusals--;
        return STATUS_INPUT_CONFLICT;
    }
    for (uint32_t i = 0; i < task->file_count; i++) {
        world_file *file = find_part(world_of, &task->files[i].part);
        assert_non_null(file);
        assert_true(file->verified);
        assert_false(file->discarded);
        assert_string_equal(file->final, task->files[i].final.path);
        file->published = true;
    }
    return STATUS_OK;
}

static void discard(world *world_of, const task_discard *task)
{
    for (uint32_t i = 0; i < task->file_count; i++) {
        world_file *file = find_part(world_of, &task->files[i]);
        if (file != NULL && !file->published)
            file->discarded = true;
    }
}

/* By turns one that looked and says so, one that crashed, and one whose result cannot be read: no job may care. */
static void excerpt(world *world_of, const task_excerpt *task, byte_writer *payload, status *code)
{
    static uint8_t levels[EXCERPT_COLUMNS];
    task_excerpt_result *result = calloc(1, sizeof *result);
    assert_non_null(result);
    uint32_t turn = world_of->excerpts++ % 3;
    if (turn == 1)
        *code = STATUS_NODE_CRASHED;
    if (turn == 2)
        byte_writer_u8(payload, 0xFF);
    for (; result->count < task->place_count; result->count++)
        result->items[result->count] =
            (task_excerpt_item){.place = task->places[result->count], .row_count = 1, .levels = levels, .audition_gain = 1.0};
    task_excerpt_result_encode(result, payload);
    free(result);
}

/* True when every document has come. */
static bool deposit(world *world_of, fake_worker *worker, fake_execution *execution, const task_deposit *task)
{
    const task_document *document = &task->documents[execution->document];
    if (execution->fetched.size == document->size) {
        content_hash digest = content_hash_of(execution->fetched.bytes, execution->fetched.size);
        assert_true(content_hash_equal(&digest, &document->digest));
        world_of->deposit_size[execution->document] = document->size;
        world_of->deposits++;
        byte_writer_reset(&execution->fetched);
        if (++execution->document == task->document_count)
            return true;
        document = &task->documents[execution->document];
    }
    message_fetch fetch = {
        .attempt = execution->attempt, .document = document->document, .offset = execution->fetched.size};
    assert_int_equal(worker_session_fetch(worker->session, &fetch, &worker->orders), STATUS_OK);
    execution->waiting = true;
    return false;
}

void fake_execution_chunk(fake_worker *worker, const session_order *order)
{
    message *chunk = calloc(1, sizeof *chunk);
    assert_int_equal(message_decode(chunk, order->bytes, order->byte_size, NULL, NULL), STATUS_OK);
    fake_execution *execution = find_execution(worker, &chunk->chunk.attempt);
    if (execution != NULL && chunk->chunk.offset == execution->fetched.size) {
        byte_writer_bytes(&execution->fetched, chunk->chunk.bytes.bytes, chunk->chunk.bytes.size);
        execution->waiting = false;
    }
    free(chunk);
}

void fake_execution_kill(fake_worker *worker, const attempt_id *attempt)
{
    fake_execution *execution = find_execution(worker, attempt);
    if (execution != NULL)
        end_execution(worker, execution, STATUS_CANCELLED, "killed", NULL, 0);
}

void fake_execution_turn(world *world_of, fake_worker *worker, fake_execution *execution, uint64_t now_ms)
{
    if (world_of->excerpts_hang && execution->kind == TASK_EXCERPT)
        return;
    if (!execution->used || execution->waiting || (execution->turns_left > 0 && --execution->turns_left > 0))
        return;
    arena memory;
    arena_init(&memory);
    byte_writer payload;
    byte_writer_init(&payload, RESULT_PAYLOAD_MAX);
    task_body *body = calloc(1, sizeof *body);
    assert_int_equal(task_body_decode(body, execution->kind, execution->body, execution->body_size, &memory),
                     STATUS_OK);
    status code = STATUS_OK;
    bool ended = true;
    if (worker->crashes)
        code = STATUS_NODE_CRASHED;
    else if (execution->kind == TASK_PROBE)
        probe(world_of, worker, &body->probe, &payload);
    else if (execution->kind == TASK_ALLOCATE)
        allocate(world_of, &body->allocate);
    else if (execution->kind == TASK_RENDER && world_of->render_crashes > 0 && world_of->render_crashes--)
        code = STATUS_NODE_CRASHED;
    else if (execution->kind == TASK_RENDER || execution->kind == TASK_INSPECT)
        render(world_of, worker, execution, &body->render, now_ms);
    else if (execution->kind == TASK_SEAL)
        seal(world_of, &body->seal, &payload);
    else if (execution->kind == TASK_VERIFY)
        verify(world_of, &body->verify, &payload);
    else if (execution->kind == TASK_PUBLISH)
        code = publish(world_of, &body->publish);
    else if (execution->kind == TASK_DISCARD)
        discard(world_of, &body->discard);
    else if (execution->kind == TASK_LISTEN)
        sync_measure_encode(&(sync_measure){0}, &payload);
    else if (execution->kind == TASK_EXCERPT)
        excerpt(world_of, &body->excerpt, &payload, &code);
    else if ((ended = deposit(world_of, worker, execution, &body->deposit)))
        byte_writer_u8(&payload, 0);
    if (ended)
        end_execution(worker, execution, code, code == STATUS_OK ? "" : "the executor was told to fail", &payload,
                      now_ms);
    free(body);
    byte_writer_deinit(&payload);
    arena_deinit(&memory);
}
