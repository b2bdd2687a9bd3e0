#include "coordinator/report/report_parts.h"

#include <math.h>
#include <string.h>

const frame_rate *report_rate(const report_model *model, const plan_timeline *timeline)
{
    return timeline == NULL ? &model->show->rate : &plan_timeline_show(model->show, timeline)->rate;
}

const char *report_place(const report_model *model, const plan_timeline *timeline, uint64_t frame, arena *memory)
{
    char text[TIMECODE_TEXT_SIZE];
    const frame_rate *rate = report_rate(model, timeline);
    if (!timeline->has_start || rate->num == 0)
        timecode_elapsed(frame, timeline->sample_rate, text);
    else
        timecode_format(timeline->start_frame + timecode_frame_of_sample(frame, rate, timeline->sample_rate), rate, text);
    return arena_copy_text(memory, text);
}

bool report_reel_frame(const report_model *model, const plan_timeline *timeline, const finding *item, uint64_t *out_frame)
{
    const show *title = model->show;
    if (timeline == NULL || !item->has_range || item->reel < 0 || (uint32_t)item->reel >= title->reel_count)
        return false;
    const show_reel *reel = &title->reels[item->reel];
    for (uint32_t i = 0; i < timeline->piece_count; i++) {
        const plan_piece *piece = &timeline->pieces[i];
        if (piece->spans_reels || piece->reel != item->reel || item->start_sample < piece->programme_frame)
            continue;
        *out_frame = (reel->has_ffoa && !piece->whole_file ? reel->ffoa_frame : reel->start_frame) +
                     timecode_frame_of_sample(item->start_sample - piece->programme_frame, &title->rate, timeline->sample_rate);
        return ((reel->has_ffoa && !piece->whole_file) || reel->has_start) && report_rate(model, timeline)->num != 0;
    }
    return false;
}

static void add_place(page *self, const report_model *model, const report_programme *programme, const plan_timeline *timeline,
                      const finding *item)
{
    if (!item->has_range || timeline == NULL) {
        page_add(self, STYLE_SOFT, "whole programme");
        return;
    }
    page_add(self, STYLE_PLAIN, report_place(model, timeline, item->start_sample, self->memory));
    const char *more = item->reel >= 0 ? model->show->reels[item->reel].name : "";
    uint64_t frame = 0;
    if (programme != NULL && report_reel_frame(model, timeline, item, &frame)) { /* a stem's own time is its reel's */
        char text[TIMECODE_TEXT_SIZE];
        timecode_format(frame, report_rate(model, timeline), text);
        more = arena_format(self->memory, "%s %s", more, text);
    }
    for (uint32_t i = 0; i < item->channel_count; i++)
        more = arena_format(self->memory, "%s%s%s", more, i > 0 ? " " : more[0] == '\0' ? "" : " \xC2\xB7 ", item->channels[i]);
    if (more[0] != '\0')
        page_line(self, STYLE_SOFT, more);
}

static void add_waiver(page *self, const finding *item)
{
    const show_waiver *waiver = item->waiver != NULL ? item->waiver : item->stale;
    if (waiver == NULL)
        return;
    page_line(self, STYLE_STRONG, item->waiver != NULL ? "Waived" : "Waiver does not hold");
    page_add(self, STYLE_PLAIN, item->waiver != NULL ? " by " : ", the figure is another: by ");
    page_format(self, STYLE_PLAIN, "%s, %s: %s", waiver->who, waiver->when, waiver->why);
}

/* The seconds around it where they were read again, else how loud it is there. */
static void add_pictures(page *self, const report_model *model, const report_programme *programme, const finding *item)
{
    const task_excerpt_item *excerpt = report_excerpt(model, programme, item);
    page_cell_picture(self, excerpt != NULL ? chart_excerpt_small(excerpt, item, self->memory)
                                            : chart_thumbnail(programme, item, self->memory));
    if (excerpt == NULL || excerpt->audition_size == 0)
        return;
    const char *file = arena_format(self->memory, "audition/%s.wav", excerpt->place.name);
    page_line(self, STYLE_PATH, file);
    page_cell_audio(self, file);
}

static const char *sources_of(const finding *item, arena *memory)
{
    const char *sources = item->clause == NULL ? "" : item->clause;
    if (item->netflix_code != NULL)
        sources = arena_format(memory, "%s%sNetflix %s", sources, sources[0] == '\0' ? "" : " \xC2\xB7 ", item->netflix_code);
    if (item->ebu_qc != NULL)
        sources = arena_format(memory, "%s%sEBU QC %s", sources, sources[0] == '\0' ? "" : " \xC2\xB7 ", item->ebu_qc);
    return sources;
}

/* told: what stands above it, of which it does not say again what both have in common; or NULL. */
static void add_finding(page *self, const report_model *model, const report_programme *programme, const plan_timeline *timeline,
                        const finding *item, const finding *told)
{
    page_row(self);
    page_add(self, item->waiver != NULL ? STYLE_BADGE_WAIVED : STYLE_BADGE, finding_severity_name(item->severity));
    page_next_cell(self);
    if (told == NULL) {
        page_add(self, STYLE_CODE, item->check);
        page_line(self, STYLE_SOFT, item->id);
    } else {
        page_add(self, STYLE_SOFT, item->id);
    }
    page_next_cell(self);
    add_place(self, model, programme, timeline, item);
    if (programme != NULL)
        add_pictures(self, model, programme, item);
    page_next_cell(self);
    page_add(self, STYLE_PLAIN, item->message);
    add_waiver(self, item);
    const char *sources = sources_of(item, self->memory);
    if (sources[0] != '\0' && (told == NULL || strcmp(sources, sources_of(told, self->memory)) != 0))
        page_line(self, STYLE_SOFT, sources);
}

/* So many of a kind stand one by one; of more the worst alone, with the others behind it. */
enum { ALIKE_MAX = 3 };

/* The finding at `first`, with those of its kind behind it where they are many; what an earlier one has told is not told again. */
static void add_kind(page *self, const report_model *model, const report_programme *programme, const plan_timeline *timeline,
                     const finding_list *list, size_t first)
{
    const finding *items = list->items;
    size_t worst = first;
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        bool alike = finding_alike(&items[i], &items[first]);
        count += alike;
        if (alike && finding_worse(&items[i], &items[worst]))
            worst = i;
    }
    if (count <= ALIKE_MAX) {
        add_finding(self, model, programme, timeline, &items[first], NULL);
        return;
    }
    for (size_t i = 0; i < first; i++)
        if (finding_alike(&items[i], &items[first]))
            return;
    add_finding(self, model, programme, timeline, &items[worst], NULL);
    page_fold_rows(self);
    page_format(self, STYLE_SOFT, "%zu more of %s", count - 1, items[worst].check);
    for (size_t i = first; i < list->count; i++)
        if (i != worst && finding_alike(&items[i], &items[first]))
            add_finding(self, model, programme, timeline, &items[i], &items[worst]);
    page_unfold_rows(self);
}

void report_findings(page *self, const report_model *model, const report_programme *programme, const plan_timeline *timeline,
                     const finding_list *list)
{
    static const page_column columns[] = {{"Severity", 1.7, false}, {"Check", 2.1, false}, {"Where", 2.2, true}, {"What", 5.0, false}};
    if (list->count == 0) {
        page_paragraph(self);
        page_add(self, STYLE_SOFT, "No findings.");
        return;
    }
    page_subheading(self, "Findings");
    page_table(self, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < list->count; i++)
        add_kind(self, model, programme, timeline, list, i);
}

/* ---- limits ---- */

static double figure_of(const programme_verdict *verdict, const char *check)
{
    const struct {
        const char *check;
        double value;
    } figures[] = {{"loudness.integrated", verdict->loudness.integrated_lufs},
                   {"loudness.range", verdict->loudness.range_lu},
                   {"loudness.dialogue", verdict->dialogue.lufs},
                   {"loudness.dialogue_range", verdict->dialogue.range_lu},
                   {"loudness.max_momentary", verdict->loudness.max_momentary_lufs},
                   {"loudness.max_short_term", verdict->loudness.max_short_term_lufs},
                   {"loudness.leqm", verdict->leqm_db},
                   {"loudness.plr", measure_db(verdict->peaks.true_peak) - verdict->loudness.integrated_lufs},
                   {"loudness.speech_share", verdict->dialogue.speech_share * 100.0},
                   {"peak.true", measure_db(verdict->peaks.true_peak)},
                   {"peak.sample", measure_db(verdict->peaks.sample_peak)}};
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        if (strcmp(figures[i].check, check) == 0)
            return figures[i].value;
    return (double)NAN;
}

static void add_limit(page *self, const spec_limit *limit)
{
    for (uint32_t i = 0; i < limit->word_count; i++)
        page_format(self, STYLE_PLAIN, "%s%s", i == 0 ? "" : ", ", limit->words[i]);
    if (limit->word_count == 0 && isfinite(limit->min) && limit->min >= limit->max)
        page_format(self, STYLE_PLAIN, "%.6g ", limit->min);
    else if (limit->word_count == 0 && isfinite(limit->min) && isfinite(limit->max))
        page_format(self, STYLE_PLAIN, "%.6g to %.6g ", limit->min, limit->max);
    else if (limit->word_count == 0 && isfinite(limit->max))
        page_format(self, STYLE_PLAIN, "at most %.6g ", limit->max);
    else if (limit->word_count == 0 && isfinite(limit->min))
        page_format(self, STYLE_PLAIN, "at least %.6g ", limit->min);
    page_add(self, STYLE_PLAIN, limit->unit);
}

/* A share of 1 is shown in percent, as its findings are. */
static spec_limit as_shown(const spec_limit *limit)
{
    spec_limit shown = *limit;
    if (strcmp(limit->check, "loudness.speech_share") == 0) {
        shown.min = verdict_displayed(limit->min * 100.0);
        shown.max = verdict_displayed(limit->max * 100.0);
        shown.unit = "%";
    }
    return shown;
}

/* What came of a limit: the worst finding that it made; NULL: none. */
static const finding *worst_of(const programme_verdict *verdict, const spec_limit *limit)
{
    for (size_t i = 0; i < verdict->findings.count; i++) /* worst first */
        if (verdict->findings.items[i].rule == limit || verdict->findings.items[i].wider == limit)
            return &verdict->findings.items[i];
    return NULL;
}

static void add_result(page *self, const spec_limit *limit, const programme_verdict *verdict, double figure, const finding *worst)
{
    spec_limit shown = as_shown(limit);
    bool outside = verdict_displayed(figure) < shown.min || verdict_displayed(figure) > shown.max;
    if (!verdict_in_force(verdict, limit))
        page_format(self, STYLE_SOFT, "not in force with %.1f %% of speech", verdict_displayed(verdict->dialogue.speech_share * 100.0));
    else if (worst == NULL && limit->group >= 0 && (outside || !verdict_measures(limit->check)))
        page_add(self, STYLE_SOFT, outside ? "outside; another limit of its group holds"
                                           : "not measured; another limit of its group holds");
    else
        page_add(self, STYLE_BADGE, worst == NULL ? "pass" : finding_severity_name(worst->severity));
}

void report_limits(page *self, const spec *rules, const programme_verdict *verdict)
{
    static const page_column columns[] = {
        {"Check", 2.3, false}, {"Allowed", 1.7, true}, {"Found", 1.2, true}, {"Result", 1.7, false}, {"Clause", 3.6, false}};
    if (rules == NULL || rules->limit_count == 0)
        return;
    page_subheading(self, "Checked against the spec");
    page_table(self, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < rules->limit_count; i++) {
        const spec_limit *limit = &rules->limits[i];
        const finding *worst = worst_of(verdict, limit);
        double figure = figure_of(verdict, limit->check);
        page_row(self);
        page_add(self, STYLE_CODE, limit->check);
        page_next_cell(self);
        spec_limit shown = as_shown(limit);
        add_limit(self, &shown);
        page_next_cell(self);
        if (isfinite(figure))
            page_number(self, figure);
        else
            page_add(self, STYLE_PLAIN, worst != NULL && worst->measured_word != NULL ? worst->measured_word
                                        : !verdict_measures(limit->check)             ? ""
                                        : worst == NULL                               ? "as allowed"
                                                                                      : "see findings");
        page_next_cell(self);
        add_result(self, limit, verdict, figure, worst);
        page_next_cell(self);
        page_format(self, STYLE_SOFT, "%s%s", limit->clause,
                    limit->evidence == EVIDENCE_PRIMARY ? "" : limit->evidence == EVIDENCE_SECONDARY ? " (secondary source)" : " (unverified)");
    }
}
