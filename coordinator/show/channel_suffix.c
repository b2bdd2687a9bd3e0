#include "coordinator/show/channel_suffix.h"

#include <string.h>

bool channel_suffix_split(const char *file_name, channel_suffix *out_suffix, arena *memory)
{
    const char *slash = strrchr(file_name, '/');
    const char *base = slash == NULL ? file_name : slash + 1;
    const char *dot = strrchr(base, '.');
    if (dot == NULL || dot == base)
        return false;
    const char *separator = NULL;
    for (const char *c = base; c < dot; c++)
        if (*c == '.' || *c == '_' || *c == '-')
            separator = c;
    if (separator == NULL || separator == base || separator + 1 == dot)
        return false;
    const char *channel = arena_copy_bytes(memory, separator + 1, (size_t)(dot - separator - 1));
    channel_label label = channel_label_from_name(channel);
    if (label == CHANNEL_NONE)
        return false;
    *out_suffix = (channel_suffix){.label = label,
                                   .before = arena_copy_bytes(memory, file_name, (size_t)(separator + 1 - file_name)),
                                   .channel = channel,
                                   .after = arena_copy_text(memory, dot)};
    return true;
}

static bool layout_has_all(const channel_layout *layout, const channel_label *labels, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (channel_layout_index(layout->id, labels[i]) < 0)
            return false;
    return true;
}

channel_layout_id channel_suffix_layout(const channel_label *labels, uint32_t count)
{
    for (int id = LAYOUT_NONE + 1; id < LAYOUT_COUNT; id++) {
        const channel_layout *layout = channel_layout_get((channel_layout_id)id);
        if (layout->channel_count == count && layout_has_all(layout, labels, count)) /* no label comes twice */
            return layout->id;
    }
    return LAYOUT_NONE;
}

channel_layout_id channel_suffix_around(const channel_label *labels, uint32_t count)
{
    const channel_layout *found = NULL;
    for (int id = LAYOUT_NONE + 1; id < LAYOUT_COUNT; id++) {
        const channel_layout *layout = channel_layout_get((channel_layout_id)id);
        if (layout->channel_count > count && layout_has_all(layout, labels, count) &&
            (found == NULL || layout->channel_count < found->channel_count))
            found = layout;
    }
    return found == NULL ? LAYOUT_NONE : found->id;
}

const char *channel_suffix_pattern(const char *before, const char *after, const channel_label *labels,
                                   const char *const *names, uint32_t count, arena *memory)
{
    const char *aliases = "";
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(channel_label_name(labels[i]), names[i]) != 0)
            aliases = arena_format(memory, "%s{%s=%s}", aliases, channel_label_name(labels[i]), names[i]);
    return arena_format(memory, "%s{ch}%s%s", before, aliases, after);
}
