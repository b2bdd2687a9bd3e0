#include "worker/render/sync_align.h"

#include "worker/render/sync_align_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHORT_WINDOW = 4096, /* does where the sound is plain and where it should be */
    SHORT_RANGE = 2048,  /* a picture frame of 24 a second */
    NEAR_RANGE = 8192,   /* around what the places before predict */
    LONG_WINDOW = 49152, /* where a place's own did not do */
    FAR_SECONDS = 9,     /* a leader of 8 s and its pop */
    PROBES = 8,
    PROBE_FRAMES = 128,
    PLACES_MIN = 8,
    PLACES_MAX = SYNC_PLACES_MAX - 2, /* and one at each edge */
    EDGE_PROBES = 4,
    READ_PART = 100,     /* of the stretch may be read, in short ones FLOOR_SECONDS; twice as much of one with a fault */
    FLOOR_SECONDS = 6,
    WIDE_MAX = 8,        /* places that may be searched half a second around */
    LOCK_TRIES = 4,
    FAR_TRIES = 2,
    EARLY_TRIES = 2,     /* however fast a track runs, it is not far off near its beginning */
    AGAIN_TURNS = 3,
    CONFIRM_TURNS = 3,
    RETRY_FAR_MAX = 2    /* places without a match that are heard once more as far around as a leader */
};

/* Chance peaks of 8,000 lags stay below 5; peaks of rhythm and tone have rivals. */
static const double score_min = 9.0;
static const double short_score_min = 11.0; /* of a short window, which then is as exact as the others */
const double align_rival_max = 0.8;
/* Where the place before expects a peak, one that is there is none of chance's 4,000; no step is as small as that. */
static const double expected_score_min = 5.5;
static const double expected_frames = 1.0;
static const double coarse_score_min = 5.5; /* of what is then heard near: chance peaks of 50,000 lags stay below */
/* A filter that turns a band over can move single places by so much; steps as small as that need places enough to show. */
static const double doubt_frames = 24.0;
static const double agree_frames = 3.0;
static const double silent_level = 0.0003; /* -70 dBFS */

/* Speeds that happen: pull-down and pull-up, film and television. */
static const double speeds[] = {1001.0 / 1000.0, 1000.0 / 1001.0, 25.0 / 24.0, 24.0 / 25.0,
                                25.0 * 1001.0 / 24000.0, 24000.0 / 25025.0};
static const double drift_step = 250e-6;
enum { DRIFT_STEPS = 4 };
static const double drift_settled = 2e-6; /* bends a place by a sixtieth of a sample */

static bool good(const sync_match *match)
{
    return match->score >= score_min && match->rival <= align_rival_max;
}

/* Sound of the track at a place, `late`: where that is in the reference. False when it is not in the stretch, or known already. */
bool align_add_point(align_run *self, int64_t place, const sync_match *match)
{
    sync_measure *measure = self->measure;
    int64_t there = place - llround(match->late);
    uint32_t at = measure->point_count;
    if (at == SYNC_POINTS_MAX || there < 0)
        return false;
    while (at > 0 && measure->points[at - 1].place > (uint64_t)there)
        at--;
    if (at > 0 && measure->points[at - 1].place == (uint64_t)there)
        return false;
    memmove(measure->points + at + 1, measure->points + at, (measure->point_count - at) * sizeof *measure->points);
    measure->points[at] = (sync_point){.place = (uint64_t)there, .late = match->late, .score = (float)match->score};
    measure->point_count++;
    return true;
}

bool align_affordable(const align_run *self, uint32_t frames)
{
    return self->matcher->frames_read + frames + 2 * sync_window_margin(frames) <= self->budget;
}

static status probe(align_run *self, uint64_t place, align_place *best)
{
    double level = 0.0;
    double share = 0.0;
    status code = sync_matcher_level(self->matcher, place, PROBE_FRAMES, &level, &share);
    if (code == STATUS_OK && level * share > best->worth)
        *best = (align_place){.place = place, .level = level, .worth = level * share};
    return code;
}

static void take_place(align_run *self, const align_place *place)
{
    self->measure->tried++;
    if (place->level < silent_level)
        self->measure->silent++;
    else
        self->places[self->place_count++] = *place;
}

/* As near to an edge as something sounds, but not as far in as the next place. A step behind the last place is not heard. */
static status choose_edge(align_run *self, bool head, uint64_t next)
{
    for (uint64_t i = 0; i < EDGE_PROBES; i++) {
        uint64_t inwards = ALIGN_WINDOW / 2 + i * ALIGN_WINDOW;
        uint64_t place = head ? inwards : self->frame_count - inwards;
        align_place edge = {0};
        if (head ? place + ALIGN_WINDOW > next : place < next + ALIGN_WINDOW)
            return STATUS_OK;
        status code = probe(self, place, &edge);
        if (code != STATUS_OK || edge.level >= silent_level) {
            edge.edge = true;
            take_place(self, &edge);
            return code;
        }
    }
    return STATUS_OK;
}

/*
 * Of a few places of each part of the stretch the one where the track is loudest beside the rest of the reference, one at either
 * edge; a third of what may be read is left for doubts.
 */
static status choose_places(align_run *self)
{
    uint64_t each = ALIGN_WINDOW + 2 * sync_window_margin(ALIGN_WINDOW) + PROBES * PROBE_FRAMES;
    uint64_t wanted = 2 * (self->frame_count / READ_PART) / 3 / each;
    uint32_t count = wanted < PLACES_MIN ? PLACES_MIN : wanted > PLACES_MAX ? PLACES_MAX : (uint32_t)wanted;
    if (self->frame_count < 4 * (uint64_t)ALIGN_WINDOW)
        return STATUS_OK;
    status code = STATUS_OK;
    for (uint32_t i = 0; code == STATUS_OK && i < count; i++) {
        align_place best = {0};
        for (uint32_t k = 0; code == STATUS_OK && k < PROBES; k++) {
            uint64_t step = 2 * (uint64_t)i * PROBES + 2 * k + 1;
            uint64_t first = (self->frame_count - ALIGN_WINDOW) * step / (2 * (uint64_t)count * PROBES);
            code = probe(self, first + ALIGN_WINDOW / 2, &best);
        }
        if (code == STATUS_OK && i == 0)
            code = choose_edge(self, true, best.level >= silent_level ? best.place : self->frame_count / count);
        take_place(self, &best);
    }
    uint64_t last = self->frame_count - self->frame_count / count;
    if (self->place_count > 0 && self->places[self->place_count - 1].place > last)
        last = self->places[self->place_count - 1].place;
    return code == STATUS_OK ? choose_edge(self, false, last) : code;
}

/* ---- one window ---- */

static status hear_near(align_run *self, const sync_window *window, double late, double drift, sync_match *match)
{
    uint32_t range = window->frames == SHORT_WINDOW ? SHORT_RANGE : NEAR_RANGE;
    status code = sync_matcher_place(self->matcher, window, late, range, SYNC_NEAR);
    if (code == STATUS_OK)
        sync_matcher_compare(self->matcher, drift, match);
    return code;
}

/* Further around, and what shows there once more near: only that is exact, and only that counts. */
static status hear_around(align_run *self, const sync_window *window, double late, uint32_t range, double drift, sync_match *match)
{
    status code = sync_matcher_place(self->matcher, window, late, range, range == self->far_range ? SYNC_FAR : SYNC_WIDE);
    if (code != STATUS_OK)
        return code;
    sync_matcher_compare(self->matcher, drift, match);
    return match->score >= coarse_score_min ? hear_near(self, window, match->late, drift, match) : code;
}

/* The same at every speed that happens; small ones cost much and matter where little is searched. */
static status hear_speeds(align_run *self, const sync_window *window, uint32_t range, sync_match *best)
{
    bool far = range == self->far_range;
    sync_match match;
    status code = sync_matcher_place(self->matcher, window, 0.0, range, far ? SYNC_FAR : SYNC_WIDE);
    *best = (sync_match){0};
    for (int i = -DRIFT_STEPS; code == STATUS_OK && i < DRIFT_STEPS + (int)(sizeof speeds / sizeof speeds[0]); i++) {
        double drift = i < DRIFT_STEPS ? drift_step * (double)(i < 0 ? i : i + 1) : speeds[i - DRIFT_STEPS] - 1.0;
        if (far && i < DRIFT_STEPS)
            continue;
        sync_matcher_compare(self->matcher, drift, &match);
        if (match.score > best->score) {
            *best = match;
            self->drift = drift;
        }
    }
    return code == STATUS_OK && best->score >= coarse_score_min ? hear_near(self, window, best->late, self->drift, best) : code;
}

/* ---- places ---- */

/* Of a shorter one that is known nothing is read again. */
static status take(align_run *self, const align_place *place, uint32_t frames, const sync_window *known, sync_window *window)
{
    return window->frames > 0 ? STATUS_OK : sync_matcher_take(self->matcher, (int64_t)place->place, frames, known, window);
}

/* The longer one, if it may be read; without it there is none. */
static status take_longer(align_run *self, align_place *place)
{
    const sync_window *known = place->window.frames > 0 ? &place->window : &place->shorter;
    return align_affordable(self, LONG_WINDOW - known->frames) ? take(self, place, LONG_WINDOW, known, &place->longer) : STATUS_OK;
}

static void note_match(align_run *self, align_place *place, double expected, double least, const sync_match *match)
{
    bool as_expected = self->locked && fabs(match->late - expected) <= expected_frames;
    place->matched = match->rival <= align_rival_max && match->score >= (as_expected ? expected_score_min : least) &&
                     align_add_point(self, (int64_t)place->place, match);
    place->late = match->late;
}

/* What is heard first, where it should be. */
static status hear_short(align_run *self, align_place *place, double expected, sync_match *match)
{
    status code = take(self, place, SHORT_WINDOW, NULL, &place->shorter);
    if (code == STATUS_OK)
        code = hear_near(self, &place->shorter, expected, self->drift, match);
    if (code == STATUS_OK)
        note_match(self, place, expected, short_score_min, match);
    return code;
}

static status try_lock(align_run *self, align_place *place, bool far, sync_match *match)
{
    const sync_window *window = far ? &place->longer : &place->window;
    uint32_t range = far ? self->far_range : self->half_second;
    self->drift = 0.0;
    self->locked = false;
    status code = far ? STATUS_OK : hear_short(self, place, 0.0, match);
    if (code != STATUS_OK || place->matched)
        return code;
    code = far ? take_longer(self, place) : take(self, place, ALIGN_WINDOW, &place->shorter, &place->window);
    if (code != STATUS_OK || window->frames == 0)
        return code;
    code = hear_around(self, window, 0.0, range, 0.0, match);
    if (code == STATUS_OK && !good(match))
        code = hear_speeds(self, window, range, match);
    note_match(self, place, 0.0, score_min, match);
    return code;
}

/* One place, where it is expected by a short window, near to that, or half a second around it. */
static status match_place(align_run *self, align_place *place, double expected, sync_match *match)
{
    status code = STATUS_OK;
    place->matched = false;
    if (place->window.frames == 0)
        code = hear_short(self, place, expected, match);
    if (code != STATUS_OK || place->matched)
        return code;
    code = take(self, place, ALIGN_WINDOW, &place->shorter, &place->window);
    if (code == STATUS_OK)
        code = hear_near(self, &place->window, expected, self->drift, match);
    if (code == STATUS_OK)
        note_match(self, place, expected, score_min, match);
    if (code != STATUS_OK || place->matched || self->wide_count == WIDE_MAX)
        return code;
    self->wide_count++;
    code = hear_around(self, &place->window, expected, self->half_second, self->drift, match);
    note_match(self, place, expected, score_min, match);
    return code;
}

/* From the lock to one end of the stretch, each place expected where the one before it says. */
static status walk(align_run *self, const align_place *lock, bool forwards)
{
    const align_place *last = lock;
    for (uint32_t i = (uint32_t)(lock - self->places); forwards ? ++i < self->place_count : i-- > 0;) {
        align_place *place = &self->places[i];
        if (place->edge)
            continue;
        /* Drift is by frames of the reference. */
        double apart = (double)place->place - (double)last->place;
        double expected = last->late + self->drift / (1.0 + self->drift) * apart;
        sync_match match;
        status code = match_place(self, place, expected, &match);
        if (code != STATUS_OK)
            return code;
        if (!place->matched)
            continue;
        /* What is left after the prediction is drift as long as it is little; a step is no drift. */
        if (fabs(place->late - expected) <= 200e-6 * fabs(apart))
            self->drift = (place->late - last->late) / (apart - (place->late - last->late));
        last = place;
    }
    return STATUS_OK;
}

/*
 * Drift that was not yet known when a place was matched bends what it says towards the loudest part of its window: all places
 * once more, with the drift that they have shown.
 */
static status match_again(align_run *self)
{
    sync_measure *measure = self->measure;
    for (int turn = 0; turn < AGAIN_TURNS; turn++) {
        sync_model model;
        sync_model_fit(&model, measure->points, measure->point_count);
        if (!model.known || fabs(model.drift - self->drift) <= drift_settled)
            return STATUS_OK;
        measure->point_count = 0;
        self->drift = model.drift;
        for (uint32_t i = 0; i < self->place_count; i++) {
            sync_match match;
            status code = self->places[i].matched ? match_place(self, &self->places[i], self->places[i].late, &match) : STATUS_OK;
            if (code != STATUS_OK)
                return code;
        }
    }
    return STATUS_OK;
}

static int louder_first(const void *a, const void *b)
{
    const align_place *const *left = a;
    const align_place *const *right = b;
    if ((*left)->level != (*right)->level)
        return (*left)->level > (*right)->level ? -1 : 1;
    return ((*left)->place > (*right)->place) - ((*left)->place < (*right)->place);
}

/* From one place: both ways along the stretch. True when enough agrees. */
static status follow(align_run *self, const align_place *lock, bool *out_known)
{
    double drift = self->drift;
    self->wide_count = 0;
    self->locked = true;
    status code = walk(self, lock, true);
    double later = self->drift;
    self->drift = drift;
    if (code == STATUS_OK)
        code = walk(self, lock, false);
    self->drift = later == drift ? self->drift : later;
    if (code == STATUS_OK)
        code = match_again(self);
    sync_model model;
    sync_model_fit(&model, self->measure->points, self->measure->point_count);
    *out_known = model.known;
    return code;
}

/* Places in the order in which they are tried: the loudest near, the loudest far, the first ones far. NULL: there is none. */
static align_place *place_to_try(align_run *self, align_place *const *order, uint32_t count, uint32_t turn)
{
    if (turn < LOCK_TRIES + FAR_TRIES) {
        uint32_t index = turn < LOCK_TRIES ? turn : turn - LOCK_TRIES;
        return index < count ? order[index] : NULL;
    }
    uint32_t early = turn - LOCK_TRIES - FAR_TRIES;
    for (uint32_t i = 0; i < self->place_count; i++)
        if (!self->places[i].edge && early-- == 0)
            return &self->places[i];
    return NULL;
}

/* A match that no other place confirms was none. */
static status find_points(align_run *self)
{
    align_place *order[SYNC_PLACES_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->place_count; i++)
        if (!self->places[i].edge)
            order[count++] = &self->places[i];
    qsort(order, count, sizeof order[0], louder_first);
    bool known = false;
    for (uint32_t turn = 0; !known && turn < LOCK_TRIES + FAR_TRIES + EARLY_TRIES; turn++) {
        align_place *place = place_to_try(self, order, count, turn);
        if (place == NULL)
            continue;
        sync_match match = {0};
        self->measure->point_count = 0;
        for (uint32_t i = 0; i < self->place_count; i++)
            self->places[i].matched = false;
        status code = try_lock(self, place, turn >= LOCK_TRIES, &match);
        if (code == STATUS_OK && place->matched)
            code = follow(self, place, &known);
        if (code != STATUS_OK)
            return code;
    }
    return STATUS_OK;
}

/* By how much the track is later at a place of its own if the model holds there. */
static double predict(const sync_model *model, uint64_t place)
{
    double late = 0.0;
    for (uint32_t i = 0; i < model->segment_count; i++) {
        double here = (model->segments[i].offset + model->drift * (double)place) / (1.0 + model->drift);
        if (i == 0 || (double)model->segments[i].first <= (double)place - here)
            late = here;
    }
    return late;
}

/* A match that the model does not explain: a step, or a wrong one. Places beside it tell; if in doubt, only against it. */
static status listen_beside(align_run *self, const sync_point *point, double drift, bool doubtful)
{
    static const int64_t beside[] = {2 * ALIGN_WINDOW, -2 * ALIGN_WINDOW, 3 * ALIGN_WINDOW, -3 * ALIGN_WINDOW};
    for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++) {
        int64_t place = (int64_t)point->place + llround(point->late) + beside[i];
        if (place < ALIGN_WINDOW / 2 || place > (int64_t)self->frame_count - ALIGN_WINDOW / 2 ||
            !align_affordable(self, ALIGN_WINDOW))
            continue;
        sync_window window;
        sync_match match;
        double expected = point->late + drift * (double)beside[i];
        status code = sync_matcher_take(self->matcher, place, ALIGN_WINDOW, NULL, &window);
        if (code == STATUS_OK)
            code = hear_near(self, &window, expected, drift, &match);
        if (code != STATUS_OK)
            return code;
        if (!good(&match) || (doubtful && fabs(match.late - expected) <= agree_frames))
            continue;
        align_add_point(self, place, &match);
        return STATUS_OK;
    }
    return STATUS_OK;
}

/* A place without a match once more: longer, then half a second around, then as far as a leader. */
static status listen_again(align_run *self, align_place *place, const sync_model *model, uint32_t *far_left)
{
    const uint32_t ranges[] = {NEAR_RANGE, self->half_second, self->far_range};
    double late = predict(model, place->place);
    status code = take_longer(self, place);
    for (size_t i = 0; code == STATUS_OK && i < sizeof ranges / sizeof ranges[0] && !place->matched; i++) {
        sync_match match;
        if (ranges[i] == self->far_range && *far_left == 0)
            continue;
        *far_left -= ranges[i] == self->far_range;
        code = i == 0 ? hear_near(self, &place->longer, late, model->drift, &match)
                      : hear_around(self, &place->longer, late, ranges[i], model->drift, &match);
        note_match(self, place, late, score_min, &match);
    }
    return code;
}

/*
 * Of places in a row of which nothing is known the loudest, if none of them was heard again: one between two that matched is passed
 * over, for nothing is told of it. NULL: there is none.
 */
static align_place *lost_place(align_run *self)
{
    for (uint32_t i = 0, end; i < self->place_count; i = end + 1) {
        align_place *loudest = NULL;
        bool heard = false;
        for (end = i; end < self->place_count && !self->places[end].matched; end++) {
            align_place *place = &self->places[end];
            heard = heard || place->longer.frames > 0;
            if (!place->edge && (loudest == NULL || place->level > loudest->level))
                loudest = place;
        }
        if (end >= i + 2 && !heard && loudest != NULL && align_affordable(self, LONG_WINDOW))
            return loudest;
    }
    return NULL;
}

/* The places at the edges, which may be read in any case, then with what they tell those without a match. */
static status hear_others(align_run *self)
{
    uint32_t far_left = RETRY_FAR_MAX;
    sync_model model;
    sync_match match;
    status code = STATUS_OK;
    sync_model_fit(&model, self->measure->points, self->measure->point_count);
    self->drift = model.drift;
    for (uint32_t i = 0; model.known && code == STATUS_OK && i < self->place_count; i++)
        if (self->places[i].edge)
            code = match_place(self, &self->places[i], predict(&model, self->places[i].place), &match);
    sync_model_fit(&model, self->measure->points, self->measure->point_count);
    self->drift = model.drift;
    for (align_place *place; model.known && code == STATUS_OK && (place = lost_place(self)) != NULL;)
        code = listen_again(self, place, &model, &far_left);
    return code;
}

/* What disagrees with the model is heard again beside it until nothing changes: a step may show in one place. */
static status confirm(align_run *self)
{
    sync_measure *measure = self->measure;
    uint32_t count = 0;
    status code = STATUS_OK;
    for (int turn = 0; code == STATUS_OK && turn < CONFIRM_TURNS && count != measure->point_count; turn++) {
        sync_model model;
        sync_model_fit(&model, measure->points, measure->point_count);
        if (!model.known)
            return STATUS_OK;
        count = measure->point_count;
        self->drift = model.drift;
        sync_point points[SYNC_POINTS_MAX];
        memcpy(points, measure->points, count * sizeof points[0]);
        for (uint32_t i = 0; code == STATUS_OK && i < count; i++) {
            double off = points[i].late - predict(&model, points[i].place + (uint64_t)llround(points[i].late));
            if (!sync_model_explains(&model, &points[i]))
                code = listen_beside(self, &points[i], model.drift, fabs(off) <= doubt_frames);
        }
    }
    return code;
}

/* Places that sound and of which nothing is known, where the model has them in the reference. */
static void name_lost(align_run *self, const sync_model *model)
{
    sync_measure *measure = self->measure;
    int64_t last = -1;
    for (uint32_t i = 0; i < self->place_count; i++) {
        const align_place *place = &self->places[i];
        sync_point point = {.place = place->place - (uint64_t)llround(place->late), .late = place->late};
        int64_t there = (int64_t)place->place - llround(predict(model, place->place));
        if ((place->matched && sync_model_explains(model, &point)) || there <= last)
            continue;
        measure->lost[measure->lost_count++] = (uint64_t)there;
        last = there;
    }
}

status sync_align(sync_matcher *matcher, uint64_t frame_count, sync_measure *measure, arena *memory)
{
    uint32_t rate = track_reader_rate(matcher->track);
    uint64_t part = frame_count / READ_PART;
    uint64_t floor = (uint64_t)FLOOR_SECONDS * rate;
    align_run *self = arena_take(memory, sizeof *self);
    *self = (align_run){.matcher = matcher,
                        .measure = measure,
                        .frame_count = frame_count,
                        .budget = part > floor ? part : floor,
                        .half_second = rate / 2,
                        .far_range = FAR_SECONDS * rate};
    measure->points = arena_take_array(memory, SYNC_POINTS_MAX, sizeof *measure->points);
    measure->lost = arena_take_array(memory, SYNC_PLACES_MAX, sizeof *measure->lost);
    status code = choose_places(self);
    if (code == STATUS_OK)
        code = find_points(self);
    if (code == STATUS_OK)
        code = hear_others(self);
    if (code == STATUS_OK)
        code = confirm(self);
    sync_model model;
    sync_model_fit(&model, measure->points, measure->point_count);
    if (model.segment_count > 1)
        self->budget *= 2;
    for (uint32_t i = 0; code == STATUS_OK && i + 1 < model.segment_count; i++)
        code = align_narrow_step(self, &model, i);
    name_lost(self, &model);
    measure->frames_read = matcher->frames_read;
    return code;
}
