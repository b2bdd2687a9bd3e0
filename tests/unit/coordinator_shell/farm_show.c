#include "farm_show.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const char show_text[] = "reelmill: 1\n"
                         "title: Farm Test\n"
                         "slug: FARM_TEST\n"
                         "frame_rate: 24\n"
                         "sample_rate: 48000\n"
                         "media: stems\n"
                         "stems:\n"
                         "  DX: {role: dialogue, layout: \"5.1\", file: \"{reel}_DX.wav\", language: en}\n"
                         "  MX: {role: music, layout: \"5.1\", file: \"{reel}_MX.wav\"}\n"
                         "  FX: {role: effects, layout: \"5.1\", file: \"{reel}_FX.wav\"}\n"
                         "reels:\n"
                         "  - {name: R1, start: \"01:00:00:00\", ffoa: \"01:00:08:00\", lfoa: \"01:00:27:23\"}\n"
                         "  - {name: R2, start: \"02:00:00:00\", ffoa: \"02:00:08:00\", lfoa: \"02:00:27:23\"}\n"
                         "deliverables:\n"
                         "  - {name: PM_51, recipe: printmaster-5.1}\n"
                         "  - {name: PM_20, recipe: stereo-loro}\n"
                         "  - {name: ME_51, recipe: me-5.1}\n";

/* The pretended measures have 1e-6 of mean square: -0.691 + 10 log10(1e-6) = -60.7 LUFS (BS.1770-5, Annex 1). */
static const char strict_spec[] = "reelmill_spec: 1\n"
                                  "title: Strict\n"
                                  "version: \"1\"\n"
                                  "source: the test\n"
                                  "on_fail: hold\n"
                                  "limits:\n"
                                  "  - {check: loudness.integrated, min: -30.0, unit: LUFS, severity: fail, "
                                  "evidence: primary, clause: \"1\"}\n";

char *make_document(const char *kind, const char *text, bool with_out)
{
    json_t *document = json_pack(
        "{s:i, s:s, s:{s:s, s:s}, s:{s:{s:s, s:s}, s:o}, s:{s:i}, s:[{s:s, s:s, s:s}]}", "reelmill", 1, "kind", kind,
        "show", "name", "show.yaml", "text", text, "places", "media", "root", "media", "prefix", "stems", "out",
        with_out ? json_pack("{s:s, s:s}", "root", "out", "prefix", "") : json_null(), "options", "cells_per_task", 2,
        "specs", "name", "strict", "text", strict_spec, "source", "strict.yaml");
    char *dumped = json_dumps(document, JSON_COMPACT);
    json_decref(document);
    return dumped;
}

void make_id(uint8_t id[REQUEST_BYTES], uint8_t number)
{
    memset(id, number, REQUEST_BYTES);
}

uint32_t submit(farm_harness *farm, const char *kind, const char *text, uint8_t number)
{
    uint8_t id[REQUEST_BYTES];
    uint32_t job = 0;
    char detail[ERROR_MESSAGE_SIZE];
    make_id(id, number);
    char *document = make_document(kind, text, strcmp(kind, "run") == 0);
    status code = farm_harness_submit(farm, document, id, &job, detail);
    if (code != STATUS_OK)
        fail_msg("%s: %s", status_text(code), detail);
    free(document);
    return job;
}

json_t *await(farm_harness *farm, uint32_t job)
{
    char *text = farm_harness_await(farm, job);
    json_t *document = json_loads(text, 0, NULL);
    assert_non_null(document);
    free(text);
    return document;
}

json_int_t number_at(const json_t *document, const char *key)
{
    const json_t *value = json_object_get(document, key);
    if (!json_is_integer(value))
        fail_msg("no number '%s'", key);
    return json_integer_value(value);
}

const char *text_at(const json_t *document, const char *key)
{
    return json_string_value(json_object_get(document, key));
}

void expect_delivered(farm_harness *farm, const json_t *document)
{
    char *dumped = json_dumps(document, 0);
    if (number_at(document, "exit_code") != 0 || strcmp(text_at(document, "verdict"), "pass") != 0)
        fail_msg("%s", dumped);
    free(dumped);
    static const char *const names[] = {"PM_51", "PM_20", "ME_51"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char final[128];
        snprintf(final, sizeof final, "FARM_TEST/v01/%s/", names[i]);
        const world_file *file = world_find_final(&farm->world, final);
        assert_non_null(file);
        assert_true(file->published && file->verified && !file->discarded);
        assert_true(file->frame_count == 1920000 || file->frame_count == 960000);
    }
    assert_true(farm->world.deposits >= 2);
}
