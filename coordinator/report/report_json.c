#include "coordinator/report/report_parts.h"
#include "coordinator/report/report_adm.h"

#include "common/measure/speech_detector.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text that is not UTF-8 (a file name may be anything) is shown byte by byte as Latin-1, so that nothing is lost. */
json_t *report_json_text(const char *text)
{
    if (text == NULL)
        return json_null();
    json_t *value = json_string(text);
    if (value != NULL)
        return value;
    size_t length = strlen(text);
    char *wide = calloc(2 * length + 1, 1);
    if (wide == NULL)
        return json_null();
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte >= 0x80)
            wide[used++] = (char)(0xC0 | byte >> 6);
        wide[used++] = (char)(byte >= 0x80 ? 0x80 | (byte & 0x3F) : byte);
    }
    value = json_string(wide);
    free(wide);
    return value == NULL ? json_null() : value;
}

/* A figure that does not exist is null, never 0 or a sentinel. */
static json_t *json_figure(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *json_count(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *json_digest(bool known, const content_hash *digest)
{
    char text[CONTENT_HASH_TEXT_SIZE];
    if (!known)
        return json_null();
    content_hash_to_text(digest, text);
    return json_string(text);
}

static json_t *json_timecode(const frame_rate *rate, bool known, uint64_t frame)
{
    char text[TIMECODE_TEXT_SIZE];
    if (!known || rate->num == 0)
        return json_null();
    timecode_format(frame, rate, text);
    return json_string(text);
}

static json_t *json_reel_timecode(const report_model *model, const plan_timeline *timeline, const finding *item)
{
    uint64_t frame = 0;
    bool clocked = report_reel_frame(model, timeline, item, &frame);
    return json_timecode(report_rate(model, timeline), clocked, frame);
}

static json_t *json_limit(const finding *item)
{
    if (item->limit_words != NULL)
        return json_pack("{s:o}", "words", report_json_text(item->limit_words));
    if (isnan(item->min) && isnan(item->max) && isnan(item->target))
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "min", json_figure(item->min), "max", json_figure(item->max), "target",
                     json_figure(item->target));
}

static json_t *json_waiver(const show_waiver *waiver)
{
    if (waiver == NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o}", "who", report_json_text(waiver->who), "when", report_json_text(waiver->when), "why",
                     report_json_text(waiver->why), "measured", report_json_text(waiver->measured));
}

/* The file to listen to that shows a finding: the channels that it names folded to stereo at this gain. */
static json_t *json_audition(const report_model *model, const report_programme *programme, const finding *item)
{
    const task_excerpt_item *excerpt = programme == NULL ? NULL : report_excerpt(model, programme, item);
    if (excerpt == NULL || excerpt->audition_size == 0)
        return json_null();
    const channel_layout *layout = channel_layout_get(model->plan->deliverables[programme->deliverable].layout);
    char path[TASK_PLACE_NAME + 16];
    snprintf(path, sizeof path, "audition/%s.wav", excerpt->place.name);
    json_t *channels = json_array();
    for (uint32_t c = 0; c < layout->channel_count; c++)
        if ((excerpt->place.channels >> c & 1) != 0)
            json_array_append_new(channels, json_string(channel_label_name(layout->labels[c])));
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "path", path, "start_sample", json_count(excerpt->place.first_frame),
                     "end_sample", json_count(excerpt->place.first_frame + excerpt->place.frame_count), "channels", channels,
                     "gain_db", json_figure(measure_db(excerpt->audition_gain)), "bytes", json_count(excerpt->audition_size),
                     "file_xxh128", json_digest(true, &excerpt->audition_digest));
}

/* programme: of the finding; NULL for that of a stem. */
static json_t *json_finding(const report_model *model, const report_programme *programme, const plan_timeline *timeline,
                            const finding *item)
{
    const frame_rate *pictures = report_rate(model, timeline);
    json_t *channels = json_array();
    for (uint32_t i = 0; i < item->channel_count; i++)
        json_array_append_new(channels, report_json_text(item->channels[i]));
    bool placed = item->has_range && timeline != NULL;
    bool clocked = placed && timeline->has_start && pictures->num != 0;
    double rate = timeline == NULL ? 1.0 : (double)timeline->sample_rate;
    uint64_t first = 0;
    uint64_t last = 0;
    if (clocked) {
        first = timeline->start_frame +
                timecode_frame_of_sample(item->start_sample, pictures, timeline->sample_rate);
        last = timeline->start_frame +
               timecode_frame_of_sample(item->end_sample, pictures, timeline->sample_rate);
    }
    json_t *object = json_object();
    json_object_set_new(object, "id", report_json_text(item->id));
    json_object_set_new(object, "check", report_json_text(item->check));
    json_object_set_new(object, "severity", json_string(finding_severity_name(item->severity)));
    json_object_set_new(object, "measured",
                        item->measured_word != NULL ? report_json_text(item->measured_word) : json_figure(item->measured));
    json_object_set_new(object, "limit", json_limit(item));
    json_object_set_new(object, "unit", report_json_text(item->unit));
    json_object_set_new(object, "channels", channels);
    json_object_set_new(object, "start_sample", placed ? json_count(item->start_sample) : json_null());
    json_object_set_new(object, "end_sample", placed ? json_count(item->end_sample) : json_null());
    json_object_set_new(object, "start_s", json_figure(placed ? (double)item->start_sample / rate : (double)NAN));
    json_object_set_new(object, "end_s", json_figure(placed ? (double)item->end_sample / rate : (double)NAN));
    json_object_set_new(object, "timecode", json_timecode(pictures, clocked, first));
    json_object_set_new(object, "timecode_end", json_timecode(pictures, clocked, last));
    json_object_set_new(object, "reel",
                        item->reel >= 0 && (uint32_t)item->reel < model->show->reel_count
                            ? report_json_text(model->show->reels[item->reel].name)
                            : json_null());
    json_object_set_new(object, "reel_timecode", json_reel_timecode(model, timeline, item));
    json_object_set_new(object, "message", report_json_text(item->message));
    json_object_set_new(object, "clause", report_json_text(item->clause));
    json_object_set_new(object, "codes",
                        json_pack("{s:o, s:o}", "netflix", report_json_text(item->netflix_code), "ebu_qc", report_json_text(item->ebu_qc)));
    json_t *details = item->details_json == NULL ? NULL : json_loads(item->details_json, 0, NULL);
    json_object_set_new(object, "details", details == NULL ? json_object() : details);
    json_object_set_new(object, "waiver", json_waiver(item->waiver));
    json_object_set_new(object, "stale_waiver", json_waiver(item->stale));
    json_object_set_new(object, "audition", json_audition(model, programme, item));
    return object;
}

static json_t *json_findings(const report_model *model, const report_programme *programme, const plan_timeline *timeline,
                             const finding_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_finding(model, programme, timeline, &list->items[i]));
    return array;
}

static json_t *json_dialogue(const dialogue_figures *dialogue)
{
    if (isnan(dialogue->speech_share))
        return json_null();
    bool heard = dialogue->gate == DIALOGUE_GATE_DETECTOR;
    json_t *object = json_pack("{s:o, s:o, s:o, s:o, s:s}", "lufs", json_figure(dialogue->lufs), "gated_lufs",
                               json_figure(dialogue->gated_lufs), "range_lu", json_figure(dialogue->range_lu), "speech_share",
                               json_figure(dialogue->speech_share), "gate", heard ? "detector" : "stem");
    if (heard) {
        json_object_set_new(object, "detector", json_string(speech_detector_name()));
        json_object_set_new(object, "lufs_error", json_figure(dialogue->lufs_error));
        json_object_set_new(object, "share_error", json_figure(dialogue->share_error));
    }
    return object;
}

static json_t *json_loudness(const loudness_figures *loudness, const dialogue_figures *dialogue, double leqm_db)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "integrated_lufs", json_figure(loudness->integrated_lufs),
                     "ungated_lufs", json_figure(loudness->ungated_lufs), "range_lu", json_figure(loudness->range_lu),
                     "max_momentary_lufs", json_figure(loudness->max_momentary_lufs), "max_short_term_lufs",
                     json_figure(loudness->max_short_term_lufs), "leqm_db", json_figure(leqm_db), "dialogue",
                     json_dialogue(dialogue));
}

static json_t *json_peaks(const peak_figures *peaks, const channel_layout *layout)
{
    json_t *channels = json_array();
    bool known = !isnan(peaks->true_peak);
    for (uint32_t c = 0; known && c < layout->channel_count; c++)
        json_array_append_new(channels,
                              json_pack("{s:s, s:o, s:o}", "channel", channel_label_name(layout->labels[c]),
                                        "true_peak_dbtp", json_figure(measure_db(peaks->channels[c].true_peak)),
                                        "sample_peak_dbfs", json_figure(measure_db(peaks->channels[c].sample_peak))));
    return json_pack("{s:o, s:o, s:o}", "true_peak_dbtp", json_figure(known ? measure_db(peaks->true_peak) : (double)NAN),
                     "sample_peak_dbfs", json_figure(known ? measure_db(peaks->sample_peak) : (double)NAN), "per_channel",
                     channels);
}

/* The second meter's figures of a whole programme; null when none was asked for or it has none. */
static json_t *json_second_meter(const report_model *model, const report_programme *programme)
{
    const task_meter_result *second = programme->second;
    if (model->meter == NULL || second == NULL)
        return json_null();
    bool measured = isfinite(second->integrated_lufs);
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "name", model->meter, "integrated_lufs",
                     json_figure(second->integrated_lufs), "range_lu", json_figure(measured ? second->range_lu : (double)NAN),
                     "max_momentary_lufs", json_figure(second->max_momentary_lufs), "max_short_term_lufs",
                     json_figure(second->max_short_term_lufs), "true_peak_dbtp", json_figure(measure_db(second->true_peak)),
                     "sample_peak_dbfs", json_figure(measure_db(second->sample_peak)));
}

/* The gain that it was rendered at, and whose `gain` decided it; null for what was received. */
static json_t *json_gain(const report_model *model, const report_programme *programme)
{
    const plan_deliverable *made = model->plan == NULL ? NULL : &model->plan->deliverables[programme->deliverable];
    if (made == NULL || !made->rendered)
        return json_null();
    bool decided = made->gain_source != PLAN_DELIVERABLE_NONE;
    return json_pack("{s:o, s:o, s:b}", "db", json_figure(programme->gain_db), "of",
                     decided ? report_json_text(model->show->deliverables[made->gain_source].name) : json_null(), "to_spec",
                     (int)made->gain_scanned);
}

/* The recipe and the stems' files that a deliverable was made from; null for what was received. */
static json_t *json_made_from(const report_model *model, const report_programme *programme)
{
    const show_deliverable *wanted = &model->show->deliverables[programme->deliverable];
    if (model->plan == NULL || wanted->recipe_name == NULL)
        return json_null();
    json_t *stems = json_array();
    for (uint32_t i = 0; i < model->stem_count; i++) {
        const report_stem *stem = &model->stems[i];
        if (!plan_takes_stem(model->show, programme->deliverable, stem->stem))
            continue;
        json_t *paths = json_array();
        for (uint32_t k = 0; k < stem->path_count; k++)
            json_array_append_new(paths, report_json_text(stem->paths[k]));
        json_array_append_new(stems, json_pack("{s:o, s:o, s:o}", "stem", report_json_text(model->show->stems[stem->stem].name), "reel",
                                               report_json_text(model->show->reels[stem->reel].name), "paths", paths));
    }
    return json_pack("{s:o, s:o}", "recipe", report_json_text(wanted->recipe_name), "stems", stems);
}

/* How each reel but the first is joined to the one before it; without fade both places are the join. */
static json_t *json_joins(const report_model *model, const plan_timeline *timeline)
{
    static const char *const laws[] = {"butt", "equal-gain", "equal-power"};
    json_t *joins = json_array();
    for (uint32_t i = 1; timeline != NULL && i < timeline->piece_count; i++) {
        const plan_piece *piece = &timeline->pieces[i];
        if (piece->spans_reels)
            continue;
        bool fades = piece->join_before + piece->join_after > 0;
        json_array_append_new(joins, json_pack("{s:o, s:s, s:o, s:o}", "reel", report_json_text(model->show->reels[piece->reel].name), "law",
                                               laws[fades ? plan_timeline_show(model->show, timeline)->join : JOIN_BUTT],
                                               "start_sample", json_count(piece->programme_frame - piece->join_before),
                                               "end_sample", json_count(piece->programme_frame + piece->join_after)));
    }
    return joins;
}

/* What a programme entry has in common, whether it is the whole or one reel. Figures and findings are set by the caller. */
static json_t *programme_object(const report_model *model, const report_programme *programme,
                                const plan_timeline *timeline)
{
    const show_deliverable *wanted = &model->show->deliverables[programme->deliverable];
    const plan_deliverable *made = model->plan == NULL ? NULL : &model->plan->deliverables[programme->deliverable];
    const channel_layout *layout = channel_layout_get(made == NULL ? LAYOUT_NONE : made->layout);
    json_t *object = json_object();
    json_t *order = json_array();
    for (uint32_t i = 0; made != NULL && i < made->order.channel_count; i++)
        json_array_append_new(order, json_string(channel_label_name(made->order.labels[i])));
    json_t *files = json_array();
    for (uint32_t i = 0; i < model->file_count; i++)
        if (model->files[i].deliverable == (int32_t)programme->deliverable)
            json_array_append_new(files, report_json_text(model->files[i].path));
    const char *language = made != NULL && made->language != NULL ? made->language : wanted->language;
    json_object_set_new(object, "deliverable", report_json_text(wanted->name));
    json_object_set_new(object, "language",
                        language == NULL || language[0] == '\0' ? json_null() : report_json_text(language));
    json_object_set_new(object, "layout", made == NULL ? json_null() : json_string(layout->name));
    json_object_set_new(object, "order", order);
    json_object_set_new(object, "files", files);
    json_object_set_new(object, "spec",
                        wanted->spec == NULL
                            ? json_null()
                            : json_pack("{s:o, s:o, s:o}", "name", report_json_text(wanted->spec->name), "version",
                                        report_json_text(wanted->spec->version), "digest",
                                        json_digest(true, &wanted->spec->digest)));
    json_object_set_new(object, "made_from", json_made_from(model, programme));
    json_object_set_new(object, "gain", json_gain(model, programme));
    json_object_set_new(object, "joins", json_joins(model, timeline));
    json_object_set_new(object, "frame_rate",
                        report_rate(model, timeline)->num == 0
                            ? json_null()
                            : json_string(frame_rate_name(report_rate(model, timeline))));
    json_object_set_new(object, "start_timecode",
                        json_timecode(report_rate(model, timeline), timeline != NULL && timeline->has_start,
                                      timeline == NULL ? 0 : timeline->start_frame));
    return object;
}

static json_t *json_range(uint64_t first, uint64_t end)
{
    return json_pack("{s:o, s:o}", "start_sample", json_count(first), "end_sample", json_count(end));
}

static const plan_timeline *timeline_of(const report_model *model, uint16_t deliverable)
{
    if (model->plan == NULL || model->plan->deliverables[deliverable].timeline == 0xFFFF)
        return NULL;
    return &model->plan->timelines[model->plan->deliverables[deliverable].timeline];
}

/* Per-reel figures are information, cut from the same energies. */
static void add_reels(const report_model *model, const report_programme *programme, json_t *programmes)
{
    const plan_timeline *timeline = timeline_of(model, programme->deliverable);
    if (programme->reels == NULL)
        return;
    const channel_layout *layout = channel_layout_get(model->plan->deliverables[programme->deliverable].layout);
    for (uint32_t i = 0; i < timeline->piece_count; i++) {
        const plan_piece *piece = &timeline->pieces[i];
        uint64_t end = piece->programme_frame + piece->frame_count;
        if (piece->spans_reels)
            continue;
        const report_reel *reel = &programme->reels[i];
        json_t *object = programme_object(model, programme, timeline);
        json_object_set_new(object, "reel", report_json_text(model->show->reels[piece->reel].name));
        json_object_set_new(object, "verdict", json_null()); /* limits apply to the whole */
        json_object_set_new(object, "range", json_range(piece->programme_frame, end));
        json_object_set_new(object, "loudness", json_loudness(&reel->loudness, &reel->dialogue, (double)NAN));
        json_object_set_new(object, "peaks", json_peaks(&reel->peaks, layout));
        json_object_set_new(object, "findings", json_array());
        json_array_append_new(programmes, object);
    }
}

/* How much of a programme was read once more for pictures, and what of it could not be. */
static json_t *json_read_again(const task_excerpt_result *excerpts)
{
    uint64_t frames = 0;
    if (excerpts == NULL)
        return json_null();
    for (uint32_t i = 0; i < excerpts->count; i++)
        frames += excerpts->items[i].place.frame_count;
    return json_pack("{s:i, s:o, s:o}", "places", (int)excerpts->count, "samples", json_count(frames), "failure",
                     excerpts->failure[0] == '\0' ? json_null() : report_json_text(excerpts->failure));
}

static json_t *json_programmes(const report_model *model)
{
    json_t *programmes = json_array();
    for (uint32_t i = 0; i < model->programme_count; i++) {
        const report_programme *programme = &model->programmes[i];
        const plan_timeline *timeline = timeline_of(model, programme->deliverable);
        json_t *object = programme_object(model, programme, timeline);
        json_object_set_new(object, "reel", json_null());
        json_object_set_new(object, "verdict", json_string(verdict_word_name(programme->verdict.word)));
        json_object_set_new(object, "range", json_range(0, timeline == NULL ? 0 : timeline->frame_count));
        json_object_set_new(object, "loudness", json_loudness(&programme->verdict.loudness, &programme->verdict.dialogue,
                                                                programme->verdict.leqm_db));
        json_object_set_new(object, "peaks",
                            json_peaks(&programme->verdict.peaks,
                                       channel_layout_get(model->plan == NULL
                                                              ? LAYOUT_NONE
                                                              : model->plan->deliverables[programme->deliverable].layout)));
        json_object_set_new(object, "second_meter", json_second_meter(model, programme));
        json_object_set_new(object, "findings", json_findings(model, programme, timeline, &programme->verdict.findings));
        json_object_set_new(object, "adm", report_adm_json(model, programme->deliverable));
        json_object_set_new(object, "read_again", json_read_again(programme->excerpts));
        json_object_set_new(object, "failure", report_json_text(programme->failure));
        json_array_append_new(programmes, object);
        add_reels(model, programme, programmes);
    }
    return programmes;
}

static json_t *json_files(const report_model *model)
{
    json_t *files = json_array();
    for (uint32_t i = 0; i < model->file_count; i++) {
        const report_file *file = &model->files[i];
        json_t *object = json_object();
        json_object_set_new(object, "path", report_json_text(file->path));
        json_object_set_new(object, "container", report_json_text(file->container));
        json_object_set_new(object, "encoding", report_json_text(file->encoding));
        json_object_set_new(object, "sample_rate", json_integer(file->sample_rate));
        json_object_set_new(object, "channels", json_integer(file->channels));
        json_object_set_new(object, "frames", json_count(file->frames));
        json_object_set_new(object, "duration_s",
                            json_figure(file->sample_rate == 0 ? (double)NAN
                                                               : (double)file->frames / (double)file->sample_rate));
        json_object_set_new(object, "start_timecode", json_timecode(&file->rate, file->has_start, file->start_frame));
        json_object_set_new(object, "file_xxh128", json_digest(file->has_digests, &file->file_digest));
        json_object_set_new(object, "audio_xxh128", json_digest(file->has_digests, &file->audio_digest));
        json_object_set_new(object, "published", json_boolean(file->published));
        json_object_set_new(object, "failure", report_json_text(file->failure));
        json_array_append_new(files, object);
    }
    return files;
}

/* Deliverables of one render program have its stems' features together: the first of them counts. */
static bool first_of_program(const report_model *model, uint32_t index)
{
    const plan_deliverable *all = model->plan->deliverables;
    for (uint32_t i = 0; i < index; i++)
        if (all[model->programmes[i].deliverable].program == all[model->programmes[index].deliverable].program)
            return false;
    return true;
}

/* How many samples of a stem's reel were read once more: to hold them against the reference and the reel before, for leaks and
 * for clicks. */
static uint64_t stem_read_again(const report_model *model, const report_stem *stem)
{
    uint64_t frames = 0;
    for (uint32_t i = 0; model->plan != NULL && model->heard != NULL && i < model->plan->listen_count; i++) {
        const plan_listen *listen = &model->plan->listens[i];
        if (listen->stem == (int32_t)stem->stem && listen->reel == stem->reel && model->heard[i] != NULL)
            frames += model->heard[i]->frames_read;
    }
    for (uint32_t i = 0; model->plan != NULL && i < model->programme_count; i++) {
        const uint64_t *leaks = model->programmes[i].leaks_read;
        if (leaks != NULL && first_of_program(model, i))
            frames += leaks[(size_t)stem->stem * model->show->reel_count + stem->reel];
    }
    return frames;
}

static json_t *json_stems(const report_model *model)
{
    json_t *stems = json_array();
    for (uint32_t i = 0; i < model->stem_count; i++) {
        const report_stem *stem = &model->stems[i];
        json_t *paths = json_array();
        for (uint32_t k = 0; k < stem->path_count; k++)
            json_array_append_new(paths, report_json_text(stem->paths[k]));
        json_array_append_new(stems, json_pack("{s:o, s:o, s:o, s:{s:o}, s:o}", "reel",
                                               report_json_text(model->show->reels[stem->reel].name), "stem",
                                               report_json_text(model->show->stems[stem->stem].name), "paths", paths,
                                               "read_again", "samples", json_count(stem_read_again(model, stem)),
                                               "findings", json_findings(model, NULL, stem->verdict.timeline,
                                                                         &stem->verdict.findings)));
    }
    return stems;
}

static json_t *json_problems(const report_model *model)
{
    static const char *const names[] = {"info", "warn", "fail"};
    json_t *problems = json_array();
    for (size_t i = 0; model->problems != NULL && i < model->problems->count; i++) {
        const problem *item = &model->problems->items[i];
        json_array_append_new(problems, json_pack("{s:s, s:o, s:i, s:i, s:o}", "severity", names[item->severity], "file",
                                                  report_json_text(item->file), "line", (int)item->line, "column",
                                                  (int)item->column, "message", report_json_text(item->message)));
    }
    return problems;
}

/* Takes the root. */
static status json_write(json_t *root, byte_writer *writer)
{
    char *text = json_dumps(root, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12));
    json_decref(root);
    if (text == NULL)
        return STATUS_NODE_MEMORY;
    byte_writer_bytes(writer, text, strlen(text));
    byte_writer_u8(writer, '\n');
    free(text);
    return writer->failed ? STATUS_LIMIT : STATUS_OK;
}

/* The files of a deliverable that lie in its folder under their final names, and whether that is all of them. */
static json_t *delivered_files(const report_model *model, uint16_t deliverable, bool *out_complete)
{
    json_t *files = json_array();
    *out_complete = true;
    for (uint32_t i = 0; i < model->file_count; i++) {
        const report_file *file = &model->files[i];
        if (file->deliverable != (int32_t)deliverable)
            continue;
        *out_complete = *out_complete && file->published;
        if (!file->published)
            continue;
        json_t *object = json_object();
        json_object_set_new(object, "path", report_json_text(file->path));
        json_object_set_new(object, "bytes", json_count(file->bytes));
        json_object_set_new(object, "xxh128", json_digest(file->has_digests, &file->file_digest));
        json_object_set_new(object, "frames", json_count(file->frames));
        json_object_set_new(object, "sample_rate", json_integer(file->sample_rate));
        json_object_set_new(object, "channels", json_integer(file->channels));
        json_object_set_new(object, "encoding", report_json_text(file->encoding));
        json_object_set_new(object, "start_timecode", json_timecode(&file->rate, file->has_start, file->start_frame));
        json_array_append_new(files, object);
    }
    return files;
}

status report_delivery_json(const report_model *model, byte_writer *writer)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < model->programme_count; i++) {
        const report_programme *programme = &model->programmes[i];
        const plan_deliverable *made = &model->plan->deliverables[programme->deliverable];
        bool complete = false;
        if (!made->rendered)
            continue;
        json_t *object = json_object();
        json_t *files = delivered_files(model, programme->deliverable, &complete);
        json_object_set_new(object, "deliverable", report_json_text(model->show->deliverables[programme->deliverable].name));
        json_object_set_new(object, "language", made->language[0] == '\0' ? json_null() : report_json_text(made->language));
        json_object_set_new(object, "layout", json_string(channel_layout_get(made->layout)->name));
        json_object_set_new(object, "complete", json_boolean(complete));
        json_object_set_new(object, "verdict", json_string(verdict_word_name(programme->verdict.word)));
        json_object_set_new(object, "made_from", json_made_from(model, programme));
        json_object_set_new(object, "gain", json_gain(model, programme));
        json_object_set_new(object, "loudness", json_loudness(&programme->verdict.loudness, &programme->verdict.dialogue,
                                                                programme->verdict.leqm_db));
        json_object_set_new(object, "true_peak_dbtp", json_figure(measure_db(programme->verdict.peaks.true_peak)));
        json_object_set_new(object, "files", files);
        json_array_append_new(list, object);
    }
    return json_write(json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "reelmill_delivery_list", 1, "title",
                                report_json_text(model->show->title), "slug", report_json_text(model->show->slug), "version",
                                report_json_text(model->show->version), "engine", report_json_text(model->engine), "job",
                                report_json_text(model->job_id), "deliverables", list),
                      writer);
}

/* Counted from when the job was planned, as `status` does. */
static json_t *json_forecast(const report_model *model)
{
    if (model->predicted_seconds <= 0.0)
        return json_null();
    return json_pack("{s:f, s:f}", "predicted_s", model->predicted_seconds, "actual_s", model->planned_seconds);
}

status report_json(const report_model *model, byte_writer *writer)
{
    json_t *root = json_object();
    json_object_set_new(root, "reelmill", json_integer(1));
    json_object_set_new(root, "verdict", json_string(verdict_word_name(model->verdict)));
    json_object_set_new(root, "title", report_json_text(model->show->title));
    json_object_set_new(root, "slug", report_json_text(model->show->slug));
    json_object_set_new(root, "version", report_json_text(model->show->version));
    json_object_set_new(root, "engine", report_json_text(model->engine));
    json_object_set_new(root, "programmes", json_programmes(model));
    json_object_set_new(root, "files", json_files(model));
    json_object_set_new(root, "stems", json_stems(model));
    json_object_set_new(root, "problems", json_problems(model));
    json_object_set_new(root, "sign_offs", json_array()); /* `reelmill sign` adds to them */
    json_object_set_new(root, "job",
                        json_pack("{s:o, s:i, s:i, s:i, s:f, s:o}", "id", report_json_text(model->job_id), "tasks",
                                  (int)model->task_count, "retries", (int)model->retry_count, "workers",
                                  (int)model->worker_count, "wall_s", model->wall_seconds, "forecast", json_forecast(model)));
    return json_write(root, writer);
}
