#include "common/measure/programme_measure.h"

#include "common/base/ensure.h"
#include "common/measure/speech_detector.h"
#include "common/media/channel_layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOP_SLOTS = 10,         /* 100 ms: integrated loudness and LRA move by this */
    MOMENTARY_SLOTS = 40,   /* 400 ms */
    SHORT_TERM_SLOTS = 300, /* 3 s */
    LRA_SILENCE_SLOTS = 150,/* EBU Tech 3342: at least 1.5 s of silence is appended to a file */
    RUN_GAP_FRAMES = 480    /* gaps up to this are bridged (cell_measure.h) */
};

/* BS.1770-5 Annex 1, equations 2 and 5 to 7; EBU Tech 3342 section 3. */
static const double loudness_offset = -0.691;
static const double absolute_gate_lufs = -70.0;
static const double relative_gate_lu = -10.0;
static const double range_gate_lu = -20.0;

typedef struct cell_peaks {
    uint64_t programme_frame;
    uint32_t run_dropped;
    bool limited_dropped;
    channel_measure channels[LAYOUT_CHANNELS_MAX];
} cell_peaks;

struct programme_measure {
    uint32_t sample_rate;
    uint8_t layout;
    uint8_t channel_count;
    uint64_t frame_count;
    uint64_t next_frame;    /* the first that no cell covered yet */
    uint64_t slot_count;
    double *slots;          /* energy of each 10 ms */
    size_t cell_count, cell_capacity;
    cell_peaks *cells;
    size_t run_count, run_capacity;
    programme_run *runs;
    programme_signal signal;
    size_t level_count;     /* frames of the voice so far */
    uint8_t *levels;        /* [whole frames][SPEECH_BANDS]; NULL: not taken, or heard already */
    bool levels_missing;
    size_t heard_count;
    uint8_t *heard;         /* of each 100 ms step; NULL: nobody listened */
    size_t open_run[PEAK_RUN_LIMITED + 1][LAYOUT_CHANNELS_MAX]; /* index + 1 of the latest run of each kind and channel */
};

double measure_db(double linear)
{
    return linear > 0.0 ? 20.0 * log10(linear) : -(double)INFINITY;
}

double measure_loudness(double mean_square)
{
    return mean_square > 0.0 ? loudness_offset + 10.0 * log10(mean_square) : -(double)INFINITY;
}

double measure_power(double loudness)
{
    return pow(10.0, (loudness - loudness_offset) / 10.0);
}

programme_measure *programme_measure_create(uint32_t sample_rate, uint8_t layout, uint64_t frame_count)
{
    ENSURE(sample_rate >= SAMPLE_RATE_MIN && layout < LAYOUT_COUNT);
    programme_measure *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->sample_rate = sample_rate;
    self->layout = layout;
    self->channel_count = channel_layout_get((channel_layout_id)layout)->channel_count;
    self->frame_count = frame_count;
    self->slot_count = frame_count == 0 ? 0 : cell_measure_slot_of(frame_count - 1, sample_rate) + 1;
    programme_signal_init(&self->signal, frame_count);
    self->slots = calloc(self->slot_count + 1, sizeof *self->slots);
    if (self->slots == NULL)
        programme_measure_destroy(&self);
    return self;
}

void programme_measure_destroy(programme_measure **self)
{
    if (*self == NULL)
        return;
    free((*self)->slots);
    free((*self)->cells);
    free((*self)->runs);
    free((*self)->levels);
    free((*self)->heard);
    programme_signal_deinit(&(*self)->signal);
    free(*self);
    *self = NULL;
}

/* Room for one more element of an array that doubles. */
static bool grow(void **items, size_t count, size_t *capacity, size_t element_size)
{
    if (count < *capacity)
        return true;
    size_t larger = *capacity == 0 ? 64 : 2 * *capacity;
    void *moved = realloc(*items, larger * element_size);
    if (moved == NULL)
        return false;
    *items = moved;
    *capacity = larger;
    return true;
}

static bool add_run(programme_measure *self, const cell_measure *cell, const peak_run *run)
{
    uint64_t frame = cell->programme_frame + run->frame;
    size_t *open = &self->open_run[run->kind][run->channel];
    if (*open > 0) {
        programme_run *last = &self->runs[*open - 1];
        if (frame - (last->frame + last->frame_count) <= RUN_GAP_FRAMES) {
            last->frame_count = frame + run->frame_count - last->frame;
            last->sample_count += run->sample_count;
            last->peak = fmax(last->peak, run->peak);
            return true;
        }
    }
    if (!grow((void **)&self->runs, self->run_count, &self->run_capacity, sizeof *self->runs))
        return false;
    self->runs[self->run_count++] = (programme_run){.kind = run->kind,
                                                    .channel = run->channel,
                                                    .frame = frame,
                                                    .frame_count = run->frame_count,
                                                    .sample_count = run->sample_count,
                                                    .peak = run->peak};
    *open = self->run_count;
    return true;
}

/* Whole frames of the voice that end before a frame of the programme. */
static size_t voice_frames(const programme_measure *self, uint64_t frame)
{
    return (size_t)(cell_measure_slot_of(frame, self->sample_rate) / SPEECH_FRAME_SLOTS);
}

static bool add_levels(programme_measure *self, const cell_measure *cell)
{
    bool taken = cell->signal != NULL && (cell->signal->groups & SIGNAL_GROUP_SPEECH) != 0;
    if (!taken || self->level_count + cell->signal->speech_count != voice_frames(self, cell->programme_frame + cell->frame_count)) {
        self->levels_missing = true;
        return true;
    }
    if (self->levels == NULL)
        self->levels = calloc(voice_frames(self, self->frame_count) + 1, SPEECH_BANDS);
    if (self->levels == NULL)
        return false;
    memcpy(self->levels + self->level_count * SPEECH_BANDS, cell->signal->speech,
           (size_t)cell->signal->speech_count * SPEECH_BANDS);
    self->level_count += cell->signal->speech_count;
    return true;
}

/* Flat tops below full scale (to a step of 8 bits) are clipping at the highest level of their channel in the programme alone. */
static void drop_lower_tops(programme_measure *self)
{
    peak_figures figures = programme_measure_peaks(self);
    size_t kept = 0;
    for (size_t i = 0; i < self->run_count; i++) {
        const programme_run *run = &self->runs[i];
        double top = fmin(figures.channels[run->channel].sample_peak - CLIP_LEVEL_STEP, 1.0 - 1.0 / 128.0);
        if (run->kind != PEAK_RUN_CLIP || run->peak >= top)
            self->runs[kept++] = *run;
    }
    self->run_count = kept;
}

status programme_measure_add(programme_measure *self, const cell_measure *cell)
{
    if (cell->sample_rate != self->sample_rate || cell->layout != self->layout ||
        cell->programme_frame != self->next_frame || cell->frame_count > self->frame_count - self->next_frame)
        return STATUS_PEER_IMPOSSIBLE;
    if (!grow((void **)&self->cells, self->cell_count, &self->cell_capacity, sizeof *self->cells))
        return STATUS_NODE_MEMORY;
    cell_peaks *peaks = &self->cells[self->cell_count++];
    peaks->programme_frame = cell->programme_frame;
    peaks->run_dropped = cell->run_dropped;
    peaks->limited_dropped = cell->run_dropped > 0;
    memcpy(peaks->channels, cell->channels, sizeof peaks->channels);
    for (uint32_t i = 0; i < cell->slot_count; i++)
        self->slots[cell->first_slot + i] += cell->slot_energy[i];
    for (uint32_t i = 0; i < cell->run_count; i++) {
        peaks->limited_dropped = peaks->limited_dropped && cell->runs[i].kind == PEAK_RUN_LIMITED;
        if (!add_run(self, cell, &cell->runs[i]))
            return STATUS_NODE_MEMORY;
    }
    if (!programme_signal_add(&self->signal, cell->signal, cell->programme_frame, cell->frame_count, self->sample_rate) ||
        !add_levels(self, cell))
        return STATUS_NODE_MEMORY;
    self->next_frame += cell->frame_count;
    if (programme_measure_complete(self))
        drop_lower_tops(self);
    return STATUS_OK;
}

bool programme_measure_complete(const programme_measure *self)
{
    return self->next_frame == self->frame_count;
}

uint32_t programme_measure_rate(const programme_measure *self)
{
    return self->sample_rate;
}

uint64_t programme_measure_frame_count(const programme_measure *self)
{
    return self->frame_count;
}

const double *programme_measure_slots(const programme_measure *self, uint64_t *out_count)
{
    *out_count = self->slot_count;
    return self->slots;
}

/*
 * Energy of a window of whole hops. Sums are made anew for every window, in order: a running sum that adds and subtracts
 * would carry the rounding of loud passages into quiet ones.
 */
static double window_energy(const double *hops, uint64_t slot, uint32_t slot_count)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < slot_count; i += HOP_SLOTS)
        sum += hops[slot + i];
    return sum;
}

static double window_frames(const programme_measure *self, uint64_t slot, uint32_t slot_count)
{
    return (double)(cell_measure_slot_frame(slot + slot_count, self->sample_rate) -
                    cell_measure_slot_frame(slot, self->sample_rate));
}

static double window_mean(const programme_measure *self, const double *hops, uint64_t slot, uint32_t slot_count)
{
    return window_energy(hops, slot, slot_count) / window_frames(self, slot, slot_count);
}

/* hops[s] = energy of the ten slots from s on; beyond `end` there is silence. */
static double *make_hops(const programme_measure *self, uint64_t first, uint64_t end, uint64_t silence)
{
    double *hops = calloc(end + silence + SHORT_TERM_SLOTS + 1, sizeof *hops);
    for (uint64_t s = first; hops != NULL && s < end; s++) {
        double sum = 0.0;
        for (uint64_t i = s; i < s + HOP_SLOTS && i < end; i++)
            sum += self->slots[i];
        hops[s] = sum;
    }
    return hops;
}

/*
 * The loudest window. Those that begin within a hop are summed abreast: one sum waits for its own additions, each in order all
 * the same; and not at all where all that they cover together is too little. Windows differ by a frame at most, so few have the
 * energy to be louder than the loudest yet, and only those are divided.
 */
static void find_maximum(const programme_measure *self, const double *hops, uint64_t first, uint64_t end,
                         uint32_t window, double *out_lufs, uint64_t *out_frame)
{
    enum { ABREAST = HOP_SLOTS };
    const double least_frames = floor((double)window * self->sample_rate / 100.0);
    double best = 0.0;
    double hurdle = 0.0; /* energy that cannot exceed `best`, whatever is rounded */
    for (uint64_t s = first; s + window <= end; s += ABREAST) {
        uint64_t count = end - window - s + 1 < ABREAST ? end - window - s + 1 : ABREAST;
        double energy[ABREAST] = {0.0};
        if (window_energy(hops, s, window + HOP_SLOTS) <= hurdle)
            continue;
        for (uint32_t i = 0; count == ABREAST && i < window; i += HOP_SLOTS)
            for (uint32_t k = 0; k < ABREAST; k++)
                energy[k] += hops[s + i + k];
        for (uint32_t k = 0; k < count; k++) {
            if (count < ABREAST)
                energy[k] = window_energy(hops, s + k, window);
            if (energy[k] <= hurdle)
                continue;
            double mean = energy[k] / window_frames(self, s + k, window);
            if (mean > best) {
                best = mean;
                hurdle = best * least_frames * 0.999999;
                *out_frame = cell_measure_slot_frame(s + k, self->sample_rate);
            }
        }
    }
    *out_lufs = best > 0.0 ? measure_loudness(best) : (double)NAN;
}

/* Mean over the blocks louder than the gate; strictly, or with those at it. NAN if there is none. */
static double gated_mean(const double *blocks, size_t count, double gate_lufs, bool strictly, uint64_t *out_passed)
{
    double sum = 0.0;
    uint64_t passed = 0;
    for (size_t i = 0; i < count; i++) {
        double loudness = measure_loudness(blocks[i]);
        if (strictly ? loudness > gate_lufs : loudness >= gate_lufs) {
            sum += blocks[i];
            passed++;
        }
    }
    if (out_passed != NULL)
        *out_passed = passed;
    return passed > 0 ? sum / (double)passed : (double)NAN;
}

/* Both gates over block powers; the relative gate and the number that passed are told where wanted. */
static double gated_loudness(const double *blocks, size_t count, double *out_gate, uint64_t *out_passed)
{
    double above = gated_mean(blocks, count, absolute_gate_lufs, true, NULL);
    if (isnan(above))
        return (double)NAN;
    *out_gate = measure_loudness(above) + relative_gate_lu;
    return measure_loudness(gated_mean(blocks, count, fmax(*out_gate, absolute_gate_lufs), true, out_passed));
}

double measure_gated_loudness(const double *blocks, size_t count)
{
    double gate = (double)NAN;
    return gated_loudness(blocks, count, &gate, NULL);
}

static void integrate(const programme_measure *self, const double *hops, uint64_t first, uint64_t end,
                      double *scratch, loudness_figures *figures)
{
    size_t count = 0;
    double sum = 0.0;
    for (uint64_t s = first; s + MOMENTARY_SLOTS <= end; s += HOP_SLOTS) {
        scratch[count] = window_mean(self, hops, s, MOMENTARY_SLOTS);
        sum += scratch[count++];
    }
    if (sum > 0.0)
        figures->ungated_lufs = measure_loudness(sum / (double)count);
    figures->integrated_lufs =
        gated_loudness(scratch, count, &figures->relative_gate_lufs, &figures->gated_block_count);
}

static int ascending(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static double percentile(const double *sorted, size_t count, double percent)
{
    /* Tech 3342: index round((n - 1) x p / 100 + 1), counted from 1. */
    return sorted[(size_t)floor((double)(count - 1) * percent / 100.0 + 0.5)];
}

double measure_range(double *windows, size_t count)
{
    double above = gated_mean(windows, count, absolute_gate_lufs, false, NULL);
    if (isnan(above))
        return (double)NAN;
    double gate = measure_power(fmax(measure_loudness(above) + range_gate_lu, absolute_gate_lufs));
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (windows[i] >= gate)
            windows[kept++] = windows[i];
    if (kept == 0)
        return (double)NAN;
    qsort(windows, kept, sizeof *windows, ascending);
    return measure_loudness(percentile(windows, kept, 95.0)) - measure_loudness(percentile(windows, kept, 10.0));
}

static double loudness_range(const programme_measure *self, const double *hops, uint64_t first, uint64_t end,
                             double *scratch)
{
    if (end - first < SHORT_TERM_SLOTS)
        return (double)NAN;
    size_t count = 0;
    for (uint64_t s = first; s + SHORT_TERM_SLOTS <= end + LRA_SILENCE_SLOTS; s += HOP_SLOTS)
        scratch[count++] = window_mean(self, hops, s, SHORT_TERM_SLOTS);
    return measure_range(scratch, count);
}

loudness_figures programme_measure_loudness(const programme_measure *self, uint64_t first_frame, uint64_t end_frame)
{
    loudness_figures figures = {.integrated_lufs = (double)NAN,
                                .ungated_lufs = (double)NAN,
                                .range_lu = (double)NAN,
                                .max_momentary_lufs = (double)NAN,
                                .max_short_term_lufs = (double)NAN,
                                .relative_gate_lufs = (double)NAN};
    if (end_frame > self->frame_count)
        end_frame = self->frame_count;
    if (first_frame >= end_frame)
        return figures;
    /* Whole slots only: the first that begins in the range, up to the last that ends in it. */
    uint64_t first = cell_measure_slot_of(first_frame, self->sample_rate);
    if (cell_measure_slot_frame(first, self->sample_rate) < first_frame)
        first++;
    uint64_t end = cell_measure_slot_of(end_frame, self->sample_rate);
    if (first >= end)
        return figures;
    double *hops = make_hops(self, first, end, LRA_SILENCE_SLOTS);
    double *scratch = calloc((end - first) / HOP_SLOTS + LRA_SILENCE_SLOTS + 2, sizeof *scratch);
    if (hops != NULL && scratch != NULL) {
        find_maximum(self, hops, first, end, MOMENTARY_SLOTS, &figures.max_momentary_lufs, &figures.max_momentary_frame);
        find_maximum(self, hops, first, end, SHORT_TERM_SLOTS, &figures.max_short_term_lufs,
                     &figures.max_short_term_frame);
        integrate(self, hops, first, end, scratch, &figures);
        figures.range_lu = loudness_range(self, hops, first, end, scratch);
    }
    free(hops);
    free(scratch);
    return figures;
}

double programme_measure_integrated_at(const programme_measure *self, double gain)
{
    uint64_t end = cell_measure_slot_of(self->frame_count, self->sample_rate);
    double *hops = make_hops(self, 0, end, 0);
    double *blocks = calloc(end / HOP_SLOTS + 2, sizeof *blocks);
    double lufs = (double)NAN;
    if (hops != NULL && blocks != NULL) {
        size_t count = 0;
        for (uint64_t s = 0; s + MOMENTARY_SLOTS <= end; s += HOP_SLOTS)
            blocks[count++] = window_mean(self, hops, s, MOMENTARY_SLOTS) * gain * gain;
        lufs = measure_gated_loudness(blocks, count);
    }
    free(hops);
    free(blocks);
    return lufs;
}

peak_figures programme_measure_peaks_between(const programme_measure *self, uint64_t first_frame, uint64_t end_frame)
{
    peak_figures figures = {.true_peak = (double)NAN, .sample_peak = (double)NAN};
    for (size_t i = 0; i < self->cell_count; i++) {
        const cell_peaks *cell = &self->cells[i];
        if (cell->programme_frame < first_frame || cell->programme_frame >= end_frame)
            continue;
        figures.run_dropped += cell->run_dropped;
        figures.limited_dropped = figures.limited_dropped || cell->limited_dropped;
        for (uint32_t c = 0; c < self->channel_count; c++) {
            channel_measure *sum = &figures.channels[c];
            const channel_measure *part = &cell->channels[c];
            sum->sample_peak = fmax(sum->sample_peak, part->sample_peak);
            sum->true_peak = fmax(sum->true_peak, part->true_peak);
            sum->mix_peak = fmax(sum->mix_peak, part->mix_peak);
            sum->overload_count += part->overload_count;
            sum->nonfinite_count += part->nonfinite_count;
            figures.overload_count += part->overload_count;
            figures.nonfinite_count += part->nonfinite_count;
            figures.true_peak = fmax(figures.true_peak, sum->true_peak); /* fmax drops the NAN of the start */
            figures.sample_peak = fmax(figures.sample_peak, sum->sample_peak);
        }
    }
    return figures;
}

peak_figures programme_measure_peaks(const programme_measure *self)
{
    return programme_measure_peaks_between(self, 0, self->frame_count);
}

const programme_run *programme_measure_runs(const programme_measure *self, size_t *out_count)
{
    *out_count = self->run_count;
    return self->runs;
}

status programme_measure_hear(programme_measure *self)
{
    if (self->levels == NULL || self->levels_missing || !programme_measure_complete(self))
        return STATUS_OK;
    size_t count = self->level_count / SPEECH_STEP_FRAMES;
    uint8_t *heard = calloc(count + 1, 1);
    status code = heard == NULL ? STATUS_NODE_MEMORY : speech_detector_run(self->levels, self->level_count, heard);
    if (code != STATUS_OK) {
        free(heard);
        return code;
    }
    free(self->levels);
    self->levels = NULL;
    self->heard = heard;
    self->heard_count = count;
    return STATUS_OK;
}

const uint8_t *programme_measure_heard(const programme_measure *self, size_t *out_count)
{
    *out_count = self->heard_count;
    return self->heard;
}

void programme_measure_drop_signal(programme_measure *self)
{
    programme_signal_deinit(&self->signal);
}

const programme_signal *programme_measure_signal(const programme_measure *self)
{
    return self->signal.missing || self->signal.cell_count == 0 ? NULL : &self->signal;
}

size_t programme_measure_curve(const programme_measure *self, uint32_t window_ms, uint32_t step_ms, double *out_lufs,
                               size_t capacity)
{
    uint64_t end = cell_measure_slot_of(self->frame_count, self->sample_rate);
    uint64_t window = window_ms / 10;
    uint64_t step = step_ms / 10;
    size_t count = 0;
    for (uint64_t s = step; step > 0 && s <= end && count < capacity; s += step) {
        double sum = 0.0;
        for (uint64_t i = s >= window ? s - window : s; i < s; i++)
            sum += self->slots[i];
        uint64_t frames = s < window ? 1
                                     : cell_measure_slot_frame(s, self->sample_rate) -
                                           cell_measure_slot_frame(s - window, self->sample_rate);
        out_lufs[count++] = s < window ? (double)NAN : measure_loudness(sum / (double)frames);
    }
    return count;
}
