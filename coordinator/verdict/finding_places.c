#include "coordinator/verdict/finding_places.h"

#include <stdio.h>
#include <string.h>

enum { PLACE_SECONDS = 2, PARTS = 100 };

uint32_t finding_channels(const finding *item, const channel_layout *layout)
{
    uint32_t named = 0;
    uint32_t heard = 0;
    for (uint32_t c = 0; c < layout->channel_count; c++) {
        heard |= layout->labels[c] == CHANNEL_LFE && layout->channel_count > 1 ? 0 : 1U << c;
        for (uint32_t i = 0; i < item->channel_count; i++)
            if (strcmp(item->channels[i], channel_label_name(layout->labels[c])) == 0)
                named |= 1U << c;
    }
    return named != 0 ? named : heard;
}

void finding_set_channels(finding *item, const channel_layout *layout, uint32_t channels)
{
    item->channel_count = 0;
    for (uint32_t c = 0; c < layout->channel_count; c++)
        if ((channels >> c & 1U) != 0)
            item->channels[item->channel_count++] = channel_label_name(layout->labels[c]);
}

const char *finding_channel_names(arena *memory, const finding *item)
{
    const char *names = item->channels[0];
    for (uint32_t i = 1; i < item->channel_count; i++)
        names = arena_format(memory, "%s, %s", names, item->channels[i]);
    return names;
}

/* In the middle of what is short; of what is long its beginning, with half a second before it. */
static task_place place_of(const finding *item, const channel_layout *layout, uint64_t frame_count, uint32_t rate)
{
    uint64_t wanted = (uint64_t)PLACE_SECONDS * rate;
    uint64_t length = item->end_sample > item->start_sample ? item->end_sample - item->start_sample : 0;
    uint64_t before = length <= rate ? (wanted - length) / 2 : rate / 2;
    uint64_t first = item->start_sample > before ? item->start_sample - before : 0;
    if (wanted > frame_count)
        wanted = frame_count;
    if (first > frame_count - wanted)
        first = frame_count - wanted;
    task_place place = {.first_frame = first, .frame_count = (uint32_t)wanted, .channels = finding_channels(item, layout)};
    snprintf(place.name, sizeof place.name, "%s", item->id);
    return place;
}

/* The first half second of the finding is well inside of what another place shows of the same channels. */
static bool shown_by(const task_place *other, const task_place *place, const finding *item, uint32_t rate)
{
    return other->channels == place->channels && item->start_sample >= other->first_frame &&
           item->start_sample + rate / 2 <= other->first_frame + other->frame_count;
}

/* Frames of a programme that may be read again for its places. */
static uint64_t frames_most(uint64_t frame_count, uint32_t sample_rate, const read_share *share)
{
    uint64_t always = (uint64_t)share->always * PLACE_SECONDS * sample_rate;
    uint64_t all = share->samples / PARTS;
    uint64_t left = all > share->again ? (all - share->again) / share->channels : 0;
    uint64_t most = frame_count / PARTS < left ? frame_count / PARTS : left;
    return most > always ? most : always;
}

/* What is looked at in turn. */
enum { TURN_SHORT_OF_CHECK, TURN_OF_CHECK, TURN_ALL, TURNS };

static bool is_short(const finding *item)
{
    return item->end_sample <= item->start_sample + CELL_FRAMES;
}

/* None of its check and severity that would have this turn too is worse. */
static bool is_worst(const finding_list *findings, const finding *item, int turn)
{
    for (size_t i = 0; i < findings->count; i++) {
        const finding *other = &findings->items[i];
        if (other->has_range && other->severity == item->severity && strcmp(other->check, item->check) == 0 &&
            (turn != TURN_SHORT_OF_CHECK || is_short(other)) && finding_worse(other, item))
            return false;
    }
    return true;
}

static bool has_turn(const finding_list *findings, const finding *item, int turn, finding_severity severity,
                     const finding *const *shown, uint32_t count)
{
    bool new_check = true;
    for (uint32_t i = 0; i < count; i++) {
        if (shown[i] == item)
            return false;
        new_check = new_check && strcmp(shown[i]->check, item->check) != 0;
    }
    return item->severity == severity && (turn != TURN_SHORT_OF_CHECK || is_short(item)) &&
           (turn == TURN_ALL || (new_check && is_worst(findings, item, turn)));
}

uint32_t finding_places(const finding_list *findings, channel_layout_id layout, uint64_t frame_count, uint32_t sample_rate,
                        const read_share *share, task_place out_places[TASK_PLACES_MAX])
{
    static const finding_severity severities[] = {FINDING_FAIL, FINDING_WARN};
    const uint64_t most = frames_most(frame_count, sample_rate, share);
    const finding *shown[TASK_PLACES_MAX];
    uint64_t taken = 0;
    uint32_t count = 0;
    for (int turn = 0; turn < TURNS * (int)(sizeof severities / sizeof severities[0]); turn++)
        for (size_t i = 0; i < findings->count && count < TASK_PLACES_MAX && frame_count > 0; i++) {
            const finding *item = &findings->items[i];
            if (!item->has_range || item->start_sample >= frame_count ||
                !has_turn(findings, item, turn % TURNS, severities[turn / TURNS], shown, count))
                continue;
            task_place place = place_of(item, channel_layout_get(layout), frame_count, sample_rate);
            bool known = place.frame_count > TASK_PLACE_FRAMES_MAX || taken + place.frame_count > most;
            for (uint32_t k = 0; k < count && !known; k++)
                known = shown_by(&out_places[k], &place, item, sample_rate);
            if (known)
                continue;
            taken += place.frame_count;
            shown[count] = item;
            out_places[count++] = place;
        }
    return count;
}
