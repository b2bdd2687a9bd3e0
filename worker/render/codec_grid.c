#include "worker/render/codec_grid.h"

#include "common/base/plain_math.h"
#include "worker/dsp/fft.h"

#include <math.h>
#include <string.h>

enum {
    HOP = SIGNAL_GRID_FRAMES, /* lines of a transform */
    SPAN = 2 * HOP,
    HALF = HOP / 2,
    HALF_LOG2 = 9,
    FIRST_LINE = 64, END_LINE = 700, /* at 48 kHz from 1.5 to 16.4 kHz: where codecs round much away */
    TRIED = 4, STEP = 64,     /* places of a cell */
    GROUPS = HOP / STEP / TRIED, ROUND_CELLS = 12,
    BESIDE = 5,               /* samples off the grid, where all is mixed again */
    TONE_FIRST = 6, TONE_LAST = 30, /* half periods from 0.8 kHz on, at 48 kHz */
    MORE = 4,                 /* transforms further on that must bear it out */
    SOUND = HOP + SPAN + MORE * HOP + BESIDE
};
static const double likely_bits = 0.3; /* of a first transform */
static const double more_bits = 0.1;   /* of those further on, in the mean; the coordinator wants more */
static const double floor_size = 0x1p-24; /* of a line: the rounding of the file */
static const double power_min = 1e-9;     /* mean of a line, -90 dBFS: more than what the window leaves of a tone below them */
static const double ln_2 = 0.69314718055994531;
static const double sample_max = 16.0;    /* of float files */
static const double kaiser_shape = 4.0 * 3.14159265358979323846; /* AAC's windows are Kaiser's of alpha 4, added up */

struct codec_grid {
    cell_signal *cell;
    fft_plan fft;
    double windows[SIGNAL_GRID_WINDOWS][SPAN];
    double turn[HALF][2]; /* of the transform into half its length, before and behind */
    double re[HALF], im[HALF], folded[HOP];
    double sound[SOUND];
    uint64_t frame;       /* of the programme, where the sound begins */
    uint32_t taken;
};

static double bessel_0(double x)
{
    double sum = 1.0;
    double term = 1.0;
    for (int k = 1; k < 28; k++) {
        term *= 0.25 * x * x / (k * k);
        sum += term;
    }
    return sum;
}

static void make_windows(codec_grid *self)
{
    const double scale = sqrt(2.0 / HOP);
    double *kaiser = self->windows[SIGNAL_GRID_AAC];
    double *vorbis = self->windows[SIGNAL_GRID_VORBIS];
    double sum = 0.0;
    for (uint32_t i = 0; i <= HOP; i++) {
        const double x = 2.0 * i / HOP - 1.0;
        sum += bessel_0(kaiser_shape * sqrt(1.0 - x * x));
        if (i < HOP)
            kaiser[i] = sum;
    }
    for (uint32_t i = 0; i < HOP; i++) {
        const double sine = sine_of_half_turns((i + 0.5) / SPAN);
        kaiser[i] = kaiser[SPAN - 1 - i] = scale * sqrt(kaiser[i] / sum);
        vorbis[i] = vorbis[SPAN - 1 - i] = scale * sine_of_half_turns(0.5 * sine * sine);
    }
}

codec_grid *codec_grid_make(const dsp_table *dsp, cell_signal *cell, arena *memory)
{
    codec_grid *self = arena_take_lines(memory, sizeof *self, 1);
    self->cell = cell;
    self->taken = SOUND;
    fft_plan_init(&self->fft, dsp, HALF_LOG2, memory);
    make_windows(self);
    for (uint32_t i = 0; i < HALF; i++) {
        const double turns = (4.0 * i + 1.0) / (4.0 * HOP);
        self->turn[i][0] = sine_of_half_turns(turns + 0.5);
        self->turn[i][1] = -sine_of_half_turns(turns);
    }
    return self;
}

/* Two to which power the size of a line is, to within 0.09, in 2^-32: whole numbers, whose sum is the same in any order. */
static int64_t log2_of(double size)
{
    const double more = size + floor_size;
    int64_t bits;
    memcpy(&bits, &more, sizeof bits);
    return bits >> 20;
}

/*
 * The mean of the logarithms of the lines' sizes, in bits, against that of their power, of the transform at a frame of the sound.
 * Rounding takes small lines away and leaves the power; of a steady tone all lines are small at some frames.
 */
static double depth_at(codec_grid *self, uint32_t window, uint32_t frame, double *out_power)
{
    const double *w = self->windows[window];
    const double *x = self->sound + frame;
    for (uint32_t i = 0; i < HALF; i++) { /* the four quarters of the span fold into two */
        self->folded[i] = -(w[3 * HALF - 1 - i] * x[3 * HALF - 1 - i]) - w[3 * HALF + i] * x[3 * HALF + i];
        self->folded[HALF + i] = w[i] * x[i] - w[HOP - 1 - i] * x[HOP - 1 - i];
    }
    for (uint32_t i = 0; i < HALF; i++) {
        const double a = self->folded[2 * i];
        const double b = self->folded[HOP - 1 - 2 * i];
        self->re[i] = a * self->turn[i][0] - b * self->turn[i][1];
        self->im[i] = a * self->turn[i][1] + b * self->turn[i][0];
    }
    fft_run(&self->fft, self->re, self->im);
    int64_t sum = 0;
    double power = 0.0;
    for (uint32_t i = FIRST_LINE / 2; i < END_LINE / 2; i++) { /* even lines from the front, odd ones from the back */
        const uint32_t k = HALF - 1 - i;
        const double even = fabs(self->re[i] * self->turn[i][0] - self->im[i] * self->turn[i][1]);
        const double odd = fabs(self->re[k] * self->turn[k][1] + self->im[k] * self->turn[k][0]);
        sum += log2_of(even) + log2_of(odd);
        power += even * even + odd * odd;
    }
    const double count = END_LINE - FIRST_LINE;
    *out_power = power / count + floor_size * floor_size;
    return (double)sum * 0x1p-32 / count - 0.5 / ln_2 * natural_log(*out_power);
}

/* By how many bits what is beside a place lies over what is on it; 0 where there is hardly any. */
static double contrast_at(codec_grid *self, uint32_t window, uint32_t frame)
{
    double power = 0.0, beside = 0.0;
    const double bits = depth_at(self, window, frame + BESIDE, &beside) - depth_at(self, window, frame, &power);
    return beside > power_min ? bits : 0.0;
}

/* True where lines are as small again a few samples further on, as those of a tone are each half period; a grid is 1,024 apart. */
static bool is_tone(codec_grid *self, uint32_t window, uint32_t frame, double bits)
{
    double power = 0.0;
    const double there = depth_at(self, window, frame, &power);
    for (uint32_t i = TONE_FIRST; i <= TONE_LAST; i++)
        if (depth_at(self, window, frame + i, &power) < there + 0.5 * bits)
            return true;
    return false;
}

/*
 * The first of four places of the cell, and the window. Vorbis moves its grid as it goes on; most AAC begins with the file, or
 * 64 samples behind one of its blocks (a delay of 2,112). Every second round begins between the places that are 64 apart.
 */
static uint32_t first_place(uint64_t cell_index, uint32_t *out_window)
{
    const uint64_t round = cell_index / ROUND_CELLS;
    const uint64_t pair = cell_index / SIGNAL_GRID_WINDOWS;
    *out_window = cell_index % SIGNAL_GRID_WINDOWS == 0 ? SIGNAL_GRID_VORBIS : SIGNAL_GRID_AAC;
    uint64_t group = pair % GROUPS;
    if (*out_window == SIGNAL_GRID_AAC)
        group = pair % 2 == 0 ? 0 : 1 + pair / 2 % (GROUPS - 1);
    uint32_t between = 0;
    for (uint32_t bit = 1, of = STEP / 2; round % 2 == 1 && of > 0; bit *= 2, of /= 2)
        between += ((round / 2 + 1) & bit) != 0 ? of : 0;
    return (uint32_t)group * TRIED * STEP + between;
}

static void look(codec_grid *self)
{
    uint32_t window = 0;
    const uint32_t first = first_place(self->frame / CELL_FRAMES, &window);
    double lowest = 0.0, sum = 0.0, power = 0.0;
    uint32_t best = 0;
    for (uint32_t i = 0; i < TRIED; i++) {
        const uint32_t place = (first + i * STEP + HOP - (uint32_t)(self->frame % HOP)) % HOP;
        const double depth = depth_at(self, window, place, &power);
        best = i == 0 || depth < lowest ? place : best;
        lowest = i == 0 ? depth : fmin(lowest, depth);
        sum += depth;
    }
    if ((sum - lowest) / (TRIED - 1) - lowest < likely_bits || contrast_at(self, window, best) < likely_bits)
        return;
    double more = 0.0;
    for (uint32_t i = 1; i <= MORE; i++)
        more += contrast_at(self, window, best + i * HOP) / MORE;
    if (more < more_bits || is_tone(self, window, best, more))
        return;
    self->cell->grid_window = (uint8_t)window;
    self->cell->grid_frame = (uint16_t)((best + self->frame) % HOP);
    self->cell->grid_bits = (float)more;
}

void codec_grid_begin(codec_grid *self, uint64_t cell_frame)
{
    self->frame = cell_frame;
    self->taken = 0;
    self->cell->grid_window = 0;
    self->cell->grid_frame = 0;
    self->cell->grid_bits = 0.0f;
}

void codec_grid_take(codec_grid *self, const double *samples, uint32_t cell_frame, uint32_t frame_count)
{
    if (self->taken == SOUND)
        return;
    self->frame += self->taken == 0 ? cell_frame : 0;
    const uint32_t count = frame_count < SOUND - self->taken ? frame_count : SOUND - self->taken;
    for (uint32_t i = 0; i < count; i++) {
        const double sample = samples[(size_t)i * TILE_LANES];
        self->sound[self->taken + i] = fabs(sample) <= sample_max ? sample : 0.0; /* what is no number too */
    }
    self->taken += count;
    if (self->taken == SOUND)
        look(self);
}
