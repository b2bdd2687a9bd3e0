#include "worker/dsp/fft.h"

#include "common/base/ensure.h"

#include <math.h>
#include <stdbool.h>

enum { IN_CACHE = 1024 }; /* points: 32 KiB with their twiddles */

/* exp(-2 pi i k / size) is the product of exp(-2 pi i 2^b / size) over the bits b of k; those come from halving angles. */
static void make_twiddles(fft_plan *self)
{
    uint32_t half = self->size / 2;
    self->cosine[0] = 1.0;
    self->sine[0] = 0.0;
    if (half == 1)
        return;
    /* A quarter turn, halved until one step remains. */
    double cosine[FFT_LOG2_MAX] = {0.0};
    double sine[FFT_LOG2_MAX] = {1.0};
    uint32_t angles = 1;
    for (uint32_t step = half / 2; step > 1; step /= 2, angles++) {
        cosine[angles] = sqrt((1.0 + cosine[angles - 1]) / 2.0);
        sine[angles] = sine[angles - 1] / (2.0 * cosine[angles]);
    }
    for (uint32_t bit = 1, angle = angles; bit < half; bit *= 2) {
        angle--;
        for (uint32_t k = 0; k < bit; k++) {
            self->cosine[bit + k] = self->cosine[k] * cosine[angle] - self->sine[k] * sine[angle];
            self->sine[bit + k] = self->sine[k] * cosine[angle] + self->cosine[k] * sine[angle];
        }
    }
}

void fft_plan_init(fft_plan *self, const dsp_table *dsp, uint32_t log2_size, arena *memory)
{
    ENSURE(log2_size >= 1 && log2_size <= FFT_LOG2_MAX);
    self->dsp = dsp;
    self->size = 1u << log2_size;
    self->stage_cosine = arena_take_array(memory, self->size, sizeof *self->stage_cosine);
    self->stage_sine = arena_take_array(memory, self->size, sizeof *self->stage_sine);
    self->cosine = self->stage_cosine + self->size / 2;
    self->sine = self->stage_sine + self->size / 2;
    make_twiddles(self);
    for (uint32_t half = self->size / 4; half >= 1; half /= 2) /* every other one of the stage behind */
        for (uint32_t k = 0; k < half; k++) {
            self->stage_cosine[half + k] = self->stage_cosine[2 * half + 2 * k];
            self->stage_sine[half + k] = self->stage_sine[2 * half + 2 * k];
        }
}

static void swap(double *a, double *b)
{
    double kept = *a;
    *a = *b;
    *b = kept;
}

double *fft_hann_window(const fft_plan *self, arena *memory)
{
    double *window = arena_take_array(memory, self->size, sizeof *window);
    uint32_t half = self->size / 2;
    for (uint32_t i = 0; i < self->size; i++)
        window[i] = 0.5 - 0.5 * (i < half ? self->cosine[i] : -self->cosine[i - half]);
    return window;
}

/* Two transforms of half a length, one behind the other, become one. */
static inline void combine(const fft_plan *self, double *restrict re, double *restrict im, uint32_t half)
{
    const double *restrict cosine = self->stage_cosine + half;
    const double *restrict sine = self->stage_sine + half;
    double *restrict far_re = re + half;
    double *restrict far_im = im + half;
    for (uint32_t k = 0; k < half; k++) {
        double x = far_re[k] * cosine[k] + far_im[k] * sine[k];
        double y = far_im[k] * cosine[k] - far_re[k] * sine[k];
        far_re[k] = re[k] - x;
        far_im[k] = im[k] - y;
        re[k] += x;
        im[k] += y;
    }
}

/* Of a power of 4. The stages of what fits the cache one after the other; of more, each quarter to its end before the next. */
static void transform(const fft_plan *self, double *re, double *im, uint32_t length)
{
    uint32_t quarter = length > IN_CACHE ? length / 4 : 1;
    for (uint32_t first = 0; quarter > 1 && first < length; first += quarter)
        transform(self, re + first, im + first, quarter);
    for (; quarter < length; quarter *= 4)
        self->dsp->fft_join(self->stage_cosine, self->stage_sine, quarter, length / (4 * quarter), re, im);
}

void fft_run(const fft_plan *self, double *re, double *im)
{
    uint32_t size = self->size;
    for (uint32_t i = 1, j = 0; i < size; i++) {
        uint32_t bit = size >> 1;
        for (; (j & bit) != 0; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            swap(&re[i], &re[j]);
            swap(&im[i], &im[j]);
        }
    }
    bool square = (size & 0x55555555u) != 0; /* a power of 4 */
    uint32_t length = square ? size : size / 2;
    transform(self, re, im, length);
    if (square)
        return;
    transform(self, re + length, im + length, length);
    combine(self, re, im, length);
}
