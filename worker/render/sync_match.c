#include "worker/render/sync_match.h"

#include "common/base/ensure.h"

#include <math.h>
#include <string.h>

static const double band_low_hz = 100.0;
static const double band_high_hz = 8000.0;
/*
 * Bands this far below the loudest of their signal are left out: what is there came through the skirts of filters and codecs,
 * with phases of their own, or is rounding and dither.
 */
static const double band_floor = 1e-4;
static const double band_width_hz = 250.0;
enum { READ_FRAMES = 4096, PEAK_WIDTH = 64, MARGIN_PART = 16, TAPER_PART = 8, BANDS = 32 };

void sync_matcher_init(sync_matcher *self, const dsp_table *dsp, track_reader *track, int64_t track_frame,
                       track_reader *reference, int64_t reference_frame, error_detail *detail)
{
    *self = (sync_matcher){.dsp = dsp,
                           .track = track,
                           .reference = reference,
                           .track_frame = track_frame,
                           .reference_frame = reference_frame,
                           .detail = detail};
    arena_init(&self->memory);
}

void sync_matcher_deinit(sync_matcher *self)
{
    arena_deinit(&self->memory);
}

/* The sum of all channels. */
static status read_sum(track_reader *track, int64_t first, uint32_t frame_count, double *out, error_detail *detail)
{
    arena scratch;
    arena_init(&scratch);
    uint32_t channel_count = track_reader_channels(track);
    double **channels = arena_take_array(&scratch, channel_count, sizeof(double *));
    for (uint32_t c = 0; c < channel_count; c++)
        channels[c] = arena_take_array(&scratch, READ_FRAMES, sizeof(double));
    status code = STATUS_OK;
    for (uint32_t done = 0; code == STATUS_OK && done < frame_count; done += READ_FRAMES) {
        uint32_t count = frame_count - done < READ_FRAMES ? frame_count - done : READ_FRAMES;
        code = track_reader_read(track, first + (int64_t)done, count, channels, detail);
        for (uint32_t i = 0; code == STATUS_OK && i < count; i++) {
            double sum = 0.0;
            for (uint32_t c = 0; c < channel_count; c++)
                sum += channels[c][i];
            out[done + i] = sum;
        }
    }
    arena_deinit(&scratch);
    return code;
}

status sync_matcher_level(sync_matcher *self, uint64_t place, uint32_t frame_count, double *out_level)
{
    double x[READ_FRAMES];
    ENSURE(frame_count > 0 && frame_count <= READ_FRAMES);
    status code = read_sum(self->track, self->track_frame + (int64_t)place, frame_count, x, self->detail);
    double energy = 0.0;
    for (uint32_t i = 0; code == STATUS_OK && i < frame_count; i++)
        energy += x[i] * x[i];
    self->frames_read += frame_count;
    *out_level = sqrt(energy / (double)frame_count);
    return code;
}

/* Buffers and plan for a size; they grow and are kept. */
static void make_room(sync_matcher *self, uint32_t frames)
{
    uint32_t log2_size = 10;
    while ((1u << log2_size) < frames)
        log2_size++;
    uint32_t size = 1u << log2_size;
    if (self->plan.size == size)
        return;
    fft_plan_init(&self->plan, self->dsp, log2_size, &self->memory);
    if (size <= self->capacity)
        return;
    self->capacity = size;
    self->sound = arena_take_array(&self->memory, size, sizeof(double));
    self->guide = arena_take_array(&self->memory, (size_t)size + size / (MARGIN_PART / 2), sizeof(double));
    self->re = arena_take_array(&self->memory, size, sizeof(double));
    self->im = arena_take_array(&self->memory, size, sizeof(double));
}

status sync_matcher_load(sync_matcher *self, uint64_t place, int64_t late, uint32_t window, uint32_t range)
{
    uint32_t margin = window / MARGIN_PART;
    int64_t first = (int64_t)place - (int64_t)(window / 2);
    self->place = place;
    self->late = late;
    self->window = window;
    self->range = range;
    make_room(self, window + 2 * range);
    self->frames_read += window + 2 * (uint64_t)range;
    status code = read_sum(self->track, self->track_frame + first + late - (int64_t)range, window + 2 * range, self->sound,
                           self->detail);
    if (code == STATUS_OK)
        code = read_sum(self->reference, self->reference_frame + first - (int64_t)margin, window + 2 * margin, self->guide,
                        self->detail);
    return code;
}

/* The reference at the track's speed: Lagrange's cubic between the four samples around each place. */
static double guide_at(const sync_matcher *self, uint32_t i, double drift)
{
    double margin = (double)(self->window / MARGIN_PART);
    double half = (double)(self->window / 2);
    if (drift == 0.0)
        return self->guide[self->window / MARGIN_PART + i];
    double at = margin + half + ((double)i - half) / (1.0 + drift);
    double whole = floor(at);
    double t = at - whole;
    if (whole < 1.0 || whole + 2.0 >= 2.0 * margin + (double)self->window)
        return 0.0;
    const double *x = self->guide + (size_t)whole;
    return x[-1] * (-t * (t - 1.0) * (t - 2.0) / 6.0) + x[0] * ((t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0) +
           x[1] * (-(t + 1.0) * t * (t - 2.0) / 2.0) + x[2] * ((t + 1.0) * t * (t - 1.0) / 6.0);
}

/*
 * Rises smoothly over the first part of a window and falls over its last: a hard edge has energy at every frequency, and once
 * whitened the edges of both windows would match each other.
 */
static double taper(uint32_t i, uint32_t count, uint32_t edge)
{
    uint32_t inside = i < count - 1 - i ? i : count - 1 - i;
    if (inside >= edge)
        return 1.0;
    double t = ((double)inside + 0.5) / (double)edge;
    return t * t * (3.0 - 2.0 * t);
}

/* The spectra of two real signals that were transformed as one complex one. */
typedef struct bin_pair {
    double xr, xi, yr, yi;
} bin_pair;

static bin_pair split_bin(const sync_matcher *self, uint32_t k)
{
    uint32_t m = self->plan.size - k;
    return (bin_pair){.xr = (self->re[k] + self->re[m]) / 2.0,
                      .xi = (self->im[k] - self->im[m]) / 2.0,
                      .yr = (self->im[k] + self->im[m]) / 2.0,
                      .yi = (self->re[m] - self->re[k]) / 2.0};
}

/* Which bands of the bins both signals have; false when there is none. */
static bool find_bands(const sync_matcher *self, double hertz, uint32_t first, uint32_t end, bool *used)
{
    double sound[BANDS] = {0.0};
    double guide[BANDS] = {0.0};
    double sound_most = 0.0;
    double guide_most = 0.0;
    for (uint32_t k = first; k < end; k++) {
        bin_pair bin = split_bin(self, k);
        uint32_t band = (uint32_t)(hertz * (double)k / band_width_hz);
        sound[band] += bin.xr * bin.xr + bin.xi * bin.xi;
        guide[band] += bin.yr * bin.yr + bin.yi * bin.yi;
    }
    bool any = false;
    for (uint32_t b = 0; b < BANDS; b++) {
        sound_most = fmax(sound_most, sound[b]);
        guide_most = fmax(guide_most, guide[b]);
    }
    for (uint32_t b = 0; b < BANDS; b++) {
        used[b] = sound[b] > band_floor * sound_most && guide[b] > band_floor * guide_most;
        any = any || used[b];
    }
    return any;
}

/* The whitened cross-spectrum replaces the spectra, swapped for the inverse transform: it leaves the correlation in im. */
static bool whiten(sync_matcher *self)
{
    uint32_t size = self->plan.size;
    double hertz = (double)track_reader_rate(self->track) / (double)size;
    uint32_t first = (uint32_t)ceil(band_low_hz / hertz);
    uint32_t end = (uint32_t)ceil(band_high_hz / hertz);
    end = end < size / 2 ? end : size / 2;
    bool used[BANDS];
    if (!find_bands(self, hertz, first, end, used))
        return false;
    for (uint32_t k = first; k < end; k++) {
        bin_pair bin = split_bin(self, k);
        double square = (bin.xr * bin.xr + bin.xi * bin.xi) * (bin.yr * bin.yr + bin.yi * bin.yi);
        bool inside = used[(uint32_t)(hertz * (double)k / band_width_hz)] && square > 0.0;
        double scale = inside ? 1.0 / sqrt(square) : 0.0;
        double gr = (bin.xr * bin.yr + bin.xi * bin.yi) * scale;
        double gi = (bin.xi * bin.yr - bin.xr * bin.yi) * scale;
        self->re[k] = gi;
        self->im[k] = gr;
        self->re[size - k] = -gi;
        self->im[size - k] = gr;
    }
    double *const parts[] = {self->re, self->im};
    for (size_t i = 0; i < 2; i++) { /* the rest lies outside the band */
        memset(parts[i], 0, first * sizeof *parts[i]);
        memset(parts[i] + end, 0, (size_t)(size - end - end + 1) * sizeof *parts[i]);
        memset(parts[i] + size - first + 1, 0, (first - 1) * sizeof *parts[i]);
    }
    return true;
}

void sync_matcher_compare(sync_matcher *self, double drift, sync_match *out_match)
{
    uint32_t size = self->plan.size;
    uint32_t lags = 2 * self->range + 1;
    uint32_t length = self->window + 2 * self->range;
    uint32_t edge = self->window / TAPER_PART;
    *out_match = (sync_match){0};
    for (uint32_t i = 0; i < size; i++) {
        self->re[i] = i < length ? self->sound[i] * taper(i, length, edge) : 0.0;
        self->im[i] = i < self->window ? guide_at(self, i, drift) * taper(i, self->window, edge) : 0.0;
    }
    fft_run(&self->plan, self->re, self->im);
    if (!whiten(self))
        return;
    fft_run(&self->plan, self->re, self->im);
    const double *c = self->im;
    uint32_t peak = 0;
    for (uint32_t i = 1; i < lags; i++)
        if (fabs(c[i]) > fabs(c[peak]))
            peak = i;
    double energy = 0.0;
    double rival = 0.0;
    uint32_t others = 0;
    for (uint32_t i = 0; i < lags; i++)
        if (i + PEAK_WIDTH < peak || i > peak + PEAK_WIDTH) {
            energy += c[i] * c[i];
            rival = fabs(c[i]) > rival ? fabs(c[i]) : rival;
            others++;
        }
    if (others == 0 || energy == 0.0 || peak == 0 || peak + 1 == lags) /* a slope that goes on outside is no peak */
        return;
    double before = fabs(c[peak - 1]), here = fabs(c[peak]), behind = fabs(c[peak + 1]);
    double curve = before - 2.0 * here + behind;
    double bend = curve < 0.0 ? (before - behind) / (2.0 * curve) : 0.0;
    out_match->late = (double)self->late - (double)self->range + (double)peak + bend;
    out_match->score = fabs(c[peak]) / sqrt(energy / (double)others);
    out_match->rival = rival / fabs(c[peak]);
}

double sync_matcher_score_at(const sync_matcher *self, double late, uint32_t slack)
{
    uint32_t lags = 2 * self->range + 1;
    int64_t at = llround(late) - self->late + (int64_t)self->range;
    double energy = 0.0;
    double peak = 0.0;
    for (uint32_t i = 0; i < lags; i++) {
        energy += self->im[i] * self->im[i];
        if ((int64_t)i >= at - (int64_t)slack && (int64_t)i <= at + (int64_t)slack)
            peak = fmax(peak, fabs(self->im[i]));
    }
    return energy > 0.0 ? peak / sqrt(energy / (double)lags) : 0.0;
}
