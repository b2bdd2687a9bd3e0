#include "common/media/adm_bed.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const adm_speaker speakers[] = {
    {CHANNEL_L, "RoomCentricLeft", "RC_L", "-1.0000000000", "1.0000000000", "0.0000000000"},
    {CHANNEL_R, "RoomCentricRight", "RC_R", "1.0000000000", "1.0000000000", "0.0000000000"},
    {CHANNEL_C, "RoomCentricCenter", "RC_C", "0.0000000000", "1.0000000000", "0.0000000000"},
    {CHANNEL_LFE, "RoomCentricLFE", "RC_LFE", "-1.0000000000", "1.0000000000", "-1.0000000000"},
    {CHANNEL_LS, "RoomCentricLeftSurround", "RC_Ls", "-1.0000000000", "-0.3639700000", "0.0000000000"},
    {CHANNEL_RS, "RoomCentricRightSurround", "RC_Rs", "1.0000000000", "-0.3639700000", "0.0000000000"},
    {CHANNEL_LSS, "RoomCentricLeftSideSurround", "RC_Lss", "-1.0000000000", "0.0000000000", "0.0000000000"},
    {CHANNEL_RSS, "RoomCentricRightSideSurround", "RC_Rss", "1.0000000000", "0.0000000000", "0.0000000000"},
    {CHANNEL_LRS, "RoomCentricLeftRearSurround", "RC_Lrs", "-1.0000000000", "-1.0000000000", "0.0000000000"},
    {CHANNEL_RRS, "RoomCentricRightRearSurround", "RC_Rrs", "1.0000000000", "-1.0000000000", "0.0000000000"},
    {CHANNEL_LTS, "RoomCentricLeftTopSurround", "RC_Lts", "-1.0000000000", "0.0000000000", "1.0000000000"},
    {CHANNEL_RTS, "RoomCentricRightTopSurround", "RC_Rts", "1.0000000000", "0.0000000000", "1.0000000000"},
};

/* ITU-R BS.2051 labels as the common definitions of BS.2094 use them. */
static const struct {
    const char *name;
    channel_label label;
} itu_labels[] = {
    {"M+030", CHANNEL_L},   {"M-030", CHANNEL_R},   {"M+000", CHANNEL_C},   {"LFE1", CHANNEL_LFE},  {"LFE", CHANNEL_LFE},
    {"M+110", CHANNEL_LS},  {"M-110", CHANNEL_RS},  {"M+090", CHANNEL_LSS}, {"M-090", CHANNEL_RSS}, {"M+135", CHANNEL_LRS},
    {"M-135", CHANNEL_RRS}, {"U+090", CHANNEL_LTS}, {"U-090", CHANNEL_RTS},
};

const adm_speaker *adm_speaker_of(channel_label label)
{
    for (size_t i = 0; i < sizeof speakers / sizeof speakers[0]; i++)
        if (speakers[i].label == label)
            return &speakers[i];
    return NULL;
}

channel_label adm_speaker_label(const char *speaker_label)
{
    static const char urn[] = "urn:itu:bs:2051:0:speaker:";
    if (strncmp(speaker_label, urn, sizeof urn - 1) == 0)
        speaker_label += sizeof urn - 1;
    for (size_t i = 0; i < sizeof speakers / sizeof speakers[0]; i++)
        if (strcasecmp(speakers[i].speaker_label, speaker_label) == 0)
            return speakers[i].label;
    for (size_t i = 0; i < sizeof itu_labels / sizeof itu_labels[0]; i++)
        if (strcasecmp(itu_labels[i].name, speaker_label) == 0)
            return itu_labels[i].label;
    return CHANNEL_NONE;
}

bool adm_bed_layout(channel_layout_id layout)
{
    return layout == LAYOUT_STEREO || layout == LAYOUT_3_0 || layout == LAYOUT_5_0 || layout == LAYOUT_5_1 ||
           layout == LAYOUT_7_0 || layout == LAYOUT_7_1 || layout == LAYOUT_7_0_2 || layout == LAYOUT_7_1_2;
}
