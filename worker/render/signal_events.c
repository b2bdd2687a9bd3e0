#include "common/base/plain_math.h"
#include "worker/render/render_signal.h"

#include <float.h>
#include <math.h>
#include <string.h>

/*
 * What is stored; the coordinator's limits are stricter (judge_signal_events.c). A click counts when its fourth
 * difference stands 24 dB over that of the 10 ms before, around and after it.
 */
static const double click_rough_min = 0.003;   /* fourth difference: a single sample of -66 dBFS */
static const double click_ratio_min = 16.0;
static const double click_broad_ratio_min = 64.0; /* of more than CLICK_SAMPLES: rain and fire are full of weaker ones */
static const double click_flank = 0.125;       /* of the peak: the outer samples of a single one have 1/6 */
static const double click_share = 0.1;         /* of its tile's squared fourth differences; noise has under 0.03 */
enum { CLICK_REACH = 8, CLICK_SAMPLES = 6, ROUGH_PER_SAMPLE = 6 };/* a single sample of 1 has a fourth difference of 1 -4 6 -4 1 */
static const double sum_rounding = 1e-12;      /* less of a tile's sum than this is rounding: nothing */
static const double ratio_max = 1e9;
static const double edge_min = 0.003;          /* -50 dBFS: what stops or starts hard was heard */
static const double tone_square_min = 5e-6;    /* mean square: amplitude of -50 dBFS */
static const double tone_residue_max = 0.01;   /* of the tone, 20 dB below it at its octave */
static const double tone_hz_min = 300.0;
static const double tone_change_max = 0.01;
/* A line-up tone over other sound, against all that sounds with it in 10 ms; one that holds its phase is no note. */
static const double line_up_share = 0.75;      /* 5 dB over it */
static const double line_up_share_on = 0.5;    /* once it is known */
static const double line_up_turn_max = 0.3;    /* from slot to slot, of its amplitude: 5 Hz */
enum { LINE_UP_HZ = 1000, LINE_UP_SECOND_PART = 10 /* so much is told of it */ };

static float stored(double value)
{
    return (float)fmin(value, (double)FLT_MAX);
}

void signal_event_add(render_signal *self, signal_event event)
{
    cell_signal *cell = &self->cell;
    if (self->kind_counts[event.kind] == SIGNAL_EVENTS_PER_KIND) {
        cell->event_dropped++;
        return;
    }
    self->kind_counts[event.kind]++;
    cell->events[cell->event_count++] = event;
}

/* ---- clicks ---- */

static double rough_size(const signal_tile *tile, uint32_t lane, uint32_t frame)
{
    const double *x = tile->samples + (size_t)frame * TILE_LANES + lane;
    return fabs((x[0] + x[-4 * TILE_LANES]) - 4.0 * (x[-1 * TILE_LANES] + x[-3 * TILE_LANES]) + 6.0 * x[-2 * TILE_LANES]);
}

void signal_candidate_settle(render_signal *self, uint32_t channel, double after)
{
    signal_candidate *candidate = &self->channels[channel].candidate;
    if (!candidate->waits)
        return;
    candidate->waits = false;
    double around = sqrt(fmax(candidate->around, after));
    if (!(candidate->peak >= (candidate->width <= CLICK_SAMPLES ? click_ratio_min : click_broad_ratio_min) * around))
        return;
    double ratio = around > 0.0 ? fmin(candidate->peak / around, ratio_max) : ratio_max;
    signal_event event = {.kind = SIGNAL_CLICK,
                          .channel = (uint8_t)channel,
                          .frame = (int32_t)candidate->frame,
                          .frame_count = candidate->width,
                          .level = stored(candidate->peak / ROUGH_PER_SAMPLE),
                          .figure = stored(ratio)};
    /* A click across the edge of two tiles shows in both. */
    cell_signal *cell = &self->cell;
    for (uint32_t i = cell->event_count; i > 0; i--) {
        signal_event *last = &cell->events[i - 1];
        if (last->kind != SIGNAL_CLICK || last->channel != channel)
            continue;
        if (event.frame - last->frame > CLICK_REACH)
            break;
        if (event.level > last->level)
            *last = event;
        return;
    }
    signal_event_add(self, event);
}

static void take_clicks(render_signal *self, uint32_t channel, const signal_tile *tile, uint32_t lane)
{
    signal_channel *state = &self->channels[channel];
    double sum = tile->sums.rough[lane];
    double peak = tile->sums.rough_peak[lane];
    double rest = sum / tile->frame_count;
    uint32_t at = 0;
    uint32_t width = 0;
    bool candidate = peak >= click_rough_min && peak * peak >= click_share * sum && tile->frame_count > 4 * CLICK_REACH;
    if (candidate) {
        while (at + 1 < tile->frame_count && rough_size(tile, lane, at) < peak)
            at++;
        const uint32_t first = at > CLICK_REACH ? at - CLICK_REACH : 0;
        const uint32_t end = at + CLICK_REACH + 1 < tile->frame_count ? at + CLICK_REACH + 1 : tile->frame_count;
        double near = 0.0;
        for (uint32_t i = first; i < end; i++) {
            const double size = rough_size(tile, lane, i);
            near += size * size;
            width += size >= click_flank * peak;
        }
        const double others = sum - near;
        rest = others > sum_rounding * sum ? others / (tile->frame_count - (end - first)) : 0.0;
    }
    if (tile->cell_frame >= 0)
        signal_candidate_settle(self, channel, rest);
    state->candidate = (signal_candidate){.waits = candidate,
                                          /* the middle of the five samples */
                                          .frame = tile->cell_frame + (int64_t)at - 2,
                                          .width = width,
                                          .peak = peak,
                                          .around = fmax(rest, state->rough_before)};
    state->rough_before = rest;
}

/* ---- quiet between hard edges ---- */

/* How loud it was before a quiet that began at `frame`. */
static void look_before(signal_channel *state, const signal_tile *tile, uint32_t lane, uint32_t frame, uint32_t millisecond)
{
    state->quiet_edge = 0.0;
    uint32_t reach = frame + TRUE_PEAK_HISTORY < millisecond ? frame + TRUE_PEAK_HISTORY : millisecond;
    for (uint32_t i = 1; i <= reach; i++) {
        double edge = fabs(tile->samples[((int64_t)frame - i) * TILE_LANES + lane]);
        state->quiet_edge = edge > state->quiet_edge ? edge : state->quiet_edge;
    }
}

static void tell_stop(render_signal *self, uint32_t channel, const signal_tile *tile, uint64_t before, uint64_t frame)
{
    signal_channel *state = &self->channels[channel];
    uint64_t long_quiet = self->sample_rate / 10;
    if (tile->cell_frame < 0 || before >= long_quiet || state->quiet_length < long_quiet || state->quiet_edge < edge_min)
        return;
    signal_event_add(self, (signal_event){.kind = SIGNAL_STOP,
                                          .channel = (uint8_t)channel,
                                          .frame = (int32_t)(tile->cell_frame + (int64_t)frame - (int64_t)state->quiet_length),
                                          .level = stored(state->quiet_edge)});
}

static void tell_start(render_signal *self, uint32_t channel, const signal_tile *tile)
{
    signal_channel *state = &self->channels[channel];
    if (tile->cell_frame < 0 || state->after_edge < edge_min)
        return;
    bool is_long = state->ended_length >= self->sample_rate / 10;
    if (!is_long && state->ended_edge < edge_min)
        return;
    int64_t first = is_long ? state->ended_frame : state->ended_frame - (int64_t)state->ended_length;
    if (first < -METER_PREROLL_FRAMES)
        return;
    signal_event_add(self, (signal_event){.kind = is_long ? SIGNAL_START : SIGNAL_DROPOUT,
                                          .channel = (uint8_t)channel,
                                          .frame = (int32_t)first,
                                          .frame_count = is_long ? 0 : (uint32_t)state->ended_length,
                                          .level = stored(is_long ? state->after_edge
                                                                  : fmin(state->ended_edge, state->after_edge))});
}

static bool is_quiet(const signal_tile *tile, uint32_t lane, uint32_t frame)
{
    return fabs(tile->samples[(size_t)frame * TILE_LANES + lane]) < SIGNAL_QUIET;
}

/*
 * The first frame of the next quiet from one on that lasts so long, or may: it goes on to the tile's end; else the tile's end. Soft
 * sound is quiet for a sample or two at every zero crossing.
 */
static uint32_t lasting_quiet(const signal_tile *tile, uint32_t lane, uint32_t from, uint32_t length)
{
    for (uint32_t probe = from + length - 1;; probe += length) {
        uint32_t first = probe < tile->frame_count ? probe : tile->frame_count - 1;
        uint32_t end = first;
        while (end < tile->frame_count && is_quiet(tile, lane, end))
            end++;
        while (first > from && end > first && is_quiet(tile, lane, first - 1))
            first--;
        if (end > first && (end == tile->frame_count || end - first >= length))
            return first;
        if (probe + 1 >= tile->frame_count)
            return tile->frame_count;
    }
}

static void take_quiet(render_signal *self, uint32_t channel, const signal_tile *tile, uint32_t lane)
{
    signal_channel *state = &self->channels[channel];
    uint32_t millisecond = self->sample_rate / 1000;
    uint32_t count = tile->frame_count;
    uint64_t quiet = tile->sums.quiet_count[lane];
    if (quiet == count && state->quiet_length > 0 && state->after_left == 0) {
        uint64_t before = state->quiet_length;
        state->quiet_length += count;
        tell_stop(self, channel, tile, before, count);
        return;
    }
    bool active = state->quiet_length > 0 || state->after_left > 0;
    if (!active && quiet < millisecond && !is_quiet(tile, lane, count - 1))
        return;
    uint32_t unseen = count;
    for (uint32_t i = 0; i < count; i++) {
        if (state->quiet_length == 0 && state->after_left == 0)
            i = lasting_quiet(tile, lane, i, millisecond);
        if (i == count)
            break;
        double size = fabs(tile->samples[(size_t)i * TILE_LANES + lane]);
        if (size < SIGNAL_QUIET) {
            if (state->quiet_length == 0)
                unseen = i;
            state->quiet_length++;
            if (unseen < count && (state->quiet_length == millisecond || i + 1 == count)) {
                look_before(state, tile, lane, unseen, millisecond);
                unseen = count;
            }
            if (state->quiet_length == self->sample_rate / 10)
                tell_stop(self, channel, tile, state->quiet_length - 1, (uint64_t)i + 1);
        } else if (state->quiet_length > 0) {
            if (state->quiet_length >= millisecond && state->after_left == 0) {
                state->ended_length = state->quiet_length;
                state->ended_frame = tile->cell_frame + (int64_t)i;
                state->ended_edge = state->quiet_edge;
                state->after_edge = 0.0;
                state->after_left = millisecond;
            }
            state->quiet_length = 0;
            unseen = count;
        }
        if (state->after_left > 0) {
            state->after_edge = size > state->after_edge ? size : state->after_edge;
            if (--state->after_left == 0)
                tell_start(self, channel, tile);
        }
    }
}

/* ---- tones ---- */

/* What is half a period of the line-up tone apart cancels: false where it cannot carry a slot, by a few places in 1 ms. */
static bool may_be_line_up(const render_signal *self, const signal_tile *tile, uint32_t lane)
{
    const uint32_t half = self->sample_rate / (2 * LINE_UP_HZ);
    const uint32_t step = self->sample_rate / (16 * LINE_UP_HZ);
    double rest = 0.0;
    double all = 0.0;
    for (uint32_t i = 0; i < 2 * half && i + half < tile->frame_count; i += step) {
        double before = tile->samples[(size_t)i * TILE_LANES + lane];
        double behind = tile->samples[(size_t)(i + half) * TILE_LANES + lane];
        rest += (before + behind) * (before + behind);
        all += before * before + behind * behind;
    }
    return rest <= 0.5 * all;
}

/* The line-up tone's amplitude, with the phase that it has where the cell begins. */
static void find_line_up(const render_signal *self, const signal_tile *tile, uint32_t lane, double out[2])
{
    const double half_turns = 2.0 * LINE_UP_HZ / self->sample_rate;
    const double turn[2] = {sine_of_half_turns(half_turns + 0.5), -sine_of_half_turns(half_turns)};
    const double start = half_turns * (double)(tile->cell_frame % self->sample_rate);
    double at[2] = {sine_of_half_turns(start + 0.5), -sine_of_half_turns(start)};
    double sum[2] = {0.0, 0.0};
    for (uint32_t i = 0; i < tile->frame_count; i++) {
        double x = tile->samples[(size_t)i * TILE_LANES + lane];
        sum[0] += x * at[0];
        sum[1] += x * at[1];
        double next = at[0] * turn[0] - at[1] * turn[1];
        at[1] = at[0] * turn[1] + at[1] * turn[0];
        at[0] = next;
    }
    out[0] = sum[0] * 2.0 / tile->frame_count;
    out[1] = sum[1] * 2.0 / tile->frame_count;
}

/* The line-up tone in a slot whose sound is no pure tone, from its last tile. True: it stands out, and `out` is it. */
static bool take_line_up(render_signal *self, signal_channel *state, const signal_tile *tile, uint32_t lane, int64_t first,
                         double *out_level, double *out_figure)
{
    const double square = tile->sums.tone[2][lane] / tile->frame_count;
    const int64_t end = tile->cell_frame + (int64_t)tile->frame_count;
    const bool known = state->line_up_end == first;
    if (tile->frame_count * 400 < self->sample_rate || (!known && !may_be_line_up(self, tile, lane)))
        return false;
    double line[2];
    find_line_up(self, tile, lane, line);
    const double power = line[0] * line[0] + line[1] * line[1];
    const double change[2] = {line[0] - state->line_up[0], line[1] - state->line_up[1]};
    const bool holds = known && change[0] * change[0] + change[1] * change[1] <= line_up_turn_max * line_up_turn_max * power;
    if (power < 2.0 * tone_square_min || power < 2.0 * square * (holds ? line_up_share_on : line_up_share))
        return false;
    const double slip = holds ? (state->line_up[0] * line[1] - state->line_up[1] * line[0]) / power : 0.0; /* radians */
    const double hertz = LINE_UP_HZ + slip * self->sample_rate / (6.283185307179586 * (double)(end - first));
    const double sine = sine_of_half_turns(hertz / self->sample_rate);
    if (known && !holds)
        state->tone_end = -1; /* another one */
    memcpy(state->line_up, line, sizeof line);
    state->line_up_end = end;
    *out_level = sqrt(power);
    *out_figure = 4.0 * sine * sine;
    return true;
}

static void take_tones(render_signal *self, uint32_t channel, const signal_tile *tile, uint32_t lane)
{
    signal_channel *state = &self->channels[channel];
    if (tile->cell_frame < 0)
        return;
    double sums[3];
    for (uint32_t i = 0; i < 3; i++)
        sums[i] = state->tone_sums[i] += tile->sums.tone[i][lane];
    state->tone_frames += tile->frame_count;
    double count = state->tone_frames;
    double square = sums[2];
    if (count * 200.0 < self->sample_rate) /* half a slot: of high rates a tile is less */
        return;
    int64_t end = tile->cell_frame + (int64_t)tile->frame_count;
    int64_t first = end - (int64_t)state->tone_frames;
    state->tone_frames = 0;
    memset(state->tone_sums, 0, sizeof state->tone_sums);
    if (square < tone_square_min * count)
        return;
    /* The best frequency: x[n] + x[n-2] = 2 cos(w) x[n-1]; what is left over tells how pure it is. */
    double turn = sums[1] / square;
    double figure = 2.0 - turn;
    double residue = sums[0] - turn * sums[1];
    double lowest = 6.283185307179586 * tone_hz_min / self->sample_rate;
    double level = sqrt(2.0 * square / count);
    bool pure = figure >= lowest * lowest && figure <= 2.0 && residue <= tone_residue_max * square * figure * figure;
    if (!pure && !take_line_up(self, state, tile, lane, first, &level, &figure))
        return;
    bool goes_on = state->tone_end == first && fabs(figure - state->tone_figure) <= tone_change_max * state->tone_figure;
    bool pure_pair = pure && state->tone_pure;
    state->tone_end = end;
    state->tone_pure = pure;
    if (!goes_on) {
        state->tone_first = first;
        state->tone_figure = figure;
        state->tone_event = 0;
        return;
    }
    if (!pure_pair && state->tone_event == 0 && (end - state->tone_first) * LINE_UP_SECOND_PART <= self->sample_rate)
        return;
    if (state->tone_event == 0) {
        uint32_t before = self->cell.event_count;
        signal_event_add(self, (signal_event){.kind = SIGNAL_TONE,
                                              .channel = (uint8_t)channel,
                                              .frame = (int32_t)state->tone_first,
                                              .figure = stored(figure)});
        if (self->cell.event_count == before)
            return;
        state->tone_event = self->cell.event_count;
    }
    signal_event *event = &self->cell.events[state->tone_event - 1];
    event->frame_count = (uint32_t)(end - event->frame);
    event->level = fmaxf(event->level, stored(level));
}

void signal_events_take(render_signal *self, uint32_t channel, const signal_tile *tile, uint32_t lane)
{
    take_clicks(self, channel, tile, lane);
    take_quiet(self, channel, tile, lane);
    take_tones(self, channel, tile, lane);
}
