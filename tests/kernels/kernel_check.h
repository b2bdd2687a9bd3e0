/**
 * What every kernel check shares: a seeded random source, hostile data, memory between guard pages with painted
 * margins, comparison bit for bit, and a count of failures. Plain C without a test framework, so that the same
 * program runs on a machine under emulation.
 *
 * A check compares a variant with the scalar reference (check_*), or the reference with an independent and more
 * precise computation (judge_*).
 */
#ifndef TESTS_KERNELS_KERNEL_CHECK_H
#define TESTS_KERNELS_KERNEL_CHECK_H

#include "worker/dsp/dsp_table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHECK_TILE_BYTES_MAX = (TILE_FRAMES_MAX + TRUE_PEAK_HISTORY) * TILE_LANES * 8 };
enum { CHECK_REGION_BYTES = 1 << 20 };

/** Readable memory with an unreadable page before and after it. */
typedef struct guarded {
    uint8_t *region;
    size_t region_bytes;
} guarded;

typedef struct kernel_check {
    const dsp_table *reference;
    const dsp_table *variant;
    const char *family;
    const char *level;
    uint64_t seed;
    uint64_t random;
    uint32_t effort; /**< 100 in an ordinary run, less under emulation */
    uint64_t comparisons;
    uint64_t failures;
    guarded memory[6];
} kernel_check;

/** Where a buffer lies between its guard pages. */
typedef enum placement { AT_START, AT_END, PLACEMENT_COUNT } placement;

/** Kinds of sample data. */
typedef enum hostility {
    DATA_NOISE,
    DATA_SILENCE,
    DATA_FULL_SCALE,
    DATA_ALTERNATING,
    DATA_OVER,
    DATA_DENORMAL,
    DATA_TIES,
    DATA_NONFINITE,
    DATA_HUGE,
    DATA_KIND_COUNT
} hostility;

bool guarded_init(guarded *self, size_t region_bytes);
/** Returns byte_count bytes, `shift` bytes away from the named end; they and a margin on both sides are painted. */
uint8_t *guarded_place(guarded *self, size_t byte_count, placement where, size_t shift);
/** True while the margins of the placed buffer still have their paint. */
bool guarded_intact(const guarded *self, const uint8_t *buffer, size_t byte_count);

uint64_t check_random(kernel_check *self);
/** 0 .. bound - 1. */
uint32_t check_below(kernel_check *self, uint32_t bound);
/** -1 .. 1, 53 random bits. */
double check_uniform(kernel_check *self);
/** Scales a count of rounds by the effort, at least 1. */
uint32_t check_rounds(const kernel_check *self, uint32_t rounds);
void check_fill(kernel_check *self, double *values, size_t count, hostility kind);
/** The same narrowed: beyond the range of floats they are infinite. */
void check_fill_floats(kernel_check *self, float *values, size_t count, hostility kind);
/** Multiples of 2^-(bits-1) within -1 .. 1 - 2^-(bits-1). */
void check_fill_pcm(kernel_check *self, double *values, size_t count, uint32_t bits);
const char *hostility_name(hostility kind);
/** Here and not from common/media, so that an emulated build needs nothing but the kernels. */
const char *check_encoding_name(sample_encoding encoding);

/** Frame counts that a check walks: 0 .. 4 vectors + 1, then block sizes. Ends with false. */
bool check_frame_count(uint32_t index, uint32_t *out_frames);

/** Same bits, or NaN and NaN. */
bool same_double(double a, double b);
/** Counts a comparison; on failure prints family, level, what and the seed (the first few of a family). */
bool check_that(kernel_check *self, bool condition, const char *format, ...) __attribute__((format(printf, 3, 4)));
/** check_that every element is the same. */
bool check_doubles(kernel_check *self, const double *expected, const double *actual, size_t count, const char *what);
bool check_floats(kernel_check *self, const float *expected, const float *actual, size_t count, const char *what);

void check_unpack(kernel_check *self);
void judge_unpack(kernel_check *self);
void check_pack(kernel_check *self);
void judge_pack(kernel_check *self);
void check_mix(kernel_check *self);
void judge_mix(kernel_check *self);
void check_quantise(kernel_check *self);
void judge_quantise(kernel_check *self);
void check_k_energy(kernel_check *self);
void judge_k_energy(kernel_check *self);
void check_peak(kernel_check *self);
void judge_peak(kernel_check *self);
void check_true_peak(kernel_check *self);
void judge_true_peak(kernel_check *self);
void check_signal(kernel_check *self);
void judge_signal(kernel_check *self);
void check_fir(kernel_check *self);
void judge_fir(kernel_check *self);
void check_fft(kernel_check *self);
void judge_fft(kernel_check *self);
void check_spectra(kernel_check *self);
void judge_spectra(kernel_check *self);
void judge_k_weighting_design(kernel_check *self);
void judge_cpu_features(kernel_check *self);

/** Prints ns per sample and the ratio to scalar of every kernel at each level; quick takes about a second. */
enum { KERNEL_LEVELS_MAX = 4 };
void kernel_bench(const cpu_features *levels, uint32_t level_count, bool quick);

#endif
