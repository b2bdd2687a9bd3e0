#include "coordinator/verdict/verdict_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LIMITED_TEXT_MAX = 1 << 20 };

void judgement_tell_rest(judgement *self, const char *check, finding_severity severity, size_t left_out)
{
    if (left_out == 0)
        return;
    finding *item = judgement_add(self, check, severity);
    const spec_limit *limit = judgement_limit(self, check);
    if (limit != NULL && severity == judgement_breach(limit))
        item->rule = limit;
    item->subject = arena_format(self->memory, "%zu places", left_out); /* no waiver covers more of them */
    item->message = arena_format(self->memory, "%zu more places of %s are not listed one by one.", left_out, check);
}

/* Everything that a limiter did, in one finding: the deepest place in words, all places in the details. */
static void judge_limited(judgement *self, const programme_run *runs, size_t run_count)
{
    const recipe *made_by = self->show->deliverables[self->facts->deliverable].recipe;
    if (made_by == NULL || !made_by->limits)
        return;
    const programme_run *deepest = NULL;
    size_t count = 0;
    const char *list = "";
    byte_writer text;
    byte_writer_init(&text, LIMITED_TEXT_MAX);
    for (size_t i = 0; i < run_count; i++) {
        const programme_run *run = &runs[i];
        if (run->kind != PEAK_RUN_LIMITED)
            continue;
        if (deepest == NULL || run->peak > deepest->peak)
            deepest = run;
        char start[PLACE_TEXT_SIZE];
        char end[PLACE_TEXT_SIZE];
        char line[4 * PLACE_TEXT_SIZE + 256];
        judgement_place(self, run->frame, start);
        judgement_place(self, run->frame + run->frame_count, end);
        int32_t reel = judgement_reel(self, run->frame);
        snprintf(line, sizeof line,
                 "%s{\"reel\": \"%s\", \"start_sample\": %llu, \"end_sample\": %llu, \"from\": \"%s\", \"to\": \"%s\", "
                 "\"reduction_db\": %.2f}",
                 count == 0 ? "" : ", ", reel < 0 ? "" : self->show->reels[reel].name, (unsigned long long)run->frame,
                 (unsigned long long)(run->frame + run->frame_count), start, end, measure_db(run->peak));
        byte_writer_bytes(&text, line, strlen(line));
        count++;
    }
    bool whole = !text.failed && !self->verdict->peaks.limited_dropped;
    if (text.size > 0 && !text.failed)
        list = arena_copy_bytes(self->memory, text.bytes, text.size);
    byte_writer_deinit(&text);
    finding *item = judgement_add(self, "render.limited", FINDING_INFO);
    item->unit = "dB";
    double ceiling = measure_db(made_by->limiter.ceiling);
    item->details_json = arena_format(self->memory, "{\"ceiling_dbtp\": %.2f, \"all\": %s, \"reductions\": [%s]}", ceiling,
                                      whole ? "true" : "false", list);
    if (deepest == NULL) {
        item->measured = 0.0;
        item->message = arena_format(self->memory, "The limiter to %.1f dBTP had nothing to do.", ceiling);
        return;
    }
    char place[PLACE_TEXT_SIZE];
    judgement_place(self, deepest->frame, place);
    item->measured = measure_db(deepest->peak);
    judgement_locate(self, item, deepest->frame, deepest->frame + deepest->frame_count);
    item->message = arena_format(self->memory, "The limiter to %.1f dBTP lowered the programme in %zu places, most by %.2f dB at %s; the details list %s. Listen there.",
                                 ceiling, count, measure_db(deepest->peak), place, whole ? "them all" : "those that were located");
}

/* A cell locates PEAK_RUNS_MAX stretches; what it dropped may hold any kind. Figures and counts of samples are exact. */
static void judge_dropped(judgement *self, const programme_run *runs, size_t run_count)
{
    uint64_t dropped = self->verdict->peaks.run_dropped;
    if (dropped == 0)
        return;
    const spec_limit *limit = judgement_limit(self, "peak.clipping");
    bool clipped = false;
    for (size_t i = 0; i < run_count; i++)
        clipped = clipped || runs[i].kind == PEAK_RUN_CLIP;
    finding *item = judgement_add(self, "peak.clipping",
                                  limit != NULL && !clipped ? FINDING_NOT_CHECKED : FINDING_INFO);
    if (limit != NULL && !clipped)
        judgement_limits(item, limit);
    item->subject = arena_format(self->memory, "%llu places", (unsigned long long)dropped);
    item->details_json = arena_format(self->memory, "{\"places_not_located\": %llu}", (unsigned long long)dropped);
    item->message = arena_format(self->memory, "%llu more places near or over full scale exist than the %d located in every 6.4 s; the highest peaks are exact, but clipped places may be among them that are not listed. Lower the mix well below full scale and judge it again.",
                                 (unsigned long long)dropped, PEAK_RUNS_MAX);
}

void judge_runs(judgement *self)
{
    size_t run_count = 0;
    const programme_run *runs = programme_measure_runs(self->facts->measure, &run_count);
    judge_peaks(self);
    judge_limited(self, runs, run_count);
    judge_dropped(self, runs, run_count);
    if (self->verdict->peaks.nonfinite_count > 0) {
        finding *item = judgement_add(self, "peak.sample", FINDING_FAIL);
        item->subject = arena_format(self->memory, "%llu samples", (unsigned long long)self->verdict->peaks.nonfinite_count);
        item->message = arena_format(self->memory, "%llu samples are no numbers (NaN or infinite) and were taken as silence. The file was damaged or written by a faulty plug-in; export it again.",
                                     (unsigned long long)self->verdict->peaks.nonfinite_count);
    }
}
