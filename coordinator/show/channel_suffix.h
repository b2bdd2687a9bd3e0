/**
 * File names with a channel at their end: "R1_MX.Ls.wav" is "R1_MX", '.', "Ls", ".wav". Used where files must be grouped
 * by name alone: QC without a show file, and `init`.
 */
#ifndef COORDINATOR_SHOW_CHANNEL_SUFFIX_H
#define COORDINATOR_SHOW_CHANNEL_SUFFIX_H

#include "common/base/arena.h"
#include "common/media/channel_layout.h"

#include <stdbool.h>

/** Parts of a name; texts live in the arena. */
typedef struct channel_suffix {
    channel_label label;
    const char *before;  /**< all before the channel, separator included */
    const char *channel; /**< as written */
    const char *after;   /**< the extension with its dot */
} channel_suffix;

/** False if the name does not end in a separator (. _ -), a channel name and an extension. */
bool channel_suffix_split(const char *file_name, channel_suffix *out_suffix, arena *arena);

/** The layout that consists of exactly these labels, LAYOUT_NONE if none does. */
channel_layout_id channel_suffix_layout(const channel_label *labels, uint32_t count);

/** The smallest layout that has all these labels and others; LAYOUT_NONE if none does. */
channel_layout_id channel_suffix_around(const channel_label *labels, uint32_t count);

/**
 * The pattern for a set of files: before{ch}after, with {LABEL=NAME} for each channel that is not called by its usual name.
 * `before` and `after` are patterns themselves. names[i] is the spelling of labels[i].
 */
const char *channel_suffix_pattern(const char *before, const char *after, const channel_label *labels,
                                   const char *const *names, uint32_t count, arena *arena);

#endif
