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
        self->cosine[k] = (float)c;
        self->sine[k] = (float)s;
    }
}

void lane_fft_forward(const lane_fft *self, const dsp_table *dsp, float *real, float *imaginary, float *work)
{
    float *work_imaginary = work + LANE_FFT_FLOATS;
    static_assert(LANE_FFT_SIZE == FFT_RADIX * FFT_RADIX, "two steps of that radix");
    dsp->fft_radix_64(self->cosine, self->sine, LANE_FFT_SIZE, 1, real, imaginary, work, work_imaginary);
    dsp->fft_radix_64(self->cosine, self->sine, LANE_FFT_SIZE, FFT_RADIX, work, work_imaginary, real, imaginary);
}
