/*
 * EXCERPT: the seconds around findings, read once more for people: spectrograms for the report and, if wanted, a WAV for each
 * to listen to beside it. A job is not failed for it: what went wrong is told in the payload.
 */
#include "common/base/ensure.h"
#include "common/media/channel_layout.h"
#include "worker/render/spectrogram.h"
#include "worker/render/track_reader.h"
#include "worker/tasks/task_kinds.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_FRAMES = 4096, WAV_HEADER = 44, FOLD_BYTES = 4 };

/* ---- reading ---- */

/* Channel of the track that feeds lane c of the programme. */
static uint32_t track_channel(const task_render *part, uint32_t lane)
{
    const task_binding *binding = &part->pieces[0].bindings[lane];
    uint32_t channel = binding->channel;
    for (uint32_t i = 0; i < binding->file; i++)
        channel += part->inputs[i].channel_count;
    return channel;
}

/* The frames of a place that lie in one part, into [lane][frame of the place]. */
static status read_part(const task_context *context, const task_render *part, const task_place *place, double *const *lanes,
                        arena *memory)
{
    const task_piece *piece = &part->pieces[0];
    uint64_t from = place->first_frame > piece->programme_frame ? place->first_frame : piece->programme_frame;
    uint64_t to = piece->programme_frame + piece->frame_count;
    to = place->first_frame + place->frame_count < to ? place->first_frame + place->frame_count : to;
    if (from >= to)
        return STATUS_OK;
    track_reader *track = NULL;
    status code = track_reader_open(&track, part->input_count, part->inputs, context->roots, context->dsp, memory, context->detail);
    if (code != STATUS_OK)
        return code;
    uint32_t channel_count = track_reader_channels(track);
    double **chunk = arena_take_array(memory, channel_count, sizeof *chunk);
    for (uint32_t c = 0; c < channel_count; c++)
        chunk[c] = arena_take_array(memory, CHUNK_FRAMES, sizeof **chunk);
    if (track_reader_rate(track) != part->program.sample_rate)
        code = error_detail_set(context->detail, STATUS_INPUT_UNSUPPORTED, "its files have another sample rate than the programme");
    for (uint64_t frame = from; code == STATUS_OK && frame < to;) {
        uint32_t count = to - frame < CHUNK_FRAMES ? (uint32_t)(to - frame) : CHUNK_FRAMES;
        int64_t at = piece->bindings[0].file_frame + (int64_t)(frame - piece->programme_frame);
        code = track_reader_read(track, at, count, chunk, context->detail);
        for (uint32_t lane = 0; code == STATUS_OK && lane < part->program.input_count; lane++)
            memcpy(lanes[lane] + (frame - place->first_frame), chunk[track_channel(part, lane)], count * sizeof **chunk);
        frame += count;
    }
    track_reader_close(track);
    return code;
}

/* Every lane of a part is a channel of one of its files, all at the same frame. */
static bool part_fits(const task_render *part)
{
    for (uint32_t lane = 0; lane < part->program.input_count; lane++) {
        const task_binding *binding = &part->pieces[0].bindings[lane];
        if (binding->file >= part->input_count || binding->channel >= part->inputs[binding->file].channel_count ||
            binding->file_frame != part->pieces[0].bindings[0].file_frame)
            return false;
    }
    return part->piece_count > 0 && part->program.input_count > 0;
}

/* ---- a file to listen to ---- */

/* Weight of a channel in the left and the right of a stereo: Lo/Ro by way of 5.1, as deploy/recipes/stereo-loro.yaml says;
 * what stands alone is heard in the middle. */
static void fold_weights(channel_label label, double out_weights[2])
{
    static const double half = 0x1.6a09e667f3bcdp-1; /* the square root of 1/2 */
    double left = half;
    double right = half;
    switch (label) {
    case CHANNEL_L:
        left = 1.0, right = 0.0;
        break;
    case CHANNEL_R:
        left = 0.0, right = 1.0;
        break;
    case CHANNEL_LS:
    case CHANNEL_LSS:
    case CHANNEL_LRS:
    case CHANNEL_LC:
    case CHANNEL_LTS:
        left = half, right = 0.0;
        break;
    case CHANNEL_RS:
    case CHANNEL_RSS:
    case CHANNEL_RRS:
    case CHANNEL_RC:
    case CHANNEL_RTS:
        left = 0.0, right = half;
        break;
    case CHANNEL_M:
        left = 1.0, right = 1.0;
        break;
    case CHANNEL_NONE:
    case CHANNEL_C:
    case CHANNEL_CS:
    case CHANNEL_LFE:
    case CHANNEL_HI:
    case CHANNEL_VIN:
    case CHANNEL_LABEL_COUNT:
        break;
    }
    out_weights[0] = left;
    out_weights[1] = right;
}

static void put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static void wav_header(uint8_t *out, uint32_t rate, uint32_t data_size)
{
    static const uint8_t form[16] = {'f', 'm', 't', ' ', 16, 0, 0, 0, 1, 0, 2, 0};
    memcpy(out, "RIFF", 4);
    put_u32(out + 4, WAV_HEADER - 8 + data_size);
    memcpy(out + 8, "WAVE", 4);
    memcpy(out + 12, form, 12);
    put_u32(out + 24, rate);
    put_u32(out + 28, rate * FOLD_BYTES);
    memcpy(out + 32, "\x04\x00\x10\x00" "data", 8); /* 4 bytes a frame, 16 bits a sample */
    put_u32(out + 40, data_size);
}

/* The wanted channels folded to stereo, 16 bit, at a gain at which they cannot clip. */
static uint8_t *fold(const channel_layout *layout, const task_place *place, uint32_t rate, double *const *lanes,
                     double *out_gain, size_t *out_size)
{
    double sums[2] = {0};
    double weights[LAYOUT_CHANNELS_MAX][2] = {{0}};
    for (uint32_t c = 0; c < layout->channel_count; c++) {
        if ((place->channels >> c & 1) != 0)
            fold_weights(layout->labels[c], weights[c]);
        sums[0] += weights[c][0];
        sums[1] += weights[c][1];
    }
    double most = sums[0] > sums[1] ? sums[0] : sums[1];
    *out_gain = most > 1.0 ? 1.0 / most : 1.0;
    *out_size = WAV_HEADER + (size_t)place->frame_count * FOLD_BYTES;
    uint8_t *bytes = malloc(*out_size);
    if (bytes == NULL)
        return NULL;
    wav_header(bytes, rate, place->frame_count * FOLD_BYTES);
    for (uint32_t i = 0; i < place->frame_count; i++)
        for (int side = 0; side < 2; side++) {
            double sum = 0.0;
            for (uint32_t c = 0; c < layout->channel_count; c++)
                sum = fma(lanes[c][i], weights[c][side], sum);
            sum = sum * *out_gain * 32768.0;
            sum = sum > 32767.0 ? 32767.0 : sum < -32768.0 ? -32768.0 : sum;
            int value = (int)(sum < 0.0 ? sum - 0.5 : sum + 0.5);
            value = value > 32767 ? 32767 : value < -32768 ? -32768 : value;
            bytes[WAV_HEADER + (size_t)i * FOLD_BYTES + 2 * (size_t)side] = (uint8_t)(value & 0xFF);
            bytes[WAV_HEADER + (size_t)i * FOLD_BYTES + 2 * (size_t)side + 1] = (uint8_t)(value >> 8 & 0xFF);
        }
    return bytes;
}

static status write_audition(const task_context *context, const task_excerpt *task, const task_place *place,
                             double *const *lanes, task_excerpt_item *item)
{
    const render_program *program = &task->parts[0].program;
    const channel_layout *layout = channel_layout_get((channel_layout_id)program->outputs[0].layout);
    task_path path = task->folder;
    int length = snprintf(path.path, sizeof path.path, "%s/%s.wav", task->folder.path, place->name);
    if (length < 0 || (size_t)length >= sizeof path.path)
        return error_detail_set(context->detail, STATUS_LIMIT, "the path %.600s is too long", task->folder.path);
    const storage_root *root = NULL;
    status code = task_root(context, &path, &root);
    if (code != STATUS_OK)
        return code;
    size_t size = 0;
    uint8_t *bytes = fold(layout, place, program->sample_rate, lanes, &item->audition_gain, &size);
    if (bytes == NULL)
        return error_detail_set(context->detail, STATUS_NODE_MEMORY, "no memory is left for audition audio");
    code = task_file_put(context, root, path.path, bytes, size);
    if (code == STATUS_OK) {
        item->audition_size = size;
        item->audition_digest = content_hash_of(bytes, size);
    }
    free(bytes);
    return task_name_file(context, code, &path);
}

/* ---- one place ---- */

/* The picture is there if row_count is, whatever became of the file; *audition falls once one cannot be written. */
static status excerpt_place(const task_context *context, const task_excerpt *task, const task_place *place, bool *audition,
                            task_excerpt_item *out_item, uint8_t *levels)
{
    const render_program *program = &task->parts[0].program;
    arena memory;
    arena_init(&memory);
    double *lanes[LAYOUT_CHANNELS_MAX] = {NULL};
    const double *wanted[LAYOUT_CHANNELS_MAX];
    uint32_t wanted_count = 0;
    for (uint32_t c = 0; c < program->input_count; c++) {
        lanes[c] = arena_take_array(&memory, place->frame_count, sizeof **lanes); /* silence where no part has it */
        if ((place->channels >> c & 1) != 0)
            wanted[wanted_count++] = lanes[c];
    }
    status code = STATUS_OK;
    for (uint32_t i = 0; code == STATUS_OK && i < task->part_count; i++)
        code = read_part(context, &task->parts[i], place, lanes, &memory);
    if (code == STATUS_OK) {
        *out_item = (task_excerpt_item){.place = *place, .row_count = spectrogram_rows(program->sample_rate), .levels = levels};
        spectrogram_make(context->dsp, wanted, wanted_count, place->frame_count, program->sample_rate, levels, &memory);
        if (*audition)
            code = write_audition(context, task, place, lanes, out_item);
        *audition = *audition && code == STATUS_OK;
    }
    arena_deinit(&memory);
    return code;
}

static void tell_failure(const task_context *context, task_excerpt_result *result, const char *what)
{
    int size = snprintf(result->failure, sizeof result->failure, "%s%.300s", what, context->detail->message);
    (void)size; /* what is longer is cut */
}

status task_excerpt_run(const task_context *context, const task_excerpt *task)
{
    arena memory;
    arena_init(&memory);
    task_excerpt_result *result = arena_take(&memory, sizeof *result);
    bool audition = task->audition;
    status code = STATUS_OK;
    for (uint32_t i = 0; code == STATUS_OK && i < task->part_count; i++)
        if (!part_fits(&task->parts[i]) || task->parts[i].program.input_count > LAYOUT_CHANNELS_MAX)
            code = error_detail_set(context->detail, STATUS_PEER_MALFORMED, "a part of an excerpt is no programme");
    for (uint32_t i = 0; code == STATUS_OK && i < task->place_count; i++) {
        task_excerpt_item *item = &result->items[result->count];
        uint8_t *levels = arena_take_array(&memory, (size_t)EXCERPT_ROWS_MAX * EXCERPT_COLUMNS, 1);
        code = excerpt_place(context, task, &task->places[i], &audition, item, levels);
        if (code != STATUS_OK && item->row_count > 0) { /* what follows can still be shown */
            tell_failure(context, result, "what was to be listened to could not be written: ");
            code = STATUS_OK;
        }
        result->count += item->row_count > 0;
        task_progress(context, i + 1, task->place_count);
    }
    if (code != STATUS_OK)
        tell_failure(context, result, "not every place could be read again: ");
    task_excerpt_result_encode(result, context->payload);
    arena_deinit(&memory);
    return STATUS_OK;
}
