#include "coordinator/verdict/judge_order.h"

#include <string.h>

static const char *name_of(const judgement *self, uint32_t channel)
{
    return channel_label_name(channel_layout_get(self->deliverable->layout)->labels[channel]);
}

static bool same_order(const stem_order *a, const stem_order *b, uint32_t count)
{
    return memcmp(a->holds, b->holds, count) == 0;
}

/* A channel that the other order moves is where it is stated to be: a damaged stem or a pause hides channels, and says nothing. */
static bool stays_elsewhere(const stem_order *order, const stem_order *other, uint32_t count)
{
    for (uint32_t o = 0; o < count; o++)
        if ((order->sure >> o & 1u) != 0 && other->holds[o] != o)
            return true;
    return false;
}

/* What one known order makes of a file when it is read as the stated one, where that is what was found. */
static const char *known_mistake(const judgement *self, const stem_order *order)
{
    static const char *const names[] = {[ORDER_SMPTE] = "SMPTE order", [ORDER_FILM] = "film order", [ORDER_WAVE] = "the order of the WAVE mask"};
    const channel_layout *layout = channel_layout_get(self->deliverable->layout);
    const channel_order *stated = &self->deliverable->order;
    for (uint32_t id = ORDER_SMPTE; id <= ORDER_WAVE; id++) {
        channel_order actual;
        channel_order_of(layout->id, (channel_order_id)id, &actual);
        bool fits = actual.channel_count == layout->channel_count && stated->channel_count == layout->channel_count;
        for (uint32_t o = 0; fits && o < layout->channel_count; o++) {
            int at = channel_order_position(stated, layout->id, o);
            fits = at >= 0 && channel_layout_index(layout->id, actual.labels[at]) == (int)order->holds[o];
        }
        if (!fits)
            continue;
        const char *list = "";
        for (uint32_t i = 0; i < actual.channel_count; i++)
            list = arena_format(self->memory, "%s%s%s", list, i == 0 ? "" : " ", channel_label_name(actual.labels[i]));
        return arena_format(self->memory, "the file is in %s (%s)", names[id], list);
    }
    return NULL;
}

/* "L and R are exchanged", or each channel with what it holds. */
static const char *exchange_words(const judgement *self, const stem_order *order)
{
    const char *list = "";
    for (uint32_t o = 0; o < channel_layout_get(self->deliverable->layout)->channel_count; o++) {
        uint32_t other = order->holds[o];
        const char *gap = list[0] == '\0' ? "" : ", ";
        if (other != o && order->holds[other] == o && other > o)
            list = arena_format(self->memory, "%s%s%s and %s are exchanged", list, gap, name_of(self, o), name_of(self, other));
        else if (other != o && order->holds[other] != o)
            list = arena_format(self->memory, "%s%s%s holds %s", list, gap, name_of(self, o), name_of(self, other));
    }
    return list;
}

static void tell_order(judgement *self, const stem_order *order, uint64_t start, uint64_t end, bool whole)
{
    const channel_layout *layout = channel_layout_get(self->deliverable->layout);
    const spec_limit *limit = judgement_limit(self, "signal.channel_swap");
    finding *item = judgement_add(self, "signal.channel_swap", limit == NULL ? FINDING_FAIL : judgement_breach(limit));
    if (limit != NULL)
        judgement_limits(item, limit);
    judgement_locate(self, item, start, end);
    const char *holds = "";
    for (uint32_t o = 0; o < layout->channel_count; o++)
        if (order->holds[o] != o) {
            item->channels[item->channel_count++] = name_of(self, o);
            holds = arena_format(self->memory, "%s%s\"%s\": \"%s\"", holds, holds[0] == '\0' ? "" : ", ", name_of(self, o),
                                 name_of(self, order->holds[o]));
        }
    item->subject = "order";
    item->measured = order->explained_db;
    item->unit = "dB";
    item->details_json = arena_format(self->memory, "{\"holds\": {%s}, \"left_there_db\": %.1f, \"left_as_stated_db\": %.1f}", holds,
                                      order->explained_db, order->elsewhere_db);
    const char *mistake = known_mistake(self, order);
    const char *where = whole ? "" : arena_format(self->memory, " %s", judgement_stretch(self, start, end));
    item->message = mistake == NULL
                        ? arena_format(self->memory, "Channels are in the wrong places%s, as the stems show: %s. Put them right and export again.",
                                       where, exchange_words(self, order))
                        : arena_format(self->memory, "Channels are in the wrong places%s, as the stems show: %s, and was read in another: %s. State its order, or export again.",
                                       where, mistake, exchange_words(self, order));
}

/* Ordinary sound in the LFE is what the order made of it, and not another fault. */
static void drop_lfe(judgement *self, const stem_order *order)
{
    int lfe = channel_layout_index(self->deliverable->layout, CHANNEL_LFE);
    if (lfe < 0 || order->holds[lfe] == lfe)
        return;
    for (size_t i = 0; i < self->verdict->findings.count; i++) {
        finding *item = &self->verdict->findings.items[i];
        bool same = strcmp(item->check, "signal.lfe") == 0 || (strcmp(item->check, "signal.channel_swap") == 0 && item->subject == NULL);
        if (same && item->rule == NULL)
            item->severity = FINDING_INFO;
    }
}

status judge_order(judgement *self, stem_model *model, const stem_order **out_orders)
{
    uint32_t count = self->timeline->piece_count;
    uint32_t channels = model->output_count;
    stem_order *orders = arena_take_array(self->memory, count + 1u, sizeof *orders);
    const stem_order *first = NULL; /* that is permuted */
    bool alike = true;
    bool any_other = false;
    memset(orders, 0, (count + 1u) * sizeof *orders);
    *out_orders = orders;
    for (uint32_t p = 0; p < count; p++) {
        const plan_piece *piece = &self->timeline->pieces[p];
        status result = stem_order_find(&orders[p], model, self->facts->stems, piece->programme_frame,
                                        piece->programme_frame + piece->frame_count);
        if (result != STATUS_OK)
            return result;
        if (orders[p].permuted && first == NULL)
            first = &orders[p];
        else if (orders[p].permuted)
            alike = alike && same_order(first, &orders[p], channels);
    }
    for (uint32_t p = 0; first != NULL && p < count; p++)
        any_other = any_other || (!orders[p].permuted && stays_elsewhere(&orders[p], first, channels));
    if (first == NULL)
        return STATUS_OK;
    if (alike && !any_other) {
        tell_order(self, first, 0, self->timeline->frame_count, true);
        drop_lfe(self, first);
        stem_order_apply(first, model);
        memset(orders, 0, (count + 1u) * sizeof *orders);
        return STATUS_OK;
    }
    for (uint32_t p = 0; p < count; p++)
        if (orders[p].permuted) {
            const plan_piece *piece = &self->timeline->pieces[p];
            tell_order(self, &orders[p], piece->programme_frame, piece->programme_frame + piece->frame_count, false);
        }
    return STATUS_OK;
}

bool judge_order_explains(const judgement *self, const stem_order *orders, const stem_run *run)
{
    /* A block of the stems' sums may lie across a reel's edge. */
    uint64_t reach = self->timeline->sample_rate;
    for (uint32_t p = 0; p < self->timeline->piece_count; p++) {
        const plan_piece *piece = &self->timeline->pieces[p];
        uint64_t end = piece->programme_frame + piece->frame_count;
        if (!orders[p].permuted || run->start_frame + reach < piece->programme_frame || run->end_frame > end + reach)
            continue;
        for (uint32_t o = 0; o < channel_layout_get(self->deliverable->layout)->channel_count; o++)
            if ((run->outputs >> o & 1u) && orders[p].holds[o] != o)
                return true;
    }
    return false;
}
