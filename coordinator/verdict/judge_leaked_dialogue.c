/* Dialogue in a rendered M&E: what leaks of it into the stems that the M&E is made of. */
#include "coordinator/verdict/bleed_judgement.h"

#include <math.h>
#include <string.h>

static const double one_path = 0.75; /* confidence: of a reverb the correlation has many peaks, and none stands out so far */

/* A lane is in the mix, straight or turned in phase or ducked. */
static bool is_mixed(const bleed_judgement *self, uint32_t lane)
{
    const render_program *program = self->program;
    const render_output *mix = &program->outputs[self->base->deliverable->program_output];
    for (uint32_t i = 0; i < program->term_count; i++) {
        uint32_t to = program->terms[i].output;
        for (uint32_t k = 0; k < program->node_count; k++)
            if (to == program->output_lane_count + (uint32_t)program->nodes[k].side)
                to = program->nodes[k].output;
        if (program->terms[i].input == lane && to >= mix->first_lane &&
            to < mix->first_lane + channel_layout_get(mix->layout)->channel_count)
            return true;
    }
    return false;
}

static bool is_mixed_stem(const bleed_judgement *self, uint16_t stem)
{
    for (uint32_t lane = 0; lane < self->program->input_count; lane++)
        if (self->program->inputs[lane].stem == stem && is_mixed(self, lane))
            return true;
    return false;
}

static bool is_left_out_dialogue(const bleed_judgement *self, uint16_t stem)
{
    return self->base->show->stems[stem].role == ROLE_DIALOGUE && !is_mixed_stem(self, stem);
}

/* What a leak of the dialogue leaves in a stem that the M&E is made of, it leaves in the M&E. */
static void tell_leaked_dialogue(bleed_judgement *self, const bleed_cause *cause, const spec_limit *limit)
{
    judgement *base = self->base;
    const stem_bleed *leak = cause->pairs[0];
    const bleed_nature nature = bleed_nature_of(self, leak);
    const double gain_db = bleed_db(leak->gain);
    const double confidence = 1.0 - leak->chance / leak->score;
    const bool over = !(gain_db <= limit->max);
    const bool reverb = leak->delay_samples > BLEED_REVERB_S * base->timeline->sample_rate && confidence < one_path;
    const char *host = bleed_lane_stem(self, leak->host);
    finding *item = judgement_add(base, "me.dialogue",
                                  !over                                ? FINDING_INFO
                                  : nature.mains_hz > 0.0              ? FINDING_NOT_CHECKED
                                  : reverb || nature.shared            ? FINDING_WARN
                                                                       : judgement_breach(limit));
    judgement_limits(item, limit);
    judgement_locate(base, item, cause->start_frame, cause->end_frame);
    item->measured = gain_db;
    item->unit = "dB";
    bleed_name_channels(self, cause, true, item);
    item->subject = arena_format(base->memory, "%s in %s", bleed_lane_stem(self, leak->source), host);
    const char *advice =
        nature.mains_hz > 0.0 ? arena_format(base->memory, "It may be the mains hum of %.0f Hz that both hold: listen to %s alone.", nature.mains_hz, host)
        : nature.shared       ? arena_format(base->memory, "So much is no leak: the same sound is in both stems. If words are heard in %s alone, take them out.", host)
        : reverb              ? arena_format(base->memory, "It looks like a reverb of it. If words are understood in %s alone, print that again without.", host)
                              : arena_format(base->memory, "Print %s again without that send, and the M&E with it.", host);
    item->message = arena_format(base->memory, "The M&E is made of %s, and %s %s%s. %s", host, bleed_pairs_text(self, cause),
                                 judgement_stretch(base, cause->start_frame, cause->end_frame), bleed_further_text(base, cause),
                                 advice);
    item->details_json =
        arena_format(base->memory, "{\"fault\": \"extra\", \"source\": \"%s\", \"gain_db\": %.2f, \"delay_samples\": %d, \"confidence\": %.3f, \"pairs\": [%s]}",
                     bleed_lane_stem(self, leak->source), gain_db, leak->delay_samples, confidence, bleed_pairs_json(self, cause));
}

void judge_dialogue_unknown(judgement *base, const spec_limit *limit, const char *why)
{
    finding *item = judgement_add(base, "me.dialogue", FINDING_NOT_CHECKED);
    judgement_limits(item, limit);
    item->message = why;
}

/* How small a leak of the dialogue would have been found in what the M&E is made of; of the pair of which least is known. */
static void tell_dialogue_reach(bleed_judgement *self, const spec_limit *limit)
{
    judgement *base = self->base;
    bleed_reach_sum sum = {.source = "", .host = "", .unknown = ""};
    bool any = false;
    for (uint32_t a = 0; a < self->group_count; a++)
        for (uint32_t b = 0; b < self->group_count; b++) {
            stem_reach reach;
            if (!is_left_out_dialogue(self, self->stem_of[a]) || !is_mixed_stem(self, self->stem_of[b]) ||
                stem_bleed_reach(&reach, base->facts->stems, a, b) != STATUS_OK)
                continue;
            any = true;
            bleed_add_reach(base->memory, &sum, base->show->stems[self->stem_of[a]].name,
                            base->show->stems[self->stem_of[b]].name, &reach);
        }
    if (!any) {
        judge_dialogue_unknown(base, limit, "No dialogue stem is read with it, so dialogue was not looked for in what it is made of.");
        return;
    }
    const bool known = sum.worst.most > 0.0 && sum.unknown_count == 0;
    if (sum.unknown_count == 0 && (!known || bleed_db(sum.worst.most) <= limit->max))
        return;
    finding *item = judgement_add(base, "me.dialogue", FINDING_INFO);
    judgement_limits(item, limit);
    item->subject = "reach";
    item->measured = known ? bleed_db(sum.worst.most) : (double)NAN;
    item->unit = "dB";
    item->message = arena_format(base->memory, "It is the sum of stems without dialogue, and dialogue in them may be hidden below what plays there.%s",
                                 bleed_reach_known(base, &sum));
    item->details_json = arena_format(base->memory, "{%s}", bleed_reach_details(base, &sum));
}

void judge_leaked_dialogue(bleed_judgement *self, const spec_limit *limit)
{
    for (uint32_t i = 0; i < self->bleeds.count; i++) {
        const stem_bleed *leak = &self->bleeds.items[i];
        if (self->taken[i] || !is_left_out_dialogue(self, self->program->inputs[leak->source].stem) || !is_mixed(self, leak->host))
            continue;
        bleed_gather_cause(self, i);
        tell_leaked_dialogue(self, &self->cause, limit);
    }
    memset(self->taken, 0, sizeof self->taken);
    tell_dialogue_reach(self, limit);
}
