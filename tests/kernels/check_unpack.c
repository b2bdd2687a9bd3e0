#include "tests/kernels/kernel_check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const sample_encoding encodings[] = {ENCODING_PCM_16, ENCODING_PCM_24, ENCODING_PCM_32, ENCODING_FLOAT_32,
                                            ENCODING_FLOAT_64};
enum { ENCODING_COUNT = sizeof encodings / sizeof encodings[0] };
static const uint32_t sample_bytes[ENCODING_COUNT] = {2, 3, 4, 4, 8};
/* Mono to 7.1.2 and what does not fit a window of any level. */
static const uint32_t channel_counts[] = {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 33, 128};
enum { CHANNEL_COUNTS = sizeof channel_counts / sizeof channel_counts[0] };

typedef struct lane_list {
    uint32_t count;
    uint8_t channels[TILE_LANES];
    uint8_t lanes[TILE_LANES];
} lane_list;

/* Shapes: in order; film order 5.1; reversed; one; two neighbours; two apart; random. */
static lane_list lanes_for(kernel_check *self, uint32_t shape, uint32_t channel_count)
{
    static const uint8_t film[6] = {0, 2, 1, 5, 3, 4}; /* L R C LFE Ls Rs out of L C R Ls Rs LFE (domain sheet, 5) */
    lane_list list = {.count = channel_count < TILE_LANES ? channel_count : TILE_LANES};
    uint8_t order[TILE_LANES] = {0, 1, 2, 3, 4, 5, 6, 7};
    for (uint32_t i = TILE_LANES - 1; i > 0; i--) {
        const uint32_t j = check_below(self, i + 1);
        const uint8_t swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
    }
    if (shape == 3)
        list.count = 1;
    if ((shape == 4 || shape == 5) && list.count > 2)
        list.count = 2;
    if (shape == 6)
        list.count = check_below(self, TILE_LANES + 1);
    for (uint32_t i = 0; i < list.count; i++) {
        const uint8_t any = (uint8_t)check_below(self, channel_count);
        list.channels[i] = shape >= 3 ? any : (uint8_t)i;
        list.lanes[i] = shape >= 3 ? order[i] : (uint8_t)i;
        if (shape == 1 && channel_count == 6)
            list.channels[i] = film[i];
        if (shape == 2)
            list.channels[i] = (uint8_t)(channel_count - 1 - i);
    }
    if (shape == 4 && list.count == 2) {
        list.lanes[0] = (uint8_t)check_below(self, TILE_LANES - 1);
        list.lanes[1] = (uint8_t)(list.lanes[0] + 1);
    }
    return list;
}
enum { SHAPE_COUNT = 7 };

static void unpack_once(kernel_check *self, uint32_t encoding, uint32_t channel_count, const lane_list *list,
                        uint32_t frame_count, placement where, size_t shift)
{
    const size_t source_bytes = (size_t)frame_count * channel_count * sample_bytes[encoding];
    const size_t tile_bytes = (size_t)frame_count * TILE_LANES * sizeof(double);
    uint8_t *source = guarded_place(&self->memory[0], source_bytes, where, shift);
    for (size_t i = 0; i < source_bytes; i++)
        source[i] = (uint8_t)check_random(self);
    double *expected = (double *)(void *)guarded_place(&self->memory[1], tile_bytes, where, 0);
    double *actual = (double *)(void *)guarded_place(&self->memory[2], tile_bytes, where, 0);
    self->reference->unpack(encodings[encoding], source, channel_count, frame_count, list->count, list->channels,
                            list->lanes, expected);
    self->variant->unpack(encodings[encoding], source, channel_count, frame_count, list->count, list->channels,
                          list->lanes, actual);
    char what[96];
    (void)snprintf(what, sizeof what, "%s, %u channels, %u lanes, %u frames, shift %zu",
                   check_encoding_name(encodings[encoding]), channel_count, list->count, frame_count, shift);
    check_doubles(self, expected, actual, (size_t)frame_count * TILE_LANES, what);
    check_that(self, guarded_intact(&self->memory[2], (const uint8_t *)actual, tile_bytes), "%s: margin written",
               what);
}

/* The tile, K-weighting and peaks of blocks in one pass, against the three of the reference; two calls, so that state goes on. */
static void metered_once(kernel_check *self, uint32_t encoding, uint32_t channel_count, const lane_list *list,
                         uint32_t frame_count, placement where, size_t shift)
{
    const size_t source_bytes = (size_t)frame_count * channel_count * sample_bytes[encoding];
    const size_t tile_bytes = (size_t)frame_count * TILE_LANES * sizeof(double);
    uint8_t *source = guarded_place(&self->memory[0], source_bytes, where, shift);
    double *expected = (double *)(void *)guarded_place(&self->memory[1], tile_bytes, where, 0);
    double *actual = (double *)(void *)guarded_place(&self->memory[2], tile_bytes, where, 0);
    k_weighting_coefficients coefficients;
    k_weighting_design(48000, &coefficients);
    k_weighting_state expected_state = {0};
    k_weighting_state actual_state = {0};
    tile_meter meter;
    char what[96];
    (void)snprintf(what, sizeof what, "metered, %s, %u channels, %u lanes, %u frames, shift %zu",
                   check_encoding_name(encodings[encoding]), channel_count, list->count, frame_count, shift);
    memset(expected, 0, tile_bytes);
    memset(actual, 0, tile_bytes);
    for (int call = 0; call < 2; call++) {
        for (size_t i = 0; i < source_bytes; i++)
            source[i] = (uint8_t)check_random(self);
        double energy[TILE_LANES] = {0};
        self->reference->unpack(encodings[encoding], source, channel_count, frame_count, list->count, list->channels, list->lanes,
                                expected);
        self->reference->k_energy(expected, frame_count, &coefficients, &expected_state, energy);
        self->variant->unpack_metered(self->variant, encodings[encoding], source, channel_count, frame_count, list->count,
                                      list->channels, list->lanes, actual, &coefficients, &actual_state, &meter);
        check_doubles(self, expected, actual, (size_t)frame_count * TILE_LANES, what);
        check_doubles(self, energy, meter.energy, TILE_LANES, what);
        for (int i = 0; i < 4; i++)
            check_doubles(self, expected_state.z[i], actual_state.z[i], TILE_LANES, what);
        for (uint32_t first = 0; first < frame_count; first += TRUE_PEAK_BLOCK_FRAMES) {
            const uint32_t left = frame_count - first;
            double peaks[TILE_LANES];
            self->reference->peak(expected + (size_t)first * TILE_LANES,
                                  left < TRUE_PEAK_BLOCK_FRAMES ? left : TRUE_PEAK_BLOCK_FRAMES, peaks);
            check_doubles(self, peaks, meter.peaks[first / TRUE_PEAK_BLOCK_FRAMES], TILE_LANES, what);
        }
    }
    check_that(self, guarded_intact(&self->memory[2], (const uint8_t *)actual, tile_bytes), "%s: margin written", what);
}

void check_unpack(kernel_check *self)
{
    uint32_t frame_count;
    for (uint32_t encoding = 0; encoding < ENCODING_COUNT; encoding++) {
        for (uint32_t i = 0; i < CHANNEL_COUNTS; i++) {
            for (uint32_t index = 0; check_frame_count(index, &frame_count); index++) {
                if (check_below(self, 100) >= self->effort)
                    continue;
                const lane_list list = lanes_for(self, index % SHAPE_COUNT, channel_counts[i]);
                const size_t shift = check_below(self, 64);
                unpack_once(self, encoding, channel_counts[i], &list, frame_count, AT_END, 0);
                unpack_once(self, encoding, channel_counts[i], &list, frame_count, AT_START, shift);
                if (encodings[encoding] == ENCODING_FLOAT_32 || encodings[encoding] == ENCODING_FLOAT_64)
                    continue;
                metered_once(self, encoding, channel_counts[i], &list, frame_count, AT_END, 0);
                metered_once(self, encoding, channel_counts[i], &list, frame_count, AT_START, shift);
            }
        }
    }
    for (uint32_t encoding = 0; encoding < ENCODING_COUNT; encoding++) {
        for (size_t shift = 0; shift < 64; shift++) {
            for (uint32_t shape = 0; shape < SHAPE_COUNT; shape++) {
                const lane_list list = lanes_for(self, shape, 6);
                unpack_once(self, encoding, 6, &list, 17 + check_below(self, 20), AT_START, shift);
                unpack_once(self, encoding, 6, &list, 17 + check_below(self, 20), AT_END, shift);
            }
        }
    }
}

/* The value of a sample by its definition: two's complement, little endian, over 2^(bits-1). */
static double sample_value(uint32_t encoding, const uint8_t *bytes)
{
    if (encodings[encoding] == ENCODING_FLOAT_32) {
        float value;
        memcpy(&value, bytes, sizeof value);
        return (double)value;
    }
    if (encodings[encoding] == ENCODING_FLOAT_64) {
        double value;
        memcpy(&value, bytes, sizeof value);
        return value;
    }
    const uint32_t bits = sample_bytes[encoding] * 8;
    int64_t sample = 0;
    for (uint32_t i = 0; i < sample_bytes[encoding]; i++)
        sample += (int64_t)bytes[i] << (8 * i);
    if (sample >= INT64_C(1) << (bits - 1))
        sample -= INT64_C(1) << bits;
    return ldexp((double)sample, 1 - (int)bits);
}

void judge_unpack(kernel_check *self)
{
    for (uint32_t encoding = 0; encoding < ENCODING_COUNT; encoding++) {
        for (uint32_t round = 0; round < check_rounds(self, 50); round++) {
            const uint32_t channel_count = channel_counts[check_below(self, CHANNEL_COUNTS)];
            const uint32_t frame_count = check_below(self, 40);
            const lane_list list = lanes_for(self, round % SHAPE_COUNT, channel_count);
            const size_t frame_bytes = (size_t)channel_count * sample_bytes[encoding];
            uint8_t *source = guarded_place(&self->memory[0], frame_count * frame_bytes, AT_END, 0);
            for (size_t i = 0; i < frame_count * frame_bytes; i++)
                source[i] = (uint8_t)check_random(self);
            double tile[40 * TILE_LANES];
            double expected[40 * TILE_LANES];
            for (size_t i = 0; i < 40 * TILE_LANES; i++)
                tile[i] = expected[i] = 7.0;
            for (uint32_t frame = 0; frame < frame_count; frame++)
                for (uint32_t i = 0; i < list.count; i++)
                    expected[frame * TILE_LANES + list.lanes[i]] = sample_value(
                        encoding, source + frame * frame_bytes + (size_t)list.channels[i] * sample_bytes[encoding]);
            self->reference->unpack(encodings[encoding], source, channel_count, frame_count, list.count,
                                    list.channels, list.lanes, tile);
            check_doubles(self, expected, tile, 40 * TILE_LANES, check_encoding_name(encodings[encoding]));
        }
    }
}
