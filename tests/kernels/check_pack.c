#include "tests/kernels/kernel_check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const sample_encoding encodings[] = {ENCODING_PCM_16, ENCODING_PCM_24, ENCODING_PCM_32, ENCODING_FLOAT_32,
                                            ENCODING_FLOAT_64};
enum { ENCODING_COUNT = sizeof encodings / sizeof encodings[0] };
static const uint32_t sample_bytes[ENCODING_COUNT] = {2, 3, 4, 4, 8};

typedef struct pack_case {
    uint32_t encoding;
    uint32_t frame_count;
    uint32_t channel_count;
    uint32_t stride_channels;
    uint32_t first_channel;
    uint8_t lanes[16];
} pack_case;

static pack_case case_of(kernel_check *self, uint32_t encoding, uint32_t frame_count, uint32_t channel_count,
                         uint32_t extra_channels)
{
    pack_case it = {.encoding = encoding,
                    .frame_count = frame_count,
                    .channel_count = channel_count,
                    .stride_channels = channel_count + extra_channels,
                    .first_channel = check_below(self, extra_channels + 1)};
    for (uint32_t i = 0; i < sizeof it.lanes; i++)
        it.lanes[i] = (uint8_t)(check_below(self, 2) ? i % TILE_LANES : check_below(self, TILE_LANES));
    return it;
}

/* What quantise() may leave for an encoding: PCM within its depth, finite floats, any double. */
static void fill_tile(kernel_check *self, uint32_t encoding, double *tile, size_t count)
{
    if (encodings[encoding] == ENCODING_FLOAT_64) {
        check_fill(self, tile, count, (hostility)check_below(self, DATA_KIND_COUNT));
    } else if (encodings[encoding] == ENCODING_FLOAT_32) {
        for (size_t i = 0; i < count; i++)
            tile[i] = (double)(float)ldexp(check_uniform(self), (int)check_below(self, 270) - 145);
    } else {
        check_fill_pcm(self, tile, count, sample_bytes[encoding] * 8 - check_below(self, 2) * 4);
    }
}

static void call(const dsp_table *table, const pack_case *it, const double *tile, uint8_t *destination)
{
    table->pack(encodings[it->encoding], tile, it->frame_count, it->channel_count, it->lanes, it->stride_channels,
                it->first_channel, destination);
}

static void pack_once(kernel_check *self, const pack_case *it, placement where, size_t shift)
{
    const size_t byte_count = (size_t)it->frame_count * it->stride_channels * sample_bytes[it->encoding];
    const size_t tile_bytes = (size_t)it->frame_count * TILE_LANES * sizeof(double);
    double *tile = (double *)(void *)guarded_place(&self->memory[0], tile_bytes, where, 0);
    fill_tile(self, it->encoding, tile, (size_t)it->frame_count * TILE_LANES);
    uint8_t *expected = guarded_place(&self->memory[1], byte_count, where, shift);
    uint8_t *actual = guarded_place(&self->memory[2], byte_count, where, shift);
    call(self->reference, it, tile, expected);
    call(self->variant, it, tile, actual);
    char what[112];
    (void)snprintf(what, sizeof what, "%s, %u of %u channels from %u, %u frames, shift %zu",
                   check_encoding_name(encodings[it->encoding]), it->channel_count, it->stride_channels,
                   it->first_channel, it->frame_count, shift);
    /* Channels that are not ours hold paint in both, so this covers them too. */
    check_that(self, byte_count == 0 || memcmp(expected, actual, byte_count) == 0, "%s: bytes differ", what);
    check_that(self, guarded_intact(&self->memory[2], actual, byte_count), "%s: margin written", what);
}

void check_pack(kernel_check *self)
{
    uint32_t frame_count;
    for (uint32_t encoding = 0; encoding < ENCODING_COUNT; encoding++) {
        for (uint32_t channel_count = 1; channel_count <= 10; channel_count++) {
            for (uint32_t index = 0; check_frame_count(index, &frame_count); index++) {
                if (check_below(self, 100) >= self->effort)
                    continue;
                pack_case it = case_of(self, encoding, frame_count, channel_count, 0);
                pack_once(self, &it, AT_END, 0);
                it = case_of(self, encoding, frame_count, channel_count, check_below(self, 5));
                pack_once(self, &it, AT_START, check_below(self, 64));
                pack_once(self, &it, AT_END, 0);
            }
        }
        for (size_t shift = 0; shift < 64; shift++) {
            for (uint32_t channel_count = 1; channel_count <= 8; channel_count++) {
                const pack_case it = case_of(self, encoding, 17 + check_below(self, 20), channel_count, 0);
                pack_once(self, &it, AT_START, shift);
                pack_once(self, &it, AT_END, shift);
            }
        }
    }
}

/* The bytes of a sample by their definition. */
static void sample_bytes_of(uint32_t encoding, double value, uint8_t *bytes)
{
    if (encodings[encoding] == ENCODING_FLOAT_64) {
        memcpy(bytes, &value, sizeof value);
    } else if (encodings[encoding] == ENCODING_FLOAT_32) {
        const float narrow = (float)value;
        memcpy(bytes, &narrow, sizeof narrow);
    } else {
        const int64_t sample = llroundl((long double)value * ldexpl(1.0L, (int)sample_bytes[encoding] * 8 - 1));
        for (uint32_t i = 0; i < sample_bytes[encoding]; i++)
            bytes[i] = (uint8_t)((uint64_t)sample >> (8 * i));
    }
}

void judge_pack(kernel_check *self)
{
    enum { FRAMES_MAX = 24 };
    for (uint32_t round = 0; round < check_rounds(self, 400); round++) {
        const uint32_t encoding = round % ENCODING_COUNT;
        const pack_case it =
            case_of(self, encoding, check_below(self, FRAMES_MAX), 1 + check_below(self, 10), check_below(self, 4));
        const size_t frame_bytes = (size_t)it.stride_channels * sample_bytes[encoding];
        _Alignas(64) double tile[FRAMES_MAX * TILE_LANES];
        fill_tile(self, encoding, tile, FRAMES_MAX * TILE_LANES);
        uint8_t expected[FRAMES_MAX * 14 * 8] = {0};
        uint8_t actual[FRAMES_MAX * 14 * 8] = {0};
        for (uint32_t frame = 0; frame < it.frame_count; frame++)
            for (uint32_t i = 0; i < it.channel_count; i++)
                sample_bytes_of(encoding, tile[frame * TILE_LANES + it.lanes[i]],
                                expected + frame * frame_bytes +
                                    (size_t)(it.first_channel + i) * sample_bytes[encoding]);
        call(self->reference, &it, tile, actual);
        check_that(self, memcmp(expected, actual, sizeof actual) == 0,
                   "%s, %u channels: bytes differ from the definition", check_encoding_name(encodings[encoding]),
                   it.channel_count);
    }
}
