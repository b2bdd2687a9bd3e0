#include "worker/render/sync_align.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    WINDOW = 32768,
    NEAR_RANGE = 2048,   /* around what the places before predict */
    FAR_WINDOW = 131072,
    FAR_SECONDS = 9,     /* a leader of 8 s and its pop */
    PROBES = 8,
    PROBE_FRAMES = 1024,
    PLACES_MIN = 8,
    PLACES_MAX = SYNC_PLACES_MAX - 2, /* and one at each edge */
    EDGE_PROBES = 4,
    WIDE_MAX = 8,        /* places that may be searched half a second around */
    LOCK_TRIES = 4,
    FAR_TRIES = 2,
    EARLY_TRIES = 2,     /* however fast a track runs, it is not far off near its beginning */
    STEP_FRAMES = 4096,  /* a step is narrowed down to this */
    STEP_WINDOW_MAX = 16384,
    STEP_TURNS = 24,
    AGAIN_TURNS = 3,
    CONFIRM_TURNS = 3,
    RETRY_MAX = 8,       /* places without a match that are heard once more, longer and wider */
    RETRY_FAR_MAX = 2
};

/* Chance peaks of 48,000 lags stay below 5; peaks of rhythm and tone have rivals. */
static const double score_min = 9.0;
static const double rival_max = 0.8;
static const double step_score_min = 6.0;
/* A filter that turns a band over can move single places by so much; steps as small as that need places enough to show. */
static const double doubt_frames = 24.0;
static const double agree_frames = 3.0;
static const double silent_level = 0.0003; /* -70 dBFS */

/* Speeds that happen: pull-down and pull-up, film and television. */
static const double speeds[] = {1001.0 / 1000.0, 1000.0 / 1001.0, 25.0 / 24.0, 24.0 / 25.0,
                                25.0 * 1001.0 / 24000.0, 24000.0 / 25025.0};
static const double drift_step = 100e-6;
enum { DRIFT_STEPS = 11 };
static const double drift_settled = 2e-6; /* bends a place by a thirtieth of a sample */

typedef struct align_place {
    uint64_t place;
    double level;
    bool matched;
    bool edge; /* heard when the others have agreed: too near to its neighbour to show a drift */
} align_place;

typedef struct align_run {
    sync_matcher *matcher;
    sync_measure *measure;
    uint64_t frame_count;
    uint32_t half_second;
    uint32_t place_count;
    align_place places[SYNC_PLACES_MAX];
    uint32_t wide_count;
    double drift;
} align_run;

static bool good(const sync_match *match)
{
    return match->score >= score_min && match->rival <= rival_max;
}

static void add_point(align_run *self, uint64_t place, const sync_match *match)
{
    sync_measure *measure = self->measure;
    uint32_t at = measure->point_count;
    if (at == SYNC_POINTS_MAX)
        return;
    while (at > 0 && measure->points[at - 1].place > place)
        at--;
    if (at > 0 && measure->points[at - 1].place == place)
        return;
    memmove(measure->points + at + 1, measure->points + at, (measure->point_count - at) * sizeof *measure->points);
    measure->points[at] = (sync_point){.place = place, .late = match->late, .score = (float)match->score};
    measure->point_count++;
}

static status probe(align_run *self, uint64_t place, align_place *best)
{
    double level = 0.0;
    status code = sync_matcher_level(self->matcher, place, PROBE_FRAMES, &level);
    if (code == STATUS_OK && level > best->level)
        *best = (align_place){.place = place, .level = level};
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
        uint64_t inwards = WINDOW / 2 + i * WINDOW;
        uint64_t place = head ? inwards : self->frame_count - inwards;
        align_place edge = {0};
        if (head ? place + WINDOW > next : place < next + WINDOW)
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

/* The loudest of a few places of each part of the stretch, and one at either edge. */
static status choose_places(align_run *self)
{
    uint64_t budget = self->frame_count / 100 / (WINDOW + 2 * NEAR_RANGE + PROBES * PROBE_FRAMES);
    uint32_t count = budget < PLACES_MIN ? PLACES_MIN : budget > PLACES_MAX ? PLACES_MAX : (uint32_t)budget;
    if (self->frame_count < 4 * (uint64_t)WINDOW)
        return STATUS_OK;
    status code = STATUS_OK;
    for (uint32_t i = 0; code == STATUS_OK && i < count; i++) {
        align_place best = {0};
        for (uint32_t k = 0; code == STATUS_OK && k < PROBES; k++) {
            uint64_t step = 2 * (uint64_t)i * PROBES + 2 * k + 1;
            code = probe(self, (self->frame_count - WINDOW) * step / (2 * (uint64_t)count * PROBES) + WINDOW / 2, &best);
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

/* What was loaded, at every speed that happens; small ones cost much and matter where little is searched. */
static void compare_speeds(align_run *self, bool small_too, sync_match *best)
{
    sync_match match;
    for (int i = -DRIFT_STEPS; small_too && i <= DRIFT_STEPS; i++) {
        double drift = drift_step * (double)i;
        sync_matcher_compare(self->matcher, drift, &match);
        if (match.score > best->score) {
            *best = match;
            self->drift = drift;
        }
    }
    for (size_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++) {
        sync_matcher_compare(self->matcher, speeds[i] - 1.0, &match);
        if (match.score > best->score) {
            *best = match;
            self->drift = speeds[i] - 1.0;
        }
    }
}

static status try_lock(align_run *self, align_place *place, uint32_t window, uint32_t range, sync_match *match)
{
    status code = sync_matcher_load(self->matcher, place->place, 0, window, range);
    if (code != STATUS_OK)
        return code;
    self->drift = 0.0;
    sync_matcher_compare(self->matcher, 0.0, match);
    if (!good(match) && match->score > 0.0)
        compare_speeds(self, window == WINDOW, match);
    place->matched = good(match);
    if (place->matched)
        add_point(self, place->place, match);
    return STATUS_OK;
}

/* One place, near to what is expected, or half a second around it. */
static status match_place(align_run *self, align_place *place, double expected, sync_match *match)
{
    status code = sync_matcher_load(self->matcher, place->place, llround(expected), WINDOW, NEAR_RANGE);
    if (code != STATUS_OK)
        return code;
    sync_matcher_compare(self->matcher, self->drift, match);
    if (!good(match) && self->wide_count < WIDE_MAX) {
        self->wide_count++;
        code = sync_matcher_load(self->matcher, place->place, llround(expected), WINDOW, self->half_second);
        if (code != STATUS_OK)
            return code;
        sync_matcher_compare(self->matcher, self->drift, match);
    }
    place->matched = good(match);
    if (place->matched)
        add_point(self, place->place, match);
    return STATUS_OK;
}

/* From the lock to one end of the stretch, each place expected where the one before it says. */
static status walk(align_run *self, uint32_t lock, bool forwards)
{
    uint64_t last_place = self->places[lock].place;
    double last_late = 0.0;
    for (uint32_t i = 0; i < self->measure->point_count; i++)
        if (self->measure->points[i].place == last_place)
            last_late = self->measure->points[i].late;
    for (uint32_t i = lock; forwards ? ++i < self->place_count : i-- > 0;) {
        align_place *place = &self->places[i];
        if (place->edge)
            continue;
        double apart = (double)place->place - (double)last_place;
        double expected = last_late + self->drift * apart;
        sync_match match;
        status code = match_place(self, place, expected, &match);
        if (code != STATUS_OK)
            return code;
        if (!place->matched)
            continue;
        /* What is left after the prediction is drift as long as it is little; a step is no drift. */
        if (fabs(match.late - expected) <= 200e-6 * fabs(apart))
            self->drift = (match.late - last_late) / apart;
        last_place = place->place;
        last_late = match.late;
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
        sync_point before[SYNC_POINTS_MAX];
        uint32_t count = measure->point_count;
        memcpy(before, measure->points, count * sizeof before[0]);
        measure->point_count = 0;
        self->drift = model.drift;
        for (uint32_t i = 0; i < count; i++) {
            align_place place = {.place = before[i].place};
            sync_match match;
            status code = match_place(self, &place, before[i].late, &match);
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
static status follow(align_run *self, align_place *place, bool *out_known)
{
    uint32_t lock = (uint32_t)(place - self->places);
    double drift = self->drift;
    self->wide_count = 0;
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
    uint32_t far_range = FAR_SECONDS * track_reader_rate(self->matcher->track);
    bool far_fits = FAR_WINDOW + 2 * (uint64_t)far_range <= (uint64_t)1 << FFT_LOG2_MAX;
    bool known = false;
    for (uint32_t turn = 0; !known && turn < LOCK_TRIES + FAR_TRIES + EARLY_TRIES; turn++) {
        bool far = turn >= LOCK_TRIES;
        align_place *place = place_to_try(self, order, count, turn);
        if (place == NULL || (far && !far_fits))
            continue;
        sync_match match;
        self->measure->point_count = 0;
        status code = far ? try_lock(self, place, FAR_WINDOW, far_range, &match)
                          : try_lock(self, place, WINDOW, self->half_second, &match);
        if (code == STATUS_OK && place->matched)
            code = follow(self, place, &known);
        if (code != STATUS_OK)
            return code;
    }
    return STATUS_OK;
}

/* By how much the track is later at a place if the model holds there: by its nearest segment. */
static double predict(const sync_model *model, uint64_t place)
{
    const sync_segment *nearest = &model->segments[0];
    for (uint32_t i = 1; i < model->segment_count && model->segments[i].first <= place; i++) {
        const sync_segment *next = &model->segments[i];
        nearest = place >= next->last || next->first - nearest->last < 2 * (place - nearest->last) ? next : nearest;
    }
    return nearest->offset + model->drift * (double)place;
}

/* A match that the model does not explain: a step, or a wrong one. Places beside it tell; if in doubt, only against it. */
static status listen_beside(align_run *self, const sync_point *point, double drift, bool doubtful)
{
    static const int64_t beside[] = {WINDOW, -WINDOW, 3 * WINDOW / 2, -3 * WINDOW / 2};
    for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++) {
        int64_t place = (int64_t)point->place + beside[i];
        if (place < WINDOW / 2 || place > (int64_t)self->frame_count - WINDOW / 2)
            continue;
        sync_match match;
        double expected = point->late + drift * (double)beside[i];
        status code = sync_matcher_load(self->matcher, (uint64_t)place, llround(expected), WINDOW, NEAR_RANGE);
        if (code != STATUS_OK)
            return code;
        sync_matcher_compare(self->matcher, drift, &match);
        if (!good(&match) || (doubtful && fabs(match.late - expected) <= agree_frames))
            continue;
        add_point(self, (uint64_t)place, &match);
        return STATUS_OK;
    }
    return STATUS_OK;
}

/* A place without a match once more: longer, then half a second around, then as far as a leader. */
static status listen_again(align_run *self, align_place *place, const sync_model *model, uint32_t *far_left)
{
    const uint32_t far = FAR_SECONDS * track_reader_rate(self->matcher->track);
    const uint32_t ranges[] = {NEAR_RANGE, self->half_second, far};
    bool far_fits = FAR_WINDOW + 2 * (uint64_t)far <= (uint64_t)1 << FFT_LOG2_MAX;
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0] && !place->matched; i++) {
        if (ranges[i] == far && (*far_left == 0 || !far_fits))
            continue;
        *far_left -= ranges[i] == far;
        sync_match match;
        int64_t late = llround(predict(model, place->place));
        status code = sync_matcher_load(self->matcher, place->place, late, FAR_WINDOW, ranges[i]);
        if (code != STATUS_OK)
            return code;
        sync_matcher_compare(self->matcher, model->drift, &match);
        place->matched = good(&match);
        if (place->matched)
            add_point(self, place->place, &match);
    }
    return STATUS_OK;
}

/* What disagrees with the model or matched nowhere is heard again until nothing changes: a step may show in one place. */
static status confirm(align_run *self)
{
    sync_measure *measure = self->measure;
    uint32_t retries = RETRY_MAX;
    uint32_t far_left = RETRY_FAR_MAX;
    uint32_t count = 0;
    for (int turn = 0; turn < CONFIRM_TURNS && count != measure->point_count; turn++) {
        sync_model model;
        sync_model_fit(&model, measure->points, measure->point_count);
        if (!model.known)
            return STATUS_OK;
        count = measure->point_count;
        self->drift = model.drift;
        status code = STATUS_OK;
        for (uint32_t i = 0; code == STATUS_OK && i < self->place_count && turn == 0 && retries > 0; i++)
            if (self->places[i].edge) {
                sync_match match;
                code = match_place(self, &self->places[i], predict(&model, self->places[i].place), &match);
            } else if (!self->places[i].matched) {
                retries--;
                code = listen_again(self, &self->places[i], &model, &far_left);
            }
        sync_point points[SYNC_POINTS_MAX];
        uint32_t point_count = measure->point_count;
        memcpy(points, measure->points, point_count * sizeof points[0]);
        for (uint32_t i = 0; code == STATUS_OK && i < point_count; i++) {
            double off = points[i].late - predict(&model, points[i].place);
            if (!sync_model_explains(&model, &points[i]))
                code = listen_beside(self, &points[i], model.drift, fabs(off) <= doubt_frames);
        }
        if (code != STATUS_OK)
            return code;
    }
    return STATUS_OK;
}

/* Places that sound and of which nothing is known. */
static void name_lost(align_run *self, const sync_model *model)
{
    sync_measure *measure = self->measure;
    for (uint32_t i = 0; i < self->place_count; i++) {
        bool known = false;
        for (uint32_t k = 0; k < measure->point_count && !known; k++)
            known = measure->points[k].place == self->places[i].place && sync_model_explains(model, &measure->points[k]);
        if (!known)
            measure->lost[measure->lost_count++] = self->places[i].place;
    }
}

/* Which side of a step a place lies on: -1 before, 1 behind, 0 cannot be told. */
static status side_of(align_run *self, uint64_t place, uint32_t window, double before, double behind, double drift,
                      int *out_side)
{
    sync_matcher *matcher = self->matcher;
    uint32_t range = (uint32_t)(fabs(behind - before) / 2.0) + 64;
    status code = sync_matcher_load(matcher, place, llround((before + behind) / 2.0), window, range);
    if (code != STATUS_OK)
        return code;
    sync_match match;
    sync_matcher_compare(matcher, drift, &match);
    uint32_t slack = fabs(behind - before) > 10.0 ? 4 : 1;
    double early = sync_matcher_score_at(matcher, before, slack);
    double late = sync_matcher_score_at(matcher, behind, slack);
    *out_side = match.score == 0.0 || fmax(early, late) < step_score_min ? 0 : early > late ? -1 : 1;
    match.late = early > late ? before : behind;
    match.score = fmax(early, late);
    if (*out_side != 0)
        add_point(self, place, &match);
    return STATUS_OK;
}

static status narrow_step(align_run *self, const sync_model *model, uint32_t segment)
{
    const sync_segment *a = &model->segments[segment];
    const sync_segment *b = &model->segments[segment + 1];
    uint64_t low = a->last;
    uint64_t high = b->first;
    uint32_t far_range = FAR_SECONDS * track_reader_rate(self->matcher->track);
    if (fabs(b->offset - a->offset) > (double)far_range)
        return STATUS_OK;
    for (uint32_t turn = 0; turn < STEP_TURNS && high - low > STEP_FRAMES; turn++) {
        uint64_t gap = high - low;
        uint32_t window = STEP_WINDOW_MAX;
        while (window > STEP_FRAMES && window > gap / 2)
            window /= 2;
        int side = 0;
        /* Where nothing sounds in the middle, a little to the side of it. */
        static const uint32_t eighths[] = {4, 3, 5, 2, 6};
        for (size_t k = 0; k < sizeof eighths / sizeof eighths[0] && side == 0; k++) {
            uint64_t place = low + gap * eighths[k] / 8;
            double drifted = model->drift * (double)place;
            status code = side_of(self, place, window, a->offset + drifted, b->offset + drifted, model->drift, &side);
            if (code != STATUS_OK)
                return code;
            if (side < 0)
                low = place;
            if (side > 0)
                high = place;
        }
        if (side == 0)
            return STATUS_OK;
    }
    return STATUS_OK;
}

status sync_align(sync_matcher *matcher, uint64_t frame_count, sync_measure *measure, arena *memory)
{
    align_run *self = arena_take(memory, sizeof *self);
    *self = (align_run){.matcher = matcher,
                        .measure = measure,
                        .frame_count = frame_count,
                        .half_second = track_reader_rate(matcher->track) / 2};
    measure->points = arena_take_array(memory, SYNC_POINTS_MAX, sizeof *measure->points);
    measure->lost = arena_take_array(memory, SYNC_PLACES_MAX, sizeof *measure->lost);
    status code = choose_places(self);
    if (code == STATUS_OK)
        code = find_points(self);
    if (code == STATUS_OK)
        code = confirm(self);
    sync_model model;
    sync_model_fit(&model, measure->points, measure->point_count);
    for (uint32_t i = 0; code == STATUS_OK && i + 1 < model.segment_count; i++)
        code = narrow_step(self, &model, i);
    name_lost(self, &model);
    measure->frames_read = matcher->frames_read;
    return code;
}
