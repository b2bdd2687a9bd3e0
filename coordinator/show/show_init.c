#include "coordinator/show/show_init.h"

#include "coordinator/show/channel_suffix.h"
#include "coordinator/show/init_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { GUESSED_RATE = 24 };

typedef struct init_stem {
    const init_name *name;        /* of its first file */
    const char *key;              /* name in the show file */
    channel_layout_id layout;
    uint32_t channel_count;       /* of one interleaved file */
    uint32_t label_count;
    channel_label labels[LAYOUT_CHANNELS_MAX];
    bool placed;                  /* by a time reference */
    bool left_out;
} init_stem;

typedef struct init_reel {
    const char *name;
    uint32_t number;
    bool has_reference;
    uint64_t reference;
} init_reel;

typedef struct init_builder {
    arena *memory;
    problem_list *notes;
    size_t stem_count;
    init_stem *stems;
    size_t reel_count;
    init_reel *reels;
    uint32_t sample_rate;
    const char *title;
    const char *text;
} init_builder;

static void note(init_builder *self, problem_severity severity, const char *file, const char *text)
{
    problem_list_add(self->notes, self->memory, severity, file, 0, 0, "%s", text);
}

static void add_reel(init_builder *self, const init_name *name, const init_file *file)
{
    if (name->reel[0] == '\0')
        return;
    init_reel *reel = NULL;
    for (size_t i = 0; i < self->reel_count; i++)
        if (strcmp(self->reels[i].name, name->reel) == 0)
            reel = &self->reels[i];
    if (reel == NULL) {
        if (self->reel_count == SHOW_REELS_MAX)
            return;
        reel = &self->reels[self->reel_count++];
        *reel = (init_reel){.name = name->reel, .number = name->reel_number};
    }
    if (file->has_time_reference && !reel->has_reference) {
        reel->has_reference = true;
        reel->reference = file->time_reference;
    }
}

static init_stem *find_stem(init_builder *self, const init_name *name)
{
    for (size_t i = 0; i < self->stem_count; i++)
        if (strcmp(self->stems[i].name->pattern, name->pattern) == 0)
            return &self->stems[i];
    if (self->stem_count == SHOW_STEMS_MAX)
        return NULL;
    init_stem *stem = &self->stems[self->stem_count++];
    *stem = (init_stem){.name = name};
    return stem;
}

static void add_file(init_builder *self, const init_file *file)
{
    init_name *name = arena_take(self->memory, sizeof *name);
    if (!init_name_parse(name, file->path, self->memory))
        return;
    if (!name->has_role || file->channel_count == 0) {
        note(self, PROBLEM_WARNING, file->path,
             file->channel_count == 0 ? "left out: it cannot be read as audio; `reelmill qc` says why"
                                      : "left out: its name has no word for a stem (DX, MX, FX, AD ...); add it by hand");
        return;
    }
    init_stem *stem = find_stem(self, name);
    if (stem == NULL) {
        note(self, PROBLEM_WARNING, file->path, "left out: there are too many stems");
        return;
    }
    stem->placed = stem->placed || file->has_time_reference;
    stem->channel_count = file->channel_count;
    bool known = name->channel == CHANNEL_NONE;
    for (uint32_t i = 0; i < stem->label_count; i++)
        known = known || stem->labels[i] == name->channel;
    if (!known && stem->label_count < LAYOUT_CHANNELS_MAX)
        stem->labels[stem->label_count++] = name->channel;
    if (self->sample_rate == 0)
        self->sample_rate = file->sample_rate;
    if (self->title[0] == '\0')
        self->title = name->title;
    add_reel(self, name, file);
}

static int reel_order(const void *a, const void *b)
{
    const init_reel *left = a;
    const init_reel *right = b;
    if (left->number != right->number)
        return left->number < right->number ? -1 : 1;
    return strcmp(left->name, right->name);
}

/* Short name, language behind it, and a number where that stands already. */
static void name_stem(init_builder *self, size_t index)
{
    init_stem *stem = &self->stems[index];
    const char *language = stem->name->language;
    const char *base = stem->name->stem;
    for (size_t i = 0; i < index; i++)
        if (!self->stems[i].left_out && self->stems[i].name->role == stem->name->role && language[0] != '\0' &&
            strcmp(self->stems[i].name->language, language) != 0)
            base = arena_format(self->memory, "%s_%c%c", stem->name->stem, language[0] & ~0x20, language[1] & ~0x20);
    stem->key = base;
    for (unsigned number = 2;; number++) {
        bool taken = false;
        for (size_t i = 0; i < index; i++)
            taken = taken || (!self->stems[i].left_out && strcasecmp(self->stems[i].key, stem->key) == 0);
        if (!taken)
            return;
        stem->key = arena_format(self->memory, "%s_%u", base, number);
    }
}

static void settle_stem(init_builder *self, size_t index)
{
    init_stem *stem = &self->stems[index];
    stem->layout = stem->label_count > 0 ? channel_suffix_layout(stem->labels, stem->label_count)
                                         : channel_layout_guess(stem->channel_count);
    bool long_play = self->reel_count > 0 && stem->name->reel[0] == '\0';
    if (stem->layout == LAYOUT_NONE)
        note(self, PROBLEM_WARNING, stem->name->pattern, "left out: its channels are those of no layout; add it by hand");
    else if (long_play && !stem->placed)
        note(self, PROBLEM_WARNING, stem->name->pattern,
             "left out: it is no file of one reel and has no bext time reference to place it by");
    else {
        name_stem(self, index);
        return;
    }
    stem->left_out = true;
}

static void write_stems(init_builder *self)
{
    self->text = arena_format(self->memory, "%sstems:\n", self->text);
    for (size_t i = 0; i < self->stem_count; i++) {
        const init_stem *stem = &self->stems[i];
        if (stem->left_out)
            continue;
        bool long_play = self->reel_count > 0 && stem->name->reel[0] == '\0';
        self->text = arena_format(self->memory, "%s  %s: {role: %s, layout: \"%s\", file: \"%s\"%s%s%s}\n", self->text,
                                  stem->key, stem_role_name(stem->name->role), channel_layout_get(stem->layout)->name,
                                  stem->name->pattern, long_play ? ", align: bext" : "",
                                  stem->name->language[0] == '\0' ? "" : ", language: ", stem->name->language);
    }
}

/* The time reference as timecode where it falls on a frame, else the reel's number as the hour, as reels usually start. */
static void write_reels(init_builder *self)
{
    bool guessed = false;
    if (self->reel_count == 0)
        return;
    self->text = arena_format(self->memory, "%sreels:      # add ffoa and lfoa (first and last frame of action): without them"
                                            " a whole file is programme\n", self->text);
    for (size_t i = 0; i < self->reel_count; i++) {
        const init_reel *reel = &self->reels[i];
        uint64_t frame = (uint64_t)reel->number * 3600 * GUESSED_RATE;
        bool exact = reel->has_reference && reel->reference * GUESSED_RATE % self->sample_rate == 0;
        if (exact)
            frame = reel->reference * GUESSED_RATE / self->sample_rate;
        guessed = guessed || !exact;
        uint64_t seconds = frame / GUESSED_RATE;
        self->text = arena_format(self->memory,
                                  "%s  - {name: %s, start: \"%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 "\"}\n",
                                  self->text, reel->name, seconds / 3600, seconds / 60 % 60, seconds % 60,
                                  frame % GUESSED_RATE);
    }
    note(self, PROBLEM_INFO, "",
         guessed ? "the reels' start is a guess (reel number = hour): put in the timecode of each file's first sample"
                 : "the reels' start is from the files' bext time reference");
    note(self, PROBLEM_INFO, "", "no name says where action begins and ends: add ffoa and lfoa to each reel, and pops");
}

static bool has_role(const init_builder *self, stem_role role)
{
    for (size_t i = 0; i < self->stem_count; i++)
        if (!self->stems[i].left_out && self->stems[i].name->role == role)
            return true;
    return false;
}

/* What nearly everybody asks for, as far as the stems allow it. */
static void write_deliverables(init_builder *self)
{
    uint32_t widest = 0;
    for (size_t i = 0; i < self->stem_count; i++)
        if (!self->stems[i].left_out && channel_layout_get(self->stems[i].layout)->channel_count > widest)
            widest = channel_layout_get(self->stems[i].layout)->channel_count;
    bool dialogue = has_role(self, ROLE_DIALOGUE);
    bool bed = has_role(self, ROLE_MUSIC) || has_role(self, ROLE_EFFECTS);
    self->text = arena_format(self->memory, "%spops: none\ndeliverables:      # `reelmill recipes` and `reelmill specs` list"
                                            " what there is\n", self->text);
    static const char *const lines[2][2] = {
        {"  - {name: PM_51, recipe: printmaster-5.1, spec: none}\n", "  - {name: PM_20, recipe: stereo-loro, spec: none}\n"},
        {"  - {name: ME_51, recipe: me-5.1, spec: none}\n", "  - {name: ME_20, recipe: me-stereo, spec: none}\n"}};
    for (int kind = 0; kind < 2; kind++)
        for (int narrow = 0; narrow < 2; narrow++)
            if ((kind == 0 ? dialogue && bed : bed) && (narrow == 1 || widest >= 6))
                self->text = arena_format(self->memory, "%s%s", self->text, lines[kind][narrow]);
    if (!bed)
        for (size_t i = 0; i < self->stem_count; i++)
            if (!self->stems[i].left_out)
                self->text = arena_format(self->memory, "%s  - {name: STEM_%s, recipe: stem, stem: %s, spec: none}\n",
                                          self->text, self->stems[i].key, self->stems[i].key);
}

/* A title is any text; quotes and backslashes are written as YAML wants them. */
static const char *quoted(const char *text, arena *memory)
{
    const char *made = "\"";
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c >= 0x20 && *c != 0x7F)
            made = arena_format(memory, "%s%s%c", made, *c == '"' || *c == '\\' ? "\\" : "", *c);
    return arena_format(memory, "%s\"", made);
}

status show_init_text(const init_file *files, size_t file_count, const char *folder_name, arena *memory,
                      const char **out_text, problem_list *notes)
{
    init_builder self = {.memory = memory, .notes = notes, .title = ""};
    self.stems = arena_take_array(memory, SHOW_STEMS_MAX, sizeof *self.stems);
    self.reels = arena_take_array(memory, SHOW_REELS_MAX, sizeof *self.reels);
    for (size_t i = 0; i < file_count; i++)
        add_file(&self, &files[i]);
    if (self.reel_count > 1)
        qsort(self.reels, self.reel_count, sizeof *self.reels, reel_order);
    bool any = false;
    for (size_t i = 0; i < self.stem_count; i++) {
        settle_stem(&self, i);
        any = any || !self.stems[i].left_out;
    }
    if (!any) {
        note(&self, PROBLEM_ERROR, folder_name,
             "no stem was found here; name files like TITLE_R1_DX_51.wav, or write the show file by hand (docs/show-file.md)");
        return STATUS_INPUT_MISSING;
    }
    self.text = arena_format(memory, "reelmill: 1\ntitle: %s\nversion: v01\nframe_rate: %d      # a guess: file names do not say\n"
                                     "sample_rate: %u\nmedia: .\n",
                             quoted(self.title[0] == '\0' ? folder_name : self.title, memory), GUESSED_RATE, self.sample_rate);
    note(&self, PROBLEM_INFO, "", "the frame rate is a guess: 24");
    write_stems(&self);
    write_reels(&self);
    write_deliverables(&self);
    *out_text = arena_format(memory, "%soutput: out\n", self.text);
    return STATUS_OK;
}
