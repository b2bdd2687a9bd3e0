#include "coordinator/cli/cli.h"
#include "coordinator/cli/judged_report.h"
#include "coordinator/cli/report_read.h"
#include "coordinator/report/page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static json_t *json_item(const judged_item *judged)
{
    json_t *findings = json_array();
    for (size_t i = 0; i < judged->findings.count; i++) {
        const finding *item = &judged->findings.items[i];
        json_t *measured = item->measured_word != NULL ? json_string(item->measured_word)
                           : isfinite(item->measured)  ? json_real(item->measured)
                                                       : json_null();
        json_t *object = json_pack("{s:s, s:s, s:s, s:o, s:s}", "id", item->id, "check", item->check, "severity",
                                   finding_severity_name(item->severity), "measured", measured, "message", item->message);
        json_object_set_new(object, "waived", json_boolean(item->waiver != NULL));
        json_array_append_new(findings, object);
    }
    return json_pack("{s:s, s:s, s:o}", judged->of_stem ? "stem" : "deliverable", judged->name, "verdict",
                     verdict_word_name(judged->word), "findings", findings);
}

static void print_item(const judged_item *judged)
{
    cli_print(stdout, "%-11s %s%s\n", verdict_word_name(judged->word), judged->of_stem ? "stem " : "", judged->name);
    for (size_t i = 0; i < judged->findings.count; i++)
        cli_print(stdout, "            %s%s: %s\n", page_badge_text(finding_severity_name(judged->findings.items[i].severity)),
                  judged->findings.items[i].waiver != NULL ? ", waived" : "", judged->findings.items[i].message);
}

static int tell(const cli_arguments *arguments, const judged_list *list, const spec *rules, bool whole)
{
    verdict_word worst = list->count == 0 ? VERDICT_INCOMPLETE : VERDICT_PASS;
    json_t *programmes = json_array();
    json_t *stems = json_array();
    for (uint32_t i = 0; i < list->count; i++) {
        const judged_item *judged = &list->items[i];
        worst = verdict_worst(worst, judged->word);
        json_array_append_new(judged->of_stem ? stems : programmes, json_item(judged));
        if (!cli_flag(arguments, "json"))
            print_item(judged);
    }
    char digest[CONTENT_HASH_TEXT_SIZE];
    content_hash_to_text(&rules->digest, digest);
    json_t *document = json_pack("{s:i, s:s, s:{s:s, s:s, s:s}, s:s, s:o, s:o}", "reelmill", 1, "verdict", verdict_word_name(worst),
                                 "spec", "name", rules->name, "version", rules->version, "digest", digest, "judged_from",
                                 whole ? "measures" : "figures", "programmes", programmes, "stems", stems);
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
    if (code != STATUS_OK) {
        fputs(problem_list_text(&problems, memory), stderr); /* each has a line of its own */
        return error_detail_set(detail, code, "%s", "");
    }
    return STATUS_OK;
}

static status judge(const cli_arguments *arguments, const spec *rules, judged_list *list, bool *out_whole, json_t **out_report,
                    arena *memory, error_detail *detail)
{
    const char *path = NULL;
    show title = {.file_name = ""};
    judged_range range = {.from = cli_text(arguments, "from"), .to = cli_text(arguments, "to")};
    bool of_range = range.from != NULL || range.to != NULL;
    bool of_show = strstr(arguments->words[0], ".json") == NULL;
    status code = report_locate(arguments, "measures.bin", memory, &path, &title, detail);
    if (code != STATUS_OK)
        return code;
    *out_whole = access(path, F_OK) == 0;
    if (*out_whole)
        return judged_from_measures(list, path, rules, &range, of_show && title.waivers != NULL ? &title : NULL, memory, detail);
    if (of_range)
        return error_detail_set(detail, STATUS_INPUT_MISSING, "there is no '%s', which a part of the programme is judged from", path);
    code = report_locate(arguments, "report.json", memory, &path, &title, detail);
    if (code == STATUS_OK)
        code = report_read(path, memory, out_report, detail);
    if (code == STATUS_OK)
        cli_print(stderr, "reelmill: no measures.bin lies beside '%s': levels and forms of files are judged from its "
                          "figures, no more\n",
                  path);
    return code == STATUS_OK ? judged_from_figures(list, *out_report, rules, &title, memory) : code;
}

int command_judge(const cli_arguments *arguments)
{
    arena memory;
    arena_init(&memory);
    error_detail detail = {0};
    judged_list list = {0};
    json_t *report = NULL;
    bool whole = false;
    spec *rules = arena_take(&memory, sizeof *rules); /* too large for a stack */
    status code = cli_text(arguments, "spec") == NULL
                      ? error_detail_set(&detail, STATUS_INPUT_INVALID, "name a spec: --spec NAME or --spec FILE.yaml")
                      : read_spec(cli_text(arguments, "spec"), rules, &memory, &detail);
    if (code == STATUS_OK)
        code = judge(arguments, rules, &list, &whole, &report, &memory, &detail);
    int exit_code = code == STATUS_OK ? tell(arguments, &list, rules, whole) : cli_fail_detail(&detail);
    json_decref(report);
    judged_list_close(&list);
    arena_deinit(&memory);
    return exit_code;
}
