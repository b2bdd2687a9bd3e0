#include "common/media/channel_layout.h"

#include <string.h>
#include <strings.h>

/* Speaker positions of WAVE_FORMAT_EXTENSIBLE's dwChannelMask (Microsoft, ksmedia.h). */
enum {
    MASK_FL = 0x1,
    MASK_FR = 0x2,
    MASK_FC = 0x4,
    MASK_LFE = 0x8,
    MASK_BL = 0x10,
    MASK_BR = 0x20,
    MASK_BC = 0x100,
    MASK_SL = 0x200,
    MASK_SR = 0x400,
    MASK_TFL = 0x1000,
    MASK_TFR = 0x4000,
    MASK_BITS = 32
};

/*
 * 5.1 is written with the back pair (0x3F): it is what digital audio workstations write for L R C LFE Ls Rs; the side
 * pair (0x60F) is understood on reading. The layouts with tops have no mask: WAVE knows no top side speakers.
 */
static const channel_layout layouts[LAYOUT_COUNT] = {
    [LAYOUT_NONE] = {LAYOUT_NONE, "none", 0, {CHANNEL_NONE}, 0},
    [LAYOUT_MONO] = {LAYOUT_MONO, "mono", 1, {CHANNEL_M}, MASK_FC},
    [LAYOUT_STEREO] = {LAYOUT_STEREO, "stereo", 2, {CHANNEL_L, CHANNEL_R}, MASK_FL | MASK_FR},
    [LAYOUT_3_0] = {LAYOUT_3_0, "3.0", 3, {CHANNEL_L, CHANNEL_R, CHANNEL_C}, MASK_FL | MASK_FR | MASK_FC},
    [LAYOUT_4_0] =
        {LAYOUT_4_0, "4.0", 4, {CHANNEL_L, CHANNEL_R, CHANNEL_C, CHANNEL_CS}, MASK_FL | MASK_FR | MASK_FC | MASK_BC},
    [LAYOUT_5_0] = {LAYOUT_5_0,
                    "5.0",
                    5,
                    {CHANNEL_L, CHANNEL_R, CHANNEL_C, CHANNEL_LS, CHANNEL_RS},
                    MASK_FL | MASK_FR | MASK_FC | MASK_BL | MASK_BR},
    [LAYOUT_5_1] = {LAYOUT_5_1,
                    "5.1",
                    6,
                    {CHANNEL_L, CHANNEL_R, CHANNEL_C, CHANNEL_LFE, CHANNEL_LS, CHANNEL_RS},
                    MASK_FL | MASK_FR | MASK_FC | MASK_LFE | MASK_BL | MASK_BR},
    [LAYOUT_7_0] = {LAYOUT_7_0,
                    "7.0",
                    7,
                    {CHANNEL_L, CHANNEL_R, CHANNEL_C, CHANNEL_LSS, CHANNEL_RSS, CHANNEL_LRS, CHANNEL_RRS},
                    MASK_FL | MASK_FR | MASK_FC | MASK_BL | MASK_BR | MASK_SL | MASK_SR},
    [LAYOUT_7_1] = {LAYOUT_7_1,
                    "7.1",
                    8,
                    {CHANNEL_L, CHANNEL_R, CHANNEL_C, CHANNEL_LFE, CHANNEL_LSS, CHANNEL_RSS, CHANNEL_LRS, CHANNEL_RRS},
                    MASK_FL | MASK_FR | MASK_FC | MASK_LFE | MASK_BL | MASK_BR | MASK_SL | MASK_SR},
    [LAYOUT_5_1_2] = {LAYOUT_5_1_2,
                      "5.1.2",
                      8,
                      {CHANNEL_L, CHANNEL_R, CHANNEL_C, CHANNEL_LFE, CHANNEL_LS, CHANNEL_RS, CHANNEL_LTS, CHANNEL_RTS},
                      0},
    [LAYOUT_7_0_2] = {LAYOUT_7_0_2,
                      "7.0.2",
                      9,
                      {CHANNEL_L, CHANNEL_R, CHANNEL_C, CHANNEL_LSS, CHANNEL_RSS, CHANNEL_LRS, CHANNEL_RRS, CHANNEL_LTS,
                       CHANNEL_RTS},
                      0},
    [LAYOUT_7_1_2] = {LAYOUT_7_1_2,
                      "7.1.2",
                      10,
                      {CHANNEL_L, CHANNEL_R, CHANNEL_C, CHANNEL_LFE, CHANNEL_LSS, CHANNEL_RSS, CHANNEL_LRS, CHANNEL_RRS,
                       CHANNEL_LTS, CHANNEL_RTS},
                      0},
    /* ISDCF Doc 4: tracks 1..8 and 1..12 of a package; always an even count. */
    [LAYOUT_DCP_5_1] = {LAYOUT_DCP_5_1,
                        "dcp-5.1",
                        8,
                        {CHANNEL_L, CHANNEL_R, CHANNEL_C, CHANNEL_LFE, CHANNEL_LS, CHANNEL_RS, CHANNEL_HI, CHANNEL_VIN},
                        0},
    [LAYOUT_DCP_7_1] = {LAYOUT_DCP_7_1,
                        "dcp-7.1",
                        12,
                        {CHANNEL_L, CHANNEL_R, CHANNEL_C, CHANNEL_LFE, CHANNEL_LSS, CHANNEL_RSS, CHANNEL_HI, CHANNEL_VIN,
                         CHANNEL_LC, CHANNEL_RC, CHANNEL_LRS, CHANNEL_RRS},
                        0},
};

static const char *const label_names[CHANNEL_LABEL_COUNT] = {
    [CHANNEL_NONE] = "?",  [CHANNEL_M] = "M",     [CHANNEL_L] = "L",     [CHANNEL_R] = "R",     [CHANNEL_C] = "C",
    [CHANNEL_LFE] = "LFE", [CHANNEL_LS] = "Ls",   [CHANNEL_RS] = "Rs",   [CHANNEL_LSS] = "Lss", [CHANNEL_RSS] = "Rss",
    [CHANNEL_LRS] = "Lrs", [CHANNEL_RRS] = "Rrs", [CHANNEL_LTS] = "Lts", [CHANNEL_RTS] = "Rts", [CHANNEL_CS] = "Cs",
    [CHANNEL_LC] = "Lc",   [CHANNEL_RC] = "Rc",   [CHANNEL_HI] = "HI",   [CHANNEL_VIN] = "VI-N",
};

const char *channel_label_name(channel_label label)
{
    return (unsigned)label < CHANNEL_LABEL_COUNT ? label_names[label] : "?";
}

channel_label channel_label_from_name(const char *name)
{
    static const struct {
        const char *name;
        channel_label label;
    } synonyms[] = {
        {"mono", CHANNEL_M},   {"left", CHANNEL_L},  {"lf", CHANNEL_L},     {"fl", CHANNEL_L},
        {"right", CHANNEL_R},  {"rf", CHANNEL_R},    {"fr", CHANNEL_R},     {"center", CHANNEL_C},
        {"centre", CHANNEL_C}, {"fc", CHANNEL_C},    {"cf", CHANNEL_C},     {"sub", CHANNEL_LFE},
        {"lf1", CHANNEL_LFE},  {"sw", CHANNEL_LFE},  {"lsur", CHANNEL_LS},  {"rsur", CHANNEL_RS},
        {"lsd", CHANNEL_LSS},  {"rsd", CHANNEL_RSS}, {"sl", CHANNEL_LSS},   {"sr", CHANNEL_RSS},
        {"lsr", CHANNEL_LRS},  {"rsr", CHANNEL_RRS}, {"lb", CHANNEL_LRS},   {"rb", CHANNEL_RRS},
        {"lr", CHANNEL_LRS},   {"rr", CHANNEL_RRS},  {"lbs", CHANNEL_LRS},  {"rbs", CHANNEL_RRS},
        {"ltm", CHANNEL_LTS},  {"rtm", CHANNEL_RTS}, {"ltop", CHANNEL_LTS}, {"rtop", CHANNEL_RTS},
        {"lt", CHANNEL_NONE},  {"rt", CHANNEL_NONE}, {"bc", CHANNEL_CS},    {"s", CHANNEL_CS},
        {"vin", CHANNEL_VIN},  {"vi", CHANNEL_VIN},
    };
    for (int label = CHANNEL_M; label < CHANNEL_LABEL_COUNT; label++)
        if (strcasecmp(name, label_names[label]) == 0)
            return (channel_label)label;
    for (size_t i = 0; i < sizeof synonyms / sizeof synonyms[0]; i++)
        if (strcasecmp(name, synonyms[i].name) == 0)
            return synonyms[i].label;
    return CHANNEL_NONE;
}

const channel_layout *channel_layout_get(channel_layout_id id)
{
    return &layouts[(unsigned)id < LAYOUT_COUNT ? id : LAYOUT_NONE];
}

channel_layout_id channel_layout_from_name(const char *name)
{
    static const struct {
        const char *name;
        channel_layout_id id;
    } synonyms[] = {
        {"1.0", LAYOUT_MONO}, {"2.0", LAYOUT_STEREO}, {"20", LAYOUT_STEREO}, {"lcr", LAYOUT_3_0},   {"30", LAYOUT_3_0},
        {"lcrs", LAYOUT_4_0}, {"40", LAYOUT_4_0},     {"50", LAYOUT_5_0},    {"51", LAYOUT_5_1},    {"70", LAYOUT_7_0},
        {"71", LAYOUT_7_1},   {"512", LAYOUT_5_1_2},  {"702", LAYOUT_7_0_2}, {"712", LAYOUT_7_1_2}, {"1", LAYOUT_MONO},
        {"2", LAYOUT_STEREO}, {"10", LAYOUT_MONO},    {"lr", LAYOUT_STEREO},
    };
    for (int id = LAYOUT_NONE + 1; id < LAYOUT_COUNT; id++)
        if (strcasecmp(name, layouts[id].name) == 0)
            return (channel_layout_id)id;
    for (size_t i = 0; i < sizeof synonyms / sizeof synonyms[0]; i++)
        if (strcasecmp(name, synonyms[i].name) == 0)
            return synonyms[i].id;
    return LAYOUT_NONE;
}

channel_layout_id channel_layout_guess(uint32_t channel_count)
{
    switch (channel_count) {
    case 1:
        return LAYOUT_MONO;
    case 2:
        return LAYOUT_STEREO;
    case 6:
        return LAYOUT_5_1;
    case 8:
        return LAYOUT_7_1;
    case 10:
        return LAYOUT_7_1_2;
    default:
        return LAYOUT_NONE;
    }
}

int channel_layout_index(channel_layout_id id, channel_label label)
{
    const channel_layout *layout = channel_layout_get(id);
    for (int i = 0; i < layout->channel_count; i++)
        if (layout->labels[i] == label)
            return i;
    return -1;
}

double channel_loudness_weight(channel_layout_id id, uint32_t channel)
{
    const channel_layout *layout = channel_layout_get(id);
    if (channel >= layout->channel_count)
        return 0.0;
    switch (layout->labels[channel]) {
    case CHANNEL_NONE:
    case CHANNEL_LFE: /* BS.1770-5 Annex 1: not included */
    case CHANNEL_HI: /* headphones, not loudspeakers */
    case CHANNEL_VIN:
    case CHANNEL_LABEL_COUNT:
        return 0.0;
    case CHANNEL_LS: /* +-110: Annex 1 table 3 */
    case CHANNEL_RS:
    case CHANNEL_LSS: /* +-90: Annex 3 table 4 */
    case CHANNEL_RSS:
        return 1.41;
    case CHANNEL_M:
    case CHANNEL_L:
    case CHANNEL_R:
    case CHANNEL_C:
    case CHANNEL_LRS: /* +-135: Annex 3 table 4, azimuth over 120 */
    case CHANNEL_RRS:
    case CHANNEL_LTS: /* elevated: 1 whatever the azimuth */
    case CHANNEL_RTS:
    case CHANNEL_CS: /* 180 */
    case CHANNEL_LC: /* within 60 */
    case CHANNEL_RC:
        return 1.0;
    }
    return 0.0;
}

void channel_order_of(channel_layout_id layout_id, channel_order_id order, channel_order *out_order)
{
    /* Film: workstation order, LFE behind the ear-level channels, tops last. */
    static const channel_label film[] = {
        CHANNEL_M,   CHANNEL_L,   CHANNEL_C,   CHANNEL_R,  CHANNEL_LS,  CHANNEL_RS,  CHANNEL_LSS,
        CHANNEL_RSS, CHANNEL_LRS, CHANNEL_RRS, CHANNEL_CS, CHANNEL_LC, CHANNEL_RC, CHANNEL_LFE, CHANNEL_LTS,
        CHANNEL_RTS, CHANNEL_HI, CHANNEL_VIN,
    };
    /* Wave: ascending bit of the mask; back (BL BR) stands below back centre, side above it. */
    static const channel_label wave[] = {
        CHANNEL_M,   CHANNEL_L,   CHANNEL_R,  CHANNEL_C,   CHANNEL_LFE, CHANNEL_LS,  CHANNEL_RS,
        CHANNEL_LRS, CHANNEL_RRS, CHANNEL_LC, CHANNEL_RC,  CHANNEL_CS,  CHANNEL_LSS, CHANNEL_RSS,
        CHANNEL_LTS, CHANNEL_RTS, CHANNEL_HI, CHANNEL_VIN,
    };
    const channel_layout *layout = channel_layout_get(layout_id);
    channel_order result = {.channel_count = layout->channel_count};
    memcpy(result.labels, layout->labels, sizeof result.labels);
    if (order == ORDER_FILM || order == ORDER_WAVE) {
        const channel_label *sequence = order == ORDER_FILM ? film : wave;
        uint32_t count = 0;
        for (size_t i = 0; i < sizeof film / sizeof film[0]; i++)
            if (channel_layout_index(layout_id, sequence[i]) >= 0)
                result.labels[count++] = sequence[i];
    }
    *out_order = result;
}

/* The label that one bit of the mask means in a layout, CHANNEL_NONE if it means none. */
static channel_label channel_label_of_bit(channel_layout_id layout, uint32_t bit)
{
    static const struct {
        uint32_t bit;
        channel_label choices[2]; /* the first that the layout has */
    } meanings[] = {
        {MASK_FL, {CHANNEL_L, CHANNEL_NONE}},    {MASK_FR, {CHANNEL_R, CHANNEL_NONE}},
        {MASK_FC, {CHANNEL_C, CHANNEL_NONE}},    {MASK_LFE, {CHANNEL_LFE, CHANNEL_NONE}},
        {MASK_BL, {CHANNEL_LRS, CHANNEL_LS}},    {MASK_BR, {CHANNEL_RRS, CHANNEL_RS}},
        {MASK_SL, {CHANNEL_LSS, CHANNEL_LS}},    {MASK_SR, {CHANNEL_RSS, CHANNEL_RS}},
        {MASK_BC, {CHANNEL_CS, CHANNEL_NONE}},   {MASK_TFL, {CHANNEL_LTS, CHANNEL_NONE}},
        {MASK_TFR, {CHANNEL_RTS, CHANNEL_NONE}},
    };
    if (layout == LAYOUT_MONO)
        return CHANNEL_M; /* one channel, whatever speaker its file was made for */
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        for (size_t k = 0; k < 2 && meanings[i].bit == bit; k++)
            if (meanings[i].choices[k] != CHANNEL_NONE && channel_layout_index(layout, meanings[i].choices[k]) >= 0)
                return meanings[i].choices[k];
    return CHANNEL_NONE;
}

bool channel_order_from_mask(channel_layout_id layout_id, uint32_t mask, channel_order *out_order)
{
    const channel_layout *layout = channel_layout_get(layout_id);
    channel_order result = {0};
    for (uint32_t i = 0; i < MASK_BITS; i++) {
        uint32_t bit = UINT32_C(1) << i;
        if ((mask & bit) == 0)
            continue;
        channel_label label = channel_label_of_bit(layout_id, bit);
        if (label == CHANNEL_NONE || result.channel_count == layout->channel_count)
            return false;
        for (uint32_t k = 0; k < result.channel_count; k++)
            if (result.labels[k] == label)
                return false;
        result.labels[result.channel_count++] = label;
    }
    if (result.channel_count == 0 || result.channel_count != layout->channel_count)
        return false;
    *out_order = result;
    return true;
}

bool channel_order_equal(const channel_order *a, const channel_order *b)
{
    if (a->channel_count != b->channel_count)
        return false;
    for (uint32_t i = 0; i < a->channel_count; i++)
        if (a->labels[i] != b->labels[i])
            return false;
    return true;
}

int channel_order_position(const channel_order *order, channel_layout_id layout_id, uint32_t channel)
{
    const channel_layout *layout = channel_layout_get(layout_id);
    if (channel >= layout->channel_count)
        return -1;
    for (int i = 0; i < order->channel_count; i++)
        if (order->labels[i] == layout->labels[channel])
            return i;
    return -1;
}
