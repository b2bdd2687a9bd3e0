#include "worker/dsp/fft.h"

#include "common/base/ensure.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum {
    IN_CACHE = 1024, /* points: 32 KiB with their twiddles */
    LINE_BITS = 3,
    LINE = 1 << LINE_BITS
};

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

static uint32_t reversed(uint32_t value, uint32_t bits)
{
    uint32_t result = 0;
    for (uint32_t b = 0; b < bits; b++, value >>= 1)
        result = result << 1 | (value & 1);
    return result;
}

/*
 * Every value to the index with the bits reversed. Eight indices that differ in their lowest bits are a line of the cache, and go
 * to eight that differ in their highest: 64 that differ in both move at once, those of a middle and of its reverse change places.
 */
static void reverse_order(double *x, uint32_t log2_size)
{
    static const uint8_t reverse_of[LINE] = {0, 4, 2, 6, 1, 5, 3, 7};
    uint32_t middle_bits = log2_size - 2 * LINE_BITS;
    uint32_t far = 1u << (log2_size - LINE_BITS);
    double taken[2][LINE][LINE];
    for (uint32_t m = 0; m < 1u << middle_bits; m++) {
        uint32_t opposite = reversed(m, middle_bits);
        double *const from[] = {x + (size_t)m * LINE, x + (size_t)opposite * LINE};
        if (opposite < m)
            continue;
        for (uint32_t k = 0; k < 2; k++)
            for (uint32_t a = 0; a < LINE; a++)
                for (uint32_t c = 0; c < LINE; c++)
                    taken[k][reverse_of[c]][reverse_of[a]] = from[k][(size_t)a * far + c];
        for (uint32_t k = 0; k < 2; k++)
            for (uint32_t a = 0; a < LINE; a++)
                memcpy(from[1 - k] + (size_t)a * far, taken[k][a], sizeof taken[k][a]);
    }
}

static void reverse_few(double *x, uint32_t log2_size)
{
    for (uint32_t i = 0; i < 1u << log2_size; i++) {
        uint32_t k = reversed(i, log2_size);
        double kept = x[i];
        if (i < k) {
            x[i] = x[k];
            x[k] = kept;
        }
    }
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
    uint32_t log2_size = (uint32_t)__builtin_ctz(size);
    void (*reverse)(double *, uint32_t) = log2_size < 2 * LINE_BITS ? reverse_few : reverse_order;
    reverse(re, log2_size);
    reverse(im, log2_size);
    bool square = (size & 0x55555555u) != 0; /* a power of 4 */
    uint32_t length = square ? size : size / 2;
    transform(self, re, im, length);
    if (square)
        return;
    transform(self, re + length, im + length, length);
    combine(self, re, im, length);
}
