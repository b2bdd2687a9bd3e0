#define _GNU_SOURCE
#include "coordinator/shell/job_compose.h"

#include "common/base/engine_version.h"
#include "coordinator/report/page.h"
#include "coordinator/shell/document_file.h"
#include "coordinator/shell/job.h"
#include "coordinator/shell/job_measures.h"
#include "coordinator/verdict/finding_places.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { NOT_SET = 0x7FFF, REPORT_BYTES_MAX = 256 << 20 };

/* ---- merging ---- */

static int compare_records(const void *a, const void *b)
{
    uint32_t left = ((const cell_record *)a)->cell;
    uint32_t right = ((const cell_record *)b)->cell;
    return left < right ? -1 : left > right;
}

/* The features of the stems stand behind the measures of the outputs. */
static status add_stems(stem_programme *stems, const cell_record *record, uint32_t output_count)
{
    stem_features features = {0};
    if (record->measure_count != output_count + 1)
        return STATUS_STORAGE_MISMATCH;
    status code = stem_features_decode(&features, record->measures[output_count].bytes, record->measures[output_count].size);
    if (code == STATUS_OK)
        code = stem_programme_add(stems, &features);
    stem_features_deinit(&features);
    return code;
}

static status add_measure(programme_measure *measure, const cell_record *record, uint16_t output)
{
    cell_measure cell;
    if (output >= record->measure_count)
        return STATUS_STORAGE_MISMATCH;
    status code = cell_measure_decode(&cell, record->measures[output].bytes, record->measures[output].size);
    if (code != STATUS_OK)
        return code;
    code = programme_measure_add(measure, &cell);
    cell_measure_deinit(&cell);
    return code;
}

/* Where a programme, or its scan, stands in a render program. */
typedef struct measured_place {
    uint16_t program, output, speech;
} measured_place;

static measured_place place_of(const plan *job_plan, const programme_input *input)
{
    const plan_deliverable *deliverable = &job_plan->deliverables[input->deliverable];
    if (input->scan)
        return (measured_place){deliverable->scan_program, deliverable->scan_output, deliverable->scan_speech};
    /* Where nothing says where the reels begin in it, its stems speak elsewhere. */
    bool unknown = plan_leader_unknown(&job_plan->timelines[deliverable->timeline]);
    uint16_t speech = unknown ? PLAN_OUTPUT_NONE : deliverable->speech_output;
    return (measured_place){deliverable->program, deliverable->program_output, speech};
}

static status add_record(merged_programme *merged, const plan *job_plan, const measured_place *place,
                         const cell_record *record)
{
    status code = add_measure(merged->measure, record, place->output);
    if (code == STATUS_OK && merged->speech != NULL)
        code = add_measure(merged->speech, record, place->speech);
    if (code == STATUS_OK && job_plan->program_stems[place->program] != STEMS_NONE)
        code = add_stems(&merged->stems, record, job_plan->programs[place->program].output_count);
    return code;
}

/* A stretch that is read: one after the other. */
typedef struct stretch_cells {
    cell_bytes bytes;
    cell_record *records; /* [TASK_CELLS_MAX] */
} stretch_cells;

/* Cells of one attempt, which may have come in any order. */
static status add_stretch(merged_programme *merged, const plan *job_plan, const measured_place *place,
                          const cell_stretch *stretch, const char *path, stretch_cells *cells, error_detail *detail)
{
    cell_record *records = cells->records;
    size_t count = 0;
    status code = cell_file_read(path, stretch, &cells->bytes, detail);
    for (size_t offset = 0; code == STATUS_OK && offset < stretch->byte_size;) {
        code = count < TASK_CELLS_MAX ? cell_record_decode(&records[count++], cells->bytes.bytes, stretch->byte_size, &offset)
                                      : STATUS_STORAGE_MISMATCH;
        if (code != STATUS_OK)
            error_detail_set(detail, code, "the measures in '%s' are damaged near byte %llu; run the job again", path,
                             (unsigned long long)(stretch->offset + offset));
    }
    if (count > 1)
        qsort(records, count, sizeof *records, compare_records);
    for (size_t i = 0; code == STATUS_OK && i < count; i++) {
        code = add_record(merged, job_plan, place, &records[i]);
        if (code != STATUS_OK)
            error_detail_set(detail, code, "the measure of cell %u does not follow on the one before it: %s",
                             records[i].cell, status_text(code));
    }
    return code;
}

void merged_programme_deinit(merged_programme *self)
{
    programme_measure_destroy(&self->measure);
    programme_measure_destroy(&self->speech);
    stem_programme_deinit(&self->stems);
}

const programme_measure *merged_programme_speech(const merged_programme *self)
{
    size_t count = 0;
    bool heard = self->measure != NULL && programme_measure_heard(self->measure, &count) != NULL;
    return self->speech != NULL || !heard ? self->speech : self->measure;
}

status job_merge_programme(const plan *job_plan, const programme_input *input, const char *cells_path,
                           merged_programme *out_merged, error_detail *detail)
{
    const measured_place place = place_of(job_plan, input);
    const plan_timeline *timeline = &job_plan->timelines[job_plan->program_timelines[place.program]];
    const render_program *program = &job_plan->programs[place.program];
    merged_programme merged = {
        .measure = programme_measure_create(timeline->sample_rate, program->outputs[place.output].layout,
                                            timeline->frame_count)};
    bool speaks = place.speech != PLAN_OUTPUT_NONE;
    if (speaks)
        merged.speech = programme_measure_create(timeline->sample_rate, LAYOUT_MONO, timeline->frame_count);
    stem_programme_init(&merged.stems, program->input_count,
                        job_plan->program_stems[place.program] == STEMS_CROSSED);
    stretch_cells cells = {.records = malloc(TASK_CELLS_MAX * sizeof *cells.records)};
    status code = merged.measure == NULL || (speaks && merged.speech == NULL) || cells.records == NULL
                      ? error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory")
                      : STATUS_OK;
    for (uint32_t i = 0; code == STATUS_OK && i < input->stretch_count; i++)
        code = add_stretch(&merged, job_plan, &place, &input->stretches[i], cells_path, &cells, detail);
    cell_bytes_deinit(&cells.bytes);
    free(cells.records);
    if (code == STATUS_OK && !programme_measure_complete(merged.measure))
        code = error_detail_set(detail, STATUS_DEFECT, "the cells of '%s' do not cover its programme",
                                job_plan->show->deliverables[input->deliverable].name);
    if (code == STATUS_OK && !speaks && !job_plan->deliverables[input->deliverable].rendered &&
        programme_measure_hear(merged.measure) != STATUS_OK)
        code = error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    if (code != STATUS_OK) {
        merged_programme_deinit(&merged);
        return code;
    }
    *out_merged = merged;
    return STATUS_OK;
}

/* bext keeps hundredths in 16 bits; 0x7FFF says that there is no figure (EBU Tech 3285, version 2). */
static int16_t hundredths(double value)
{
    double scaled = value * 100.0;
    if (!isfinite(value) || scaled > 32766.0 || scaled < -32768.0)
        return NOT_SET;
    return (int16_t)(scaled < 0.0 ? ceil(scaled - 0.5) : floor(scaled + 0.5));
}

static void keep_worst(const finding_list *findings, merge_outcome *outcome)
{
    for (size_t i = 0; i < findings->count; i++) {
        const finding *item = &findings->items[i];
        outcome->by_severity[item->severity]++;
        if (item->severity == FINDING_INFO || outcome->finding_count == MERGE_FINDINGS_MAX)
            continue;
        merged_finding *kept = &outcome->findings[outcome->finding_count++];
        kept->severity = (uint8_t)item->severity;
        snprintf(kept->check, sizeof kept->check, "%s", item->check);
        snprintf(kept->message, sizeof kept->message, "%s%s", item->waiver != NULL ? "(waived) " : "", item->message);
    }
}

status job_merge(const plan *job_plan, const programme_input *input, const sync_measure *const *heard,
                 const char *cells_path, merge_outcome *out_outcome, error_detail *detail)
{
    merged_programme merged = {0};
    status code = job_merge_programme(job_plan, input, cells_path, &merged, detail);
    if (code != STATUS_OK)
        return code;
    arena memory;
    arena_init(&memory);
    programme_facts facts = {.plan = job_plan, .deliverable = input->deliverable, .measure = merged.measure,
                             .speech = merged_programme_speech(&merged), .stems = &merged.stems, .heard = heard};
    programme_verdict verdict = {0};
    code = verdict_judge(&verdict, &facts, &memory);
    if (code == STATUS_OK) {
        *out_outcome = (merge_outcome){
            .verdict = (uint8_t)verdict.word,
            .publish = verdict.publish,
            .loudness_value = hundredths(verdict.loudness.integrated_lufs),
            .loudness_range = hundredths(verdict.loudness.range_lu),
            .max_true_peak = hundredths(measure_db(verdict.peaks.true_peak)),
            .max_momentary = hundredths(verdict.loudness.max_momentary_lufs),
            .max_short_term = hundredths(verdict.loudness.max_short_term_lufs),
        };
        keep_worst(&verdict.findings, out_outcome);
        const plan_deliverable *made = &job_plan->deliverables[input->deliverable];
        const plan_timeline *timeline = &job_plan->timelines[made->timeline];
        const read_share share = report_read_share(job_plan, input->deliverable, heard, &merged.stems, &memory);
        out_outcome->place_count = finding_places(&verdict.findings, made->layout, timeline->frame_count, timeline->sample_rate,
                                                  &share, out_outcome->places);
    } else {
        error_detail_set(detail, code, "'%s' could not be judged: %s",
                         job_plan->show->deliverables[input->deliverable].name, status_text(code));
    }
    arena_deinit(&memory);
    merged_programme_deinit(&merged);
    return code;
}

status job_find_gain(const plan *job_plan, const programme_input *scan, const char *cells_path, double *out_gain_db,
                     error_detail *detail)
{
    merged_programme merged = {0};
    status code = job_merge_programme(job_plan, scan, cells_path, &merged, detail);
    if (code != STATUS_OK)
        return code;
    programme_facts facts = {
        .plan = job_plan, .deliverable = scan->deliverable, .measure = merged.measure, .speech = merged_programme_speech(&merged)};
    code = verdict_gain_to_spec(&facts, out_gain_db, detail);
    merged_programme_deinit(&merged);
    return code;
}

/* ---- the reports ---- */

static report_file rendered_file(const compose_input *input, uint32_t index)
{
    const plan_file *file = &input->plan->files[index];
    const plan_timeline *timeline = &input->plan->timelines[input->plan->deliverables[file->deliverable].timeline];
    const file_outcome *outcome = &input->files[index];
    const show *job_show = input->show;
    report_file made = {
        .path = file->display,
        .deliverable = file->deliverable,
        .container = media_container_name(file->header.container),
        .encoding = sample_encoding_name(file->header.encoding),
        .sample_rate = file->header.sample_rate,
        .channels = file->header.channel_count,
        .frames = file->header.frame_count,
        .bytes = file->file_size,
        .has_digests = outcome->verified,
        .file_digest = outcome->digests.file_digest,
        .audio_digest = outcome->digests.audio_digest,
        .published = outcome->published,
        .failure = outcome->failure,
    };
    const show *film = plan_timeline_show(job_show, timeline);
    made.rate = film->rate;
    if (file->reel < 0) {
        made.has_start = timeline->has_start;
        made.start_frame = timeline->start_frame;
    } else if (job_show->reels[file->reel].has_start) {
        made.has_start = true;
        made.start_frame = job_show->reels[file->reel].has_ffoa ? job_show->reels[file->reel].ffoa_frame
                                                                : job_show->reels[file->reel].start_frame;
    }
    if (made.has_start)
        made.start_frame -= timecode_frame_of_sample(file->header.leader.head_frames, &film->rate, film->sample_rate);
    return made;
}

static report_file received_file(const compose_input *input, uint32_t index)
{
    const plan_input *file = &input->inputs->items[index];
    const media_facts *facts = &input->facts[index];
    const file_outcome *outcome = &input->received[index];
    const show *job_show = input->show;
    report_file made = {
        .path = file->display,
        .deliverable = file->deliverable,
        .container = media_container_name(facts->container),
        .encoding = sample_encoding_name(facts->encoding),
        .sample_rate = facts->sample_rate,
        .channels = facts->channel_count,
        .frames = facts->frame_count,
        .bytes = facts->identity.size,
        .has_digests = outcome->verified,
        .file_digest = outcome->digests.file_digest,
        .audio_digest = outcome->digests.audio_digest,
        .published = false,
        .failure = facts->outcome != STATUS_OK ? facts->message : outcome->failure,
    };
    made.rate = job_show->rate;
    if (facts->bext.present && job_show->rate.num != 0 && facts->sample_rate != 0) {
        made.has_start = true;
        made.start_frame = timecode_frame_of_sample(facts->bext.time_reference, &job_show->rate, facts->sample_rate);
    }
    return made;
}

static void collect_files(const compose_input *input, report_model *model, arena *memory)
{
    const plan *job_plan = input->plan;
    uint32_t received = 0;
    for (uint32_t i = 0; i < input->inputs->count; i++)
        received += input->inputs->items[i].deliverable >= 0 ? 1 : 0;
    model->files = arena_take_array(memory, (size_t)job_plan->file_count + received, sizeof *model->files);
    for (uint32_t i = 0; i < job_plan->file_count; i++)
        model->files[model->file_count++] = rendered_file(input, i);
    for (uint32_t i = 0; i < input->inputs->count; i++)
        if (input->inputs->items[i].deliverable >= 0)
            model->files[model->file_count++] = received_file(input, i);
}

/* Every stem's files, reel by reel, as the report lists what the programme was made from. */
static status collect_stems(const compose_input *input, report_model *model, arena *memory)
{
    const input_list *inputs = input->inputs;
    model->stems = arena_take_array(memory, inputs->count, sizeof *model->stems);
    for (uint32_t i = 0; i < inputs->count; i++) {
        const plan_input *item = &inputs->items[i];
        if (item->stem < 0 || item->reference || (item->optional && input->facts[i].outcome != STATUS_OK))
            continue;
        uint16_t reel = item->reel < 0 ? 0 : (uint16_t)item->reel;
        report_stem *stem = model->stem_count == 0 ? NULL : &model->stems[model->stem_count - 1];
        if (stem == NULL || stem->stem != (uint16_t)item->stem || stem->reel != reel) {
            stem = &model->stems[model->stem_count++];
            *stem = (report_stem){.reel = reel,
                                  .stem = (uint16_t)item->stem,
                                  .paths = arena_take_array(memory, LAYOUT_CHANNELS_MAX, sizeof(char *))};
        }
        if (stem->path_count < LAYOUT_CHANNELS_MAX)
            ((const char **)stem->paths)[stem->path_count++] = item->display;
    }
    for (uint32_t i = 0; i < model->stem_count; i++) {
        report_stem *stem = &model->stems[i];
        status code = verdict_judge_stem(&stem->verdict, input->plan, stem->stem, stem->reel, input->heard, memory);
        if (code != STATUS_OK)
            return code;
        model->verdict = verdict_worst(model->verdict, stem->verdict.word);
    }
    return STATUS_OK;
}

/* What goes on in a thread of its own, beside the one that made it. */
typedef struct beside {
    uv_thread_t thread;
    bool apart;
} beside;

/* Where no thread can be had it is done at once. */
static void beside_begin(beside *self, uv_thread_cb work, void *data)
{
    self->apart = uv_thread_create(&self->thread, work, data) == 0;
    if (!self->apart)
        work(data);
}

static void beside_end(beside *self)
{
    if (self->apart)
        uv_thread_join(&self->thread);
}

enum { COLLECTORS = 2 }; /* so many programmes have all their features in memory at a time */

/* One of the threads that merge, judge and draw: it takes the programmes first, first + COLLECTORS, ... */
typedef struct collector {
    const compose_input *input;
    report_model *model;
    merged_programme *merged;
    uint32_t first;
    arena *memory; /* its own */
    status code;
    error_detail *detail, own_detail;
} collector;

static status collect_programme(const compose_input *input, const report_model *model, uint32_t index, merged_programme *merged,
                                arena *memory, error_detail *detail)
{
    const programme_input *source = &input->programmes[index];
    report_programme *programme = &model->programmes[index];
    programme->deliverable = source->deliverable;
    programme->gain_db = source->gain_db;
    programme->failure = source->failure;
    programme->second = source->metered ? &source->second : NULL;
    programme->excerpts = source->excerpts;
    if (source->complete) {
        error_detail broken = {0};
        if (job_merge_programme(input->plan, source, input->cells_path, merged, &broken) != STATUS_OK)
            programme->failure = arena_copy_text(memory, broken.message);
    } else if (programme->failure == NULL) {
        programme->failure = "it was not measured to its end";
    }
    programme->measure = merged->measure;
    programme->speech = merged_programme_speech(merged);
    programme_facts facts = {.plan = input->plan,
                             .deliverable = source->deliverable,
                             .measure = merged->measure,
                             .speech = merged_programme_speech(merged),
                             .stems = &merged->stems,
                             .heard = input->heard,
                             .failure = merged->measure == NULL ? programme->failure : NULL};
    status code = verdict_judge(&programme->verdict, &facts, memory);
    if (code != STATUS_OK)
        return error_detail_set(detail, code, "'%s' could not be judged: %s",
                                input->show->deliverables[source->deliverable].name, status_text(code));
    report_measure_reels(model, programme, memory);
    report_draw_signal(model, programme, memory);
    if (merged->measure != NULL)
        programme_measure_drop_signal(merged->measure);
    programme->leaks_read = report_leaks_read(input->plan, source->deliverable, &merged->stems, memory);
    stem_programme_deinit(&merged->stems);
    return STATUS_OK;
}

static void collect_some(void *data)
{
    collector *self = data;
    for (uint32_t i = self->first; self->code == STATUS_OK && i < self->input->programme_count; i += COLLECTORS)
        self->code = collect_programme(self->input, self->model, i, &self->merged[i], self->memory, self->detail);
}

/* Measures and verdict of every deliverable; what is merged is owned by the caller. Other threads' findings lie in `others`. */
static status collect_programmes(const compose_input *input, report_model *model, merged_programme *merged, arena *memory,
                                 arena *others, error_detail *detail)
{
    collector collectors[COLLECTORS];
    model->programme_count = input->programme_count;
    model->programmes = arena_take_array(memory, input->programme_count, sizeof *model->programmes);
    if (input->show->left_out_count > 0)
        model->verdict = verdict_worst(model->verdict, VERDICT_INCOMPLETE);
    for (uint32_t i = 0; i < COLLECTORS; i++) {
        collectors[i] = (collector){.input = input, .model = model, .merged = merged, .first = i};
        collectors[i].memory = i == 0 ? memory : others;
        collectors[i].detail = i == 0 ? detail : &collectors[i].own_detail;
    }
    beside second;
    beside_begin(&second, collect_some, &collectors[1]);
    collect_some(&collectors[0]);
    beside_end(&second);
    if (collectors[0].code == STATUS_OK && collectors[1].code != STATUS_OK && detail != NULL)
        *detail = collectors[1].own_detail;
    for (uint32_t i = 0; i < model->programme_count; i++) {
        model->verdict = verdict_worst(model->verdict, model->programmes[i].verdict.word);
        if (model->programmes[i].failure != NULL)
            model->verdict = verdict_worst(model->verdict, VERDICT_INCOMPLETE);
    }
    return collectors[0].code != STATUS_OK ? collectors[0].code : collectors[1].code;
}

/* JSON from the model, the others from the page. */
static status write_report(const report_model *model, const page *shown, job_document_id id, const compose_input *input,
                           composed_document *out_document, error_detail *detail)
{
    byte_writer writer;
    error_detail why = {0};
    byte_writer_init(&writer, REPORT_BYTES_MAX);
    status code = id == DOCUMENT_REPORT_JSON   ? report_json(model, &writer)
                  : id == DOCUMENT_DELIVERY    ? report_delivery_json(model, &writer)
                  : id == DOCUMENT_REPORT_HTML ? page_html(shown, &writer)
                                               : page_pdf(shown, &writer, &why);
    if (code == STATUS_OK && writer.failed)
        code = STATUS_LIMIT;
    if (code != STATUS_OK)
        error_detail_set(detail, code, "the %s cannot be made: %s", job_document_file(id),
                         why.message[0] == '\0' ? status_text(code) : why.message);
    else
        code = job_document_write(input->folder, input->keep, id, writer.bytes, writer.size, detail);
    if (code == STATUS_OK)
        *out_document = (composed_document){.size = writer.size, .digest = content_hash_of(writer.bytes, writer.size)};
    byte_writer_deinit(&writer);
    return code;
}

/* The PDF, which takes as long as the other documents together. */
typedef struct pdf_writer {
    const report_model *model;
    const page *shown;
    const compose_input *input;
    composed_document *document;
    status code;
    error_detail detail;
} pdf_writer;

static void write_pdf(void *data)
{
    pdf_writer *self = data;
    self->code = write_report(self->model, self->shown, DOCUMENT_REPORT_PDF, self->input, self->document, &self->detail);
}

static status write_reports(const report_model *model, bool pages, const compose_input *input, compose_outcome *outcome,
                            arena *memory, error_detail *detail)
{
    const page *shown = pages ? report_page(model, memory) : NULL;
    pdf_writer pdf = {.model = model, .shown = shown, .input = input, .document = &outcome->documents[DOCUMENT_REPORT_PDF]};
    beside second = {0};
    if (pages)
        beside_begin(&second, write_pdf, &pdf);
    status code = write_report(model, shown, DOCUMENT_REPORT_JSON, input, &outcome->documents[DOCUMENT_REPORT_JSON], detail);
    if (code == STATUS_OK && pages)
        code = write_report(model, shown, DOCUMENT_REPORT_HTML, input, &outcome->documents[DOCUMENT_REPORT_HTML], detail);
    if (code == STATUS_OK && model->plan != NULL && model->plan->file_count > 0)
        code = write_report(model, NULL, DOCUMENT_DELIVERY, input, &outcome->documents[DOCUMENT_DELIVERY], detail);
    if (code == STATUS_OK && input->source != NULL && pages)
        code = job_measures_write(input, &outcome->documents[DOCUMENT_MEASURES], detail);
    beside_end(&second);
    if (code == STATUS_OK && pdf.code != STATUS_OK && detail != NULL)
        *detail = pdf.detail;
    return code != STATUS_OK ? code : pdf.code;
}

/* The model of a job; what is merged for it is the caller's to free. */
static status make_model(const compose_input *input, report_model *model, merged_programme *merged, arena *memory,
                         arena *others, error_detail *detail)
{
    *model = (report_model){.show = input->show,
                            .plan = input->plan,
                            .engine = ENGINE_VERSION,
                            .verdict = VERDICT_PASS,
                            .problems = input->problems,
                            .heard = input->heard,
                            .job_id = input->job_id,
                            .task_count = input->task_count,
                            .retry_count = input->retry_count,
                            .worker_count = input->worker_count,
                            .wall_seconds = input->wall_seconds,
                            .predicted_seconds = input->predicted_seconds,
                            .planned_seconds = input->planned_seconds,
                            .finished_text = input->finished_text,
                            .sign_off_count = input->sign_off_count,
                            .sign_offs = input->sign_offs,
                            .meter = input->meter};
    if (input->plan == NULL) {
        model->verdict = VERDICT_INCOMPLETE;
        return STATUS_OK;
    }
    collect_files(input, model, memory);
    status code = collect_stems(input, model, memory);
    return code == STATUS_OK ? collect_programmes(input, model, merged, memory, others, detail) : code;
}

static void free_merged(const compose_input *input, merged_programme *merged)
{
    for (uint32_t i = 0; i < input->programme_count; i++)
        merged_programme_deinit(&merged[i]);
}

status job_compose(const compose_input *input, compose_outcome *out_outcome, error_detail *detail)
{
    arena memory;
    arena others;
    arena_init(&memory);
    arena_init(&others);
    report_model model;
    merged_programme *merged = arena_take_array(&memory, input->programme_count, sizeof *merged);
    status code = make_model(input, &model, merged, &memory, &others, detail);
    compose_outcome outcome = {.verdict = (uint8_t)model.verdict};
    bool pages = input->source == NULL || !input->source->document.figures_only;
    if (code == STATUS_OK)
        code = write_reports(&model, pages, input, &outcome, &memory, detail);
    free_merged(input, merged);
    arena_deinit(&others);
    arena_deinit(&memory);
    if (code == STATUS_OK)
        *out_outcome = outcome;
    return code;
}

status job_compose_pages(const compose_input *input, byte_writer *html, byte_writer *pdf, verdict_word *out_verdict,
                         error_detail *detail)
{
    arena memory;
    arena others;
    arena_init(&memory);
    arena_init(&others);
    report_model model;
    merged_programme *merged = arena_take_array(&memory, input->programme_count, sizeof *merged);
    status code = make_model(input, &model, merged, &memory, &others, detail);
    if (code == STATUS_OK) {
        const page *shown = report_page(&model, &memory);
        code = page_html(shown, html);
        if (code != STATUS_OK)
            error_detail_set(detail, code, "the report.html cannot be made: %s", status_text(code));
        if (code == STATUS_OK)
            code = page_pdf(shown, pdf, detail);
    }
    *out_verdict = model.verdict;
    free_merged(input, merged);
    arena_deinit(&others);
    arena_deinit(&memory);
    return code;
}
