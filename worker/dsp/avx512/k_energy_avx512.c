/**
 * Both K-weighting biquads for eight lanes in one register: nine operations a frame, a recursion of one fma. The recursion
 * leaves room, in which samples are unpacked and their peaks found at little cost.
 */
#include "worker/dsp/avx512/unpack_avx512.h"
#include "worker/dsp/dsp_unroll.h"
#include "worker/dsp/dsp_variants.h"
#include "worker/dsp/unpack_apart.h"

#include <immintrin.h>

typedef struct coefficients {
    __m512d b1, b2, a1, a2, c1, c2;
} coefficients;

/** w[n], w[n-1], w[n-2] of both stages, by age. */
typedef struct delay {
    __m512d u, v;
} delay;

/** Both stages on their way through the frames. */
typedef struct filter {
    coefficients c;
    delay first, second, third;
    __m512d step; /* between the two last v */
    __m512d sum;
} filter;

/* One frame: `now` is written from `before` and `oldest`, which is used up. */
static inline __attribute__((always_inline)) void filter_frame(filter *self, __m512d x, delay *now, const delay *before,
                                                               delay *oldest)
{
    const coefficients *c = &self->c;
    __asm__("" : "+v"(x)); /* in a register: folded into the fma it would cost the copy of a coefficient */
    const __m512d u = _mm512_fnmadd_pd(c->a2, oldest->u, x);
    now->u = _mm512_fnmadd_pd(c->a1, before->u, u);
    __m512d y = _mm512_fmadd_pd(c->b1, before->u, now->u);
    y = _mm512_fmadd_pd(c->b2, oldest->u, y);
    y = _mm512_fnmadd_pd(c->c2, oldest->v, y);
    now->v = _mm512_fnmadd_pd(c->c1, before->v, y);
    const __m512d step = _mm512_sub_pd(now->v, before->v);
    const __m512d k = _mm512_sub_pd(step, self->step);
    self->step = step;
    self->sum = _mm512_fmadd_pd(k, k, self->sum);
}

static inline __attribute__((always_inline)) void filter_one(filter *self, __m512d x)
{
    filter_frame(self, x, &self->third, &self->first, &self->second);
    self->second = self->first;
    self->first = self->third;
}

static inline __attribute__((always_inline)) filter filter_begin(const k_weighting_coefficients *stages,
                                                                 const k_weighting_state *state, __m512d sum)
{
    filter self = {.c = {.b1 = _mm512_set1_pd(stages->shelf[0]),
                         .b2 = _mm512_set1_pd(stages->shelf[1]),
                         .a1 = _mm512_set1_pd(stages->stage[0][3]),
                         .a2 = _mm512_set1_pd(stages->stage[0][4]),
                         .c1 = _mm512_set1_pd(stages->stage[1][3]),
                         .c2 = _mm512_set1_pd(stages->stage[1][4])},
                   .first = {_mm512_load_pd(state->z[0]), _mm512_load_pd(state->z[2])},
                   .second = {_mm512_load_pd(state->z[1]), _mm512_load_pd(state->z[3])},
                   .sum = sum};
    self.step = _mm512_sub_pd(self.first.v, self.second.v);
    return self;
}

static __m512d settle(__m512d z)
{
    const __mmask8 tiny =
        _mm512_cmp_pd_mask(_mm512_abs_pd(z), _mm512_set1_pd(K_WEIGHTING_STATE_MIN), _CMP_LT_OQ);
    return _mm512_mask_mov_pd(z, tiny, _mm512_setzero_pd());
}

static inline __attribute__((always_inline)) void filter_end(const filter *self, k_weighting_state *state, double *energy)
{
    _mm512_store_pd(state->z[0], settle(self->first.u));
    _mm512_store_pd(state->z[1], settle(self->second.u));
    _mm512_store_pd(state->z[2], settle(self->first.v));
    _mm512_store_pd(state->z[3], settle(self->second.v));
    _mm512_storeu_pd(energy, self->sum);
}

static void k_energy(const double *tile, uint32_t frame_count, const k_weighting_coefficients *stages,
                     k_weighting_state *state, double energy[TILE_LANES])
{
    filter self = filter_begin(stages, state, _mm512_loadu_pd(energy));
    const double *row = tile;
    uint32_t left = frame_count;
    /* Three frames a turn: each delay takes the place of the oldest, and nothing is moved. */
    for (; left >= 3; left -= 3, row += 3 * TILE_LANES) {
        filter_frame(&self, _mm512_loadu_pd(row), &self.third, &self.first, &self.second);
        filter_frame(&self, _mm512_loadu_pd(row + TILE_LANES), &self.second, &self.third, &self.first);
        filter_frame(&self, _mm512_loadu_pd(row + 2 * TILE_LANES), &self.first, &self.second, &self.third);
    }
    for (; left > 0; left--, row += TILE_LANES)
        filter_one(&self, _mm512_loadu_pd(row));
    filter_end(&self, state, energy);
}

/* ---- samples as they are unpacked ---- */

typedef struct reader {
    sample_decoder decoder;
    window_run run;
    double *row;
    __m512d peak; /* of the block so far */
} reader;

static inline __attribute__((always_inline)) __m512d read_frame(reader *self, __m512i window)
{
    const __m512d x = decode_pcm(&self->decoder, window);
    _mm512_store_pd(self->row, x);
    self->peak = _mm512_max_pd(_mm512_abs_pd(x), self->peak);
    self->run.window += self->run.step;
    self->row += TILE_LANES;
    return x;
}

/**
 * The filter with frames on their way: of frame i the recursion of stage 1 is done, of the four before it what is named here.
 * As every operation takes as long as the recursion of a frame, all would else want to begin at once, and the recursion, which
 * is all that the others wait for, would come last.
 */
typedef struct flow {
    __m512d u1, u2, u3, u4; /* of i - 1 .. i - 4 */
    __m512d y1;             /* of i - 2: the first tap of y */
    __m512d y2;             /* of i - 3: y */
    __m512d s;              /* of i - 4: y and the older tap of stage 2 */
    __m512d v1, v2;         /* of i - 5, i - 6 */
    __m512d step, k, sum;   /* of i - 5; its energy is not yet in the sum */
} flow;

enum { FLOW_FRAMES = 4 }; /* between the recursions */

/* The recursions stay ahead of the rest. */
#define AHEAD(x) __asm__ volatile("" : "+v"(x))

/*
 * A turn: of steps 0 (the recursion of stage 1) to 4 (that of stage 2), each of another frame, those from `from` to `to`, which
 * are literals; while the flow begins or ends they are fewer than five.
 */
static inline __attribute__((always_inline)) void flow_turn(flow *self, const coefficients *c, __m512d x, const int from,
                                                            const int to)
{
    __m512d u = self->u1;
    __m512d v = self->v1;
    const __m512d v_before = to < FLOW_FRAMES ? self->v2 : self->v1; /* stage 2 has not begun to move */
    if (from == 0) {
        u = _mm512_fnmadd_pd(c->a1, self->u1, _mm512_fnmadd_pd(c->a2, self->u2, x));
        AHEAD(u);
    }
    if (to == FLOW_FRAMES) {
        v = _mm512_fnmadd_pd(c->c1, self->v1, self->s);
        AHEAD(v);
    }
    if (from <= 3 && to >= 3)
        self->s = _mm512_fnmadd_pd(c->c2, v_before, self->y2);
    if (from <= 2 && to >= 2)
        self->y2 = _mm512_fmadd_pd(c->b2, self->u4, self->y1);
    if (from <= 1 && to >= 1)
        self->y1 = _mm512_fmadd_pd(c->b1, self->u2, self->u1);
    if (to == FLOW_FRAMES) {
        self->sum = _mm512_fmadd_pd(self->k, self->k, self->sum);
        AHEAD(self->sum);
        const __m512d step = _mm512_sub_pd(v, self->v1);
        self->k = _mm512_sub_pd(step, self->step);
        self->step = step;
        self->v2 = self->v1;
        self->v1 = v;
    }
    self->u4 = self->u3;
    self->u3 = self->u2;
    self->u2 = self->u1;
    self->u1 = u;
}

/* The blocks of which every load lies within the source; `half` is a literal. Returns the frames done. */
static inline __attribute__((always_inline)) uint32_t meter_blocks(filter *self, reader *from, const bool half,
                                                                   double (*peaks)[TILE_LANES])
{
    const coefficients *c = &self->c;
    const uint32_t block_count = from->run.whole / TRUE_PEAK_BLOCK_FRAMES;
    flow it = {.u1 = self->first.u,
               .u2 = self->second.u,
               .v1 = self->first.v,
               .v2 = self->second.v,
               .step = self->step,
               .sum = self->sum};
    if (block_count == 0)
        return 0;
    from->peak = _mm512_setzero_pd();
    DSP_UNROLL(4)
    for (int i = 0; i < FLOW_FRAMES; i++)
        flow_turn(&it, c, read_frame(from, load_window(from->run.window, half)), 0, i);
    for (uint32_t block = 0, i = FLOW_FRAMES; block < block_count; block++, i = 0) {
        for (; i < TRUE_PEAK_BLOCK_FRAMES; i += 4) {
            DSP_UNROLL(4)
            for (int k = 0; k < 4; k++)
                flow_turn(&it, c, read_frame(from, load_window(from->run.window, half)), 0, FLOW_FRAMES);
        }
        _mm512_store_pd(peaks[block], from->peak);
        from->peak = _mm512_setzero_pd();
    }
    self->first.u = it.u1;
    self->second.u = it.u2;
    DSP_UNROLL(4)
    for (int i = 1; i <= FLOW_FRAMES; i++)
        flow_turn(&it, c, it.u1, i, FLOW_FRAMES);
    self->first.v = it.v1;
    self->second.v = it.v2;
    self->step = it.step;
    self->sum = _mm512_fmadd_pd(it.k, it.k, it.sum);
    return block_count * TRUE_PEAK_BLOCK_FRAMES;
}

static void unpack_metered(const dsp_table *self, sample_encoding encoding, const uint8_t *source, uint32_t source_channels,
                           uint32_t frame_count, uint32_t lane_count, const uint8_t *channels, const uint8_t *lanes,
                           double *tile, const k_weighting_coefficients *stages, k_weighting_state *state,
                           tile_meter *out_meter)
{
    const uint32_t sample_bytes = encoding == ENCODING_PCM_16 ? 2 : encoding == ENCODING_PCM_24 ? 3 : 4;
    const uint64_t frame_bytes = (uint64_t)source_channels * sample_bytes;
    uint64_t offsets[TILE_LANES] = {0};
    __mmask8 used = 0;
    for (uint32_t i = 0; i < lane_count; i++) {
        offsets[lanes[i]] = (uint64_t)channels[i] * sample_bytes;
        used = (__mmask8)(used | 1u << lanes[i]);
    }
    pick how;
    if (lane_count == 0 || !pick_init(&how, offsets, used, sample_bytes)) {
        unpack_apart(self, encoding, source, source_channels, frame_count, lane_count, channels, lanes, tile, stages, state,
                     out_meter);
        return;
    }
    filter both = filter_begin(stages, state, _mm512_setzero_pd());
    reader from = {.decoder = decoder_for(&how, sample_bytes * 8),
                   .run = run_for(&how, how.byte_count <= WINDOW_BYTES / 2, source, frame_count * frame_bytes, frame_bytes,
                                  frame_count),
                   .row = tile};
    uint32_t done = from.run.half ? meter_blocks(&both, &from, true, out_meter->peaks)
                                  : meter_blocks(&both, &from, false, out_meter->peaks);
    for (; done < frame_count; done++) {
        if (done % TRUE_PEAK_BLOCK_FRAMES == 0)
            from.peak = _mm512_setzero_pd();
        filter_one(&both, read_frame(&from, _mm512_mask_loadu_epi8(_mm512_setzero_si512(), how.read, from.run.window)));
        _mm512_store_pd(out_meter->peaks[done / TRUE_PEAK_BLOCK_FRAMES], from.peak);
    }
    filter_end(&both, state, out_meter->energy);
}

void k_energy_avx512_fill(dsp_table *table)
{
    table->k_energy = k_energy;
    table->unpack_metered = unpack_metered;
}
