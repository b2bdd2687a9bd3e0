#include "tests/unit/show/show_reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const char *const show_reading_example =
    "reelmill: 1\n"
    "title: Night Train\n"
    "slug: NIGHT_TRAIN\n"
    "version: v03\n"
    "date: 2026-11-20\n"
    "frame_rate: 24\n"
    "sample_rate: 48000\n"
    "media: stems\n"
    "stems:\n"
    "  DX:    {role: dialogue,  layout: \"5.1\", file: \"{reel}_DX_51.wav\", language: en}\n"
    "  DX_FR: {role: dialogue,  layout: 5.1, file: \"{reel}_DX_FR_51.wav\", language: fr-FR, optional: true}\n"
    "  MX:    {role: music,     layout: \"5.1\", file: \"{reel}_MX.{ch}.wav\"}\n"
    "  FX:    {role: effects,   layout: \"7.1.2\", file: \"{reel}_FX.wav\", order: film}\n"
    "  AD:    {role: narration, layout: mono, file: \"AD_LONGPLAY.wav\", align: bext, language: en}\n"
    "reels:\n"
    "  - {name: R1, start: \"01:00:00:00\", ffoa: \"01:00:08:00\", lfoa: \"01:19:12:10\"}\n"
    "  - {name: R2, start: 02:00:00:00, ffoa: 02:00:08:00, lfoa: 02:18:40:02}\n"
    "pops: {head: 2s, tail: 2s}\n"
    "reference: {file: \"{reel}_GUIDE.wav\", layout: mono}\n"
    "deliverables:\n"
    "  - {name: PM_51,  recipe: printmaster-5.1, spec: ebu-r128}\n"
    "  - {name: PM_20,  recipe: stereo-loro,     spec: streaming, gain: {match: PM_51}}\n"
    "  - {name: FR_51,  recipe: printmaster-5.1, language: fr-FR, gain: -1.5}\n"
    "  - {name: ME_51,  recipe: me-5.1, assembly: both}\n"
    "  - {name: DX_ST,  recipe: stem, stem: DX}\n"
    "  - {name: ME_OLD, file: \"received/ME_51.wav\", layout: \"5.1\", spec: none}\n"
    "output: out\n";

void show_reading_init(show_reading *self)
{
    *self = (show_reading){.code = STATUS_OK};
    arena_init(&self->memory);
}

void show_reading_deinit(show_reading *self)
{
    arena_deinit(&self->memory);
}

status show_reading_parse(show_reading *self, const char *text)
{
    self->problems = (problem_list){0};
    self->film = (show){0};
    self->code = show_file_parse(&self->film, text, strlen(text), "show.yaml", &self->memory, &self->problems);
    assert_int_equal(self->code == STATUS_OK, self->problems.error_count == 0);
    return self->code;
}

status show_reading_changed(show_reading *self, const char *from, const char *to)
{
    const char *at = strstr(show_reading_example, from);
    assert_non_null(at);
    const char *text = arena_format(&self->memory, "%.*s%s%s", (int)(at - show_reading_example), show_reading_example, to,
                                    at + strlen(from));
    return show_reading_parse(self, text);
}

status show_reading_resolve(show_reading *self)
{
    self->code = show_resolve(&self->film, library_shipped(), &self->memory, &self->problems);
    return self->code;
}

static void print_problems(const show_reading *self)
{
    for (size_t i = 0; i < self->problems.count; i++)
        print_message("  %u:%u: %s\n", self->problems.items[i].line, self->problems.items[i].column,
                      self->problems.items[i].message);
}

void show_reading_expect(const show_reading *self, uint32_t line, uint32_t column, ...)
{
    if (self->problems.error_count != 1)
        print_problems(self);
    assert_int_equal(self->problems.error_count, 1);
    const problem *said = NULL;
    for (size_t i = 0; i < self->problems.count; i++)
        if (self->problems.items[i].severity == PROBLEM_ERROR)
            said = &self->problems.items[i];
    assert_non_null(said);
    if (said->line != line || said->column != column)
        print_problems(self);
    assert_int_equal(said->line, line);
    assert_int_equal(said->column, column);
    assert_string_equal(said->file, "show.yaml");
    va_list words;
    va_start(words, column);
    for (const char *word = va_arg(words, const char *); word != NULL; word = va_arg(words, const char *)) {
        if (strstr(said->message, word) == NULL)
            print_message("not said: %s\n", word);
        assert_non_null(strstr(said->message, word));
    }
    va_end(words);
}

size_t show_reading_said(const show_reading *self, problem_severity severity, const char *text)
{
    size_t count = 0;
    for (size_t i = 0; i < self->problems.count; i++)
        count += self->problems.items[i].severity == severity && strstr(self->problems.items[i].message, text) != NULL;
    return count;
}

void show_reading_no_problems(const show_reading *self)
{
    if (self->problems.count != 0)
        print_problems(self);
    assert_int_equal(self->problems.count, 0);
}
