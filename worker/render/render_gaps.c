/*
 * Where a single channel of a stem stops hard and starts again: in a mix the other stems go on over it, and only a click is left.
 *
 * A gap is a run of quiet samples with sound within two milliseconds on both sides, so that music that happens to cross zero
 * where it is cut is cut all the same. Every PROBE-th sample is looked at; only around one that is quiet are its neighbours.
 * What is cut by the cell's edge is kept as the part that lies in it.
 */
#include "worker/dsp/dsp_unroll.h"
#include "worker/render/render_parts.h"

#include <math.h>
#include <string.h>

enum {
    PROBE = 24, /* half of the shortest gap at 48 kHz, so at the highest rate it is met too */
    REACH = 96
};

static const double quiet_below = 0x1p-16; /* that of signal.dropout: -96.3 dBFS */
static const double edge_min = 0.003;      /* -50 dBFS */
static const double sound_min = 0.001;     /* -60 dBFS */
static const double hard_min = 0.35;       /* of the largest of REACH, in the quarter next to the gap: a straight fade has 0.25 */

typedef double lane_pair __attribute__((vector_size(16)));
typedef int64_t lane_masks __attribute__((vector_size(16)));

typedef struct gap_lane {
    uint32_t start, end;     /* of the run in the cell; end once it has ended */
    uint32_t longest;
    bool quiet;              /* a run goes on */
    bool heard;              /* it began with sound, or with the cell */
    uint32_t left;           /* of the frames behind its end that are still to come */
    double before, after;    /* largest |x| on either side; 0: it fades */
    double after_near;
} gap_lane;

struct render_gaps {
    uint32_t lane_count, shortest;
    size_t kept_frames; /* REACH; of a size that it knows the compiler copies word by word, not by the widest registers */
    gap_lane *lanes;
    double *last; /* [tile][REACH][TILE_LANES] the last frames of the tiles before */
};

static uint32_t tile_count(const render_gaps *self)
{
    return (self->lane_count + TILE_LANES - 1) / TILE_LANES;
}

render_gaps *render_gaps_make(const render_program *program, arena *memory)
{
    render_gaps *self = arena_take(memory, sizeof *self);
    self->lane_count = program->input_count;
    self->shortest = program->sample_rate / 1000;
    self->kept_frames = REACH;
    self->lanes = arena_take_array(memory, self->lane_count, sizeof *self->lanes);
    /* Longer ones are cut so in stems by intent; a programme is held against its stems. */
    for (uint32_t i = 0; i < self->lane_count; i++)
        self->lanes[i].longest = program->inputs[i].stem == RENDER_STEM_RECEIVED ? 2 * program->sample_rate
                                                                                : program->sample_rate / 10;
    self->last = arena_take_array(memory, (size_t)tile_count(self) * REACH * TILE_LANES, sizeof *self->last);
    return self;
}

void render_gaps_begin(render_gaps *self)
{
    for (uint32_t i = 0; i < self->lane_count; i++)
        self->lanes[i] = (gap_lane){.longest = self->lanes[i].longest};
    memset(self->last, 0, (size_t)tile_count(self) * REACH * TILE_LANES * sizeof *self->last);
}

/* The largest of the REACH frames before one of the tile, 0 for a fade; last: the lane's frames before the tile, oldest first. */
static double peak_before(const double *last, const double *samples, uint32_t frame)
{
    double peak = 0.0;
    double near = 0.0;
    for (uint32_t i = 1; i <= REACH; i++) {
        double value = i <= frame ? fabs(samples[(size_t)(frame - i) * TILE_LANES])
                                  : fabs(last[(size_t)(REACH - (i - frame)) * TILE_LANES]);
        peak = value > peak ? value : peak;
        near = i <= REACH / 4 ? peak : near;
    }
    return near >= hard_min * peak ? peak : 0.0;
}

static void add_gap(stem_features *features, uint32_t lane, uint32_t start, uint32_t end, bool from_before, bool goes_on)
{
    if (features->gap_count == STEM_GAPS_MAX)
        return;
    features->gaps[features->gap_count++] = (stem_gap){
        .lane = (uint16_t)lane, .start = start, .end = end, .from_before = from_before, .goes_on = goes_on};
}

/* The gap that ended is one if there is sound on both sides; at the cell's edge the other cell knows the rest. */
static void settle(const render_gaps *self, gap_lane *lane, uint32_t index, stem_features *features)
{
    bool from_before = lane->start == 0;
    if (lane->after_near < hard_min * lane->after)
        lane->after = 0.0;
    double least = from_before ? lane->after : fmin(lane->before, lane->after);
    if (lane->end > lane->start && least >= sound_min && (from_before || fmax(lane->before, lane->after) >= edge_min) &&
        (from_before || lane->end - lane->start >= self->shortest))
        add_gap(features, index, lane->start, lane->end, from_before, false);
    lane->end = lane->left = 0;
}

static void listen_behind(const render_gaps *self, gap_lane *lane, uint32_t index, const double *samples, uint32_t from,
                          uint32_t frame_count, stem_features *features)
{
    for (; lane->left > 0 && from < frame_count; from++, lane->left--) {
        double value = fabs(samples[(size_t)from * TILE_LANES]);
        lane->after = value > lane->after ? value : lane->after;
        lane->after_near = lane->left > REACH - REACH / 4 ? lane->after : lane->after_near;
    }
    if (lane->left == 0 && lane->end > 0)
        settle(self, lane, index, features);
}

static uint32_t next_probe(uint32_t probe, uint32_t frame_count)
{
    return probe + PROBE < frame_count ? probe + PROBE : probe + 1 < frame_count ? frame_count - 1 : frame_count;
}

/* A run that nothing can come of is passed over until a probe sounds. */
static bool is_open(const gap_lane *lane, uint32_t frame)
{
    return lane->quiet && lane->heard && frame - lane->start <= lane->longest;
}

static bool is_quiet(const double *samples, uint32_t frame)
{
    return fabs(samples[(size_t)frame * TILE_LANES]) < quiet_below;
}

static void take_lane(render_gaps *self, uint32_t index, const double *samples, uint32_t frame, uint32_t frame_count,
                      stem_features *features)
{
    gap_lane *lane = &self->lanes[index];
    const double *last = self->last + (size_t)(index / TILE_LANES) * REACH * TILE_LANES + index % TILE_LANES;
    for (uint32_t probe = 0; probe < frame_count;) {
        bool quiet = is_quiet(samples, probe);
        uint32_t next = next_probe(probe, frame_count);
        if (quiet && !lane->quiet) {
            uint32_t first = probe;
            uint32_t behind = probe + 1;
            uint32_t reach = probe < PROBE ? probe : PROBE;
            while (first > probe - reach && is_quiet(samples, first - 1))
                first--;
            while (behind < frame_count && behind - first < self->shortest && is_quiet(samples, behind))
                behind++;
            if (lane->end > 0)
                settle(self, lane, index, features);
            if (behind < frame_count && behind - first < self->shortest && frame + first > 0) {
                probe = next; /* soft sound is quiet for a few samples at every zero crossing */
                continue;
            }
            lane->quiet = true;
            lane->start = frame + first;
            lane->before = peak_before(last, samples, first);
            lane->heard = lane->start == 0 || lane->before >= sound_min;
        }
        bool open = is_open(lane, frame + probe);
        uint32_t end = probe;
        while (open && end < next && is_quiet(samples, end))
            end++;
        if (open ? end < next : lane->quiet && !quiet) {
            lane->quiet = false;
            lane->after = lane->after_near = 0.0;
            lane->end = open ? frame + end : 0;
            lane->left = open ? REACH : 0;
            listen_behind(self, lane, index, samples, end, frame_count, features);
        }
        probe = next;
    }
}

/* Lanes in which a probe of the tile is quiet, and those in which all are: most sound in all of them, or in none. */
static void probe_tile(const double *tile, uint32_t frame_count, int64_t any[TILE_LANES], int64_t all[TILE_LANES])
{
    enum { PAIRS = TILE_LANES / 2 };
    const lane_masks magnitude = (lane_masks){0} + INT64_MAX;
    lane_masks one[PAIRS] = {{0}};
    lane_masks every[PAIRS] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    for (uint32_t probe = 0; probe < frame_count; probe = next_probe(probe, frame_count)) {
        DSP_UNROLL(4)
        for (uint32_t pair = 0; pair < PAIRS; pair++) {
            const lane_masks sample = *(const lane_masks *)(const void *)(tile + (size_t)probe * TILE_LANES + 2 * pair);
            const lane_masks quiet = (lane_pair)(sample & magnitude) < (lane_pair){0} + quiet_below;
            one[pair] |= quiet;
            every[pair] &= quiet;
        }
    }
    memcpy(any, one, sizeof one);
    memcpy(all, every, sizeof every);
}

void render_gaps_take(render_gaps *self, double *const *tiles, uint32_t frame, uint32_t frame_count, stem_features *features)
{
    int64_t any[TILE_LANES], all[TILE_LANES];
    for (uint32_t index = 0; index < self->lane_count; index++) {
        const double *tile = tiles[index / TILE_LANES];
        const double *samples = tile + index % TILE_LANES;
        gap_lane *lane = &self->lanes[index];
        if (index % TILE_LANES == 0)
            probe_tile(tile, frame_count, any, all);
        listen_behind(self, lane, index, samples, 0, frame_count, features);
        bool same = lane->quiet ? all[index % TILE_LANES] != 0 && !is_open(lane, frame) : any[index % TILE_LANES] == 0;
        if (!same)
            take_lane(self, index, samples, frame, frame_count, features);
    }
    const size_t size = self->kept_frames * TILE_LANES; /* all lanes at once: one by one it would cost more than the search */
    for (uint32_t tile = 0; tile < tile_count(self); tile++) {
        double *last = self->last + tile * size;
        if (frame_count >= REACH)
            memcpy(last, tiles[tile] + (size_t)(frame_count - REACH) * TILE_LANES, size * sizeof *last);
        else
            memset(last, 0, size * sizeof *last);
    }
}

void render_gaps_end(render_gaps *self, stem_features *features)
{
    for (uint32_t index = 0; index < self->lane_count; index++) {
        gap_lane *lane = &self->lanes[index];
        if (lane->end > 0)
            settle(self, lane, index, features);
        if (lane->quiet && lane->heard && lane->start > 0 && features->frame_count - lane->start <= lane->longest)
            add_gap(features, index, lane->start, features->frame_count, false, true);
    }
}
