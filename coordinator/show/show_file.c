#include "coordinator/show/show_parts.h"

#include "coordinator/show/file_pattern.h"

#include <stdio.h>
#include <string.h>

static const char *const role_names[ROLE_COUNT] = {"dialogue", "music", "effects", "narration", "other"};

const char *stem_role_name(stem_role role)
{
    return (unsigned)role < ROLE_COUNT ? role_names[role] : "other";
}

const char *show_read_pattern(const yaml_source *source, const yaml_node *node, const char *what, bool *out_per_reel,
                              bool *out_multi_mono)
{
    if (node->kind != YAML_SCALAR) {
        yaml_complain(source, node, "%s must be a text; put a pattern that begins with '{' in quotes", what);
        return NULL;
    }
    const char *text = yaml_text(source, node, what, PATH_MAX_BYTES);
    if (text == NULL)
        return NULL;
    file_pattern_facts facts;
    const char *fault = file_pattern_fault(text, &facts, source->arena);
    if (fault != NULL) {
        yaml_complain(source, node, "%s \"%s\" %s", what, text, fault);
        return NULL;
    }
    *out_per_reel = facts.per_reel;
    *out_multi_mono = facts.multi_mono;
    return text;
}

static bool order_list(const yaml_source *source, const yaml_node *node, const char *what, channel_layout_id layout,
                       channel_order *out_order)
{
    channel_order order = {0};
    const channel_layout *channels = channel_layout_get(layout);
    if (node->count != channels->channel_count) {
        yaml_complain(source, node, "%s lists %u channels and %s has %u; list each of its channels once", what, node->count,
                      channels->name, channels->channel_count);
        return false;
    }
    for (const yaml_node *item = node->first; item != NULL; item = item->next) {
        channel_label label = yaml_channel(source, item, what);
        if (label == CHANNEL_NONE)
            return false;
        bool twice = false;
        for (uint32_t i = 0; i < order.channel_count; i++)
            twice = twice || order.labels[i] == label;
        if (twice || channel_layout_index(layout, label) < 0) {
            yaml_complain(source, item, "%s: %s %s; list each channel of %s once", what, channel_label_name(label),
                          twice ? "stands twice" : "is not in the layout", channels->name);
            return false;
        }
        order.labels[order.channel_count++] = label;
    }
    *out_order = order;
    return true;
}

bool show_read_order(const yaml_source *source, const yaml_node *node, const char *what, channel_layout_id layout,
                     channel_order *out_order)
{
    static const char *const words[] = {"smpte", "film", "wave", NULL};
    if (layout == LAYOUT_NONE)
        return false;
    if (node->kind == YAML_LIST)
        return order_list(source, node, what, layout, out_order);
    if (node->kind == YAML_MAP) {
        yaml_complain(source, node, "%s must be smpte, film, wave or a list of channels like [L, C, R, Ls, Rs, LFE]", what);
        return false;
    }
    int index = yaml_word(source, node, what, words);
    if (index < 0)
        return false;
    channel_order_of(layout, (channel_order_id)index, out_order);
    return true;
}

/* ---- the keys of the show itself ---- */

static void read_slug(show *self, const yaml_node *root, const yaml_source *source)
{
    const yaml_node *node = yaml_get(root, "slug");
    if (node == NULL) {
        const yaml_node *title = yaml_get(root, "title");
        self->slug = self->title[0] == '\0' ? "" : slug_from_title(self->title, source->arena);
        if (self->slug == NULL)
            yaml_complain(source, title,
                          "no slug can be made from the title \"%s\"; add one, like `slug: NIGHT_TRAIN` (A-Z, 0-9, '_', "
                          "'-', at most %d characters)",
                          self->title, SLUG_MAX_BYTES - 1);
        return;
    }
    const char *text = yaml_text(source, node, "slug", SLUG_MAX_BYTES);
    if (text == NULL)
        return;
    if (strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != strlen(text)) {
        const char *made = slug_from_title(text, source->arena);
        yaml_complain(source, node, "slug is \"%s\"; it may hold A-Z, 0-9, '_' and '-' only%s%s%s", text,
                      made == NULL ? "" : ", like \"", made == NULL ? "" : made, made == NULL ? "" : "\"");
        return;
    }
    self->slug = text;
}

static bool date_exists(const char *text)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-')
        return false;
    for (int i = 0; i < 10; i++)
        if (i != 4 && i != 7 && (text[i] < '0' || text[i] > '9'))
            return false;
    int year = (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
    int month = (text[5] - '0') * 10 + (text[6] - '0');
    int day = (text[8] - '0') * 10 + (text[9] - '0');
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] && (month != 2 || leap || day < 29);
}

/* Days since 1970 of a day that exists (the usual count in years that begin in March). */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

uint32_t show_deadline_seconds(const char *text)
{
    char day[11];
    int hour = 0, minute = 0, zone_hour = 0, zone_minute = 0;
    size_t size = strlen(text);
    if (size < 17 || text[10] != 'T' || text[13] != ':')
        return 0;
    memcpy(day, text, 10);
    day[10] = '\0';
    const char *zone = text + 16;
    bool utc = strcmp(zone, "Z") == 0;
    bool offset = size == 22 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':';
    const char *places = offset ? "BC EF HI KL" : "BC EF"; /* where digits must stand, from 'B' = 11 on */
    for (const char *place = places; *place != '\0'; place++)
        if (*place != ' ' && (text[11 + *place - 'B'] < '0' || text[11 + *place - 'B'] > '9'))
            return 0;
    if (!date_exists(day) || (!utc && !offset))
        return 0;
    hour = (text[11] - '0') * 10 + (text[12] - '0');
    minute = (text[14] - '0') * 10 + (text[15] - '0');
    if (offset) {
        zone_hour = (zone[1] - '0') * 10 + (zone[2] - '0');
        zone_minute = (zone[4] - '0') * 10 + (zone[5] - '0');
    }
    if (hour > 23 || minute > 59 || zone_hour > 14 || zone_minute > 59)
        return 0;
    int64_t east = (zone_hour * 60 + zone_minute) * (zone[0] == '-' ? -60 : 60);
    int64_t year = (day[0] - '0') * 1000 + (day[1] - '0') * 100 + (day[2] - '0') * 10 + (day[3] - '0');
    int month = (day[5] - '0') * 10 + (day[6] - '0');
    int64_t seconds =
        days_of((int)year, month, (day[8] - '0') * 10 + (day[9] - '0')) * 86400 + hour * 3600 + minute * 60 - east;
    return seconds > 0 && seconds < UINT32_MAX ? (uint32_t)seconds : 0;
}

static void read_rates(show *self, const yaml_node *root, const yaml_source *source)
{
    static const char *const rates[] = {"23.976", "24", "25", "29.97", "29.97df", "30", "48", "50", "59.94", "59.94df",
                                        "60", NULL};
    const yaml_node *node =
        yaml_require(source, root, "frame_rate", "the show", "timecodes need it; write for example `frame_rate: 24`");
    const char *text = node == NULL ? NULL : yaml_text(source, node, "frame_rate", NAME_MAX_BYTES);
    if (text != NULL && frame_rate_parse(text, &self->rate) != STATUS_OK)
        yaml_complain(source, node, "frame_rate is \"%s\"; allowed is one of %s (also 23.98 and 24000/1001)", text,
                      words_join(source->arena, rates));
    self->sample_rate = 48000;
    double sample_rate = 0.0;
    node = yaml_get(root, "sample_rate");
    if (node == NULL || !yaml_number(source, node, "sample_rate", SAMPLE_RATE_MIN, SAMPLE_RATE_MAX, &sample_rate))
        return;
    self->sample_rate = (uint32_t)sample_rate;
    if ((double)self->sample_rate < sample_rate)
        yaml_complain(source, node, "sample_rate is %s; it is a whole number of samples per second, like 48000", node->text);
}

/* "2s", "1.5s", "500ms", "48f" (picture frames). */
bool show_read_duration(const show *self, const yaml_source *source, const yaml_node *node, const char *what,
                        double *out_seconds)
{
    const char *text = yaml_text(source, node, what, 32);
    if (text == NULL)
        return false;
    char digits[32];
    size_t length = strcspn(text, "smf");
    memcpy(digits, text, length);
    digits[length] = '\0';
    const char *unit = text + length;
    double value = 0.0;
    double seconds = strcmp(unit, "ms") == 0 ? 0.001 : strcmp(unit, "s") == 0 ? 1.0 : 0.0;
    if (strcmp(unit, "f") == 0 && self->rate.num != 0)
        seconds = (double)self->rate.den / (double)self->rate.num;
    if (!decimal_parse(digits, &value) || seconds == 0.0 || value < 0.0 || value * seconds > 3600.0) {
        yaml_complain(source, node, "%s is \"%s\"; write a time like 2s, 500ms or 48f (picture frames), at most an hour",
                      what, text);
        return false;
    }
    *out_seconds = value * seconds;
    return true;
}

static void read_pops(show *self, const yaml_node *node, const yaml_source *source)
{
    static const char *const keys[] = {"head", "tail", NULL};
    if (node == NULL || (node->kind == YAML_SCALAR && strcmp(node->text, "none") == 0))
        return;
    if (node->kind == YAML_SCALAR) {
        yaml_complain(source, node, "pops must be `none` or a map like {head: 2s, tail: 2s}; found \"%.60s\"", node->text);
        return;
    }
    if (!yaml_map_check(source, node, "pops", keys))
        return;
    const yaml_node *head = yaml_get(node, "head");
    const yaml_node *tail = yaml_get(node, "tail");
    if (head == NULL && tail == NULL)
        yaml_complain(source, node, "pops says neither head nor tail; write {head: 2s, tail: 2s} or `none`");
    self->has_pops = true;
    if (head != NULL)
        (void)show_read_duration(self, source, head, "head of pops", &self->head_pop_seconds);
    if (tail != NULL)
        (void)show_read_duration(self, source, tail, "tail of pops", &self->tail_pop_seconds);
}

static void read_reference(show *self, const yaml_node *node, const yaml_source *source)
{
    static const char *const keys[] = {"file", "layout", NULL};
    if (node == NULL || !yaml_map_check(source, node, "reference", keys))
        return;
    bool per_reel = false;
    bool multi_mono = false;
    self->reference_layout = LAYOUT_MONO;
    const yaml_node *layout = yaml_get(node, "layout");
    if (layout != NULL)
        self->reference_layout = yaml_layout(source, layout, "layout of reference");
    const yaml_node *file = yaml_require(source, node, "file", "reference", "name the file that sync is judged against");
    if (file != NULL)
        self->reference_file = show_read_pattern(source, file, "file of reference", &per_reel, &multi_mono);
}

/* `checksums: [md5, xxh128]` */
static void read_checksums(show *self, const yaml_node *node, const yaml_source *source)
{
    static const char *const words[] = {"md5", "xxh128", NULL};
    if (node == NULL || !yaml_list_check(source, node, "checksums"))
        return;
    for (const yaml_node *child = node->first; child != NULL; child = child->next) {
        int index = yaml_word(source, child, "one of checksums", words);
        self->md5 = self->md5 || index == 0;
        self->xxh128 = self->xxh128 || index == 1;
    }
}

static void read_folder(const yaml_source *source, const yaml_node *node, const char *what, const char **target)
{
    if (node == NULL)
        return;
    const char *text = yaml_text(source, node, what, PATH_MAX_BYTES);
    if (text != NULL)
        *target = text;
}

/* Of the day `date`, into bext. No clock is asked: the same show makes the same bytes. */
static void read_time(show *self, const yaml_node *node, const yaml_source *source)
{
    const char *text = node == NULL ? NULL : yaml_text(source, node, "time", NAME_MAX_BYTES);
    if (text == NULL)
        return;
    bool good = strlen(text) == 8;
    for (int i = 0; good && i < 8; i++)
        good = i % 3 == 2 ? text[i] == ':' : text[i] >= '0' && text[i] <= (i == 3 || i == 6 ? '5' : '9');
    if (!good || strcmp(text, "24:00:00") >= 0)
        yaml_complain(source, node, "time is \"%s\"; write a time of the day as hour:minute:second, like 18:30:00", text);
    else if (self->date[0] == '\0')
        yaml_complain(source, node, "time is a time of the day that `date` names; add `date`, like `date: 2026-11-20`");
    else
        self->time = text;
}

static void read_identity(show *self, const yaml_node *root, const yaml_source *source)
{
    const yaml_node *node = yaml_require(source, root, "reelmill", "the show", "begin the file with `reelmill: 1`");
    if (node != NULL && (node->kind != YAML_SCALAR || strcmp(node->text, "1") != 0))
        yaml_complain(source, node, "this version reads show files of form 1; write `reelmill: 1`");
    node = yaml_require(source, root, "title", "the show", "add one, like `title: Night Train`");
    const char *text = node == NULL ? NULL : yaml_text(source, node, "title", TITLE_MAX_BYTES);
    if (text != NULL)
        self->title = text;
    read_slug(self, root, source);
    node = yaml_get(root, "version");
    text = node == NULL ? NULL : yaml_folder_name(source, node, "version");
    if (text != NULL)
        self->version = text;
    node = yaml_get(root, "date");
    text = node == NULL ? NULL : yaml_text(source, node, "date", NAME_MAX_BYTES);
    if (text != NULL && !date_exists(text))
        yaml_complain(source, node, "date is \"%s\"; write a day that exists as year-month-day, like 2026-11-20", text);
    else if (text != NULL)
        self->date = text;
    read_time(self, yaml_get(root, "time"), source);
    node = yaml_get(root, "deadline");
    text = node == NULL ? NULL : yaml_text(source, node, "deadline", NAME_MAX_BYTES);
    self->deadline = text == NULL ? 0 : show_deadline_seconds(text);
    if (text != NULL && self->deadline == 0)
        yaml_complain(source, node,
                      "deadline is \"%s\"; write a time with its zone, like 2026-11-22T06:00+01:00 or 2026-11-22T05:00Z", text);
}

/* Wants reels and pops, so it runs last. */
static void check_patterns(const show *self, const yaml_node *root, const yaml_source *source)
{
    bool named_reels = yaml_get(root, "reels") != NULL;
    if (named_reels)
        return;
    for (uint32_t i = 0; i < self->stem_count; i++)
        if (self->stems[i].per_reel)
            problem_list_add(source->problems, source->arena, PROBLEM_ERROR, source->file, self->stems[i].line,
                             self->stems[i].column,
                             "the file of stem %s has {reel} and the show has no reels; list them under `reels`, or write "
                             "the file's name without {reel}",
                             self->stems[i].name);
    for (uint32_t i = 0; i < self->deliverable_count; i++)
        if (self->deliverables[i].file != NULL && strstr(self->deliverables[i].file, "{reel}") != NULL)
            problem_list_add(source->problems, source->arena, PROBLEM_ERROR, source->file, self->deliverables[i].line,
                             self->deliverables[i].column,
                             "the file of deliverable %s has {reel} and the show has no reels; list them under `reels`",
                             self->deliverables[i].name);
}

static void read_all(show *self, const yaml_node *root, const yaml_source *source)
{
    static const char *const keys[] = {"reelmill",    "title", "slug", "version",   "date",         "frame_rate",
                                       "sample_rate", "media", "stems", "reels",    "pops",         "reference",
                                       "deliverables", "output", "waivers", "join", "deadline", "checksums", "time", NULL};
    if (!yaml_map_check(source, root, "the show", keys))
        return;
    read_identity(self, root, source);
    read_rates(self, root, source);
    read_folder(source, yaml_get(root, "media"), "media", &self->media);
    read_folder(source, yaml_get(root, "output"), "output", &self->output);
    read_pops(self, yaml_get(root, "pops"), source);
    show_read_stems(self, yaml_get(root, "stems"), source);
    show_read_reels(self, yaml_get(root, "reels"), source);
    read_checksums(self, yaml_get(root, "checksums"), source);
    if (yaml_get(root, "join") != NULL)
        (void)yaml_join(source, yaml_get(root, "join"), &self->join);
    read_reference(self, yaml_get(root, "reference"), source);
    const yaml_node *deliverables =
        yaml_require(source, root, "deliverables", "the show", "list what is to be made or judged");
    show_read_deliverables(self, deliverables, source);
    show_read_waivers(self, yaml_get(root, "waivers"), source);
    check_patterns(self, root, source);
}

status show_file_parse(show *out_show, const char *text, size_t text_size, const char *file_name, arena *memory,
                       problem_list *problems)
{
    yaml_source source = {.file = file_name, .arena = memory, .problems = problems};
    size_t errors_before = problems->error_count;
    yaml_node *root = NULL;
    status code = yaml_tree_parse(&root, text, text_size, &source);
    if (code != STATUS_OK)
        return code;
    show made = {.file_name = arena_copy_text(memory, file_name),
                 .title = "",
                 .slug = "",
                 .version = "v01",
                 .date = "",
                 .time = "",
                 .media = ".",
                 .output = "out"};
    read_all(&made, root, &source);
    if (problems->error_count != errors_before)
        return STATUS_INPUT_INVALID;
    *out_show = made;
    return STATUS_OK;
}
