#include "coordinator/plan/plan.h"

#include <stdio.h>
#include <string.h>

/* One pattern of the show and where its expansions go. */
typedef struct pattern_source {
    const char *pattern;
    channel_layout_id layout;
    int32_t stem;
    int32_t deliverable;
    bool optional;
    bool reference;
    uint32_t line, column;
    const char *who; /* for messages */
} pattern_source;

typedef struct input_builder {
    const show *show;
    const plan_place *media;
    arena *arena;
    problem_list *problems;
    plan_input *items; /* NULL while counting */
    uint32_t count;
} input_builder;

static void input_builder_complain(input_builder *self, const pattern_source *source, const char *why)
{
    problem_list_add(self->problems, self->arena, PROBLEM_ERROR, self->show->file_name, source->line, source->column,
                     "%s: the file pattern \"%s\" %s", source->who, source->pattern, why);
}

/* One file of a pattern. reel and channel are NULL where the pattern has no such place. */
static void input_builder_add(input_builder *self, const pattern_source *source, int32_t reel, channel_label channel)
{
    uint32_t index = self->count++;
    if (self->items == NULL)
        return;
    plan_input *input = &self->items[index];
    *input = (plan_input){.stem = source->stem,
                          .deliverable = source->deliverable,
                          .reel = reel,
                          .channel = channel,
                          .optional = source->optional,
                          .reference = source->reference};
    const char *reel_name = reel >= 0 ? self->show->reels[reel].name : "";
    const char *expanded = show_expand_pattern(source->pattern, reel_name, channel_label_name(channel), self->arena);
    if (expanded == NULL) {
        input->display = source->pattern;
        input_builder_complain(self, source,
                               "does not give a relative path below the media folder; write it without a "
                               "leading '/', without '.' and '..', and shorter than 1000 bytes");
        return;
    }
    input->display = expanded;
    const char *prefix = self->media->prefix;
    int length =
        snprintf(input->path.path, sizeof input->path.path, "%s%s%s", prefix, prefix[0] == '\0' ? "" : "/", expanded);
    if (length < 0 || (size_t)length >= sizeof input->path.path)
        input_builder_complain(self, source,
                               "gives a path that is too long together with its media folder; shorten it");
    snprintf(input->path.root, sizeof input->path.root, "%s", self->media->root);
}

static void input_builder_expand(input_builder *self, const pattern_source *source)
{
    bool per_reel = strstr(source->pattern, "{reel}") != NULL;
    bool per_channel = strstr(source->pattern, "{ch}") != NULL;
    const channel_layout *layout = channel_layout_get(source->layout);
    if (per_channel && layout->channel_count == 0) {
        if (self->items == NULL)
            input_builder_complain(self, source,
                                   "has {ch} but no layout says which channels there are; state the layout");
        return;
    }
    uint32_t reel_count = per_reel ? self->show->reel_count : 1;
    uint32_t channel_count = per_channel ? layout->channel_count : 1;
    for (uint32_t reel = 0; reel < reel_count; reel++)
        for (uint32_t channel = 0; channel < channel_count; channel++)
            input_builder_add(self, source, per_reel ? (int32_t)reel : -1,
                              per_channel ? layout->labels[channel] : CHANNEL_NONE);
}

static void input_builder_run(input_builder *self)
{
    const show *film = self->show;
    for (uint32_t i = 0; i < film->stem_count; i++) {
        const show_stem *stem = &film->stems[i];
        pattern_source source = {.pattern = stem->file,
                                 .layout = stem->layout,
                                 .stem = (int32_t)i,
                                 .deliverable = -1,
                                 .optional = stem->optional,
                                 .line = stem->line,
                                 .column = stem->column};
        source.who = arena_format(self->arena, "stem %s", stem->name);
        input_builder_expand(self, &source);
    }
    for (uint32_t i = 0; i < film->deliverable_count; i++) {
        const show_deliverable *deliverable = &film->deliverables[i];
        if (deliverable->file == NULL)
            continue;
        pattern_source source = {.pattern = deliverable->file,
                                 .layout = deliverable->layout,
                                 .stem = -1,
                                 .deliverable = (int32_t)i,
                                 .line = deliverable->line,
                                 .column = deliverable->column};
        source.who = arena_format(self->arena, "deliverable %s", deliverable->name);
        input_builder_expand(self, &source);
    }
    if (film->reference_file != NULL) {
        pattern_source source = {.pattern = film->reference_file,
                                 .layout = film->reference_layout,
                                 .stem = -1,
                                 .deliverable = -1,
                                 .reference = true,
                                 .who = "reference"};
        input_builder_expand(self, &source);
    }
}

status plan_list_inputs(input_list *out_inputs, const show *film, const plan_place *media, arena *memory,
                        problem_list *problems)
{
    size_t errors_before = problems->error_count;
    input_builder builder = {.show = film, .media = media, .arena = memory, .problems = problems};
    input_builder_run(&builder);
    if (builder.count > JOB_FILES_MAX) {
        problem_list_add(problems, memory, PROBLEM_ERROR, film->file_name, 0, 0,
                         "the show names %u files and a job may have %d; split it into several shows", builder.count,
                         JOB_FILES_MAX);
        return STATUS_LIMIT;
    }
    builder.items = arena_take_array(memory, builder.count, sizeof *builder.items);
    builder.count = 0;
    input_builder_run(&builder);
    if (problems->error_count != errors_before)
        return STATUS_INPUT_INVALID;
    *out_inputs = (input_list){.count = builder.count, .items = builder.items};
    return STATUS_OK;
}
