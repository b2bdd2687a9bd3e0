/* All that a run by this spec would have said, from the measures that lie beside its report. */
#include "coordinator/cli/judged_report.h"

#include "coordinator/shell/job_measures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct part {
    uint64_t first, end; /* programme frames */
} part;

/* "01:00:12:04" on the programme's clock, or from its first frame "12.5" seconds or "0:01:12.5". */
static status read_place(const char *text, const show *title, const plan_timeline *timeline, uint64_t *out_frame,
                         error_detail *detail)
{
    char *rest = NULL;
    double seconds = strtod(text, &rest);
    uint64_t picture = 0;
    unsigned hours = 0, minutes = 0;
    double more = 0.0;
    char behind = '\0';
    if (sscanf(text, "%6u:%2u:%lf%c", &hours, &minutes, &more, &behind) == 3 && minutes < 60 && more >= 0.0 && more < 60.0) {
        seconds = hours * 3600.0 + minutes * 60.0 + more;
        rest = strchr(text, '\0');
    }
    if (rest != text && *rest == '\0' && seconds >= 0.0 && seconds < 1e9) {
        *out_frame = (uint64_t)(seconds * (double)timeline->sample_rate + 0.5);
        return STATUS_OK;
    }
    if (title->rate.num == 0 || !timeline->has_start)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "'%s' is no number of seconds, and the programme has no timecode", text);
    status code = timecode_parse(text, &title->rate, &picture, detail);
    if (code != STATUS_OK)
        return code;
    if (picture < timeline->start_frame)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "'%s' lies before the programme's first frame", text);
    *out_frame = timecode_sample_of_frame(picture - timeline->start_frame, &title->rate, timeline->sample_rate);
    return STATUS_OK;
}

static status read_range(const judged_range *range, const show *title, const plan_timeline *timeline, part *out,
                         error_detail *detail)
{
    *out = (part){.end = timeline->frame_count};
    status code = range->from == NULL ? STATUS_OK : read_place(range->from, title, timeline, &out->first, detail);
    if (code == STATUS_OK && range->to != NULL)
        code = read_place(range->to, title, timeline, &out->end, detail);
    if (code == STATUS_OK && (out->first >= out->end || out->end > timeline->frame_count))
        return error_detail_set(detail, STATUS_INPUT_INVALID, "the part from %s to %s does not lie in the programme of %.3f s",
                                range->from == NULL ? "its beginning" : range->from, range->to == NULL ? "its end" : range->to,
                                (double)timeline->frame_count / (double)timeline->sample_rate);
    return code;
}

/* The true peak of a part lies between these; linear. */
typedef struct part_peak {
    double least, most;
} part_peak;

static void peak_of(part_peak *self, double peak, bool inside)
{
    self->most = fmax(self->most, peak);
    self->least = inside ? fmax(self->least, peak) : self->least;
}

/*
 * Of the cells that lie in it, and of the located exceedances that touch it. A cell that is cut counts with at most
 * PEAK_LOCATE_DBTP otherwise: what lies above would have been located. Of a cell or an exceedance that is cut it is not known
 * on which side its largest sample lies.
 */
static part_peak part_true_peak(const programme_measure *measure, const plan_timeline *timeline, const part *wanted)
{
    part_peak peak = {0};
    double bound = pow(10.0, PEAK_LOCATE_DBTP / 20.0);
    for (uint32_t i = 0; i < timeline->piece_count; i++) {
        const plan_piece *piece = &timeline->pieces[i];
        for (uint64_t at = 0; at < piece->frame_count; at += CELL_FRAMES) {
            uint64_t first = piece->programme_frame + at;
            uint64_t left = piece->frame_count - at;
            uint64_t end = first + (left < CELL_FRAMES ? left : CELL_FRAMES);
            if (end <= wanted->first || first >= wanted->end)
                continue;
            double cell = programme_measure_peaks_between(measure, first, end).true_peak;
            bool inside = first >= wanted->first && end <= wanted->end;
            peak_of(&peak, inside ? cell : fmin(cell, bound), inside);
        }
    }
    size_t count = 0;
    const programme_run *runs = programme_measure_runs(measure, &count);
    for (size_t i = 0; i < count; i++)
        if (runs[i].kind == PEAK_RUN_TRUE && runs[i].frame < wanted->end && runs[i].frame + runs[i].frame_count > wanted->first)
            peak_of(&peak, runs[i].peak, runs[i].frame >= wanted->first && runs[i].frame + runs[i].frame_count <= wanted->end);
    return peak;
}

static status judge_part(const job_measures *measures, const merged_programme *merged, const programme_input *source,
                         const spec *rules, const judged_range *range, programme_verdict *out_verdict, arena *memory,
                         error_detail *detail)
{
    const plan_deliverable *made = &measures->plan->deliverables[source->deliverable];
    const plan_timeline *timeline = &measures->plan->timelines[made->timeline];
    const show *title = measures->plan->show;
    part wanted;
    status code = read_range(range, title, timeline, &wanted, detail);
    if (code != STATUS_OK)
        return code;
    figure_facts facts = {.deliverable = title->deliverables[source->deliverable].name,
                          .show = title,
                          .layout = made->layout,
                          .sample_rate = timeline->sample_rate,
                          .frame_count = wanted.end - wanted.first,
                          .loudness = programme_measure_loudness(merged->measure, wanted.first, wanted.end),
                          .dialogue = speech_measure_dialogue(merged->measure, merged_programme_speech(merged), wanted.first,
                                                              wanted.end),
                          .of_part = true};
    facts.files = verdict_forms(measures->plan, source->deliverable, &facts.file_count, memory);
    facts.loudness.max_momentary_frame = facts.loudness.max_short_term_frame = UINT64_MAX;
    part_peak peak = part_true_peak(merged->measure, timeline, &wanted);
    facts.peaks.true_peak = peak.most;
    facts.true_peak_least = peak.least < peak.most ? fmax(peak.least, 1e-10) : 0.0;
    facts.peaks.sample_peak = (double)NAN;
    return verdict_judge_figures(out_verdict, &facts, rules, memory);
}

static status judge_programme(const job_measures *measures, const programme_input *source, const spec *rules,
                              const judged_range *range, judged_item *out_item, arena *memory, error_detail *detail)
{
    const char *failure = source->failure;
    merged_programme merged = {0};
    error_detail broken = {0};
    if (!source->complete)
        failure = failure == NULL ? "it was not measured to its end" : failure;
    else if (job_merge_programme(measures->plan, source, measures->input.cells_path, &merged, &broken) != STATUS_OK)
        failure = arena_copy_text(memory, broken.message);
    programme_facts facts = {.plan = measures->plan,
                             .deliverable = source->deliverable,
                             .measure = merged.measure,
                             .speech = merged_programme_speech(&merged),
                             .stems = &merged.stems,
                             .heard = measures->input.heard,
                             .failure = merged.measure == NULL ? failure : NULL};
    programme_verdict verdict = {0};
    bool of_part = (range->from != NULL || range->to != NULL) && merged.measure != NULL;
    status code = of_part ? judge_part(measures, &merged, source, rules, range, &verdict, memory, detail)
                          : verdict_judge(&verdict, &facts, memory);
    merged_programme_deinit(&merged);
    *out_item = (judged_item){.name = arena_copy_text(memory, measures->plan->show->deliverables[source->deliverable].name),
                              .word = failure == NULL ? verdict.word : verdict_worst(verdict.word, VERDICT_INCOMPLETE),
                              .findings = verdict.findings};
    return code;
}

/* What was found in the stems themselves, by no spec. */
static status judge_stems(const job_measures *measures, judged_list *list, arena *memory)
{
    const show *title = measures->plan->show;
    for (uint32_t reel = 0; reel < title->reel_count; reel++) {
        for (uint32_t stem = 0; stem < title->stem_count; stem++) {
            stem_verdict verdict;
            status code = verdict_judge_stem(&verdict, measures->plan, stem, (uint16_t)reel, measures->input.heard, memory);
            if (code != STATUS_OK)
                return code;
            if (verdict.findings.count > 0)
                list->items[list->count++] = (judged_item){
                    .name = arena_format(memory, "%s %s", title->stems[stem].name, title->reels[reel].name),
                    .of_stem = true,
                    .word = verdict.word,
                    .findings = verdict.findings};
        }
    }
    return STATUS_OK;
}

status judged_from_measures(judged_list *out_list, const char *path, const spec *rules, const judged_range *range,
                            const show *title, arena *memory, error_detail *detail)
{
    job_measures *measures = arena_take(memory, sizeof *measures);
    status code = job_measures_open(measures, path, detail);
    if (code != STATUS_OK)
        return code;
    out_list->measures = measures;
    /* Planned by its own specs, judged by another: what was measured does not change by it. */
    show *film = &measures->source->show;
    for (uint32_t i = 0; i < film->deliverable_count; i++) {
        film->deliverables[i].spec = rules;
        film->deliverables[i].spec_name = rules->name;
    }
    if (title != NULL) {
        film->waivers = title->waivers;
        film->waiver_count = title->waiver_count;
    }
    const compose_input *input = &measures->input;
    out_list->items = arena_take_array(memory, input->programme_count + (size_t)film->reel_count * film->stem_count,
                                       sizeof *out_list->items);
    for (uint32_t i = 0; code == STATUS_OK && i < input->programme_count; i++)
        code = judge_programme(measures, &input->programmes[i], rules, range, &out_list->items[out_list->count++], memory, detail);
    if (code == STATUS_OK && range->from == NULL && range->to == NULL)
        code = judge_stems(measures, out_list, memory);
    return code;
}

void judged_list_close(judged_list *self)
{
    if (self->measures != NULL)
        job_measures_close(self->measures);
    *self = (judged_list){0};
}
