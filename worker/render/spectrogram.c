#include "worker/render/spectrogram.h"

#include "proto/task_body.h"
#include "worker/dsp/fft.h"

#include <string.h>

enum { LOG2_FRAMES = 11, FRAMES = 1 << LOG2_FRAMES };

static const double quarter_octave = 0x1.306fe0a31b715p+0; /* 2 to the power of 1/4 */
static const double step_power = 0x1.40c28430012e6p+2;     /* 10 to the power of EXCERPT_STEP_DB / 10 */
static const double first_power = 0x1.b9e54ed715be1p-36;   /* of level 1: EXCERPT_LOW_DB + EXCERPT_STEP_DB as power */
static const double bin_power = 0x1p-18;                   /* a sine at full scale has 1: the window adds up to half its length */

uint32_t spectrogram_rows(uint32_t sample_rate)
{
    uint32_t rows = 1;
    double edge = EXCERPT_LOW_HZ * quarter_octave;
    for (; rows < EXCERPT_ROWS_MAX && edge < sample_rate / 2.0; rows++)
        edge *= quarter_octave;
    return rows;
}

/* First bin of each row, and of the one behind the last; a row has one bin at least. */
static void row_bins(uint32_t rows, uint32_t sample_rate, uint32_t *out_bins)
{
    double edge = EXCERPT_LOW_HZ;
    for (uint32_t row = 0; row <= rows; row++) {
        double bin = edge * FRAMES / sample_rate + 0.5;
        out_bins[row] = bin < FRAMES / 2 - 1 ? (uint32_t)bin : FRAMES / 2 - 1;
        edge *= quarter_octave;
    }
}

static uint8_t level_of(double power)
{
    uint8_t level = 0;
    for (double least = first_power; level + 1 < EXCERPT_LEVELS && power >= least; least *= step_power)
        level++;
    return level;
}

/* What one channel has in one column, under a window; false: nothing. */
static bool cut_out(const double *window, const double *samples, uint32_t frame_count, int64_t first, double *out)
{
    bool sounds = false;
    int64_t from = first < 0 ? -first : 0;
    int64_t to = (int64_t)frame_count - first < FRAMES ? (int64_t)frame_count - first : FRAMES;
    for (int64_t i = from; i < to && !sounds; i++)
        sounds = samples[first + i] != 0.0;
    if (!sounds)
        return false;
    memset(out, 0, FRAMES * sizeof *out);
    for (int64_t i = from; i < to; i++)
        out[i] = samples[first + i] * window[i];
    return true;
}

/* Raises the powers of the rows to those of two channels, which went through one transform as the parts of one signal. */
static void add_column(const uint32_t *bins, uint32_t rows, const double *re, const double *im, double *powers)
{
    for (uint32_t row = 0; row < rows; row++) {
        uint32_t end = bins[row + 1] > bins[row] ? bins[row + 1] : bins[row] + 1;
        for (uint32_t bin = bins[row]; bin < end; bin++) {
            uint32_t mirror = (FRAMES - bin) % FRAMES;
            double a_re = re[bin] + re[mirror], a_im = im[bin] - im[mirror];
            double b_re = im[bin] + im[mirror], b_im = re[mirror] - re[bin];
            double a = a_re * a_re + a_im * a_im;
            double b = b_re * b_re + b_im * b_im;
            double power = (a > b ? a : b) * (bin_power / 4.0); /* each line is twice the channel's */
            powers[row] = power > powers[row] ? power : powers[row];
        }
    }
}

void spectrogram_make(const dsp_table *dsp, const double *const *channels, uint32_t channel_count, uint32_t frame_count,
                      uint32_t sample_rate, uint8_t *out_levels, arena *memory)
{
    fft_plan fft;
    fft_plan_init(&fft, dsp, LOG2_FRAMES, memory);
    double *window = arena_take_array(memory, FRAMES, sizeof *window); /* Hann's */
    for (uint32_t i = 0; i < FRAMES; i++)
        window[i] = 0.5 - 0.5 * (i < FRAMES / 2 ? fft.cosine[i] : -fft.cosine[i - FRAMES / 2]);
    double *parts[2];
    for (uint32_t i = 0; i < 2; i++)
        parts[i] = arena_take_array(memory, FRAMES, sizeof *parts[i]);
    uint32_t bins[EXCERPT_ROWS_MAX + 1];
    uint32_t rows = spectrogram_rows(sample_rate);
    row_bins(rows, sample_rate, bins);
    for (uint32_t column = 0; column < EXCERPT_COLUMNS; column++) {
        double powers[EXCERPT_ROWS_MAX] = {0};
        int64_t first = (int64_t)((2 * column + 1) * (uint64_t)frame_count / (2 * EXCERPT_COLUMNS)) - FRAMES / 2;
        uint32_t taken = 0;
        for (uint32_t c = 0; c < channel_count; c++) {
            taken += cut_out(window, channels[c], frame_count, first, parts[taken]);
            if (taken == 0 || (taken == 1 && c + 1 < channel_count))
                continue;
            if (taken == 1)
                memset(parts[1], 0, FRAMES * sizeof *parts[1]);
            fft_run(&fft, parts[0], parts[1]);
            add_column(bins, rows, parts[0], parts[1], powers);
            taken = 0;
        }
        for (uint32_t row = 0; row < rows; row++)
            out_levels[row * EXCERPT_COLUMNS + column] = level_of(powers[row]);
    }
}
