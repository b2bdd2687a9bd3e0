/* The first page: the verdict, a table of all programmes, and what to mend first. */
#include "coordinator/report/report_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* It was measured and judged, and yet there is no delivery. */
static bool undelivered(const report_programme *programme)
{
    return programme->failure != NULL && programme->measure != NULL;
}

const uint32_t *report_order(const report_model *model, arena *memory)
{
    verdict_rank *all = arena_take_array(memory, model->programme_count, sizeof *all);
    for (uint32_t i = 0; i < model->programme_count; i++) {
        const programme_verdict *verdict = &model->programmes[i].verdict;
        all[i] = (verdict_rank){.word = verdict->word, .place = i};
        if (undelivered(&model->programmes[i]))
            all[i].word = verdict_worst(all[i].word, VERDICT_INCOMPLETE);
        for (size_t k = 0; k < verdict->findings.count; k++) {
            const finding *item = &verdict->findings.items[k];
            all[i].fails += item->severity == FINDING_FAIL && item->waiver == NULL;
            all[i].warnings += item->severity == FINDING_WARN && item->waiver == NULL;
        }
    }
    if (model->programme_count > 1)
        qsort(all, model->programme_count, sizeof *all, verdict_rank_compare);
    uint32_t *order = arena_take_array(memory, model->programme_count, sizeof *order);
    for (uint32_t i = 0; i < model->programme_count; i++)
        order[i] = (uint32_t)all[i].place;
    return order;
}

static const char *spec_text(const show_deliverable *wanted, arena *memory)
{
    if (wanted->spec == NULL || wanted->spec->limit_count == 0)
        return "none (no limits)";
    return arena_format(memory, "%s %s", wanted->spec_name, wanted->spec->version);
}

/* By which all are judged, so that the cover says it once and not in each row; NULL: they differ, or there is none at all. */
static const char *spec_of_all(const report_model *model, arena *memory)
{
    const char *text = NULL;
    for (uint32_t i = 0; i < model->programme_count; i++) {
        const char *own = spec_text(&model->show->deliverables[model->programmes[i].deliverable], memory);
        if (text != NULL && strcmp(own, text) != 0)
            return NULL;
        text = own;
    }
    return text;
}

/* Columns of the table of verdicts that are left out where they would say the same in every row. */
enum { COVER_SPEC = 2, COVER_DIALOGUE = 4, COVER_COLUMNS = 7 };

static void add_summary_row(page *self, const report_model *model, const report_programme *programme, bool has_section,
                            const bool *shown)
{
    const show_deliverable *wanted = &model->show->deliverables[programme->deliverable];
    size_t counts[FINDING_FAIL + 1] = {0};
    size_t waived = 0;
    for (size_t i = 0; i < programme->verdict.findings.count; i++) {
        const finding *item = &programme->verdict.findings.items[i];
        waived += item->waiver != NULL;
        counts[item->severity] += item->waiver == NULL;
    }
    page_row(self);
    page_add(self, STYLE_STRONG, report_name(model, programme->deliverable));
    if (has_section)
        page_link(self, report_mark(programme, self->memory));
    page_next_cell(self);
    page_add(self, STYLE_BADGE, verdict_word_name(programme->verdict.word));
    if (shown[COVER_SPEC]) {
        page_next_cell(self);
        page_add(self, STYLE_PLAIN, spec_text(wanted, self->memory));
    }
    page_next_cell(self);
    page_number(self, programme->verdict.loudness.integrated_lufs);
    if (shown[COVER_DIALOGUE]) {
        page_next_cell(self);
        page_number(self, programme->verdict.dialogue.lufs);
    }
    page_next_cell(self);
    page_number(self, measure_db(programme->verdict.peaks.true_peak));
    page_next_cell(self);
    static const char *const words[] = {"info", "not checked", "warn", "fail"};
    bool any = false;
    for (int s = FINDING_FAIL; s >= FINDING_INFO; s--) {
        if (counts[s] > 0)
            page_format(self, s == FINDING_INFO ? STYLE_SOFT : STYLE_PLAIN, "%s%zu %s", any ? ", " : "", counts[s], words[s]);
        any = any || counts[s] > 0;
    }
    if (undelivered(programme))
        page_add(self, STYLE_STRONG, any ? ", not delivered" : "not delivered");
    if (waived > 0)
        page_format(self, STYLE_SOFT, "%s%zu waived", any ? ", " : "", waived);
    else if (!any && !undelivered(programme))
        page_add(self, STYLE_SOFT, "no findings");
}

/* How many deliverables have which verdict, in words. */
static void add_counts(page *self, const report_model *model)
{
    static const struct {
        verdict_word word;
        const char *one, *several;
    } words[] = {{VERDICT_FAIL, "fails", "fail"},
                 {VERDICT_INCOMPLETE, "could not be judged in everything", "could not be judged in everything"},
                 {VERDICT_WARN, "passes with warnings", "pass with warnings"},
                 {VERDICT_PASS, "passes", "pass"}};
    bool any = false;
    page_paragraph(self);
    const char *what = report_is_of_files(model) ? "programme" : "deliverable";
    if (model->programme_count == 1)
        page_format(self, STYLE_PLAIN, "The %s ", what);
    else
        page_format(self, STYLE_PLAIN, "Of %u %ss, ", model->programme_count, what);
    for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < model->programme_count; i++)
            count += model->programmes[i].verdict.word == words[w].word;
        if (count > 0 && model->programme_count == 1)
            page_add(self, STYLE_PLAIN, words[w].one);
        else if (count > 0)
            page_format(self, STYLE_PLAIN, "%s%u %s", any ? ", " : "", count, count == 1 ? words[w].one : words[w].several);
        any = any || count > 0;
    }
    page_add(self, STYLE_PLAIN, ".");
    uint32_t missing = 0;
    for (uint32_t i = 0; i < model->programme_count; i++)
        missing += undelivered(&model->programmes[i]);
    size_t left_out = model->show->left_out_count;
    if (left_out > 0)
        page_format(self, STYLE_STRONG, left_out == 1 ? " %zu programme more could not be judged." : " %zu programmes more could not be judged.", left_out);
    if (missing > 0)
        page_format(self, STYLE_STRONG, missing == 1 ? " %u was not delivered." : " %u were not delivered.", missing);
}

enum { MEND_FIRST_MAX = 10, MEND_NAMES_MAX = 6 };

/* What one check says at its worst, and what else it says: where, how much, and how often. */
typedef struct cover_item {
    const finding *item;
    const plan_timeline *timeline;
    const char *name, *mark, *also; /* mark: of its section, or NULL */
    uint32_t also_count;
    size_t count; /* findings in all */
} cover_item;

typedef struct cover_list {
    uint32_t count;
    cover_item items[MEND_FIRST_MAX];
    const char *more; /* other checks that found something */
    arena *memory;
} cover_list;

/* Limits of which one is enough are one thing to mend: the first says it, and names the others. */
static bool same_group(const finding *a, const finding *b)
{
    const spec_limit *first = a->wider != NULL ? a->wider : a->rule;
    const spec_limit *second = b->wider != NULL ? b->wider : b->rule;
    return first != NULL && second != NULL && a->severity == b->severity && first->group >= 0 && first->group == second->group;
}

/* The worst of a list that is of the kind of the one at `first`; 0: what stands before it in the list has told it. */
static size_t worst_of_kind(const finding_list *list, size_t first, const finding **out_worst)
{
    const finding *item = &list->items[first];
    size_t count = 0;
    *out_worst = item;
    for (size_t i = 0; i < list->count; i++) {
        const finding *other = &list->items[i];
        if (other->waiver != NULL || !(finding_alike(other, item) || (i < first && same_group(other, item))))
            continue;
        if (i < first)
            return 0;
        count++;
        if (finding_worse(other, *out_worst))
            *out_worst = other;
    }
    return count;
}

/* "ME_51 (-0.2 dBTP)": the figure where there is a limit that it breaks. */
static const char *name_with_figure(const char *name, const finding *item, arena *memory)
{
    if (!(finding_excess(item) > 0.0) || item->unit == NULL)
        return name;
    return arena_format(memory, "%s (%.1f%s%s)", name, verdict_displayed(item->measured), item->unit[0] == '\0' ? "" : " ", item->unit);
}

static void take_findings(cover_list *self, const finding_list *list, finding_severity severity, const plan_timeline *timeline,
                          const char *name, const char *mark)
{
    for (size_t i = 0; i < list->count; i++) {
        const finding *worst = NULL;
        if (list->items[i].severity != severity || list->items[i].waiver != NULL)
            continue;
        size_t count = worst_of_kind(list, i, &worst);
        if (count == 0)
            continue;
        uint32_t at = 0;
        while (at < self->count && !finding_alike(self->items[at].item, worst))
            at++;
        if (at == MEND_FIRST_MAX) {
            if (strstr(self->more, worst->check) == NULL)
                self->more = arena_format(self->memory, "%s%s%s", self->more, self->more[0] == '\0' ? "" : ", ", worst->check);
            continue;
        }
        cover_item *known = &self->items[at];
        known->count += count;
        if (at == self->count) {
            *known = (cover_item){.item = worst, .timeline = timeline, .name = name, .mark = mark, .also = "", .count = count};
            self->count++;
            continue;
        }
        if (known->also_count < MEND_NAMES_MAX)
            known->also = arena_format(self->memory, "%s%s%s", known->also, known->also_count > 0 ? ", " : "also ",
                                       name_with_figure(name, worst, self->memory));
        known->also_count++;
    }
}

/* A table of the cover, where a column of deliverables is one of files in a qc of files; shown: which columns, or NULL: all. */
static void cover_table(page *self, const report_model *model, const page_column *columns, uint32_t count, uint32_t names,
                        const bool *shown)
{
    page_column *own = arena_take_array(self->memory, count, sizeof *own);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (shown != NULL && !shown[i])
            continue;
        own[kept] = columns[i];
        if (i == names)
            own[kept].title = report_is_of_files(model) ? "File" : "Deliverable";
        kept++;
    }
    page_table(self, own, kept);
}

/* Rows of a table of severity, name and sentence: files of a qc that could not be judged, which say themselves which they are. */
static void add_left_out(page *self, const report_model *model)
{
    const show *title = model->show;
    for (size_t i = 0; i < title->left_out_count && i < MEND_NAMES_MAX; i++) {
        page_row(self);
        page_add(self, STYLE_BADGE, finding_severity_name(FINDING_NOT_CHECKED));
        page_next_cell(self);
        page_next_cell(self);
        page_add(self, STYLE_PLAIN, title->left_out[i]);
        if (i + 1 == MEND_NAMES_MAX && title->left_out_count > MEND_NAMES_MAX)
            page_line(self, STYLE_SOFT, arena_format(self->memory, "and %zu more, in report.json", title->left_out_count - MEND_NAMES_MAX));
    }
}

/* The worst of each check, so that the first page says what to do. */
static void add_mend_first(page *self, const report_model *model, const uint32_t *order, uint32_t sections)
{
    static const finding_severity severities[] = {FINDING_FAIL, FINDING_NOT_CHECKED, FINDING_WARN};
    static const page_column columns[] = {{"Severity", 1.5, false}, {NULL, 1.9, false}, {"What", 5.9, false}};
    cover_list list = {.more = "", .memory = self->memory};
    for (size_t s = 0; s < sizeof severities / sizeof severities[0]; s++) {
        for (uint32_t i = 0; i < model->programme_count; i++) {
            const report_programme *programme = &model->programmes[order[i]];
            take_findings(&list, &programme->verdict.findings, severities[s], report_timeline(model, programme->deliverable),
                          report_name(model, programme->deliverable),
                          i < sections ? report_mark(programme, self->memory) : NULL);
        }
        for (uint32_t i = 0; i < model->stem_count; i++)
            take_findings(&list, &model->stems[i].verdict.findings, severities[s], model->stems[i].verdict.timeline,
                          arena_format(self->memory, "stem %s %s", model->show->stems[model->stems[i].stem].name,
                                       model->show->reels[model->stems[i].reel].name),
                          arena_format(self->memory, "stem-%u", i));
    }
    uint32_t missing = 0;
    for (uint32_t i = 0; i < model->programme_count; i++)
        missing += undelivered(&model->programmes[i]);
    if (list.count == 0 && missing == 0 && model->show->left_out_count == 0)
        return;
    page_subheading(self, "Mend first");
    cover_table(self, model, columns, sizeof columns / sizeof columns[0], 1, NULL);
    add_left_out(self, model);
    for (uint32_t i = 0, told = 0; i < model->programme_count && told < MEND_NAMES_MAX; i++) {
        const report_programme *programme = &model->programmes[order[i]];
        if (!undelivered(programme))
            continue;
        told++;
        page_row(self);
        page_add(self, STYLE_BADGE, verdict_word_name(VERDICT_INCOMPLETE));
        page_next_cell(self);
        page_add(self, STYLE_STRONG, report_name(model, programme->deliverable));
        if (i < sections)
            page_link(self, report_mark(programme, self->memory));
        page_next_cell(self);
        page_format(self, STYLE_PLAIN, "Not delivered: %s", programme->failure);
        if (told == MEND_NAMES_MAX && missing > told)
            page_line(self, STYLE_SOFT, arena_format(self->memory, "and %u more, in the table", missing - told));
    }
    for (uint32_t i = 0; i < list.count; i++) {
        const cover_item *known = &list.items[i];
        page_row(self);
        page_add(self, STYLE_BADGE, finding_severity_name(known->item->severity));
        page_next_cell(self);
        page_add(self, STYLE_STRONG, known->name);
        if (known->mark != NULL)
            page_link(self, known->mark);
        if (known->item->has_range && known->timeline != NULL)
            page_line(self, STYLE_SOFT, report_place(model, known->timeline, known->item->start_sample, self->memory));
        page_next_cell(self);
        page_add(self, STYLE_PLAIN, known->item->message);
        if (known->also_count > 0)
            page_line(self, STYLE_SOFT, known->also);
        if (known->also_count > MEND_NAMES_MAX)
            page_format(self, STYLE_SOFT, " and %u more", known->also_count - MEND_NAMES_MAX);
        if (known->count > known->also_count + 1)
            page_format(self, STYLE_SOFT, known->also_count > 0 ? "; %zu findings of %s in all" : " %zu findings of %s in all.", known->count,
                        known->item->check);
    }
    if (list.more[0] != '\0') {
        page_paragraph(self);
        page_format(self, STYLE_SOFT, "Found too, and told with each deliverable: %s.", list.more);
    }
}

const char *report_title(const report_model *model, arena *memory)
{
    if (!report_is_of_files(model))
        return model->show->title;
    if (model->programme_count == 1 && model->show->left_out_count == 0)
        return report_name(model, model->programmes[0].deliverable);
    return arena_format(memory, "QC of %u programme%s", model->programme_count, model->programme_count == 1 ? "" : "s");
}

void report_cover(page *self, const report_model *model, const uint32_t *order, uint32_t sections)
{
    static const page_column columns[COVER_COLUMNS] = {
        {NULL, 2.2, false}, {"Verdict", 1.7, false}, [COVER_SPEC] = {"Spec and version", 2.1, false}, {"Integrated, LUFS", 1.2, true},
        [COVER_DIALOGUE] = {"Dialogue, LUFS", 1.2, true}, {"True peak, dBTP", 1.2, true}, {"Findings", 2.2, false}};
    const char *judged_by = spec_of_all(model, self->memory);
    bool shown[COVER_COLUMNS] = {true, true, judged_by == NULL, true, false, true, true};
    for (uint32_t i = 0; i < model->programme_count; i++)
        shown[COVER_DIALOGUE] = shown[COVER_DIALOGUE] || !isnan(model->programmes[i].verdict.dialogue.lufs);
    const show *title = model->show;
    page_section(self, true);
    page_paragraph(self);
    page_add(self, STYLE_SOFT, "Audio QC report");
    bool files_alone = report_is_of_files(model);
    page_title(self, report_title(model, self->memory));
    page_paragraph(self);
    if (files_alone)
        page_add(self, STYLE_SOFT, "Files as they are");
    else
        page_format(self, STYLE_SOFT, "%s %s", title->slug, title->version);
    if (title->date != NULL && title->date[0] != '\0')
        page_format(self, STYLE_SOFT, ", %s", title->date);
    if (title->rate.num != 0)
        page_format(self, STYLE_SOFT, ", %s fps", frame_rate_name(&title->rate));
    if (model->finished_text[0] != '\0')
        page_format(self, STYLE_SOFT, ", judged %s by %s", model->finished_text, model->engine);
    if (judged_by != NULL)
        page_format(self, STYLE_SOFT, ", spec %s", judged_by);
    page_verdict(self, verdict_word_name(model->verdict));
    add_counts(self, model);
    add_mend_first(self, model, order, sections);
    page_subheading(self, "Verdicts");
    cover_table(self, model, columns, COVER_COLUMNS, 0, shown);
    for (uint32_t i = 0; i < model->programme_count; i++)
        add_summary_row(self, model, &model->programmes[order[i]], i < sections, shown);
}
