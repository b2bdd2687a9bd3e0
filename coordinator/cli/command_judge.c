#include "coordinator/cli/cli.h"
#include "coordinator/cli/report_read.h"
#include "coordinator/verdict/verdict.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
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
    take_files(&facts, report, programme, memory);
    return facts;
}

static json_t *json_verdict(const char *name, const programme_verdict *verdict)
{
    json_t *findings = json_array();
    for (size_t i = 0; i < verdict->findings.count; i++) {
        const finding *item = &verdict->findings.items[i];
        json_t *measured = item->measured_word != NULL ? json_string(item->measured_word)
                           : isfinite(item->measured)  ? json_real(item->measured)
                                                       : json_null();
        json_t *object = json_pack("{s:s, s:s, s:s, s:o, s:s}", "id", item->id, "check", item->check, "severity",
                                   finding_severity_name(item->severity), "measured", measured, "message", item->message);
        json_object_set_new(object, "waived", json_boolean(item->waiver != NULL));
        json_array_append_new(findings, object);
    }
    return json_pack("{s:s, s:s, s:o}", "deliverable", name, "verdict", verdict_word_name(verdict->word), "findings", findings);
}

static void print_verdict(const char *name, const programme_verdict *verdict)
{
    printf("%-11s %s\n", verdict_word_name(verdict->word), name);
    for (size_t i = 0; i < verdict->findings.count; i++)
        printf("            %s%s: %s\n", finding_severity_name(verdict->findings.items[i].severity),
               verdict->findings.items[i].waiver != NULL ? ", waived" : "", verdict->findings.items[i].message);
}

static int judge_all(const cli_arguments *arguments, const json_t *report, const show *waivers, const spec *rules,
                     arena *memory)
{
    size_t index;
    const json_t *programme;
    verdict_word worst = VERDICT_PASS;
    json_t *programmes = json_array();
    json_array_foreach (json_object_get(report, "programmes"), index, programme) {
        if (json_is_string(json_object_get(programme, "reel")))
            continue;
        figure_facts facts = facts_of(report, programme, waivers, memory);
        programme_verdict verdict = {.word = VERDICT_INCOMPLETE};
        if (verdict_judge_figures(&verdict, &facts, rules, memory) != STATUS_OK)
            continue;
        if (json_is_string(json_object_get(programme, "failure")))
            verdict.word = verdict_worst(verdict.word, VERDICT_INCOMPLETE);
        worst = verdict_worst(worst, verdict.word);
        json_array_append_new(programmes, json_verdict(facts.deliverable, &verdict));
        if (!cli_flag(arguments, "json"))
            print_verdict(facts.deliverable, &verdict);
    }
    if (json_array_size(programmes) == 0)
        worst = VERDICT_INCOMPLETE;
    char digest[CONTENT_HASH_TEXT_SIZE];
    content_hash_to_text(&rules->digest, digest);
    json_t *document = json_pack("{s:i, s:s, s:{s:s, s:s, s:s}, s:o}", "reelmill", 1, "verdict", verdict_word_name(worst), "spec",
                                 "name", rules->name, "version", rules->version, "digest", digest, "programmes", programmes);
    char *text = json_dumps(document, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12));
    if (cli_flag(arguments, "json") && text != NULL)
        puts(text);
    free(text);
    json_decref(document);
    return worst == VERDICT_PASS || worst == VERDICT_WARN ? EXIT_PASS : EXIT_QC;
}

/* A spec of the library, or of a file. */
static status read_spec(const char *name, spec *out_rules, arena *memory, error_detail *detail)
{
    const library *shipped = library_shipped();
    named_text text = {.name = name, .source = name};
    size_t length = strlen(name);
    if (length > 5 && strcmp(name + length - 5, ".yaml") == 0) {
        status code = read_text_file(name, SHOW_TEXT_MAX, memory, &text.text, &text.text_size, detail);
        if (code != STATUS_OK)
            return code;
        const char *slash = strrchr(name, '/');
        text.name = arena_format(memory, "%.*s", (int)strlen(slash == NULL ? name : slash + 1) - 5, slash == NULL ? name : slash + 1);
    }
    for (size_t i = 0; text.text == NULL && i < shipped->spec_count; i++)
        if (strcmp(shipped->specs[i].name, name) == 0)
            text = shipped->specs[i];
    if (text.text == NULL)
        return error_detail_set(detail, STATUS_INPUT_MISSING, "there is no spec '%s'; `reelmill specs` lists them", name);
    problem_list problems = {0};
    status code = spec_parse(out_rules, text.name, text.text, text.text_size, text.source, memory, &problems);
    if (code != STATUS_OK)
        return error_detail_set(detail, code, "%s", problem_list_text(&problems, memory));
    return STATUS_OK;
}

static status read_report(const char *path, show *out_waivers, arena *memory, json_t **out_report, error_detail *detail)
{
    size_t length = strlen(path);
    if (length < 5 || strcmp(path + length - 5, ".json") != 0) {
        loaded_show loaded;
        status code = loaded_show_read(&loaded, path, NULL, memory, detail);
        if (code != STATUS_OK)
            return code;
        out_waivers->waivers = loaded.show.waivers;
        out_waivers->waiver_count = loaded.show.waiver_count;
        path = report_of_show(&loaded, memory);
    }
    return report_read(path, memory, out_report, detail);
}

int command_judge(const cli_arguments *arguments)
{
    arena memory;
    arena_init(&memory);
    error_detail detail = {0};
    json_t *report = NULL;
    show waivers = {.file_name = ""};
    spec *rules = arena_take(&memory, sizeof *rules); /* too large for a stack */
    status code = cli_text(arguments, "spec") == NULL
                      ? error_detail_set(&detail, STATUS_INPUT_INVALID, "name a spec: --spec NAME or --spec FILE.yaml")
                      : read_spec(cli_text(arguments, "spec"), rules, &memory, &detail);
    if (code == STATUS_OK)
        code = read_report(arguments->words[0], &waivers, &memory, &report, &detail);
    int exit_code = code == STATUS_OK ? judge_all(arguments, report, &waivers, rules, &memory) : cli_fail_detail(&detail);
    json_decref(report);
    arena_deinit(&memory);
    return exit_code;
}
