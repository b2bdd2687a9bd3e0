#include "coordinator/cli/cli.h"
#include "coordinator/cli/report_read.h"
#include "coordinator/report/page.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_in(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static void print_trim(const char *what, const json_t *trim)
{
    if (json_is_number(trim))
        printf("%s by %+.1f dB\n", what, json_number_value(trim));
    else
        printf("%s: no change of up to 20 dB passes\n", what);
}

static void print_reels(const json_t *reels)
{
    size_t index;
    const json_t *reel;
    json_array_foreach (reels, index, reel) {
        const json_t *own = json_object_get(reel, "lufs");
        cli_print(stdout, "  %s, ", text_in(reel, "reel"));
        if (json_is_number(own))
            printf("%.1f LUFS by itself: ", json_number_value(own));
        else
            printf("no figure of its own: ");
        print_trim("trim it alone", json_object_get(reel, "trim_db"));
    }
}

/* What a check estimated beyond its figure, as report.json has it. */
static void print_details(const json_t *details)
{
    const char *key;
    json_t *value;
    printf("Made of:\n");
    json_object_foreach ((json_t *)(uintptr_t)details, key, value) {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
        cli_print(stdout, "  %s: %s\n", key, text == NULL ? "" : text);
        free(text);
    }
}

static void print_finding(const json_t *item)
{
    const json_t *details = json_object_get(item, "details");
    const json_t *blocks = json_object_get(details, "blocks");
    const json_t *gate = json_object_get(details, "gate_lufs");
    const json_t *share = json_object_get(details, "speech_share");
    cli_print(stdout, "%s %s: %s\n", page_badge_text(text_in(item, "severity")), text_in(item, "check"), text_in(item, "message"));
    if (text_in(item, "clause")[0] != '\0')
        cli_print(stdout, "Limit: %s\n", text_in(item, "clause"));
    if (json_is_integer(blocks) && json_is_number(share))
        printf("Made by %lld blocks of 400 ms in which %s (%.1f %% of the programme), without level gates.\n",
               (long long)json_integer_value(blocks),
               strcmp(text_in(details, "gate"), "detector") == 0 ? "our speech detector hears speech" : "the dialogue stem speaks",
               100.0 * json_number_value(share));
    else if (json_is_integer(blocks))
        printf("Made by %lld blocks of 400 ms louder than the relative gate of %.1f LUFS.\n",
               (long long)json_integer_value(blocks), json_number_value(gate));
    if (json_object_get(details, "trim_db") != NULL) {
        bool placed = json_is_integer(json_object_get(item, "start_sample"));
        printf("Smallest change that passes:\n");
        print_trim(placed ? "  trim this place" : "  trim the whole programme", json_object_get(details, "trim_db"));
        print_reels(json_object_get(details, "reels"));
        if (json_is_true(json_object_get(details, "clamped")))
            printf("at least: the sum was clamped or limited there, and what it held before is higher. Judge it again after the change.\n");
    } else if (json_object_size(details) > 0) {
        print_details(details);
    } else {
        printf("Nothing more is known about it than it says.\n");
    }
}

static status find(const cli_arguments *arguments, arena *memory, json_t **out_document, const json_t **out_item,
                   error_detail *detail)
{
    const char *path = NULL;
    status code = report_locate(arguments, "report.json", memory, &path, NULL, detail);
    if (code != STATUS_OK)
        return code;
    return report_read_finding(path, arguments->words[1], memory, out_document, out_item, detail);
}

int command_explain(const cli_arguments *arguments)
{
    if (arguments->word_count == 1)
        return command_explain_farm(arguments);
    arena memory;
    arena_init(&memory);
    error_detail detail = {0};
    json_t *document = NULL;
    const json_t *item = NULL;
    status code = find(arguments, &memory, &document, &item, &detail);
    if (code == STATUS_OK)
        print_finding(item);
    json_decref(document);
    arena_deinit(&memory);
    return code == STATUS_OK ? EXIT_PASS : cli_fail_detail(&detail);
}
