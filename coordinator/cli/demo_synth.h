/**
 * The sounds of the demo show, made from nothing but arithmetic: a voice of formants (or a speech synthesiser's file where
 * one is installed), music, and the effects of a night train. For trying the product; not for measuring.
 *
 * All buffers are planar float, one channel, 48 kHz, added to (never cleared) by these functions.
 */
#ifndef COORDINATOR_CLI_DEMO_SYNTH_H
#define COORDINATOR_CLI_DEMO_SYNTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DEMO_RATE = 48000, DEMO_CHANNELS = 6 };

typedef struct demo_bed {
    size_t frame_count;
    float *channels[DEMO_CHANNELS]; /**< L R C LFE Ls Rs */
} demo_bed;

/** Speaks text into out from frame `at`. Uses espeak-ng when it is installed, else the formant voice. Returns its length. */
size_t demo_speak(float *out, size_t frame_count, size_t at, const char *text, double pitch, float gain);
/** Room tone of a set at -80 dBFS from `first` to `end`: a voice that is recorded stands in no digital silence. */
void demo_room(float *out, size_t first, size_t end, uint32_t seed);
/** Pads, bass and plucked notes from `first` to `end`. */
void demo_music(demo_bed *bed, size_t first, size_t end, uint32_t seed);
/** Wind, rail joints, rumble in the LFE, doors and footsteps. */
void demo_train(demo_bed *bed, size_t first, size_t end, uint32_t seed);
/** One picture frame (at 24 fps) of 1 kHz at -20 dBFS. */
void demo_pop(float *out, size_t frame_count, size_t at);

#endif
