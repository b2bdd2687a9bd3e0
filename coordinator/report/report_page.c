/* What stands in a report, from cover to sign-off. */
#include "coordinator/report/report_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of more programmes than this, the worst that do not pass have a section of their own: the table names them all. */
enum { SECTIONS_MAX = 64 };

/* A programme and what it is sorted by. */
typedef struct ranked {
    uint32_t index;
    int rank; /* of its verdict, the worst first */
    size_t fails, warnings;
} ranked;

/* It was measured and judged, and yet there is no delivery. */
static bool undelivered(const report_programme *programme)
{
    return programme->failure != NULL && programme->measure != NULL;
}

static int worse_first(const void *a, const void *b)
{
    const ranked *left = a;
    const ranked *right = b;
    if (left->rank != right->rank)
        return left->rank < right->rank ? -1 : 1;
    if (left->fails != right->fails)
        return left->fails > right->fails ? -1 : 1;
    if (left->warnings != right->warnings)
        return left->warnings > right->warnings ? -1 : 1;
    return left->index < right->index ? -1 : left->index > right->index;
}

static const ranked *rank_programmes(const report_model *model, arena *memory)
{
    static const int ranks[] = {[VERDICT_FAIL] = 0, [VERDICT_INCOMPLETE] = 1, [VERDICT_WARN] = 2, [VERDICT_PASS] = 3};
    ranked *all = arena_take_array(memory, model->programme_count, sizeof *all);
    for (uint32_t i = 0; i < model->programme_count; i++) {
        const programme_verdict *verdict = &model->programmes[i].verdict;
        all[i] = (ranked){.index = i, .rank = ranks[verdict->word]};
        if (undelivered(&model->programmes[i]) && all[i].rank > ranks[VERDICT_INCOMPLETE])
            all[i].rank = ranks[VERDICT_INCOMPLETE];
        for (size_t k = 0; k < verdict->findings.count; k++) {
            const finding *item = &verdict->findings.items[k];
            all[i].fails += item->severity == FINDING_FAIL && item->waiver == NULL;
            all[i].warnings += item->severity == FINDING_WARN && item->waiver == NULL;
        }
    }
    if (model->programme_count > 1)
        qsort(all, model->programme_count, sizeof *all, worse_first);
    return all;
}

static void add_stems(page *self, const report_model *model)
{
    for (uint32_t i = 0; i < model->stem_count; i++) {
        const report_stem *stem = &model->stems[i];
        if (stem->verdict.findings.count == 0)
            continue;
        page_section(self, false);
        page_heading(self, arena_format(self->memory, "Stem %s %s", model->show->stems[stem->stem].name, model->show->reels[stem->reel].name),
                     verdict_word_name(stem->verdict.word));
        page_mark(self, arena_format(self->memory, "stem-%u", i));
        report_findings(self, model, NULL, stem->verdict.timeline, &stem->verdict.findings);
    }
    bool told = false;
    for (uint32_t i = 0; model->heard != NULL && i < model->plan->listen_count; i++) {
        const drawing *picture = model->plan->listens[i].stem < 0 ? NULL : chart_sync(model, i, self->memory);
        if (picture == NULL)
            continue;
        if (!told) {
            page_section(self, false);
            page_heading(self, "Sync of the stems", NULL);
        }
        told = true;
        page_picture(self, picture);
    }
}

/* The stems of a deliverable, once each: they are in all reels unless report.json says otherwise. */
static void add_made_from(page *self, const report_model *model, uint16_t deliverable)
{
    bool any = false;
    for (uint32_t i = 0; i < model->show->stem_count; i++) {
        if (!plan_takes_stem(model->show, deliverable, i))
            continue;
        page_format(self, STYLE_PLAIN, "%s%s", any ? ", " : "", model->show->stems[i].name);
        any = true;
    }
}

static void add_delivery_list(page *self, const report_model *model)
{
    static const page_column columns[] = {{"File", 5.0, false},    {"Bytes", 1.6, true},      {"Recipe", 1.8, false},
                                          {"Stems", 1.6, false},   {"Integrated, LUFS", 1.2, true}};
    bool any = false;
    for (uint32_t i = 0; i < model->file_count; i++)
        any = any || (model->files[i].published && model->files[i].deliverable >= 0);
    if (model->plan == NULL || !any)
        return;
    page_section(self, false);
    page_heading(self, "Delivery list", NULL);
    page_paragraph(self);
    page_add(self, STYLE_SOFT, "What lies in the folders of the deliverables, and what it was made from; delivery_list.json has the stems' files.");
    page_table(self, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < model->programme_count; i++) {
        const report_programme *programme = &model->programmes[i];
        const show_deliverable *wanted = &model->show->deliverables[programme->deliverable];
        for (uint32_t k = 0; k < model->file_count && wanted->recipe_name != NULL; k++) {
            const report_file *file = &model->files[k];
            if (file->deliverable != (int32_t)programme->deliverable || !file->published)
                continue;
            page_row(self);
            page_add(self, STYLE_PATH, file->path);
            page_next_cell(self);
            page_format(self, STYLE_PLAIN, "%llu", (unsigned long long)file->bytes);
            page_next_cell(self);
            page_add(self, STYLE_PLAIN, wanted->recipe_name);
            page_next_cell(self);
            add_made_from(self, model, programme->deliverable);
            page_next_cell(self);
            page_number(self, programme->verdict.loudness.integrated_lufs);
        }
    }
}

static void add_files(page *self, const report_model *model)
{
    static const page_column columns[] = {{"File", 4.2, false}, {"Form", 2.6, false}, {"Length", 1.2, true}, {"Digest of the file", 3.4, false}};
    page_section(self, false);
    page_heading(self, "Files", NULL);
    page_paragraph(self);
    page_add(self, STYLE_SOFT,
             "Digests are XXH3-128 of every byte; rendered files were read back from the medium after writing, received files were read "
             "as they are.");
    page_table(self, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < model->file_count; i++) {
        const report_file *file = &model->files[i];
        char digest[CONTENT_HASH_TEXT_SIZE];
        content_hash_to_text(&file->file_digest, digest);
        page_row(self);
        page_add(self, STYLE_PATH, file->path);
        page_next_cell(self);
        page_format(self, STYLE_PLAIN, "%s %s, %u Hz, %u ch", file->container, file->encoding, file->sample_rate, file->channels);
        page_next_cell(self);
        page_format(self, STYLE_PLAIN, "%.3f s", file->sample_rate == 0 ? 0.0 : (double)file->frames / (double)file->sample_rate);
        page_next_cell(self);
        page_add(self, file->failure != NULL ? STYLE_PLAIN : STYLE_CODE, file->failure != NULL ? file->failure : file->has_digests ? digest : "");
    }
}

static void add_problems(page *self, const report_model *model)
{
    static const char *const words[] = {"info", "warn", "fail"};
    static const page_column columns[] = {{"Severity", 1.0, false}, {"File", 2.5, false}, {"What", 6.0, false}};
    if (model->problems == NULL || model->problems->count == 0)
        return;
    page_section(self, false);
    page_heading(self, "Handoff", NULL);
    page_table(self, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < model->problems->count; i++) {
        page_row(self);
        page_add(self, STYLE_BADGE, words[model->problems->items[i].severity]);
        page_next_cell(self);
        page_add(self, STYLE_PATH, model->problems->items[i].file);
        page_next_cell(self);
        page_add(self, STYLE_PLAIN, model->problems->items[i].message);
    }
}

/* Specs by name, version and digest: what was judged by can be told from what has the same name. */
static void add_specs(page *self, const report_model *model)
{
    static const page_column columns[] = {{"Spec", 1.6, false}, {"Version", 1.4, false}, {"Digest", 3.2, false}, {"Source", 4.0, false}};
    page_subheading(self, "Specs");
    page_table(self, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < model->programme_count; i++) {
        const spec *rules = model->show->deliverables[model->programmes[i].deliverable].spec;
        bool told = rules == NULL;
        for (uint32_t k = 0; k < i && !told; k++)
            told = model->show->deliverables[model->programmes[k].deliverable].spec == rules;
        if (told)
            continue;
        char digest[CONTENT_HASH_TEXT_SIZE];
        content_hash_to_text(&rules->digest, digest);
        page_row(self);
        page_add(self, STYLE_CODE, rules->name);
        page_next_cell(self);
        page_add(self, STYLE_PLAIN, rules->version);
        page_next_cell(self);
        page_add(self, STYLE_CODE, digest);
        page_next_cell(self);
        page_add(self, STYLE_SOFT, rules->source);
    }
}

static void add_method(page *self, const report_model *model)
{
    page_section(self, false);
    page_heading(self, "Method", NULL);
    page_paragraph(self);
    page_add(self, STYLE_PLAIN,
             "Loudness by ITU-R BS.1770-5 (400 ms blocks, gates at -70 LUFS and -10 LU), maxima in 10 ms steps (EBU Tech 3341), loudness range "
             "by EBU Tech 3342, dialogue loudness over the blocks in which the dialogue stem speaks (our own gate by stem, or by our speech "
             "detector where it says so, BS.1770-1 without level gates; not Dolby's), true peak by BS.1770-5 Annex 2 (4 x, 12 taps per phase). Levels are judged as displayed, at 0.1 dB. "
             "Programme limits apply from the first to the last frame of action of all reels. Pictures of findings "
             "are spectrograms of two seconds that were read again (at most 1 % of a programme, or three places where that is more), or, "
             "where they were not, means over cells of 6.4 s at 48 kHz from what was stored when the audio was read first. The twelve letters and digits "
             "under the name of a check name that finding: for `reelmill explain`, `audition` and `waive`.");
    page_paragraph(self);
    page_format(self, STYLE_SOFT, "%s, job %s: %u tasks, %u retries, %u workers, %.1f s. %s", model->engine, model->job_id, model->task_count,
                model->retry_count, model->worker_count, model->wall_seconds, model->finished_text);
    if (model->predicted_seconds > 0.0)
        page_format(self, STYLE_SOFT, ". When it was planned, %.1f s were expected; from then on it took %.1f s.", model->predicted_seconds,
                    model->planned_seconds);
    add_specs(self, model);
}

static void add_sign_off(page *self, const report_model *model)
{
    static const char *const fields[] = {"Listened to by", "Date", "Remarks", "Signature"};
    static const page_column columns[] = {{"Signed by", 2.0, false}, {"When", 1.6, true}, {"Verdict then", 1.4, false}, {"Remarks", 5.0, false}};
    page_section(self, false);
    page_heading(self, "Sign-off", NULL);
    if (model->sign_off_count > 0)
        page_table(self, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < model->sign_off_count; i++) {
        const report_sign_off *item = &model->sign_offs[i];
        page_row(self);
        page_add(self, STYLE_STRONG, item->by);
        page_next_cell(self);
        page_add(self, STYLE_PLAIN, item->when);
        page_next_cell(self);
        page_add(self, item->of_this ? STYLE_BADGE : STYLE_BADGE_WAIVED, item->verdict);
        page_next_cell(self);
        page_add(self, STYLE_PLAIN, item->remark);
        if (!item->of_this)
            page_line(self, STYLE_SOFT, "Of an earlier run under this name, not of what this report says.");
    }
    page_fields(self, fields, sizeof fields / sizeof fields[0]);
}

/* ---- the cover ---- */

static void add_summary_row(page *self, const report_model *model, const report_programme *programme, bool has_section)
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
    page_next_cell(self);
    if (wanted->spec == NULL || wanted->spec->limit_count == 0)
        page_add(self, STYLE_SOFT, "none: no limits");
    else
        page_format(self, STYLE_PLAIN, "%s %s", wanted->spec_name, wanted->spec->version);
    page_next_cell(self);
    page_number(self, programme->verdict.loudness.integrated_lufs);
    page_next_cell(self);
    page_number(self, programme->verdict.dialogue.lufs);
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
        page_add(self, STYLE_SOFT, "none");
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
    if (missing > 0)
        page_format(self, STYLE_STRONG, missing == 1 ? " %u was not delivered." : " %u were not delivered.", missing);
}

enum { MEND_FIRST_MAX = 10, MEND_NAMES_MAX = 6, MEND_BEHIND_MAX = 16 };

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

/* Of one check; and what is wrong with stems is of many kinds, of which the subject begins with the name. */
static bool same_kind(const finding *a, const finding *b)
{
    if (strcmp(a->check, b->check) != 0 || a->severity != b->severity)
        return false;
    if (strcmp(a->check, "stems.null") != 0 || a->subject == NULL || b->subject == NULL)
        return true;
    return strcspn(a->subject, " ") == strcspn(b->subject, " ") && strncmp(a->subject, b->subject, strcspn(a->subject, " ")) == 0;
}

/* Limits of which one is enough are one thing to mend: the first says it, and names the others. */
static bool same_group(const finding *a, const finding *b)
{
    return a->rule != NULL && b->rule != NULL && a->severity == b->severity && a->rule->group >= 0 &&
           a->rule->group == b->rule->group;
}

/* How far it is beyond its limit; nothing where it has none. */
static double excess_of(const finding *item)
{
    return fmax(fmax(item->measured - item->max, item->min - item->measured), 0.0); /* fmax leaves out what is NAN */
}

/* The worst of a list that is of the kind of the one at `first`; 0: what stands before it in the list has told it. */
static size_t worst_of_kind(const finding_list *list, size_t first, const finding **out_worst)
{
    const finding *item = &list->items[first];
    size_t count = 0;
    *out_worst = item;
    for (size_t i = 0; i < list->count; i++) {
        const finding *other = &list->items[i];
        if (other->waiver != NULL || !(same_kind(other, item) || (i < first && same_group(other, item))))
            continue;
        if (i < first)
            return 0;
        count++;
        if (excess_of(other) > excess_of(*out_worst))
            *out_worst = other;
    }
    return count;
}

/* "ME_51 (-0.2 dBTP)": the figure where there is a limit that it breaks. */
static const char *name_with_figure(const char *name, const finding *item, arena *memory)
{
    if (!(excess_of(item) > 0.0) || item->unit == NULL)
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
        while (at < self->count && !same_kind(self->items[at].item, worst))
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

/* A table of the cover, where a column of deliverables is one of files in a qc of files. */
static void cover_table(page *self, const report_model *model, const page_column *columns, uint32_t count, uint32_t names)
{
    page_column *own = arena_take_array(self->memory, count, sizeof *own);
    memcpy(own, columns, count * sizeof *own);
    own[names].title = report_is_of_files(model) ? "File" : "Deliverable";
    page_table(self, own, count);
}

/* The worst of each check, so that the first page says what to do. */
static void add_mend_first(page *self, const report_model *model, const ranked *order, uint32_t sections)
{
    static const finding_severity severities[] = {FINDING_FAIL, FINDING_NOT_CHECKED, FINDING_WARN};
    static const page_column columns[] = {{"Severity", 1.5, false}, {NULL, 1.9, false}, {"What", 5.9, false}};
    cover_list list = {.more = "", .memory = self->memory};
    for (size_t s = 0; s < sizeof severities / sizeof severities[0]; s++) {
        for (uint32_t i = 0; i < model->programme_count; i++) {
            const report_programme *programme = &model->programmes[order[i].index];
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
    if (list.count == 0 && missing == 0)
        return;
    page_subheading(self, "Mend first");
    cover_table(self, model, columns, sizeof columns / sizeof columns[0], 1);
    for (uint32_t i = 0, told = 0; i < model->programme_count && told < MEND_NAMES_MAX; i++) {
        const report_programme *programme = &model->programmes[order[i].index];
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

static const char *title_of(const report_model *model, arena *memory)
{
    if (!report_is_of_files(model))
        return model->show->title;
    return model->programme_count == 1 ? report_name(model, model->programmes[0].deliverable)
                                       : arena_format(memory, "QC of %u programmes", model->programme_count);
}

/* sections: of how many programmes in that order there is a section. */
static void add_cover(page *self, const report_model *model, const ranked *order, uint32_t sections)
{
    static const page_column columns[] = {{NULL, 2.2, false},            {"Verdict", 1.7, false},        {"Spec and version", 2.1, false},
                                          {"Integrated, LUFS", 1.2, true}, {"Dialogue, LUFS", 1.2, true}, {"True peak, dBTP", 1.2, true},
                                          {"Findings", 2.2, false}};
    const show *title = model->show;
    page_section(self, true);
    page_paragraph(self);
    page_add(self, STYLE_SOFT, "Audio QC report");
    bool files_alone = report_is_of_files(model);
    bool many = model->programme_count > MEND_BEHIND_MAX;
    page_title(self, title_of(model, self->memory));
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
    page_verdict(self, verdict_word_name(model->verdict));
    add_counts(self, model);
    if (many) /* behind so long a table nobody would see it */
        add_mend_first(self, model, order, sections);
    cover_table(self, model, columns, sizeof columns / sizeof columns[0], 0);
    for (uint32_t i = 0; i < model->programme_count; i++)
        add_summary_row(self, model, &model->programmes[order[i].index], i < sections);
    if (!many)
        add_mend_first(self, model, order, sections);
}

/* "2026-11-20 03:12 UTC" as PDF wants it; a report that does not know when it was made has a date that nobody takes for one. */
static const char *document_date(const report_model *model, arena *memory)
{
    unsigned day[5];
    if (sscanf(model->finished_text, "%4u-%2u-%2u %2u:%2u", &day[0], &day[1], &day[2], &day[3], &day[4]) != 5)
        return "2000-01-01T00:00:00Z";
    return arena_format(memory, "%04u-%02u-%02uT%02u:%02u:00Z", day[0], day[1], day[2], day[3], day[4]);
}

page *report_page(const report_model *model, arena *memory)
{
    page *self = page_create(memory, arena_format(memory, "%s \xE2\x80\x93 QC report", title_of(model, memory)), document_date(model, memory));
    const ranked *order = rank_programmes(model, memory);
    bool many = model->programme_count > SECTIONS_MAX;
    uint32_t shown = many ? 0 : model->programme_count;
    while (many && shown < SECTIONS_MAX && model->programmes[order[shown].index].verdict.word != VERDICT_PASS)
        shown++;
    add_cover(self, model, order, shown);
    if (many) {
        page_paragraph(self);
        page_format(self, STYLE_SOFT, "The worst %u have a section of their own; %u stand in this table alone, and report.json has everything about them.",
                    shown, model->programme_count - shown);
    }
    add_problems(self, model);
    for (uint32_t i = 0; i < shown; i++)
        report_programme_section(self, model, &model->programmes[many ? order[i].index : i]);
    if (model->plan != NULL)
        add_stems(self, model);
    add_delivery_list(self, model);
    add_files(self, model);
    add_method(self, model);
    add_sign_off(self, model);
    return self;
}
