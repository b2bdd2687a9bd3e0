#include "coordinator/verdict/verdict_parts.h"

#include <string.h>

/*
 * What others call a finding of each check. Netflix: error codes 001 to 030 of its glossary (help article 360050414074); codes
 * beyond 030 are not known to us. EBU: items of qc.ebu.io; 0010B and 0078B were read there, the others are as other checkers
 * map them. A check without a row has no counterpart that we know of.
 */
static const struct {
    const char *check, *netflix, *ebu_qc;
} codes[] = {
    {"loudness.integrated", "020 Loudness LKFS", "0010B"},
    {"loudness.dialogue", "020 Loudness LKFS", "0010B"},
    {"loudness.range", "020 Loudness LKFS", "0010B"},
    {"loudness.dialogue_range", "020 Loudness LKFS", "0010B"},
    {"loudness.max_momentary", "020 Loudness LKFS", "0010B"},
    {"loudness.max_short_term", "020 Loudness LKFS", "0010B"},
    {"peak.true", "022 True Peak", "0084B"},
    {"peak.sample", "022 True Peak", NULL},
    {"peak.clipping", "001 Clipping/Distortion", "0005B"},
    {"render.overload", "001 Clipping/Distortion", "0005B"},
    {"format.channels", NULL, "0004F"},
    {"format.length", NULL, "0009F"},
    {"format.order", "011 Channel Mismap", NULL},
    {"stems.null", "012 Mixdown Error", NULL},
    {"stems.bleed", "010 Channel Bleed", "0170B"},
    {"stems.silent", "016 Drop Out/Mute", "0078B"},
    {"stems.dropout", "016 Drop Out/Mute", "0008B"},
    {"me.dialogue", "010 Channel Bleed", "0170B"},
    {"me.fill", "016 Drop Out/Mute", NULL},
    {"folddown.matrix", "012 Mixdown Error", NULL},
    {"sync.length", NULL, "0009F"},
    {"join.gap", "016 Drop Out/Mute", "0008B"},
    {"join.level", "019 Level Shift", NULL},
    {"join.peak", "007 Pop", "0057B"},
    {"signal.silence", "016 Drop Out/Mute", "0078B"},
    {"signal.dropout", "016 Drop Out/Mute", "0008B"},
    {"signal.click", "004 Tick", "0057B"},
    {"signal.polarity", "015 Phase Error", "0012B"},
    {"signal.phase", "015 Phase Error", "0012B"},
    {"signal.dual_mono", "013 Mono Audio", "0124B"},
    {"signal.channel_swap", "011 Channel Mismap", NULL},
    {"signal.lfe", "011 Channel Mismap", "0095B"},
    {"signal.hum", "006 Hum/Buzz", "0088B"},
    {"signal.noise", "002 Hiss", "0086B"},
    {"signal.tone", NULL, "0014B"},
};

void finding_code(finding *item)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (strcmp(codes[i].check, item->check) == 0) {
            item->netflix_code = codes[i].netflix;
            item->ebu_qc = codes[i].ebu_qc;
        }
}
