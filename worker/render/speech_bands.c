#include "worker/render/speech_bands.h"

#include "common/base/ensure.h"
#include "common/media/channel_layout.h"
#include "common/measure/cell_measure.h"

#include <string.h>

enum { VOICE_RATE = 12000, VOICE_ROOM = 16 * SPECTRUM_FRAMES };

/* Edges of the bands: 47 Hz apart as far as a voice has its pitch and first formant, then about a quarter of an octave. */
static const uint16_t edges_hz[SPEECH_BANDS + 1] = {70,   117,  164,  211,  258,  305,  352,  398,  445,  539,  633, 727,
                                                    867,  1008, 1195, 1430, 1711, 2039, 2461, 2977, 3586, 4383, 5508};

struct speech_bands {
    const dsp_table *dsp;
    const signal_tables *tables;
    cell_signal *cell;
    uint32_t sample_rate, factor;
    int channels[2];
    uint8_t first_line[SPEECH_BANDS], end_line[SPEECH_BANDS]; /* of the spectrum */
    double scale;                  /* of a sample of the voice */
    uint64_t cell_frame;
    double falling, rising, risen; /* weighted sums of the group, and of the one before */
    uint32_t voice_count;          /* samples in voice */
    double voice[VOICE_ROOM];
    uint32_t window_count;         /* that wait for their spectrum */
    uint32_t window_ends[TILE_LANES]; /* in voice */
    double *windows;               /* [SPECTRUM_FRAMES][TILE_LANES] */
    double (*power)[TILE_LANES];   /* [SPECTRUM_FRAMES / 2] */
};

static void find_lines(speech_bands *self)
{
    double line_hz = (double)self->sample_rate / self->factor / SPECTRUM_FRAMES;
    uint32_t line = 0;
    for (uint32_t b = 0; b < SPEECH_BANDS; b++) {
        while (line * line_hz < edges_hz[b] && line < SPECTRUM_FRAMES / 2 - 1)
            line++;
        uint32_t end = line;
        while (end * line_hz < edges_hz[b + 1] && end < SPECTRUM_FRAMES / 2)
            end++;
        self->first_line[b] = (uint8_t)line;
        self->end_line[b] = (uint8_t)(end > line ? end : line + 1); /* lines wider apart than bands: the nearest above */
    }
}

speech_bands *speech_bands_make(const dsp_table *dsp, const signal_tables *tables, uint8_t layout, uint32_t sample_rate,
                                cell_signal *cell, arena *memory)
{
    if (sample_rate < SPEECH_RATE_MIN)
        return NULL;
    speech_bands *self = arena_take_array(memory, 1, sizeof *self);
    *self = (speech_bands){.dsp = dsp, .tables = tables, .cell = cell, .sample_rate = sample_rate};
    self->factor = (sample_rate + VOICE_RATE / 2) / VOICE_RATE;
    channel_layout_id id = (channel_layout_id)layout;
    int left = channel_layout_index(id, CHANNEL_L);
    int right = channel_layout_index(id, CHANNEL_R);
    int centre = channel_layout_index(id, CHANNEL_C);
    bool pair = centre < 0 && left >= 0 && right >= 0;
    self->channels[0] = pair ? left : centre < 0 ? 0 : centre;
    self->channels[1] = pair ? right : -1;
    self->scale = (pair ? 0.5 : 1.0) / ((double)self->factor * self->factor);
    find_lines(self);
    size_t lanes = (size_t)SPECTRUM_FRAMES * TILE_LANES;
    double *room = arena_take_array(memory, lanes + lanes / 2 + TILE_LANES, sizeof *room);
    self->windows = room + (64 - (uintptr_t)room % 64) % 64 / sizeof *room;
    self->power = (double (*)[TILE_LANES])(void *)(self->windows + lanes);
    return self;
}

void speech_bands_channels(const speech_bands *self, int out_channels[2])
{
    out_channels[0] = self->channels[0];
    out_channels[1] = self->channels[1];
}

void speech_bands_begin(speech_bands *self, uint64_t cell_frame)
{
    self->cell_frame = cell_frame;
    self->cell->speech_count = 0;
    self->falling = self->rising = self->risen = 0.0;
    self->voice_count = SPECTRUM_FRAMES;
    memset(self->voice, 0, SPECTRUM_FRAMES * sizeof *self->voice);
    self->window_count = 0;
}

/* Sixths of a factor of two in power, without libm: the exponent, and how many sixths the rest has. */
static uint8_t level_of(double power)
{
    static const double sixths[] = {0x1.1f59ac3c7d6c0p+0, 0x1.428a2f98d728bp+0, 0x1.6a09e667f3bcdp+0, 0x1.965fea53d6e3cp+0,
                                    0x1.c823e074ec129p+0};
    uint64_t bits;
    memcpy(&bits, &power, sizeof bits);
    int32_t level = 6 * ((int32_t)(bits >> 52 & 0x7FF) - 1023) + 253;
    bits = (bits & UINT64_C(0xFFFFFFFFFFFFF)) | UINT64_C(0x3FF0000000000000);
    double rest;
    memcpy(&rest, &bits, sizeof rest);
    for (uint32_t i = 0; i < sizeof sixths / sizeof sixths[0]; i++)
        level += rest >= sixths[i];
    return (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
}

/* The windows that wait: a frame's each. */
static void finish_windows(speech_bands *self)
{
    if (self->window_count == 0)
        return;
    for (uint32_t i = 0; i < SPECTRUM_FRAMES; i++)
        for (uint32_t l = 0; l < self->window_count; l++)
            self->windows[(size_t)i * TILE_LANES + l] = self->voice[self->window_ends[l] - SPECTRUM_FRAMES + i];
    self->dsp->spectrum(self->windows, self->tables->window, (const double (*)[2])self->tables->turn, self->power, NULL);
    double bands[SPEECH_BANDS][TILE_LANES];
    for (uint32_t b = 0; b < SPEECH_BANDS; b++) {
        double sums[TILE_LANES] = {0.0};
        for (uint32_t k = self->first_line[b]; k < self->end_line[b]; k++)
            for (uint32_t l = 0; l < TILE_LANES; l++)
                sums[l] += self->power[k][l];
        for (uint32_t l = 0; l < TILE_LANES; l++)
            bands[b][l] = sums[l] / (self->end_line[b] - self->first_line[b]);
    }
    for (uint32_t l = 0; l < self->window_count && self->cell->speech_count < SPEECH_FRAMES_MAX; l++) {
        uint8_t *levels = self->cell->speech[self->cell->speech_count++];
        for (uint32_t b = 0; b < SPEECH_BANDS; b++)
            levels[b] = level_of(bands[b][l]);
    }
    self->window_count = 0;
}

static void take_window(speech_bands *self)
{
    self->window_ends[self->window_count++] = self->voice_count;
    if (self->window_count == TILE_LANES)
        finish_windows(self);
}

/* So many samples find room behind those that windows still need. */
static void make_room(speech_bands *self, uint32_t count)
{
    ENSURE(count <= VOICE_ROOM - SPECTRUM_FRAMES);
    if (self->voice_count + count <= VOICE_ROOM)
        return;
    finish_windows(self);
    memmove(self->voice, self->voice + self->voice_count - SPECTRUM_FRAMES, SPECTRUM_FRAMES * sizeof *self->voice);
    self->voice_count = SPECTRUM_FRAMES;
}

/* Frames of one group from `phase` on; what they add to its own sample of the voice, and to the next one's. */
static inline void weigh(const double *first, const double *second, uint32_t phase, uint32_t count, uint32_t factor,
                         double *falling, double *rising)
{
    for (uint32_t k = 0; k < count; k++) {
        double x = first[(size_t)k * TILE_LANES];
        if (second != NULL)
            x += second[(size_t)k * TILE_LANES];
        *falling += (double)(factor - phase - k) * x;
        *rising += (double)(phase + k) * x;
    }
}

/* Whole groups; `factor` is a number where this is inlined. */
static inline __attribute__((always_inline)) void take_groups(speech_bands *self, const double *first, const double *second,
                                                              uint32_t group_count, const uint32_t factor)
{
    const double scale = self->scale;
    double *voice = self->voice + self->voice_count;
    double risen = self->risen;
    for (uint32_t i = 0; i < group_count; i++) {
        const size_t at = (size_t)i * factor * TILE_LANES;
        double falling = 0.0;
        double rising = 0.0;
        weigh(first + at, second == NULL ? NULL : second + at, 0, factor, factor, &falling, &rising);
        voice[i] = scale * (falling + risen);
        risen = rising;
    }
    self->voice_count += group_count;
    self->risen = risen;
}

static void take_voice(speech_bands *self, const double *first, const double *second, uint32_t phase, uint32_t frame_count)
{
    const uint32_t factor = self->factor;
    make_room(self, frame_count / factor + 1);
    uint32_t done = phase == 0 ? 0 : factor - phase < frame_count ? factor - phase : frame_count;
    weigh(first, second, phase, done, factor, &self->falling, &self->rising);
    if (done > 0 && phase + done == factor) {
        self->voice[self->voice_count++] = self->scale * (self->falling + self->risen);
        self->risen = self->rising;
        self->falling = self->rising = 0.0;
    }
    uint32_t groups = (frame_count - done) / factor;
    const double *from = first + (size_t)done * TILE_LANES;
    const double *with = second == NULL ? NULL : second + (size_t)done * TILE_LANES;
    if (factor == 4 && second == NULL)
        take_groups(self, from, NULL, groups, 4);
    else if (factor == 4)
        take_groups(self, from, with, groups, 4);
    else
        take_groups(self, from, with, groups, factor);
    const size_t rest = (size_t)groups * factor;
    weigh(from + rest * TILE_LANES, with == NULL ? NULL : with + rest * TILE_LANES, 0, (uint32_t)(frame_count - done - rest),
          factor, &self->falling, &self->rising);
}

void speech_bands_take(speech_bands *self, const double *first, const double *second, uint64_t programme_frame,
                       uint32_t frame_count)
{
    take_voice(self, first, second, (uint32_t)(programme_frame % self->factor), frame_count);
    uint64_t end = programme_frame + frame_count;
    uint64_t slot = cell_measure_slot_of(programme_frame, self->sample_rate);
    if (end != cell_measure_slot_frame(slot + 1, self->sample_rate))
        return;
    if (slot % SPEECH_FRAME_SLOTS == SPEECH_FRAME_SLOTS - 1 && end > self->cell_frame)
        take_window(self);
}

void speech_bands_end(speech_bands *self)
{
    finish_windows(self);
}
