/**
 * How one track lies against another over time: offset, drift and steps, from offsets that were measured at places.
 *
 *     late(p) = offset of the segment that holds p + drift x p
 *
 * p: frames since the beginning of the stretch that both share; late: frames by which the track is later than the reference.
 * Fixed order of arithmetic: the same points give the same model on every machine.
 */
#ifndef COMMON_MEASURE_SYNC_MODEL_H
#define COMMON_MEASURE_SYNC_MODEL_H

#include "common/measure/sync_measure.h"

enum { SYNC_SEGMENTS_MAX = 16, SYNC_POINTS_MIN = 3 };

typedef struct sync_segment {
    uint64_t first, last;  /**< places of its first and last point */
    uint32_t point_count;
    double offset;
} sync_segment;

typedef struct sync_model {
    bool known;            /**< SYNC_POINTS_MIN points agree, and half of all */
    double drift;          /**< frames per frame; 0 where the points do not show one */
    uint32_t segment_count;
    sync_segment segments[SYNC_SEGMENTS_MAX];
    uint32_t used;         /**< points that the model explains */
} sync_model;

/** points are sorted by place. */
void sync_model_fit(sync_model *out_model, const sync_point *points, uint32_t point_count);
/** Whether a point is one of those that the model was made from. */
bool sync_model_explains(const sync_model *self, const sync_point *point);

#endif
