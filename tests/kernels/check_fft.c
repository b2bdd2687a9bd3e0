#include "tests/kernels/kernel_check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SIZE_MAX_CHECKED = 256, TRANSFORM_MAX = 1024 };

static void fill_roots(uint32_t size, float *cosine, float *sine)
{
    for (uint32_t k = 0; k < size; k++) {
        cosine[k] = (float)cos(2.0 * 3.14159265358979323846 * k / size);
        sine[k] = (float)sin(2.0 * 3.14159265358979323846 * k / size);
    }
}

static void radix_64_once(kernel_check *self, uint32_t size, uint32_t stride, hostility kind, placement where)
{
    static float cosine[TRANSFORM_MAX], sine[TRANSFORM_MAX];
    static _Alignas(64) float expected[2][(TRANSFORM_MAX + TRANSFORM_MAX / FFT_RADIX) * FFT_LANES];
    const size_t values = fft_row(size - 1) + FFT_LANES; /* what lies between the rows too: nobody writes there */
    float *places[4]; /* re, im, out_re, out_im */
    for (int i = 0; i < 4; i++)
        places[i] = (float *)(void *)guarded_place(&self->memory[i], values * sizeof(float), where, 0);
    for (int i = 0; i < 2; i++)
        check_fill_floats(self, places[i], values, kind);
    fill_roots(size, cosine, sine);
    for (int i = 0; i < 2; i++)
        memcpy(expected[i], places[2 + i], values * sizeof(float));
    self->reference->fft_radix_64(cosine, sine, size, stride, places[0], places[1], expected[0], expected[1]);
    self->variant->fft_radix_64(cosine, sine, size, stride, places[0], places[1], places[2], places[3]);
    char what[64];
    (void)snprintf(what, sizeof what, "%s, %u frames, stride %u", hostility_name(kind), size, stride);
    for (int i = 0; i < 2; i++) {
        check_floats(self, expected[i], places[2 + i], values, what);
        check_that(self, guarded_intact(&self->memory[2 + i], (const uint8_t *)places[2 + i], values * sizeof(float)),
                   "%s: margin", what);
    }
}

static void join_once(kernel_check *self, uint32_t quarter, uint32_t count, hostility kind, placement where)
{
    enum { POINTS = 4 * SIZE_MAX_CHECKED };
    static double cosine[POINTS], sine[POINTS], expected[2][2 * POINTS];
    const size_t values = (size_t)quarter * 4 * count;
    double *places[2];
    check_fill(self, cosine, POINTS, DATA_NOISE);
    check_fill(self, sine, POINTS, DATA_NOISE);
    for (int i = 0; i < 2; i++) {
        places[i] = (double *)(void *)guarded_place(&self->memory[i], values * sizeof(double), where, 8 * check_below(self, 8));
        check_fill(self, places[i], values, kind);
        memcpy(expected[i], places[i], values * sizeof(double));
    }
    self->reference->fft_join(cosine, sine, quarter, count, expected[0], expected[1]);
    self->variant->fft_join(cosine, sine, quarter, count, places[0], places[1]);
    char what[64];
    (void)snprintf(what, sizeof what, "%s, %u times four transforms of %u points joined", hostility_name(kind), count, quarter);
    for (int i = 0; i < 2; i++) {
        check_doubles(self, expected[i], places[i], values, what);
        check_that(self, guarded_intact(&self->memory[i], (const uint8_t *)places[i], values * sizeof(double)), "%s: margin", what);
    }
}

/* lines: every row begins with a line of the cache. */
static void tile_turned_once(kernel_check *self, uint32_t frame_count, uint32_t lane_count, bool lines, hostility kind,
                             placement where)
{
    static float expected[TILE_FRAMES_MAX * TILE_LANES];
    const uint32_t apart = lines ? (frame_count + 15) / 16 * 16 : frame_count;
    const size_t values = (size_t)apart * lane_count;
    double *tile = (double *)(void *)guarded_place(&self->memory[0], (size_t)frame_count * TILE_LANES * sizeof(double), where, 0);
    const size_t shift = lines ? 0 : 4 * check_below(self, 4);
    float *actual = (float *)(void *)guarded_place(&self->memory[1], values * sizeof(float), where, shift);
    float *rows[TILE_LANES], *expected_rows[TILE_LANES];
    double squares[2][TILE_LANES];
    const uint32_t wanted_of_four = check_below(self, 4); /* at times none */
    for (uint32_t l = 0; l < lane_count; l++) {
        bool wanted = check_below(self, 4) < wanted_of_four;
        rows[l] = wanted ? actual + (size_t)l * apart : NULL;
        expected_rows[l] = wanted ? expected + (size_t)l * apart : NULL;
    }
    memcpy(expected, actual, values * sizeof(float));
    check_fill(self, tile, (size_t)frame_count * TILE_LANES, kind);
    check_fill(self, squares[0], TILE_LANES, DATA_NOISE);
    memcpy(squares[1], squares[0], sizeof squares[1]);
    self->reference->rows_of_tile(tile, frame_count, lane_count, expected_rows, squares[0]);
    self->variant->rows_of_tile(tile, frame_count, lane_count, rows, squares[1]);
    char what[64];
    (void)snprintf(what, sizeof what, "%s, %u lanes of %u frames", hostility_name(kind), lane_count, frame_count);
    check_floats(self, expected, actual, values, what);
    check_doubles(self, squares[0], squares[1], TILE_LANES, what);
    check_that(self, guarded_intact(&self->memory[1], (const uint8_t *)actual, values * sizeof(float)), "%s: margin", what);
}

/* Rows in one place, one beside the other, so that the first or the last byte of one of them touches the guard. */
static void turned_once(kernel_check *self, uint32_t count, hostility kind, placement where)
{
    static float scale[TILE_FRAMES_MAX];
    static _Alignas(64) float expected[TILE_FRAMES_MAX * FFT_LANES];
    const size_t values = (size_t)count * FFT_LANES;
    float *from = (float *)(void *)guarded_place(&self->memory[0], values * sizeof(float), where, 4 * check_below(self, 4));
    float *lanes = (float *)(void *)guarded_place(&self->memory[1], values * sizeof(float), where, 0);
    float *back = (float *)(void *)guarded_place(&self->memory[2], values * sizeof(float), where, 4 * check_below(self, 4));
    const float *rows[FFT_LANES];
    float *rows_back[FFT_LANES];
    for (uint32_t l = 0; l < FFT_LANES; l++) {
        rows[l] = from + (size_t)l * count;
        rows_back[l] = back + (size_t)l * count;
    }
    check_fill_floats(self, from, values, kind);
    check_fill_floats(self, scale, count, DATA_NOISE);
    char what[64];
    (void)snprintf(what, sizeof what, "%s, %u frames turned", hostility_name(kind), count);
    self->reference->lanes_of_rows(rows, scale, count, expected);
    self->variant->lanes_of_rows(rows, scale, count, lanes);
    check_floats(self, expected, lanes, values, what);
    self->variant->rows_of_lanes(lanes, count, rows_back);
    for (size_t i = 0; i < values; i++)
        expected[i] = from[i] * scale[i % count];
    check_floats(self, expected, back, values, what);
    for (uint32_t i = 1; i < 3; i++)
        check_that(self, guarded_intact(&self->memory[i], (const uint8_t *)(i == 1 ? lanes : back), values * sizeof(float)),
                   "%s: margin", what);
}

static void products_once(kernel_check *self, uint32_t frame_count, hostility kind, placement where)
{
    _Alignas(64) double expected[TILE_LANES][TILE_LANES];
    _Alignas(64) double actual[TILE_LANES][TILE_LANES];
    const size_t values = (size_t)frame_count * TILE_LANES;
    double *tiles[2];
    check_fill(self, &expected[0][0], sizeof expected / sizeof(double), DATA_NOISE);
    memcpy(actual, expected, sizeof actual);
    for (uint32_t i = 0; i < 2; i++) {
        tiles[i] = (double *)(void *)guarded_place(&self->memory[i], values * sizeof(double), where, 0);
        check_fill(self, tiles[i], values, kind);
    }
    self->reference->lane_products(tiles[0], tiles[1], frame_count, expected);
    self->variant->lane_products(tiles[0], tiles[1], frame_count, actual);
    char what[64];
    (void)snprintf(what, sizeof what, "%s, products of %u frames", hostility_name(kind), frame_count);
    check_doubles(self, &expected[0][0], &actual[0][0], sizeof expected / sizeof(double), what);
}

void check_fft(kernel_check *self)
{
    for (uint32_t kind = 0; kind < DATA_KIND_COUNT; kind++)
        for (uint32_t size = FFT_RADIX; size <= TRANSFORM_MAX; size *= 4)
            for (uint32_t stride = 1; stride <= size / FFT_RADIX; stride *= 4)
                radix_64_once(self, size, stride, (hostility)kind, (placement)(kind % PLACEMENT_COUNT));
    for (uint32_t kind = 0; kind < DATA_KIND_COUNT; kind++)
        for (uint32_t quarter = 1; quarter <= SIZE_MAX_CHECKED; quarter *= 4)
            for (uint32_t count = 1; count <= 2; count++)
                join_once(self, quarter, count, (hostility)kind, (placement)(kind % PLACEMENT_COUNT));
    uint32_t frame_count;
    for (uint32_t index = 0; check_frame_count(index, &frame_count); index++)
        if (frame_count <= TILE_FRAMES_MAX && check_below(self, 100) < self->effort) {
            for (int lines = 0; lines < 2; lines++)
                tile_turned_once(self, frame_count, 1 + index % TILE_LANES, lines == 1, (hostility)(index % DATA_KIND_COUNT),
                                 (placement)(index % PLACEMENT_COUNT));
            turned_once(self, frame_count, (hostility)(index % DATA_KIND_COUNT), (placement)(index % PLACEMENT_COUNT));
            products_once(self, frame_count, (hostility)(index % DATA_KIND_COUNT), (placement)(index % PLACEMENT_COUNT));
        }
}

/* All steps together are the discrete Fourier transform: held against its definition in long double. */
void judge_fft(kernel_check *self)
{
    enum { SIZE = 64, POINTS = FFT_RADIX * FFT_RADIX };
    static float cosine[POINTS], sine[POINTS];
    static _Alignas(64) float signal[4][(POINTS + FFT_RADIX) * FFT_LANES], start[2][(POINTS + FFT_RADIX) * FFT_LANES];
    static _Alignas(64) double input[2][SIZE * TILE_LANES];
    fill_roots(POINTS, cosine, sine);
    for (int i = 0; i < 2; i++) {
        check_fill(self, input[i], (size_t)SIZE * TILE_LANES, DATA_NOISE);
        check_fill_floats(self, signal[i], sizeof signal[i] / sizeof(float), DATA_NOISE);
        memcpy(start[i], signal[i], sizeof start[i]);
    }
    self->reference->fft_radix_64(cosine, sine, POINTS, 1, signal[0], signal[1], signal[2], signal[3]);
    self->reference->fft_radix_64(cosine, sine, POINTS, FFT_RADIX, signal[2], signal[3], signal[0], signal[1]);
    for (uint32_t lane = 0; lane < FFT_LANES; lane += 5)
        for (uint32_t k = 0; k < POINTS; k += 91) {
            long double re = 0, im = 0;
            for (uint32_t n = 0; n < POINTS; n++) {
                const long double angle = 2.0L * 3.14159265358979323846264338L * (long double)(n * k % POINTS) / POINTS;
                const long double x = (long double)start[0][fft_row(n) + lane];
                const long double y = (long double)start[1][fft_row(n) + lane];
                re += x * cosl(angle) + y * sinl(angle);
                im += y * cosl(angle) - x * sinl(angle);
            }
            /* Sums of 8,192 numbers of up to 1, in six steps of four roundings of 2^-24 each, and roots as near. */
            check_that(self, fabsl((long double)signal[0][fft_row(k) + lane] - re) < 8192 * 30 * 0x1p-24L, "real part %u", k);
            check_that(self, fabsl((long double)signal[1][fft_row(k) + lane] - im) < 8192 * 30 * 0x1p-24L, "imaginary part %u", k);
        }
    double squares[TILE_LANES] = {0.0};
    self->reference->rows_of_tile(input[0], SIZE, 0, NULL, squares);
    long double sum = 0;
    for (uint32_t n = 0; n < SIZE; n++)
        sum += (long double)input[0][n * TILE_LANES + 3] * (long double)input[0][n * TILE_LANES + 3];
    check_that(self, fabsl((long double)squares[3] - sum) < 1e-12L, "sum of squares");
    _Alignas(64) double products[TILE_LANES][TILE_LANES] = {{0.0}};
    self->reference->lane_products(input[0], input[1], SIZE, products);
    long double product = 0;
    for (uint32_t n = 0; n < SIZE; n++)
        product += (long double)input[0][n * TILE_LANES + 2] * (long double)input[1][n * TILE_LANES + 5];
    check_that(self, fabsl((long double)products[2][5] - product) < 1e-12L, "sum of products");
}
