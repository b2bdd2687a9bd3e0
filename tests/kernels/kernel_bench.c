/**
 * The tables of docs/performance.md, as they stand there: ns a sample of every kernel and level on tiles of 256 frames, with the
 * spread of the repeats, and cycles at the clock that the kernel's own code leaves the processor at. A sample is one lane of one
 * frame that carries audio.
 */
#define _GNU_SOURCE
#include "tests/kernels/kernel_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FRAMES = 256, REPEATS_MAX = 1001 };

typedef struct bench_data {
    _Alignas(64) double before_tile[(TRUE_PEAK_HISTORY + 5) * TILE_LANES];
    _Alignas(64) double tile[FRAMES * TILE_LANES];
    _Alignas(64) double before_six[(TRUE_PEAK_HISTORY + 5) * TILE_LANES];
    _Alignas(64) double six[FRAMES * TILE_LANES]; /* the tile with two silent lanes */
    double six_peaks[FRAMES / TRUE_PEAK_BLOCK_FRAMES][TILE_LANES]; /* of its blocks */
    _Alignas(64) double metered[FRAMES * TILE_LANES];
    _Alignas(64) double inputs[3][FRAMES * TILE_LANES];
    _Alignas(64) double outputs[4][FRAMES * TILE_LANES];
    _Alignas(64) float floats[2][(FRAMES + FRAMES / FFT_RADIX) * FFT_LANES];
    _Alignas(64) float transformed[2][(FRAMES + FRAMES / FFT_RADIX) * FFT_LANES];
    float roots[2][FRAMES]; /* positive */
    uint8_t bytes[FRAMES * 16 * 8 + 64];
    uint8_t identity[TILE_LANES];
    uint8_t film[TILE_LANES];
    mix_term print_master[18];
    mix_term full_set[72];
    uint32_t full_set_count;
    k_weighting_coefficients coefficients;
    k_weighting_state state;
    quantise_result result;
    double eight[TILE_LANES];
    double ten[10][TILE_LANES];
    double floors[TILE_LANES]; /* sample peaks of the tile */
    tile_meter meter;
    signal_sums signal;
    uint64_t bits[TILE_LANES];
} bench_data;

typedef void bench_body(const dsp_table *table, bench_data *data);

static void unpack_51_24(const dsp_table *table, bench_data *data)
{
    table->unpack(ENCODING_PCM_24, data->bytes, 6, FRAMES, 6, data->identity, data->identity, data->tile);
}

static void unpack_51_24_film(const dsp_table *table, bench_data *data)
{
    table->unpack(ENCODING_PCM_24, data->bytes, 6, FRAMES, 6, data->film, data->identity, data->tile);
}

static void unpack_71_24(const dsp_table *table, bench_data *data)
{
    table->unpack(ENCODING_PCM_24, data->bytes, 8, FRAMES, 8, data->identity, data->identity, data->tile);
}

static void unpack_712_24(const dsp_table *table, bench_data *data)
{
    static const uint8_t tops[2] = {8, 9};
    table->unpack(ENCODING_PCM_24, data->bytes, 10, FRAMES, 8, data->identity, data->identity, data->tile);
    table->unpack(ENCODING_PCM_24, data->bytes, 10, FRAMES, 2, tops, data->identity, data->inputs[0]);
}

static void unpack_stereo_24(const dsp_table *table, bench_data *data)
{
    table->unpack(ENCODING_PCM_24, data->bytes, 2, FRAMES, 2, data->identity, data->identity, data->tile);
}

static void unpack_mono_24(const dsp_table *table, bench_data *data)
{
    table->unpack(ENCODING_PCM_24, data->bytes, 1, FRAMES, 1, data->identity, data->identity, data->tile);
}

static void unpack_51_16(const dsp_table *table, bench_data *data)
{
    table->unpack(ENCODING_PCM_16, data->bytes, 6, FRAMES, 6, data->identity, data->identity, data->tile);
}

static void unpack_51_float(const dsp_table *table, bench_data *data)
{
    table->unpack(ENCODING_FLOAT_32, data->bytes, 6, FRAMES, 6, data->identity, data->identity, data->tile);
}

static void mix_print_master(const dsp_table *table, bench_data *data)
{
    const double *const inputs[3] = {data->inputs[0], data->inputs[1], data->inputs[2]};
    double *const outputs[1] = {data->outputs[0]};
    table->mix(inputs, outputs, 1, data->print_master, 18, FRAMES);
}

static void mix_full_set(const dsp_table *table, bench_data *data)
{
    const double *const inputs[3] = {data->inputs[0], data->inputs[1], data->inputs[2]};
    double *const outputs[2] = {data->outputs[0], data->outputs[1]};
    table->mix(inputs, outputs, 2, data->full_set, data->full_set_count, FRAMES);
}

static void quantise_24(const dsp_table *table, bench_data *data)
{
    table->quantise(data->tile, FRAMES, 24, &data->result);
}

static void quantise_measure(const dsp_table *table, bench_data *data)
{
    table->quantise(data->tile, FRAMES, QUANTISE_MEASURE_ONLY, &data->result);
}

static void pack_51_24(const dsp_table *table, bench_data *data)
{
    table->pack(ENCODING_PCM_24, data->tile, FRAMES, 6, data->identity, 6, 0, data->bytes);
}

static void pack_712_24(const dsp_table *table, bench_data *data)
{
    table->pack(ENCODING_PCM_24, data->tile, FRAMES, 8, data->identity, 10, 0, data->bytes);
    table->pack(ENCODING_PCM_24, data->tile, FRAMES, 2, data->identity, 10, 8, data->bytes);
}

static void pack_stereo_24(const dsp_table *table, bench_data *data)
{
    table->pack(ENCODING_PCM_24, data->tile, FRAMES, 2, data->identity, 2, 0, data->bytes);
}

static void pack_mono_24(const dsp_table *table, bench_data *data)
{
    table->pack(ENCODING_PCM_24, data->tile, FRAMES, 1, data->identity, 1, 0, data->bytes);
}

static void energy(const dsp_table *table, bench_data *data)
{
    table->k_energy(data->tile, FRAMES, &data->coefficients, &data->state, data->eight);
}

static void peak(const dsp_table *table, bench_data *data)
{
    table->peak(data->tile, FRAMES, data->eight);
}

static void true_peak(const dsp_table *table, bench_data *data)
{
    table->true_peak(data->tile, FRAMES, data->eight);
}

static void true_peak_raised(const dsp_table *table, bench_data *data)
{
    double sample[TILE_LANES];
    table->true_peak_over(data->tile, FRAMES, data->floors, NULL, data->eight, sample);
}

/* What most blocks of loud noise are: near enough to the maximum so far to be looked at, not near enough to raise it. */
static void settle(const dsp_table *table, bench_data *data, const double *tile, const double (*block_peaks)[TILE_LANES])
{
    double floors[TILE_LANES];
    for (uint32_t lane = 0; lane < TILE_LANES; lane++)
        floors[lane] = data->floors[lane] * 1.6;
    double sample[TILE_LANES];
    table->true_peak_over(tile, FRAMES, floors, block_peaks, data->eight, sample);
}

static void true_peak_settled(const dsp_table *table, bench_data *data)
{
    settle(table, data, data->tile, NULL);
}

static void true_peak_settled_six(const dsp_table *table, bench_data *data)
{
    settle(table, data, data->six, (const double (*)[TILE_LANES])data->six_peaks);
}

static void true_peak_one_lane(const dsp_table *table, bench_data *data)
{
    table->true_peak_lanes(data->tile, FRAMES, 4, data->eight);
}

static void true_peak_located(const dsp_table *table, bench_data *data)
{
    table->true_peak_frames(data->tile, FRAMES, data->outputs[0]);
}

/* As the engine takes it: window and rotations are numbers like any other. */
static void spectrum(const dsp_table *table, bench_data *data)
{
    table->spectrum(data->tile, data->inputs[0], (const double (*)[2])(void *)data->inputs[1],
                    (double (*)[TILE_LANES])(void *)data->outputs[0], NULL);
}

static float *floats_of(double *tile)
{
    return (float *)(void *)tile;
}

static void fft_step(const dsp_table *table, bench_data *data)
{
    table->fft_radix_64(data->roots[0], data->roots[1], FRAMES, 4, data->floats[0], data->floats[1], data->transformed[0],
                        data->transformed[1]);
}

/* The points are numbers like any other: none grows. */
static void fft_joined(const dsp_table *table, bench_data *data)
{
    for (int i = 0; i < 2; i++)
        memcpy(data->outputs[i], data->inputs[i], 4 * FRAMES * sizeof(double));
    table->fft_join(data->inputs[2], data->tile, FRAMES, 1, data->outputs[0], data->outputs[1]);
}

static void rows_turned(const dsp_table *table, bench_data *data)
{
    const float *rows[FFT_LANES];
    for (uint32_t i = 0; i < FFT_LANES; i++)
        rows[i] = data->floats[0] + (size_t)i * FRAMES;
    table->lanes_of_rows(rows, data->roots[0], FRAMES, floats_of(data->outputs[0]));
}

static void tile_turned(const dsp_table *table, bench_data *data)
{
    float *rows[TILE_LANES];
    for (uint32_t i = 0; i < TILE_LANES; i++)
        rows[i] = floats_of(data->outputs[0]) + (size_t)i * FRAMES;
    table->rows_of_tile(data->tile, FRAMES, TILE_LANES, rows, data->eight);
}

static void lanes_turned(const dsp_table *table, bench_data *data)
{
    float *rows[FFT_LANES];
    for (uint32_t i = 0; i < FFT_LANES; i++)
        rows[i] = floats_of(data->outputs[0]) + (size_t)i * FRAMES;
    table->rows_of_lanes(data->floats[0], FRAMES, rows);
}

/* A window's bins, as many as a tile has samples. */
static void cross_of_window(const dsp_table *table, bench_data *data)
{
    const float *floats = data->floats[0];
    float *sums = floats_of(data->outputs[0]);
    const spectrum_part part = {floats, floats + FRAMES, floats + 2 * FRAMES};
    table->cross_windows(&part, &part, 1, 1.0f, FRAMES, &(cross_sums){sums, sums + FRAMES, sums + 2 * FRAMES});
}

static void evened(const dsp_table *table, bench_data *data)
{
    float *out = floats_of(data->outputs[0]);
    float *powers = floats_of(data->outputs[1]);
    table->mean_powers(data->floats[0], data->floats[1], FRAMES, powers, powers + FRAMES);
    table->even_out(data->floats[0], data->floats[1], powers + FRAMES, FRAMES, 1e-9f, 1e30f,
                    &(even_spectrum){out, out + FRAMES, out + 2 * FRAMES, out + 3 * FRAMES});
}

static void products_of_tiles(const dsp_table *table, bench_data *data)
{
    table->lane_products(data->inputs[0], data->inputs[1], FRAMES, (double (*)[TILE_LANES])(void *)data->outputs[0]);
}

static void signal_features(const dsp_table *table, bench_data *data)
{
    table->signal_measure(data->tile, FRAMES, &data->signal);
}

static void lane_sums(const dsp_table *table, bench_data *data)
{
    table->lane_sums(data->tile, FRAMES / 10, 10, data->ten);
}

static void used_bits(const dsp_table *table, bench_data *data)
{
    table->used_bits(data->tile, FRAMES, data->bits);
}

/* What metering a 5.1 file costs per tile when no block passes the first bound. */
static void meter_51_24(const dsp_table *table, bench_data *data)
{
    table->unpack_metered(table, ENCODING_PCM_24, data->bytes, 6, FRAMES, 6, data->identity, data->identity, data->metered,
                          &data->coefficients, &data->state, &data->meter);
}

typedef struct bench_case {
    const char *name;
    bench_body *body;
    uint32_t samples_per_frame;
    uint32_t operations; /* of 512 bits that a frame needs, counted in the AVX-512 code; 0: not counted */
} bench_case;

static const bench_case cases[] = {
    {"unpack 5.1 24 bit", unpack_51_24, 6, 0},
    {"unpack 5.1 24 bit, film order", unpack_51_24_film, 6, 0},
    {"unpack 7.1 24 bit", unpack_71_24, 8, 0},
    {"unpack 7.1.2 24 bit, two tiles", unpack_712_24, 10, 0},
    {"unpack stereo 24 bit", unpack_stereo_24, 2, 0},
    {"unpack mono 24 bit", unpack_mono_24, 1, 0},
    {"unpack 5.1 16 bit", unpack_51_16, 6, 0},
    {"unpack 5.1 float", unpack_51_float, 6, 0},
    {"mix 3 x 5.1 to 5.1", mix_print_master, 6, 0},
    {"mix 3 x 5.1 to 5.1, 2.0, 5.1, 2.0", mix_full_set, 16, 0},
    {"quantise to 24 bit", quantise_24, 8, 0},
    {"quantise, measure only", quantise_measure, 8, 0},
    {"pack 5.1 24 bit", pack_51_24, 6, 0},
    {"pack 7.1.2 24 bit, two tiles", pack_712_24, 10, 0},
    {"pack stereo 24 bit", pack_stereo_24, 2, 0},
    {"pack mono 24 bit", pack_mono_24, 1, 0},
    {"K-weighting and energy", energy, 8, 0},
    {"sample peak", peak, 8, 0},
    {"true peak, nothing pruned", true_peak, 8, 0},
    {"true peak over the sample peak", true_peak_raised, 8, 0},
    {"true peak over 1.6 x the sample peak (sieved), with sample peaks", true_peak_settled, 8, 0},
    {"true peak of six lanes, sieved", true_peak_settled_six, 6, 11},
    {"true peak, one lane", true_peak_one_lane, 1, 0},
    {"true peak, frame by frame", true_peak_located, 8, 0},
    {"signal features", signal_features, 8, 0},
    {"spectrum", spectrum, 8, 0},
    {"Fourier step of the stem features (per real or imaginary part)", fft_step, 32, 0},
    {"two stages of a Fourier transform of 1024 points (likewise)", fft_joined, 8, 0},
    {"rows of windows to lanes", rows_turned, 16, 0},
    {"a tile to rows of floats, with its energies", tile_turned, 8, 0},
    {"lanes to rows of windows", lanes_turned, 16, 0},
    {"products of two tiles (64 sums a frame)", products_of_tiles, 16, 0},
    {"cross-spectrum (per bin and window)", cross_of_window, 1, 0},
    {"a spectrum evened out (per bin)", evened, 1, 0},
    {"lane sums", lane_sums, 8, 0},
    {"bits in use", used_bits, 8, 0},
    {"unpack 5.1 24 bit, K-weighting, energy and sample peaks in one pass", meter_51_24, 6, 15},
};
enum { CASE_COUNT = sizeof cases / sizeof cases[0] };

static double now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/*
 * The clock: a chain of additions, one cycle each; the barrier keeps the compiler from folding it. A processor that clocks lower
 * for wide registers does so for a good half millisecond behind them, and this takes a quarter.
 */
static double clock_ghz(void)
{
    enum { LINKS = 20000, CHAINS = 32 };
    double best = 0.0;
    for (int chain = 0; chain < CHAINS; chain++) {
        uint64_t x = 1;
        const double start = now_ns();
        for (int i = 0; i < LINKS; i += 8) {
            for (int j = 0; j < 8; j++) {
                x += 3;
                __asm__ volatile("" : "+r"(x));
            }
        }
        const double ghz = LINKS / (now_ns() - start);
        best = ghz > best ? ghz : best;
    }
    return best;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct timing {
    double least;  /* ns a sample */
    double median;
    double ghz;    /* right behind it */
} timing;

static timing time_case(const bench_case *it, const dsp_table *table, bench_data *data, bool quick)
{
    const int repeats = quick ? 9 : REPEATS_MAX;
    const double repeat_ns = quick ? 1e4 : 2e4;
    double times[REPEATS_MAX];
    uint32_t calls = 1;
    for (;;) {
        const double start = now_ns();
        for (uint32_t i = 0; i < calls; i++)
            it->body(table, data);
        if (now_ns() - start > repeat_ns || calls > 1u << 24)
            break;
        calls *= 2;
    }
    for (int repeat = 0; repeat < repeats; repeat++) {
        const double start = now_ns();
        for (uint32_t i = 0; i < calls; i++)
            it->body(table, data);
        times[repeat] = (now_ns() - start) / ((double)calls * FRAMES * it->samples_per_frame);
    }
    const double ghz = clock_ghz();
    qsort(times, (size_t)repeats, sizeof times[0], compare_doubles);
    return (timing){times[0], times[repeats / 2], ghz};
}

static void add_term(mix_term *term, uint32_t stem, uint32_t input, uint32_t tile, uint32_t output, double gain)
{
    *term = (mix_term){(uint16_t)stem, (uint16_t)input, (uint16_t)tile, (uint16_t)output, gain};
}

/* Print master and M&E in 5.1 (the second without the first stem), and both folded to stereo, in two tiles. */
static void bench_data_init(bench_data *data)
{
    kernel_check random = {.random = 1};
    memset(data, 0, sizeof *data);
    check_fill_pcm(&random, data->tile, FRAMES * TILE_LANES, 24);
    for (uint32_t i = 0; i < 3; i++)
        check_fill_pcm(&random, data->inputs[i], FRAMES * TILE_LANES, 24);
    for (uint32_t i = 0; i < 2; i++) {
        check_fill_floats(&random, data->floats[i], sizeof data->floats[i] / sizeof(float), DATA_NOISE);
        for (uint32_t k = 0; k < FRAMES; k++)
            data->roots[i][k] = (float)fabs(check_uniform(&random));
    }
    for (size_t i = 0; i < sizeof data->bytes; i++)
        data->bytes[i] = (uint8_t)(check_random(&random) & 0x3F); /* ordinary numbers as floats too */
    static const uint8_t film[TILE_LANES] = {0, 2, 1, 5, 3, 4, 6, 7};
    memcpy(data->film, film, sizeof film);
    uint32_t full = 0;
    for (uint32_t i = 0; i < TILE_LANES; i++)
        data->identity[i] = (uint8_t)i;
    for (uint32_t stem = 0; stem < 3; stem++) {
        for (uint32_t lane = 0; lane < 6; lane++) {
            add_term(&data->print_master[stem * 6 + lane], stem, lane, 0, lane, 1.0);
            add_term(&data->full_set[full++], stem, lane, 0, lane, 1.0);
            if (stem > 0)
                add_term(&data->full_set[full++], stem, lane, 1, lane, 1.0);
        }
        static const uint8_t fold[4] = {0, 2, 1, 2};
        for (uint32_t i = 0; i < 4; i++) {
            add_term(&data->full_set[full++], stem, fold[i], 0, 6 + i / 2, i % 2 ? 0.7071 : 1.0);
            if (stem > 0)
                add_term(&data->full_set[full++], stem, fold[i], 1, 6 + i / 2, i % 2 ? 0.7071 : 1.0);
        }
        add_term(&data->full_set[full++], stem, 4, 0, 6, 0.7071);
        add_term(&data->full_set[full++], stem, 5, 0, 7, 0.7071);
        if (stem > 0) {
            add_term(&data->full_set[full++], stem, 4, 1, 6, 0.7071);
            add_term(&data->full_set[full++], stem, 5, 1, 7, 0.7071);
        }
    }
    data->full_set_count = full;
    k_weighting_design(48000, &data->coefficients);
}

/* Of the widest level, which the last timing of a row is of. */
static void print_row(const bench_case *it, const timing *timings, uint32_t level_count)
{
    const timing *widest = &timings[level_count - 1];
    const double frame_ns = widest->least * it->samples_per_frame;
    printf("| %s |", it->name);
    for (uint32_t level = 0; level < level_count; level++)
        printf(" %.2f |", timings[level].least);
    printf(" %.0f %% | %.2f | %.1f |\n", (widest->median / widest->least - 1.0) * 100.0, frame_ns, frame_ns * widest->ghz);
    fflush(stdout);
}

/* What metering is made of, against what two operations of 512 bits a cycle allow. */
static void print_bounds(const timing *timings)
{
    const double frames = 600.0 * 48000.0;
    double taken = 0.0;
    double least = 0.0;
    puts("\n| kernel | ns a frame | cycles a frame | operations of 512 bits, counted | least cycles |\n| --- | --- | --- | --- | --- |");
    for (uint32_t i = 0; i < CASE_COUNT; i++) {
        if (cases[i].operations == 0)
            continue;
        const double frame_ns = timings[i].least * cases[i].samples_per_frame;
        const double least_cycles = cases[i].operations / 2.0;
        printf("| %s | %.1f | %.1f | %u | %.1f |\n", cases[i].name, frame_ns, frame_ns * timings[i].ghz, cases[i].operations,
               least_cycles);
        taken += frame_ns;
        least += least_cycles / timings[i].ghz;
    }
    printf("\nThese take %.1f ns a frame, %.2f s of 10 minutes; at their least cycles they would take %.2f s.\n", taken,
           taken * frames * 1e-9, least * frames * 1e-9);
}

void kernel_bench(const cpu_features *levels, uint32_t level_count, bool quick)
{
    bench_data *data = aligned_alloc(64, (sizeof *data + 63) / 64 * 64);
    if (data == NULL)
        return;
    bench_data_init(data);
    timing widest[CASE_COUNT];
    double slowest = (double)INFINITY;
    double quickest = 0.0;
    fputs("| kernel, ns a sample |", stdout);
    for (uint32_t level = 0; level < level_count; level++)
        printf(" %s |", cpu_features_name(levels[level]));
    printf(" spread | ns a frame | cycles a frame |\n| --- |%.*s --- | --- | --- |\n", (int)(6 * level_count), " --- | --- | --- | --- |");
    for (uint32_t i = 0; i < CASE_COUNT; i++) {
        timing timings[KERNEL_LEVELS_MAX];
        for (uint32_t level = 0; level < level_count; level++) {
            dsp_table table;
            dsp_table_init(&table, levels[level]);
            memset(&data->result, 0, sizeof data->result);
            memset(&data->state, 0, sizeof data->state);
            memset(data->eight, 0, sizeof data->eight);
            table.peak(data->tile, FRAMES, data->floors);
            for (uint32_t k = 0; k < FRAMES * TILE_LANES; k++)
                data->six[k] = k % TILE_LANES < 6 ? data->tile[k] : 0.0;
            for (uint32_t k = 0; k < FRAMES / TRUE_PEAK_BLOCK_FRAMES; k++)
                table.peak(data->six + (size_t)k * TRUE_PEAK_BLOCK_FRAMES * TILE_LANES, TRUE_PEAK_BLOCK_FRAMES, data->six_peaks[k]);
            timings[level] = time_case(&cases[i], &table, data, quick);
        }
        widest[i] = timings[level_count - 1];
        slowest = fmin(slowest, widest[i].ghz);
        quickest = fmax(quickest, widest[i].ghz);
        print_row(&cases[i], timings, level_count);
    }
    printf("\nTiles of %d frames; the last three columns are of %s, at %.2f to %.2f GHz.\n", FRAMES,
           cpu_features_name(levels[level_count - 1]), slowest, quickest);
    if (levels[level_count - 1] == CPU_AVX512)
        print_bounds(widest);
    free(data);
}
