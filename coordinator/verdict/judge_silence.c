#include "coordinator/verdict/verdict_parts.h"

#include <math.h>

/*
 * The absolute gate of BS.1770-5: what lies below is no part of a programme's loudness. It is above the noise of 16 bits
 * with TPDF dither (-96.3 dB). Three seconds: the shortest stretch that file checkers in use report.
 */
static const double silence_lufs = -70.0;
static const double silence_seconds = 3.0;
enum { STEP_MS = 100 };

/* A single stem or a narration is silent most of the time, and that says nothing. */
static bool holds_one_role(const judgement *self)
{
    const recipe *made_by = self->show->deliverables[self->facts->deliverable].recipe;
    return made_by != NULL && (made_by->takes_stem || made_by->role_count == 1);
}

/* A stretch worth telling, of which `listed` came before it. */
static void tell_silence(judgement *self, const spec_limit *limit, uint64_t start, uint64_t end, size_t *listed)
{
    double seconds = (double)(end - start) / (double)self->timeline->sample_rate;
    /* A limit alone decides what is told; a NAN in it compares false. */
    if (limit == NULL ? seconds < silence_seconds : !(seconds > limit->max))
        return;
    if ((*listed)++ >= VERDICT_RUNS_MAX)
        return;
    finding *item = judgement_add(self, "signal.silence", limit == NULL ? FINDING_INFO : judgement_breach(limit));
    if (limit != NULL)
        judgement_limits(item, limit);
    char place[PLACE_TEXT_SIZE];
    judgement_place(self, start, place);
    item->has_range = true;
    item->start_sample = start;
    item->end_sample = end;
    item->reel = judgement_reel(self, start);
    item->measured = seconds;
    item->unit = "s";
    item->message = arena_format(self->memory, "Silence for %.1f s from %s (below %.0f LUFS in every %d ms). If it is not meant, look for a muted track or a missing file there.",
                                 seconds, place, silence_lufs, STEP_MS);
}

void judge_silence(judgement *self)
{
    const spec_limit *limit = judgement_limit(self, "signal.silence");
    if (limit == NULL && holds_one_role(self))
        return;
    size_t listed = 0;
    uint32_t rate = self->timeline->sample_rate;
    uint64_t steps = cell_measure_slot_of(self->timeline->frame_count, rate) * 10 / STEP_MS;
    double *levels = arena_take_array(self->memory, steps + 1, sizeof *levels);
    size_t count = programme_measure_curve(self->facts->measure, STEP_MS, STEP_MS, levels, steps);
    size_t first = 0; /* of the stretch that is silent up to here */
    for (size_t i = 0; i <= count; i++) {
        if (i < count && levels[i] < silence_lufs)
            continue;
        if (i > first) {
            /* The rest behind the last whole step is too short to be told from what is before it. */
            uint64_t end = i == count ? self->timeline->frame_count : cell_measure_slot_frame(i * (STEP_MS / 10), rate);
            tell_silence(self, limit, cell_measure_slot_frame(first * (STEP_MS / 10), rate), end, &listed);
        }
        first = i + 1;
    }
    judgement_tell_rest(self, "signal.silence", limit == NULL ? FINDING_INFO : judgement_breach(limit),
                        listed > VERDICT_RUNS_MAX ? listed - VERDICT_RUNS_MAX : 0);
}
