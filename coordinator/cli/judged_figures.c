/* What can be judged from report.json alone, where no measures lie beside it. */
#include "coordinator/cli/judged_report.h"

#include <math.h>
#include <string.h>

/* A figure that a report does not have is NAN. */
static double figure(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static const char *word(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

/* A peak in dB as the linear value it was; a silent programme has none, which is 0. */
static double linear(double db)
{
    return isnan(db) ? 0.0 : pow(10.0, db / 20.0);
}

static const json_t *file_entry(const json_t *report, const char *path)
{
    size_t index;
    const json_t *file;
    json_array_foreach (json_object_get(report, "files"), index, file)
        if (strcmp(word(file, "path"), path) == 0)
            return file;
    return NULL;
}

static void take_files(figure_facts *facts, const json_t *report, const json_t *programme, arena *memory)
{
    const json_t *paths = json_object_get(programme, "files");
    file_form *forms = arena_take_array(memory, json_array_size(paths) + 1, sizeof *forms);
    size_t index;
    const json_t *path;
    json_array_foreach (paths, index, path) {
        const json_t *file = json_is_string(path) ? file_entry(report, json_string_value(path)) : NULL;
        if (file == NULL)
            continue;
        forms[facts->file_count++] = (file_form){.name = word(file, "path"),
                                                 .channel = CHANNEL_NONE,
                                                 .reel = -1,
                                                 .container = word(file, "container"),
                                                 .encoding = word(file, "encoding"),
                                                 .channels = word(programme, "layout"),
                                                 .sample_rate = figure(file, "sample_rate"),
                                                 .bit_depth = (double)NAN};
        facts->sample_rate = (uint32_t)fmin(fmax(figure(file, "sample_rate"), 1.0), SAMPLE_RATE_MAX);
    }
    facts->files = forms;
}

static figure_facts facts_of(const json_t *report, const json_t *programme, const show *waivers, arena *memory)
{
    const json_t *loudness = json_object_get(programme, "loudness");
    const json_t *dialogue = json_object_get(loudness, "dialogue");
    const json_t *peaks = json_object_get(programme, "peaks");
    double end = figure(json_object_get(programme, "range"), "end_sample");
    figure_facts facts = {
        .deliverable = word(programme, "deliverable"),
        .show = waivers,
        .layout = channel_layout_from_name(word(programme, "layout")),
        .sample_rate = 48000,
        .frame_count = end > 0.0 && end < 1e15 ? (uint64_t)end : 0,
        .loudness = {.integrated_lufs = figure(loudness, "integrated_lufs"),
                     .ungated_lufs = figure(loudness, "ungated_lufs"),
                     .range_lu = figure(loudness, "range_lu"),
                     .max_momentary_lufs = figure(loudness, "max_momentary_lufs"),
                     .max_short_term_lufs = figure(loudness, "max_short_term_lufs"),
                     .relative_gate_lufs = (double)NAN,
                     .max_momentary_frame = UINT64_MAX,
                     .max_short_term_frame = UINT64_MAX},
        .dialogue = {.lufs = figure(dialogue, "lufs"),
                     .gated_lufs = figure(dialogue, "gated_lufs"),
                     .range_lu = figure(dialogue, "range_lu"),
                     .speech_share = figure(dialogue, "speech_share"),
                     .block_count = isnan(figure(dialogue, "lufs")) ? UINT64_C(0) : UINT64_C(1)},
        .peaks = {.true_peak = linear(figure(peaks, "true_peak_dbtp")),
                  .sample_peak = linear(figure(peaks, "sample_peak_dbfs"))},
    };
    facts.dialogue.gate = DIALOGUE_GATE_STEM;
    if (strcmp(word(dialogue, "gate"), "detector") == 0) {
        double lufs_error = figure(dialogue, "lufs_error");
        double share_error = figure(dialogue, "share_error");
        facts.dialogue.gate = DIALOGUE_GATE_DETECTOR; /* what says not how far it is off is not believed */
        facts.dialogue.lufs_error = isnan(lufs_error) ? (double)INFINITY : lufs_error;
        facts.dialogue.share_error = isnan(share_error) ? 1.0 : share_error;
    }
    take_files(&facts, report, programme, memory);
    return facts;
}

status judged_from_figures(judged_list *out_list, const json_t *report, const spec *rules, const show *title,
                           arena *memory)
{
    size_t index;
    const json_t *programme;
    const json_t *programmes = json_object_get(report, "programmes");
    out_list->items = arena_take_array(memory, json_array_size(programmes), sizeof *out_list->items);
    json_array_foreach (programmes, index, programme) {
        if (json_is_string(json_object_get(programme, "reel")))
            continue;
        figure_facts facts = facts_of(report, programme, title, memory);
        programme_verdict verdict;
        status code = verdict_judge_figures(&verdict, &facts, rules, memory);
        if (code != STATUS_OK)
            return code;
        if (json_is_string(json_object_get(programme, "failure")))
            verdict.word = verdict_worst(verdict.word, VERDICT_INCOMPLETE);
        out_list->items[out_list->count++] =
            (judged_item){.name = facts.deliverable, .word = verdict.word, .findings = verdict.findings};
    }
    return STATUS_OK;
}
