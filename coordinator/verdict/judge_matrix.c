/* The matrix from the stems' channels that a received programme was made with, against the recipe's. */
#include "coordinator/verdict/stem_judgement.h"

#include <math.h>
#include <string.h>

/* A gain of the matrix counts as the recipe's within this: the check's stated accuracy. */
static const double matrix_tolerance_db = 0.1;

uint32_t stem_judgement_count(const stem_judgement *self, stem_presence presence)
{
    uint32_t count = 0;
    for (uint32_t e = 0; e < self->model.element_count; e++)
        count += self->truth.presence[e] == presence;
    return count;
}

bool stem_judgement_folds(const stem_judgement *self)
{
    const channel_layout *layout = channel_layout_get(self->judgement->deliverable->layout);
    for (uint32_t c = 0; c < self->model.bed_count; c++)
        if (channel_layout_index(layout->id, self->bed[c]) < 0)
            return true;
    return false;
}

static const char *matrix_json(const stem_judgement *self, bool in_db)
{
    arena *memory = self->judgement->memory;
    const channel_layout *layout = channel_layout_get(self->judgement->deliverable->layout);
    const char *rows = "";
    for (uint32_t o = 0; o < layout->channel_count; o++) {
        const char *row = "";
        for (uint32_t c = 0; c < self->model.bed_count; c++) {
            double gain = self->truth.matrix[o][c];
            bool known = self->truth.matrix_known[o][c];
            const char *value = !known ? "null" : in_db && fabs(gain) < 1e-6 ? "null"
                                : in_db ? arena_format(memory, "%.2f", 20.0 * log10(fabs(gain)))
                                        : arena_format(memory, "%.5f", gain);
            row = arena_format(memory, "%s%s\"%s\": %s", row, c == 0 ? "" : ", ", channel_label_name(self->bed[c]), value);
        }
        rows = arena_format(memory, "%s%s\"%s\": {%s}", rows, o == 0 ? "" : ", ", channel_label_name(layout->labels[o]), row);
    }
    return arena_format(memory, "{%s}", rows);
}

static const char *gain_words(const stem_judgement *self, double gain)
{
    if (fabs(gain) < 1e-3)
        return "not at all";
    return arena_format(self->judgement->memory, "%sat %.1f dB", gain < 0.0 ? "upside down " : "",
                        verdict_displayed(20.0 * log10(fabs(gain))));
}

typedef struct matrix_gain {
    uint32_t output, channel;
    const char *found, *wanted; /* as they are told */
} matrix_gain;

static uint32_t list_differences(const stem_judgement *self, matrix_gain *out_list)
{
    const stem_truth *truth = &self->truth;
    double nothing = pow(10.0, -60.0 / 20.0);
    uint32_t count = 0;
    for (uint32_t c = 0; c < self->model.bed_count; c++)
        for (uint32_t o = 0; o < self->model.output_count; o++) {
            double found = truth->matrix[o][c];
            double wanted = truth->matrix_nominal[o][c];
            double off_db = 20.0 * fabs(log10(fmax(fabs(found), nothing) / fmax(fabs(wanted), nothing)));
            bool flipped = found * wanted < 0.0 && fabs(found) > nothing;
            if (truth->matrix_known[o][c] && (off_db > matrix_tolerance_db || flipped))
                out_list[count++] = (matrix_gain){o, c, gain_words(self, found), gain_words(self, wanted)};
        }
    return count;
}

/* What a mixer calls the channels that were folded, by bit per label; "" where they have no name in common. */
static const char *folded_name(uint32_t labels)
{
    const uint32_t surrounds = 1U << CHANNEL_LS | 1U << CHANNEL_RS | 1U << CHANNEL_LSS | 1U << CHANNEL_RSS | 1U << CHANNEL_LRS |
                               1U << CHANNEL_RRS | 1U << CHANNEL_CS;
    return labels == 1U << CHANNEL_C ? "the centre" : labels == 1U << CHANNEL_LFE ? "the LFE" : (labels & ~surrounds) == 0 ? "the surrounds" : "";
}

/* "the surrounds (Ls to L, Rs to R) at 0.0 dB instead of at -3.0 dB" for all gains that are off by as much. */
static const char *matrix_differences(const stem_judgement *self)
{
    arena *memory = self->judgement->memory;
    const channel_layout *layout = channel_layout_get(self->judgement->deliverable->layout);
    matrix_gain *off = arena_take_array(memory, (size_t)self->model.bed_count * self->model.output_count + 1, sizeof *off);
    uint32_t count = list_differences(self, off);
    const char *list = "";
    for (uint32_t i = 0; i < count; i++) {
        const char *found = off[i].found;
        if (found == NULL)
            continue; /* told with another */
        const char *paths = "";
        uint32_t labels = 0;
        uint32_t alike = 0;
        for (uint32_t k = i; k < count; k++) {
            if (off[k].found == NULL || strcmp(off[k].found, found) != 0 || strcmp(off[k].wanted, off[i].wanted) != 0)
                continue;
            labels |= 1U << self->bed[off[k].channel];
            paths = arena_format(memory, "%s%s%s to %s", paths, alike++ == 0 ? "" : ", ", channel_label_name(self->bed[off[k].channel]),
                                 channel_label_name(layout->labels[off[k].output]));
            off[k].found = NULL;
        }
        const char *name = alike > 1 ? folded_name(labels) : "";
        list = arena_format(memory, "%s%s%s%s%s%s %s instead of %s", list, list[0] == '\0' ? "" : "; ", name, name[0] == '\0' ? "" : " (", paths,
                            name[0] == '\0' ? "" : ")", found, off[i].wanted);
    }
    return list;
}

/* ---- with angles ---- */

status stem_judgement_find_phase(stem_judgement *self)
{
    stem_truth *truth = &self->truth;
    status result = stem_phase_find(&self->phase, &self->model, truth, self->judgement->facts->stems);
    if (result != STATUS_OK || !self->phase.found)
        return result;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < truth->run_count; i++)
        if (truth->runs[i].fault == STEM_FAULT_EXTRA)
            truth->runs[kept++] = truth->runs[i];
    truth->run_count = kept;
    for (uint32_t o = 0; o < STEM_PHASE_OUTPUTS; o++)
        for (uint32_t c = 0; c < self->model.bed_count; c++) {
            bool turned_over = fabs(self->phase.degrees[o][c]) > 135.0;
            truth->matrix[o][c] = self->phase.gain[o][c] * (turned_over ? -1.0 : 1.0) / truth->programme_gain;
            truth->matrix_known[o][c] = self->phase.known[o][c];
        }
    return STATUS_OK;
}

static const char *degrees_json(const stem_judgement *self)
{
    arena *memory = self->judgement->memory;
    const channel_layout *layout = channel_layout_get(self->judgement->deliverable->layout);
    const char *rows = "";
    for (uint32_t o = 0; o < STEM_PHASE_OUTPUTS; o++) {
        const char *row = "";
        for (uint32_t c = 0; c < self->model.bed_count; c++) {
            bool known = self->phase.known[o][c] && self->phase.gain[o][c] > 1e-3;
            row = arena_format(memory, "%s%s\"%s\": %s", row, c == 0 ? "" : ", ", channel_label_name(self->bed[c]),
                               known ? arena_format(memory, "%.1f", self->phase.degrees[o][c]) : "null");
        }
        rows = arena_format(memory, "%s%s\"%s\": {%s}", rows, o == 0 ? "" : ", ", channel_label_name(layout->labels[o]), row);
    }
    return arena_format(memory, "{%s}", rows);
}

/* "Ls goes to L at -3.0 dB and +90 degrees" for each channel that is turned by about that. */
static const char *turned_words(const stem_judgement *self)
{
    arena *memory = self->judgement->memory;
    const channel_layout *layout = channel_layout_get(self->judgement->deliverable->layout);
    const char *list = "";
    for (uint32_t o = 0; o < STEM_PHASE_OUTPUTS; o++)
        for (uint32_t c = 0; c < self->model.bed_count; c++) {
            double gain = fabs(self->truth.matrix[o][c]);
            double degrees = self->phase.degrees[o][c];
            if (!self->phase.known[o][c] || gain < 0.03 || fabs(degrees) < 45.0 || fabs(degrees) > 135.0)
                continue;
            list = arena_format(memory, "%s%s%s goes to %s at %.1f dB and %+.0f degrees", list, list[0] == '\0' ? "" : "; ",
                                channel_label_name(self->bed[c]), channel_label_name(layout->labels[o]),
                                20.0 * log10(gain), degrees);
        }
    return list;
}

/* No fault in itself: a show does not say whether a received stereo is to be Lo/Ro or Lt/Rt. A spec that limits the matrix does. */
static void tell_phase(stem_judgement *self)
{
    judgement *base = self->judgement;
    const spec_limit *limit = judgement_limit(base, "folddown.matrix");
    const char *nominal = base->show->print_masters[base->deliverable->layout]->name;
    finding *item = judgement_add(base, "folddown.matrix", limit == NULL ? FINDING_INFO : judgement_breach(limit));
    if (limit != NULL)
        judgement_limits(item, limit);
    item->details_json = arena_format(base->memory, "{\"matrix\": %s, \"matrix_db\": %s, \"phase_degrees\": %s}",
                                      matrix_json(self, false), matrix_json(self, true), degrees_json(self));
    const char *advice = limit == NULL ? arena_format(base->memory, "Right if an Lt/Rt was ordered; else print the %s.", nominal)
                                       : arena_format(base->memory, "Print the %s.", nominal);
    item->message = arena_format(base->memory,
                                 "It is an Lt/Rt, encoded for matrix decoders: %s. %s Single stems of an Lt/Rt are not held against it.",
                                 turned_words(self), advice);
    judgement_matrix_encoded(base);
}

/* What lies elsewhere than its stems has other gains from them than those it was made with. */
static bool lies_elsewhere(const stem_judgement *self)
{
    for (uint32_t i = 0; i < self->shifts.count; i++)
        if (self->shifts.items[i].shift.whole)
            return true;
    return false;
}

static void tell_unsolved(judgement *base, bool elsewhere)
{
    const spec_limit *limit = judgement_limit(base, "folddown.matrix");
    finding *item = judgement_add(base, "folddown.matrix", limit == NULL ? FINDING_INFO : FINDING_NOT_CHECKED);
    if (limit != NULL)
        judgement_limits(item, limit);
    item->message = elsewhere ? "Which matrix was used is not known: the programme does not lie where its stems do (stems.null). Move it "
                                "to where they lie and judge it again."
                              : "Which matrix was used is not known: none of the stems was found in the programme (stems.null). Judge it "
                                "beside the stems that it was made of.";
}

void judge_matrix(stem_judgement *self)
{
    judgement *base = self->judgement;
    if (self->phase.found) {
        tell_phase(self);
        return;
    }
    double level_db = 20.0 * log10(self->truth.programme_gain);
    const char *differences = self->truth.matrix_wrong ? matrix_differences(self) : "";
    bool wrong = differences[0] != '\0';
    bool elsewhere = lies_elsewhere(self);
    bool none = stem_judgement_count(self, STEM_PRESENT) == 0;
    if (!wrong && stem_judgement_folds(self) && (elsewhere || (none && judgement_limit(base, "folddown.matrix") != NULL))) {
        tell_unsolved(base, elsewhere);
        return;
    }
    if (none || (!wrong && !stem_judgement_folds(self)))
        return;
    const spec_limit *limit = judgement_limit(base, "folddown.matrix");
    finding *item = judgement_add(base, "folddown.matrix",
                                  !wrong          ? FINDING_INFO
                                  : limit == NULL ? FINDING_WARN
                                                  : judgement_breach(limit));
    if (limit != NULL)
        judgement_limits(item, limit);
    item->details_json = arena_format(base->memory, "{\"matrix\": %s, \"matrix_db\": %s, \"programme_gain_db\": %.3f}", matrix_json(self, false),
                                      matrix_json(self, true), level_db);
    bool level = fabs(level_db) >= STEM_LEVEL_TOLD_DB;
    item->message =
        wrong ? arena_format(base->memory, "It was made with another matrix than %s: %s%s. Print again with the stated matrix%s.",
                             base->show->print_masters[base->deliverable->layout]->name, differences,
                             level ? arena_format(base->memory, "; and the whole at %+.1f dB", level_db) : "", level ? ", at unity" : "")
        : self->truth.nulls
            ? arena_format(base->memory, "The matrix that was used is that of %s.",
                           base->show->print_masters[base->deliverable->layout]->name)
            : "The matrix that was used is given as far as the programme tells it.";
}
