#include "coordinator/report/report_parts.h"
#include "coordinator/report/report_adm.h"

#include <math.h>
#include <string.h>

/* Of more programmes than this the measures stand behind their headings, so that all verdicts are within reach. */
enum { MEASURES_OPEN_MAX = 3 };

const char *report_mark(const report_programme *programme, arena *memory)
{
    return arena_format(memory, "deliverable-%u", programme->deliverable);
}

const plan_timeline *report_timeline(const report_model *model, uint16_t deliverable)
{
    if (model->plan == NULL || model->plan->deliverables[deliverable].timeline == UINT16_MAX)
        return NULL;
    return &model->plan->timelines[model->plan->deliverables[deliverable].timeline];
}

bool report_is_of_files(const report_model *model)
{
    return strcmp(model->show->title, "QC") == 0 && strcmp(model->show->slug, "QC") == 0;
}

const char *report_name(const report_model *model, uint16_t deliverable)
{
    const show_deliverable *wanted = &model->show->deliverables[deliverable];
    return report_is_of_files(model) && wanted->file != NULL ? wanted->file : wanted->name;
}

static void add_channels(page *self, const plan_deliverable *made, const peak_figures *peaks)
{
    const channel_layout *layout = channel_layout_get(made->layout);
    page_column *columns = arena_take_array(self->memory, layout->channel_count + 1, sizeof *columns);
    columns[0] = (page_column){"Channel", 2.4, false};
    for (uint32_t c = 0; c < layout->channel_count; c++)
        columns[c + 1] = (page_column){channel_label_name(layout->labels[c]), 1.0, true};
    page_subheading(self, "Channels");
    page_table(self, columns, layout->channel_count + 1);
    page_row(self);
    page_add(self, STYLE_PLAIN, "True peak, dBTP");
    for (uint32_t c = 0; c < layout->channel_count; c++) {
        page_next_cell(self);
        page_number(self, measure_db(peaks->channels[c].true_peak));
    }
    page_row(self);
    page_add(self, STYLE_PLAIN, "Sample peak, dBFS");
    for (uint32_t c = 0; c < layout->channel_count; c++) {
        page_next_cell(self);
        page_number(self, measure_db(peaks->channels[c].sample_peak));
    }
}

static void add_numbers(page *self, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        page_next_cell(self);
        page_number(self, values[i]);
    }
}

void report_measure_reels(const report_model *model, report_programme *programme, arena *memory)
{
    const plan_timeline *timeline = report_timeline(model, programme->deliverable);
    if (timeline == NULL || programme->measure == NULL || timeline->piece_count < 2)
        return;
    report_reel *reels = arena_take_array(memory, timeline->piece_count, sizeof *reels);
    for (uint32_t i = 0; i < timeline->piece_count; i++) {
        const plan_piece *piece = &timeline->pieces[i];
        uint64_t end = piece->programme_frame + piece->frame_count;
        reels[i].loudness = programme_measure_loudness(programme->measure, piece->programme_frame, end);
        reels[i].dialogue = speech_measure_dialogue(programme->measure, programme->speech, piece->programme_frame, end);
        reels[i].peaks = programme_measure_peaks_between(programme->measure, piece->programme_frame, end);
    }
    programme->reels = reels;
}

static void add_reels(page *self, const report_model *model, const report_programme *programme, const plan_timeline *timeline)
{
    static const page_column columns[] = {{"Reel", 1.2, false},           {"Integrated, LUFS", 1.0, true}, {"Dialogue, LUFS", 1.0, true},
                                          {"Speech, %", 1.0, true},       {"Range, LU", 1.0, true},        {"Max short-term, LUFS", 1.2, true},
                                          {"True peak, dBTP", 1.0, true}};
    if (programme->reels == NULL)
        return;
    page_subheading(self, "Reels (information)");
    page_table(self, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < timeline->piece_count; i++) {
        const plan_piece *piece = &timeline->pieces[i];
        const report_reel *reel = &programme->reels[i];
        const double values[] = {reel->loudness.integrated_lufs, reel->dialogue.lufs, reel->dialogue.speech_share * 100.0,
                                 reel->loudness.range_lu, reel->loudness.max_short_term_lufs, measure_db(reel->peaks.true_peak)};
        page_row(self);
        page_add(self, STYLE_PLAIN, piece->spans_reels ? "all" : model->show->reels[piece->reel].name);
        add_numbers(self, values, sizeof values / sizeof values[0]);
    }
}

/* Two meters side by side; only ours is judged. */
static void add_second_meter(page *self, const report_model *model, const report_programme *programme)
{
    static const page_column columns[] = {{"Meter", 1.4, false},          {"Integrated, LUFS", 1.0, true},     {"Range, LU", 1.0, true},
                                          {"Max momentary, LUFS", 1.2, true}, {"Max short-term, LUFS", 1.2, true}, {"True peak, dBTP", 1.0, true}};
    if (model->meter == NULL)
        return;
    page_subheading(self, "Second meter (information)");
    if (programme->second == NULL) {
        page_paragraph(self);
        page_format(self, STYLE_SOFT, "%s has no figures: the programme was not published, or its task failed.", model->meter);
        return;
    }
    const task_meter_result *second = programme->second;
    const loudness_figures *ours = &programme->verdict.loudness;
    const double own[] = {ours->integrated_lufs, ours->range_lu, ours->max_momentary_lufs, ours->max_short_term_lufs,
                          measure_db(programme->verdict.peaks.true_peak)};
    const double other[] = {second->integrated_lufs, isfinite(second->integrated_lufs) ? second->range_lu : (double)NAN,
                            second->max_momentary_lufs, second->max_short_term_lufs, measure_db(second->true_peak)};
    page_table(self, columns, sizeof columns / sizeof columns[0]);
    page_row(self);
    page_add(self, STYLE_PLAIN, "reelmill");
    add_numbers(self, own, sizeof own / sizeof own[0]);
    page_row(self);
    page_add(self, STYLE_PLAIN, model->meter);
    add_numbers(self, other, sizeof other / sizeof other[0]);
}

static void add_figures(page *self, const programme_verdict *verdict)
{
    page_figures(self);
    page_figure_add(self, verdict->loudness.integrated_lufs, "LUFS", "integrated");
    bool heard = verdict->dialogue.gate == DIALOGUE_GATE_DETECTOR;
    if (!isnan(verdict->dialogue.lufs)) /* most have none, and the table of the cover says so */
        page_figure_add(self, verdict->dialogue.lufs, "LUFS", heard ? "dialogue, by our detector" : "dialogue");
    if (!isnan(verdict->leqm_db))
        page_figure_add(self, verdict->leqm_db, "dB", "Leq(m)");
    if (!isnan(verdict->dialogue.speech_share))
        page_figure_add(self, verdict->dialogue.speech_share * 100.0, "%", heard ? "speech, by our detector" : "speech");
    page_figure_add(self, verdict->loudness.range_lu, "LU", "loudness range");
    page_figure_add(self, verdict->loudness.max_short_term_lufs, "LUFS", "max short-term");
    page_figure_add(self, verdict->loudness.max_momentary_lufs, "LUFS", "max momentary");
    page_figure_add(self, measure_db(verdict->peaks.true_peak), "dBTP", "true peak");
}

/* One picture under a heading, if there is one. */
static void add_chart(page *self, const char *heading, const drawing *picture)
{
    if (picture == NULL)
        return;
    page_subheading(self, heading);
    page_picture(self, picture);
}

static void add_sync(page *self, const report_model *model, const report_programme *programme)
{
    bool headed = false; /* a chart of each reel says which it is */
    const plan_deliverable *planned = model->plan == NULL ? NULL : &model->plan->deliverables[programme->deliverable];
    for (uint32_t i = 0; model->heard != NULL && planned != NULL && i < planned->listen_count; i++) {
        const drawing *picture = chart_sync(model, planned->first_listen + i, self->memory);
        if (picture == NULL)
            continue;
        if (!headed)
            page_subheading(self, "Sync against the reference");
        headed = true;
        page_picture(self, picture);
    }
}

/* True where an earlier finding is about the same channel within a cell's length: its spectrum shows this one too. */
static bool seen_before(const finding_list *findings, size_t index)
{
    const finding *item = &findings->items[index];
    for (size_t i = 0; i < index; i++) {
        const finding *other = &findings->items[i];
        uint64_t apart = other->start_sample > item->start_sample ? other->start_sample - item->start_sample
                                                                  : item->start_sample - other->start_sample;
        const char *theirs = other->channel_count > 0 ? other->channels[0] : "";
        bool same_channel = strcmp(theirs, item->channel_count > 0 ? item->channels[0] : "") == 0;
        if (other->has_range && other->severity >= FINDING_WARN && same_channel && apart < CELL_FRAMES)
            return true;
    }
    return false;
}

/* The levels, and the spectra around the worst places. */
void report_draw_signal(const report_model *model, report_programme *programme, arena *memory)
{
    const plan_timeline *timeline = report_timeline(model, programme->deliverable);
    const finding_list *findings = &programme->verdict.findings;
    if (timeline == NULL || programme->measure == NULL || timeline->frame_count == 0)
        return;
    bool drawn[TASK_PLACES_MAX] = {false};
    programme->levels = chart_levels(model, programme, memory);
    for (size_t i = 0; i < findings->count && programme->spectrum_count < REPORT_SPECTRA_MAX; i++) {
        const finding *item = &findings->items[i];
        const task_excerpt_item *excerpt = report_excerpt(model, programme, item);
        bool seen = excerpt == NULL ? seen_before(findings, i) : drawn[excerpt - programme->excerpts->items];
        if (item->severity < FINDING_WARN || seen)
            continue;
        const drawing *picture = excerpt != NULL ? chart_excerpt(model, timeline, excerpt, item, memory)
                                                 : chart_spectrum(model, programme, timeline, item, memory);
        if (picture != NULL)
            programme->spectra[programme->spectrum_count++] = picture;
        if (excerpt != NULL)
            drawn[excerpt - programme->excerpts->items] = true;
    }
}

static void add_spectra(page *self, const report_programme *programme)
{
    if (programme->spectrum_count > 0)
        page_subheading(self, "Spectra around findings");
    for (uint32_t i = 0; i < programme->spectrum_count; i++)
        page_picture(self, programme->spectra[i]);
    if (programme->excerpts == NULL || programme->excerpts->failure[0] == '\0')
        return;
    page_paragraph(self);
    page_format(self, STYLE_SOFT, "Around findings, %s", programme->excerpts->failure);
}

/* What it was raised by, and who says so; nothing where nothing was. */
static void add_gain(page *self, const report_model *model, const report_programme *programme, const plan_deliverable *made)
{
    if (made == NULL || made->gain_source == PLAN_DELIVERABLE_NONE || !isfinite(programme->gain_db) ||
        (!made->gain_scanned && fabs(programme->gain_db) < 0.005))
        return;
    bool own = made->gain_source == programme->deliverable;
    page_format(self, STYLE_SOFT, ", gain %+.2f dB", programme->gain_db);
    if (own && made->gain_scanned)
        page_add(self, STYLE_SOFT, ", found for its spec");
    else if (!own)
        page_format(self, STYLE_SOFT, ", %s %s", made->gain_scanned ? "found for the spec of" : "that of",
                    model->show->deliverables[made->gain_source].name);
}

static void add_head(page *self, const report_model *model, const report_programme *programme, const plan_deliverable *made)
{
    const show_deliverable *wanted = &model->show->deliverables[programme->deliverable];
    page_section(self, false);
    page_heading(self, report_name(model, programme->deliverable), verdict_word_name(programme->verdict.word));
    page_mark(self, report_mark(programme, self->memory));
    page_paragraph(self);
    page_add(self, STYLE_SOFT, made == NULL ? "" : channel_layout_get(made->layout)->name);
    if (!report_is_of_files(model)) /* there the file is the heading */
        page_format(self, STYLE_SOFT, " %s %s", wanted->recipe_name != NULL ? "by recipe" : "received as",
                    wanted->recipe_name != NULL ? wanted->recipe_name : wanted->file);
    add_gain(self, model, programme, made);
    if (wanted->spec == NULL || wanted->spec->limit_count == 0)
        page_add(self, STYLE_SOFT, "; it has no spec, so levels and form are told and not judged");
    else
        page_format(self, STYLE_SOFT, ", judged by %s, version %s", wanted->spec->title != NULL ? wanted->spec->title : wanted->spec->name,
                    wanted->spec->version);
    if (programme->failure != NULL) {
        page_paragraph(self);
        page_add(self, STYLE_STRONG, programme->failure);
    }
}

void report_programme_section(page *self, const report_model *model, const report_programme *programme)
{
    const plan_deliverable *made = model->plan == NULL ? NULL : &model->plan->deliverables[programme->deliverable];
    const plan_timeline *timeline = report_timeline(model, programme->deliverable);
    const programme_verdict *verdict = &programme->verdict;
    bool measured = timeline != NULL && programme->measure != NULL && timeline->frame_count > 0;
    add_head(self, model, programme, made);
    if (measured) {
        add_figures(self, verdict);
        page_picture(self, chart_loudness(model, programme, self->memory));
    }
    report_findings(self, model, programme, timeline, &verdict->findings);
    report_limits(self, model->show->deliverables[programme->deliverable].spec, verdict);
    if (!measured)
        return;
    if (model->programme_count > MEASURES_OPEN_MAX)
        page_fold(self);
    add_spectra(self, programme);
    add_channels(self, made, &verdict->peaks);
    report_adm_page(self, model, programme->deliverable);
    add_chart(self, "True peak over time", chart_true_peak(model, programme, self->memory));
    add_chart(self, "Level of each channel", programme->levels);
    add_chart(self, "Leaks between stems", chart_bleed(model, programme, self->memory));
    add_sync(self, model, programme);
    add_second_meter(self, model, programme);
    add_reels(self, model, programme, timeline);
}
