/** Tracks that lie in memory, in place of worker/render's reader of files. Include once in a test program. */
#ifndef TESTS_UNIT_SYNC_MEMORY_READER_H
#define TESTS_UNIT_SYNC_MEMORY_READER_H

#include "worker/render/track_reader.h"

enum { RATE = 48000 };

struct track_reader {
    float *samples;
    int64_t frame_count;
};

uint32_t track_reader_rate(const track_reader *self)
{
    (void)self;
    return RATE;
}

status track_reader_read_sum(track_reader *self, int64_t first_frame, uint32_t frame_count, double *out, error_detail *detail)
{
    (void)detail;
    for (uint32_t i = 0; i < frame_count; i++) {
        int64_t frame = first_frame + (int64_t)i;
        out[i] = frame >= 0 && frame < self->frame_count ? (double)self->samples[frame] : 0.0;
    }
    return STATUS_OK;
}

static void make_noise(track_reader *track, uint32_t seed)
{
    for (int64_t i = 0; i < track->frame_count; i++) {
        seed = seed * 1664525u + 1013904223u;
        track->samples[i] = (float)(seed >> 8) / 16777216.0f * 0.5f - 0.25f;
    }
}

#endif
