/* What stands in a report, behind its cover to its sign-off. */
#include "coordinator/report/report_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of more programmes than this, the worst that do not pass have a section of their own: the table names them all. */
enum { SECTIONS_MAX = 64 };

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
    static const page_column columns[] = {{"File", 3.7, false}, {"Form", 3.1, false}, {"Length", 1.2, true}, {"Digest of the file", 3.4, false}};
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
             "are spectrograms of two seconds that were read again (at most 1 % of all that was read and made, or, where that is more, one of a programme that was rendered and three of one received), or, "
             "where they were not, means over cells of 6.4 s at 48 kHz from what was stored when the audio was read first. The twelve letters and digits "
             "under the name of a check name that finding: for the commands explain, audition and waive.");
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
    page *self = page_create(memory, arena_format(memory, "%s \xE2\x80\x93 QC report", report_title(model, memory)), document_date(model, memory));
    const uint32_t *order = report_order(model, memory);
    bool many = model->programme_count > SECTIONS_MAX;
    uint32_t shown = many ? 0 : model->programme_count;
    while (many && shown < SECTIONS_MAX && model->programmes[order[shown]].verdict.word != VERDICT_PASS)
        shown++;
    report_cover(self, model, order, shown);
    if (many) {
        page_paragraph(self);
        page_format(self, STYLE_SOFT, "The worst %u have a section of their own; %u stand in this table alone, and report.json has everything about them.",
                    shown, model->programme_count - shown);
    }
    add_problems(self, model);
    for (uint32_t i = 0; i < shown; i++)
        report_programme_section(self, model, &model->programmes[many ? order[i] : i]);
    if (model->plan != NULL)
        add_stems(self, model);
    add_delivery_list(self, model);
    add_files(self, model);
    add_method(self, model);
    add_sign_off(self, model);
    return self;
}
