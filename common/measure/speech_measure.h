/**
 * Dialogue loudness: loudness of a whole programme in the blocks that are dialogue. It is not Dolby's Dialogue Intelligence and
 * does not claim its figures. Gate "stem": where the dialogue stem speaks. Gate "detector": where no stem says so, where the open
 * speech detector (speech_detector.h) hears speech in the programme itself.
 *
 * Where the stem speaks: the mono sum of the dialogue stems (without LFE), K-weighted, in steps of 100 ms counted from the
 * programme's first frame. A step speaks if it is at least as loud as both
 *   - 20 LU below the stem's own integrated loudness (BS.1770-5, both gates), and
 *   - -50 LUFS, so that room tone in a stem without any speech is none;
 * and the three steps (300 ms) behind a step that speaks count too, which bridges the gaps between words. Production sound
 * in a dialogue stem counts as speech; speech more than 20 LU below the rest does not.
 *
 * speech_share is the share of steps that speak. A 400 ms block of the programme, one each 100 ms, is dialogue if at least two
 * of its four steps speak; a 3 s window, one each 100 ms, if at least fifteen of its thirty do.
 */
#ifndef COMMON_MEASURE_SPEECH_MEASURE_H
#define COMMON_MEASURE_SPEECH_MEASURE_H

#include "common/measure/programme_measure.h"

/** Gain at which the mono sum is measured: it stays clear of full scale, and 1/8 is exact. Undone in the threshold. */
#define SPEECH_SUM_GAIN 0.125

typedef enum dialogue_gate { DIALOGUE_GATE_NONE, DIALOGUE_GATE_STEM, DIALOGUE_GATE_DETECTOR } dialogue_gate;

typedef struct dialogue_figures {
    dialogue_gate gate;   /**< NONE: nothing says where speech is */
    double lufs;          /**< BS.1770-1: mean power of the dialogue blocks, no level gates. NAN: the stem never speaks */
    double gated_lufs;    /**< BS.1770-4 and later: the same blocks through both gates */
    double range_lu;      /**< EBU Tech 3342 over the dialogue windows; NAN if there is none */
    double speech_share;  /**< 0 to 1; NAN: no dialogue stem, or less than one step */
    uint64_t block_count; /**< dialogue blocks */
    double lufs_error;    /**< how far it may be off what a dialogue stem would say (speech_detector.h); 0 for the stem itself */
    double share_error;
} dialogue_figures;

/**
 * One byte per whole 100 ms step, 1 where it speaks: of a dialogue stem's measure, or of a programme that was listened to
 * (programme_measure_hear). Returns the count, at most capacity.
 */
size_t speech_measure_steps(const programme_measure *speech, uint8_t *out_speaks, size_t capacity);

/**
 * Figures of the frames first..end of a programme; speech is the measure of the mono sum over the same timeline, the
 * programme's own measure where that was listened to, or NULL.
 * Both have the same rate and length.
 */
dialogue_figures speech_measure_dialogue(const programme_measure *programme, const programme_measure *speech,
                                         uint64_t first_frame, uint64_t end_frame);

#endif
