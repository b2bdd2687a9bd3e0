#include "worker/dsp/lane_fft.h"

#include <math.h>
#include <string.h>

/* The root e^(2 pi i k / size) is the product of those of the bits of k, and these halve their angle from one to the next. */
void lane_fft_init(lane_fft *self)
{
    double bit_cosine[LANE_FFT_LOG2]; /* of k = 1 << bit */
    double bit_sine[LANE_FFT_LOG2];
    bit_cosine[LANE_FFT_LOG2 - 1] = -1.0;
    bit_sine[LANE_FFT_LOG2 - 1] = 0.0;
    bit_cosine[LANE_FFT_LOG2 - 2] = 0.0;
    bit_sine[LANE_FFT_LOG2 - 2] = 1.0;
    for (uint32_t bit = LANE_FFT_LOG2 - 2; bit-- > 0;) {
        bit_cosine[bit] = sqrt((1.0 + bit_cosine[bit + 1]) / 2.0);
        bit_sine[bit] = bit_sine[bit + 1] / (2.0 * bit_cosine[bit]);
    }
    for (uint32_t k = 0; k < LANE_FFT_SIZE; k++) {
        double c = 1.0;
        double s = 0.0;
        for (uint32_t bit = 0; bit < LANE_FFT_LOG2; bit++) {
            if ((k >> bit & 1u) == 0)
                continue;
            double turned = c * bit_cosine[bit] - s * bit_sine[bit];
            s = c * bit_sine[bit] + s * bit_cosine[bit];
            c = turned;
        }
        self->cosine[k] = c;
        self->sine[k] = s;
    }
}

/* One radix-4 step of Stockham's transform: blocks of `stride` frames that are already in order. */
static void radix_4(const lane_fft *self, const double *re, const double *im, double *out_re, double *out_im, uint32_t stride)
{
    const uint32_t quarter = LANE_FFT_SIZE / 4;
    for (uint32_t group = 0; group < quarter / stride; group++) {
        uint32_t turn = group * stride;
        double c1 = self->cosine[turn];
        double s1 = -self->sine[turn];
        double c2 = self->cosine[2 * turn];
        double s2 = -self->sine[2 * turn];
        double c3 = self->cosine[3 * turn];
        double s3 = -self->sine[3 * turn];
        for (uint32_t at = 0; at < stride; at++) {
            size_t from = (size_t)(at + stride * group) * TILE_LANES;
            size_t step = (size_t)quarter * TILE_LANES;
            size_t to = (size_t)(at + 4 * stride * group) * TILE_LANES;
            size_t next = (size_t)stride * TILE_LANES;
            for (uint32_t l = 0; l < TILE_LANES; l++) {
                double ar = re[from + l];
                double ai = im[from + l];
                double br = re[from + step + l];
                double bi = im[from + step + l];
                double cr = re[from + 2 * step + l];
                double ci = im[from + 2 * step + l];
                double dr = re[from + 3 * step + l];
                double di = im[from + 3 * step + l];
                double er = ar + cr;
                double ei = ai + ci;
                double fr = ar - cr;
                double fi = ai - ci;
                double gr = br + dr;
                double gi = bi + di;
                double hr = bi - di; /* -i (b - d) */
                double hi = dr - br;
                out_re[to + l] = er + gr;
                out_im[to + l] = ei + gi;
                double xr = fr + hr;
                double xi = fi + hi;
                out_re[to + next + l] = xr * c1 - xi * s1;
                out_im[to + next + l] = xr * s1 + xi * c1;
                xr = er - gr;
                xi = ei - gi;
                out_re[to + 2 * next + l] = xr * c2 - xi * s2;
                out_im[to + 2 * next + l] = xr * s2 + xi * c2;
                xr = fr - hr;
                xi = fi - hi;
                out_re[to + 3 * next + l] = xr * c3 - xi * s3;
                out_im[to + 3 * next + l] = xr * s3 + xi * c3;
            }
        }
    }
}

void lane_fft_forward(const lane_fft *self, double *real, double *imaginary, double *work)
{
    double *work_imaginary = work + (size_t)LANE_FFT_SIZE * TILE_LANES;
    for (uint32_t stride = 1; stride < LANE_FFT_SIZE; stride *= 16) {
        radix_4(self, real, imaginary, work, work_imaginary, stride);
        radix_4(self, work, work_imaginary, real, imaginary, 4 * stride);
    }
}
