#include "coordinator/verdict/verdict_parts.h"

#include <math.h>

/* The short-term window of EBU Tech 3341, once on each side of the join, and the absolute gate of BS.1770-5. */
enum { JOIN_SECONDS = 3 };
static const double silence_lufs = -70.0;
/* Steps below this are what any two scenes may have; without a limit they are not worth a reader's time. */
static const double told_lu = 3.0;

/* Loudness of the 3 s that end (or begin) at a frame, on whole 10 ms slots; NAN in silence and where there is less. */
static double beside(const judgement *self, uint64_t first, uint64_t end)
{
    double lufs = programme_measure_loudness(self->facts->measure, first, end).max_short_term_lufs;
    return lufs > silence_lufs ? lufs : (double)NAN;
}

static void judge_join(judgement *self, const spec_limit *limit, const plan_piece *before, const plan_piece *after)
{
    uint64_t join = after->programme_frame;
    /* One slot more than the window, because edges of slots need not meet the join. */
    uint64_t window = (uint64_t)JOIN_SECONDS * self->timeline->sample_rate + self->timeline->sample_rate / 100;
    uint64_t first = before->frame_count > window ? join - window : before->programme_frame;
    uint64_t end = after->frame_count > window ? join + window : join + after->frame_count;
    double left = beside(self, first, join);
    double right = beside(self, join, end);
    double step = right - left;
    char place[PLACE_TEXT_SIZE];
    judgement_place(self, join, place);
    const char *reels[] = {self->show->reels[before->reel].name, self->show->reels[after->reel].name};
    if (isnan(step)) {
        if (limit == NULL)
            return;
        finding *item = judgement_add(self, "join.level", FINDING_NOT_CHECKED);
        judgement_limits(item, limit);
        item->message = arena_format(self->memory, "The join of %s and %s at %s has silence, or less than 3 s of a reel, on one side: there is no step to judge.",
                                     reels[0], reels[1], place);
        return;
    }
    double shown = fabs(verdict_displayed(step));
    if (limit == NULL && shown < told_lu)
        return;
    bool over = limit != NULL && shown > limit->max; /* a NAN limit compares false */
    finding *item = judgement_add(self, "join.level", over ? judgement_breach(limit) : FINDING_INFO);
    if (limit != NULL)
        judgement_limits(item, limit);
    item->has_range = true;
    item->start_sample = first;
    item->end_sample = end;
    item->reel = after->reel;
    item->measured = step;
    item->unit = "LU";
    const char *least = over ? arena_format(self->memory, ", \"head_least_db\": %.1f", copysign(shown - limit->max, -step)) : "";
    item->details_json = arena_format(self->memory, "{\"before_lufs\": %.1f, \"behind_lufs\": %.1f, \"head_to_match_db\": %.1f%s}", left, right,
                                      -verdict_displayed(step), least);
    item->message = arena_format(self->memory, "%s begins %.1f LU %s than %s ends at %s (3 s on each side). Listen across the join; if the scene does not ask for it, match the reels there.",
                                 reels[1], shown, step < 0.0 ? "softer" : "louder", reels[0], place);
}

/* ---- peaks that neither reel has alone ---- */

/* A true peak that begins and ends this near to a join is made by the jump there: the filter of BS.1770-5 reaches 6 frames. */
enum { JOIN_PEAK_FRAMES = 12 };

static void judge_join_peaks(judgement *self, uint64_t join, const char *const reels[2])
{
    const spec_limit *limit = judgement_limit(self, "join.peak");
    const spec_limit *allowed = limit != NULL ? limit : judgement_limit(self, "peak.true");
    double bound = allowed == NULL || isnan(allowed->max) ? 0.0 : allowed->max;
    size_t run_count = 0;
    const programme_run *runs = programme_measure_runs(self->facts->measure, &run_count);
    programme_run worst = {0};
    finding *item = NULL;
    for (size_t i = 0; i < run_count; i++) {
        const programme_run *run = &runs[i];
        if (run->kind != PEAK_RUN_TRUE || run->frame + JOIN_PEAK_FRAMES < join ||
            run->frame + run->frame_count > join + JOIN_PEAK_FRAMES)
            continue;
        if (item == NULL)
            item = judgement_add(self, "join.peak", FINDING_INFO);
        item->channels[item->channel_count++] =
            channel_label_name(channel_layout_get(self->deliverable->layout)->labels[run->channel]);
        worst = run->peak > worst.peak ? *run : worst;
    }
    if (item == NULL)
        return;
    double shown = verdict_displayed(measure_db(worst.peak));
    char place[PLACE_TEXT_SIZE];
    judgement_place(self, join, place);
    if (shown > bound)
        item->severity = limit != NULL ? judgement_breach(limit) : FINDING_WARN;
    if (limit != NULL)
        judgement_limits(item, limit);
    judgement_locate(self, item, worst.frame, worst.frame + worst.frame_count);
    item->measured = measure_db(worst.peak);
    item->unit = "dBTP";
    if (shown > bound) {
        bool clamped = false;
        double before = judgement_peak_before_clamping(self, item->measured, item->start_sample, item->end_sample, &clamped);
        item->details_json = arena_format(self->memory, "{\"trim_db\": %.6g, \"clamped\": %s}", bound - before, clamped ? "true" : "false");
    }
    item->message = arena_format(self->memory, "Where %s meets %s at %s, the sound jumps: a true peak of %.1f dBTP that neither reel has beside the join. Cross-fade there, or cut where both agree.",
                                 reels[0], reels[1], place, shown);
}

/* ---- tails ---- */

static const double tail_ms = 150.0;
static const double tail_dbfs = -50.0;   /* louder than this, a reel ends in sound */
static const double end_dbfs = -40.0;    /* and a programme: below, a short fade over noise ends so */
static const double nothing_dbfs = -70.0;

/* Mean power of the loudest channel over the blocks in first..end; NAN if there is none. */
static double loudest_power(const programme_signal *signal, uint32_t channels, uint64_t first, uint64_t end)
{
    double loudest = (double)NAN;
    for (uint32_t c = 0; c < channels; c++) {
        double sum = 0.0;
        double frames = 0.0;
        for (size_t b = 0; b < signal->block_count; b++)
            if (signal->blocks[b].frame >= first && signal->blocks[b].frame + signal->blocks[b].frame_count <= end) {
                sum += (double)signal->blocks[b].energy[c] * signal->blocks[b].frame_count;
                frames += signal->blocks[b].frame_count;
            }
        if (frames > 0.0)
            loudest = fmax(loudest, sum / frames); /* fmax passes over a NAN */
    }
    return loudest;
}

static void tell_tail(judgement *self, uint64_t first, uint64_t end, double dbfs, const char *sentence)
{
    const spec_limit *limit = judgement_limit(self, "join.tail");
    bool over = limit != NULL && verdict_displayed(dbfs) > limit->max;
    finding *item = judgement_add(self, "join.tail", over ? judgement_breach(limit) : FINDING_INFO);
    if (limit != NULL)
        judgement_limits(item, limit);
    judgement_locate(self, item, first, end);
    item->measured = dbfs;
    item->unit = "dBFS";
    if (over)
        item->details_json = arena_format(self->memory, "{\"trim_db\": %.6g}", limit->max - verdict_displayed(dbfs));
    item->message = sentence;
}

/*
 * Sound up to the last frame of a reel, and nothing behind it: a tail that was left outside the cut, or a hard cut. Behind the
 * last reel there is never anything.
 */
static void judge_tail(judgement *self, const plan_piece *piece, const plan_piece *next)
{
    const programme_signal *signal = programme_measure_signal(self->facts->measure);
    if (signal == NULL || (signal->groups & SIGNAL_GROUP_SOUND) == 0)
        return;
    uint32_t channels = channel_layout_get(self->deliverable->layout)->channel_count;
    uint64_t end = piece->programme_frame + piece->frame_count;
    uint64_t reach = (uint64_t)(tail_ms / 1000.0 * self->timeline->sample_rate);
    uint64_t first = end < reach ? 0 : end - reach;
    double before = 10.0 * log10(loudest_power(signal, channels, first, end));
    double behind = 10.0 * log10(loudest_power(signal, channels, end, end + reach));
    if (!(before > (next == NULL ? end_dbfs : tail_dbfs)) || (next != NULL && !(behind < nothing_dbfs)))
        return;
    char place[PLACE_TEXT_SIZE];
    judgement_place(self, end, place);
    const char *reel = self->show->reels[piece->reel].name;
    const char *other = next == NULL ? "" : self->show->reels[next->reel].name;
    tell_tail(self, first, end, before,
              next == NULL
                  ? arena_format(self->memory, "The programme sounds at %.1f dBFS up to its last frame at %s and stops there. If it should ring out or fade, its tail was cut off: look behind the last frame of action of %s.",
                                 before, place, reel)
                  : arena_format(self->memory, "%s sounds at %.1f dBFS up to its last frame at %s, and %s begins in silence. If that is no hard cut, the tail lies behind the last frame of action: let it ring into %s.",
                                 reel, before, place, other, other));
}

void judge_joins(judgement *self)
{
    static const char *const checks[] = {"join.gap", "join.peak", "join.overlap", "join.tail", "join.level"};
    bool whole = self->timeline->piece_count > 0 && self->timeline->pieces[0].spans_reels;
    for (size_t i = 0; whole && i < sizeof checks / sizeof checks[0]; i++)
        judgement_cannot(self, checks[i], "How its reels meet", "it is not known where they begin in it");
    const spec_limit *limit = judgement_limit(self, "join.level");
    const spec_limit *peak = judgement_limit(self, "join.peak");
    bool quieter = peak != NULL && peak->max < PEAK_LOCATE_DBTP && measure_db(self->verdict->peaks.true_peak) > peak->max;
    if (quieter && self->timeline->piece_count > 1 && !whole)
        judgement_cannot(self, "join.peak", "What joins jump by", "places of true peaks are known above -3.5 dBTP, and the spec allows less");
    for (uint32_t i = 1; i < self->timeline->piece_count; i++) {
        const plan_piece *before = &self->timeline->pieces[i - 1];
        const plan_piece *after = &self->timeline->pieces[i];
        if (before->spans_reels || after->spans_reels || before->reel == after->reel)
            continue;
        judge_join(self, limit, before, after);
        const char *const reels[] = {self->show->reels[before->reel].name, self->show->reels[after->reel].name};
        judge_join_peaks(self, after->programme_frame, reels);
        judge_tail(self, before, after);
        judge_join_overlap(self, before, after);
    }
    /* Where a show says where its action ends; any other file may be an excerpt. */
    const plan_piece *last = self->timeline->piece_count == 0 ? NULL : &self->timeline->pieces[self->timeline->piece_count - 1];
    uint64_t edge = 0;
    if (last != NULL && last->reel < self->show->reel_count && plan_reel_edges(&self->show->reels[last->reel], &edge))
        judge_tail(self, last, NULL);
}
