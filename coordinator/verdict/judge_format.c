#include "coordinator/verdict/verdict_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *allowed_words(judgement *self, const spec_limit *limit)
{
    const char *text = limit->word_count > 0 ? limit->words[0] : "";
    for (uint32_t i = 1; i < limit->word_count; i++)
        text = arena_format(self->memory, "%s, %s", text, limit->words[i]);
    return text;
}

/* Which of the programme's files it is: its channel and its reel stay when names change from version to version. */
static void name_file(finding *item, const file_form *form)
{
    item->reel = form->reel;
    if (form->channel != CHANNEL_NONE)
        item->channels[item->channel_count++] = channel_label_name(form->channel);
}

static void judge_word(judgement *self, const spec_limit *limit, const char *what, const char *found,
                       const file_form *form)
{
    for (uint32_t i = 0; i < limit->word_count; i++)
        if (strcmp(limit->words[i], found) == 0)
            return;
    finding *item = judgement_add(self, limit->check, judgement_breach(limit));
    judgement_limits(item, limit);
    item->measured_word = found;
    item->limit_words = allowed_words(self, limit);
    name_file(item, form);
    item->message = arena_format(self->memory, "%s of %s is %s; %s allows %s. Deliver it in that form.", what, form->name,
                                 found, self->rules->name, item->limit_words);
}

static void judge_number(judgement *self, const spec_limit *limit, const char *what, double found,
                         const file_form *form)
{
    char allowed[LIMIT_TEXT_SIZE];
    if (!(found < limit->min) && !(found > limit->max))
        return;
    finding *item = judgement_add(self, limit->check, judgement_breach(limit));
    judgement_limits(item, limit);
    item->measured = found;
    name_file(item, form);
    judgement_allowed(limit, 0, allowed);
    item->message = arena_format(self->memory, "%s of %s is %.0f %s; %s allows %s. Deliver it in that form.", what, form->name,
                                 found, limit->unit, self->rules->name, allowed);
}

void judge_form(judgement *self, const file_form *form)
{
    for (uint32_t i = 0; self->rules != NULL && i < self->rules->limit_count; i++) {
        const spec_limit *limit = &self->rules->limits[i];
        const struct {
            const char *check, *what, *word;
            double number;
        } forms[] = {
            {"format.container", "The container", form->container, (double)NAN},
            {"format.encoding", "The encoding", form->encoding, (double)NAN},
            {"format.channels", "The channel layout", form->channels, (double)NAN},
            {"format.sample_rate", "The sample rate", NULL, form->sample_rate},
            {"format.bit_depth", "The bit depth", NULL, form->bit_depth},
        };
        for (size_t k = 0; k < sizeof forms / sizeof forms[0]; k++) {
            if (strcmp(forms[k].check, limit->check) != 0)
                continue;
            if (limit->word_count > 0 && forms[k].word != NULL)
                judge_word(self, limit, forms[k].what, forms[k].word, form);
            else if (limit->word_count == 0 && forms[k].word == NULL)
                judge_number(self, limit, forms[k].what, forms[k].number, form);
        }
    }
}

/* Of one received file of all reels that begins before the first frame of action: by how many frames. */
static uint64_t leader_of(const judgement *self)
{
    const plan_input *input = &self->facts->plan->inputs.items[self->deliverable->first_input];
    return input->reel < 0 ? self->timeline->pieces[0].file_frame : 0;
}

/*
 * The timecode of a received file's first sample, from its time reference: against what the spec allows, or, where the file is
 * exactly the reels from FFOA to LFOA, against the start that a joined programme has.
 */
static void judge_start(judgement *self, const media_facts *facts, const file_form *form)
{
    const frame_rate *rate = &self->show->rate;
    const spec_limit *limit = judgement_limit(self, "format.start_timecode");
    if (rate->num == 0 || !facts->bext.present) {
        judgement_cannot(self, "format.start_timecode", "format.start_timecode",
                     rate->num == 0 ? "the frame rate is not known; give --frame-rate or a show file"
                                    : "the file carries no bext time reference");
        return;
    }
    char *found = arena_take(self->memory, TIMECODE_TEXT_SIZE);
    timecode_format(timecode_frame_of_sample(facts->bext.time_reference, rate, facts->sample_rate) % timecode_day_frames(rate),
                    rate, found);
    if (limit != NULL) {
        judge_word(self, limit, "The start timecode", found, form);
        return;
    }
    const plan_timeline *timeline = self->timeline;
    bool by_reels = timeline->piece_count == self->show->reel_count && !timeline->pieces[0].spans_reels;
    uint64_t first = 0;
    if (!by_reels || !plan_reel_edges(&self->show->reels[0], &first))
        return;
    uint64_t wanted = timecode_sample_of_frame(plan_joined_start(self->show), rate, facts->sample_rate) - leader_of(self);
    if (facts->bext.time_reference == wanted)
        return;
    char starts[TIMECODE_TEXT_SIZE];
    timecode_format(plan_joined_start(self->show), rate, starts);
    finding *item = judgement_add(self, "format.start_timecode", FINDING_WARN);
    item->measured_word = found;
    item->limit_words = arena_copy_text(self->memory, starts);
    name_file(item, form);
    item->message = arena_format(self->memory,
                                 "The time reference of %s is sample %llu (%s); the programme starts at %s, sample %llu. "
                                 "Stamp the file again, or correct the show.",
                                 form->name, (unsigned long long)facts->bext.time_reference, found, starts,
                                 (unsigned long long)wanted);
}

/* How long the show's own programme is, in frames of this one's rate: by its reels' edges, else by what is rendered from it. */
static bool wanted_length(const judgement *self, double *out_frames)
{
    const show *title = self->show;
    uint64_t pictures = 0;
    bool edged = title->rate.num != 0 && title->reel_count > 0;
    for (uint32_t i = 0; edged && i < title->reel_count; i++) {
        uint64_t first = 0;
        edged = plan_reel_edges(&title->reels[i], &first);
        pictures += edged ? title->reels[i].lfoa_frame + 1 - first : 0;
    }
    if (edged) {
        *out_frames = (double)timecode_sample_of_frame(pictures, &title->rate, self->timeline->sample_rate);
        return true;
    }
    const plan *made = self->facts->plan;
    for (uint32_t i = 0; i < made->deliverable_count; i++) {
        if (made->deliverables[i].timeline == 0xFFFF || !made->deliverables[i].rendered)
            continue;
        const plan_timeline *timeline = &made->timelines[made->deliverables[i].timeline];
        *out_frames =
            (double)timeline->frame_count * (double)self->timeline->sample_rate / (double)timeline->sample_rate;
        return true;
    }
    return false;
}

/* How a leader that no timecode tells of was found. */
static const char *leader_source(const plan_timeline *timeline)
{
    switch (timeline->leader) {
    case LEADER_BY_POPS:
        return " (aligned by its 2-pop; no timecode says so)";
    case LEADER_BY_SOUND:
        return " (aligned by its sound; neither a timecode nor a 2-pop says so)";
    case LEADER_BY_LENGTH:
    case LEADER_BY_TIMECODE:
    case LEADER_UNKNOWN:
        break;
    }
    return " (it is longer by that of the first reel; it has no timecode that says so)";
}

/* A received programme must be as long as the show's own: without a limit, less than one picture frame is rounding. */
static void judge_length(judgement *self)
{
    const spec_limit *limit = judgement_limit(self, "format.length");
    const frame_rate *rate = &self->show->rate;
    double wanted = 0.0;
    if (rate->num == 0) {
        judgement_cannot(self, "format.length", "format.length", "the frame rate is not known; give --frame-rate or a show file");
        return;
    }
    if (!wanted_length(self, &wanted)) {
        judgement_cannot(self, "format.length", "format.length",
                     "nothing says how long the programme should be; give the reels' first and last frames of action");
        return;
    }
    uint64_t leader = leader_of(self);
    const media_facts *file = &self->facts->plan->facts[self->deliverable->first_input];
    uint64_t frames = self->timeline->surplus == 0 ? self->timeline->frame_count : file->frame_count;
    double seconds = ((double)frames - wanted) / (double)self->timeline->sample_rate;
    double pictures = seconds * (double)rate->num / (double)rate->den;
    if (limit == NULL ? fabs(pictures) < 1.0 : !(pictures < limit->min) && !(pictures > limit->max))
        return;
    uint64_t action = timecode_sample_of_frame(plan_joined_start(self->show), rate, file->sample_rate);
    bool timed = leader > 0 && file->bext.present && file->bext.time_reference + leader == action;
    finding_severity severity = leader == 0 ? FINDING_FAIL : timed ? FINDING_INFO : FINDING_WARN;
    severity = limit != NULL ? judgement_breach(limit) : severity;
    finding *item = judgement_add(self, "format.length", severity);
    item->min = item->max = 0.0;
    item->unit = "frames";
    if (limit != NULL)
        judgement_limits(item, limit);
    item->measured = pictures;
    if (leader > 0) {
        item->message = arena_format(self->memory, "The file has a leader of %.2f s before the first frame of action%s, and is %.2f picture frames longer than the reels. What is outside of them was not measured. Deliver from the first to the last frame of action if the platform wants that.",
                                     (double)leader / (double)self->timeline->sample_rate, timed ? "" : leader_source(self->timeline), pictures);
        return;
    }
    if (self->timeline->surplus > 0) {
        item->message = arena_format(self->memory, "The file goes on %.2f s (%.2f picture frames) longer than the reels%s. Measured was what is as long as they are, from its beginning. Cut it at the last frame of action, or correct the show.",
                                     seconds, pictures,
                                     plan_leader_unknown(self->timeline) ? ", and nothing says where they begin in it" : ", which it begins with");
        return;
    }
    item->message = arena_format(self->memory, "The programme is %.2f picture frames %s than the reels from FFOA to LFOA. Check its head, its tail and its frame rate.",
                                 fabs(pictures), pictures > 0 ? "longer" : "shorter");
}

/* Mono files of one received programme in different forms: rates and lengths that differ are refused before. */
static void judge_set(judgement *self)
{
    const plan *made = self->facts->plan;
    const plan_deliverable *deliverable = self->deliverable;
    const plan_input *first = &made->inputs.items[deliverable->first_input];
    const media_facts *of_first = &made->facts[deliverable->first_input];
    for (uint32_t i = 1; i < deliverable->input_count; i++) {
        const plan_input *input = &made->inputs.items[deliverable->first_input + i];
        const media_facts *facts = &made->facts[deliverable->first_input + i];
        if (facts->encoding == of_first->encoding && facts->valid_bits == of_first->valid_bits)
            continue;
        finding *item = judgement_add(self, "format.encoding", FINDING_WARN);
        item->reel = input->reel;
        item->subject = input->display;
        if (input->channel != CHANNEL_NONE)
            item->channels[item->channel_count++] = channel_label_name(input->channel);
        item->message = arena_format(self->memory, "%s is %s with %u bits, and %s of the same programme %s with %u. Export all its files alike.",
                                     input->display, sample_encoding_name(facts->encoding), facts->valid_bits, first->display,
                                     sample_encoding_name(of_first->encoding), of_first->valid_bits);
    }
}

static file_form form_of(const plan *made, const plan_deliverable *deliverable, uint32_t index)
{
    const char *layout = channel_layout_get(deliverable->layout)->name;
    if (deliverable->rendered) {
        const plan_file *file = &made->files[deliverable->first_file + index];
        return (file_form){.name = file->display,
                           .channel = file->channel,
                           .reel = file->reel,
                           .container = media_container_name(file->header.container),
                           .encoding = sample_encoding_name(file->header.encoding),
                           .channels = layout,
                           .sample_rate = file->header.sample_rate,
                           .bit_depth = sample_encoding_bits(file->header.encoding)};
    }
    const media_facts *facts = &made->facts[deliverable->first_input + index];
    const plan_input *input = &made->inputs.items[deliverable->first_input + index];
    return (file_form){.name = input->display,
                       .channel = input->channel,
                       .reel = input->reel,
                       .container = media_container_name(facts->container),
                       .encoding = sample_encoding_name(facts->encoding),
                       .channels = layout,
                       .sample_rate = facts->sample_rate,
                       .bit_depth = facts->valid_bits};
}

const file_form *verdict_forms(const plan *made, uint32_t deliverable, uint32_t *out_count, arena *memory)
{
    const plan_deliverable *of = &made->deliverables[deliverable];
    *out_count = of->rendered ? of->file_count : of->input_count;
    file_form *forms = arena_take_array(memory, *out_count + (size_t)1, sizeof *forms);
    for (uint32_t i = 0; i < *out_count; i++)
        forms[i] = form_of(made, of, i);
    return forms;
}

void judge_format(judgement *self)
{
    const plan *made = self->facts->plan;
    const plan_deliverable *deliverable = self->deliverable;
    uint32_t count = 0;
    const file_form *forms = verdict_forms(made, self->facts->deliverable, &count, self->memory);
    if (!deliverable->rendered)
        judge_set(self);
    for (uint32_t i = 0; i < count; i++) {
        judge_form(self, &forms[i]);
        if (!deliverable->rendered)
            judge_start(self, &made->facts[deliverable->first_input + i], &forms[i]);
    }
    if (!deliverable->rendered)
        judge_length(self);
}
