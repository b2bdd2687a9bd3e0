/**
 * Picture frame rates, SMPTE timecode and the one rule that turns picture frames into samples.
 *
 * sample(n) = floor(n x rate x den / num + 1/2), n counted from a file's first frame for input and from the programme's
 * first frame for joined output; lengths are differences of that, never sums of rounded lengths (design, section 1).
 * "Frame" here is a picture frame. Everything is exact integer arithmetic.
 */
#ifndef COMMON_MEDIA_TIMECODE_H
#define COMMON_MEDIA_TIMECODE_H

#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct frame_rate {
    uint32_t num;     /**< frames per second = num / den; 0 = not known */
    uint32_t den;
    uint32_t nominal; /**< frames counted per timecode second: 24 for 23.976 */
    bool drop;        /**< drop-frame counting */
} frame_rate;

enum { TIMECODE_TEXT_SIZE = 24, FRAME_RATE_TEXT_SIZE = 8 };

/** "23.976" "23.98" "24000/1001" "24" "25" "29.97" "29.97df" "30" "48" "50" "59.94" "59.94df" "60"; also their n/1001 forms. */
MUST_USE status frame_rate_parse(const char *text, frame_rate *out_rate);
/** The name the show file uses: "23.976", "29.97df", ... ; "" when not known. */
const char *frame_rate_name(const frame_rate *rate);
bool frame_rate_equal(const frame_rate *a, const frame_rate *b);

/**
 * "HH:MM:SS:FF" (';' before FF is allowed for drop-frame and required by nothing) to frames since 00:00:00:00.
 * STATUS_INPUT_SYNTAX for a wrong form, STATUS_INPUT_INVALID for a timecode that does not exist at that rate (frame
 * number too high, minute over 59, hour over 23, a dropped number), with a sentence in detail.
 */
MUST_USE status timecode_parse(const char *text, const frame_rate *rate, uint64_t *out_frame, error_detail *detail);
/** Frames since midnight to text, wrapped at 24 h; ';' before the frames for drop-frame. "--:--:--:--" without a rate. */
void timecode_format(uint64_t frame, const frame_rate *rate, char out[TIMECODE_TEXT_SIZE]);
/** Frames in 24 hours of timecode. */
uint64_t timecode_day_frames(const frame_rate *rate);

/** sample(n). frame below 2^40. 0 without a rate. */
uint64_t timecode_sample_of_frame(uint64_t frame, const frame_rate *rate, uint32_t sample_rate);
/** The last frame n with sample(n) <= sample. */
uint64_t timecode_frame_of_sample(uint64_t sample, const frame_rate *rate, uint32_t sample_rate);

/** Where a sample lies in what has no timecode: "12.500 s", from a minute on "1:42:31.875", as clocks and editors count. */
void timecode_elapsed(uint64_t sample, uint32_t sample_rate, char out[TIMECODE_TEXT_SIZE]);

#endif
