/*
 * Steady lines of the mains: one finding for each mains frequency and reel, with all its channels, harmonics and stretches. A
 * line that carries the sound and stops while the reel goes on is a note or a drone, and information.
 */
#include "coordinator/verdict/finding_places.h"
#include "coordinator/verdict/judge_signal.h"

#include <math.h>
#include <stdlib.h>

/* Ours; docs/qc-checks.md says what they find and miss. */
static const double hum_level_dbfs = -65.0;
static const double hum_over_neighbours_db = 10.0;
static const double hum_steady_db = 2.0;
enum { HUM_STRETCHES_MIN = 6 }; /* about 10 s */
/* Hum that comes and goes is the same one each time. */
enum { BURST_STRETCHES_MIN = 2, BURSTS_MIN = 3, BURSTS_STRETCHES_MIN = 8 };
static const double note_share_db = -12.0; /* of all that plays in its channel: hum lies under it */
static const double note_dbfs_min = -45.0; /* softer ones are the hum of a pause */
static const double drone_dbfs_min = -30.0; /* no hum that somebody let pass is as loud as that */
static const double gone_db = 6.0;
static const double through_share = 0.9;   /* of a reel: hum is there all the time */
static const double through_over_neighbours_db = 3.0;
static const double line_hertz[SIGNAL_HUM_LINES] = {50.0, 100.0, 150.0, 60.0, 120.0, 180.0};
enum { HARMONICS = 3, MAINS = SIGNAL_HUM_LINES / HARMONICS };

/* A line that stands at one level in one channel. */
typedef struct hum_run {
    uint32_t channel, line;
    int32_t reel;
    uint64_t start, end;
    size_t count;
    double sum_db;
    bool burst; /* one of several */
    bool note;
} hum_run;

typedef struct hum_list {
    hum_run *items;
    size_t count, capacity;
} hum_list;

static double level_of(const hum_run *run)
{
    return run->count > 0 ? run->sum_db / (double)run->count : -(double)INFINITY;
}

/* True where the line is there in the whole of its reel, louder sound over it or none, and so far over its neighbours. */
static bool goes_through(const judgement *self, const programme_signal *signal, const hum_run *run, double over_db)
{
    size_t all = 0, there = 0;
    for (size_t i = 0; i < signal->hum_count; i++) {
        const double line = signal_db((double)signal->hums[i].power[run->channel][0][run->line]);
        const double beside = signal_db((double)signal->hums[i].power[run->channel][1][run->line]);
        if (judgement_reel(self, signal->hums[i].frame) != run->reel)
            continue;
        all++;
        there += line + signal_db(2.0) > level_of(run) - gone_db && line > beside + over_db;
    }
    return (double)there >= through_share * (double)all;
}

/* How much of what plays in its channel a line is, in dB. */
static double share_of(const programme_signal *signal, const hum_run *run)
{
    double sum = 0.0, frames = 0.0;
    for (size_t b = 0; b < signal->block_count; b++) {
        const signal_block *block = &signal->blocks[b];
        if (block->frame < run->start || block->frame >= run->end)
            continue;
        sum += (double)block->energy[run->channel] * block->frame_count;
        frames += block->frame_count;
    }
    return level_of(run) - signal_db(2.0 * sum / frames); /* both of a full-scale sine */
}

/* And what stands beside a note: its harmonics, its other channels, and what comes before and after it likewise. */
static void find_notes(const judgement *self, const hum_list *list, const programme_signal *signal)
{
    for (size_t i = 0; i < list->count; i++) {
        hum_run *run = &list->items[i];
        run->note = level_of(run) > note_dbfs_min && share_of(signal, run) > note_share_db &&
                    (level_of(run) > drone_dbfs_min || !goes_through(self, signal, run, -(double)INFINITY));
    }
    for (size_t i = 0; i < list->count; i++) {
        hum_run *run = &list->items[i];
        bool beside = false;
        for (size_t k = 0; k < list->count && !run->note; k++) {
            const hum_run *other = &list->items[k];
            uint64_t start = other->start > run->start ? other->start : run->start;
            uint64_t end = other->end < run->end ? other->end : run->end;
            bool likewise = run->burst && other->burst && other->line == run->line && other->channel == run->channel &&
                            other->reel == run->reel;
            beside = beside || (other->note && other->line / HARMONICS == run->line / HARMONICS &&
                                (likewise || (end > start && end - start > (run->end - run->start) / 2)));
        }
        if (beside && !goes_through(self, signal, run, -(double)INFINITY))
            run->note = true;
    }
}

static void add_run(judgement *self, hum_list *list, const hum_run *run)
{
    list->items = arena_grow_array(self->memory, list->items, list->count, &list->capacity, sizeof *list->items);
    hum_run *kept = &list->items[list->count++];
    *kept = *run;
    kept->reel = judgement_reel(self, run->start);
}

/* Short ones wait for others like them. */
static void keep_run(judgement *self, hum_list *list, hum_list *bursts, const signal_rule *rule, const hum_run *run)
{
    if (run->count >= BURST_STRETCHES_MIN && level_of(run) > rule->bound)
        add_run(self, run->count >= HUM_STRETCHES_MIN ? list : bursts, run);
}

/* Those of a line and channel that come again and again in a reel at the level of one of them. */
static void keep_bursts(judgement *self, hum_list *list, hum_list *bursts)
{
    for (size_t i = 0; i < bursts->count; i++) {
        const hum_run middle = bursts->items[i];
        size_t runs = 0, stretches = 0;
        for (int pass = 0; pass < 2; pass++)
            for (size_t k = 0; k < bursts->count; k++) {
                hum_run *other = &bursts->items[k];
                if (other->reel != middle.reel || fabs(level_of(other) - level_of(&middle)) > hum_steady_db)
                    continue;
                runs += pass == 0;
                stretches += pass == 0 ? other->count : 0;
                other->burst = other->burst || (pass == 1 && runs >= BURSTS_MIN && stretches >= BURSTS_STRETCHES_MIN);
            }
    }
    for (size_t i = 0; i < bursts->count; i++)
        if (bursts->items[i].burst)
            add_run(self, list, &bursts->items[i]);
}

static void find_runs(judgement *self, hum_list *list, const signal_rule *rule, const programme_signal *signal, uint32_t channel,
                      uint32_t line)
{
    double ratio = pow(10.0, hum_over_neighbours_db / 10.0);
    hum_run run = {.channel = channel, .line = line};
    hum_list bursts = {0};
    for (size_t i = 0; i < signal->hum_count; i++) {
        const signal_hum *hum = &signal->hums[i];
        double power = (double)hum->power[channel][0][line];
        double level = signal_db(2.0 * power); /* of a full-scale sine */
        bool stands = power > ratio * (double)hum->power[channel][1][line];
        bool steady = stands && (run.count == 0 || fabs(level - level_of(&run)) <= hum_steady_db);
        if (!steady) {
            keep_run(self, list, &bursts, rule, &run);
            run = (hum_run){.channel = channel, .line = line};
        }
        if (!stands)
            continue;
        run.start = run.count == 0 ? hum->frame : run.start;
        run.end = hum->frame + hum->frame_count;
        run.count++;
        run.sum_db += level;
    }
    keep_run(self, list, &bursts, rule, &run);
    keep_bursts(self, list, &bursts);
}

static int by_start(const void *a, const void *b)
{
    const hum_run *left = a;
    const hum_run *right = b;
    if (left->start != right->start)
        return left->start < right->start ? -1 : 1;
    if (left->channel != right->channel)
        return left->channel < right->channel ? -1 : 1;
    return (int)left->line - (int)right->line;
}

static void sort_runs(hum_list *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, by_start);
}

/* Hum that bass covers at times is one from end to end. */
static void widen_runs(const judgement *self, hum_list *list, const programme_signal *signal)
{
    for (size_t i = 0; i < list->count; i++) {
        hum_run *run = &list->items[i];
        if (run->note || !goes_through(self, signal, run, through_over_neighbours_db))
            continue;
        for (size_t k = 0; k < signal->hum_count; k++) {
            const signal_hum *hum = &signal->hums[k];
            if (judgement_reel(self, hum->frame) != run->reel)
                continue;
            run->start = hum->frame < run->start ? hum->frame : run->start;
            run->end = hum->frame + hum->frame_count > run->end ? hum->frame + hum->frame_count : run->end;
        }
    }
    sort_runs(list);
}

/* All runs of a mains frequency in the reel of the first of them: those that are notes, or the others. */
static void tell_hum(judgement *self, signal_rule *rule, const hum_list *list, size_t first, uint32_t mains)
{
    bool note = list->items[first].note;
    const channel_layout *layout = channel_layout_get(self->deliverable->layout);
    finding_stretches all = {0};
    uint32_t channels = 0, lines = 0;
    const hum_run *loudest = &list->items[first];
    const char *runs = "";
    size_t run_count = 0;
    for (size_t i = first; i < list->count; i++) {
        const hum_run *run = &list->items[i];
        if (run->line / HARMONICS != mains || run->reel != list->items[first].reel || run->note != note)
            continue;
        finding_stretches_add(self, &all, run->start, run->end);
        channels |= 1U << run->channel;
        lines |= 1U << run->line % HARMONICS;
        loudest = level_of(run) > level_of(loudest) ? run : loudest;
        if (run_count++ >= VERDICT_RUNS_MAX)
            continue;
        runs = arena_format(self->memory, "%s%s{\"frequency_hz\": %.0f, \"channel\": \"%s\", \"start_sample\": %llu, \"end_sample\": %llu, \"level_dbfs\": %.1f}",
                            runs, runs[0] == '\0' ? "" : ", ", line_hertz[run->line], signal_channel_name(self, run->channel),
                            (unsigned long long)run->start, (unsigned long long)run->end, level_of(run));
    }
    finding *item = signal_tell(self, rule, loudest->channel, all.items[0].start, all.items[all.count - 1].end, level_of(loudest), "dBFS");
    if (item == NULL)
        return;
    finding_set_channels(item, layout, channels);
    item->mains_hz = line_hertz[mains * HARMONICS];
    item->subject = arena_format(self->memory, "%.0f Hz", item->mains_hz);
    const char *with = "";
    for (uint32_t k = 0; k < HARMONICS; k++)
        if ((lines >> k & 1U) != 0 && loudest->line % HARMONICS != k)
            with = arena_format(self->memory, "%s%s%.0f", with, with[0] == '\0' ? ", with " : " and ", line_hertz[mains * HARMONICS + k]);
    item->details_json = arena_format(self->memory, "{\"frequency_hz\": %.0f, \"run_count\": %zu, \"runs\": [%s]}", line_hertz[loudest->line], run_count, runs);
    if (note && rule->limit == NULL)
        item->severity = FINDING_INFO;
    item->message = arena_format(self->memory, note ? "A steady tone of %.0f Hz at %.1f dBFS%s%s in %s %s: it carries the sound there, as a note or a drone does. If neither is meant, it is the mains."
                                                    : "Hum of %.0f Hz at %.1f dBFS%s%s in %s %s: a steady line of the mains. Notch it out, or find the ground loop.",
                                 line_hertz[loudest->line], level_of(loudest), with, with[0] == '\0' ? "" : " Hz,", finding_channel_names(self->memory, item),
                                 finding_stretches_text(self, &all));
}

void judge_signal_hum(judgement *self, const programme_signal *signal)
{
    uint32_t channels = channel_layout_get(self->deliverable->layout)->channel_count;
    signal_rule rule = signal_rule_of(self, "signal.hum", hum_level_dbfs, true, FINDING_WARN);
    hum_list list = {0};
    for (uint32_t c = 0; c < channels; c++)
        for (uint32_t line = 0; line < SIGNAL_HUM_LINES; line++)
            find_runs(self, &list, &rule, signal, c, line);
    sort_runs(&list);
    find_notes(self, &list, signal);
    widen_runs(self, &list, signal);
    for (uint32_t mains = 0; mains < MAINS; mains++) {
        int32_t told[2] = {INT32_MIN, INT32_MIN}; /* runs of a reel stand together: they are in order of time */
        for (size_t i = 0; i < list.count; i++)
            if (list.items[i].line / HARMONICS == mains && list.items[i].reel != told[list.items[i].note]) {
                told[list.items[i].note] = list.items[i].reel;
                tell_hum(self, &rule, &list, i, mains);
            }
    }
    signal_rule_close(self, &rule);
    if (signal->hum_count < HUM_STRETCHES_MIN)
        signal_unjudged(self, "signal.hum", "the programme is too short to tell a steady line");
}
