/** Runs the kernel checks for every level that this CPU has; see --help. Exit code 1 on any failure or crash. */
#define _GNU_SOURCE
#include "tests/kernels/kernel_check.h"

#include <fenv.h>
#include <float.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct family {
    const char *name;
    void (*check)(kernel_check *self);
    void (*judge)(kernel_check *self);
} family;

static const family families[] = {
    {"unpack", check_unpack, judge_unpack},
    {"pack", check_pack, judge_pack},
    {"mix", check_mix, judge_mix},
    {"quantise", check_quantise, judge_quantise},
    {"k_energy", check_k_energy, judge_k_energy},
    {"peak", check_peak, judge_peak},
    {"true_peak", check_true_peak, judge_true_peak},
    {"signal", check_signal, judge_signal},
    {"fir", check_fir, judge_fir},
    {"fft", check_fft, judge_fft},
    {"spectra", check_spectra, judge_spectra},
    {"k_weighting_design", NULL, judge_k_weighting_design},
    {"cpu_features", NULL, judge_cpu_features},
};
enum { FAMILY_COUNT = sizeof families / sizeof families[0] };

typedef struct check_options {
    cpu_features levels[KERNEL_LEVELS_MAX];
    uint32_t level_count;
    const char *family;
    uint64_t seed;
    uint32_t effort;
    bool bench;
    bool quick;
} check_options;

/* What a crash says; only written to by main, read by the handler. */
static char crash_line[160];

static void on_crash(int number)
{
    const char *kind = number == SIGILL ? ": illegal instruction\n" : ": memory touched outside its bounds\n";
    (void)!write(STDOUT_FILENO, crash_line, strlen(crash_line));
    (void)!write(STDOUT_FILENO, kind, strlen(kind));
    _exit(1);
}

/* Default rounding and denormals alive: read back by arithmetic, which is what the kernels' callers see. */
static bool float_mode_is_default(void)
{
    volatile double smallest = DBL_MIN;
    volatile double half = 0.5;
    volatile double one = 1.0;
    volatile double tiny = 0x1p-53;
    return fegetround() == FE_TONEAREST && smallest * half > 0.0 && one + tiny == 1.0 && one + tiny * 1.5 > 1.0;
}

static uint64_t run_family(const family *it, const check_options *options, bool judge, cpu_features level,
                           const dsp_table *reference, guarded memory[6])
{
    dsp_table variant;
    dsp_table_init(&variant, level);
    /* Reseeded per family, so that one alone repeats what it did in the full run. */
    kernel_check self = {.reference = reference,
                         .variant = &variant,
                         .family = it->name,
                         .level = judge ? "judged" : cpu_features_name(level),
                         .seed = options->seed,
                         .random = options->seed,
                         .effort = options->effort};
    memcpy(self.memory, memory, sizeof self.memory);
    (void)snprintf(crash_line, sizeof crash_line, "FAILED %s_%s (repeat: check_kernels --family %s --seed %llu)",
                   it->name, self.level, it->name, (unsigned long long)options->seed);
    (judge ? it->judge : it->check)(&self);
    check_that(&self, float_mode_is_default(), "the float mode was left changed");
    printf("%s %s_%s: %llu comparisons, %llu failures\n", self.failures ? "FAILED" : "passed", it->name, self.level,
           (unsigned long long)self.comparisons, (unsigned long long)self.failures);
    fflush(stdout);
    return self.failures;
}

static int run_checks(const check_options *options)
{
    struct sigaction action = {.sa_handler = on_crash};
    (void)sigaction(SIGSEGV, &action, NULL);
    (void)sigaction(SIGBUS, &action, NULL);
    (void)sigaction(SIGILL, &action, NULL);
    guarded memory[6];
    for (int i = 0; i < 6; i++) {
        if (!guarded_init(&memory[i], CHECK_REGION_BYTES)) {
            fputs("check_kernels: no memory for guarded buffers\n", stderr);
            return 1;
        }
    }
    dsp_table reference;
    dsp_table_init(&reference, CPU_SCALAR);
    printf("seed %llu, effort %u\n", (unsigned long long)options->seed, options->effort);
    uint64_t failures = 0;
    uint32_t run_count = 0;
    for (uint32_t i = 0; i < FAMILY_COUNT; i++) {
        if (options->family && strcmp(options->family, families[i].name) != 0)
            continue;
        run_count++;
        failures += run_family(&families[i], options, true, CPU_SCALAR, &reference, memory);
        for (uint32_t level = 0; families[i].check && level < options->level_count; level++)
            if (options->levels[level] != CPU_SCALAR)
                failures += run_family(&families[i], options, false, options->levels[level], &reference, memory);
    }
    if (run_count == 0)
        fprintf(stderr, "check_kernels: no family is called \"%s\"\n", options->family);
    return failures > 0 || run_count == 0;
}

static int usage(void)
{
    fputs("usage: check_kernels [--cpu LEVEL] [--family NAME] [--seed N] [--effort PERCENT] [--bench | "
          "--bench-quick]\n",
          stderr);
    return 2;
}

static bool parse(int argument_count, char **arguments, check_options *out)
{
    const char *cap = NULL;
    for (int i = 1; i < argument_count; i++) {
        const char *value = i + 1 < argument_count ? arguments[i + 1] : NULL;
        if (strcmp(arguments[i], "--bench") == 0) {
            out->bench = true;
        } else if (strcmp(arguments[i], "--bench-quick") == 0) {
            out->bench = out->quick = true;
        } else if (value && strcmp(arguments[i], "--cpu") == 0) {
            cap = arguments[++i];
        } else if (value && strcmp(arguments[i], "--family") == 0) {
            out->family = arguments[++i];
        } else if (value && strcmp(arguments[i], "--seed") == 0) {
            out->seed = strtoull(arguments[++i], NULL, 10);
        } else if (value && strcmp(arguments[i], "--effort") == 0) {
            out->effort = (uint32_t)strtoul(arguments[++i], NULL, 10);
        } else {
            return false;
        }
    }
    static const char *const words[] = {"scalar", "avx2", "avx512", "neon"};
    for (uint32_t i = 0; i < 4; i++) {
        cpu_features level;
        if ((cap == NULL || strcmp(cap, words[i]) == 0) && cpu_features_cap(words[i], &level) == STATUS_OK)
            out->levels[out->level_count++] = level;
    }
    return out->level_count > 0 && out->effort > 0 && out->effort <= 100;
}

int main(int argument_count, char **arguments)
{
    check_options options = {.seed = 20260101, .effort = 100};
    if (!parse(argument_count, arguments, &options))
        return usage();
    if (options.bench) {
        kernel_bench(options.levels, options.level_count, options.quick);
        return 0;
    }
    return run_checks(&options);
}
