/* libebur128 over raw interleaved doubles from standard input: integrated, momentary and short-term maxima sampled every
 * 10 ms, true peak. usage: loudness_witness CHANNELS RATE   (mono, stereo, or 5.1 as L R C LFE Ls Rs) */
#include <ebur128.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    unsigned channels = argc == 3 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    unsigned long rate = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (channels == 0 || channels > 6 || rate < 8000 || rate % 100 != 0)
        return 2;
    ebur128_state *state = ebur128_init(
        channels, rate, EBUR128_MODE_M | EBUR128_MODE_S | EBUR128_MODE_I | EBUR128_MODE_TRUE_PEAK);
    double *block = calloc(rate / 100 * channels, sizeof *block);
    if (state == NULL || block == NULL)
        return 3;
    static const int map[6] = {EBUR128_LEFT,   EBUR128_RIGHT,         EBUR128_CENTER,
                               EBUR128_UNUSED, EBUR128_LEFT_SURROUND, EBUR128_RIGHT_SURROUND};
    for (unsigned c = 0; channels == 6 && c < 6; c++)
        ebur128_set_channel(state, c, map[c]);
    double momentary = -HUGE_VAL;
    double short_term = -HUGE_VAL;
    unsigned long slots = 0;
    for (size_t frames; (frames = fread(block, sizeof *block * channels, rate / 100, stdin)) > 0;) {
        if (ebur128_add_frames_double(state, block, frames) != EBUR128_SUCCESS)
            return 3;
        if (frames < rate / 100)
            break;
        double now;
        slots++;
        if (slots >= 40 && ebur128_loudness_momentary(state, &now) == EBUR128_SUCCESS)
            momentary = fmax(momentary, now);
        if (slots >= 300 && ebur128_loudness_shortterm(state, &now) == EBUR128_SUCCESS)
            short_term = fmax(short_term, now);
    }
    double integrated;
    ebur128_loudness_global(state, &integrated);
    double peak = 0.0;
    for (unsigned c = 0; c < channels; c++) {
        double channel;
        ebur128_true_peak(state, c, &channel);
        peak = fmax(peak, channel);
    }
    printf("%.9f %.9f %.9f %.9f\n", integrated, momentary, short_term, 20.0 * log10(peak));
    ebur128_destroy(&state);
    free(block);
    return 0;
}
