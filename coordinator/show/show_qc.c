#include "coordinator/show/show_file.h"

#include <stdio.h>
#include <string.h>

/* The stem of a file name and the channel its suffix names: "a/mix.Ls.wav" is "a/mix" + ".wav" and Ls. */
typedef struct qc_name {
    size_t head;           /* bytes before the separator */
    const char *extension; /* from its dot, "" if none */
    char separator;
    channel_label label;
} qc_name;

static qc_name split_name(const char *file)
{
    qc_name name = {.extension = "", .label = CHANNEL_NONE};
    const char *slash = strrchr(file, '/');
    const char *base = slash == NULL ? file : slash + 1;
    const char *dot = strrchr(base, '.');
    size_t end = dot == NULL ? strlen(file) : (size_t)(dot - file);
    name.extension = dot == NULL ? "" : dot;
    name.head = end;
    for (size_t i = end; i > (size_t)(base - file) + 1; i--) {
        char before = file[i - 1];
        if (before != '.' && before != '_' && before != '-')
            continue;
        char word[16];
        if (end - i > 0 && end - i < sizeof word) {
            memcpy(word, file + i, end - i);
            word[end - i] = '\0';
            name.label = channel_label_from_name(word);
            if (name.label != CHANNEL_NONE && name.label != CHANNEL_M) {
                name.head = i - 1;
                name.separator = before;
            } else {
                name.label = CHANNEL_NONE;
            }
        }
        break;
    }
    return name;
}

/* The layout whose channels are exactly the labels of a group. */
static channel_layout_id layout_of_labels(const channel_label *labels, uint32_t count)
{
    for (int id = LAYOUT_NONE + 1; id < LAYOUT_COUNT; id++) {
        const channel_layout *layout = channel_layout_get((channel_layout_id)id);
        bool same = layout->channel_count == count;
        for (uint32_t i = 0; same && i < count; i++)
            same = channel_layout_index((channel_layout_id)id, labels[i]) >= 0;
        if (same)
            return (channel_layout_id)id;
    }
    return LAYOUT_NONE;
}

/* A multi-mono group with file `first`, or 0 when its siblings make no layout. */
static uint32_t find_group(const qc_request *request, size_t first, bool *taken, channel_layout_id *out_layout)
{
    qc_name head = split_name(request->files[first]);
    size_t members[LAYOUT_CHANNELS_MAX];
    channel_label labels[LAYOUT_CHANNELS_MAX];
    uint32_t count = 0;
    if (head.label == CHANNEL_NONE)
        return 0;
    for (size_t i = first; i < request->file_count && count < LAYOUT_CHANNELS_MAX; i++) {
        qc_name name = split_name(request->files[i]);
        if (taken[i] || name.label == CHANNEL_NONE || name.head != head.head || name.separator != head.separator ||
            strcmp(name.extension, head.extension) != 0 || strncmp(request->files[i], request->files[first], head.head) != 0)
            continue;
        members[count] = i;
        labels[count++] = name.label;
    }
    *out_layout = count > 1 ? layout_of_labels(labels, count) : LAYOUT_NONE;
    for (uint32_t i = 0; *out_layout != LAYOUT_NONE && i < count; i++) {
        /* The pattern's {ch} is the canonical name; a file named otherwise would not be found by it. */
        const char *name = channel_label_name(labels[i]);
        if (strncmp(request->files[members[i]] + head.head + 1, name, strlen(name)) != 0)
            *out_layout = LAYOUT_NONE;
    }
    for (uint32_t i = 0; *out_layout != LAYOUT_NONE && i < count; i++)
        taken[members[i]] = true;
    return *out_layout == LAYOUT_NONE ? 0 : count;
}

status show_for_qc(show *out_show, const qc_request *request, arena *memory, problem_list *problems)
{
    if (request->file_count == 0 || request->file_count > UINT16_MAX) {
        problem_list_add(problems, memory, PROBLEM_ERROR, "", 0, 0, "%zu files are given; 1 to %d are allowed in one job",
                         request->file_count, UINT16_MAX);
        return STATUS_INPUT_INVALID;
    }
    show self = {.file_name = "qc", .title = "QC", .slug = "QC", .version = "v01", .date = "", .media = "", .output = "out"};
    if (request->frame_rate_text != NULL && frame_rate_parse(request->frame_rate_text, &self.rate) != STATUS_OK) {
        problem_list_add(problems, memory, PROBLEM_ERROR, "", 0, 0,
                         "'%s' is no frame rate; allowed: 23.976, 24, 25, 29.97, 29.97df, 30, 48, 50, 59.94, 59.94df, 60",
                         request->frame_rate_text);
        return STATUS_INPUT_INVALID;
    }
    if (request->order_given && request->layout == LAYOUT_NONE) {
        problem_list_add(problems, memory, PROBLEM_ERROR, "", 0, 0,
                         "an order of channels means nothing without a layout; give --layout as well");
        return STATUS_INPUT_INVALID;
    }
    self.reel_count = 1;
    self.reels = arena_take(memory, sizeof *self.reels);
    self.reels[0].name = "";
    self.deliverables = arena_take_array(memory, request->file_count, sizeof *self.deliverables);
    bool *taken = arena_take_array(memory, request->file_count, sizeof *taken);
    for (size_t i = 0; i < request->file_count; i++) {
        if (taken[i])
            continue;
        show_deliverable *made = &self.deliverables[self.deliverable_count++];
        channel_layout_id layout = LAYOUT_NONE;
        *made = (show_deliverable){.file = request->files[i], .layout = request->layout, .language = "",
                                   .spec_name = request->spec_name == NULL ? "none" : request->spec_name};
        made->name = arena_format(memory, "P%zu", (size_t)self.deliverable_count);
        if (find_group(request, i, taken, &layout) > 0) {
            qc_name name = split_name(request->files[i]);
            made->file = arena_format(memory, "%.*s%c{ch}%s", (int)name.head, request->files[i], name.separator, name.extension);
            made->layout = layout;
        } else if (request->order_given) {
            made->order_given = true;
            channel_order_of(request->layout, request->order, &made->order);
        }
        taken[i] = true;
    }
    *out_show = self;
    return STATUS_OK;
}
