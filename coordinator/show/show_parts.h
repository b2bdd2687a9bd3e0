/** What the files of this module share while one show file is read. Not for others. */
#ifndef COORDINATOR_SHOW_SHOW_PARTS_H
#define COORDINATOR_SHOW_SHOW_PARTS_H

#include "coordinator/show/show_file.h"
#include "coordinator/show/yaml_read.h"

/** node may be NULL where the key is absent. Each adds its problems to the source. */
void show_read_stems(show *self, const yaml_node *node, const yaml_source *source);
void show_read_reels(show *self, const yaml_node *node, const yaml_source *source);
void show_read_waivers(show *self, const yaml_node *node, const yaml_source *source);
void show_read_deliverables(show *self, const yaml_node *node, const yaml_source *source);

/** "2s", "1.5s", "500ms", "48f" (picture frames). */
bool show_read_duration(const show *self, const yaml_source *source, const yaml_node *node, const char *what,
                        double *out_seconds);
/** A checked file pattern, or NULL. */
const char *show_read_pattern(const yaml_source *source, const yaml_node *node, const char *what, bool *out_per_reel,
                              bool *out_multi_mono);
/** `order` of a layout: smpte, film, wave or a list of the layout's channels. */
bool show_read_order(const yaml_source *source, const yaml_node *node, const char *what, channel_layout_id layout,
                     channel_order *out_order);
/** NULL when the title cannot be written in [A-Z0-9_-]. */
const char *slug_from_title(const char *title, arena *arena);

#endif
