/* The stems and the reels of a show file. */
#include "coordinator/show/show_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *of(const yaml_source *source, const char *key, const char *kind, const char *name)
{
    return arena_format(source->arena, "%s of %s %s", key, kind, name);
}

/* ---- stems ---- */

static void read_role(show_stem *self, const yaml_node *node, const yaml_source *source)
{
    const char *text = yaml_name(source, node, of(source, "role", "stem", self->name));
    if (text == NULL)
        return;
    self->role = ROLE_OTHER;
    self->role_name = text;
    const char *known[ROLE_OTHER];
    for (int i = 0; i < ROLE_OTHER; i++) {
        known[i] = stem_role_name((stem_role)i);
        if (strcasecmp(text, known[i]) != 0)
            continue;
        self->role = (stem_role)i;
        self->role_name = known[i];
        return;
    }
    /* Any other role is allowed; a slip of the pen would silently leave the stem out of every mix. */
    const char *guess = word_suggest(text, known, ROLE_OTHER);
    if (guess != NULL)
        yaml_complain(source, node, "role of stem %s is \"%s\"; did you mean \"%s\"? Roles of your own must differ more",
                      self->name, text, guess);
}

static void read_stem_order(show_stem *self, const yaml_node *node, const yaml_source *source)
{
    if (self->layout != LAYOUT_NONE)
        channel_order_of(self->layout, ORDER_SMPTE, &self->order);
    if (node == NULL)
        return;
    if (self->multi_mono)
        yaml_complain_key(source, node, "stem %s has one file per channel ({ch}), so `order` says nothing; remove it",
                          self->name);
    else
        self->order_given = show_read_order(source, node, of(source, "order", "stem", self->name), self->layout, &self->order);
}

static void read_stem(show_stem *self, const yaml_node *node, const yaml_source *source)
{
    static const char *const keys[] = {"role", "layout", "objects", "file", "order", "language", "optional", "align", NULL};
    static const char *const alignments[] = {"start", "bext", NULL};
    *self = (show_stem){.name = node->key,
                        .role = ROLE_OTHER,
                        .role_name = "other",
                        .file = "",
                        .language = "",
                        .line = node->key_line,
                        .column = node->key_column};
    const char *what = arena_format(source->arena, "stem %s", node->key);
    yaml_node as_scalar = {.kind = YAML_SCALAR, .text = node->key, .line = node->key_line, .column = node->key_column};
    (void)yaml_name(source, &as_scalar, "the name of a stem");
    if (!yaml_map_check(source, node, what, keys))
        return;
    const yaml_node *child = yaml_require(source, node, "role", what, "say dialogue, music, effects, narration or another");
    if (child != NULL)
        read_role(self, child, source);
    child = yaml_get(node, "objects");
    self->objects = child != NULL && yaml_bool(source, child, of(source, "objects", "stem", self->name), false);
    if (self->objects && yaml_get(node, "layout") != NULL)
        yaml_complain(source, yaml_get(node, "layout"),
                      "stem %s is the objects of its files, which have no layout; remove it, and name their bed as a stem of its own",
                      self->name);
    child = self->objects ? NULL : yaml_require(source, node, "layout", what, "say mono, stereo, 5.1, 7.1, 7.1.2 ...");
    if (child != NULL)
        self->layout = yaml_layout(source, child, of(source, "layout", "stem", self->name));
    child = yaml_require(source, node, "file", what, "name its files, like \"{reel}_DX_51.wav\"");
    const char *file = child == NULL ? NULL
                                     : show_read_pattern(source, child, of(source, "file", "stem", self->name),
                                                         &self->per_reel, &self->multi_mono);
    if (file != NULL)
        self->file = file;
    if (self->objects && (self->multi_mono || yaml_get(node, "order") != NULL))
        yaml_complain(source, node, "stem %s is the objects of ADM files, which say themselves where they lie; remove {ch} or order",
                      self->name);
    read_stem_order(self, yaml_get(node, "order"), source);
    child = yaml_get(node, "language");
    const char *language = child == NULL ? NULL : yaml_language(source, child, of(source, "language", "stem", self->name));
    if (language != NULL)
        self->language = language;
    child = yaml_get(node, "optional");
    if (child != NULL)
        self->optional = yaml_bool(source, child, of(source, "optional", "stem", self->name), false);
    child = yaml_get(node, "align");
    if (child != NULL)
        self->align_bext = yaml_word(source, child, of(source, "align", "stem", self->name), alignments) == 1;
}

void show_read_stems(show *self, const yaml_node *node, const yaml_source *source)
{
    if (node == NULL)
        return;
    if (node->kind != YAML_MAP) {
        yaml_complain(source, node, "stems must be a map from names to stems, like `DX: {role: dialogue, layout: 5.1, file: "
                                    "\"{reel}_DX.wav\"}`");
        return;
    }
    if (node->count > SHOW_STEMS_MAX) {
        yaml_complain(source, node, "the show has %u stems; at most %d are allowed", node->count, SHOW_STEMS_MAX);
        return;
    }
    self->stems = arena_take_array(source->arena, node->count, sizeof *self->stems);
    for (const yaml_node *child = node->first; child != NULL; child = child->next) {
        show_stem *stem = &self->stems[self->stem_count++];
        read_stem(stem, child, source);
        for (uint32_t i = 0; i + 1 < self->stem_count; i++) {
            const show_stem *other = &self->stems[i];
            if (strcasecmp(other->name, stem->name) == 0)
                yaml_complain_key(source, child, "the stems %s and %s differ in case alone; rename one", other->name,
                                  stem->name);
            if (stem->file[0] != '\0' && strcmp(other->file, stem->file) == 0 && stem->objects == other->objects)
                yaml_warn(source, child, "the stems %s and %s name the same file \"%s\"; is that meant?", other->name,
                          stem->name, stem->file);
        }
    }
}

/* ---- reels ---- */

static void read_timecode(const show *self, const show_reel *reel, const yaml_node *map, const char *key,
                          const yaml_source *source, uint64_t *out_frame, bool *out_has)
{
    const yaml_node *node = yaml_get(map, key);
    if (node == NULL)
        return;
    const char *what = of(source, key, "reel", reel->name);
    const char *text = yaml_text(source, node, what, NAME_MAX_BYTES);
    if (text == NULL || self->rate.num == 0)
        return;
    error_detail detail = {0};
    if (timecode_parse(text, &self->rate, out_frame, &detail) == STATUS_OK)
        *out_has = true;
    else
        yaml_complain(source, node, "%s: %s", what, detail.message);
}

static void check_edges(const show *self, const show_reel *reel, const yaml_node *node, const yaml_source *source)
{
    const yaml_node *ffoa = yaml_get(node, "ffoa");
    const yaml_node *lfoa = yaml_get(node, "lfoa");
    if ((ffoa == NULL) != (lfoa == NULL))
        yaml_complain(source, node,
                      "reel %s has %s but no %s; give both, or neither if the whole file is programme", reel->name,
                      ffoa == NULL ? "lfoa" : "ffoa", ffoa == NULL ? "ffoa" : "lfoa");
    else if (ffoa != NULL && yaml_get(node, "start") == NULL)
        yaml_complain(source, node,
                      "reel %s has ffoa but no start; give the timecode of its files' first sample, so that FFOA can be found "
                      "in them",
                      reel->name);
    if (reel->has_ffoa && reel->has_lfoa && reel->lfoa_frame < reel->ffoa_frame)
        yaml_complain(source, lfoa, "lfoa of reel %s (%s) is before its ffoa (%s); LFOA is the last frame of action",
                      reel->name, lfoa->text, ffoa->text);
    if (reel->has_ffoa && reel->has_start && reel->ffoa_frame < reel->start_frame)
        yaml_complain(source, ffoa,
                      "ffoa of reel %s (%s) is before its start (%s); start is the timecode of the files' first sample",
                      reel->name, ffoa->text, yaml_get(node, "start")->text);
    else if (reel->has_ffoa && reel->has_start && self->has_pops && self->rate.num != 0 &&
             (double)(reel->ffoa_frame - reel->start_frame) * self->rate.den / self->rate.num < self->head_pop_seconds)
        yaml_warn(source, ffoa, "the head pop of reel %s, %g s before its ffoa, would be before the start of its files",
                  reel->name, self->head_pop_seconds);
}

/* `overlap: {head: 12f, tail: 24f}`: sound of the reel beyond its edges, in whole picture frames. */
static void read_overlap(const show *self, show_reel *reel, const yaml_node *node, const yaml_source *source)
{
    static const char *const keys[] = {"head", "tail", NULL};
    uint32_t *targets[] = {&reel->head_overlap, &reel->tail_overlap};
    double pops[] = {self->head_pop_seconds, self->tail_pop_seconds};
    if (node == NULL || !yaml_map_check(source, node, of(source, "overlap", "reel", reel->name), keys))
        return;
    if (!reel->has_ffoa || !reel->has_lfoa || self->rate.num == 0) {
        yaml_complain(source, node, "overlap of reel %s lies before its ffoa and after its lfoa; state both", reel->name);
        return;
    }
    double rate = (double)self->rate.num / (double)self->rate.den;
    for (int i = 0; i < 2; i++) {
        const yaml_node *side = yaml_get(node, keys[i]);
        double seconds = 0.0;
        const char *what = arena_format(source->arena, "%s overlap of reel %s", keys[i], reel->name);
        if (side == NULL || !show_read_duration(self, source, side, what, &seconds))
            continue;
        double frames = floor(seconds * rate + 0.5);
        if (fabs(seconds * rate - frames) > 1e-6)
            yaml_complain(source, side, "%s is \"%s\", no whole number of picture frames; write it in them, like 12f", what,
                          side->text);
        else if (self->has_pops && pops[i] > 0.0 && frames > floor(pops[i] * rate + 0.5) - 1.0)
            yaml_complain(source, side, "%s is \"%s\" and reaches the %s pop at %g s; state what lies between action and pop", what,
                          side->text, keys[i], pops[i]);
        else if (i == 0 && reel->has_start && (uint64_t)frames > reel->ffoa_frame - reel->start_frame)
            yaml_complain(source, side, "%s is \"%s\", but its files begin only %llu frames before its ffoa; correct one of them",
                          what, side->text, (unsigned long long)(reel->ffoa_frame - reel->start_frame));
        else
            *targets[i] = (uint32_t)frames;
    }
}

/* A reel is longer than what fades in at its head and out at its tail. */
static void check_overlaps(const show *self, const yaml_source *source)
{
    for (uint32_t i = 0; i < self->reel_count; i++) {
        const show_reel *reel = &self->reels[i];
        uint64_t faded = (i > 0 ? self->reels[i - 1].tail_overlap : 0) +
                         (uint64_t)(i + 1 < self->reel_count ? self->reels[i + 1].head_overlap : 0);
        if (reel->has_ffoa && reel->has_lfoa && reel->lfoa_frame >= reel->ffoa_frame &&
            faded > reel->lfoa_frame - reel->ffoa_frame + 1)
            problem_list_add(source->problems, source->arena, PROBLEM_ERROR, source->file, reel->line, reel->column,
                             "reel %s is shorter than the overlaps of its neighbours that would be faded over it; shorten them",
                             reel->name);
    }
}

static void read_reel(const show *self, show_reel *reel, const yaml_node *node, const yaml_source *source)
{
    static const char *const keys[] = {"name", "start", "ffoa", "lfoa", "overlap", NULL};
    *reel = (show_reel){.name = "", .line = node->line, .column = node->column};
    if (!yaml_map_check(source, node, "a reel", keys))
        return;
    const yaml_node *name = yaml_require(source, node, "name", "a reel", "give it one, like R1; it stands for {reel}");
    const char *text = name == NULL ? NULL : yaml_name(source, name, "the name of a reel");
    if (text != NULL)
        reel->name = text;
    read_timecode(self, reel, node, "start", source, &reel->start_frame, &reel->has_start);
    read_timecode(self, reel, node, "ffoa", source, &reel->ffoa_frame, &reel->has_ffoa);
    read_timecode(self, reel, node, "lfoa", source, &reel->lfoa_frame, &reel->has_lfoa);
    check_edges(self, reel, node, source);
    read_overlap(self, reel, yaml_get(node, "overlap"), source);
}

void show_read_reels(show *self, const yaml_node *node, const yaml_source *source)
{
    if (node == NULL) {
        self->reels = arena_take(source->arena, sizeof *self->reels);
        self->reels[0].name = "";
        self->reel_count = 1;
        return;
    }
    if (!yaml_list_check(source, node, "reels"))
        return;
    if (node->count == 0 || node->count > SHOW_REELS_MAX) {
        yaml_complain(source, node, "the show lists %u reels; it may have 1 to %d, or no `reels` at all", node->count,
                      SHOW_REELS_MAX);
        return;
    }
    self->reels = arena_take_array(source->arena, node->count, sizeof *self->reels);
    for (const yaml_node *child = node->first; child != NULL; child = child->next) {
        show_reel *reel = &self->reels[self->reel_count++];
        read_reel(self, reel, child, source);
        for (uint32_t i = 0; reel->name[0] != '\0' && i + 1 < self->reel_count; i++)
            if (strcasecmp(self->reels[i].name, reel->name) == 0)
                yaml_complain(source, child, "the reel name %s stands twice%s; rename one", reel->name,
                              strcmp(self->reels[i].name, reel->name) == 0 ? "" : " (case alone makes no difference)");
    }
    check_overlaps(self, source);
}
