#include "coordinator/show/check_names.h"

#include "common/measure/cell_signal.h"
#include "coordinator/show/yaml_read.h"

#include <string.h>

static const check_name table[] = {
    {"loudness.integrated", "LUFS", false},
    {"loudness.dialogue", "LUFS", false},
    {"loudness.range", "LU", false},
    {"loudness.max_momentary", "LUFS", false},
    {"loudness.max_short_term", "LUFS", false},
    {"peak.true", "dBTP", false},
    {"peak.sample", "dBFS", false},
    {"peak.clipping", "samples", false},
    {"format.container", "", true},
    {"format.encoding", "", true},
    {"format.sample_rate", "Hz", false},
    {"format.bit_depth", "bit", false},
    {"format.effective_bit_depth", "bit", false},
    {"format.channels", "", true},
    {"format.length", "frames", false},
    {"format.start_timecode", "", true},
    {"format.metadata", "", true},
    {"stems.null", "dBFS", false},
    {"stems.bleed", "dB", false},
    {"stems.silent", "", false},
    {"stems.dropout", "ms", false},
    {"me.dialogue", "dB", false},
    {"me.fill", "s", false},
    {"folddown.matrix", "", false},
    {"sync.pop", "samples", false},
    {"sync.offset", "samples", false},
    {"sync.drift", "ppm", false},
    {"sync.step", "samples", false},
    {"sync.length", "samples", false},
    {"join.gap", "samples", false},
    {"join.peak", "dBTP", false},
    {"join.overlap", "samples", false},
    {"join.tail", "dBFS", false},
    {"join.level", "LU", false},
    {"signal.silence", "s", false},
    {"signal.dropout", "ms", false},
    {"signal.click", "", false},
    {"signal.dc", "dBFS", false},
    {"signal.polarity", "", false},
    {"signal.dual_mono", "", false},
    {"signal.phase", "", false},
    {"signal.channel_swap", "", false},
    {"signal.lfe", "", false},
    {"signal.hum", "dBFS", false},
    {"ad.overlap", "s", false},
    {"ad.depth", "dB", false},
    {"render.overload", "dBFS", false},
    {"render.limited", "dB", false},
    {"render.checks", "", false},
    {"loudness.leqm", "dB", false},
    {"loudness.plr", "LU", false},
    {"loudness.dialogue_range", "LU", false},
    {"loudness.speech_share", "", false},
    {"signal.tone", "dBFS", false},
    {"signal.noise", "dBFS", false},
    {"format.order", "", true},
    {"format.upsampled", "", false},
    {"format.lossy", "", false},
    {"adm.profile", "", true},
    {"package.alignment", "samples", false},
    {"me.optional", "", false},
};
enum { CHECK_COUNT = sizeof table / sizeof table[0] };

const check_name *check_name_find(const char *name)
{
    for (size_t i = 0; i < CHECK_COUNT; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

bool check_names_has_kind(const char *kinds, const char *kind)
{
    for (const char *at = kinds; *at != '\0';) {
        size_t length = strcspn(at, ",");
        if (strlen(kind) == length && strncmp(at, kind, length) == 0)
            return true;
        at += length + (at[length] == ',' ? 1 : 0);
    }
    return false;
}

uint8_t check_names_signal_groups(const char *kinds)
{
    static const struct {
        const char *kind;
        uint8_t groups;
    } needs[] = {{"format", SIGNAL_GROUP_DEPTH | SIGNAL_GROUP_SPECTRUM},
                 {"signal", SIGNAL_GROUP_SPECTRUM | SIGNAL_GROUP_SOUND},
                 {"join", SIGNAL_GROUP_SOUND}};
    uint8_t groups = kinds == NULL ? SIGNAL_GROUPS_ALL : 0;
    for (size_t i = 0; kinds != NULL && i < sizeof needs / sizeof needs[0]; i++)
        if (check_names_has_kind(kinds, needs[i].kind))
            groups |= needs[i].groups;
    return groups;
}

const check_name *check_name_table(size_t *out_count)
{
    *out_count = CHECK_COUNT;
    return table;
}

void check_name_complain(const char *name, const yaml_node *at, const yaml_source *source)
{
    const char *names[CHECK_COUNT];
    for (size_t i = 0; i < CHECK_COUNT; i++)
        names[i] = table[i].name;
    const char *guess = word_suggest(name, names, CHECK_COUNT);
    yaml_complain(source, at, "unknown check \"%.60s\"%s%s%s; docs/qc-checks.md lists them", name,
                  guess == NULL ? "" : " (did you mean \"", guess == NULL ? "" : guess, guess == NULL ? "" : "\"?)");
}
