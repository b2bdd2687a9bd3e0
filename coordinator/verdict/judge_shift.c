/* A stem that lies at another time in a received programme, and stems whose sound stops and starts again. */
#include "coordinator/verdict/verdict_parts.h"

#include <math.h>
#include <stdlib.h>

static const double score_min = STEM_LEAK_SCORE_MIN;
static const double apart_factor = 2.0; /* against the same stem in place */

typedef struct shift_votes {
    size_t shifted, known;
    double left; /* the least of those that show it */
} shift_votes;

/* Groups are counted as the features do: the first is the programme, and stands for all stems together. */
static bool shows(const stem_cell *cell, const stem_run *run, uint32_t group)
{
    return group < cell->group_count && cell->frame + cell->frame_count > run->start_frame && cell->frame < run->end_frame;
}

/* What lies beside the run in a cell is in its place: such a cell may bear a shift out, and says nothing against it. */
static bool lies_within(const stem_cell *cell, const stem_run *run)
{
    return cell->frame >= run->start_frame && cell->frame + cell->frame_count <= run->end_frame;
}

/* How many of the cells of a run show a group at a shift, and in how many it is known where it lies. */
static shift_votes count_votes(const stem_programme *programme, const stem_run *run, uint32_t group, int samples)
{
    shift_votes votes = {.left = 1.0};
    for (size_t c = 0; c < programme->cell_count; c++) {
        const stem_cell *cell = &programme->bleed[c];
        if (!shows(cell, run, group))
            continue;
        const stem_shift_peak *peak = &cell->shifts[group];
        bool fits = peak->samples != 0 && (double)peak->left < STEM_SHIFT_LEFT_MAX;
        bool clear = (double)peak->score >= score_min;
        if (!fits && !clear)
            continue;
        bool shifted = peak->samples == samples && samples != 0 &&
                       (fits || (double)peak->score >= apart_factor * (double)peak->score_in_place);
        votes.known += shifted || samples == 0 || lies_within(cell, run);
        if (!shifted)
            continue;
        votes.shifted++;
        votes.left = fmin(votes.left, (double)peak->left);
    }
    return votes;
}

/* The shift that most cells of the run show for a group. */
static stem_shift shift_of(const stem_programme *programme, const stem_run *run, uint32_t group)
{
    stem_shift best = {.element = group - 1, .left = 1.0};
    for (size_t c = 0; c < programme->cell_count; c++) {
        const stem_cell *cell = &programme->bleed[c];
        if (!shows(cell, run, group))
            continue;
        int samples = cell->shifts[group].samples;
        if (samples == best.samples || samples == 0)
            continue;
        shift_votes votes = count_votes(programme, run, group, samples);
        if (votes.shifted > best.cell_count && votes.shifted * 2 >= votes.known) {
            best.samples = samples;
            best.cell_count = votes.shifted;
            best.left = votes.left;
        }
    }
    return best;
}

bool judgement_some_lie_there(const judgement *self, uint32_t element_count, int samples)
{
    enum { CELLS_LEAST = 2 };
    static const double better = 0.25;
    const stem_programme *programme = self->facts->stems;
    uint32_t count = 0;
    for (size_t c = 0; c < programme->cell_count; c++) {
        const stem_cell *cell = &programme->bleed[c];
        bool any = false;
        for (uint32_t g = 1; g <= element_count && g < cell->group_count; g++)
            any = any || (cell->shifts[g].samples == samples && (double)cell->shifts[g].left < STEM_SHIFT_LEFT_MAX &&
                          (double)cell->shifts[g].left < better * (double)cell->shifts[0].left);
        count += any;
    }
    return count >= CELLS_LEAST;
}

stem_shift judgement_shift(const judgement *self, uint32_t element_count, uint64_t players, const stem_run *run)
{
    const stem_programme *programme = self->facts->stems;
    stem_shift found[STEM_ELEMENTS_MAX] = {0};
    stem_shift best = {.left = 1.0};
    bool in_place = false;
    for (uint32_t e = 0; e < element_count; e++) {
        if ((players >> e & 1U) == 0)
            continue;
        found[e] = shift_of(programme, run, e + 1);
        in_place = in_place || (found[e].cell_count == 0 && count_votes(programme, run, e + 1, 0).known > 0);
        if (found[e].cell_count > best.cell_count || (found[e].cell_count == best.cell_count && found[e].left < best.left))
            best = found[e];
    }
    uint32_t playing = 0;
    uint32_t alike = 0;
    bool differs = false; /* one lies elsewhere, and shows it nearly as well */
    for (uint32_t e = 0; e < element_count; e++) {
        playing += (players >> e & 1U) != 0;
        alike += found[e].cell_count > 0 && found[e].samples == best.samples;
        differs = differs || (found[e].samples != best.samples && found[e].cell_count * 2 > best.cell_count);
    }
    best.whole = alike > 1 && !in_place && !differs;
    stem_shift all = shift_of(programme, run, 0);
    if (playing > 1 && !differs && all.cell_count > 0 && all.cell_count >= best.cell_count &&
        all.left < STEM_SHIFT_LEFT_MAX * best.left && !judgement_some_lie_there(self, element_count, all.samples)) {
        best = all;
        best.element = 0;
        best.whole = true;
    }
    return best;
}

const char *judgement_shift_words(const judgement *self, int samples)
{
    double rate = (double)self->timeline->sample_rate;
    double picture = self->show->rate.num == 0 ? 0.0 : rate * self->show->rate.den / self->show->rate.num;
    double pictures = picture > 0.0 ? abs(samples) / picture : 0.0;
    bool whole = pictures > 0.5 && fabs(pictures - round(pictures)) * picture <= 1.0;
    return arena_format(self->memory, "%d sample%s (%.2f ms%s) %s", abs(samples), abs(samples) == 1 ? "" : "s", 1000.0 * abs(samples) / rate,
                        whole ? arena_format(self->memory, ", %.0f picture frame%s", round(pictures), pictures < 1.5 ? "" : "s") : "",
                        samples > 0 ? "late" : "early");
}

/* ---- gaps ---- */

static bool is_received(const judgement *self, uint32_t lane)
{
    return self->facts->plan->programs[self->deliverable->program].inputs[lane].stem == RENDER_STEM_RECEIVED;
}

/* The frame at which a gap that begins in a cell ends, perhaps in the next; 0: it is none. */
static uint64_t gap_end(const stem_programme *programme, size_t cell, const stem_gap *gap)
{
    const stem_cell *at = &programme->bleed[cell];
    if (gap->from_before)
        return 0;
    if (!gap->goes_on)
        return at->frame + gap->end;
    if (cell + 1 == programme->cell_count)
        return 0;
    const stem_cell *next = &programme->bleed[cell + 1];
    for (uint32_t i = 0; i < next->gap_count; i++)
        if (next->gaps[i].from_before && next->gaps[i].lane == gap->lane && !next->gaps[i].goes_on)
            return next->frame + next->gaps[i].end;
    return 0;
}

bool judgement_gap(const judgement *self, bool received, uint64_t start, uint64_t end, stem_gap_place *out_place)
{
    const stem_programme *programme = self->facts->stems;
    for (size_t c = 0; c < programme->cell_count; c++) {
        const stem_cell *cell = &programme->bleed[c];
        for (uint32_t i = 0; i < cell->gap_count && cell->frame < end; i++) {
            const stem_gap *gap = &cell->gaps[i];
            uint64_t first = cell->frame + gap->start;
            uint64_t last = gap_end(programme, c, gap);
            if (is_received(self, gap->lane) != received || last == 0 || first < start || first >= end)
                continue;
            *out_place = (stem_gap_place){.start = first, .end = last, .lane = gap->lane};
            return true;
        }
    }
    return false;
}

/* "it is in the programme too", "the programme plays on": as far as the comparison tells. */
static const char *in_programme(const judgement *self, const stem_truth *truth, uint64_t start, uint64_t end)
{
    if (truth == NULL)
        return "";
    stem_gap_place place;
    uint64_t reach = self->timeline->sample_rate / 1000;
    if (truth->nulls || judgement_gap(self, true, start > reach ? start - reach : 0, start + reach, &place))
        return " The programme has it too.";
    for (uint32_t i = 0; i < truth->run_count; i++)
        if (truth->runs[i].start_frame < end && start < truth->runs[i].end_frame)
            return " The programme does not have it.";
    return "";
}

void judge_stem_gaps(judgement *self, const stem_truth *truth)
{
    const stem_programme *programme = self->facts->stems;
    const render_program *program = &self->facts->plan->programs[self->deliverable->program];
    uint64_t near = self->timeline->sample_rate / 1000;
    finding *item = NULL;
    uint64_t item_start = 0;
    uint16_t item_stem = RENDER_STEM_RECEIVED;
    size_t left_out = 0;
    size_t told = 0;
    const spec_limit *limit = judgement_limit(self, "stems.dropout");
    for (size_t c = 0; c < programme->cell_count; c++)
        for (uint32_t i = 0; i < programme->bleed[c].gap_count; i++) {
            const stem_gap *gap = &programme->bleed[c].gaps[i];
            uint64_t start = programme->bleed[c].frame + gap->start;
            uint64_t end = gap_end(programme, c, gap);
            double ms = end == 0 ? 0.0 : (double)(end - start) * 1000.0 / (double)self->timeline->sample_rate;
            uint16_t stem = program->inputs[gap->lane].stem;
            if (stem == RENDER_STEM_RECEIVED || ms <= STEM_DROPOUT_MS)
                continue;
            const char *channel = channel_label_name((channel_label)program->inputs[gap->lane].label);
            if (item != NULL && stem == item_stem && start <= item_start + near && item_start <= start + near) {
                if (judgement_channel(item, channel))
                    item->message = arena_format(self->memory, "%s Likewise in %s.", item->message, channel);
                continue;
            }
            if (told++ >= VERDICT_RUNS_MAX) {
                left_out++;
                continue;
            }
            bool over = limit != NULL && ms > limit->max;
            item = judgement_add(self, "stems.dropout", over ? judgement_breach(limit) : FINDING_WARN);
            if (limit != NULL)
                judgement_limits(item, limit);
            item_start = start;
            item_stem = stem;
            judgement_locate(self, item, start, end);
            item->subject = self->show->stems[stem].name;
            (void)judgement_channel(item, channel);
            item->measured = ms;
            item->unit = "ms";
            char place[PLACE_TEXT_SIZE];
            judgement_place(self, start, place);
            item->message = arena_format(self->memory, "%s drops out for %.1f ms at %s in %s: its sound stops and comes back at once; other stems may cover it. "
                                         "Look for a gap in the edit or a lost block, and export it again.%s",
                                         item->subject, ms, place, channel, in_programme(self, truth, start, end));
            item->details_json = arena_format(self->memory, "{\"stem\": \"%s\", \"length_ms\": %.2f}", item->subject, ms);
        }
    judgement_tell_rest(self, "stems.dropout", FINDING_WARN, left_out);
}
