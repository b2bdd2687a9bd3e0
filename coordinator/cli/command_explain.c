#include "coordinator/cli/cli.h"
#include "coordinator/cli/report_read.h"
#include "coordinator/report/page.h"
#include "common/media/timecode.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_in(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static void print_trim(const char *what, const json_t *advice)
{
    const json_t *trim = json_object_get(advice, "trim_db");
    const json_t *least = json_object_get(advice, "trim_least_db");
    if (!json_is_number(trim)) {
        printf("%s: no change of up to 20 dB passes\n", what);
        return;
    }
    printf("%s by %+.1f dB", what, json_number_value(trim));
    if (json_is_number(least) && json_number_value(least) != json_number_value(trim))
        printf("; from %+.1f dB on it may be enough, by what comes back of the clamped or limited", json_number_value(least));
    putchar('\n');
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
        print_trim("trim it alone", reel);
    }
}

/* "peak_db" as a person reads it. */
static void print_key(const char *key)
{
    const char *between = "";
    while (*key != '\0') {
        size_t part = strcspn(key, "_");
        cli_print(stdout, "%s%.*s", between, (int)part, key);
        between = " ";
        key += part + (key[part] != '\0');
    }
}

static void print_value(const json_t *value)
{
    char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    cli_print(stdout, "%s", json_is_null(value) ? "-" : text != NULL ? text : json_string_value(value));
    free(text);
}

/* A sample of the programme, told by when it comes where the rate is known. */
static void print_sample(const char *key, json_int_t sample, uint32_t rate)
{
    char text[TIMECODE_TEXT_SIZE];
    if (rate == 0 || sample < 0) {
        print_key(key);
        printf(" %lld", (long long)sample);
        return;
    }
    timecode_elapsed((uint64_t)sample, rate, text);
    printf("%s %s (sample %lld)", strncmp(key, "end", 3) == 0 ? "to" : "from", text, (long long)sample);
}

/* One of a list, on one line. */
static void print_values(const json_t *object, uint32_t rate)
{
    const char *key;
    json_t *value;
    const char *between = "";
    json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
        bool end = strcmp(key, "end_sample") == 0;
        printf("%s", end && rate != 0 && between[0] != '\0' ? " " : between);
        between = ", ";
        if (json_is_integer(value) && (end || strcmp(key, "start_sample") == 0)) {
            print_sample(key, json_integer_value(value), rate);
            continue;
        }
        print_key(key);
        putchar(' ');
        print_value(value);
    }
    putchar('\n');
}

/* A table by its rows: a matrix, what would have been found of each pair. */
static void print_rows(const json_t *rows)
{
    const char *key;
    json_t *row;
    putchar('\n');
    json_object_foreach ((json_t *)(uintptr_t)rows, key, row) {
        cli_print(stdout, "    %s: ", key);
        if (json_is_object(row)) {
            print_values(row, 0);
        } else {
            print_value(row);
            putchar('\n');
        }
    }
}

/* Of a long list the beginning. */
static void print_list(const json_t *list, uint32_t rate)
{
    enum { LISTED_MAX = 20 };
    size_t index;
    const json_t *item;
    putchar('\n');
    json_array_foreach (list, index, item) {
        if (index == LISTED_MAX) {
            printf("    and %zu more, in report.json\n", json_array_size(list) - index);
            return;
        }
        printf("    ");
        print_values(item, rate);
    }
}

static bool is_empty(const json_t *value)
{
    const char *text = json_string_value(value);
    return json_is_null(value) || (text != NULL && text[0] == '\0') || (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

/* What a check estimated beyond its figure, as report.json has it. */
static void print_details(const json_t *details, uint32_t rate)
{
    const char *key;
    json_t *value;
    const char *heading = "Made of:\n";
    json_object_foreach ((json_t *)(uintptr_t)details, key, value) {
        if (is_empty(value))
            continue;
        printf("%s  ", heading);
        heading = "";
        print_key(key);
        printf(":");
        if (json_is_object(value) && json_object_size(value) > 0)
            print_rows(value);
        else if (json_is_object(json_array_get(value, 0)))
            print_list(value, rate);
        else {
            putchar(' ');
            print_value(value);
            putchar('\n');
        }
    }
}

/* Samples of a second where a finding lies, from its place in both; 0: not known. */
static uint32_t rate_of(const json_t *item)
{
    const double seconds = json_number_value(json_object_get(item, "end_s"));
    const double samples = json_number_value(json_object_get(item, "end_sample"));
    return seconds > 0.0 && samples / seconds < 1e6 ? (uint32_t)(samples / seconds + 0.5) : 0;
}

/* Its figure, and where to look. */
static void print_place(const json_t *item, uint32_t rate)
{
    const json_t *measured = json_object_get(item, "measured");
    const json_t *start = json_object_get(item, "start_sample");
    const json_t *channels = json_object_get(item, "channels");
    const char *between = "Where: ";
    size_t index;
    const json_t *channel;
    if (json_is_number(measured)) {
        printf("Figure: ");
        print_value(measured);
        cli_print(stdout, "%s%s\n", text_in(item, "unit")[0] == '\0' ? "" : " ", text_in(item, "unit"));
    }
    if (json_is_integer(start)) {
        printf("%s", between);
        print_sample("start_sample", json_integer_value(start), rate);
        putchar(' ');
        print_sample("end_sample", json_integer_value(json_object_get(item, "end_sample")), rate);
        between = ", ";
    }
    if (text_in(item, "reel")[0] != '\0') {
        cli_print(stdout, "%sreel %s", between, text_in(item, "reel"));
        between = ", ";
    }
    json_array_foreach (channels, index, channel) {
        if (!json_is_string(channel))
            continue;
        cli_print(stdout, "%s%s", between, json_string_value(channel));
        between = " ";
    }
    if (between[0] != 'W')
        putchar('\n');
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
    print_place(item, rate_of(item));
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
        print_trim(placed ? "  trim this place" : "  trim the whole programme", details);
        if (text_in(details, "trim_check")[0] != '\0' && strcmp(text_in(details, "trim_check"), text_in(item, "check")) != 0)
            printf("  (%s holds then, and one of the two is enough)\n", text_in(details, "trim_check"));
        print_reels(json_object_get(details, "reels"));
        if (json_is_true(json_object_get(details, "clamped")))
            printf("at least: the sum was clamped or limited there, and what it held before is higher. Judge it again after the change.\n");
        if (json_array_size(json_object_get(details, "places")) > 1) {
            printf("Places:");
            print_list(json_object_get(details, "places"), rate_of(item));
        }
    } else {
        print_details(details, rate_of(item));
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
