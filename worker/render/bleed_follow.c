/*
 * How far a leak that reaches an edge of its cell goes on beyond it: a few short windows of its two channels are read again
 * there and held against each other at the delay and gains that are known, each where those before leave it open. How much a
 * cell may read so follows from it and its piece alone (cell_beyond), so results do not depend on the cut of tasks; the
 * clearest leaks go first.
 */
#include "worker/render/bleed_spectra.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOKED_AT = 72000,  /* 1.5 s beyond the edge is looked at first: most leaks go on, and from there the cell tells by itself */
    CLOSE = 12000,      /* 0.25 s: an end is not looked for any closer */
    WINDOWS_MANY = 8,   /* that a cell can read, or they are half as long, */
    FRAMES_LEAST = 1024 /* down to 21 ms */
};

static const double heard_score = 3.5; /* of a window that says nothing against it */
static const double halves_at = 45.0;  /* of the whole cell: then a window of half the frames is mostly clear, too */
static const double clear_score = 6.0; /* the cell there tells the rest by itself */

typedef struct follow {
    render_bleed *self;
    const cell_beyond *beyond;
    uint64_t left;   /* frames that may still be read, of all stems together */
    uint32_t frames; /* of a window */
} follow;

/* What a window says. */
typedef struct probe {
    double speaks; /* for the leak */
    bool heard, clear;
} probe;

static bool may_read(const follow *of)
{
    return of->left >= 2 * (uint64_t)of->frames;
}

/* The frames of a short window in the middle of one of the transform's, as loud as those of a whole one. */
static void shape(const follow *of, float *row)
{
    const float *window = of->self->window;
    uint32_t first = (SIZE - of->frames) / 2;
    float power = 0.0f;
    for (uint32_t i = 0; i < of->frames; i++) {
        float own = window[i * (SIZE / of->frames)];
        row[first + i] *= own;
        power += own * own * window[first + i] * window[first + i];
    }
    float scale = sqrtf(SIZE * 3.0f / 8.0f / power);
    for (uint32_t i = 0; i < of->frames; i++)
        row[first + i] *= scale;
}

/* The window whose middle lies so many frames beyond the edge. */
static status look_at(follow *of, stem_leak *leak, bool at_end, uint32_t distance, probe *out)
{
    render_bleed *self = of->self;
    const uint16_t lanes[2] = {leak->source, leak->host};
    int64_t first = (at_end ? (int64_t)self->frame_count + distance : -(int64_t)distance) - of->frames / 2;
    for (uint32_t i = 0; i < 2; i++) {
        memset(self->beyond[i], 0, SIZE * sizeof *self->beyond[i]);
        status code = of->beyond->frames(of->beyond->context, lanes[i], first - (i == 0 ? leak->delay : 0), of->frames,
                                         self->beyond[i] + (SIZE - of->frames) / 2);
        if (code != STATUS_OK)
            return code;
        shape(of, self->beyond[i]);
    }
    of->left -= 2 * (uint64_t)of->frames;
    leak->read += of->frames;
    leak_sums sums[STEM_BANDS];
    double score = bleed_sum_pair(self, self->beyond[0], self->beyond[1], sums);
    for (uint32_t b = 0; b < STEM_BANDS; b++)
        sums[b].bins = sums[b].bins * of->frames / SIZE; /* so many say something of their own */
    double speaks = leak_speaks(leak, sums);
    *out = (probe){.speaks = speaks,
                   .heard = speaks >= LEAK_PRESENT_MIN || (speaks > LEAK_ABSENT_MAX && fabs(score) >= heard_score),
                   .clear = fabs(score) >= clear_score};
    return STATUS_OK;
}

/* One side of a cell, in frames from its edge on. */
typedef struct side {
    bool at_end;
    bool heard;         /* up to the edge; else nothing up to it says that the leak has ended */
    uint32_t around;    /* the window, and the source's too, lie in the piece */
    uint32_t most;
    uint32_t known;     /* up to here it goes on */
    uint32_t open;      /* from here on it does not, or nothing is known */
    uint32_t at;        /* where to look next */
    uint32_t unsaid;    /* where a window said nothing, and one behind it is looked at instead; 0: nowhere */
    bool asked;         /* whether it ends inside the cell */
    bool sure;          /* that the rest is told elsewhere, or is none */
} side;

static side begin_side(const follow *of, const stem_leak *leak, bool at_end)
{
    uint64_t room = at_end ? of->beyond->after : of->beyond->before;
    uint32_t half = of->frames / 2;
    bool reached = at_end ? leak->last_open + 1u >= of->self->step_count : leak->first_open == 0;
    bool heard = at_end ? leak->last_step + 1u >= of->self->step_count : leak->first_step == 0;
    side self = {.at_end = at_end, .heard = heard, .around = half + (uint32_t)abs(leak->delay), .at = LOOKED_AT};
    self.most = room < CELL_FRAMES ? (uint32_t)room : CELL_FRAMES;
    self.open = self.most;
    self.sure = !reached || self.most < half + self.around;
    return self;
}

static bool is_open(const follow *of, const side *self)
{
    return !self->sure && may_read(of) && self->open - self->known > CLOSE;
}

/* Where nothing is heard beyond the edge the leak may have ended before it, since the cell's outermost window was heard. */
static void look_inside(const follow *of, stem_leak *leak, side *self)
{
    self->asked = true;
    if (!bleed_end_inside(of->self, leak, self->at_end))
        return;
    self->heard = false;
    self->open = 0;
    self->sure = true;
}

/* Looks once more. A window that says nothing, of a pause or under a loud host, is no end: others beside it are asked. */
static status look_further(follow *of, stem_leak *leak, side *self)
{
    const uint32_t most = self->most;
    uint32_t at = self->at + self->around < most ? self->at : most - self->around;
    if (at < self->known + of->frames / 2) {
        self->sure = true;
        return STATUS_OK;
    }
    probe here;
    status code = look_at(of, leak, self->at_end, at, &here);
    bool goes_on = here.heard;
    if (code == STATUS_OK && goes_on && !here.clear && self->known == 0 && self->open == most && may_read(of)) {
        probe between; /* where the leak is not, chance may look like it once */
        code = look_at(of, leak, self->at_end, at / 2, &between);
        goes_on = between.speaks >= -fmax(here.speaks, LEAK_PRESENT_MIN);
        at = goes_on ? at : at / 2;
    }
    if (code != STATUS_OK)
        return code;
    if (!here.heard && here.speaks > LEAK_ABSENT_MAX) {
        const uint32_t left = self->open - at;
        self->at = self->unsaid == 0 ? at + (left < 2 * CLOSE ? left / 2 : CLOSE) : self->known + (self->unsaid - self->known) / 2;
        self->unsaid = self->unsaid == 0 ? at : 0;
        return STATUS_OK;
    }
    if (goes_on)
        self->known = at;
    else
        self->open = at;
    self->unsaid = 0;
    if (self->heard && self->known == 0 && !self->asked) {
        look_inside(of, leak, self);
        if (self->sure)
            return STATUS_OK;
    }
    self->sure = goes_on && here.clear && self->open == most;
    self->at = self->open == most ? 2 * self->known : self->known + (self->open - self->known) / 2;
    return STATUS_OK;
}

/* How far it goes on, in steps. */
static stem_beyond side_steps(const follow *of, const side *self)
{
    const bool ends = self->open < self->most && (self->known > 0 || self->heard);
    const uint32_t heard = ends || self->known == 0 ? self->known : self->known + of->frames / 2;
    const uint32_t told = ends ? heard + (self->open - heard) / 2 : heard;
    const uint32_t open = ends || !self->sure ? self->open : told;
    return (stem_beyond){(uint8_t)(heard / STEM_STEP_FRAMES), (uint8_t)(told / STEM_STEP_FRAMES),
                         (uint8_t)((open > told ? open : told) / STEM_STEP_FRAMES)};
}

/* In turn, where more is open: else the first side reads what the other needs more. */
static status look_on_both_sides(follow *of, stem_leak *leak)
{
    side end = begin_side(of, leak, true);
    side start = begin_side(of, leak, false);
    status code = STATUS_OK;
    while (code == STATUS_OK && (is_open(of, &end) || is_open(of, &start))) {
        bool at_end = is_open(of, &end) && (!is_open(of, &start) || end.open - end.known >= start.open - start.known);
        code = look_further(of, leak, at_end ? &end : &start);
    }
    side *const sides[] = {&end, &start};
    for (size_t i = 0; i < 2; i++)
        if (sides[i]->heard && sides[i]->known == 0 && !sides[i]->asked)
            look_inside(of, leak, sides[i]); /* nothing was to be read, or all of it said nothing */
    leak->after = side_steps(of, &end);
    leak->before = side_steps(of, &start);
    return code;
}

/* Of a clear leak a shorter window says enough, so that more of them can be read. */
static uint32_t window_frames(uint32_t most, double score)
{
    for (double enough = halves_at; most > FRAMES_LEAST && score >= enough; enough *= 2.0)
        most /= 2;
    return most;
}

status bleed_look_beyond(render_bleed *self, stem_features *features, const cell_beyond *beyond)
{
    uint32_t stems = self->group_count - (self->received[0] ? 1 : 0);
    follow of = {.self = self, .beyond = beyond, .left = beyond->most * stems, .frames = BEYOND_FRAMES};
    while (of.frames > FRAMES_LEAST && of.left < (uint64_t)WINDOWS_MANY * of.frames)
        of.frames /= 2;
    const uint32_t most = of.frames;
    bool done[STEM_LEAKS_MAX] = {false};
    status code = STATUS_OK;
    for (stem_leak *clearest = features->leaks; clearest != NULL && code == STATUS_OK;) {
        clearest = NULL;
        for (uint32_t i = 0; i < features->leak_count; i++) {
            stem_leak *leak = &features->leaks[i];
            if (!done[i] && !self->received[leak->host] && (double)leak->score >= STEM_LEAK_SCORE_MIN &&
                (clearest == NULL || leak->score > clearest->score))
                clearest = leak;
        }
        if (clearest == NULL)
            break;
        done[clearest - features->leaks] = true;
        of.frames = window_frames(most, (double)clearest->score);
        code = look_on_both_sides(&of, clearest);
    }
    return code;
}
