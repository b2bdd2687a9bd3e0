#define _GNU_SOURCE
#include "tests/kernels/kernel_check.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAINT = 0xA5, MARGIN = 1024, FAILURES_SHOWN = 8 };

bool guarded_init(guarded *self, size_t region_bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    region_bytes = (region_bytes + page - 1) / page * page;
    uint8_t *all = mmap(NULL, region_bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || mprotect(all + page, region_bytes, PROT_READ | PROT_WRITE) != 0)
        return false;
    self->region = all + page;
    self->region_bytes = region_bytes;
    return true;
}

/*
 * The part of the region that is painted for a buffer: it, and MARGIN bytes on both sides as far as the guard pages.
 */
static void painted_part(const guarded *self, const uint8_t *buffer, size_t byte_count, uint8_t **out_first,
                         uint8_t **out_end)
{
    const size_t before = (size_t)(buffer - self->region);
    const size_t after = self->region_bytes - before - byte_count;
    *out_first = self->region + (before < MARGIN ? 0 : before - MARGIN);
    *out_end = self->region + before + byte_count + (after < MARGIN ? after : MARGIN);
}

uint8_t *guarded_place(guarded *self, size_t byte_count, placement where, size_t shift)
{
    uint8_t *buffer =
        where == AT_START ? self->region + shift : self->region + self->region_bytes - byte_count - shift;
    uint8_t *first;
    uint8_t *end;
    painted_part(self, buffer, byte_count, &first, &end);
    memset(first, PAINT, (size_t)(end - first));
    return buffer;
}

bool guarded_intact(const guarded *self, const uint8_t *buffer, size_t byte_count)
{
    uint8_t *first;
    uint8_t *end;
    painted_part(self, buffer, byte_count, &first, &end);
    for (const uint8_t *byte = first; byte < buffer; byte++)
        if (*byte != PAINT)
            return false;
    for (const uint8_t *byte = buffer + byte_count; byte < end; byte++)
        if (*byte != PAINT)
            return false;
    return true;
}

/* splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014). */
uint64_t check_random(kernel_check *self)
{
    uint64_t z = self->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

uint32_t check_below(kernel_check *self, uint32_t bound)
{
    return (uint32_t)(check_random(self) % bound);
}

double check_uniform(kernel_check *self)
{
    return (double)(int64_t)(check_random(self) >> 10) * 0x1p-53 - 1.0;
}

uint32_t check_rounds(const kernel_check *self, uint32_t rounds)
{
    const uint32_t scaled = rounds * self->effort / 100;
    return scaled > 0 ? scaled : 1;
}

static double nonfinite(kernel_check *self)
{
    const double values[] = {(double)NAN, -(double)NAN, (double)INFINITY, -(double)INFINITY,
                             0.0,         -0.0,         DBL_MAX,          -DBL_MAX};
    double value = values[check_below(self, 8)];
    if (check_below(self, 8) == 0) {
        const uint64_t signalling = UINT64_C(0x7FF0000000000001);
        memcpy(&value, &signalling, sizeof value);
    }
    return value;
}

static double hostile(kernel_check *self, size_t index, hostility kind)
{
    const double x = check_uniform(self);
    switch (kind) {
    case DATA_NOISE:
        return x;
    case DATA_SILENCE:
        return check_below(self, 2) ? 0.0 : -0.0;
    case DATA_FULL_SCALE:
        return check_below(self, 2) ? 1.0 : -1.0;
    case DATA_ALTERNATING:
        return index / TILE_LANES % 2 ? 1.0 : -1.0;
    case DATA_OVER:
        return x * 4.0;
    case DATA_DENORMAL:
        return x * DBL_MIN * 2.0;
    case DATA_TIES:
        /* Half steps of 24 bits and their neighbours, and the edges of full scale. */
        return (floor(x * 0x1p23) + 0.5 + (double)((int)check_below(self, 3) - 1) * 0x1p-30) * 0x1p-23 *
               (check_below(self, 16) == 0 ? 1.0 / fabs(x) : 1.0);
    case DATA_NONFINITE:
        return check_below(self, 3) == 0 ? nonfinite(self) : x;
    case DATA_HUGE:
        return ldexp(x, (int)check_below(self, 2000) - 1000);
    case DATA_KIND_COUNT:
        break;
    }
    return 0.0;
}

void check_fill(kernel_check *self, double *values, size_t count, hostility kind)
{
    for (size_t i = 0; i < count; i++)
        values[i] = hostile(self, i, kind);
}

void check_fill_floats(kernel_check *self, float *values, size_t count, hostility kind)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (float)hostile(self, i, kind);
}

void check_fill_pcm(kernel_check *self, double *values, size_t count, uint32_t bits)
{
    for (size_t i = 0; i < count; i++) {
        const uint64_t raw = check_random(self) >> (64 - bits);
        const int64_t sample = (int64_t)raw - (INT64_C(1) << (bits - 1));
        values[i] = ldexp((double)sample, -(int)(bits - 1));
        if (check_below(self, 16) == 0)
            values[i] = check_below(self, 2) ? -1.0 : 1.0 - ldexp(1.0, -(int)(bits - 1));
    }
}

const char *hostility_name(hostility kind)
{
    static const char *const names[DATA_KIND_COUNT] = {"noise",    "silence", "full scale", "alternating", "over",
                                                       "denormal", "ties",    "nonfinite",  "huge"};
    return names[kind];
}

const char *check_encoding_name(sample_encoding encoding)
{
    static const char *const names[] = {"none", "PCM_16", "PCM_24", "PCM_32", "FLOAT_32", "FLOAT_64"};
    return names[encoding];
}

bool check_frame_count(uint32_t index, uint32_t *out_frames)
{
    /* 16 samples are the widest vector: 65 is four of them and one. */
    static const uint32_t blocks[] = {127, 128, 255, 256, 441, 480, 511, TILE_FRAMES_MAX};
    if (index <= 65)
        *out_frames = index;
    else if (index - 66 < sizeof blocks / sizeof blocks[0])
        *out_frames = blocks[index - 66];
    else
        return false;
    return true;
}

bool same_double(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

bool check_that(kernel_check *self, bool condition, const char *format, ...)
{
    self->comparisons++;
    if (condition)
        return true;
    if (self->failures++ < FAILURES_SHOWN) {
        va_list arguments;
        va_start(arguments, format);
        printf("FAILED %s_%s: ", self->family, self->level);
        vprintf(format, arguments);
        printf(" (repeat: check_kernels --family %s --seed %llu)\n", self->family, (unsigned long long)self->seed);
        va_end(arguments);
    }
    return false;
}

bool check_doubles(kernel_check *self, const double *expected, const double *actual, size_t count, const char *what)
{
    for (size_t i = 0; i < count; i++) {
        if (!same_double(expected[i], actual[i]))
            return check_that(self, false, "%s: element %zu is %a, expected %a", what, i, actual[i], expected[i]);
    }
    return check_that(self, true, "%s", what);
}

bool check_floats(kernel_check *self, const float *expected, const float *actual, size_t count, const char *what)
{
    for (size_t i = 0; i < count; i++) {
        bool same = (isnan(expected[i]) && isnan(actual[i])) || memcmp(&expected[i], &actual[i], sizeof expected[i]) == 0;
        if (!same)
            return check_that(self, false, "%s: element %zu is %a, expected %a", what, i, (double)actual[i], (double)expected[i]);
    }
    return check_that(self, true, "%s", what);
}
