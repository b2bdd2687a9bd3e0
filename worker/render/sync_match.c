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
static const double band_rate_share = 0.375; /* of the rate that is left: what folds over the half of it lies 18 dB lower */
enum { GUIDE_FRAMES = 1024, PEAK_WIDTH = 64, MARGIN_PART = 32, TAPER_PART = 8, BANDS = 32, NEAR_RATE_MIN = 22000 };
enum { SLACK = 256 }; /* thinned otherwise, the same place begins a little beside */

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

uint32_t sync_window_margin(uint32_t frames)
{
    return frames / MARGIN_PART;
}

static double mean_square(const double *x, uint32_t count)
{
    double energy = 0.0;
    for (uint32_t i = 0; i < count; i++)
        energy += x[i] * x[i];
    return energy / (double)count;
}

status sync_matcher_level(sync_matcher *self, uint64_t place, uint32_t frame_count, double *out_level, double *out_share)
{
    double x[GUIDE_FRAMES];
    ENSURE(frame_count > 0 && frame_count <= GUIDE_FRAMES);
    int64_t around = self->reference_frame + (int64_t)place - (int64_t)(GUIDE_FRAMES - frame_count) / 2;
    status code = track_reader_read_sum(self->track, self->track_frame + (int64_t)place, frame_count, x, self->detail);
    double own = code == STATUS_OK ? mean_square(x, frame_count) : 0.0;
    self->frames_read += frame_count;
    if (code == STATUS_OK)
        code = track_reader_read_sum(self->reference, around, GUIDE_FRAMES, x, self->detail);
    if (code != STATUS_OK)
        return code;
    *out_level = sqrt(own);
    *out_share = own > 0.0 ? own / (own + mean_square(x, GUIDE_FRAMES)) : 0.0;
    return STATUS_OK;
}

/* Frames of a window with its margins, of which half lie before its middle. */
static uint32_t window_frames(uint32_t frames)
{
    return frames + 2 * sync_window_margin(frames);
}

status sync_matcher_take(sync_matcher *self, int64_t middle, uint32_t frames, const sync_window *known, sync_window *out_window)
{
    uint32_t count = window_frames(frames);
    uint32_t inside = known == NULL ? 0 : window_frames(known->frames);
    uint32_t before = (count - inside) / 2;
    uint32_t behind = count - inside - before;
    int64_t first = self->track_frame + middle - (int64_t)(count / 2);
    ENSURE(inside <= count && (inside == 0 || known->middle == middle));
    double *sound = arena_take_array(&self->memory, count, sizeof(double));
    *out_window = (sync_window){.middle = middle, .frames = frames, .sound = sound};
    self->frames_read += before + behind;
    if (inside > 0)
        memcpy(sound + before, known->sound, inside * sizeof(double));
    status code = track_reader_read_sum(self->track, first, before, sound, self->detail);
    before += inside;
    return code != STATUS_OK ? code : track_reader_read_sum(self->track, first + before, behind, sound + before, self->detail);
}

sync_window sync_window_part(const sync_window *all, int64_t middle, uint32_t frames)
{
    int64_t first = middle - (int64_t)(window_frames(frames) / 2) - (all->middle - (int64_t)(window_frames(all->frames) / 2));
    ENSURE(first >= 0 && first + (int64_t)window_frames(frames) <= (int64_t)window_frames(all->frames));
    return (sync_window){.middle = middle, .frames = frames, .sound = all->sound + first};
}

/* 2^result frames become one. */
static uint32_t log2_step(const sync_matcher *self, sync_detail detail)
{
    static const uint32_t further[] = {[SYNC_NEAR] = 0, [SYNC_WIDE] = 1, [SYNC_FAR] = 3};
    uint32_t result = 0;
    while (track_reader_rate(self->track) >> (result + 1) >= NEAR_RATE_MIN)
        result++;
    return detail == SYNC_WHOLE ? 0 : result + further[detail];
}

/* Frames of which thin_out() makes `count`. */
static uint32_t thinned_from(uint32_t count, uint32_t log2_frames)
{
    return ((count + 2) << log2_frames) - 2;
}

/* Halved so often, each time by (1 3 3 1)/8: together a box of that length three times over. */
static void thin_out(const double *x, double *out, uint32_t count, uint32_t log2_frames)
{
    if (log2_frames == 0)
        memcpy(out, x, count * sizeof *out);
    for (uint32_t left = log2_frames; left-- > 0; x = out)
        for (uint32_t i = 0, end = thinned_from(count, left); i < end; i++)
            out[i] = 0.125 * (x[2 * i] + x[2 * i + 3] + 3.0 * (x[2 * i + 1] + x[2 * i + 2]));
}

/* Room for so many values that are read, so many of what is made of them, and a plan for a transform; all grow and are kept. */
static void make_room(sync_matcher *self, uint32_t heard, uint32_t thinned, uint32_t transformed)
{
    uint32_t log2_size = 10;
    while ((1u << log2_size) < transformed)
        log2_size++;
    self->plan = &self->plans[log2_size];
    if (self->plan->size == 0)
        fft_plan_init(self->plan, self->dsp, log2_size, &self->memory);
    if (heard > self->heard_capacity) {
        self->heard_capacity = heard;
        self->heard_count = 0;
        self->heard = arena_take_array(&self->memory, heard, sizeof(double));
    }
    uint32_t frames = thinned > self->plan->size ? thinned : self->plan->size;
    if (frames <= self->capacity)
        return;
    self->capacity = frames;
    self->sound = arena_take_array(&self->memory, frames, sizeof(double));
    self->guide = arena_take_array(&self->memory, frames, sizeof(double));
    self->re = arena_take_array(&self->memory, frames, sizeof(double));
    self->im = arena_take_array(&self->memory, frames, sizeof(double));
}

status sync_matcher_place(sync_matcher *self, const sync_window *window, double late, uint32_t range, sync_detail detail)
{
    uint32_t log2_frames = log2_step(self, detail);
    uint32_t tail = thinned_from(0, log2_frames);
    uint32_t margin = sync_window_margin(window->frames);
    self->late = llround(late);
    self->step = 1u << log2_frames;
    self->window = window->frames >> log2_frames;
    self->margin = (margin - tail) >> log2_frames;
    self->range = range >> log2_frames;
    uint32_t first = margin - (self->margin << log2_frames);
    uint32_t sound = self->window + 2 * self->margin;
    uint32_t guide = self->window + 2 * self->range;
    uint32_t guide_read = thinned_from(guide, log2_frames);
    uint32_t most = sound > guide ? sound : guide; /* a small range, and the margins are more than it */
    make_room(self, guide_read + 2 * SLACK, log2_frames == 0 ? most : thinned_from(most, log2_frames - 1), guide);
    thin_out(window->sound + first, self->sound, sound, log2_frames);
    int64_t place = window->middle - self->late - (int64_t)(window->frames / 2) - (int64_t)(self->range << log2_frames);
    status code = STATUS_OK;
    if (place < self->heard_place || place + guide_read > self->heard_place + self->heard_count) {
        self->heard_place = place - SLACK;
        self->heard_count = guide_read + 2 * SLACK;
        code = track_reader_read_sum(self->reference, self->reference_frame + self->heard_place, self->heard_count, self->heard,
                                     self->detail);
        if (code != STATUS_OK)
            self->heard_count = 0;
    }
    thin_out(self->heard + (place - self->heard_place), self->guide, guide, log2_frames);
    return code;
}

/* The track at the reference's speed: Lagrange's cubic between the four samples around each place. */
static void stretch_sound(const sync_matcher *self, double drift, double *out)
{
    double half = (double)(self->window / 2);
    double end = 2.0 * (double)self->margin + (double)self->window;
    for (uint32_t i = 0; i < self->window; i++) {
        double at = (double)self->margin + half + ((double)i - half) * (1.0 + drift);
        double whole = floor(at);
        double t = at - whole;
        const double *x = self->sound + (size_t)whole;
        out[i] = whole < 1.0 || whole + 2.0 >= end
                     ? 0.0
                     : x[-1] * (-t * (t - 1.0) * (t - 2.0) / 6.0) + x[0] * ((t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0) +
                           x[1] * (-(t + 1.0) * t * (t - 2.0) / 2.0) + x[2] * ((t + 1.0) * t * (t - 1.0) / 6.0);
    }
}

/*
 * Rises smoothly over the first part of a window and falls over its last: a hard edge has energy at every frequency, and once
 * whitened the edges of both windows would match each other. What lies behind is silent.
 */
static void taper(double *x, uint32_t count, uint32_t edge, uint32_t size)
{
    for (uint32_t i = 0; i < edge; i++) {
        double t = ((double)i + 0.5) / (double)edge;
        double gain = t * t * (3.0 - 2.0 * t);
        x[i] *= gain;
        x[count - 1 - i] *= gain;
    }
    memset(x + count, 0, (size_t)(size - count) * sizeof *x);
}

/* The spectra of two real signals that were transformed as one complex one. */
typedef struct bin_pair {
    double xr, xi, yr, yi;
} bin_pair;

static bin_pair split_bin(const sync_matcher *self, uint32_t k)
{
    uint32_t m = self->plan->size - k;
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
    uint32_t size = self->plan->size;
    double rate = (double)track_reader_rate(self->track) / (double)self->step;
    double hertz = rate / (double)size;
    uint32_t first = (uint32_t)ceil(band_low_hz / hertz);
    uint32_t end = (uint32_t)ceil(fmin(band_high_hz, band_rate_share * rate) / hertz);
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
    uint32_t size = self->plan->size;
    uint32_t lags = 2 * self->range + 1;
    uint32_t length = self->window + 2 * self->range;
    uint32_t width = PEAK_WIDTH / self->step;
    *out_match = (sync_match){0};
    memcpy(self->re, self->guide, length * sizeof *self->re);
    if (drift == 0.0)
        memcpy(self->im, self->sound + self->margin, self->window * sizeof *self->im);
    else
        stretch_sound(self, drift, self->im);
    taper(self->re, length, self->window / TAPER_PART, size);
    taper(self->im, self->window, self->window / TAPER_PART, size);
    fft_run(self->plan, self->re, self->im);
    if (!whiten(self)) {
        memset(self->im, 0, lags * sizeof *self->im);
        return;
    }
    fft_run(self->plan, self->re, self->im);
    const double *c = self->im;
    uint32_t peak = 0;
    for (uint32_t i = 1; i < lags; i++)
        if (fabs(c[i]) > fabs(c[peak]))
            peak = i;
    double energy = 0.0;
    double rival = 0.0;
    uint32_t others = 0;
    for (uint32_t i = 0; i < lags; i++)
        if (i + width < peak || i > peak + width) {
            energy += c[i] * c[i];
            rival = fabs(c[i]) > rival ? fabs(c[i]) : rival;
            others++;
        }
    if (others == 0 || energy == 0.0 || peak == 0 || peak + 1 == lags) /* a slope that goes on outside is no peak */
        return;
    double before = fabs(c[peak - 1]), here = fabs(c[peak]), behind = fabs(c[peak + 1]);
    double curve = before - 2.0 * here + behind;
    double bend = curve < 0.0 ? (before - behind) / (2.0 * curve) : 0.0;
    out_match->late = (double)self->late - ((double)peak - (double)self->range + bend) * (double)self->step;
    out_match->score = fabs(c[peak]) / sqrt(energy / (double)others);
    out_match->rival = rival / fabs(c[peak]);
}

double sync_matcher_score_at(const sync_matcher *self, double late, uint32_t slack)
{
    uint32_t lags = 2 * self->range + 1;
    double step = (double)self->step;
    int64_t at = llround(((double)self->late - late) / step) + (int64_t)self->range;
    int64_t around = slack / self->step;
    double energy = 0.0;
    double peak = 0.0;
    for (uint32_t i = 0; i < lags; i++) {
        energy += self->im[i] * self->im[i];
        if ((int64_t)i >= at - around && (int64_t)i <= at + around)
            peak = fmax(peak, fabs(self->im[i]));
    }
    return energy > 0.0 ? peak / sqrt(energy / (double)lags) : 0.0;
}
