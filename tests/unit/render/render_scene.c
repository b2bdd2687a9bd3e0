#define _GNU_SOURCE
#include "tests/unit/render/render_scene.h"

#include "common/measure/cell_signal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { LEADER_FRAMES = 777, INPUT_OFFSET = 44, OUTPUT_OFFSET = 4096 };

typedef struct stem_file {
    uint32_t channels;
    sample_encoding encoding;
    uint32_t first_lane;
    uint32_t leader;
} stem_file;

static const stem_file stem_files[4] = {{6, ENCODING_PCM_24, 0, LEADER_FRAMES},
                                        {1, ENCODING_PCM_16, 6, 0},
                                        {1, ENCODING_PCM_16, 7, 0},
                                        {1, ENCODING_FLOAT_32, 8, 0}};

static double random_unit(uint64_t *seed)
{
    return (double)(int64_t)test_random(seed) * 0x1p-63;
}

/* A sine under noise that swells and fades; its peaks pass -3.5 dBTP and full scale here and there. */
static double source_value(uint32_t lane, uint64_t frame, uint64_t *seed)
{
    double swell = 0.5 + 0.5 * sin((double)frame * (2.1e-4 + 3e-5 * lane));
    return swell * (0.22 * sin((double)frame * (0.02 + 0.017 * lane)) + 0.12 * random_unit(seed));
}

/* Stores a value in the file's form and returns what is stored. */
static double store(uint8_t *bytes, sample_encoding encoding, double value)
{
    if (encoding == ENCODING_FLOAT_32) {
        float narrow = (float)value;
        memcpy(bytes, &narrow, sizeof narrow);
        return (double)narrow;
    }
    uint32_t bits = sample_encoding_bits(encoding);
    int32_t steps = (int32_t)lrint(value * ldexp(1.0, (int)bits - 1));
    for (uint32_t i = 0; i < bits / 8; i++)
        bytes[i] = (uint8_t)((uint32_t)steps >> 8 * i);
    return (double)steps * ldexp(1.0, 1 - (int)bits);
}

static void write_stem(scene *self, uint32_t reel, uint32_t index, uint64_t *seed)
{
    const stem_file *stem = &stem_files[index];
    /* The 5.1 stem of the last reel ends early: the rest of the reel is silence. */
    uint64_t frames = stem->leader + self->reel_frames[reel] - (index == 0 && reel == 2 ? 5000 : 0);
    uint32_t sample_bytes = sample_encoding_bytes(stem->encoding);
    size_t size = INPUT_OFFSET + frames * stem->channels * sample_bytes;
    uint8_t *bytes = calloc(1, size);
    for (uint64_t f = 0; f < frames; f++)
        for (uint32_t c = 0; c < stem->channels; c++) {
            uint32_t lane = stem->first_lane + c;
            double value = source_value(lane, f + 100000 * reel, seed);
            if (stem->encoding == ENCODING_FLOAT_32 && reel == 2 && f % 20011 == 11)
                value = f % 3 == 0 ? (double)NAN : f % 3 == 1 ? (double)INFINITY : 1e30;
            value = store(bytes + INPUT_OFFSET + (f * stem->channels + c) * sample_bytes, stem->encoding, value);
            if (f >= stem->leader && f - stem->leader < self->reel_frames[reel])
                self->lanes[lane][self->programme_frame[reel] + f - stem->leader] = value;
        }
    char name[64];
    (void)snprintf(name, sizeof name, "media/r%u_%u.wav", reel, index);
    temp_folder_write(&self->folder, name, bytes, size);
    free(bytes);
    task_input *input = &self->inputs[reel][index];
    *input = (task_input){.container = CONTAINER_WAV,
                          .encoding = stem->encoding,
                          .sample_rate = 48000,
                          .channel_count = stem->channels,
                          .frame_count = frames,
                          .data_offset = INPUT_OFFSET,
                          .direct = true};
    (void)snprintf(input->file.root, sizeof input->file.root, "media");
    (void)snprintf(input->file.path, sizeof input->file.path, "%s", name + strlen("media/"));
    int descriptor = -1;
    assert_int_equal(storage_open_input(&self->roots.items[1], input->file.path, &descriptor, NULL), STATUS_OK);
    assert_int_equal(storage_identity(descriptor, &input->identity), STATUS_OK);
    close(descriptor);
    for (uint32_t c = 0; c < stem->channels; c++)
        self->bindings[reel][stem->first_lane + c] = (task_binding){
            .file = (uint16_t)index, .channel = (uint16_t)c, .file_frame = (int64_t)stem->leader};
}

static void add_term(scene *self, uint32_t output, uint32_t input, double gain)
{
    self->terms[self->program.term_count++] =
        (render_term){.input = (uint16_t)input, .output = (uint16_t)output, .gain = gain};
}

static void make_program(scene *self)
{
    static const uint8_t layouts[] = {LAYOUT_5_1, LAYOUT_STEREO, LAYOUT_STEREO, LAYOUT_MONO};
    static const uint8_t encodings[] = {ENCODING_PCM_24, ENCODING_PCM_16, ENCODING_FLOAT_32, ENCODING_NONE};
    static const uint16_t first_lanes[] = {0, 6, 8, 10};
    self->program = (render_program){.sample_rate = 48000,
                                     .input_count = SCENE_LANES,
                                     .output_count = SCENE_OUTPUTS,
                                     .output_lane_count = SCENE_OUTPUT_LANES,
                                     .terms = self->terms};
    for (uint32_t o = 0; o < SCENE_OUTPUTS; o++)
        self->program.outputs[o] = (render_output){
            .layout = layouts[o], .encoding = encodings[o], .first_lane = first_lanes[o],
            .dither_seed = encodings[o] == ENCODING_PCM_16 ? 20 : 0};
    for (uint32_t c = 0; c < 6; c++) {
        add_term(self, c, c, 1.0);
        if (c < 2)
            add_term(self, c, 6 + c, 2.5);
        if (c == 2)
            add_term(self, c, 8, 3.1);
    }
    for (uint32_t o = 6; o < 10; o++) {
        add_term(self, o, o % 2, 1.0);
        add_term(self, o, 2, sqrt(0.5));
        add_term(self, o, 4 + o % 2, sqrt(0.5));
        add_term(self, o, 6 + o % 2, 2.0);
    }
    add_term(self, 10, 8, 1.0);
}

int scene_create(void **state)
{
    scene *self = calloc(1, sizeof *self);
    uint64_t seed = 20261121;
    static const uint64_t frames[SCENE_REELS] = {CELL_FRAMES + 1235, 4999, CELL_FRAMES + 77};
    temp_folder_create(&self->folder);
    temp_folder_make(&self->folder, "out");
    temp_folder_make(&self->folder, "media");
    assert_int_equal(storage_roots_add(&self->roots, "out", temp_folder_path(&self->folder, "out"), true, NULL), STATUS_OK);
    assert_int_equal(storage_roots_add(&self->roots, "media", temp_folder_path(&self->folder, "media"), false, NULL),
                     STATUS_OK);
    for (uint32_t r = 0; r < SCENE_REELS; r++) {
        self->reel_frames[r] = frames[r];
        self->programme_frame[r] = self->frame_count;
        self->frame_count += frames[r];
    }
    for (uint32_t l = 0; l < SCENE_LANES; l++)
        self->lanes[l] = calloc(self->frame_count, sizeof(double));
    for (uint32_t r = 0; r < SCENE_REELS; r++)
        for (uint32_t i = 0; i < 4; i++) {
            write_stem(self, r, i, &seed);
            if (r == 1 && i == 3) { /* the optional stem that this reel lacks */
                self->bindings[r][8] = (task_binding){.file = TASK_FILE_NONE};
                memset(self->lanes[8] + self->programme_frame[r], 0, self->reel_frames[r] * sizeof(double));
            }
        }
    make_program(self);
    *state = self;
    return 0;
}

int scene_destroy(void **state)
{
    scene *self = *state;
    for (uint32_t l = 0; l < SCENE_LANES; l++)
        free(self->lanes[l]);
    storage_roots_deinit(&self->roots);
    temp_folder_remove(&self->folder);
    free(self);
    return 0;
}

/* ---- running it ---- */

typedef struct file_shape {
    uint8_t output, channel_count;
    uint8_t channels[6];
    int reel; /* -1: joined */
} file_shape;

static const file_shape file_shapes[SCENE_FILES] = {
    {OUTPUT_51, 6, {0, 2, 1, 4, 5, 3}, -1}, /* film order */
    {OUTPUT_STEREO_16, 1, {0}, -1},
    {OUTPUT_STEREO_16, 1, {1}, -1},
    {OUTPUT_STEREO_FLOAT, 2, {0, 1}, -1},
    {OUTPUT_51, 6, {0, 1, 2, 3, 4, 5}, 0},
    {OUTPUT_51, 6, {0, 1, 2, 3, 4, 5}, 1},
    {OUTPUT_51, 6, {0, 1, 2, 3, 4, 5}, 2},
};

static uint32_t frame_bytes_of(const scene *self, const file_shape *shape)
{
    return shape->channel_count * sample_encoding_bytes((sample_encoding)self->program.outputs[shape->output].encoding);
}

static status take_cell(void *context, uint32_t cell, uint32_t output_count, const content_hash *outputs, uint32_t measure_count,
                        const message_bytes *measures)
{
    scene *self = context;
    assert_true(cell < SCENE_CELLS);
    assert_int_equal(output_count, 5);
    assert_int_equal(measure_count, SCENE_OUTPUTS);
    memcpy(self->result->outputs[self->reel][cell], outputs, output_count * sizeof *outputs);
    for (uint32_t o = 0; o < measure_count; o++) {
        scene_bytes *copy = &self->result->measures[self->reel][cell][o];
        assert_null(copy->bytes);
        *copy = (scene_bytes){.bytes = malloc(measures[o].size), .size = measures[o].size};
        memcpy(copy->bytes, measures[o].bytes, copy->size);
    }
    return STATUS_OK;
}

/* The files that hold a part of this reel: the four joined ones and its own. */
static uint32_t bind_files(const scene *self, uint32_t reel, task_output_file *files)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < SCENE_FILES; i++) {
        const file_shape *shape = &file_shapes[i];
        if (shape->reel >= 0 && shape->reel != (int)reel)
            continue;
        task_output_file *file = &files[count++];
        *file = (task_output_file){.output = shape->output,
                                   .data_offset = OUTPUT_OFFSET,
                                   .file_frame = shape->reel < 0 ? self->programme_frame[reel] : 0,
                                   .file_frame_count = shape->reel < 0 ? self->frame_count : self->reel_frames[reel],
                                   .channel_count = shape->channel_count};
        memcpy(file->channels, shape->channels, shape->channel_count);
        (void)snprintf(file->part.root, sizeof file->part.root, "out");
        (void)snprintf(file->part.path, sizeof file->part.path, "f%u.part", i);
    }
    return count;
}

static void run_task(scene *self, uint32_t first_cell, uint32_t cell_count, const dsp_table *dsp)
{
    uint32_t reel = self->reel;
    task_output_file files[SCENE_FILES];
    task_piece pieces[SCENE_REELS];
    task_input inputs[4 * SCENE_REELS];
    task_binding bindings[SCENE_REELS][SCENE_LANES];
    task_render task = {.program = self->program,
                        .inputs = inputs,
                        .pieces = pieces,
                        .files = files,
                        .first_cell = first_cell,
                        .cell_count = cell_count,
                        .signal_groups = SIGNAL_GROUPS_ALL,
                        .programme_end = reel + 1 == SCENE_REELS,
                        .programme_frame_count = self->frame_count};
    task.file_count = bind_files(self, reel, files);
    for (uint32_t back = 0; back <= reel; back++) { /* its own piece, then those before it, nearest first */
        uint32_t source = reel - back;
        memcpy(bindings[back], self->bindings[source], sizeof bindings[back]);
        for (uint32_t l = 0; l < SCENE_LANES; l++)
            if (bindings[back][l].file != TASK_FILE_NONE)
                bindings[back][l].file = (uint16_t)(bindings[back][l].file + task.input_count);
        uint32_t files_of_reel = source == 1 ? 3 : 4;
        memcpy(inputs + task.input_count, self->inputs[source], files_of_reel * sizeof *inputs);
        task.input_count += files_of_reel;
        pieces[task.piece_count++] = (task_piece){.reel = (uint16_t)source,
                                                  .programme_frame = self->programme_frame[source],
                                                  .frame_count = self->reel_frames[source],
                                                  .bindings = bindings[back]};
    }
    error_detail detail = {0};
    render_observer observer = {.context = self, .cell = take_cell};
    status code = render_run(&task, &self->roots, dsp, &observer, &detail);
    if (code != STATUS_OK)
        fail_msg("render_run: %s", detail.message);
}

scene_result scene_run(scene *self, uint32_t cells_per_task, cpu_features features)
{
    scene_result result;
    memset(&result, 0, sizeof result);
    dsp_table dsp;
    dsp_table_init(&dsp, features);
    self->result = &result;
    for (uint32_t i = 0; i < SCENE_FILES; i++) {
        const file_shape *shape = &file_shapes[i];
        uint64_t frames = shape->reel < 0 ? self->frame_count : self->reel_frames[shape->reel];
        char name[32];
        (void)snprintf(name, sizeof name, "f%u.part", i);
        assert_int_equal(storage_remove(&self->roots.items[0], name, NULL), STATUS_OK);
        int descriptor = -1;
        assert_int_equal(storage_create_output(&self->roots.items[0], name,
                                               OUTPUT_OFFSET + frames * frame_bytes_of(self, shape), &descriptor, NULL),
                         STATUS_OK);
        close(descriptor);
    }
    for (self->reel = 0; self->reel < SCENE_REELS; self->reel++) {
        uint32_t cells = (uint32_t)((self->reel_frames[self->reel] + CELL_FRAMES - 1) / CELL_FRAMES);
        for (uint32_t first = 0; first < cells; first += cells_per_task)
            run_task(self, first, cells - first < cells_per_task ? cells - first : cells_per_task, &dsp);
    }
    for (uint32_t i = 0; i < SCENE_FILES; i++) {
        char name[32];
        size_t size = 0;
        (void)snprintf(name, sizeof name, "out/f%u.part", i);
        uint8_t *bytes = temp_folder_read(&self->folder, name, &size);
        memmove(bytes, bytes + OUTPUT_OFFSET, size - OUTPUT_OFFSET);
        result.files[i] = (scene_bytes){.bytes = bytes, .size = size - OUTPUT_OFFSET};
    }
    self->result = NULL;
    return result;
}

void scene_result_free(scene_result *self)
{
    for (uint32_t i = 0; i < SCENE_FILES; i++)
        free(self->files[i].bytes);
    for (uint32_t r = 0; r < SCENE_REELS; r++)
        for (uint32_t c = 0; c < SCENE_CELLS; c++)
            for (uint32_t o = 0; o < SCENE_OUTPUTS; o++)
                free(self->measures[r][c][o].bytes);
}

static void bytes_equal(const scene_bytes *a, const scene_bytes *b)
{
    assert_int_equal(a->size, b->size);
    if (a->size > 0)
        assert_memory_equal(a->bytes, b->bytes, a->size);
}

void scene_results_equal(const scene_result *a, const scene_result *b)
{
    for (uint32_t i = 0; i < SCENE_FILES; i++)
        bytes_equal(&a->files[i], &b->files[i]);
    for (uint32_t r = 0; r < SCENE_REELS; r++)
        for (uint32_t c = 0; c < SCENE_CELLS; c++)
            for (uint32_t o = 0; o < SCENE_OUTPUTS; o++)
                bytes_equal(&a->measures[r][c][o], &b->measures[r][c][o]);
    assert_memory_equal(a->outputs, b->outputs, sizeof a->outputs);
}

bool scene_mix(const scene *self, uint32_t output_lane, uint64_t frame, long double *out_value)
{
    long double sum = 0.0L;
    for (uint32_t i = 0; i < self->program.term_count; i++)
        if (self->terms[i].output == output_lane)
            sum += (long double)self->terms[i].gain * (long double)self->lanes[self->terms[i].input][frame];
    *out_value = isfinite(sum) ? sum : 0.0L;
    return isfinite(sum);
}

static double read_sample(const uint8_t *bytes, sample_encoding encoding)
{
    uint32_t size = sample_encoding_bytes(encoding);
    if (encoding == ENCODING_FLOAT_32) {
        float value;
        memcpy(&value, bytes, sizeof value);
        return (double)value;
    }
    uint32_t raw = 0;
    for (uint32_t b = 0; b < size; b++)
        raw |= (uint32_t)bytes[b] << (8 * (b + 4 - size));
    return (double)(int32_t)raw * 0x1p-31;
}

double *scene_channel(const scene *self, const scene_result *result, uint32_t output, uint32_t channel)
{
    double *samples = calloc(self->frame_count, sizeof *samples);
    sample_encoding encoding = (sample_encoding)self->program.outputs[output].encoding;
    uint32_t size = sample_encoding_bytes(encoding);
    for (uint32_t i = 0; i < FILE_REEL_51; i++) {
        const file_shape *shape = &file_shapes[i];
        for (uint32_t c = 0; shape->output == output && c < shape->channel_count; c++)
            for (uint64_t f = 0; shape->channels[c] == channel && f < self->frame_count; f++)
                samples[f] = read_sample(result->files[i].bytes + (f * shape->channel_count + c) * size, encoding);
    }
    return samples;
}
