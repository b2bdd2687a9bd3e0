/**
 * From the leaks of single cells to leaks of a programme: what leaks into what, when, at which gain, delay and in which
 * octaves; and how small a leak could have been found between each two stems.
 */
#ifndef COMMON_MEASURE_STEM_BLEED_H
#define COMMON_MEASURE_STEM_BLEED_H

#include "common/measure/stem_features.h"

enum { STEM_BLEEDS_MAX = 512 };

typedef struct stem_bleed {
    uint16_t source, host;  /**< lanes */
    int delay_samples;      /**< the host is later */
    double gain;            /**< linear, negative when upside down; in the octaves that carry it */
    uint32_t first_band, last_band;
    uint64_t start_frame, end_frame;
    uint64_t start_first, start_last; /**< between these it begins, as far as was looked, */
    uint64_t end_first, end_last;     /**< and ends */
    double score, chance;   /**< of the cell that shows it best: standard deviations of chance, and the same out of time */
    uint32_t cell_count;    /**< in which it was found */
} stem_bleed;

typedef struct stem_bleeds {
    uint32_t count, dropped;
    stem_bleed items[STEM_BLEEDS_MAX]; /**< by time */
} stem_bleeds;

/** Gain of one cell's leak, over all its windows and octaves. */
double stem_leak_gain(const stem_leak *leak);

/** group_of[lane]: the stem of a lane. out_bleeds is large; take it from an arena. STATUS_NODE_MEMORY only. */
MUST_USE status stem_bleed_find(stem_bleeds *out_bleeds, const stem_programme *programme, const uint8_t *group_of);

/** How small a leak of one stem in another would have been found, if it is of the source's whole sound. */
typedef struct stem_reach {
    double half, most;              /**< in half of the time in which the source plays and the host is not silent, in nine tenths;
                                         HUGE_VAL: none, the host is too loud there; 0: there is no such time */
    double low;                      /**< as `most`, of a leak of the source's lowest STEM_BANDS_LOW octaves alone */
    uint64_t start_frame, end_frame; /**< where it is worst */
} stem_reach;

/** STATUS_NODE_MEMORY only. */
MUST_USE status stem_bleed_reach(stem_reach *out_reach, const stem_programme *programme, uint32_t source_group,
                                  uint32_t host_group);

/** Lowest and highest frequency of a band. */
double stem_band_low_hz(uint32_t band, uint32_t sample_rate);
double stem_band_high_hz(uint32_t band, uint32_t sample_rate);

#endif
