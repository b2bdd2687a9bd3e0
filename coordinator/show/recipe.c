#include "coordinator/show/recipe.h"

#include "common/base/plain_math.h"
#include "coordinator/show/output_name.h"
#include "coordinator/show/yaml_read.h"

#include <math.h>
#include <string.h>

/* A gain is a product of factors, counted apart so that roots in pairs stay exact: coefficient x (1/2)^(roots / 2). */
typedef struct exact_gain {
    double coefficient;
    uint32_t roots;
} exact_gain;

static double exact_gain_value(exact_gain self)
{
    double value = ldexp(self.coefficient, -(int)(self.roots / 2));
    return self.roots % 2 == 0 ? value : value * 0.70710678118654752440; /* the double nearest to sqrt(1/2) */
}

/* One factor: "sqrt1_2", "3/4", "0.5". */
static bool gain_factor(const char *text, exact_gain *gain)
{
    char top[32];
    double numerator = 0.0;
    double denominator = 1.0;
    if (strcmp(text, "sqrt1_2") == 0) {
        gain->roots++;
        return true;
    }
    size_t length = strcspn(text, "/");
    if (length >= sizeof top)
        return false;
    memcpy(top, text, length);
    top[length] = '\0';
    if (!decimal_parse(top, &numerator) || (text[length] == '/' && !decimal_parse(text + length + 1, &denominator)) ||
        denominator == 0.0)
        return false;
    gain->coefficient *= numerator / denominator;
    return true;
}

/* "1", "sqrt1_2", "sqrt1_2*sqrt1_2", "1/2", "-3 dB". */
static bool gain_parse(const char *text, double *out_gain)
{
    char copy[64];
    size_t length = strlen(text);
    if (length >= sizeof copy)
        return false;
    memcpy(copy, text, length + 1);
    bool unit = false;
    double decibels = 0.0;
    if (decibels_parse(text, &unit, &decibels) && unit) {
        *out_gain = power_of_ten(decibels / 20.0);
        return fabs(decibels) <= 60.0;
    }
    exact_gain gain = {.coefficient = 1.0};
    for (char *factor = copy; factor != NULL;) {
        char *star = strchr(factor, '*');
        if (star != NULL)
            *star = '\0';
        if (gain.roots > 32 || !gain_factor(factor, &gain))
            return false;
        factor = star == NULL ? NULL : star + 1;
    }
    *out_gain = exact_gain_value(gain);
    return fabs(*out_gain) <= 1000.0;
}

static void read_fold(recipe *self, const yaml_node *node, const yaml_source *source)
{
    static const char *const keys[] = {"from", "to", "gain", "phase", NULL};
    static const char *const phases[] = {"0", "90", NULL};
    if (!yaml_map_check(source, node, "a fold", keys))
        return;
    const yaml_node *from = yaml_require(source, node, "from", "a fold", "name the channel that is folded");
    const yaml_node *to = yaml_require(source, node, "to", "a fold", "name the channel that receives it");
    const yaml_node *gain = yaml_require(source, node, "gain", "a fold", "write 1, sqrt1_2, 1/2 or -3 dB");
    if (from == NULL || to == NULL || gain == NULL)
        return;
    fold_term term = {.from = yaml_channel(source, from, "from of a fold"), .to = yaml_channel(source, to, "to of a fold")};
    const char *text = yaml_text(source, gain, "gain of a fold", NAME_MAX_BYTES);
    if (term.from == CHANNEL_NONE || term.to == CHANNEL_NONE || text == NULL)
        return;
    if (!gain_parse(text, &term.gain)) {
        yaml_complain(source, gain, "gain of a fold is \"%s\"; write a factor like 1, 1/2 or sqrt1_2, a product of them with "
                                    "'*', or decibels like -3 dB",
                      text);
        return;
    }
    bool unit = false;
    double bare = 0.0;
    if (decibels_parse(text, &unit, &bare) && !unit && bare < -1.0)
        yaml_complain(source, gain, "gain of a fold is \"%s\", which is a factor: %.1f dB louder, its phase turned; write \"%s dB\" if "
                                    "decibels are meant, and \"%s*1\" if the factor is",
                      text, 20.0 * log10(-bare), text, text);
    if (channel_layout_index(self->layout, term.to) < 0 && channel_layout_index(self->via, term.to) < 0)
        yaml_complain(source, to, "a fold leads to %s, which is neither in the recipe's layout nor in `via`",
                      channel_label_name(term.to));
    const yaml_node *phase = yaml_get(node, "phase");
    term.phase_90 = phase != NULL && yaml_word(source, phase, "phase of a fold (degrees)", phases) == 1;
    if (term.phase_90 && (channel_layout_index(self->via, term.from) < 0 || channel_layout_index(self->layout, term.to) < 0))
        yaml_complain(source, phase, "a fold with phase 90 leads from a channel of `via` to one of the recipe's layout; %s to %s "
                                     "does not",
                      channel_label_name(term.from), channel_label_name(term.to));
    for (uint32_t i = 0; i < self->fold_count; i++)
        if (self->folds[i].from == term.from && self->folds[i].to == term.to)
            yaml_complain(source, node, "the fold from %s to %s stands twice; keep one", channel_label_name(term.from),
                          channel_label_name(term.to));
    self->folds[self->fold_count++] = term;
}

static void read_folds(recipe *self, const yaml_node *node, const yaml_source *source)
{
    if (node == NULL || !yaml_list_check(source, node, "folds"))
        return;
    if (node->count > FOLD_TERMS_MAX) {
        yaml_complain(source, node, "the recipe has %u folds; at most %d are allowed", node->count, FOLD_TERMS_MAX);
        return;
    }
    for (const yaml_node *child = node->first; child != NULL; child = child->next)
        read_fold(self, child, source);
}

/* `places: {narration: VI-N}`: roles that have a channel to themselves. */
static void read_places(recipe *self, const yaml_node *node, const yaml_source *source)
{
    const char *roles[RECIPE_ROLES_MAX + 1] = {NULL};
    memcpy(roles, self->roles, sizeof self->roles);
    if (node == NULL || !yaml_map_check(source, node, "places", roles))
        return;
    for (const yaml_node *child = node->first; child != NULL; child = child->next) {
        uint32_t role = 0;
        while (role < self->role_count && strcmp(self->roles[role], child->key) != 0)
            role++;
        channel_label label = yaml_channel(source, child, "a place");
        if (label == CHANNEL_NONE || role == self->role_count)
            continue;
        if (channel_layout_index(self->layout, label) < 0)
            yaml_complain(source, child, "places puts %s into %s, which is not in the recipe's layout", child->key,
                          channel_label_name(label));
        else
            self->places[role] = label;
    }
}

static void read_takes(recipe *self, const yaml_node *root, const yaml_source *source)
{
    static const char *const words[] = {"stem", NULL};
    const yaml_node *roles = yaml_get(root, "roles");
    const yaml_node *takes = yaml_get(root, "takes");
    if ((roles == NULL) == (takes == NULL)) {
        yaml_complain(source, root, "a recipe has either `roles` (stems to sum) or `takes: stem` (the deliverable names one)");
        return;
    }
    if (takes != NULL) {
        self->takes_stem = yaml_word(source, takes, "takes", words) == 0;
        return;
    }
    if (!yaml_list_check(source, roles, "roles"))
        return;
    if (roles->count == 0 || roles->count > RECIPE_ROLES_MAX) {
        yaml_complain(source, roles, "roles lists %u roles; 1 to %d are allowed", roles->count, RECIPE_ROLES_MAX);
        return;
    }
    for (const yaml_node *child = roles->first; child != NULL; child = child->next) {
        const char *role = yaml_name(source, child, "a role");
        if (role != NULL)
            self->roles[self->role_count++] = role;
    }
}

/* 16 bits are dithered unless the recipe says no; 24 and more only where it says so. */
static void read_dither(recipe *self, const yaml_node *node, const yaml_source *source)
{
    static const char *const dithers[] = {"none", "tpdf", NULL};
    self->dither = node == NULL ? self->encoding == ENCODING_PCM_16 : yaml_word(source, node, "dither", dithers) == 1;
    if (self->dither && sample_encoding_is_float(self->encoding))
        yaml_complain(source, node, "dither is tpdf, but %s is not rounded to steps; remove it or choose a PCM encoding",
                      sample_encoding_name(self->encoding));
}

/* `sample_rate`, `picture_rate` with `pitch`, `ffoa` and `file_name`: where the file differs from the show in time and name. */
static void read_clock(recipe *self, const yaml_node *root, const yaml_source *source)
{
    static const char *const rates[] = {"44100", "48000", "88200", "96000", "176400", "192000", NULL};
    static const uint32_t hertz[] = {44100, 48000, 88200, 96000, 176400, 192000};
    static const char *const pitches[] = {"follows", "kept", NULL};
    const yaml_node *node = yaml_get(root, "sample_rate");
    int index = node == NULL ? -1 : yaml_word(source, node, "sample_rate (Hz)", rates);
    self->sample_rate = index < 0 ? 0 : hertz[index];
    node = yaml_get(root, "picture_rate");
    const char *text = node == NULL ? NULL : yaml_text(source, node, "picture_rate", NAME_MAX_BYTES);
    if (text != NULL && frame_rate_parse(text, &self->picture_rate) != STATUS_OK)
        yaml_complain(source, node, "picture_rate is \"%s\"; write frames per second like 23.976, 24 or 25", text);
    node = yaml_get(root, "pitch");
    index = node == NULL ? 0 : yaml_word(source, node, "pitch", pitches);
    if (index == 1)
        yaml_complain(source, node, "pitch is kept, which needs a correction of pitch that this version cannot make; let it "
                                    "follow the speed (`pitch: follows`), or correct the stems before they come here");
    node = yaml_get(root, "file_name");
    text = node == NULL ? NULL : yaml_text(source, node, "file_name", OUTPUT_NAME_MAX);
    error_detail detail = {0};
    self->file_name = text == NULL ? OUTPUT_NAME_DEFAULT : text;
    if (text != NULL && output_name_check(text, &detail) != STATUS_OK)
        yaml_complain(source, node, "file_name is \"%s\", but %s", text, detail.message);
    node = yaml_get(root, "ffoa");
    self->ffoa = node == NULL ? NULL : yaml_text(source, node, "ffoa", TIMECODE_TEXT_SIZE);
}

/* `slate: 20s`: silence before the leader, in which somebody puts a slate. */
static void read_slate(recipe *self, const yaml_node *node, const yaml_source *source)
{
    const char *text = node == NULL ? NULL : yaml_text(source, node, "slate", 32);
    if (text == NULL)
        return;
    size_t length = strlen(text);
    char digits[32] = "";
    double seconds = 0.0;
    if (length > 1 && text[length - 1] == 's')
        memcpy(digits, text, length - 1);
    if (!self->leader)
        yaml_complain(source, node, "slate is silence before a leader that is made; add `leader: make`");
    else if (!decimal_parse(digits, &seconds) || seconds < 1.0 || seconds > 600.0 || floor(seconds) < seconds)
        yaml_complain(source, node, "slate is \"%s\"; write whole seconds up to 600s, like 20s", text);
    else
        self->slate_seconds = (uint32_t)seconds;
}

static void read_form(recipe *self, const yaml_node *root, const yaml_source *source)
{
    static const char *const encodings[] = {"PCM_16", "PCM_24", "PCM_32", "FLOAT_32", NULL};
    static const sample_encoding encoding_ids[] = {ENCODING_PCM_16, ENCODING_PCM_24, ENCODING_PCM_32, ENCODING_FLOAT_32};
    static const char *const orders[] = {"smpte", "film", "wave", NULL};
    static const char *const files[] = {"interleaved", "multi-mono", NULL};
    static const char *const assemblies[] = {"joined", "reels", "both", NULL};
    static const char *const overloads[] = {"fail", "clip", "limit", NULL};
    static const char *const leaders[] = {"strip", "make", "keep", NULL};
    const yaml_node *node = yaml_get(root, "encoding");
    int index = node == NULL ? 1 : yaml_word(source, node, "encoding", encodings);
    self->encoding = index < 0 ? ENCODING_NONE : encoding_ids[index];
    read_dither(self, yaml_get(root, "dither"), source);
    node = yaml_get(root, "order");
    index = node == NULL ? 0 : yaml_word(source, node, "order", orders);
    self->order = index < 0 ? ORDER_SMPTE : (channel_order_id)index;
    node = yaml_get(root, "files");
    self->multi_mono = node != NULL && yaml_word(source, node, "files", files) == 1;
    node = yaml_get(root, "assembly");
    index = node == NULL ? 0 : yaml_word(source, node, "assembly", assemblies);
    self->joined = index == 0 || index == 2;
    self->reels = index == 1 || index == 2;
    node = yaml_get(root, "leader");
    index = node == NULL ? 0 : yaml_word(source, node, "leader", leaders);
    self->leader = index == 1;
    self->keeps_leader = index == 2;
    read_slate(self, yaml_get(root, "slate"), source);
    node = yaml_get(root, "join");
    self->has_join = node != NULL && yaml_join(source, node, &self->join);
    node = yaml_get(root, "gain");
    if (node != NULL)
        yaml_gain(source, node, "gain", &self->gain);
    node = yaml_get(root, "overload");
    index = node == NULL ? 0 : yaml_word(source, node, "overload", overloads);
    self->overload = index == 1 ? OVERLOAD_CLIP : OVERLOAD_FAIL;
    self->limits = index == 2;
}

/* A number of dB within a range: "-9 dB". */
static bool read_decibels(const yaml_source *source, const yaml_node *node, const char *what, double minimum, double maximum,
                          double *out_decibels)
{
    bool unit = false;
    const char *text = node == NULL ? NULL : yaml_text(source, node, what, 64);
    if (text == NULL)
        return false;
    if (decibels_parse(text, &unit, out_decibels) && unit && *out_decibels >= minimum && *out_decibels <= maximum)
        return true;
    yaml_complain(source, node, "%s is \"%s\"; write decibels from %g dB to %g dB", what, text, minimum, maximum);
    return false;
}

/* Milliseconds in slots of so many. */
static uint16_t read_slots(const yaml_source *source, const yaml_node *node, const char *what, int slot_ms, int slots_max)
{
    char copy[64];
    double milliseconds = 0.0;
    const char *text = node == NULL ? NULL : yaml_text(source, node, what, sizeof copy);
    if (text == NULL)
        return 0;
    memcpy(copy, text, strlen(text) + 1);
    size_t length = strcspn(copy, " m");
    bool unit = strcmp(copy + length + strspn(copy + length, " "), "ms") == 0;
    copy[length] = '\0';
    if (unit && decimal_parse(copy, &milliseconds) && milliseconds >= 0.0 && milliseconds <= (double)(slot_ms * slots_max) &&
        fmod(milliseconds, (double)slot_ms) == 0.0)
        return (uint16_t)(milliseconds / (double)slot_ms);
    yaml_complain(source, node, "%s is \"%s\"; write a multiple of %d ms up to %d ms", what, text, slot_ms, slot_ms * slots_max);
    return 0;
}

/* `duck: {under: narration, depth: -9 dB, ...}`: everything but that role gives way to it. */
static void read_duck(recipe *self, const yaml_node *node, const yaml_source *source)
{
    static const char *const keys[] = {"under", "depth", "threshold", "look_ahead", "attack", "hold", "release", NULL};
    if (node == NULL || !yaml_map_check(source, node, "duck", keys))
        return;
    const yaml_node *nodes[7];
    for (int i = 0; i < 7; i++)
        nodes[i] = yaml_require(source, node, keys[i], "duck", "all seven keys are needed; `reelmill recipes ad-5.1` has them");
    for (int i = 0; i < 7; i++)
        if (nodes[i] == NULL)
            return;
    double depth = 0.0;
    double threshold = 0.0;
    self->duck_role = yaml_name(source, nodes[0], "under of duck");
    bool known = false;
    for (uint32_t i = 0; self->duck_role != NULL && i < self->role_count; i++)
        known = known || strcmp(self->roles[i], self->duck_role) == 0;
    if (self->duck_role != NULL && !known)
        yaml_complain(source, nodes[0], "duck is under \"%s\", which `roles` does not take; add it there", self->duck_role);
    bool levels = read_decibels(source, nodes[1], "depth of duck", -60.0, 0.0, &depth);
    levels = read_decibels(source, nodes[2], "threshold of duck", -90.0, 0.0, &threshold) && levels;
    self->duck = (duck_shape){.threshold = levels ? power_of_ten(threshold / 10.0) : 1.0,
                              .floor = levels ? power_of_ten(depth / 20.0) : 1.0,
                              .look_ahead = read_slots(source, nodes[3], "look_ahead of duck", 10, DUCK_SLOTS_MAX),
                              .attack = read_slots(source, nodes[4], "attack of duck", 10, DUCK_SLOTS_MAX),
                              .hold = read_slots(source, nodes[5], "hold of duck", 10, DUCK_SLOTS_MAX),
                              .release = read_slots(source, nodes[6], "release of duck", 10, DUCK_SLOTS_MAX)};
    if (!duck_shape_valid(&self->duck))
        yaml_complain(source, node, "attack and release of duck take at least 10 ms, and attack at most look_ahead: the programme "
                                    "is down when narration begins");
}

/* `limiter: {ceiling: -2 dB, look_ahead: 5 ms, release: 200 ms}`, which `overload: limit` asks for. */
static void read_limiter(recipe *self, const yaml_node *root, const yaml_source *source)
{
    static const char *const keys[] = {"ceiling", "look_ahead", "release", NULL};
    const yaml_node *node = yaml_get(root, "limiter");
    if ((node != NULL) != self->limits) {
        yaml_complain(source, node == NULL ? root : node,
                      "a true-peak limiter needs both `overload: limit` and `limiter: {ceiling: -2 dB, look_ahead: 5 ms, "
                      "release: 200 ms}`; add the other, or remove this one");
        return;
    }
    if (node == NULL || !yaml_map_check(source, node, "limiter", keys))
        return;
    const yaml_node *nodes[3];
    for (int i = 0; i < 3; i++)
        nodes[i] = yaml_require(source, node, keys[i], "limiter", "write {ceiling: -2 dB, look_ahead: 5 ms, release: 200 ms}");
    double ceiling = 0.0;
    if (nodes[0] == NULL || nodes[1] == NULL || nodes[2] == NULL ||
        !read_decibels(source, nodes[0], "ceiling of limiter (true peak)", -30.0, 0.0, &ceiling))
        return;
    self->limiter = (limit_shape){.ceiling = power_of_ten(ceiling / 20.0),
                                  .look_ahead = read_slots(source, nodes[1], "look_ahead of limiter", 1, LIMIT_SLOTS_MAX),
                                  .release = read_slots(source, nodes[2], "release of limiter", 1, LIMIT_SLOTS_MAX)};
    if (!limit_shape_valid(&self->limiter))
        yaml_complain(source, node, "look_ahead and release of limiter take at least 1 ms");
}

/* `adm: dolby | ebu`: what either profile allows in the file. */
static void read_adm(recipe *self, const yaml_node *node, const yaml_source *source)
{
    static const char *const flavours[] = {"dolby", "ebu", NULL};
    if (node == NULL)
        return;
    int index = yaml_word(source, node, "adm", flavours);
    self->adm = index < 0 ? ADM_NONE : index == 0 ? ADM_DOLBY : ADM_EBU;
    if (!adm_bed_layout(self->layout))
        yaml_complain(source, node, "adm describes a bed, which is one of 2.0 3.0 5.0 5.1 7.0 7.1 7.0.2 7.1.2; change `layout`");
    if (self->encoding != ENCODING_PCM_24 || self->order != ORDER_SMPTE || self->multi_mono || self->reels)
        yaml_complain(source, node,
                      "adm describes one joined file of 24 bits in smpte order; remove encoding, order, files or assembly");
}

/* `objects: keep`: what is not rendered cannot be changed either. */
static void read_objects(recipe *self, const yaml_node *root, const yaml_source *source)
{
    static const char *const words[] = {"refuse", "keep", NULL};
    const yaml_node *node = yaml_get(root, "objects");
    self->keeps_objects = node != NULL && yaml_word(source, node, "objects", words) == 1;
    if (!self->keeps_objects)
        return;
    if (self->adm == ADM_NONE)
        yaml_complain(source, node, "objects are kept in ADM files only; add `adm: dolby` or `adm: ebu`");
    if (self->limits || self->duck_role != NULL || self->sample_rate != 0 || self->picture_rate.num != 0)
        yaml_complain(source, node,
                      "objects are kept as they are, so the bed beside them keeps its level and its rates; remove limiter, duck, "
                      "sample_rate or picture_rate");
}

static const char *read_sentence(const yaml_node *root, const char *key, const char *advice, const yaml_source *source)
{
    const yaml_node *node = yaml_require(source, root, key, "the recipe", advice);
    const char *text = node == NULL ? NULL : yaml_text(source, node, key, 4096);
    return text == NULL ? "" : text;
}

static void read_recipe(recipe *self, const yaml_node *root, const yaml_source *source)
{
    static const char *const keys[] = {"reelmill_recipe", "extends", "description", "source", "layout", "roles",
                                       "takes",           "via",     "folds",       "encoding", "dither", "places", "order", "files",
                                       "assembly",        "overload", "limiter", "adm", "objects", "duck", "sample_rate",
                                       "picture_rate",    "pitch",  "ffoa", "file_name", "join", "leader", "slate", "gain", NULL};
    if (!yaml_map_check(source, root, "the recipe", keys))
        return;
    const yaml_node *node =
        yaml_require(source, root, "reelmill_recipe", "the recipe", "begin the file with `reelmill_recipe: 1`");
    if (node != NULL && (node->kind != YAML_SCALAR || strcmp(node->text, "1") != 0))
        yaml_complain(source, node, "this version reads recipes of form 1; write `reelmill_recipe: 1`");
    self->description = read_sentence(root, "description", "say in a sentence what it makes", source);
    self->source = read_sentence(root, "source", "say where its rule comes from", source);
    read_takes(self, root, source);
    node = yaml_get(root, "layout");
    if (node != NULL)
        self->layout = yaml_layout(source, node, "layout");
    else if (!self->takes_stem)
        yaml_complain(source, root, "the recipe has no \"layout\"; say mono, stereo, 5.1, 7.1 ...");
    node = yaml_get(root, "via");
    if (node != NULL)
        self->via = yaml_layout(source, node, "via");
    read_places(self, yaml_get(root, "places"), source);
    read_folds(self, yaml_get(root, "folds"), source);
    read_form(self, root, source);
    read_clock(self, root, source);
    read_adm(self, yaml_get(root, "adm"), source);
    read_duck(self, yaml_get(root, "duck"), source);
    read_limiter(self, root, source);
    read_objects(self, root, source);
}

/* ---- extends ---- */

/* The last recipe of that name whose text is another one. */
static const named_text *find_base(const library *all, const char *name, const char *own_text)
{
    for (size_t i = all == NULL ? 0 : all->recipe_count; i > 0; i--)
        if (all->recipes[i - 1].text != own_text && strcmp(all->recipes[i - 1].name, name) == 0)
            return &all->recipes[i - 1];
    return NULL;
}

static void complain_no_base(const yaml_source *source, const yaml_node *at, const char *name, const library *all)
{
    size_t most = all == NULL ? 0 : all->recipe_count;
    size_t count = 0;
    const char **names = arena_take_array(source->arena, most + 1, sizeof *names);
    for (size_t i = 0; i < most; i++)
        if (strcmp(all->recipes[i].name, name) != 0)
            names[count++] = all->recipes[i].name;
    if (count < most) {
        yaml_complain(source, at, "extends names \"%s\", which is this recipe itself, and no other has the name; name the recipe "
                                  "that it builds on (`reelmill recipes` lists them)",
                      name);
        return;
    }
    const char *near = word_suggest(name, names, count);
    yaml_complain(source, at, "extends names \"%s\", but there is no such other recipe%s%s%s; `reelmill recipes` lists them",
                  name, near == NULL ? "" : " (did you mean \"", near == NULL ? "" : near, near == NULL ? "" : "\"?)");
}

/* What was inherited is reported where it came in. */
static void node_move(yaml_node *self, const yaml_node *at)
{
    self->line = self->key_line = at->line;
    self->column = self->key_column = at->column;
    for (yaml_node *child = self->first; child != NULL; child = child->next)
        node_move(child, at);
}

/* `roles` and `takes` answer the same question: the text's answer replaces the other. */
static bool map_answers(const yaml_node *map, const char *key)
{
    if (yaml_get(map, key) != NULL)
        return true;
    if (strcmp(key, "roles") == 0)
        return yaml_get(map, "takes") != NULL;
    return strcmp(key, "takes") == 0 && yaml_get(map, "roles") != NULL;
}

static void map_inherit(yaml_node *self, yaml_node *base, const yaml_node *at)
{
    yaml_node *last = self->first;
    while (last->next != NULL)
        last = last->next;
    for (yaml_node *child = base->first, *next; child != NULL; child = next) {
        next = child->next;
        if (map_answers(self, child->key))
            continue;
        node_move(child, at);
        child->next = NULL;
        last->next = child;
        last = child;
        self->count++;
    }
}

/* The text's tree with all that it inherits; NULL after problems. */
static yaml_node *tree_read(const char *text, size_t text_size, const yaml_source *source, const library *all,
                            uint32_t depth)
{
    yaml_node *root = NULL;
    if (yaml_tree_parse(&root, text, text_size, source) != STATUS_OK)
        return NULL;
    const yaml_node *extends = yaml_get(root, "extends");
    if (extends == NULL)
        return root;
    const char *name = yaml_text(source, extends, "extends", NAME_MAX_BYTES);
    if (name == NULL)
        return NULL;
    if (depth == RECIPE_EXTENDS_MAX) {
        yaml_complain(source, extends, "more than %d recipes extend each other, or they do so in a circle; extend a complete "
                                       "recipe",
                      RECIPE_EXTENDS_MAX);
        return NULL;
    }
    const named_text *base = find_base(all, name, text);
    if (base == NULL) {
        complain_no_base(source, extends, name, all);
        return NULL;
    }
    yaml_source base_source = *source;
    base_source.file = base->source;
    yaml_node *inherited = tree_read(base->text, base->text_size, &base_source, all, depth + 1);
    if (inherited != NULL && inherited->kind == YAML_MAP)
        map_inherit(root, inherited, extends);
    return inherited == NULL ? NULL : root;
}

status recipe_parse(recipe *out_recipe, const char *name, const char *text, size_t text_size, const char *source_name,
                    const library *all, arena *memory, problem_list *problems)
{
    yaml_source source = {.file = source_name, .arena = memory, .problems = problems};
    size_t errors_before = problems->error_count;
    yaml_node *root = tree_read(text, text_size, &source, all, 0);
    if (root == NULL)
        return STATUS_INPUT_INVALID;
    recipe made = {.name = arena_copy_text(memory, name), .text = arena_copy_bytes(memory, text, text_size)};
    read_recipe(&made, root, &source);
    if (problems->error_count != errors_before)
        return STATUS_INPUT_INVALID;
    *out_recipe = made;
    return STATUS_OK;
}
