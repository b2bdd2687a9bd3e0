#include "common/measure/sync_model.h"

#include <math.h>
#include <stdlib.h>

/* A matched place is within a sample or two; a wrong match is anywhere. */
static const double tolerance = 3.0;
/* Drift is shown by points this far apart at least, and when it adds up to more than the slack of single points. */
static const double pair_frames_min = 24000.0;
static const double drift_frames_min = 1.5;

typedef struct point_group {
    uint32_t first, end; /* of points */
    uint32_t count;
    double offset;       /* median of what drift leaves */
    bool dropped;
} point_group;

static double residual(const sync_point *point, double drift)
{
    return point->late - drift * (double)point->place;
}

static double weight(const sync_point *point)
{
    return (double)point->score * (double)point->score;
}

/* How many neighbours agree with a drift. */
static uint32_t agreeing_pairs(const sync_point *points, uint32_t count, double drift)
{
    uint32_t agreeing = 0;
    for (uint32_t i = 0; i + 1 < count; i++)
        agreeing += fabs(residual(&points[i + 1], drift) - residual(&points[i], drift)) <= tolerance;
    return agreeing;
}

/* The drift that most pairs of neighbours agree with; none of two as good ones is as likely as the smaller. */
static double choose_drift(const sync_point *points, uint32_t count)
{
    double best = 0.0;
    uint32_t most = agreeing_pairs(points, count, 0.0);
    for (uint32_t i = 0; i + 1 < count; i++)
        for (uint32_t k = i + 1; k < count && k < i + 4; k++) {
            double apart = (double)(points[k].place - points[i].place);
            if (apart < pair_frames_min)
                continue;
            double drift = (points[k].late - points[i].late) / apart;
            uint32_t agreeing = agreeing_pairs(points, count, drift);
            if (agreeing > most || (agreeing == most && fabs(drift) < fabs(best))) {
                best = drift;
                most = agreeing;
            }
        }
    return best;
}

static int ascending(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static double group_median(const sync_point *points, const point_group *group, double drift)
{
    double values[SYNC_POINTS_MAX];
    uint32_t count = 0;
    for (uint32_t i = group->first; i < group->end; i++)
        values[count++] = residual(&points[i], drift);
    qsort(values, count, sizeof values[0], ascending);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2.0;
}

/* Runs of neighbours that agree. One that stands alone is a wrong match. */
static uint32_t make_groups(const sync_point *points, uint32_t count, double drift, point_group *groups)
{
    uint32_t group_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        point_group *last = group_count == 0 ? NULL : &groups[group_count - 1];
        if (last != NULL && fabs(residual(&points[i], drift) - last->offset) <= tolerance) {
            last->end = i + 1;
            last->count++;
            last->offset = group_median(points, last, drift);
        } else {
            groups[group_count++] =
                (point_group){.first = i, .end = i + 1, .count = 1, .offset = residual(&points[i], drift)};
        }
    }
    for (uint32_t i = 0; i < group_count; i++)
        groups[i].dropped = groups[i].count < 2;
    return group_count;
}

/* Least squares over all groups, each with an offset of its own. A peak lies the more exactly the higher it stands out. */
static double refine_drift(const sync_point *points, const point_group *groups, uint32_t group_count, double drift)
{
    double cross = 0.0;
    double square = 0.0;
    for (uint32_t g = 0; g < group_count; g++) {
        if (groups[g].dropped)
            continue;
        double place = 0.0;
        double left = 0.0;
        double sum = 0.0;
        for (uint32_t i = groups[g].first; i < groups[g].end; i++)
            sum += weight(&points[i]);
        for (uint32_t i = groups[g].first; sum > 0.0 && i < groups[g].end; i++) {
            place += (double)points[i].place * weight(&points[i]) / sum;
            left += residual(&points[i], drift) * weight(&points[i]) / sum;
        }
        for (uint32_t i = groups[g].first; i < groups[g].end; i++) {
            double apart = (double)points[i].place - place;
            cross += apart * (residual(&points[i], drift) - left) * weight(&points[i]);
            square += apart * apart * weight(&points[i]);
        }
    }
    return square > 0.0 ? drift + cross / square : drift;
}

static void add_segment(sync_model *model, const sync_point *points, const point_group *group)
{
    sync_segment *last = model->segment_count == 0 ? NULL : &model->segments[model->segment_count - 1];
    if (last != NULL && fabs(last->offset - group->offset) <= tolerance) { /* what lay between was a wrong match */
        last->offset = (last->offset * last->point_count + group->offset * group->count) /
                       (double)(last->point_count + group->count);
        last->last = points[group->end - 1].place;
        last->point_count += group->count;
    } else if (model->segment_count < SYNC_SEGMENTS_MAX) {
        model->segments[model->segment_count++] = (sync_segment){.first = points[group->first].place,
                                                                 .last = points[group->end - 1].place,
                                                                 .point_count = group->count,
                                                                 .offset = group->offset};
    }
    model->used += group->count;
}

void sync_model_fit(sync_model *out_model, const sync_point *points, uint32_t point_count)
{
    point_group groups[SYNC_POINTS_MAX];
    sync_model model = {0};
    *out_model = model;
    if (point_count < SYNC_POINTS_MIN || point_count > SYNC_POINTS_MAX)
        return;
    model.drift = choose_drift(points, point_count);
    uint32_t count = make_groups(points, point_count, model.drift, groups);
    model.drift = refine_drift(points, groups, count, model.drift);
    double span = (double)(points[point_count - 1].place - points[0].place);
    if (fabs(model.drift) * span < drift_frames_min)
        model.drift = 0.0;
    count = make_groups(points, point_count, model.drift, groups);
    for (uint32_t i = 0; i < count; i++)
        if (!groups[i].dropped)
            add_segment(&model, points, &groups[i]);
    model.known = model.used >= SYNC_POINTS_MIN && 2 * model.used >= point_count;
    *out_model = model;
}

bool sync_model_explains(const sync_model *self, const sync_point *point)
{
    for (uint32_t i = 0; i < self->segment_count; i++) {
        const sync_segment *segment = &self->segments[i];
        if (point->place >= segment->first && point->place <= segment->last)
            return fabs(residual(point, self->drift) - segment->offset) <= tolerance;
    }
    return false;
}
