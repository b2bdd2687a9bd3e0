/**
 * Typed reading of a yaml_tree: every wrong thing becomes one problem with its position, what was found, what is allowed
 * and what to do. `what` is how the sentence names the value ("layout of stem DX"). A function that found nothing usable
 * gives NULL or false after complaining; NULL nodes (absent keys) are the caller's question and never complained about.
 */
#ifndef COORDINATOR_SHOW_YAML_READ_H
#define COORDINATOR_SHOW_YAML_READ_H

#include "coordinator/show/yaml_tree.h"

#include "common/media/channel_layout.h"
#include "common/media/join_fade.h"
#include "coordinator/show/recipe.h"

void yaml_complain(const yaml_source *self, const yaml_node *at, const char *format, ...) PRINTF_LIKE(3, 4);
void yaml_warn(const yaml_source *self, const yaml_node *at, const char *format, ...) PRINTF_LIKE(3, 4);
/** Complains at a node's key. */
void yaml_complain_key(const yaml_source *self, const yaml_node *at, const char *format, ...) PRINTF_LIKE(3, 4);

/** The value of a key of a map, NULL if it is not there or no map. */
const yaml_node *yaml_get(const yaml_node *map, const char *key);
/** True for a map; complains about anything else and about every key that is not allowed. keys ends with NULL. */
bool yaml_map_check(const yaml_source *self, const yaml_node *node, const char *what, const char *const *keys);
bool yaml_list_check(const yaml_source *self, const yaml_node *node, const char *what);
/** As yaml_get, and complains when the key is missing. */
const yaml_node *yaml_require(const yaml_source *self, const yaml_node *map, const char *key, const char *what,
                              const char *advice);

/** True for a plain scalar without a value ("", "~", "null"). */
bool yaml_is_null(const yaml_node *node);
/** A text of 1 .. size_max - 1 bytes. */
const char *yaml_text(const yaml_source *self, const yaml_node *node, const char *what, size_t size_max);
/** true/false/yes/no/on/off, as people write it. */
bool yaml_bool(const yaml_source *self, const yaml_node *node, const char *what, bool fallback);
/** A finite decimal number within minimum..maximum; locale plays no part. */
bool yaml_number(const yaml_source *self, const yaml_node *node, const char *what, double minimum, double maximum,
                 double *out_value);
/** One of words (ends with NULL), case-insensitive: its index, or -1. */
int yaml_word(const yaml_source *self, const yaml_node *node, const char *what, const char *const *words);
/** Letters, digits, '_' and '-', beginning with a letter or digit, below NAME_MAX_BYTES: safe in any file name. */
const char *yaml_name(const yaml_source *self, const yaml_node *node, const char *what);
/** A name that becomes a folder: no device name of Windows shares, and '.' may stand inside. */
const char *yaml_folder_name(const yaml_source *self, const yaml_node *node, const char *what);
channel_layout_id yaml_layout(const yaml_source *self, const yaml_node *node, const char *what);
channel_label yaml_channel(const yaml_source *self, const yaml_node *node, const char *what);
/** `join`: butt, equal-gain or equal-power. */
bool yaml_join(const yaml_source *self, const yaml_node *node, join_law *out_law);
/** `gain`: a number of dB, {match: NAME} or {to: spec}. Left as it is where something is wrong. */
void yaml_gain(const yaml_source *self, const yaml_node *node, const char *what, gain_wish *out_gain);
/** A language tag in the manner of BCP 47: "en", "fr-FR", "zh-Hant-TW". */
const char *yaml_language(const yaml_source *self, const yaml_node *node, const char *what);

/** "a, b, c" of a list that ends with NULL. */
const char *words_join(arena *arena, const char *const *words);
/** The number of words before the NULL. */
size_t words_count(const char *const *words);
/** Parses a decimal number without regard to the locale; the whole text must be one. */
bool decimal_parse(const char *text, double *out_value);
/** The same with "dB" behind it, or without. */
bool decibels_parse(const char *text, bool *out_unit, double *out_decibels);

#endif
