#include "worker/dsp/fft.h"

#include "common/base/ensure.h"

#include <math.h>

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

void fft_plan_init(fft_plan *self, uint32_t log2_size, arena *memory)
{
    ENSURE(log2_size >= 1 && log2_size <= FFT_LOG2_MAX);
    self->size = 1u << log2_size;
    self->cosine = arena_take_array(memory, self->size / 2, sizeof *self->cosine);
    self->sine = arena_take_array(memory, self->size / 2, sizeof *self->sine);
    make_twiddles(self);
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
    for (uint32_t length = 2; length <= size; length *= 2) {
        uint32_t half = length / 2;
        uint32_t stride = size / length;
        for (uint32_t first = 0; first < size; first += length)
            for (uint32_t k = 0; k < half; k++) {
                double c = self->cosine[k * stride];
                double s = -self->sine[k * stride];
                uint32_t a = first + k;
                uint32_t b = a + half;
                double x = re[b] * c - im[b] * s;
                double y = re[b] * s + im[b] * c;
                re[b] = re[a] - x;
                im[b] = im[a] - y;
                re[a] += x;
                im[a] += y;
            }
    }
}
