/** What the search over a whole stretch (sync_align.c) and that for a step in it (sync_step.c) share. */
#ifndef WORKER_RENDER_SYNC_ALIGN_PARTS_H
#define WORKER_RENDER_SYNC_ALIGN_PARTS_H

#include "worker/render/sync_align.h"

enum { ALIGN_WINDOW = 16384 };

/** Of a peak that counts nothing else comes to so much: those of rhythm and tone have rivals. */
extern const double align_rival_max;

typedef struct align_place {
    uint64_t place;     /* of the track */
    double level;
    double worth;       /* of that what is not the rest of the reference, by which the place was chosen */
    bool matched;
    bool edge;          /* heard when the others have agreed: too near to its neighbour to show a drift */
    sync_window shorter;
    sync_window window;
    sync_window longer;
    double late;        /* where it matched */
} align_place;

typedef struct align_run {
    sync_matcher *matcher;
    sync_measure *measure;
    uint64_t frame_count;
    uint64_t budget;    /* frames of the track that may be read */
    uint32_t half_second;
    uint32_t far_range;
    uint32_t place_count;
    align_place places[SYNC_PLACES_MAX];
    uint32_t wide_count;
    bool locked;        /* a place has matched, by which others are expected */
    double drift;
} align_run;

/** Sound of the track at a place, `late`: where that is in the reference. False when it is not in the stretch, or known already. */
bool align_add_point(align_run *self, int64_t place, const sync_match *match);
/** Whether a window of so many frames may still be read. */
bool align_affordable(const align_run *self, uint32_t frames);
/** Halves what lies between a segment and the one behind it until the step is known to 4096 frames, or cannot be told. */
MUST_USE status align_narrow_step(align_run *self, const sync_model *model, uint32_t segment);

#endif
