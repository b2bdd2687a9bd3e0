#include "worker/dsp/cpu_features.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

enum {
    LEAF1_ECX_FMA = 1 << 12,
    LEAF1_ECX_OSXSAVE = 1 << 27,
    LEAF1_ECX_AVX = 1 << 28,
    LEAF7_EBX_AVX2 = 1 << 5
};
#define LEAF7_EBX_AVX512F (1u << 16)
#define LEAF7_EBX_AVX512DQ (1u << 17)
#define LEAF7_EBX_AVX512BW (1u << 30)
#define LEAF7_EBX_AVX512VL (1u << 31)
/* XCR0: the operating system saves SSE and AVX registers; the AVX-512 mask, upper-half and upper-bank registers. */
#define XCR0_AVX UINT64_C(0x06)
#define XCR0_AVX512 UINT64_C(0xE6)

static uint64_t read_xcr0(void)
{
    uint32_t low;
    uint32_t high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

cpu_features cpu_features_detect(void)
{
    uint32_t eax;
    uint32_t ebx;
    uint32_t ecx;
    uint32_t edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx))
        return CPU_SCALAR;
    const uint32_t leaf1 = LEAF1_ECX_FMA | LEAF1_ECX_OSXSAVE | LEAF1_ECX_AVX;
    if ((ecx & leaf1) != leaf1)
        return CPU_SCALAR;
    const uint64_t xcr0 = read_xcr0();
    if ((xcr0 & XCR0_AVX) != XCR0_AVX || !__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || !(ebx & LEAF7_EBX_AVX2))
        return CPU_SCALAR;
    const uint32_t leaf7 = LEAF7_EBX_AVX512F | LEAF7_EBX_AVX512DQ | LEAF7_EBX_AVX512BW | LEAF7_EBX_AVX512VL;
    if ((xcr0 & XCR0_AVX512) == XCR0_AVX512 && (ebx & leaf7) == leaf7)
        return CPU_AVX512;
    return CPU_AVX2;
}
#elif defined(__aarch64__)
cpu_features cpu_features_detect(void)
{
    return CPU_NEON;
}
#else
cpu_features cpu_features_detect(void)
{
    return CPU_SCALAR;
}
#endif

static const char *const feature_names[] = {
    [CPU_SCALAR] = "scalar", [CPU_AVX2] = "avx2", [CPU_AVX512] = "avx512", [CPU_NEON] = "neon"};
enum { FEATURE_COUNT = sizeof feature_names / sizeof feature_names[0] };

const char *cpu_features_name(cpu_features features)
{
    return (size_t)features < FEATURE_COUNT ? feature_names[features] : "unknown";
}

/* AVX-512 machines have AVX2; every machine has scalar; NEON shares nothing with x86. */
static bool cpu_features_include(cpu_features detected, cpu_features wanted)
{
    return wanted == CPU_SCALAR || wanted == detected || (detected == CPU_AVX512 && wanted == CPU_AVX2);
}

status cpu_features_cap(const char *word, cpu_features *out_features)
{
    for (size_t i = 0; i < FEATURE_COUNT; i++) {
        if (strcmp(word, feature_names[i]) != 0)
            continue;
        const cpu_features wanted = (cpu_features)i;
        if (!cpu_features_include(cpu_features_detect(), wanted))
            return STATUS_INPUT_UNSUPPORTED;
        *out_features = wanted;
        return STATUS_OK;
    }
    return STATUS_INPUT_INVALID;
}
