/**
 * What a file of a handed-over folder is, read from its name: "NT_R1_DX_51.wav", "Reel 02/music.Ls.wav",
 * "NIGHT TRAIN_AD_LONGPLAY.wav". Words stand between / _ - . and spaces; case makes no difference. Guesses, for `init` only.
 */
#ifndef COORDINATOR_SHOW_INIT_NAME_H
#define COORDINATOR_SHOW_INIT_NAME_H

#include "common/base/arena.h"
#include "common/media/channel_layout.h"
#include "coordinator/show/show_file.h"

#include <stdbool.h>

/** Texts live in the arena; "" where the name says nothing. */
typedef struct init_name {
    const char *pattern;    /**< the path with {reel} and {ch}: files of one stem share it */
    const char *reel;       /**< as written, "R1" */
    uint32_t reel_number;   /**< for the order of reels */
    bool has_role;
    stem_role role;
    const char *stem;       /**< the usual short name: DX, MX, FX, AD */
    const char *language;   /**< two letters, lower case; dialogue and narration only */
    channel_label channel;  /**< of a mono file of a set, else CHANNEL_NONE */
    const char *title;      /**< the words before the first one that was understood, joined by spaces */
} init_name;

/** False for a name without the extension of an audio file. */
bool init_name_parse(init_name *out_name, const char *path, arena *memory);

#endif
