#include "common/media/timecode.h"

#include "common/base/ensure.h"

#include <stdio.h>
#include <string.h>

typedef struct named_rate {
    const char *name;
    const char *synonyms[3];
    frame_rate rate;
} named_rate;

static const named_rate named_rates[] = {
    {"23.976", {"23.98", "24000/1001", NULL}, {24000, 1001, 24, false}},
    {"24", {"24.0", "24.000", NULL}, {24, 1, 24, false}},
    {"25", {"25.0", "25.000", NULL}, {25, 1, 25, false}},
    {"29.97", {"29.97ndf", "30000/1001", NULL}, {30000, 1001, 30, false}},
    {"29.97df", {"30000/1001df", NULL, NULL}, {30000, 1001, 30, true}},
    {"30", {"30.0", "30.000", NULL}, {30, 1, 30, false}},
    {"48", {"48.0", "48.000", NULL}, {48, 1, 48, false}},
    {"50", {"50.0", "50.000", NULL}, {50, 1, 50, false}},
    {"59.94", {"59.94ndf", "60000/1001", NULL}, {60000, 1001, 60, false}},
    {"59.94df", {"60000/1001df", NULL, NULL}, {60000, 1001, 60, true}},
    {"60", {"60.0", "60.000", NULL}, {60, 1, 60, false}},
};
enum { NAMED_RATE_COUNT = sizeof named_rates / sizeof named_rates[0] };

status frame_rate_parse(const char *text, frame_rate *out_rate)
{
    for (size_t i = 0; i < NAMED_RATE_COUNT; i++) {
        bool match = strcmp(text, named_rates[i].name) == 0;
        for (size_t k = 0; k < 3 && named_rates[i].synonyms[k] != NULL; k++)
            match = match || strcmp(text, named_rates[i].synonyms[k]) == 0;
        if (match) {
            *out_rate = named_rates[i].rate;
            return STATUS_OK;
        }
    }
    return STATUS_INPUT_INVALID;
}

const char *frame_rate_name(const frame_rate *rate)
{
    for (size_t i = 0; i < NAMED_RATE_COUNT; i++)
        if (frame_rate_equal(rate, &named_rates[i].rate))
            return named_rates[i].name;
    return "";
}

bool frame_rate_equal(const frame_rate *a, const frame_rate *b)
{
    return a->num == b->num && a->den == b->den && a->nominal == b->nominal && a->drop == b->drop;
}

/* Frame numbers left out at the start of each minute but every tenth: 2 at 29.97, 4 at 59.94 (SMPTE ST 12-1). */
static uint64_t timecode_dropped(const frame_rate *rate)
{
    return rate->drop ? rate->nominal / 15 : 0;
}

/* Two digits at text, or -1. */
static int timecode_digits(const char *text)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
        return -1;
    return (text[0] - '0') * 10 + (text[1] - '0');
}

static status timecode_refuse(error_detail *detail, const char *text, const frame_rate *rate, const char *why)
{
    return error_detail_set(detail, STATUS_INPUT_INVALID,
                            "the timecode \"%s\" does not exist at %s frames per second: %s", text,
                            frame_rate_name(rate), why);
}

status timecode_parse(const char *text, const frame_rate *rate, uint64_t *out_frame, error_detail *detail)
{
    ENSURE(rate->num != 0);
    int parts[4] = {-1, -1, -1, -1};
    bool form = strlen(text) == 11 && text[2] == ':' && text[5] == ':' && (text[8] == ':' || text[8] == ';');
    for (int i = 0; form && i < 4; i++) {
        parts[i] = timecode_digits(text + 3 * i);
        form = parts[i] >= 0;
    }
    if (!form)
        return error_detail_set(detail, STATUS_INPUT_SYNTAX,
                                "\"%.40s\" is no timecode; write hours, minutes, seconds and frames as \"01:00:08:00\"",
                                text);
    if (text[8] == ';' && !rate->drop)
        return timecode_refuse(
            detail, text, rate,
            "';' means drop-frame counting, which this rate does not use; write ':' or set a df rate");
    if (parts[0] > 23)
        return timecode_refuse(detail, text, rate, "hours go from 00 to 23");
    if (parts[1] > 59 || parts[2] > 59)
        return timecode_refuse(detail, text, rate, "minutes and seconds go from 00 to 59");
    if ((uint32_t)parts[3] >= rate->nominal) {
        char why[64];
        snprintf(why, sizeof why, "frames go from 00 to %02u", rate->nominal - 1);
        return timecode_refuse(detail, text, rate, why);
    }
    uint64_t dropped = timecode_dropped(rate);
    if (parts[2] == 0 && parts[1] % 10 != 0 && (uint64_t)parts[3] < dropped)
        return timecode_refuse(
            detail, text, rate,
            "drop-frame counting leaves this number out; use the first one that exists in that minute");
    uint64_t minutes = (uint64_t)parts[0] * 60 + (uint64_t)parts[1];
    uint64_t frame = (minutes * 60 + (uint64_t)parts[2]) * rate->nominal + (uint64_t)parts[3];
    *out_frame = frame - dropped * (minutes - minutes / 10);
    return STATUS_OK;
}

uint64_t timecode_day_frames(const frame_rate *rate)
{
    /* 24 h hold 1440 minutes, of which 144 are tenth minutes that drop nothing. */
    return (uint64_t)86400 * rate->nominal - timecode_dropped(rate) * (1440 - 144);
}

void timecode_format(uint64_t frame, const frame_rate *rate, char out[TIMECODE_TEXT_SIZE])
{
    if (rate->num == 0 || rate->nominal == 0) {
        snprintf(out, TIMECODE_TEXT_SIZE, "--:--:--:--");
        return;
    }
    uint64_t count = frame % timecode_day_frames(rate);
    uint64_t dropped = timecode_dropped(rate);
    if (dropped > 0) {
        /* Back to the count without drops: 18 (36) numbers per ten minutes, and 2 (4) per further minute. */
        uint64_t minute = (uint64_t)60 * rate->nominal - dropped;
        uint64_t ten_minutes = (uint64_t)600 * rate->nominal - 9 * dropped;
        uint64_t tens = count / ten_minutes;
        uint64_t rest = count % ten_minutes;
        uint64_t minutes = rest < (uint64_t)60 * rate->nominal ? 0 : 1 + (rest - (uint64_t)60 * rate->nominal) / minute;
        count += dropped * (9 * tens + minutes);
    }
    uint64_t seconds = count / rate->nominal;
    snprintf(out, TIMECODE_TEXT_SIZE, "%02u:%02u:%02u%c%02u", (unsigned)(seconds / 3600 % 24),
             (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60), rate->drop ? ';' : ':',
             (unsigned)(count % rate->nominal % 100));
}

uint64_t timecode_sample_of_frame(uint64_t frame, const frame_rate *rate, uint32_t sample_rate)
{
    if (rate->num == 0)
        return 0;
    /* num frames are exactly sample_rate x den samples, so whole groups need no rounding and nothing overflows. */
    uint64_t group = (uint64_t)sample_rate * rate->den;
    uint64_t rest = frame % rate->num;
    return frame / rate->num * group + (2 * rest * group + rate->num) / (2 * (uint64_t)rate->num);
}

uint64_t timecode_frame_of_sample(uint64_t sample, const frame_rate *rate, uint32_t sample_rate)
{
    if (rate->num == 0 || sample_rate == 0)
        return 0;
    /* sample(n) <= s exactly when 2 n g < (2 s + 1) num, g = sample_rate x den. */
    uint64_t group = (uint64_t)sample_rate * rate->den;
    uint64_t rest = sample % group;
    return sample / group * rate->num + ((2 * rest + 1) * rate->num - 1) / (2 * group);
}

void timecode_elapsed(uint64_t sample, uint32_t sample_rate, char out[TIMECODE_TEXT_SIZE])
{
    ENSURE(sample_rate != 0);
    uint64_t seconds = sample / sample_rate;
    uint64_t thousandths = (sample % sample_rate * 1000 + sample_rate / 2) / sample_rate;
    seconds += thousandths / 1000;
    unsigned rest = (unsigned)(thousandths % 1000);
    if (seconds < 60)
        snprintf(out, TIMECODE_TEXT_SIZE, "%u.%03u s", (unsigned)seconds, rest);
    else
        snprintf(out, TIMECODE_TEXT_SIZE, "%u:%02u:%02u.%03u", (unsigned)(seconds / 3600 % 1000000), (unsigned)(seconds / 60 % 60),
                 (unsigned)(seconds % 60), rest);
}
