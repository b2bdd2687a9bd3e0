#include "coordinator/verdict/verdict.h"

#include "common/base/content_hash.h"

#include <stdio.h>
#include <string.h>

enum { IDENTITY_TEXT_SIZE = 1024, ID_DIGITS = 12 };

/* Where a finding is, counted from the first frame of its reel: a longer reel before it does not move it. */
static uint64_t frames_before_reel(const finding *item, const plan_timeline *timeline)
{
    for (uint32_t i = 0; timeline != NULL && i < timeline->piece_count; i++) {
        const plan_piece *piece = &timeline->pieces[i];
        if (!piece->spans_reels && (int32_t)piece->reel == item->reel && piece->programme_frame <= item->start_sample)
            return piece->programme_frame;
    }
    return 0;
}

static content_hash identity_of(const finding *item, const char *owner, const show *title,
                                const plan_timeline *timeline)
{
    char text[IDENTITY_TEXT_SIZE];
    bool reeled = item->reel >= 0 && (uint32_t)item->reel < title->reel_count;
    uint64_t base = reeled && item->has_range ? frames_before_reel(item, timeline) : 0;
    int size = snprintf(text, sizeof text, "%s|%s|%s|%s|%llu|%llu|%.6g|%.6g|%s", owner, item->check,
                        item->subject == NULL ? "" : item->subject, reeled ? title->reels[item->reel].name : "",
                        (unsigned long long)(item->start_sample - base), (unsigned long long)(item->end_sample - base),
                        item->min, item->max, item->limit_words == NULL ? "" : item->limit_words);
    for (uint32_t i = 0; i < item->channel_count && size > 0 && (size_t)size < sizeof text; i++)
        size += snprintf(text + size, sizeof text - (size_t)size, "|%s", item->channels[i]);
    return content_hash_of(text, strlen(text));
}

static size_t earlier_twins(const content_hash *hashes, size_t index)
{
    size_t twins = 0;
    for (size_t i = 0; i < index; i++)
        twins += memcmp(&hashes[i], &hashes[index], sizeof hashes[i]) == 0;
    return twins;
}

void finding_list_identify(finding_list *list, const char *owner, const show *title, const plan_timeline *timeline,
                           arena *memory)
{
    if (list->count == 0)
        return;
    content_hash *hashes = arena_take_array(memory, list->count, sizeof *hashes);
    for (size_t i = 0; i < list->count; i++) {
        hashes[i] = identity_of(&list->items[i], owner, title, timeline);
        size_t twins = earlier_twins(hashes, i);
        char text[CONTENT_HASH_TEXT_SIZE];
        content_hash_to_text(&hashes[i], text);
        list->items[i].id = twins == 0 ? arena_format(memory, "%.*s", ID_DIGITS, text)
                                       : arena_format(memory, "%.*s-%zu", ID_DIGITS, text, twins + 1);
    }
}
