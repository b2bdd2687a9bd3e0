/* A show made from a list of files: each group of files is one received programme. */
#include "coordinator/show/channel_suffix.h"
#include "coordinator/show/file_pattern.h"
#include "coordinator/show/show_file.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { QC_FILES_MAX = SHOW_DELIVERABLES_MAX * LAYOUT_CHANNELS_MAX };

typedef struct qc_file {
    const char *name;
    bool suffixed;
    bool taken;
    channel_suffix suffix;
} qc_file;

typedef struct qc_builder {
    const qc_request *request;
    show *show;
    qc_file *files;
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
    const char *tried = name;
    for (unsigned number = 2;; number++) {
        bool unique = true;
        for (uint32_t i = 0; i < self->show->deliverable_count; i++)
            unique = unique && strcasecmp(self->show->deliverables[i].name, tried) != 0;
        if (unique)
            return tried;
        tried = arena_format(self->arena, "%s_%u", name, number);
    }
}

static void add_programme(qc_builder *self, const char *named_after, const char *pattern, channel_layout_id layout,
                          bool ordered)
{
    show *film = self->show;
    const qc_request *request = self->request;
    if (film->deliverable_count == SHOW_DELIVERABLES_MAX) {
        problem_list_add(self->problems, self->arena, PROBLEM_ERROR, "", 0, 0,
                         "the files make more than %d programmes, which is what one job takes; give fewer files at a time",
                         SHOW_DELIVERABLES_MAX);
        return;
    }
    if (show_expand_pattern(pattern, "", "L", self->arena) == NULL) {
        problem_list_add(self->problems, self->arena, PROBLEM_ERROR, "", 0, 0,
                         "\"%s\" is no path that can be judged: it must be relative, without '..' and below %d bytes",
                         named_after, PATH_MAX_BYTES);
        return;
    }
    show_deliverable made = {.name = programme_name(self, named_after),
                             .file = pattern,
                             .layout = layout,
                             .spec_name = request->spec_name == NULL ? "none" : request->spec_name,
                             .language = ""};
    if (ordered && request->order_given && layout != LAYOUT_NONE) {
        channel_order_of(layout, request->order, &made.order);
        made.order_given = true;
    }
    film->deliverables[film->deliverable_count++] = made;
}

/* The files that differ from files[first] in the channel alone; indexes to out. A channel that comes twice ends the group. */
static uint32_t group_of(const qc_builder *self, uint32_t first, uint32_t out[LAYOUT_CHANNELS_MAX])
{
    const qc_file *head = &self->files[first];
    uint32_t count = 0;
    for (uint32_t i = first; i < self->request->file_count; i++) {
        const qc_file *file = &self->files[i];
        if (file->taken || !file->suffixed || strcmp(file->suffix.before, head->suffix.before) != 0 ||
            strcmp(file->suffix.after, head->suffix.after) != 0)
            continue;
        for (uint32_t k = 0; k < count; k++)
            if (self->files[out[k]].suffix.label == file->suffix.label)
                return 0;
        if (count == LAYOUT_CHANNELS_MAX)
            return 0;
        out[count++] = i;
    }
    return count;
}

/* True if the group became one programme. */
static bool add_group(qc_builder *self, uint32_t first)
{
    uint32_t members[LAYOUT_CHANNELS_MAX];
    channel_label labels[LAYOUT_CHANNELS_MAX];
    const char *names[LAYOUT_CHANNELS_MAX];
    uint32_t count = group_of(self, first, members);
    if (count < 2)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        labels[i] = self->files[members[i]].suffix.label;
        names[i] = self->files[members[i]].suffix.channel;
    }
    channel_layout_id layout = channel_suffix_layout(labels, count);
    const qc_file *head = &self->files[first];
    if (layout == LAYOUT_NONE || (self->request->layout != LAYOUT_NONE && self->request->layout != layout)) {
        problem_list_add(self->problems, self->arena, PROBLEM_WARNING, "", 0, 0,
                         "the %u files \"%s...%s\" look like one programme, but their channels are not those of %s; each is "
                         "judged by itself",
                         count, head->suffix.before, head->suffix.after,
                         layout == LAYOUT_NONE ? "any layout" : channel_layout_get(self->request->layout)->name);
        for (uint32_t i = 0; i < count; i++) {
            self->files[members[i]].taken = true;
            add_programme(self, self->files[members[i]].name,
                          file_pattern_literal(self->files[members[i]].name, self->arena), LAYOUT_MONO, false);
        }
        return true;
    }
    for (uint32_t i = 0; i < count; i++)
        self->files[members[i]].taken = true;
    const char *before = file_pattern_literal(head->suffix.before, self->arena);
    const char *after = file_pattern_literal(head->suffix.after, self->arena);
    size_t cut = strlen(head->suffix.before) - 1; /* without the separator */
    const char *title = arena_format(self->arena, "%.*s%s", (int)cut, head->suffix.before, head->suffix.after);
    add_programme(self, title, channel_suffix_pattern(before, after, labels, names, count, self->arena), layout, false);
    return true;
}

status show_for_qc(show *out_show, const qc_request *request, arena *memory, problem_list *problems)
{
    size_t errors_before = problems->error_count;
    if (request->file_count == 0 || request->file_count > QC_FILES_MAX) {
        problem_list_add(problems, memory, PROBLEM_ERROR, "", 0, 0, "%zu files are given; one job takes 1 to %d",
                         request->file_count, QC_FILES_MAX);
        return request->file_count == 0 ? STATUS_INPUT_MISSING : STATUS_LIMIT;
    }
    show made = {.file_name = "", .title = "QC", .slug = "QC", .version = "v01", .date = "", .media = ".", .output = "."};
    made.reels = arena_take(memory, sizeof *made.reels);
    made.reels[0].name = "";
    made.reel_count = 1;
    made.deliverables = arena_take_array(memory, SHOW_DELIVERABLES_MAX, sizeof *made.deliverables);
    if (request->frame_rate_text != NULL && frame_rate_parse(request->frame_rate_text, &made.rate) != STATUS_OK)
        problem_list_add(problems, memory, PROBLEM_ERROR, "", 0, 0,
                         "\"%.40s\" is no frame rate; use 23.976, 24, 25, 29.97, 29.97df, 30, 48, 50, 59.94, 59.94df or 60",
                         request->frame_rate_text);
    qc_builder builder = {.request = request, .show = &made, .arena = memory, .problems = problems};
    builder.files = arena_take_array(memory, request->file_count, sizeof *builder.files);
    for (uint32_t i = 0; i < request->file_count; i++) {
        builder.files[i].name = request->files[i];
        builder.files[i].suffixed = channel_suffix_split(request->files[i], &builder.files[i].suffix, memory);
    }
    for (uint32_t i = 0; i < request->file_count && problems->error_count == errors_before; i++) {
        qc_file *file = &builder.files[i];
        if (file->taken || (file->suffixed && add_group(&builder, i)))
            continue;
        file->taken = true;
        add_programme(&builder, file->name, file_pattern_literal(file->name, memory), request->layout, true);
    }
    if (problems->error_count != errors_before)
        return STATUS_INPUT_INVALID;
    *out_show = made;
    return STATUS_OK;
}
