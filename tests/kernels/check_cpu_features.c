#include "tests/kernels/kernel_check.h"

#include <stdio.h>
#include <string.h>

static void cap_is(kernel_check *self, const char *word, status expected)
{
    cpu_features capped = (cpu_features)77;
    const status result = cpu_features_cap(word, &capped);
    check_that(self, result == expected, "cap \"%s\" gave \"%s\"", word, status_text(result));
    if (expected == STATUS_OK)
        check_that(self, strcmp(cpu_features_name(capped), word) == 0, "cap \"%s\" chose another", word);
    else
        check_that(self, (int)capped == 77, "a failed cap \"%s\" wrote its result", word);
}

void judge_cpu_features(kernel_check *self)
{
    const cpu_features detected = cpu_features_detect();
    check_that(self, detected == cpu_features_detect(), "detection is not stable");
    cap_is(self, "scalar", STATUS_OK);
    cap_is(self, cpu_features_name(detected), STATUS_OK);
    cap_is(self, "", STATUS_INPUT_INVALID);
    cap_is(self, "AVX2", STATUS_INPUT_INVALID);
    cap_is(self, "avx2 ", STATUS_INPUT_INVALID);
    cap_is(self, "avx512", detected == CPU_AVX512 ? STATUS_OK : STATUS_INPUT_UNSUPPORTED);
    cap_is(self, "avx2", detected == CPU_AVX512 || detected == CPU_AVX2 ? STATUS_OK : STATUS_INPUT_UNSUPPORTED);
    cap_is(self, "neon", detected == CPU_NEON ? STATUS_OK : STATUS_INPUT_UNSUPPORTED);
    for (int level = CPU_SCALAR; level <= CPU_NEON; level++) {
        cpu_features usable;
        if (cpu_features_cap(cpu_features_name((cpu_features)level), &usable) != STATUS_OK)
            continue; /* filling in its entries already takes its instructions */
        dsp_table table;
        memset(&table, 0, sizeof table);
        dsp_table_init(&table, (cpu_features)level);
        check_that(self, table.unpack && table.mix && table.quantise && table.pack && table.k_energy && table.peak &&
                             table.true_peak && table.true_peak_lanes && table.true_peak_frames,
                   "the table of %s has a hole", cpu_features_name((cpu_features)level));
    }
}
