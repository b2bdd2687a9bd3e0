#include "coordinator/show/recipe.h"

#include <math.h>
#include <string.h>

static const double root_half = 0.70710678118654752440; /* the double nearest to sqrt(1/2) */

/* A matrix between channel labels, dense: there are few. */
typedef struct label_matrix {
    double gain[CHANNEL_LABEL_COUNT][CHANNEL_LABEL_COUNT]; /* [to][from] */
} label_matrix;

/* Two roots in a row make exactly one half; all else is one rounding. */
static double gain_product(double a, double b)
{
    if (fabs(a) == root_half && fabs(b) == root_half)
        return a == b ? 0.5 : -0.5;
    return a * b;
}

static status refuse(const recipe *self, channel_layout_id from, channel_label label, error_detail *detail)
{
    return error_detail_set(detail, STATUS_INPUT_UNSUPPORTED,
                            "recipe %s has no rule for channel %s of a %s stem; deliver the stem in a layout up to that of the "
                            "recipe, or add folds for %s in a recipe of your own",
                            self->name, channel_label_name(label), channel_layout_get(from)->name,
                            channel_label_name(label));
}

/*
 * Where one channel of a stem goes in the bed. Where the bed has it, it stays; mono sits in C; otherwise the folds say.
 * An LFE that finds no place is dropped: below 5.1 there is none.
 */
static bool bed_fill(const recipe *self, channel_label from, channel_layout_id bed, label_matrix *out)
{
    bool found = false;
    if (channel_layout_index(bed, from) >= 0) {
        out->gain[from][from] = 1.0;
        return true;
    }
    if (from == CHANNEL_M && channel_layout_index(bed, CHANNEL_C) >= 0) {
        out->gain[CHANNEL_C][CHANNEL_M] = 1.0;
        return true;
    }
    for (uint32_t i = 0; i < self->fold_count; i++) {
        if (self->folds[i].from != from || self->folds[i].phase_90 || channel_layout_index(bed, self->folds[i].to) < 0)
            continue;
        out->gain[self->folds[i].to][from] = self->folds[i].gain;
        found = true;
    }
    return found || from == CHANNEL_LFE;
}

/* Where one channel of the `via` bed goes in the recipe's layout: the folds first, then its own place. */
static bool via_fill(const recipe *self, channel_label from, label_matrix *out, label_matrix *out_phase)
{
    bool found = false;
    for (uint32_t i = 0; i < self->fold_count; i++) {
        if (self->folds[i].from != from || channel_layout_index(self->layout, self->folds[i].to) < 0)
            continue;
        (self->folds[i].phase_90 ? out_phase : out)->gain[self->folds[i].to][from] = self->folds[i].gain;
        found = true;
    }
    if (found)
        return true;
    if (channel_layout_index(self->layout, from) >= 0) {
        out->gain[from][from] = 1.0;
        return true;
    }
    return from == CHANNEL_LFE;
}

static void multiply(const label_matrix *second, const label_matrix *first, label_matrix *out)
{
    /* Nearly all are zero: whole rows are passed over. Each sum still goes by the channel between, in order. */
    for (int to = 0; to < CHANNEL_LABEL_COUNT; to++)
        for (int middle = 0; middle < CHANNEL_LABEL_COUNT; middle++)
            for (int from = 0; second->gain[to][middle] != 0.0 && from < CHANNEL_LABEL_COUNT; from++)
                if (first->gain[middle][from] != 0.0)
                    out->gain[to][from] += gain_product(second->gain[to][middle], first->gain[middle][from]);
}

/* Appends what a matrix holds; false when there is no room. */
static bool terms_append(const label_matrix *matrix, bool phase_90, fold_term out_terms[FOLD_TERMS_MAX], uint32_t *count)
{
    for (int to = 0; to < CHANNEL_LABEL_COUNT; to++)
        for (int from = 0; from < CHANNEL_LABEL_COUNT; from++) {
            if (matrix->gain[to][from] == 0.0)
                continue;
            if (*count == FOLD_TERMS_MAX)
                return false;
            out_terms[(*count)++] = (fold_term){(channel_label)from, (channel_label)to, matrix->gain[to][from], phase_90};
        }
    return true;
}

static channel_label role_place(const recipe *self, const char *role)
{
    for (uint32_t i = 0; role != NULL && i < self->role_count; i++)
        if (strcmp(self->roles[i], role) == 0)
            return self->places[i];
    return CHANNEL_NONE;
}

/* One voice into one channel: as recorded in mono or C; stereo holds it twice. */
static status place_matrix(const recipe *self, channel_label place, channel_layout_id from,
                           fold_term out_terms[FOLD_TERMS_MAX], uint32_t *out_count, error_detail *detail)
{
    const channel_layout *stem = channel_layout_get(from);
    uint32_t count = 0;
    for (uint32_t i = 0; i < stem->channel_count; i++) {
        channel_label label = stem->labels[i];
        if (label == CHANNEL_LFE)
            continue;
        if (label != CHANNEL_M && label != CHANNEL_C && label != CHANNEL_L && label != CHANNEL_R)
            return refuse(self, from, label, detail);
        out_terms[count++] = (fold_term){label, place, label == CHANNEL_L || label == CHANNEL_R ? 0.5 : 1.0, false};
    }
    *out_count = count;
    return STATUS_OK;
}

status recipe_matrix(const recipe *self, const char *role, channel_layout_id from, fold_term out_terms[FOLD_TERMS_MAX],
                     uint32_t *out_count, error_detail *detail)
{
    channel_label place = role_place(self, role);
    if (place != CHANNEL_NONE)
        return place_matrix(self, place, from, out_terms, out_count, detail);
    const channel_layout *stem = channel_layout_get(from);
    bool own_layout = self->layout == LAYOUT_NONE; /* `stem`: as it is */
    channel_layout_id target = own_layout ? from : self->layout;
    channel_layout_id bed = own_layout || self->via == LAYOUT_NONE ? target : self->via;
    label_matrix to_bed = {0};
    label_matrix to_target = {0};
    label_matrix to_target_phase = {0};
    label_matrix whole = {0};
    label_matrix whole_phase = {0};
    for (uint32_t i = 0; i < stem->channel_count; i++)
        if (!bed_fill(self, stem->labels[i], bed, &to_bed))
            return refuse(self, from, stem->labels[i], detail);
    const channel_layout *bed_layout = channel_layout_get(bed);
    for (uint32_t i = 0; i < bed_layout->channel_count; i++) {
        if (bed == target)
            to_target.gain[bed_layout->labels[i]][bed_layout->labels[i]] = 1.0;
        else if (!via_fill(self, bed_layout->labels[i], &to_target, &to_target_phase))
            return refuse(self, bed, bed_layout->labels[i], detail);
    }
    multiply(&to_target, &to_bed, &whole);
    multiply(&to_target_phase, &to_bed, &whole_phase);
    uint32_t count = 0;
    if (!terms_append(&whole, false, out_terms, &count) || !terms_append(&whole_phase, true, out_terms, &count))
        return error_detail_set(detail, STATUS_LIMIT, "recipe %s makes more than %d terms for a %s stem", self->name,
                                FOLD_TERMS_MAX, stem->name);
    *out_count = count;
    return STATUS_OK;
}
