/*
 * The control data beside a narration: how far a receiver that mixes for itself takes the programme down, in the units of ETSI
 * TS 101 154 Annex E (docs/deliverables.md has the form). The curve is made from the published narration, so that it belongs to
 * those very bytes; where the narration is one mono stem it is the curve that ducks the finished mix.
 *
 * No logarithm is taken here: the fade of a gain is found among products of one constant, the same on every machine.
 */
#include "common/base/ensure.h"
#include "common/measure/cell_measure.h"
#include "worker/media/media_reader.h"
#include "worker/tasks/task_kinds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FADE_STEPS = 255,          /* 0x00 .. 0xFE; 0xFF is mute */
    POINT_TEXT_MAX = 32,       /* "[18446744073709551615, 255],\n" */
    HEADER_TEXT_MAX = 4096
};

/* 10^(-0.3/20), one step of the fade, and 10^(-0.15/20), where the nearest step changes from 0 to 1. */
static const double fade_step = 0.9660508789898133;
static const double fade_half_step = 0.9828788730000322;

static void fade_edges(double edges[FADE_STEPS])
{
    edges[0] = fade_half_step;
    for (uint32_t i = 1; i < FADE_STEPS; i++)
        edges[i] = edges[i - 1] * fade_step;
}

/* The nearest in decibels. */
static uint32_t fade_of(const double edges[FADE_STEPS], double gain)
{
    uint32_t fade = 0;
    while (fade < FADE_STEPS && gain < edges[fade])
        fade++;
    return fade;
}

typedef struct control_slots {
    uint32_t count;       /* slots of the narration; the last one may be cut short */
    bool *active;         /* duck_shape_before() slots of silence, count, one more edge, duck_shape_after() of silence */
    uint32_t active_count;
} control_slots;

/* Sum of squares of one slot. */
static status control_energy(media_reader *reader, const dsp_table *dsp, uint64_t first, uint64_t end, uint8_t *bytes,
                             double *tile, double *out_energy, error_detail *detail)
{
    static const uint8_t one[1] = {0};
    double energy = 0.0;
    while (first < end) {
        uint32_t count = end - first < TILE_FRAMES_MAX ? (uint32_t)(end - first) : TILE_FRAMES_MAX;
        status code = media_reader_frames(reader, first, count, bytes, detail);
        if (code != STATUS_OK)
            return code;
        dsp->unpack(media_reader_encoding(reader), bytes, 1, count, 1, one, one, tile);
        for (uint32_t i = 0; i < count; i++)
            energy += tile[(size_t)i * TILE_LANES] * tile[(size_t)i * TILE_LANES];
        first += count;
    }
    *out_energy = energy;
    return STATUS_OK;
}

static status control_listen(const task_context *context, const task_control *control, int descriptor,
                             const control_slots *slots)
{
    media_reader *reader = NULL;
    error_detail *detail = context->detail;
    status code = media_reader_create(&reader, descriptor, CONTAINER_WAV, control->encoding, 1, control->frame_count,
                                      control->data_offset, true, detail);
    if (code != STATUS_OK)
        return code;
    arena memory;
    arena_init(&memory);
    uint8_t *bytes = arena_take(&memory, (size_t)TILE_FRAMES_MAX * sizeof(double));
    double *tile = aligned_alloc(64, (size_t)TILE_FRAMES_MAX * TILE_LANES * sizeof *tile);
    if (tile == NULL)
        code = error_detail_set(detail, STATUS_NODE_MEMORY, "no memory is left to make its control data");
    uint32_t before = duck_shape_before(&control->shape);
    storage_read_in_order(descriptor);
    for (uint32_t i = 0; code == STATUS_OK && i < slots->count; i++) {
        uint64_t first = cell_measure_slot_frame(i, control->sample_rate);
        uint64_t end = cell_measure_slot_frame(i + 1, control->sample_rate);
        double energy = 0.0;
        code = control_energy(reader, context->dsp, first, end < control->frame_count ? end : control->frame_count, bytes,
                              tile, &energy, detail);
        slots->active[before + i] = energy >= control->shape.threshold * (double)(end - first);
    }
    free(tile);
    arena_deinit(&memory);
    media_reader_destroy(&reader);
    return code;
}

/* Every edge of a slot at which the fade is another than at the edge before. */
static void control_text(const task_control *control, const char *narration, const control_slots *slots, byte_writer *writer)
{
    char line[HEADER_TEXT_MAX];
    double edges[FADE_STEPS];
    uint32_t gain_count = slots->count + 1;
    double *gains = calloc(gain_count, sizeof *gains);
    ENSURE(gains != NULL);
    duck_curve_gains(&control->shape, slots->active, slots->active_count, gain_count, gains);
    fade_edges(edges);
    int length = snprintf(line, sizeof line,
                          "{\"reelmill_ad_control\": 1,\n \"narration\": \"%s\",\n \"sample_rate\": %" PRIu32
                          ",\n \"frames\": %" PRIu64 ",\n \"edges_per_second\": 100,\n"
                          " \"fade_unit\": \"0.3 dB down per step, 255 mute (ETSI TS 101 154 Annex E)\",\n"
                          " \"pan_unit\": \"360/256 degrees clockwise per step, 0 front (ETSI TS 101 154 Annex E)\",\n"
                          " \"pan\": 0,\n \"fades\": [",
                          narration, control->sample_rate, control->frame_count);
    byte_writer_bytes(writer, line, (size_t)length);
    uint32_t last = FADE_STEPS + 1;
    for (uint32_t i = 0; i < gain_count; i++) {
        uint32_t fade = fade_of(edges, gains[i]);
        uint64_t frame = cell_measure_slot_frame(i, control->sample_rate);
        if (fade == last || frame > control->frame_count)
            continue;
        length = snprintf(line, sizeof line, "%s\n  [%" PRIu64 ", %" PRIu32 "]", last > FADE_STEPS ? "" : ",", frame, fade);
        byte_writer_bytes(writer, line, (size_t)length);
        last = fade;
    }
    byte_writer_bytes(writer, "\n ]}\n", 5);
    free(gains);
}

status task_control_write(const task_context *context, const task_publish *task, task_publish_file *out_file)
{
    const task_control *control = &task->control;
    const task_path *narration = &task->files[0].final;
    const storage_root *root = NULL;
    int descriptor = -1;
    *out_file = (task_publish_file){.final = *narration};
    size_t length = strlen(narration->path);
    char *path = out_file->final.path;
    if (length < 4 || length + 5 > sizeof out_file->final.path)
        return error_detail_set(context->detail, STATUS_LIMIT, "the path of its control data is too long; shorten the names");
    memcpy(path + length - 4, ".ad.json", 9); /* in place of ".wav" */
    status code = task_root(context, narration, &root);
    if (code == STATUS_OK)
        code = storage_open_published(root, narration->path, &descriptor, context->detail);
    if (code != STATUS_OK)
        return task_name_file(context, code, narration);
    control_slots slots = {.count = (uint32_t)(cell_measure_slot_of(control->frame_count - 1, control->sample_rate) + 1)};
    slots.active_count = duck_shape_before(&control->shape) + slots.count + 1 + duck_shape_after(&control->shape);
    slots.active = calloc(slots.active_count, sizeof *slots.active);
    if (slots.active == NULL)
        code = error_detail_set(context->detail, STATUS_NODE_MEMORY, "no memory is left to make its control data");
    if (code == STATUS_OK)
        code = control_listen(context, control, descriptor, &slots);
    close(descriptor);
    if (code == STATUS_OK) {
        const char *slash = strrchr(narration->path, '/');
        byte_writer text;
        byte_writer_init(&text, HEADER_TEXT_MAX + (size_t)(slots.count + 1) * POINT_TEXT_MAX);
        control_text(control, slash == NULL ? narration->path : slash + 1, &slots, &text);
        ENSURE(!text.failed);
        out_file->digest = content_hash_of(text.bytes, text.size);
        code = task_document_put(context, &out_file->final, task->replace,
                                 "published control data beside the narration holds another curve", text.bytes, text.size);
        byte_writer_deinit(&text);
    }
    free(slots.active);
    return task_name_file(context, code, &out_file->final);
}
