/* True peaks over the limit, what rendering clamped, and clipped runs: those within a second of each other are one finding, which
 * lists each place. */
#include "coordinator/verdict/finding_places.h"
#include "coordinator/verdict/verdict_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    PLACES_LISTED_MAX = 256, /* in the details of one finding */
    PLACES_TEXT_MAX = 1 << 16,
    /* A clipped place from which one is told as a warning; below, it is information. docs/qc-checks.md, peak.clipping. */
    CLIPPED_SAMPLES_MIN = 10,
    CLIPPED_STRETCHES_MIN = 3,
    CLIPPED_PROGRAMME_MIN = 10, /* stretches of a programme: Netflix' clipping inspector flags ten segments at the maximum */
};
static const double clipped_share_max = 1e-4; /* of a channel's samples, the same source */

/* Runs of one kind with less than a second between them. */
typedef struct peak_group {
    uint64_t start, end;
    size_t count;
    uint64_t sample_count;
    uint32_t channels; /* bits */
    const programme_run *worst;
    byte_writer places;
    size_t listed;
} peak_group;

static void group_add(peak_group *self, const judgement *base, const programme_run *run)
{
    uint64_t end = run->frame + run->frame_count;
    self->start = self->count == 0 ? run->frame : self->start;
    self->end = self->count == 0 || end > self->end ? end : self->end;
    self->count++;
    self->sample_count += run->sample_count;
    self->channels |= 1u << run->channel;
    if (self->worst == NULL || run->peak > self->worst->peak)
        self->worst = run;
    if (self->listed == PLACES_LISTED_MAX)
        return;
    char text[256];
    snprintf(text, sizeof text,
             "%s{\"channel\": \"%s\", \"start_sample\": %llu, \"end_sample\": %llu, \"samples\": %llu, \"peak_db\": %.2f}",
             self->listed++ == 0 ? "" : ", ",
             channel_label_name(channel_layout_get(base->deliverable->layout)->labels[run->channel]),
             (unsigned long long)run->frame, (unsigned long long)end, (unsigned long long)run->sample_count,
             measure_db(run->peak));
    byte_writer_bytes(&self->places, text, strlen(text));
}

/* The places as members of a JSON object. */
static const char *group_json(const judgement *base, const peak_group *self)
{
    const char *list = self->places.failed ? "" : arena_copy_bytes(base->memory, self->places.bytes, self->places.size);
    return arena_format(base->memory, "\"count\": %zu, \"all\": %s, \"places\": [%s]", self->count,
                        self->listed == self->count && !self->places.failed ? "true" : "false", list);
}

/* Subject, channels and place of a finding; returns "C at 01:00:00:00" or "L, R from 01:00:00:00 to 01:00:01:10". */
static const char *group_locate(judgement *base, const peak_group *self, finding *item)
{
    const channel_layout *layout = channel_layout_get(base->deliverable->layout);
    char from[PLACE_TEXT_SIZE], to[PLACE_TEXT_SIZE];
    /* Part of the id: a waiver covers what was there, not crests that come between the same ends later. */
    item->subject = arena_format(base->memory, "%zu places, %llu samples", self->count, (unsigned long long)self->sample_count);
    judgement_locate(base, item, self->start, self->end);
    finding_set_channels(item, layout, self->channels);
    const char *names = finding_channel_names(base->memory, item);
    judgement_place(base, self->start, from);
    judgement_place(base, self->end, to);
    return strcmp(from, to) == 0 ? arena_format(base->memory, "%s at %s", names, from)
                                 : arena_format(base->memory, "%s from %s to %s", names, from, to);
}

typedef void (*tell_group)(judgement *self, const peak_group *group);

/* Collects the runs of a kind over a peak and tells each group of them; returns how many were not told. */
static size_t each_group(judgement *self, uint8_t kind, double over_db, tell_group tell)
{
    size_t run_count = 0;
    const programme_run *runs = programme_measure_runs(self->facts->measure, &run_count);
    peak_group group = {0};
    size_t groups = 0;
    byte_writer_init(&group.places, PLACES_TEXT_MAX);
    for (size_t i = 0; i <= run_count; i++) {
        bool last = i == run_count;
        if (!last && (runs[i].kind != kind || !(verdict_displayed(measure_db(runs[i].peak)) > over_db)))
            continue;
        if (group.count > 0 && (last || runs[i].frame > group.end + self->timeline->sample_rate)) {
            if (groups++ < VERDICT_RUNS_MAX)
                tell(self, &group);
            byte_writer_reset(&group.places);
            group = (peak_group){.places = group.places};
        }
        if (!last)
            group_add(&group, self, &runs[i]);
    }
    byte_writer_deinit(&group.places);
    return groups > VERDICT_RUNS_MAX ? groups - VERDICT_RUNS_MAX : 0;
}

/* Stretches are located by what lies between samples; the highest of its channel may hold a sample that is higher still. */
static double true_peak_of(const judgement *self, const programme_run *run)
{
    size_t run_count = 0;
    const programme_run *runs = programme_measure_runs(self->facts->measure, &run_count);
    for (size_t i = 0; i < run_count; i++)
        if (runs[i].kind == PEAK_RUN_TRUE && runs[i].channel == run->channel && runs[i].peak > run->peak)
            return run->peak;
    return fmax(run->peak, self->verdict->peaks.channels[run->channel].true_peak);
}

double judgement_peak_before_clamping(const judgement *self, double peak_db, uint64_t start, uint64_t end, bool *out_clamped)
{
    size_t run_count = 0;
    const programme_run *runs = NULL; /* of figures alone nothing is known */
    double highest = peak_db;
    *out_clamped = false;
    if (self->facts->measure != NULL)
        runs = programme_measure_runs(self->facts->measure, &run_count);
    for (size_t i = 0; i < run_count; i++) {
        if (runs[i].kind != PEAK_RUN_OVERLOAD || runs[i].frame >= end || runs[i].frame + runs[i].frame_count <= start)
            continue;
        *out_clamped = true;
        highest = fmax(highest, measure_db(runs[i].peak));
    }
    return verdict_displayed(highest);
}

/* "by 2.1 dB", "by at least 2.1 dB" */
static const char *lower_by(judgement *self, double db, bool clamped)
{
    return arena_format(self->memory, "by %s%.1f dB", clamped ? "at least " : "", db);
}

static void tell_true_peaks(judgement *self, const peak_group *group)
{
    const spec_limit *limit = judgement_limit(self, "peak.true");
    double worst = measure_db(true_peak_of(self, group->worst));
    double shown = verdict_displayed(worst);
    finding *item = judgement_add(self, "peak.true", judgement_breach(limit));
    judgement_limits(item, limit);
    const char *where = group_locate(self, group, item);
    item->measured = worst;
    bool clamped = false;
    double over = judgement_peak_before_clamping(self, worst, group->start, group->end, &clamped) - limit->max;
    item->details_json = arena_format(self->memory, "{\"trim_db\": %.6g, \"clamped\": %s, %s}", -over, clamped ? "true" : "false", group_json(self, group));
    if (group->count == 1) {
        item->message = arena_format(self->memory, "True peak of %.1f dBTP in %s; at most %.1f dBTP is allowed. Lower it %s there.",
                                     shown, where, limit->max, lower_by(self, over, clamped));
        return;
    }
    char place[PLACE_TEXT_SIZE];
    judgement_place(self, group->worst->frame, place);
    const channel_layout *layout = channel_layout_get(self->deliverable->layout);
    item->message = arena_format(self->memory, "%zu true peaks over the %.1f dBTP that are allowed in %s; the highest is %.1f dBTP in %s at %s. Lower the passage %s, or limit it.",
                                 group->count, limit->max, where, shown, channel_label_name(layout->labels[group->worst->channel]),
                                 place, lower_by(self, over, clamped));
}

static bool overloads_in(const judgement *self, uint64_t start, uint64_t end)
{
    size_t run_count = 0;
    const programme_run *runs = programme_measure_runs(self->facts->measure, &run_count);
    for (size_t i = 0; i < run_count; i++)
        if (runs[i].kind == PEAK_RUN_OVERLOAD && runs[i].frame < end && runs[i].frame + runs[i].frame_count > start)
            return true;
    return false;
}

/* True where the programme as a whole is clipped, however short each place is. */
static bool clipped_throughout(const judgement *self)
{
    size_t run_count = 0;
    const programme_run *runs = programme_measure_runs(self->facts->measure, &run_count);
    uint64_t samples[LAYOUT_CHANNELS_MAX] = {0};
    size_t stretches = 0;
    for (size_t i = 0; i < run_count; i++)
        if (runs[i].kind == PEAK_RUN_CLIP) {
            stretches++;
            samples[runs[i].channel] += runs[i].sample_count;
        }
    bool share = false;
    for (uint32_t c = 0; c < LAYOUT_CHANNELS_MAX; c++)
        share = share || (double)samples[c] > clipped_share_max * (double)self->timeline->frame_count;
    return stretches >= CLIPPED_PROGRAMME_MIN || share;
}

/* What rendering clamped is told by render.overload, as the recipe wants it. */
static finding_severity clipping_severity(const judgement *self, const peak_group *group)
{
    const spec_limit *limit = judgement_limit(self, "peak.clipping");
    if (limit != NULL)
        return judgement_breach(limit);
    if (overloads_in(self, group->start, group->end))
        return FINDING_INFO;
    bool much = group->sample_count >= CLIPPED_SAMPLES_MIN || group->count >= CLIPPED_STRETCHES_MIN || clipped_throughout(self);
    return much ? FINDING_WARN : FINDING_INFO;
}

static void tell_clipping(judgement *self, const peak_group *group)
{
    const spec_limit *limit = judgement_limit(self, "peak.clipping");
    finding *item = judgement_add(self, "peak.clipping", clipping_severity(self, group));
    if (limit != NULL)
        judgement_limits(item, limit);
    const char *where = group_locate(self, group, item);
    item->measured = (double)group->sample_count;
    item->unit = "samples";
    item->details_json = arena_format(self->memory, "{%s}", group_json(self, group));
    const char *level = "full scale";
    if (verdict_displayed(measure_db(group->worst->peak)) < 0.0)
        level = arena_format(self->memory, "%.1f dBFS, the highest level there is,", measure_db(group->worst->peak));
    item->message = arena_format(self->memory, "Clipped: %llu samples stand at %s in %s, in runs of three or more%s. Listen there, and print it again from the mix if it is heard.",
                                 (unsigned long long)group->sample_count, level, where,
                                 group->count == 1 ? "" : arena_format(self->memory, ", at %zu places", group->count));
}

/* ---- overload: what rendering had to clamp; a received file has none ---- */

static finding_severity overload_severity(const judgement *self)
{
    return self->show->deliverables[self->facts->deliverable].recipe->overload == OVERLOAD_FAIL ? FINDING_FAIL : FINDING_INFO;
}

static double worst_overload_db(const judgement *self)
{
    double worst = 0.0;
    for (uint32_t c = 0; c < channel_layout_get(self->deliverable->layout)->channel_count; c++)
        worst = fmax(worst, self->verdict->peaks.channels[c].mix_peak);
    return measure_db(worst);
}

/* In tenths of a dB, as a fader moves. */
static double overload_trim_db(double over_db)
{
    return -ceil(over_db * 10.0) / 10.0;
}

static finding *add_overload(judgement *self, double measured)
{
    finding *item = judgement_add(self, "render.overload", overload_severity(self));
    item->measured = measured;
    item->max = 0.0;
    item->unit = "dBFS";
    return item;
}

static void tell_overload(judgement *self, const peak_group *group)
{
    double over = measure_db(group->worst->peak);
    finding *item = add_overload(self, over);
    const char *where = group_locate(self, group, item);
    item->details_json = arena_format(self->memory, "{\"trim_db\": %.1f, %s}", overload_trim_db(over), group_json(self, group));
    const char *much = over < 0.01 ? "less than 0.01 dB" : arena_format(self->memory, "%.2f dB", over);
    const char *how = group->count == 1 ? arena_format(self->memory, "%s over full scale in %s", much, where)
                                        : arena_format(self->memory, "over full scale in %s at %zu places, by %s at the highest", where, group->count, much);
    item->message = arena_format(self->memory, "The sum of the stems goes %s (%llu sample%s clamped). Lower the stems there, or give this deliverable a gain of %.1f dB.",
                                 how, (unsigned long long)group->sample_count,
                                 group->sample_count == 1 ? " was" : "s were", overload_trim_db(worst_overload_db(self)));
}

static void judge_overload(judgement *self)
{
    const peak_figures *peaks = &self->verdict->peaks;
    if (!self->deliverable->rendered || peaks->overload_count == 0)
        return;
    size_t before = self->verdict->findings.count;
    size_t left_out = each_group(self, PEAK_RUN_OVERLOAD, -(double)INFINITY, tell_overload);
    if (self->verdict->findings.count == before) { /* counted, and nowhere located */
        double over = worst_overload_db(self);
        finding *item = add_overload(self, over);
        item->subject = arena_format(self->memory, "%llu samples", (unsigned long long)peaks->overload_count);
        item->message = arena_format(self->memory, "%llu samples of the sum were over full scale, by up to %.2f dB, and were clamped. Give this deliverable a gain of %.1f dB.",
                                     (unsigned long long)peaks->overload_count, over, overload_trim_db(over));
        item->details_json = arena_format(self->memory, "{\"trim_db\": %.1f}", overload_trim_db(over));
    }
    judgement_tell_rest(self, "render.overload", overload_severity(self), left_out);
}

/*
 * The programme's own true peak and the place where it is are one cause: where the places are all told and the highest is among
 * them, they say it. first: of the places' findings.
 */
static void drop_programme_peak(judgement *self, const spec_limit *limit, size_t first)
{
    finding_list *list = &self->verdict->findings;
    double highest = -(double)INFINITY;
    for (size_t i = first; i < list->count; i++)
        highest = fmax(highest, list->items[i].measured);
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        const finding *item = &list->items[i];
        if (i >= first || item->rule != limit || item->has_range || !(item->measured <= highest))
            list->items[kept++] = *item;
    }
    list->count = kept;
}

void judge_peaks(judgement *self)
{
    const spec_limit *limit = judgement_limit(self, "peak.true");
    if (limit != NULL && !isnan(limit->max)) {
        size_t first = self->verdict->findings.count;
        size_t left_out = each_group(self, PEAK_RUN_TRUE, limit->max, tell_true_peaks);
        if (left_out == 0 && self->verdict->peaks.run_dropped == 0)
            drop_programme_peak(self, limit, first);
        judgement_tell_rest(self, "peak.true", judgement_breach(limit), left_out);
    }
    limit = judgement_limit(self, "peak.clipping");
    size_t left_out = each_group(self, PEAK_RUN_CLIP, -(double)INFINITY, tell_clipping);
    judgement_tell_rest(self, "peak.clipping", limit == NULL ? FINDING_INFO : judgement_breach(limit), left_out);
    judge_overload(self);
}
