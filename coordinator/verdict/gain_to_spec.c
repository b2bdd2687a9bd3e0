/* The gain that brings a programme to the loudness its spec aims at. */
#include "coordinator/verdict/verdict.h"

#include "common/base/plain_math.h"

#include <math.h>
#include <string.h>

enum { GAIN_STEPS = 8 };
static const double gain_largest_db = 60.0;

/* The limit that a person would aim at: the first target for loudness that is in force for this layout and share of speech. */
static const spec_limit *target_of(const spec *rules, const char *layout, const programme_verdict *figures)
{
    for (uint32_t i = 0; i < rules->limit_count; i++) {
        const spec_limit *limit = &rules->limits[i];
        bool dialogue = strcmp(limit->check, "loudness.dialogue") == 0;
        bool depends = limit->speech_at_least > 0.0 || limit->speech_below > 0.0;
        if ((!dialogue && strcmp(limit->check, "loudness.integrated") != 0) || isnan(limit->target) ||
            (limit->layout != NULL && strcmp(limit->layout, layout) != 0) || !verdict_in_force(figures, limit))
            continue;
        if (isnan(figures->dialogue.speech_share) && (dialogue || depends))
            continue; /* no dialogue stem says whether it is in force */
        return limit;
    }
    return NULL;
}

/* What is quieter than -70 LUFS with the gain and without it differs, so the gain is approached in steps. */
static double gain_for(const programme_measure *measure, double lufs, double target)
{
    double gain_db = target - lufs;
    for (int i = 0; i < GAIN_STEPS && isfinite(gain_db); i++)
        gain_db += target - programme_measure_integrated_at(measure, power_of_ten(gain_db / 20.0));
    return gain_db;
}

status verdict_gain_to_spec(const programme_facts *facts, double *out_gain_db, error_detail *detail)
{
    const show_deliverable *wanted = &facts->plan->show->deliverables[facts->deliverable];
    const char *layout = channel_layout_get(facts->plan->deliverables[facts->deliverable].layout)->name;
    uint64_t frames = programme_measure_frame_count(facts->measure);
    programme_verdict figures = {.loudness = programme_measure_loudness(facts->measure, 0, frames),
                                 .dialogue = speech_measure_dialogue(facts->measure, facts->speech, 0, frames)};
    const spec_limit *limit = target_of(wanted->spec, layout, &figures);
    if (limit == NULL)
        return error_detail_set(detail, STATUS_INPUT_INVALID,
                                "deliverable %s: gain is {to: spec}, but spec %s aims at no loudness that a %s programme with "
                                "this share of speech has; choose another spec or give the gain in dB",
                                wanted->name, wanted->spec_name, layout);
    bool dialogue = strcmp(limit->check, "loudness.dialogue") == 0;
    double lufs = dialogue ? figures.dialogue.lufs : figures.loudness.integrated_lufs;
    double gain_db = dialogue ? limit->target - lufs : gain_for(facts->measure, lufs, limit->target);
    if (!(fabs(gain_db) <= gain_largest_db))
        return error_detail_set(detail, STATUS_INPUT_INVALID,
                                "deliverable %s: gain is {to: spec}, but its programme %s, and a gain to %.1f LUFS may be at most "
                                "%.0f dB; look at its stems, or give the gain in dB",
                                wanted->name, isnan(gain_db) ? "is silent or too short for a loudness" : "is too far off",
                                limit->target, gain_largest_db);
    *out_gain_db = round(gain_db * 100.0) / 100.0;
    return STATUS_OK;
}
