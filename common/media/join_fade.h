/**
 * How two reels meet in a joined programme: a butt join, or a cross-fade over the sound that both supply around the join.
 *
 * Frame k of a fade of n frames lies at t = (k + 1/2) / n, so that a fade is its own mirror. Gains of (outgoing, incoming):
 *     EQUAL_GAIN    1 - t, t: what is the same on both sides comes through unchanged
 *     EQUAL_POWER   sqrt(1 - s), sqrt(s) with s = t^2 (3 - 2t): powers add up to 1, for sounds that are not the same
 * Which of the two for which sound: Avid, Pro Tools Help, "Link Settings (Crossfades Only)". Only divisions, products and square
 * roots, so every machine has the same bits.
 */
#ifndef COMMON_MEDIA_JOIN_FADE_H
#define COMMON_MEDIA_JOIN_FADE_H

#include <stdint.h>

typedef enum join_law { JOIN_BUTT, JOIN_EQUAL_GAIN, JOIN_EQUAL_POWER } join_law;

/** law is no butt join; frame < length. */
void join_fade_gains(join_law law, uint64_t frame, uint64_t length, double *out_outgoing, double *out_incoming);

#endif
