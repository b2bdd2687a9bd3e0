#include "worker/render/pop_find.h"

#include "common/base/plain_math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double pop_hz = 1000.0;
static const double pop_hz_slack = 100.0;
/* Share of a block's energy that is at 1 kHz; -60 dBFS RMS: pops are customarily at -20, lower ones are no pops. */
static const double tone_share = 0.7;
static const double tone_power_min = 1e-6;
/* What stands beside a pop may have this much of its amplitude. */
static const double margin_share = 0.25;
/* Below this part of its amplitude a sample does not sound: twice the step of 24 bits at -100 dBFS. */
static const double sound_share = 0.002;
/* Thirds of a pop are alike within 3 dB: a struck or bowed note is not. */
static const double flatness = 2.0;

enum {
    BLOCKS_PER_SECOND = 200, /* 5 ms: five cycles of 1 kHz */
    RUN_BLOCKS_MIN = 2,
    RUN_BLOCKS_MAX = 100,
    CHUNK_FRAMES_MAX = 4096
};

/* A stretch of blocks that are 1 kHz, in one channel. */
typedef struct tone_run {
    uint32_t channel;
    int64_t frame;
    uint32_t block_count;
} tone_run;

typedef struct pop_search {
    track_reader *track;
    uint32_t rate, block;       /* frames of a block */
    double *cosine, *sine;      /* [block] of 1 kHz */
    uint32_t *open;             /* [channel] blocks of the run that is open */
    double **chunk;             /* [channel][CHUNK_FRAMES_MAX] */
    tone_run runs[SYNC_POPS_MAX];
    uint32_t run_count;
    sync_measure *found;
    arena *memory;
    error_detail *detail;
} pop_search;

static bool block_is_tone(const pop_search *self, const double *x)
{
    double energy = 0.0;
    double re = 0.0;
    double im = 0.0;
    for (uint32_t i = 0; i < self->block; i++) {
        energy += x[i] * x[i];
        re += x[i] * self->cosine[i];
        im += x[i] * self->sine[i];
    }
    double size = (double)self->block;
    return energy >= tone_power_min * size && 2.0 * (re * re + im * im) >= tone_share * size * energy;
}

static void end_run(pop_search *self, uint32_t channel, int64_t end)
{
    uint32_t blocks = self->open[channel];
    self->open[channel] = 0;
    if (blocks < RUN_BLOCKS_MIN || blocks > RUN_BLOCKS_MAX)
        return;
    if (self->run_count == SYNC_POPS_MAX)
        self->found->pop_dropped++;
    else
        self->runs[self->run_count++] = (tone_run){
            .channel = channel, .frame = end - (int64_t)blocks * (int64_t)self->block, .block_count = blocks};
}

static status scan_range(pop_search *self, const task_listen_range *range)
{
    uint32_t channels = track_reader_channels(self->track);
    uint64_t blocks = range->frame_count / self->block;
    uint32_t step = CHUNK_FRAMES_MAX / self->block;
    int64_t frame = (int64_t)range->first_frame;
    for (uint64_t done = 0; done < blocks; done += step) {
        uint32_t count = blocks - done < step ? (uint32_t)(blocks - done) : step;
        status code = track_reader_read(self->track, frame, count * self->block, self->chunk, self->detail);
        if (code != STATUS_OK)
            return code;
        for (uint32_t c = 0; c < channels; c++)
            for (uint32_t b = 0; b < count; b++) {
                if (block_is_tone(self, self->chunk[c] + b * self->block))
                    self->open[c]++;
                else
                    end_run(self, c, frame + (int64_t)b * (int64_t)self->block);
            }
        frame += (int64_t)count * (int64_t)self->block;
    }
    for (uint32_t c = 0; c < channels; c++)
        end_run(self, c, frame);
    return STATUS_OK;
}

/* ---- one run to one pop ---- */

/*
 * Frequency from how the phase of 1 kHz moves from block to block. The first and the last block may hold only a part of the
 * tone, which bends their phase: they count only where there are no others.
 */
static double run_frequency(const pop_search *self, const double *x, uint32_t block_count)
{
    double turned = 0.0;
    double before = 0.0;
    uint32_t first = block_count > 3 ? 1 : 0;
    uint32_t end = block_count - first;
    for (uint32_t b = first; b < end; b++) {
        double re = 0.0;
        double im = 0.0;
        for (uint32_t i = 0; i < self->block; i++) {
            re += x[b * self->block + i] * self->cosine[i];
            im += x[b * self->block + i] * self->sine[i];
        }
        double phase = half_turns_of(-im, re);
        if (b > first) {
            /* The block need not hold whole cycles at every rate. */
            double expected = 2.0 * pop_hz * (double)self->block / (double)self->rate;
            turned += remainder(phase - before - expected, 2.0);
        }
        before = phase;
    }
    double seconds = (double)(end - first - 1) * (double)self->block / (double)self->rate;
    return pop_hz + turned / (2.0 * seconds);
}

/* Least squares of a sine of known frequency, w half turns a frame: x[i] = a sin(pi w i) + b cos(pi w i). */
typedef struct sine_fit {
    double a, b, w;
} sine_fit;

static sine_fit fit_sine(const double *x, uint32_t count, double w)
{
    double ss = 0.0, cc = 0.0, sc = 0.0, xs = 0.0, xc = 0.0;
    for (uint32_t i = 0; i < count; i++) {
        double s = sine_of_half_turns(w * (double)i);
        double c = sine_of_half_turns(w * (double)i + 0.5);
        ss += s * s;
        cc += c * c;
        sc += s * c;
        xs += x[i] * s;
        xc += x[i] * c;
    }
    double size = ss * cc - sc * sc;
    return (sine_fit){.a = (xs * cc - xc * sc) / size, .b = (xc * ss - xs * sc) / size, .w = w};
}

static double sine_at(const sine_fit *fit, double i)
{
    return fabs(fit->a * sine_of_half_turns(fit->w * i) + fit->b * sine_of_half_turns(fit->w * i + 0.5));
}

/* Steps from index `at` of the fit in one direction to the zero crossing next to it, as long as nothing sounds there. */
static uint32_t steps_to_crossing(const sine_fit *fit, double at, double direction, double silent)
{
    uint32_t steps = 0;
    double here = sine_at(fit, at);
    for (;;) {
        double next = sine_at(fit, at + direction * (double)(steps + 1));
        if (next >= silent || next >= here)
            return steps;
        here = next;
        steps++;
    }
}

static double peak_of(const double *x, uint32_t first, uint32_t end)
{
    double peak = 0.0;
    for (uint32_t i = first; i < end; i++)
        peak = fmax(peak, fabs(x[i]));
    return peak;
}

static double power_of(const double *x, uint32_t first, uint32_t end)
{
    double sum = 0.0;
    for (uint32_t i = first; i < end; i++)
        sum += x[i] * x[i];
    return end > first ? sum / (double)(end - first) : 0.0;
}

/* Edges of the tone in x, whose blocks begin at `margin` and are `length` frames. False when it is no pop. */
static bool find_edges(const pop_search *self, const double *x, uint32_t margin, uint32_t length, sync_pop *pop,
                       uint32_t *out_first)
{
    uint32_t total = margin + length + margin;
    double amplitude = sqrt(2.0 * power_of(x, margin + length / 4, margin + length - length / 4));
    double beside = fmax(peak_of(x, 0, margin - self->block), peak_of(x, margin + length + self->block, total));
    double frequency = run_frequency(self, x + margin, length / self->block);
    if (beside > margin_share * amplitude || !(fabs(frequency - pop_hz) <= pop_hz_slack)) /* infinite samples have none */
        return false;
    double silent = fmax(sound_share * amplitude, 2.0 * beside);
    uint32_t first = margin - self->block;
    uint32_t last = margin + length + self->block - 1;
    while (fabs(x[first]) <= silent)
        first++;
    while (fabs(x[last]) <= silent)
        last--;
    if (last < first + self->block)
        return false;
    double w = 2.0 * frequency / (double)self->rate;
    sine_fit head = fit_sine(x + first, self->block, w);
    sine_fit tail = fit_sine(x + last + 1 - self->block, self->block, w);
    uint32_t before = steps_to_crossing(&head, 0.0, -1.0, silent);
    uint32_t behind = steps_to_crossing(&tail, (double)(self->block - 1), 1.0, silent);
    first -= before;
    uint32_t end = last + 1 + (behind > 0 ? behind - 1 : 0);
    uint32_t third = (end - first) / 3;
    double begins = power_of(x, first, first + third);
    double ends = power_of(x, end - third, end);
    if (begins > flatness * ends || ends > flatness * begins)
        return false;
    pop->frame_count = end - first;
    pop->power = (float)power_of(x, first, end);
    pop->frequency_hz = (float)frequency;
    *out_first = first;
    return true;
}

static status add_pop(pop_search *self, const tone_run *run)
{
    arena scratch;
    arena_init(&scratch);
    uint32_t margin = 5 * self->block;
    uint32_t length = run->block_count * self->block;
    double *x = arena_take_array(&scratch, (size_t)length + 2 * (size_t)margin, sizeof *x);
    int64_t begin = run->frame - (int64_t)margin;
    status code = track_reader_read_channel(self->track, run->channel, begin, length + 2 * margin, x, self->detail);
    sync_pop pop = {.channel = (uint16_t)run->channel};
    uint32_t first = 0;
    if (code == STATUS_OK && find_edges(self, x, margin, length, &pop, &first) && begin + (int64_t)first >= 0) {
        pop.frame = (uint64_t)(begin + (int64_t)first);
        if (self->found->pop_count == SYNC_POPS_MAX)
            self->found->pop_dropped++;
        else
            self->found->pops[self->found->pop_count++] = pop;
    }
    arena_deinit(&scratch);
    return code;
}

static int compare_pops(const void *a, const void *b)
{
    const sync_pop *left = a;
    const sync_pop *right = b;
    if (left->frame != right->frame)
        return left->frame < right->frame ? -1 : 1;
    return (left->channel > right->channel) - (left->channel < right->channel);
}

status pop_find(track_reader *track, uint32_t range_count, const task_listen_range *ranges, sync_measure *out_measure,
                arena *memory, error_detail *detail)
{
    uint32_t channels = track_reader_channels(track);
    pop_search *self = arena_take(memory, sizeof *self);
    sync_measure found = {.pops = arena_take_array(memory, SYNC_POPS_MAX, sizeof *found.pops)};
    *self = (pop_search){.track = track,
                         .rate = track_reader_rate(track),
                         .block = track_reader_rate(track) / BLOCKS_PER_SECOND,
                         .found = &found,
                         .memory = memory,
                         .detail = detail};
    self->cosine = arena_take_array(memory, self->block, sizeof *self->cosine);
    self->sine = arena_take_array(memory, self->block, sizeof *self->sine);
    for (uint32_t i = 0; i < self->block; i++) {
        double half_turns = 2.0 * pop_hz * (double)i / (double)self->rate;
        self->cosine[i] = sine_of_half_turns(half_turns + 0.5);
        self->sine[i] = sine_of_half_turns(half_turns);
    }
    self->open = arena_take_array(memory, channels, sizeof *self->open);
    self->chunk = arena_take_array(memory, channels, sizeof(double *));
    for (uint32_t c = 0; c < channels; c++)
        self->chunk[c] = arena_take_array(memory, CHUNK_FRAMES_MAX, sizeof(double));
    status code = STATUS_OK;
    for (uint32_t i = 0; code == STATUS_OK && i < range_count; i++) {
        self->run_count = 0;
        code = scan_range(self, &ranges[i]);
        for (uint32_t k = 0; code == STATUS_OK && k < self->run_count; k++)
            code = add_pop(self, &self->runs[k]);
    }
    if (found.pop_count > 1)
        qsort(found.pops, found.pop_count, sizeof *found.pops, compare_pops);
    *out_measure = found;
    return code;
}
