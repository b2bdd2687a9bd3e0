#include "coordinator/verdict/finding_places.h"
#include "coordinator/verdict/judge_signal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Ours, from tests over real speech, music and effects (docs/qc-checks.md says what they find and miss). A click's
 * fourth difference stands this far over the 10 ms around it; three more within 60 ms make it a texture (a buzz, a
 * saw tooth, a crackling fire), not a click.
 */
static const double click_ratio_db = 25.0;
static const double click_broad_ratio_db = 40.0; /* one that is longer, as after a rate converter */
static const double click_level_dbfs = -50.0;
static const double corner_level_max = 0.25; /* half of what a pulse of full scale in silence has */
enum { CLICK_SAMPLES = 6, TEXTURE_MS = 60, TEXTURE_COUNT = 3, EDGE_MS = 10, SYNC_EDGE_SECONDS = 4 };
enum { FLAT_SAMPLES = 3, CLIPPING_MS = 1000 };
/* A mute between two hard edges; longer ones are scenes, unless a channel stops at its level while what it plays with goes on. */
static const double mute_seconds_max = 3.0;
static const double cut_edge_min = 0.25;     /* next to the stop, of the RMS of the second before it: it had not decayed */
static const double cut_power_min = 1e-5;    /* -50 dBFS, of that second and of those that go on */
static const double goes_on_db = 12.0;       /* from the half second before the stop to that behind it */
enum { BEFORE_CUT_BLOCKS = 10, BESIDE_CUT_BLOCKS = 5 };
/* A tone of half a second, or one picture frame of 1 kHz: a pop. */
static const double tone_seconds_min = 0.5;
static const double pop_seconds_min = 0.02;
static const double pop_seconds_max = 0.1;
static const double tone_level_dbfs = -50.0;
static const double line_up_hz = 1000.0;

static int by_place(const void *a, const void *b)
{
    const programme_event *left = a;
    const programme_event *right = b;
    if (left->frame != right->frame)
        return left->frame < right->frame ? -1 : 1;
    if (left->channel != right->channel)
        return left->channel < right->channel ? -1 : 1;
    return (int)left->kind - (int)right->kind;
}

typedef struct event_list {
    size_t count;
    programme_event *items;
    uint32_t rate;
} event_list;

static bool is_near(uint64_t a, uint64_t b, uint64_t reach)
{
    return a <= b + reach && b <= a + reach;
}

/* True at an edge of quiet in the same channel: that is told as a drop-out, not as a click too. */
static bool at_an_edge(const event_list *list, size_t index)
{
    const programme_event *click = &list->items[index];
    uint64_t reach = (uint64_t)EDGE_MS * list->rate / 1000;
    uint64_t longest = list->rate / 10; /* a drop-out that began before the click */
    size_t i = index;
    while (i > 0 && list->items[i - 1].frame + longest + reach >= click->frame)
        i--;
    for (; i < list->count && list->items[i].frame <= click->frame + reach; i++) {
        const programme_event *event = &list->items[i];
        bool edge = event->kind == SIGNAL_DROPOUT || event->kind == SIGNAL_STOP || event->kind == SIGNAL_START;
        if (edge && event->channel == click->channel &&
            (is_near(event->frame, click->frame, reach) || is_near(event->frame + event->frame_count, click->frame, reach)))
            return true;
    }
    return false;
}

/* Another click of at least half the size in the same channel. */
static bool is_like(const programme_event *click, const programme_event *other)
{
    return other->kind == SIGNAL_CLICK && other->channel == click->channel && other->level >= 0.5 * click->level;
}

static bool is_texture(const event_list *list, size_t index)
{
    const programme_event *click = &list->items[index];
    uint64_t reach = (uint64_t)TEXTURE_MS * list->rate / 1000;
    uint32_t others = 0;
    for (size_t i = index; i-- > 0 && list->items[i].frame + reach >= click->frame;)
        others += is_like(click, &list->items[i]);
    for (size_t i = index + 1; i < list->count && list->items[i].frame <= click->frame + reach; i++)
        others += is_like(click, &list->items[i]);
    return others >= TEXTURE_COUNT;
}

/* Adds the channels of events of the same kind that begin within `reach` frames, and marks them as told. */
static void gather_channels(judgement *self, const event_list *list, size_t index, uint64_t reach, bool *told, finding *item)
{
    const channel_layout *layout = channel_layout_get(self->deliverable->layout);
    for (size_t i = index + 1; i < list->count && list->items[i].frame <= list->items[index].frame + reach; i++) {
        const programme_event *event = &list->items[i];
        if (told[i] || event->kind != list->items[index].kind)
            continue;
        told[i] = true;
        if (item != NULL)
            finding_set_channels(item, layout, finding_channels(item, layout) | 1U << event->channel);
    }
}

/* The reel that begins within 2 ms of a stretch, or -1. */
static int32_t join_at(const judgement *self, uint64_t start, uint64_t end)
{
    uint64_t reach = self->timeline->sample_rate / 500;
    for (uint32_t i = 1; i < self->timeline->piece_count; i++) {
        const plan_piece *piece = &self->timeline->pieces[i];
        bool known = !piece->spans_reels && !self->timeline->pieces[i - 1].spans_reels;
        if (known && start <= piece->programme_frame + reach && piece->programme_frame <= end + reach)
            return piece->reel;
    }
    return -1;
}

/* Some runs of the cell of a frame were not located. */
static bool dropped_runs(const judgement *self, uint64_t frame)
{
    uint64_t first = frame < CELL_FRAMES - 1 ? 0 : frame - (CELL_FRAMES - 1);
    return programme_measure_peaks_between(self->facts->measure, first, frame + 1).run_dropped > 0;
}

/*
 * True within a stretch of runs at full scale, whose corners are told as clipping; where its cell dropped some, near one too.
 * A click as loud as that is its own run, and no corner. first_run: of the runs, which are in order, where the last click's
 * search began.
 */
static bool at_clipping(const judgement *self, const programme_event *click, size_t *first_run)
{
    if (click->level >= corner_level_max)
        return false;
    size_t count = 0;
    const programme_run *runs = programme_measure_runs(self->facts->measure, &count);
    uint64_t second = (uint64_t)CLIPPING_MS * self->timeline->sample_rate / 1000;
    uint64_t reach = dropped_runs(self, click->frame) ? second : CLICK_SAMPLES;
    while (*first_run < count && runs[*first_run].frame + runs[*first_run].frame_count + second < click->frame)
        ++*first_run;
    for (size_t i = *first_run; i < count && runs[i].frame <= click->frame + reach; i++) {
        bool flat = runs[i].kind == PEAK_RUN_CLIP || (runs[i].kind == PEAK_RUN_OVERLOAD && runs[i].sample_count >= FLAT_SAMPLES);
        if (flat && runs[i].channel == click->channel && click->frame <= runs[i].frame + runs[i].frame_count + reach)
            return true;
    }
    return false;
}

/* Which stems have the click, by name: ", comes from DX and FX"; empty: none has it, or they were not read there. */
static const char *stems_with(const judgement *self, uint64_t frame)
{
    const stem_programme *programme = self->facts->stems;
    const char *names = "";
    bool named[SHOW_STEMS_MAX] = {false};
    for (size_t c = 0; programme != NULL && c < programme->cell_count; c++)
        for (uint32_t i = 0; i < programme->bleed[c].click_count; i++) {
            const stem_click *click = &programme->bleed[c].clicks[i];
            uint16_t stem = self->facts->plan->programs[self->deliverable->program].inputs[click->lane].stem;
            int64_t away = (int64_t)programme->bleed[c].frame + click->frame - (int64_t)frame;
            if (away > CLICK_SAMPLES || away < -CLICK_SAMPLES || stem == RENDER_STEM_RECEIVED || named[stem] ||
                (self->deliverable->rendered && !plan_takes_stem(self->show, self->facts->deliverable, stem)))
                continue;
            named[stem] = true;
            names = arena_format(self->memory, "%s%s%s", names, names[0] == '\0' ? ", comes from " : " and ",
                                 self->show->stems[stem].name);
        }
    return names;
}

static void judge_clicks(judgement *self, const event_list *list, bool *told)
{
    signal_rule rule = signal_rule_of(self, "signal.click", click_level_dbfs, true, FINDING_WARN);
    size_t first_run = 0;
    for (size_t i = 0; i < list->count; i++) {
        const programme_event *event = &list->items[i];
        double level = measure_db(event->level);
        double ratio = event->frame_count <= CLICK_SAMPLES ? click_ratio_db : click_broad_ratio_db;
        if (event->kind != SIGNAL_CLICK || told[i] || level <= rule.bound || measure_db(event->figure) < ratio ||
            at_an_edge(list, i) || is_texture(list, i) || at_clipping(self, event, &first_run))
            continue;
        finding *item = signal_tell(self, &rule, event->channel, event->frame, event->frame + 1, level, "dBFS");
        gather_channels(self, list, i, list->rate / 1000, told, item);
        if (item == NULL)
            continue;
        char place[PLACE_TEXT_SIZE];
        judgement_place(self, event->frame, place);
        item->details_json = arena_format(self->memory, "{\"above_surroundings_db\": %.1f, \"length_samples\": %llu}", measure_db(event->figure), (unsigned long long)event->frame_count);
        int32_t reel = join_at(self, event->frame, event->frame + 1);
        const char *advice = reel < 0 ? "Draw it out, or fade the edit there."
                                      : arena_format(self->memory, "It is where %s begins: the reels do not meet. Cross-fade the join, or cut both where they agree.",
                                                     self->show->reels[reel].name);
        item->message = arena_format(self->memory, "A click of about %.0f dBFS in %s at %s (sample %llu), %.0f dB over the sound around it%s. %s",
                                     round(level) + 0.0, finding_channel_names(self->memory, item), place,
                                     (unsigned long long)event->frame, measure_db(event->figure),
                                     stems_with(self, event->frame), advice);
    }
    signal_rule_close(self, &rule);
}

static void tell_gap(judgement *self, signal_rule *rule, const event_list *list, size_t index, uint64_t end, bool *told,
                     int32_t reel)
{
    const programme_event *event = &list->items[index];
    double ms = (double)(end - event->frame) * 1000.0 / list->rate;
    if (!(ms > rule->bound))
        return;
    finding *item = signal_tell(self, rule, event->channel, event->frame, end, ms, "ms");
    gather_channels(self, list, index, list->rate / 1000, told, item);
    if (item == NULL)
        return;
    char place[PLACE_TEXT_SIZE];
    judgement_place(self, event->frame, place);
    item->message =
        reel >= 0
            ? arena_format(self->memory, "%.1f ms of silence where %s begins at %s, in %s. Check the tail of the reel before it and the head of this one.",
                           ms, self->show->reels[reel].name, place, finding_channel_names(self->memory, item))
        : ms > mute_seconds_max * 1000.0
            ? arena_format(self->memory, "%s %s out for %.1f s at %s: the sound stops at its level while what plays with it goes on. Look for a muted track or a lost file, and print it again.",
                           finding_channel_names(self->memory, item), item->channel_count > 1 ? "drop" : "drops", ms / 1000.0, place)
            : arena_format(self->memory, "%s %s out for %.1f ms at %s: the sound stops and comes back at once. Look for a gap in the edit or a lost block, and print it again.",
                           finding_channel_names(self->memory, item), item->channel_count > 1 ? "drop" : "drops", ms, place);
}

/* The first block that begins at a frame or behind it. */
static size_t block_from(const programme_signal *signal, uint64_t frame)
{
    size_t low = 0;
    size_t high = signal->block_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (signal->blocks[middle].frame < frame)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_quiet_block(const signal_block *block, uint32_t channel)
{
    return (double)block->energy[channel] <= 0x1p-32; /* SIGNAL_QUIET of the kernels, squared */
}

/* True if a channel is quiet in all blocks that lie within a stretch. */
static bool is_quiet(const programme_signal *signal, uint32_t channel, uint64_t start, uint64_t end)
{
    for (size_t b = block_from(signal, start);
         b < signal->block_count && signal->blocks[b].frame + signal->blocks[b].frame_count <= end; b++)
        if (!is_quiet_block(&signal->blocks[b], channel))
            return false;
    return true;
}

/* After a hard stop: the hard start that ends the same quiet, or 0. */
static uint64_t start_after(const event_list *list, const programme_signal *signal, size_t index)
{
    const programme_event *stop = &list->items[index];
    uint64_t latest = stop->frame + (uint64_t)(mute_seconds_max * list->rate);
    for (size_t i = index + 1; i < list->count && list->items[i].frame <= latest; i++) {
        const programme_event *event = &list->items[i];
        if (event->channel != stop->channel || event->kind == SIGNAL_TONE || event->kind == SIGNAL_CLICK)
            continue;
        bool ends_it = event->kind == SIGNAL_START && is_quiet(signal, stop->channel, stop->frame, event->frame);
        return ends_it ? event->frame : 0;
    }
    return 0;
}

/* Mean power of a channel in blocks, 0 where the programme does not have them. */
static double power_of(const programme_signal *signal, uint32_t channel, size_t first, size_t count)
{
    double sum = 0.0;
    if (first + count > signal->block_count) /* before the beginning too: it wraps */
        return 0.0;
    for (size_t b = first; b < first + count; b++)
        sum += (double)signal->blocks[b].energy[channel];
    return sum / (double)count;
}

/* True if a channel plays on over the block in which another stops. */
static bool plays_on(const programme_signal *signal, uint32_t channel, size_t block)
{
    double before = power_of(signal, channel, block - BESIDE_CUT_BLOCKS, BESIDE_CUT_BLOCKS);
    double behind = power_of(signal, channel, block + 1, BESIDE_CUT_BLOCKS);
    return fmin(before, behind) > cut_power_min && fabs(signal_db(before) - signal_db(behind)) < goes_on_db;
}

/* Its other side, or, of a channel that has none, any but the LFE. */
static bool others_play_on(const judgement *self, const programme_signal *signal, uint32_t channel, size_t block)
{
    const channel_layout *layout = channel_layout_get(self->deliverable->layout);
    uint8_t pairs[SIGNAL_PAIRS_MAX];
    uint32_t pair_count = cell_signal_pairs((uint8_t)self->deliverable->layout, pairs);
    for (uint32_t p = 0; p < pair_count; p++)
        if (channel == pairs[p] || channel == pairs[p] + 1U)
            return plays_on(signal, 2U * pairs[p] + 1U - channel, block);
    for (uint32_t c = 0; c < layout->channel_count; c++)
        if (c != channel && layout->labels[c] != CHANNEL_LFE && plays_on(signal, c, block))
            return true;
    return false;
}

/*
 * Where a channel comes back that stops while it plays, and others go on, for longer than a mute; 0: it does not stop so. An edit
 * stops both sides, or stops what had decayed.
 */
static uint64_t end_of_cut(const judgement *self, const programme_signal *signal, const event_list *list, size_t index)
{
    const programme_event *stop = &list->items[index];
    const channel_layout *layout = channel_layout_get(self->deliverable->layout);
    size_t block = block_from(signal, stop->frame + 1) - 1;
    double before = power_of(signal, stop->channel, block - BEFORE_CUT_BLOCKS, BEFORE_CUT_BLOCKS);
    if (layout->labels[stop->channel] == CHANNEL_LFE || before < cut_power_min ||
        stop->level < cut_edge_min * sqrt(before) || !others_play_on(self, signal, stop->channel, block))
        return 0;
    while (++block < signal->block_count && is_quiet_block(&signal->blocks[block], stop->channel))
        continue;
    uint64_t end = block < signal->block_count ? signal->blocks[block].frame : self->timeline->frame_count;
    uint64_t reach = block < signal->block_count ? signal->blocks[block].frame_count : 0;
    for (size_t i = index + 1; i < list->count && list->items[i].frame <= end + reach; i++)
        if (list->items[i].channel == stop->channel && list->items[i].kind == SIGNAL_START && list->items[i].frame >= end)
            end = list->items[i].frame;
    return end - stop->frame > (uint64_t)(mute_seconds_max * list->rate) ? end : 0;
}

static void judge_gaps(judgement *self, const programme_signal *signal, const event_list *list, bool *told)
{
    signal_rule dropout = signal_rule_of(self, "signal.dropout", 0.0, true, FINDING_WARN);
    signal_rule gap = signal_rule_of(self, "join.gap", 0.0, true, FINDING_WARN);
    for (size_t i = 0; i < list->count; i++) {
        const programme_event *event = &list->items[i];
        if (told[i] || (event->kind != SIGNAL_DROPOUT && event->kind != SIGNAL_STOP))
            continue;
        uint64_t end = event->kind == SIGNAL_DROPOUT ? event->frame + event->frame_count : start_after(list, signal, i);
        end = end == 0 ? end_of_cut(self, signal, list, i) : end;
        if (end == 0)
            continue;
        int32_t reel = join_at(self, event->frame, end);
        tell_gap(self, reel >= 0 ? &gap : &dropout, list, i, end, told, reel);
    }
    signal_rule_close(self, &dropout);
    signal_rule_close(self, &gap);
}

/* sync.pop listens there, and says more of a pop than this check can. */
static bool near_an_edge(const judgement *self, uint64_t frame)
{
    uint64_t reach = (uint64_t)self->timeline->sample_rate * SYNC_EDGE_SECONDS;
    for (uint32_t i = 0; i < self->timeline->piece_count; i++) {
        const plan_piece *piece = &self->timeline->pieces[i];
        if (is_near(frame, piece->programme_frame, reach) || is_near(frame, piece->programme_frame + piece->frame_count, reach))
            return true;
    }
    return false;
}

static void judge_tones(judgement *self, const event_list *list, bool *told)
{
    signal_rule rule = signal_rule_of(self, "signal.tone", tone_level_dbfs, true, FINDING_WARN);
    finding_severity severity = rule.severity;
    for (size_t i = 0; i < list->count; i++) {
        const programme_event *event = &list->items[i];
        double level = measure_db(event->level);
        double seconds = (double)event->frame_count / list->rate;
        if (event->kind != SIGNAL_TONE || told[i] || level <= rule.bound)
            continue;
        double hertz = asin(sqrt(event->figure) / 2.0) / 3.14159265358979323846 * list->rate;
        bool line_up = fabs(hertz / line_up_hz - 1.0) < 0.01;
        bool pop = line_up && seconds >= pop_seconds_min && seconds <= pop_seconds_max &&
                   !near_an_edge(self, event->frame);
        if (seconds < tone_seconds_min && !pop)
            continue;
        /* Any other pure tone may well be meant: a telephone, a machine. */
        rule.severity = line_up ? severity : FINDING_INFO;
        finding *item = signal_tell(self, &rule, event->channel, event->frame, event->frame + event->frame_count, level, "dBFS");
        gather_channels(self, list, i, list->rate / 20, told, item);
        if (item == NULL)
            continue;
        char place[PLACE_TEXT_SIZE];
        judgement_place(self, event->frame, place);
        item->details_json = arena_format(self->memory, "{\"frequency_hz\": %.1f}", hertz);
        item->message = arena_format(self->memory, "%s of %.0f Hz at %.1f dBFS for %.2f s from %s, in %s. If it belongs to a leader, cut it out of the programme.",
                                     pop ? "A pop" : "A pure tone", hertz, level, seconds, place, finding_channel_names(self->memory, item));
    }
    rule.severity = severity;
    signal_rule_close(self, &rule);
}

void judge_signal_events(judgement *self, const programme_signal *signal)
{
    event_list list = {.count = signal->event_count, .rate = self->timeline->sample_rate};
    list.items = arena_take_array(self->memory, list.count + 1, sizeof *list.items);
    bool *told = arena_take_array(self->memory, list.count + 1, sizeof *told);
    if (list.count > 0) {
        memcpy(list.items, signal->events, list.count * sizeof *list.items);
        qsort(list.items, list.count, sizeof *list.items, by_place);
    }
    judge_gaps(self, signal, &list, told);
    judge_clicks(self, &list, told);
    judge_tones(self, &list, told);
    if (signal->event_dropped > 0) {
        finding *item = judgement_add(self, "signal.click", FINDING_INFO);
        item->message = arena_format(self->memory, "%llu more events of the signal (clicks, edges, tones) were counted but not kept: there were over 80 of a kind in 6 s.",
                                     (unsigned long long)signal->event_dropped);
    }
}
