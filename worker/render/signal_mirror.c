/*
 * A rate converter whose filter falls slowly leaves an image: around half of the rate that sound came from, the spectrum above is
 * the mirror of that below, line for line, and the phases of the two add up to one that turns with that rate.
 */
#include "common/base/plain_math.h"
#include "worker/render/render_signal.h"

#include <float.h>
#include <math.h>

/* Lines beside the mirror hold the same sound, by the window; in those farther off no filter leaves anything. */
enum { PAIR_FIRST = 2, PAIRS_MAX = 10, PAIRS_MIN = 3 };
/* Where the spectrum begins moves on by so many frames every so many: windows a whole 100 ms apart could not tell rates apart. */
enum { STEP_FRAMES = 4800, STEP_OFFSET = 89 };
/*
 * A tone and its harmonics, the odd ones alone too, have images about half of all rates that hold whole periods of twice their own:
 * as a rule one of these is among them.
 */
static const int32_t others[SIGNAL_MIRROR_TURNS] = {0, -2000, -600};

static uint32_t mirror_hertz(uint32_t source, uint32_t turn)
{
    return (uint32_t)((int32_t)cell_signal_source_rate(source) + others[turn]);
}

void signal_tile_spectrum(signal_tile *self, const dsp_table *dsp, const signal_tables *tables, uint64_t programme_frame,
                          uint32_t sample_rate)
{
    const uint64_t offset = programme_frame / STEP_FRAMES * STEP_OFFSET % (self->frame_count - SPECTRUM_FRAMES + 1);
    dsp->spectrum(self->samples + offset * TILE_LANES, tables->window, (const double (*)[2])tables->turn, self->power, self->lines);
    for (uint32_t s = 0; s < SIGNAL_SOURCES; s++)
        for (uint32_t t = 0; t < SIGNAL_MIRROR_TURNS; t++) {
            const uint64_t turned = (programme_frame + offset) % sample_rate * mirror_hertz(s, t) % sample_rate;
            const double half_turns = 2.0 * (double)turned / sample_rate;
            self->mirror_turns[s][t][0] = sine_of_half_turns(half_turns + 0.5);
            self->mirror_turns[s][t][1] = -sine_of_half_turns(half_turns);
        }
}

/* The lines above half of a rate times those below it, as a number of size 0 to 1. False: there is nothing. */
static bool image_of(const signal_tile *tile, uint32_t lane, uint32_t hertz, uint32_t sample_rate, double out[2])
{
    const uint32_t both = (hertz * SPECTRUM_FRAMES + sample_rate / 2) / sample_rate;
    const uint32_t first = both / 2 + PAIR_FIRST;
    const uint32_t lines = both + 1 < SIGNAL_BANDS - 1 ? both + 1 : SIGNAL_BANDS - 1; /* from 384 kHz on line 0 comes first */
    const uint32_t end = first + PAIRS_MAX < lines ? first + PAIRS_MAX : lines;
    double re = 0.0;
    double im = 0.0;
    double size = 0.0;
    for (uint32_t k = first; first + PAIRS_MIN <= end && k < end; k++) {
        const double a[2] = {tile->lines[k][0][lane], tile->lines[k][1][lane]};
        const double b[2] = {tile->lines[both - k][0][lane], tile->lines[both - k][1][lane]};
        re += a[0] * b[0] - a[1] * b[1];
        im += a[0] * b[1] + a[1] * b[0];
        size += sqrt((a[0] * a[0] + a[1] * a[1]) * (b[0] * b[0] + b[1] * b[1]));
    }
    if (!(size > 0.0 && size <= DBL_MAX))
        return false;
    out[0] = re / size;
    out[1] = im / size;
    return true;
}

void signal_mirror_take(signal_mirror *self, const signal_tile *tile, uint32_t lane, uint32_t sample_rate)
{
    for (uint32_t s = 0; s < SIGNAL_SOURCES; s++)
        for (uint32_t t = 0; t < SIGNAL_MIRROR_TURNS; t++) {
            const double *turn = tile->mirror_turns[s][t];
            double image[2];
            if (!image_of(tile, lane, mirror_hertz(s, t), sample_rate, image))
                continue;
            self->squares[s][t] += image[0] * image[0] + image[1] * image[1];
            self->sums[s][t][0] += image[0] * turn[0] - image[1] * turn[1];
            self->sums[s][t][1] += image[0] * turn[1] + image[1] * turn[0];
        }
}

void signal_mirror_end(const signal_mirror *self, float (*out)[SIGNAL_MIRROR_TURNS][2])
{
    for (uint32_t s = 0; s < SIGNAL_SOURCES; s++)
        for (uint32_t t = 0; t < SIGNAL_MIRROR_TURNS; t++)
            for (uint32_t part = 0; part < 2; part++)
                out[s][t][part] = self->squares[s][t] > 0.0 ? (float)(self->sums[s][t][part] / sqrt(self->squares[s][t])) : 0.0f;
}
