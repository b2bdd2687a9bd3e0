/* A show made from a list of files: each group of files is one received programme. Linear in the number of files. */
#include "coordinator/show/channel_suffix.h"
#include "coordinator/show/file_pattern.h"
#include "coordinator/show/show_file.h"

#include <stdio.h>
#include <string.h>

enum { QC_FILES_MAX = UINT16_MAX }; /* a deliverable's number has 16 bits */

/* Words to numbers, open addressing; capacity a power of two above twice the count. ASCII case makes no difference. */
typedef struct word_table {
    const char **words;
    uint32_t *values;
    uint32_t mask;
} word_table;

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool words_equal(const char *a, const char *b, bool exact)
{
    for (; *a != '\0' && (exact ? *a == *b : lower(*a) == lower(*b)); a++)
        b++;
    return *a == '\0' && *b == '\0';
}

static void word_table_init(word_table *self, uint32_t count, arena *memory)
{
    uint32_t capacity = 16;
    while (capacity < 4 * count)
        capacity *= 2;
    self->words = arena_take_array(memory, capacity, sizeof *self->words);
    self->values = arena_take_array(memory, capacity, sizeof *self->values);
    self->mask = capacity - 1;
}

/* The slot of a word: its own or the free one where it belongs. */
static uint32_t word_table_slot(const word_table *self, const char *word, bool exact)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (const char *c = word; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)lower(*c)) * 16777619U;
    uint32_t slot = hash & self->mask;
    while (self->words[slot] != NULL && !words_equal(self->words[slot], word, exact))
        slot = (slot + 1) & self->mask;
    return slot;
}

typedef struct qc_file {
    const char *name;
    bool suffixed;
    bool taken;
    channel_suffix suffix;
    uint32_t next; /* file of the same group, 0 = last */
} qc_file;

typedef struct qc_builder {
    const qc_request *request;
    show *show;
    qc_file *files;
    word_table names; /* of programmes; the value is the last number tried behind that word */
    arena *arena;
    problem_list *problems;
} qc_builder;

/* The file's name without folder and extension, made fit for a name, and unlike all names before it. */
static const char *programme_name(qc_builder *self, const char *text)
{
    const char *slash = strrchr(text, '/');
    const char *base = slash == NULL ? text : slash + 1;
    const char *dot = strrchr(base, '.');
    size_t length = dot == NULL || dot == base ? strlen(base) : (size_t)(dot - base);
    char stem[NAME_MAX_BYTES];
    size_t used = 0;
    for (size_t i = 0; i < length && used + 8 < sizeof stem; i++) {
        char c = base[i];
        bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (kept || (used > 0 && stem[used - 1] != '_'))
            stem[used++] = kept ? c : '_';
    }
    while (used > 0 && (stem[used - 1] == '_' || stem[used - 1] == '-'))
        used--;
    stem[used] = '\0';
    const char *start = stem + strspn(stem, "_-");
    const char *name = arena_copy_text(self->arena, start[0] == '\0' ? "programme" : start);
    uint32_t slot = word_table_slot(&self->names, name, false);
    if (self->names.words[slot] == NULL) {
        self->names.words[slot] = name;
        self->names.values[slot] = 1;
        return name;
    }
    for (;;) {
        const char *tried = arena_format(self->arena, "%s_%u", name, ++self->names.values[slot]);
        uint32_t own = word_table_slot(&self->names, tried, false);
        if (self->names.words[own] != NULL)
            continue;
        self->names.words[own] = tried;
        self->names.values[own] = 1;
        return tried;
    }
}

static void add_programme(qc_builder *self, const char *named_after, const char *pattern, channel_layout_id layout,
                          bool interleaved)
{
    const qc_request *request = self->request;
    if (show_expand_pattern(pattern, "", "L", self->arena) == NULL) {
        problem_list_add(self->problems, self->arena, PROBLEM_ERROR, "", 0, 0,
                         "\"%.200s\" is no path that can be judged: it must be relative, without '..' and below %d bytes",
                         named_after, PATH_MAX_BYTES);
        return;
    }
    show_deliverable made = {.name = programme_name(self, named_after),
                             .file = pattern,
                             .layout = layout,
                             .spec_name = request->spec_name == NULL ? "none" : request->spec_name,
                             .language = ""};
    if (interleaved && request->order_given) {
        channel_order_of(layout, request->order, &made.order);
        made.order_given = true;
    }
    self->show->deliverables[self->show->deliverable_count++] = made;
}

/* The files of a group by their chain; 0 if they are more than a layout has, or a channel comes twice. */
static uint32_t group_members(const qc_builder *self, uint32_t first, uint32_t out[LAYOUT_CHANNELS_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = first;; i = self->files[i].next) {
        for (uint32_t k = 0; k < count; k++)
            if (self->files[out[k]].suffix.label == self->files[i].suffix.label)
                return 0;
        if (count == LAYOUT_CHANNELS_MAX)
            return 0;
        out[count++] = i;
        if (self->files[i].next == 0)
            return count;
    }
}

static void warn_of_group(qc_builder *self, const qc_file *head, uint32_t count, bool complete)
{
    problem_list_add(self->problems, self->arena, PROBLEM_WARNING, "", 0, 0,
                     "the %u files \"%.200s...%s\" look like one programme, but their channels are not those of %s; each is "
                     "judged by itself",
                     count, head->suffix.before, head->suffix.after,
                     complete ? channel_layout_get(self->request->layout)->name : "any layout");
}

/* A set of 5.1 whose LFE was lost looks like one of 5.0. */
static void warn_of_no_lfe(qc_builder *self, const qc_file *head, uint32_t count, channel_layout_id layout)
{
    problem_list_add(self->problems, self->arena, PROBLEM_WARNING, "", 0, 0,
                     "the %u files \"%.200s...%s\" are judged as %s, for there is no LFE among them; if one belongs there its file is "
                     "missing: say --layout",
                     count, head->suffix.before, head->suffix.after, channel_layout_get(layout)->name);
}

/* Makes the group that begins with this file one programme, if it is one. */
static void add_group(qc_builder *self, uint32_t first)
{
    uint32_t members[LAYOUT_CHANNELS_MAX];
    channel_label labels[LAYOUT_CHANNELS_MAX];
    const char *names[LAYOUT_CHANNELS_MAX];
    uint32_t count = group_members(self, first, members);
    if (count < 2)
        return;
    for (uint32_t i = 0; i < count; i++) {
        labels[i] = self->files[members[i]].suffix.label;
        names[i] = self->files[members[i]].suffix.channel;
    }
    const qc_file *head = &self->files[first];
    channel_layout_id layout = channel_suffix_layout(labels, count);
    if (self->request->layout != LAYOUT_NONE) {
        bool part = true;
        for (uint32_t i = 0; i < count; i++)
            part = part && channel_layout_index(self->request->layout, labels[i]) >= 0;
        if (!part) {
            warn_of_group(self, head, count, true);
            return;
        }
        layout = self->request->layout;
    } else if (layout == LAYOUT_NONE) {
        layout = count > 2 ? channel_suffix_around(labels, count) : LAYOUT_NONE; /* what it lacks is told as missing */
        if (layout == LAYOUT_NONE) {
            warn_of_group(self, head, count, false);
            return;
        }
    } else if (channel_layout_index(layout, CHANNEL_LFE) < 0 && count >= 5) {
        warn_of_no_lfe(self, head, count, layout);
    }
    for (uint32_t i = 0; i < count; i++)
        self->files[members[i]].taken = true;
    const char *before = file_pattern_literal(head->suffix.before, self->arena);
    const char *after = file_pattern_literal(head->suffix.after, self->arena);
    int cut = (int)strlen(head->suffix.before) - 1; /* without the separator */
    const char *title = arena_format(self->arena, "%.*s%s", cut, head->suffix.before, head->suffix.after);
    add_programme(self, title, channel_suffix_pattern(before, after, labels, names, count, self->arena), layout, false);
}

/* Chains the files that differ in the channel alone, in the order given; tells which file begins a chain. */
static void chain_groups(qc_builder *self, bool *begins)
{
    uint32_t count = (uint32_t)self->request->file_count;
    word_table groups;
    word_table_init(&groups, count, self->arena);
    for (uint32_t i = 0; i < count; i++) {
        qc_file *file = &self->files[i];
        file->name = self->request->files[i];
        file->suffixed = channel_suffix_split(file->name, &file->suffix, self->arena);
        if (!file->suffixed)
            continue;
        const char *key = arena_format(self->arena, "%s/%s", file->suffix.before, file->suffix.after);
        uint32_t slot = word_table_slot(&groups, key, true);
        begins[i] = groups.words[slot] == NULL;
        if (!begins[i])
            self->files[groups.values[slot]].next = i;
        groups.words[slot] = key;
        groups.values[slot] = i; /* the last so far */
    }
}

static status check_request(const qc_request *request, frame_rate *out_rate, arena *memory, problem_list *problems)
{
    size_t errors_before = problems->error_count;
    if (request->file_count == 0 || request->file_count > QC_FILES_MAX)
        problem_list_add(problems, memory, PROBLEM_ERROR, "", 0, 0, "%zu files are given; one job takes 1 to %d",
                         request->file_count, QC_FILES_MAX);
    if (request->order_given && request->layout == LAYOUT_NONE)
        problem_list_add(problems, memory, PROBLEM_ERROR, "", 0, 0,
                         "an order of channels says nothing without a layout; give --layout as well");
    if (request->frame_rate_text != NULL && frame_rate_parse(request->frame_rate_text, out_rate) != STATUS_OK)
        problem_list_add(problems, memory, PROBLEM_ERROR, "", 0, 0,
                         "\"%.40s\" is no frame rate; use 23.976, 24, 25, 29.97, 29.97df, 30, 48, 50, 59.94, 59.94df or 60",
                         request->frame_rate_text);
    return problems->error_count == errors_before ? STATUS_OK : STATUS_INPUT_INVALID;
}

status show_for_qc(show *out_show, const qc_request *request, arena *memory, problem_list *problems)
{
    show made = {.file_name = "", .title = "QC", .slug = "QC", .version = "v01", .date = "", .time = "", .media = ".", .output = "out",
                 .left_out_count = request->left_out_count, .left_out = request->left_out};
    size_t errors_before = problems->error_count;
    status code = check_request(request, &made.rate, memory, problems);
    if (code != STATUS_OK)
        return code;
    uint32_t count = (uint32_t)request->file_count;
    made.reels = arena_take(memory, sizeof *made.reels);
    made.reels[0].name = "";
    made.reel_count = 1;
    made.deliverables = arena_take_array(memory, count, sizeof *made.deliverables);
    qc_builder builder = {.request = request, .show = &made, .arena = memory, .problems = problems};
    builder.files = arena_take_array(memory, count, sizeof *builder.files);
    word_table_init(&builder.names, count, memory);
    bool *begins = arena_take_array(memory, count, sizeof *begins);
    chain_groups(&builder, begins);
    for (uint32_t i = 0; i < count; i++) {
        qc_file *file = &builder.files[i];
        if (begins[i])
            add_group(&builder, i);
        if (file->taken)
            continue;
        file->taken = true;
        add_programme(&builder, file->name, file_pattern_literal(file->name, memory), request->layout, true);
    }
    if (problems->error_count != errors_before)
        return STATUS_INPUT_INVALID;
    *out_show = made;
    return STATUS_OK;
}
