/** Bytes to doubles, eight samples a register: unpack_avx512.h. */
#include "worker/dsp/avx512/unpack_avx512.h"
#include "worker/dsp/dsp_variants.h"

typedef __m512d decode(const sample_decoder *self, __m512i window);

static inline __attribute__((always_inline)) __m512d decode_float_32(const sample_decoder *self, __m512i window)
{
    const __m512i words = _mm512_permutexvar_epi32(self->singles, window);
    return _mm512_cvtps_pd(_mm256_castsi256_ps(_mm512_castsi512_si256(words)));
}

static inline __attribute__((always_inline)) __m512d decode_float_64(const sample_decoder *self, __m512i window)
{
    return _mm512_castsi512_pd(_mm512_permutexvar_epi32(self->words, window));
}

static inline __attribute__((always_inline)) void store_row(double *row, __mmask8 lanes, bool all, __m512d x)
{
    if (all)
        _mm512_store_pd(row, x);
    else
        _mm512_mask_store_pd(row, lanes, x);
}

/* The frames whose whole window lies within the source; `all` and `half` are literals, so that each loop is bare. */
static inline __attribute__((always_inline)) void unpack_whole_rows(decode *sample, const sample_decoder *decoder,
                                                                    const window_run *run, __mmask8 lanes, bool all,
                                                                    bool half, double *row)
{
    const uint8_t *window = run->window;
    const uint64_t step = run->step;
    for (uint32_t left = run->whole; left > 0; left--, window += step, row += TILE_LANES)
        store_row(row, lanes, all, sample(decoder, load_window(window, half)));
}

/* A register is a frame: eight lanes. */
static inline __attribute__((always_inline)) void unpack_rows(decode *sample, const pick *how,
                                                              const sample_decoder *decoder, const window_run *run,
                                                              double *row)
{
    const __mmask8 lanes = how->lanes;
    if (lanes == 0xFF && run->half)
        unpack_whole_rows(sample, decoder, run, lanes, true, true, row);
    else if (lanes == 0xFF)
        unpack_whole_rows(sample, decoder, run, lanes, true, false, row);
    else if (run->half)
        unpack_whole_rows(sample, decoder, run, lanes, false, true, row);
    else
        unpack_whole_rows(sample, decoder, run, lanes, false, false, row);
    const __m512i zero = _mm512_setzero_si512();
    for (uint32_t i = run->whole; i < run->count; i++) {
        const __m512i window = _mm512_mask_loadu_epi8(zero, how->read, run->window + i * run->step);
        _mm512_mask_store_pd(row + (size_t)i * TILE_LANES, lanes, sample(decoder, window));
    }
}

static inline __attribute__((always_inline)) void store_column(__m512d x, double *lane)
{
    const __m128d a = _mm512_castpd512_pd128(x);
    const __m128d b = _mm512_extractf64x2_pd(x, 1);
    const __m128d c = _mm512_extractf64x2_pd(x, 2);
    const __m128d d = _mm512_extractf64x2_pd(x, 3);
    _mm_storel_pd(lane, a);
    _mm_storeh_pd(lane + 8, a);
    _mm_storel_pd(lane + 16, b);
    _mm_storeh_pd(lane + 24, b);
    _mm_storel_pd(lane + 32, c);
    _mm_storeh_pd(lane + 40, c);
    _mm_storel_pd(lane + 48, d);
    _mm_storeh_pd(lane + 56, d);
}

static inline __attribute__((always_inline)) void store_pair_column(__m512d x, double *lane)
{
    _mm_storeu_pd(lane, _mm512_castpd512_pd128(x));
    _mm_storeu_pd(lane + 8, _mm512_extractf64x2_pd(x, 1));
    _mm_storeu_pd(lane + 16, _mm512_extractf64x2_pd(x, 2));
    _mm_storeu_pd(lane + 24, _mm512_extractf64x2_pd(x, 3));
}

static inline __attribute__((always_inline)) void store_columns(__m512d x, bool pair, double *lane)
{
    if (pair)
        store_pair_column(x, lane);
    else
        store_column(x, lane);
}

/* A register is eight frames of one lane, or four of two neighbouring lanes; `pair` is a literal. */
static inline __attribute__((always_inline)) void unpack_columns(decode *sample, const pick *how,
                                                                 const sample_decoder *decoder, const window_run *run,
                                                                 bool pair, double *lane)
{
    const size_t lane_step = (pair ? 4 : 8) * TILE_LANES;
    const __m512i zero = _mm512_setzero_si512();
    const uint8_t *window = run->window;
    for (uint32_t i = 0; i < run->whole; i++, window += run->step, lane += lane_step)
        store_columns(sample(decoder, load_window(window, false)), pair, lane);
    for (uint32_t i = run->whole; i < run->count; i++, window += run->step, lane += lane_step)
        store_columns(sample(decoder, _mm512_mask_loadu_epi8(zero, how->read, window)), pair, lane);
}

/** One call, resolved: which samples, how large, how many. */
typedef struct request {
    const uint8_t *source;
    uint64_t frame_bytes;
    uint32_t sample_bytes;
    uint32_t bits;
    uint32_t frame_count;
    uint32_t lane_count;
    const uint8_t *channels;
    const uint8_t *lanes;
    double *tile;
} request;

/* One lane, or two neighbours, when several frames fit a window. Returns the frames done. */
static inline __attribute__((always_inline)) uint32_t unpack_narrow(decode *sample, const request *self)
{
    const bool pair = self->lane_count == 2 && self->lanes[1] == self->lanes[0] + 1;
    if (self->lane_count != 1 && !pair)
        return 0;
    const uint32_t frames = pair ? 4 : 8;
    uint64_t offsets[8];
    for (uint32_t i = 0; i < 8; i++) {
        const uint32_t frame = pair ? i / 2 : i;
        const uint32_t channel = self->channels[pair ? i % 2 : 0];
        offsets[i] = frame * self->frame_bytes + (uint64_t)channel * self->sample_bytes;
    }
    pick how;
    if (!pick_init(&how, offsets, 0xFF, self->sample_bytes))
        return 0;
    const uint32_t groups = self->frame_count / frames;
    const sample_decoder decoder = decoder_for(&how, self->bits);
    const window_run run =
        run_for(&how, false, self->source, self->frame_count * self->frame_bytes, frames * self->frame_bytes, groups);
    double *lane = self->tile + self->lanes[0];
    if (pair)
        unpack_columns(sample, &how, &decoder, &run, true, lane);
    else
        unpack_columns(sample, &how, &decoder, &run, false, lane);
    return groups * frames;
}

/* Ends the longest part of the list from `first` on whose samples fit one window. */
static uint32_t window_end(const request *self, uint32_t first)
{
    uint32_t low = UINT32_MAX;
    uint32_t high = 0;
    uint32_t end = first;
    for (; end < self->lane_count; end++) {
        const uint32_t channel = self->channels[end];
        low = channel < low ? channel : low;
        high = channel > high ? channel : high;
        if ((high - low + 1) * self->sample_bytes > WINDOW_BYTES)
            break;
    }
    return end;
}

/* Up to eight lanes, frame by frame, from one window or as many as it takes. */
static inline __attribute__((always_inline)) void unpack_wide(decode *sample, const request *self,
                                                              uint32_t first_frame)
{
    const uint8_t *source = self->source + first_frame * self->frame_bytes;
    const uint32_t frame_count = self->frame_count - first_frame;
    uint32_t done = 0;
    while (done < self->lane_count && frame_count > 0) {
        const uint32_t end = window_end(self, done);
        uint64_t offsets[8] = {0};
        __mmask8 lanes = 0;
        for (; done < end; done++) {
            offsets[self->lanes[done]] = (uint64_t)self->channels[done] * self->sample_bytes;
            lanes = (__mmask8)(lanes | 1u << self->lanes[done]);
        }
        pick how;
        (void)pick_init(&how, offsets, lanes, self->sample_bytes); /* window_end() saw to it that it fits */
        const sample_decoder decoder = decoder_for(&how, self->bits);
        const window_run run = run_for(&how, how.byte_count <= WINDOW_BYTES / 2, source,
                                       frame_count * self->frame_bytes, self->frame_bytes, frame_count);
        unpack_rows(sample, &how, &decoder, &run, self->tile + (size_t)first_frame * TILE_LANES);
    }
}

static void unpack_pcm(const request *self)
{
    unpack_wide(decode_pcm, self, unpack_narrow(decode_pcm, self));
}

static void unpack_float_32(const request *self)
{
    unpack_wide(decode_float_32, self, unpack_narrow(decode_float_32, self));
}

static void unpack_float_64(const request *self)
{
    unpack_wide(decode_float_64, self, unpack_narrow(decode_float_64, self));
}

static void unpack(sample_encoding encoding, const uint8_t *source, uint32_t source_channels, uint32_t frame_count,
                   uint32_t lane_count, const uint8_t *channels, const uint8_t *lanes, double *tile)
{
    request self = {.source = source,
                    .frame_count = frame_count,
                    .lane_count = lane_count,
                    .channels = channels,
                    .lanes = lanes,
                    .tile = tile};
    switch (encoding) {
    case ENCODING_PCM_16:
    case ENCODING_PCM_24:
    case ENCODING_PCM_32:
        self.sample_bytes = encoding == ENCODING_PCM_16 ? 2 : encoding == ENCODING_PCM_24 ? 3 : 4;
        self.bits = self.sample_bytes * 8;
        self.frame_bytes = (uint64_t)source_channels * self.sample_bytes;
        unpack_pcm(&self);
        break;
    case ENCODING_FLOAT_32:
        self.sample_bytes = 4;
        self.bits = 32;
        self.frame_bytes = (uint64_t)source_channels * 4;
        unpack_float_32(&self);
        break;
    case ENCODING_FLOAT_64:
        self.sample_bytes = 8;
        self.bits = 32; /* the decoder's bias is not used */
        self.frame_bytes = (uint64_t)source_channels * 8;
        unpack_float_64(&self);
        break;
    case ENCODING_NONE:
        break;
    }
}

void unpack_avx512_fill(dsp_table *table)
{
    table->unpack = unpack;
}
