#define _GNU_SOURCE
#include "worker/render/track_reader.h"

#include "worker/media/media_reader.h"
#include "worker/render/render_parts.h"

#include <float.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK_BYTES = 64 << 10 };

typedef struct track_file {
    int descriptor;
    media_reader *reader;
    sample_encoding encoding; /* of what the reader gives */
    uint32_t frame_bytes;
} track_file;

struct track_reader {
    uint32_t file_count;
    const task_input *inputs;
    track_file *files;
    const dsp_table *dsp;
    uint32_t channel_count;
    uint64_t frame_count;
    uint32_t chunk_frames;
    uint8_t *bytes; /* chunk_frames of the widest file */
    double *tile;   /* [TILE_FRAMES_MAX][TILE_LANES] */
};

status track_reader_open(track_reader **out_reader, uint32_t input_count, const task_input *inputs,
                         const storage_roots *roots, const dsp_table *dsp, arena *memory, error_detail *detail)
{
    track_reader *self = arena_take(memory, sizeof *self);
    *self = (track_reader){.file_count = input_count, .inputs = inputs, .dsp = dsp};
    self->files = arena_take_array(memory, input_count, sizeof *self->files);
    for (uint32_t i = 0; i < input_count; i++)
        self->files[i].descriptor = -1;
    status code = STATUS_OK;
    uint32_t widest = 0;
    for (uint32_t i = 0; code == STATUS_OK && i < input_count; i++) {
        track_file *file = &self->files[i];
        code = render_input_open(&inputs[i], roots, &file->descriptor, &file->reader, detail);
        if (code != STATUS_OK)
            break;
        file->encoding = media_reader_encoding(file->reader);
        file->frame_bytes = inputs[i].channel_count * sample_encoding_bytes(file->encoding);
        widest = file->frame_bytes > widest ? file->frame_bytes : widest;
        self->channel_count += inputs[i].channel_count;
        self->frame_count = inputs[i].frame_count > self->frame_count ? inputs[i].frame_count : self->frame_count;
    }
    if (code != STATUS_OK) {
        track_reader_close(self);
        return code;
    }
    self->chunk_frames = CHUNK_BYTES / widest + 1;
    self->bytes = arena_take_array(memory, self->chunk_frames, widest);
    self->tile = arena_take_lines(memory, (size_t)TILE_FRAMES_MAX * TILE_LANES, sizeof(double));
    *out_reader = self;
    return STATUS_OK;
}

void track_reader_close(track_reader *self)
{
    for (uint32_t i = 0; self != NULL && i < self->file_count; i++) {
        media_reader_destroy(&self->files[i].reader);
        if (self->files[i].descriptor >= 0)
            close(self->files[i].descriptor);
        self->files[i].descriptor = -1;
    }
}

uint32_t track_reader_channels(const track_reader *self)
{
    return self->channel_count;
}

uint32_t track_reader_rate(const track_reader *self)
{
    return self->inputs[0].sample_rate;
}

uint64_t track_reader_frames(const track_reader *self)
{
    return self->frame_count;
}

/* What is done with the samples of one tile: `lane_count` channels from `channel` on, from frame `at` on. */
typedef void tile_sink(const double *tile, uint32_t frame_count, uint32_t channel, uint32_t lane_count, double *const *out,
                       uint32_t at);

static void keep_channels(const double *tile, uint32_t frame_count, uint32_t channel, uint32_t lane_count, double *const *out,
                          uint32_t at)
{
    for (uint32_t l = 0; l < lane_count; l++)
        for (uint32_t i = 0; i < frame_count; i++)
            out[channel + l][at + i] = tile[(size_t)i * TILE_LANES + l];
}

static void add_channels(const double *tile, uint32_t frame_count, uint32_t channel, uint32_t lane_count, double *const *out,
                         uint32_t at)
{
    (void)channel;
    for (uint32_t i = 0; lane_count == 1 && i < frame_count; i++) /* guide tracks are mono mostly */
        out[0][at + i] += tile[(size_t)i * TILE_LANES];
    for (uint32_t i = 0; lane_count > 1 && i < frame_count; i++) {
        double sum = out[0][at + i];
        for (uint32_t l = 0; l < lane_count; l++)
            sum += tile[(size_t)i * TILE_LANES + l];
        out[0][at + i] = sum;
    }
}

/* Frames that are in self->bytes, from the file's channels first_channel on. */
static void spread(track_reader *self, uint32_t index, uint32_t first_channel, uint32_t channel_count, uint32_t frame_count,
                   tile_sink *sink, double *const *out, uint32_t at)
{
    static const uint8_t lanes[TILE_LANES] = {0, 1, 2, 3, 4, 5, 6, 7};
    const track_file *file = &self->files[index];
    for (uint32_t done = 0; done < frame_count; done += TILE_FRAMES_MAX) {
        uint32_t count = frame_count - done < TILE_FRAMES_MAX ? frame_count - done : TILE_FRAMES_MAX;
        for (uint32_t c = 0; c < channel_count; c += TILE_LANES) {
            uint32_t lane_count = channel_count - c < TILE_LANES ? channel_count - c : TILE_LANES;
            uint8_t channels[TILE_LANES];
            for (uint32_t l = 0; l < lane_count; l++)
                channels[l] = (uint8_t)(first_channel + c + l);
            self->dsp->unpack(file->encoding, self->bytes + (size_t)done * file->frame_bytes,
                              self->inputs[index].channel_count, count, lane_count, channels, lanes, self->tile);
            for (uint32_t i = 0; sample_encoding_is_float(file->encoding) && i < count * TILE_LANES; i++)
                self->tile[i] = fabs(self->tile[i]) <= (double)FLT_MAX ? self->tile[i] : 0.0;
            sink(self->tile, count, c, lane_count, out, at + done);
        }
    }
}

/* `out` is silent where the file is not. */
static status read_file(track_reader *self, uint32_t index, uint32_t first_channel, uint32_t channel_count, int64_t first,
                        uint32_t frame_count, tile_sink *sink, double *const *out, error_detail *detail)
{
    int64_t begin = first < 0 ? 0 : first;
    int64_t end = first + (int64_t)frame_count;
    if (end > (int64_t)self->inputs[index].frame_count)
        end = (int64_t)self->inputs[index].frame_count;
    while (begin < end) {
        uint32_t count = end - begin < self->chunk_frames ? (uint32_t)(end - begin) : self->chunk_frames;
        status code = media_reader_frames(self->files[index].reader, (uint64_t)begin, count, self->bytes, detail);
        if (code != STATUS_OK)
            return render_input_failed(&self->inputs[index], code, detail);
        spread(self, index, first_channel, channel_count, count, sink, out, (uint32_t)(begin - first));
        begin += count;
    }
    return STATUS_OK;
}

static void silence(double *const *out, uint32_t channel_count, uint32_t frame_count)
{
    for (uint32_t c = 0; c < channel_count; c++)
        memset(out[c], 0, frame_count * sizeof *out[c]);
}

status track_reader_read(track_reader *self, int64_t first_frame, uint32_t frame_count, double *const *channels,
                         error_detail *detail)
{
    status code = STATUS_OK;
    uint32_t channel = 0;
    silence(channels, self->channel_count, frame_count);
    for (uint32_t i = 0; code == STATUS_OK && i < self->file_count; i++) {
        uint32_t count = self->inputs[i].channel_count;
        code = read_file(self, i, 0, count, first_frame, frame_count, keep_channels, channels + channel, detail);
        channel += count;
    }
    return code;
}

status track_reader_read_sum(track_reader *self, int64_t first_frame, uint32_t frame_count, double *out, error_detail *detail)
{
    status code = STATUS_OK;
    silence(&out, 1, frame_count);
    for (uint32_t i = 0; code == STATUS_OK && i < self->file_count; i++)
        code = read_file(self, i, 0, self->inputs[i].channel_count, first_frame, frame_count, add_channels, &out, detail);
    return code;
}

status track_reader_read_channel(track_reader *self, uint32_t channel, int64_t first_frame, uint32_t frame_count, double *out,
                                 error_detail *detail)
{
    uint32_t index = 0;
    while (channel >= self->inputs[index].channel_count)
        channel -= self->inputs[index++].channel_count;
    silence(&out, 1, frame_count);
    return read_file(self, index, channel, 1, first_frame, frame_count, keep_channels, &out, detail);
}
