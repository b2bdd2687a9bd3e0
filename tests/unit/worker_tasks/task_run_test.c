/* Every task kind as the executor runs it: encoded body in, payload and files out, over a real folder. */
#define _GNU_SOURCE
#include "tests/unit/worker_media/riff_builder.h"
#include "tests/unit/worker_media/temp_folder.h"
#include "worker/media/wave_writer.h"
#include "worker/render/render_engine.h"
#include "worker/tasks/task_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { DOCUMENT_BYTES = 300000 };

typedef struct fixture {
    temp_folder folder;
    storage_roots roots;
    task_host host;
    byte_writer payload;
    error_detail detail;
    /* what the host saw */
    uint32_t cells;
    uint32_t last_cell;
    uint32_t last_progress;
    /* documents that it gives */
    uint8_t document[DOCUMENT_BYTES];
    size_t chunk_bytes;
    uint64_t total_lie; /* added to the total it states */
    status fetch_code;
    uint64_t fetch_fails_at;
} fixture;

static status host_cell(void *context, const message_cell *cell)
{
    fixture *self = context;
    self->cells++;
    self->last_cell = cell->cell;
    assert_int_equal(cell->input_count, 1);
    assert_int_equal(cell->inputs[0].bytes[0], 11);
    assert_int_equal(cell->output_count, 1);
    assert_int_equal(cell->outputs[0].bytes[0], 22);
    assert_int_equal(cell->measure_count, 2);
    assert_int_equal(cell->measures[1].size, 3);
    return cell->cell == 7 ? STATUS_CANCELLED : STATUS_OK;
}

static void host_progress(void *context, uint32_t done_permille)
{
    fixture *self = context;
    assert_true(done_permille <= 1000 && done_permille >= self->last_progress);
    self->last_progress = done_permille;
}

static status host_fetch(void *context, uint32_t document, uint64_t offset, uint8_t *bytes, size_t capacity,
                         size_t *out_size, uint64_t *out_total)
{
    fixture *self = context;
    assert_true(document < 3);
    if (self->fetch_code != STATUS_OK && offset >= self->fetch_fails_at)
        return self->fetch_code;
    size_t take = self->chunk_bytes < capacity ? self->chunk_bytes : capacity;
    if (offset + take > sizeof self->document)
        take = offset >= sizeof self->document ? 0 : sizeof self->document - (size_t)offset;
    memcpy(bytes, self->document + offset, take);
    *out_size = take;
    *out_total = sizeof self->document + self->total_lie;
    return STATUS_OK;
}

static int fixture_create(void **state)
{
    fixture *self = calloc(1, sizeof *self);
    temp_folder_create(&self->folder);
    temp_folder_make(&self->folder, "out");
    temp_folder_make(&self->folder, "media");
    assert_int_equal(storage_roots_add(&self->roots, "out", temp_folder_path(&self->folder, "out"), true, NULL), STATUS_OK);
    assert_int_equal(storage_roots_add(&self->roots, "media", temp_folder_path(&self->folder, "media"), false, NULL),
                     STATUS_OK);
    self->host = (task_host){.context = self, .cell = host_cell, .progress = host_progress, .fetch = host_fetch};
    byte_writer_init(&self->payload, FRAME_BYTES_MAX);
    uint64_t seed = 3;
    for (size_t i = 0; i < sizeof self->document; i++)
        self->document[i] = (uint8_t)test_random(&seed);
    self->chunk_bytes = DOCUMENT_CHUNK_MAX;
    *state = self;
    return 0;
}

static int fixture_destroy(void **state)
{
    fixture *self = *state;
    byte_writer_deinit(&self->payload);
    storage_roots_deinit(&self->roots);
    temp_folder_remove(&self->folder);
    free(self);
    return 0;
}

static status run(fixture *self, const task_body *body)
{
    byte_writer encoded;
    byte_writer_init(&encoded, FRAME_BYTES_MAX);
    task_body_encode(body, &encoded);
    assert_false(encoded.failed);
    byte_writer_reset(&self->payload);
    self->last_progress = 0;
    status code =
        task_run(body->kind, encoded.bytes, encoded.size, &self->roots, NULL, &self->host, &self->payload, &self->detail);
    byte_writer_deinit(&encoded);
    assert_int_equal(self->detail.code, code);
    assert_int_equal(self->detail.message[0] == '\0', code == STATUS_OK);
    return code;
}

static void says(const fixture *self, const char *words)
{
    if (strstr(self->detail.message, words) == NULL)
        fail_msg("expected \"%s\" in: %s", words, self->detail.message);
}

static task_path path_of(const char *root, const char *path)
{
    task_path result = {0};
    snprintf(result.root, sizeof result.root, "%s", root);
    snprintf(result.path, sizeof result.path, "%s", path);
    return result;
}

static ino_t inode_of(const fixture *self, const char *name)
{
    struct stat info;
    assert_int_equal(stat(temp_folder_path(&self->folder, name), &info), 0);
    return info.st_ino;
}

static void content_is(const fixture *self, const char *name, const char *text)
{
    size_t size = 0;
    uint8_t *bytes = temp_folder_read(&self->folder, name, &size);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(bytes, text, size);
    free(bytes);
}

/* ---- the engine's part is played here: what RENDER hands over and what comes back ---- */

status render_run(const task_render *task, const storage_roots *roots, const dsp_table *dsp,
                  const render_observer *observer, error_detail *detail)
{
    assert_non_null(roots);
    assert_null(dsp);
    const content_hash input = {.bytes = {11}};
    const content_hash output = {.bytes = {22}};
    const message_bytes measures[2] = {{(const uint8_t *)"ab", 2}, {(const uint8_t *)"abc", 3}};
    for (uint32_t i = 0; i < task->cell_count; i++) {
        status code = observer->cell(observer->context, task->first_cell + i, 1, &input, 1, &output, 2, measures);
        if (code != STATUS_OK)
            return error_detail_set(detail, code, "stopped");
        observer->progress(observer->context, 1000 * (i + 1) / task->cell_count);
    }
    return STATUS_OK;
}

static task_body render_body(uint32_t first_cell, uint32_t cell_count, render_term *term, task_input *input,
                             task_piece *piece, task_binding *binding)
{
    task_body body = {.kind = TASK_INSPECT};
    task_render *task = &body.render;
    *term = (render_term){.gain = 1.0};
    task->program.sample_rate = 48000;
    task->program.input_count = 1;
    task->program.output_count = 1;
    task->program.output_lane_count = 1;
    task->program.term_count = 1;
    task->program.inputs[0].label = CHANNEL_M;
    task->program.outputs[0] = (render_output){.layout = LAYOUT_MONO, .encoding = ENCODING_NONE};
    task->program.terms = term;
    *input = (task_input){.file = path_of("media", "x.wav"),
                          .identity = {.size = 100000000},
                          .container = CONTAINER_WAV,
                          .encoding = ENCODING_PCM_16,
                          .sample_rate = 48000,
                          .channel_count = 1,
                          .frame_count = 10 * CELL_FRAMES,
                          .data_offset = 44,
                          .direct = true};
    *binding = (task_binding){0};
    *piece = (task_piece){.frame_count = 10 * CELL_FRAMES, .bindings = binding};
    task->input_count = 1;
    task->inputs = input;
    task->piece_count = 1;
    task->pieces = piece;
    task->first_cell = first_cell;
    task->cell_count = cell_count;
    task->programme_end = true;
    task->programme_frame_count = 10 * CELL_FRAMES;
    return body;
}

static void task_render__hands_each_finished_cell_to_the_host(void **state)
{
    fixture *self = *state;
    render_term term;
    task_input input;
    task_piece piece;
    task_binding binding;
    task_body body = render_body(2, 3, &term, &input, &piece, &binding);
    assert_int_equal(run(self, &body), STATUS_OK);
    assert_int_equal(self->cells, 3);
    assert_int_equal(self->last_cell, 4);
    assert_int_equal(self->last_progress, 1000);
    assert_int_equal(self->payload.size, 0);
    /* What the host says stops the engine. */
    body = render_body(6, 4, &term, &input, &piece, &binding);
    assert_int_equal(run(self, &body), STATUS_CANCELLED);
    assert_int_equal(self->last_cell, 7);
}

/* ---- bodies that are not good ---- */

static void task_run__refuses_bodies_that_do_not_decode(void **state)
{
    fixture *self = *state;
    for (int kind = 0; kind < 40; kind++) {
        status code = task_run((task_kind)kind, "\xff\xff\xff\xff", 4, &self->roots, NULL, &self->host, &self->payload,
                               &self->detail);
        assert_int_equal(code, STATUS_PEER_MALFORMED);
        assert_true(self->detail.message[0] != '\0');
        assert_int_equal(task_run((task_kind)kind, NULL, 0, &self->roots, NULL, &self->host, &self->payload, NULL),
                         STATUS_PEER_MALFORMED);
    }
    static const char *const hostile[] = {"../media/x", "/etc/passwd", "a/../../x", "", ".", "a//b", "a/./b", "a\nb"};
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        task_body body = {.kind = TASK_PROBE, .probe = {.file = path_of("media", hostile[i])}};
        assert_int_equal(run(self, &body), STATUS_PEER_MALFORMED);
    }
}

/* ---- PROBE ---- */

static media_facts facts_of(const fixture *self)
{
    byte_reader reader;
    byte_reader_init(&reader, self->payload.bytes, self->payload.size);
    media_facts facts = {0};
    media_facts_decode(&facts, &reader);
    assert_true(byte_reader_complete(&reader));
    return facts;
}

static void task_probe__answers_facts_for_good_bad_and_missing_files(void **state)
{
    fixture *self = *state;
    byte_writer wav;
    byte_writer_init(&wav, 65536);
    riff_builder_begin(&wav, "RIFF");
    riff_builder_format(&wav, 1, 2, 48000, 24);
    riff_builder_data(&wav, 600);
    riff_builder_finish(&wav);
    temp_folder_write(&self->folder, "media/good.wav", wav.bytes, wav.size);
    temp_folder_write(&self->folder, "media/cut.wav", wav.bytes, wav.size - 300);
    byte_writer_deinit(&wav);

    task_body body = {.kind = TASK_PROBE, .probe = {.file = path_of("media", "good.wav")}};
    assert_int_equal(run(self, &body), STATUS_OK);
    media_facts facts = facts_of(self);
    assert_int_equal(facts.outcome, STATUS_OK);
    assert_int_equal(facts.frame_count, 100);
    assert_int_equal(facts.identity.ino, inode_of(self, "media/good.wav"));

    body.probe.file = path_of("media", "cut.wav");
    assert_int_equal(run(self, &body), STATUS_OK);
    facts = facts_of(self);
    assert_int_equal(facts.outcome, STATUS_INPUT_TRUNCATED);
    assert_non_null(strstr(facts.message, "cut.wav is truncated: its header promises 100 frames, the file holds 50"));

    body.probe.file = path_of("media", "reels/gone.wav");
    assert_int_equal(run(self, &body), STATUS_OK);
    facts = facts_of(self);
    assert_int_equal(facts.outcome, STATUS_INPUT_MISSING);
    assert_non_null(strstr(facts.message, "reels/gone.wav"));

    /* A root that only this worker lacks is no fault of the file. */
    body.probe.file = path_of("archive", "good.wav");
    assert_int_equal(run(self, &body), STATUS_STORAGE_DENIED);
    says(self, "archive");
}

/* ---- ALLOCATE, SEAL, VERIFY, PUBLISH ---- */

#define PART "SHOW/v01/PM/A.wav.5-2.part"
#define FINAL "SHOW/v01/PM/A.wav"

static output_header header_make(uint32_t channels, uint64_t frames)
{
    return (output_header){.container = CONTAINER_WAV,
                           .encoding = ENCODING_PCM_24,
                           .sample_rate = 48000,
                           .channel_count = channels,
                           .frame_count = frames,
                           .data_offset = 4096,
                           .bext = {.present = true, .version = 2, .loudness_value = 0x7FFF}};
}

static task_body allocate_body(const output_header *header)
{
    return (task_body){.kind = TASK_ALLOCATE,
                       .allocate = {.part = path_of("out", PART), .final = path_of("out", FINAL), .header = *header}};
}

static void task_allocate__makes_a_new_inode_with_header_and_full_size(void **state)
{
    fixture *self = *state;
    output_header header = header_make(1, 1001);
    task_body body = allocate_body(&header);
    assert_int_equal(run(self, &body), STATUS_OK);
    size_t size = 0;
    uint8_t *bytes = temp_folder_read(&self->folder, "out/" PART, &size);
    assert_int_equal(size, 4096 + 3003 + 1);
    byte_writer expected;
    byte_writer_init(&expected, OUTPUT_HEADER_MAX);
    assert_int_equal(wave_header_build(&header, &expected), STATUS_OK);
    assert_memory_equal(bytes, expected.bytes, 4096);
    byte_writer_deinit(&expected);
    free(bytes);

    /* Once more, with leftovers of an older generation about and a published file beside them. The link keeps the first
     * inode alive, as a late writer's descriptor would, so that its number is not given out again. */
    ino_t first = inode_of(self, "out/" PART);
    temp_folder_write(&self->folder, "out/" FINAL ".4-1.part", "old", 3);
    temp_folder_write(&self->folder, "out/" FINAL, "published", 9);
    assert_int_equal(link(temp_folder_path(&self->folder, "out/" PART), temp_folder_path(&self->folder, "out/kept")), 0);
    assert_int_equal(run(self, &body), STATUS_OK);
    assert_int_not_equal(inode_of(self, "out/" PART), first);
    assert_false(temp_folder_has(&self->folder, "out/" FINAL ".4-1.part"));
    content_is(self, "out/" FINAL, "published");
}

static void task_allocate__refuses_what_cannot_be_made(void **state)
{
    fixture *self = *state;
    output_header header = header_make(6, 400000000); /* 7.2 GB as plain WAV */
    task_body body = allocate_body(&header);
    assert_int_equal(run(self, &body), STATUS_LIMIT);
    says(self, FINAL);
    header = header_make(1, 10);
    body = allocate_body(&header);
    body.allocate.part = path_of("media", PART);
    body.allocate.final = path_of("media", FINAL);
    assert_int_equal(run(self, &body), STATUS_STORAGE_DENIED);
    says(self, "read-only");
}

/* Audio of `frames` mono 24-bit frames where the renderer would have put it. */
static void audio_write(const fixture *self, uint64_t frames, uint8_t *audio)
{
    uint64_t seed = 77;
    for (size_t i = 0; i < frames * 3; i++)
        audio[i] = (uint8_t)test_random(&seed);
    int descriptor = -1;
    assert_int_equal(storage_open_output(storage_roots_find(&self->roots, "out"), PART, &descriptor, NULL), STATUS_OK);
    assert_int_equal(storage_write_at(descriptor, audio, frames * 3, 4096, NULL), STATUS_OK);
    close(descriptor);
}

enum { FLOW_FRAMES = 3001 };

/* Allocates, writes and seals; gives a VERIFY body with three ranges. */
static task_body sealed_make(fixture *self, uint8_t *audio, task_verify_range ranges[3])
{
    output_header header = header_make(1, FLOW_FRAMES);
    task_body body = allocate_body(&header);
    assert_int_equal(run(self, &body), STATUS_OK);
    audio_write(self, FLOW_FRAMES, audio);
    header.bext.loudness_value = -2300;
    body = (task_body){.kind = TASK_SEAL, .seal = {.part = path_of("out", PART), .header = header}};
    assert_int_equal(run(self, &body), STATUS_OK);
    assert_int_equal(self->payload.size, 32);
    task_body verify = {.kind = TASK_VERIFY,
                        .verify = {.file = path_of("out", PART),
                                   .file_size = 4096 + FLOW_FRAMES * 3 + 1,
                                   .data_offset = 4096,
                                   .data_size = FLOW_FRAMES * 3,
                                   .bytes_per_frame = 3,
                                   .range_count = 3,
                                   .ranges = ranges}};
    memcpy(verify.verify.header_digest.bytes, self->payload.bytes, 16);
    memcpy(verify.verify.trailer_digest.bytes, self->payload.bytes + 16, 16);
    ranges[0] = (task_verify_range){1000, content_hash_of(audio, 3000)};
    ranges[1] = (task_verify_range){1, content_hash_of(audio + 3000, 3)};
    ranges[2] = (task_verify_range){2000, content_hash_of(audio + 3003, 6000)};
    return verify;
}

static void task_seal__writes_the_measured_loudness_and_digests_what_is_not_audio(void **state)
{
    fixture *self = *state;
    static uint8_t audio[FLOW_FRAMES * 3];
    task_verify_range ranges[3];
    task_body verify = sealed_make(self, audio, ranges);
    size_t size = 0;
    uint8_t *bytes = temp_folder_read(&self->folder, "out/" PART, &size);
    content_hash header = content_hash_of(bytes, 4096);
    content_hash trailer = content_hash_of("", 1); /* one zero byte */
    assert_true(content_hash_equal(&header, &verify.verify.header_digest));
    assert_true(content_hash_equal(&trailer, &verify.verify.trailer_digest));
    assert_int_equal((int16_t)(bytes[56 + 412] | bytes[56 + 413] << 8), -2300);
    assert_memory_equal(bytes + 4096, audio, sizeof audio);
    free(bytes);
}

static void task_seal__refuses_a_file_of_another_size(void **state)
{
    fixture *self = *state;
    static uint8_t audio[FLOW_FRAMES * 3];
    task_verify_range ranges[3];
    (void)sealed_make(self, audio, ranges);
    assert_int_equal(truncate(temp_folder_path(&self->folder, "out/" PART), 5000), 0);
    task_body body = {.kind = TASK_SEAL, .seal = {.part = path_of("out", PART), .header = header_make(1, FLOW_FRAMES)}};
    assert_int_equal(run(self, &body), STATUS_STORAGE_MISMATCH);
    says(self, "5000 bytes");
    says(self, PART);
    body.seal.part = path_of("out", "gone.part");
    assert_int_equal(run(self, &body), STATUS_INPUT_MISSING);
}

static void task_verify__passes_what_was_written_and_gives_its_digests(void **state)
{
    fixture *self = *state;
    static uint8_t audio[FLOW_FRAMES * 3];
    task_verify_range ranges[3];
    task_body verify = sealed_make(self, audio, ranges);
    assert_int_equal(run(self, &verify), STATUS_OK);
    assert_int_equal(self->last_progress, 1000);
    task_verify_result result;
    assert_int_equal(task_verify_result_decode(&result, self->payload.bytes, self->payload.size), STATUS_OK);
    size_t size = 0;
    uint8_t *bytes = temp_folder_read(&self->folder, "out/" PART, &size);
    content_hash file_digest = content_hash_of(bytes, size);
    content_hash audio_digest = content_hash_of(audio, sizeof audio);
    assert_true(content_hash_equal(&result.file_digest, &file_digest));
    assert_true(content_hash_equal(&result.audio_digest, &audio_digest));
    assert_int_equal(result.file_size, size);
    free(bytes);
    /* Without ranges nothing is compared, and the digests are the same. */
    verify.verify.range_count = 0;
    verify.verify.header_digest = (content_hash){0};
    verify.verify.file_size = 0;
    assert_int_equal(run(self, &verify), STATUS_OK);
    assert_int_equal(task_verify_result_decode(&result, self->payload.bytes, self->payload.size), STATUS_OK);
    assert_true(content_hash_equal(&result.file_digest, &file_digest));
    assert_true(content_hash_equal(&result.audio_digest, &audio_digest));
}

static void task_verify__names_the_place_of_any_byte_that_differs(void **state)
{
    fixture *self = *state;
    static uint8_t audio[FLOW_FRAMES * 3];
    task_verify_range ranges[3];
    task_body verify = sealed_make(self, audio, ranges);
    static const struct {
        uint64_t byte;
        const char *words;
    } cases[] = {
        {0, "the header"},
        {4095, "the header"},
        {4096, "range 0, frames 0 to 1000"},
        {4096 + 2999, "range 0"},
        {4096 + 3001, "range 1, frames 1000 to 1001"},
        {4096 + 3003, "range 2, frames 1001 to 3001"},
        {4096 + FLOW_FRAMES * 3 - 1, "range 2"},
        {4096 + FLOW_FRAMES * 3, "what follows the audio"},
    };
    int descriptor = -1;
    assert_int_equal(storage_open_output(storage_roots_find(&self->roots, "out"), PART, &descriptor, NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t byte = 0;
        assert_int_equal(storage_read_at(descriptor, &byte, 1, cases[i].byte, NULL), STATUS_OK);
        byte ^= 0x10;
        assert_int_equal(storage_write_at(descriptor, &byte, 1, cases[i].byte, NULL), STATUS_OK);
        assert_int_equal(run(self, &verify), STATUS_STORAGE_MISMATCH);
        says(self, cases[i].words);
        says(self, PART);
        assert_int_equal(self->payload.size, 0);
        byte ^= 0x10;
        assert_int_equal(storage_write_at(descriptor, &byte, 1, cases[i].byte, NULL), STATUS_OK);
    }
    assert_int_equal(run(self, &verify), STATUS_OK);
    assert_int_equal(ftruncate(descriptor, 4096 + 100), 0);
    assert_int_equal(run(self, &verify), STATUS_STORAGE_MISMATCH);
    close(descriptor);
}

static void task_verify__refuses_ranges_that_do_not_cover_the_audio(void **state)
{
    fixture *self = *state;
    static uint8_t audio[FLOW_FRAMES * 3];
    task_verify_range ranges[3];
    task_body verify = sealed_make(self, audio, ranges);
    ranges[2].frame_count--;
    assert_int_equal(run(self, &verify), STATUS_PEER_MALFORMED);
    ranges[2].frame_count = UINT64_MAX - 1000;
    assert_int_equal(run(self, &verify), STATUS_PEER_MALFORMED);
}

/* ---- PUBLISH ---- */

static task_body publish_body(task_publish_file files[3], bool replace)
{
    static const char *const names[] = {"PM/A.L.wav", "PM/A.R.wav", "PM/A.C.wav"};
    for (int i = 0; i < 3; i++) {
        char part[64];
        snprintf(part, sizeof part, "%s.9-1.part", names[i]);
        files[i] = (task_publish_file){.part = path_of("out", part), .final = path_of("out", names[i])};
    }
    return (task_body){.kind = TASK_PUBLISH, .publish = {.replace = replace, .file_count = 3, .files = files}};
}

static void parts_write(const fixture *self)
{
    temp_folder_write(&self->folder, "out/PM/A.L.wav.9-1.part", "left", 4);
    temp_folder_write(&self->folder, "out/PM/A.R.wav.9-1.part", "right", 5);
    temp_folder_write(&self->folder, "out/PM/A.C.wav.9-1.part", "centre", 6);
}

static void finals_are(const fixture *self)
{
    content_is(self, "out/PM/A.L.wav", "left");
    content_is(self, "out/PM/A.R.wav", "right");
    content_is(self, "out/PM/A.C.wav", "centre");
    assert_false(temp_folder_has(&self->folder, "out/PM/A.L.wav.9-1.part"));
    assert_false(temp_folder_has(&self->folder, "out/PM/A.R.wav.9-1.part"));
    assert_false(temp_folder_has(&self->folder, "out/PM/A.C.wav.9-1.part"));
}

static void task_publish__renames_and_may_be_repeated_from_any_point(void **state)
{
    fixture *self = *state;
    temp_folder_make(&self->folder, "out/PM");
    task_publish_file files[3];
    task_body body = publish_body(files, false);
    parts_write(self);
    assert_int_equal(run(self, &body), STATUS_OK);
    finals_are(self);
    assert_int_equal(run(self, &body), STATUS_OK); /* an attempt whose answer was lost */
    finals_are(self);
    /* The attempt died after its first rename. */
    parts_write(self);
    assert_int_equal(unlink(temp_folder_path(&self->folder, "out/PM/A.L.wav.9-1.part")), 0);
    assert_int_equal(unlink(temp_folder_path(&self->folder, "out/PM/A.R.wav")), 0);
    assert_int_equal(unlink(temp_folder_path(&self->folder, "out/PM/A.C.wav")), 0);
    assert_int_equal(run(self, &body), STATUS_OK);
    finals_are(self);
    /* The same bytes made again: what is published stays the file it was. */
    ino_t before = inode_of(self, "out/PM/A.R.wav");
    parts_write(self);
    assert_int_equal(run(self, &body), STATUS_OK);
    finals_are(self);
    assert_int_equal(inode_of(self, "out/PM/A.R.wav"), before);
}

static void task_publish__changes_nothing_when_one_file_conflicts(void **state)
{
    fixture *self = *state;
    temp_folder_make(&self->folder, "out/PM");
    task_publish_file files[3];
    task_body body = publish_body(files, false);
    parts_write(self);
    temp_folder_write(&self->folder, "out/PM/A.C.wav", "Centre", 6); /* the last of the three, one byte differs */
    assert_int_equal(run(self, &body), STATUS_INPUT_CONFLICT);
    says(self, "PM/A.C.wav");
    says(self, "--replace");
    assert_false(temp_folder_has(&self->folder, "out/PM/A.L.wav"));
    assert_false(temp_folder_has(&self->folder, "out/PM/A.R.wav"));
    assert_true(temp_folder_has(&self->folder, "out/PM/A.C.wav.9-1.part"));
    content_is(self, "out/PM/A.C.wav", "Centre");
    body.publish.replace = true;
    assert_int_equal(run(self, &body), STATUS_OK);
    finals_are(self);
    /* Other length, and a name taken by what is no file. */
    parts_write(self);
    temp_folder_write(&self->folder, "out/PM/A.L.wav", "left and more", 13);
    body.publish.replace = false;
    assert_int_equal(run(self, &body), STATUS_INPUT_CONFLICT);
    assert_int_equal(unlink(temp_folder_path(&self->folder, "out/PM/A.L.wav")), 0);
    temp_folder_make(&self->folder, "out/PM/A.L.wav");
    body.publish.replace = true;
    assert_int_not_equal(run(self, &body), STATUS_OK);
    content_is(self, "out/PM/A.L.wav.9-1.part", "left");
}

static void task_publish__tells_when_part_and_final_are_both_gone(void **state)
{
    fixture *self = *state;
    temp_folder_make(&self->folder, "out/PM");
    task_publish_file files[3];
    task_body body = publish_body(files, true);
    parts_write(self);
    assert_int_equal(unlink(temp_folder_path(&self->folder, "out/PM/A.R.wav.9-1.part")), 0);
    assert_int_equal(run(self, &body), STATUS_STORAGE_MISMATCH);
    says(self, "PM/A.R.wav");
    assert_false(temp_folder_has(&self->folder, "out/PM/A.L.wav"));
}

/* ---- DISCARD ---- */

static void task_discard__removes_parts_and_empty_folders_and_nothing_else(void **state)
{
    fixture *self = *state;
    temp_folder_make(&self->folder, "out/SHOW");
    temp_folder_make(&self->folder, "out/SHOW/PM");
    temp_folder_make(&self->folder, "out/SHOW/ME");
    temp_folder_write(&self->folder, "out/SHOW/PM/A.wav.9-1.part", "x", 1);
    temp_folder_write(&self->folder, "out/SHOW/ME/B.wav.9-1.part", "x", 1);
    temp_folder_write(&self->folder, "out/SHOW/ME/B.wav", "published", 9);
    temp_folder_make(&self->folder, "out/stuck.part");
    temp_folder_write(&self->folder, "out/stuck.part/x", "x", 1);
    task_path files[] = {path_of("out", "stuck.part"), path_of("out", "SHOW/PM/A.wav.9-1.part"),
                         path_of("out", "SHOW/ME/B.wav.9-1.part"), path_of("out", "SHOW/none/C.wav.9-1.part")};
    task_body body = {.kind = TASK_DISCARD, .discard = {.file_count = 4, .files = files}};
    assert_int_not_equal(run(self, &body), STATUS_OK); /* the folder named like a part stays, and is told */
    says(self, "stuck.part");
    assert_false(temp_folder_has(&self->folder, "out/SHOW/PM"));
    assert_false(temp_folder_has(&self->folder, "out/SHOW/ME/B.wav.9-1.part"));
    content_is(self, "out/SHOW/ME/B.wav", "published");
    body.discard.file_count = 3;
    body.discard.files = files + 1;
    assert_int_equal(run(self, &body), STATUS_OK); /* all gone already */
}

/* ---- DEPOSIT ---- */

static task_body deposit_body(const fixture *self)
{
    task_body body = {.kind = TASK_DEPOSIT, .deposit = {.document_count = 2}};
    static const char *const names[] = {"S/report/report.html", "S/report/report.json"};
    for (uint32_t i = 0; i < 2; i++)
        body.deposit.documents[i] = (task_document){.final = path_of("out", names[i]),
                                                    .document = i,
                                                    .size = sizeof self->document,
                                                    .digest = content_hash_of(self->document, sizeof self->document)};
    return body;
}

static void task_deposit__writes_documents_whole_in_any_chunk_size(void **state)
{
    fixture *self = *state;
    static const size_t chunk_sizes[] = {DOCUMENT_CHUNK_MAX, 100000, 4999};
    task_body body = deposit_body(self);
    for (size_t i = 0; i < 3; i++) {
        self->chunk_bytes = chunk_sizes[i];
        assert_int_equal(run(self, &body), STATUS_OK);
        for (uint32_t d = 0; d < 2; d++) {
            size_t size = 0;
            char name[2048];
            snprintf(name, sizeof name, "out/%s", body.deposit.documents[d].final.path);
            uint8_t *bytes = temp_folder_read(&self->folder, name, &size);
            assert_int_equal(size, sizeof self->document);
            assert_memory_equal(bytes, self->document, size);
            free(bytes);
        }
        assert_false(temp_folder_has(&self->folder, "out/S/report/report.json.deposit.part"));
    }
}

static void task_deposit__leaves_the_old_report_when_the_new_one_does_not_come(void **state)
{
    fixture *self = *state;
    temp_folder_make(&self->folder, "out/S");
    temp_folder_make(&self->folder, "out/S/report");
    temp_folder_write(&self->folder, "out/S/report/report.html", "old", 3);
    task_body body = deposit_body(self);
    /* The coordinator goes away, lies about the length, stops early, or sends something else. */
    for (int fault = 0; fault < 4; fault++) {
        self->fetch_code = fault == 0 ? STATUS_CANCELLED : STATUS_OK;
        self->fetch_fails_at = 200000;
        self->total_lie = fault == 1 ? 1 : 0;
        self->chunk_bytes = fault == 2 ? 0 : DOCUMENT_CHUNK_MAX;
        if (fault == 3)
            body.deposit.documents[1].digest.bytes[5] ^= 1;
        assert_int_equal(run(self, &body), fault == 0 ? STATUS_CANCELLED : STATUS_PEER_IMPOSSIBLE);
        says(self, "S/report/report");
        content_is(self, "out/S/report/report.html", "old");
        assert_false(temp_folder_has(&self->folder, "out/S/report/report.json"));
        assert_false(temp_folder_has(&self->folder, "out/S/report/report.html.deposit.part"));
        assert_false(temp_folder_has(&self->folder, "out/S/report/report.json.deposit.part"));
    }
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, fixture_create, fixture_destroy)
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(task_render__hands_each_finished_cell_to_the_host),
        WITH_FOLDER(task_run__refuses_bodies_that_do_not_decode),
        WITH_FOLDER(task_probe__answers_facts_for_good_bad_and_missing_files),
        WITH_FOLDER(task_allocate__makes_a_new_inode_with_header_and_full_size),
        WITH_FOLDER(task_allocate__refuses_what_cannot_be_made),
        WITH_FOLDER(task_seal__writes_the_measured_loudness_and_digests_what_is_not_audio),
        WITH_FOLDER(task_seal__refuses_a_file_of_another_size),
        WITH_FOLDER(task_verify__passes_what_was_written_and_gives_its_digests),
        WITH_FOLDER(task_verify__names_the_place_of_any_byte_that_differs),
        WITH_FOLDER(task_verify__refuses_ranges_that_do_not_cover_the_audio),
        WITH_FOLDER(task_publish__renames_and_may_be_repeated_from_any_point),
        WITH_FOLDER(task_publish__changes_nothing_when_one_file_conflicts),
        WITH_FOLDER(task_publish__tells_when_part_and_final_are_both_gone),
        WITH_FOLDER(task_discard__removes_parts_and_empty_folders_and_nothing_else),
        WITH_FOLDER(task_deposit__writes_documents_whole_in_any_chunk_size),
        WITH_FOLDER(task_deposit__leaves_the_old_report_when_the_new_one_does_not_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
