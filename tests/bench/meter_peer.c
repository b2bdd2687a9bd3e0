/* The peer of the metering row: libebur128 with momentary, short-term, integrated, range and true peak over a file that
 * libsndfile reads. usage: meter_peer FILE */
#include <ebur128.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK_FRAMES = 4800 };

int main(int argc, char **argv)
{
    SF_INFO info = {0};
    SNDFILE *file = argc == 2 ? sf_open(argv[1], SFM_READ, &info) : NULL;
    if (file == NULL || info.channels < 1 || info.channels > 16)
        return 2;
    unsigned channels = (unsigned)info.channels;
    ebur128_state *state = ebur128_init(channels, (unsigned long)info.samplerate,
                                        EBUR128_MODE_M | EBUR128_MODE_S | EBUR128_MODE_I | EBUR128_MODE_LRA |
                                            EBUR128_MODE_TRUE_PEAK);
    float *block = calloc((size_t)BLOCK_FRAMES * channels, sizeof *block);
    if (state == NULL || block == NULL)
        return 3;
    static const int map[6] = {EBUR128_LEFT,   EBUR128_RIGHT,         EBUR128_CENTER,
                               EBUR128_UNUSED, EBUR128_LEFT_SURROUND, EBUR128_RIGHT_SURROUND};
    for (unsigned c = 0; channels == 6 && c < 6; c++)
        ebur128_set_channel(state, c, map[c]);
    for (sf_count_t frames; (frames = sf_readf_float(file, block, BLOCK_FRAMES)) > 0;)
        if (ebur128_add_frames_float(state, block, (size_t)frames) != EBUR128_SUCCESS)
            return 3;
    double integrated;
    double range;
    double peak = 0.0;
    ebur128_loudness_global(state, &integrated);
    ebur128_loudness_range(state, &range);
    for (unsigned c = 0; c < channels; c++) {
        double channel;
        ebur128_true_peak(state, c, &channel);
        peak = channel > peak ? channel : peak;
    }
    printf("%.3f LUFS %.2f LU %.4f peak\n", integrated, range, peak);
    ebur128_destroy(&state);
    sf_close(file);
    free(block);
    return 0;
}
