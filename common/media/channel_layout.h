/**
 * Loudspeaker layouts, the labels of their channels, the orders files keep them in, and the weight each has in loudness.
 *
 * A layout's canonical order is SMPTE/ITU with side before rear: L R C LFE Lss Rss Lrs Rrs Lts Rts (5.1: L R C LFE Ls
 * Rs). Inside reelmill channels are always in canonical order; readers and writers permute at the file.
 * Sources: ITU-R BS.1770-5 Annex 1 table 3, Annex 3 tables 4 and 5 (weights); domain.md section 5 (orders, masks; ISDCF Doc 4
 * for the two cinema layouts, whose order is that of the package's tracks).
 */
#ifndef COMMON_MEDIA_CHANNEL_LAYOUT_H
#define COMMON_MEDIA_CHANNEL_LAYOUT_H

#include "common/base/limits.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum channel_label {
    CHANNEL_NONE,
    CHANNEL_M, /**< the channel of mono */
    CHANNEL_L,
    CHANNEL_R,
    CHANNEL_C,
    CHANNEL_LFE,
    CHANNEL_LS,  /**< surround of a 5.x layout, +-110 degrees */
    CHANNEL_RS,
    CHANNEL_LSS, /**< side, +-90 */
    CHANNEL_RSS,
    CHANNEL_LRS, /**< rear, +-135 */
    CHANNEL_RRS,
    CHANNEL_LTS, /**< top side */
    CHANNEL_RTS,
    CHANNEL_CS,  /**< centre surround, 180 */
    CHANNEL_LC,  /**< behind the screen, between L and C */
    CHANNEL_RC,
    CHANNEL_HI,  /**< cinema: the mix for the hard of hearing, for headphones; no part of what the room hears */
    CHANNEL_VIN, /**< cinema: VI-N, narration for the visually impaired, for headphones */
    CHANNEL_LABEL_COUNT
} channel_label;

/** "L", "LFE", "Lss"...; "M" for mono, "?" outside the enum. */
const char *channel_label_name(channel_label label);
/** Case-insensitive; knows the usual synonyms (mono, Lf, Sub, Lsr for Lrs, Lb/Rb, Lsd, Ltm ...). CHANNEL_NONE if unknown. */
channel_label channel_label_from_name(const char *name);

typedef enum channel_layout_id {
    LAYOUT_NONE,
    LAYOUT_MONO,
    LAYOUT_STEREO, /* "stereo", "2.0" */
    LAYOUT_3_0,
    LAYOUT_4_0, /* L R C Cs */
    LAYOUT_5_0,
    LAYOUT_5_1,
    LAYOUT_7_0,
    LAYOUT_7_1,
    LAYOUT_5_1_2,
    LAYOUT_7_0_2,
    LAYOUT_7_1_2,
    LAYOUT_DCP_5_1, /* "dcp-5.1": L R C LFE Ls Rs HI VI-N */
    LAYOUT_DCP_7_1, /* "dcp-7.1": L R C LFE Lss Rss HI VI-N Lc Rc Lrs Rrs */
    LAYOUT_COUNT
} channel_layout_id;

typedef struct channel_layout {
    channel_layout_id id;
    const char *name; /**< "mono", "stereo", "5.1", ... */
    uint8_t channel_count;
    channel_label labels[LAYOUT_CHANNELS_MAX]; /**< canonical order */
    uint32_t wave_mask;                        /**< dwChannelMask of WAVE_FORMAT_EXTENSIBLE, 0 where none fits */
} channel_layout;

/** The table entry; never NULL, LAYOUT_NONE for an id outside the enum. */
const channel_layout *channel_layout_get(channel_layout_id id);
/** By name ("5.1", "51", "stereo", "2.0", "mono", "1.0", "7.1.2", ...), case-insensitive; LAYOUT_NONE if unknown. */
channel_layout_id channel_layout_from_name(const char *name);
/** The layout a file of that many channels most likely has (1 mono, 2 stereo, 6 5.1, 8 7.1, 10 7.1.2); LAYOUT_NONE if unclear. */
channel_layout_id channel_layout_guess(uint32_t channel_count);
/** Index of label in canonical order, or -1. */
int channel_layout_index(channel_layout_id id, channel_label label);
/**
 * Weight of a channel's power in loudness, BS.1770-5: LFE 0, and 0 for HI and VI-N, which no loudspeaker plays; azimuth
 * 60..120 degrees at ear level 1.41; all others 1. Mono is one channel at 1.
 */
double channel_loudness_weight(channel_layout_id id, uint32_t channel);

/**
 * How the channels of a file follow each other. labels[i] is the label of the file's channel i.
 * smpte = canonical; film = L C R Ls Rs LFE (7.1: L C R Lss Rss Lrs Rrs LFE); wave = by ascending bit of the WAVE mask
 * (rear before side). In film order tops stand behind the LFE.
 */
typedef struct channel_order {
    uint8_t channel_count;
    channel_label labels[LAYOUT_CHANNELS_MAX];
} channel_order;

typedef enum channel_order_id { ORDER_SMPTE, ORDER_FILM, ORDER_WAVE, ORDER_LIST } channel_order_id;

void channel_order_of(channel_layout_id layout, channel_order_id order, channel_order *out_order);
/**
 * The order that dwChannelMask states for these channels. False where a bit has no label in the layout, and where the mask
 * does not name exactly the layout's channels. Ls/Rs are understood as back (0x3F) or side (0x60F); written as back.
 */
bool channel_order_from_mask(channel_layout_id layout, uint32_t mask, channel_order *out_order);
/** True if both name the same labels in the same places. */
bool channel_order_equal(const channel_order *a, const channel_order *b);
/** Position in the file of canonical channel `channel` of layout, or -1 when the order lacks it. */
int channel_order_position(const channel_order *order, channel_layout_id layout, uint32_t channel);

#endif
