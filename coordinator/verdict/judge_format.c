#include "coordinator/verdict/verdict_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* One delivered file as a spec sees it. */
typedef struct file_form {
    const char *name;
    const char *container, *encoding, *channels;
    double sample_rate, bit_depth;
} file_form;

static const char *allowed_words(judgement *self, const spec_limit *limit)
{
    const char *text = limit->word_count > 0 ? limit->words[0] : "";
    for (uint32_t i = 1; i < limit->word_count; i++)
        text = arena_format(self->memory, "%s, %s", text, limit->words[i]);
    return text;
}

static void judge_word(judgement *self, const spec_limit *limit, const char *what, const char *found, const char *name)
{
    for (uint32_t i = 0; i < limit->word_count; i++)
        if (strcmp(limit->words[i], found) == 0)
            return;
    finding *item = judgement_add(self, limit->check, judgement_breach(limit));
    judgement_limits(item, limit);
    item->measured_word = found;
    item->limit_words = allowed_words(self, limit);
    item->message = arena_format(self->memory, "%s of %s is %s; %s allows %s. Deliver it in that form.", what, name, found,
                                 self->rules->name, item->limit_words);
}

static void judge_number(judgement *self, const spec_limit *limit, const char *what, double found, const char *name)
{
    if (!(found < limit->min) && !(found > limit->max))
        return;
    finding *item = judgement_add(self, limit->check, judgement_breach(limit));
    judgement_limits(item, limit);
    item->measured = found;
    item->message = arena_format(self->memory, "%s of %s is %.0f %s; %s allows %.0f to %.0f. Deliver it in that form.", what,
                                 name, found, limit->unit, self->rules->name, limit->min, limit->max);
}

static void judge_form(judgement *self, const file_form *form)
{
    for (uint32_t i = 0; self->rules != NULL && i < self->rules->limit_count; i++) {
        const spec_limit *limit = &self->rules->limits[i];
        const struct {
            const char *check, *what, *word;
            double number;
        } forms[] = {
            {"format.container", "The container", form->container, NAN},
            {"format.encoding", "The encoding", form->encoding, NAN},
            {"format.channels", "The channel layout", form->channels, NAN},
            {"format.sample_rate", "The sample rate", NULL, form->sample_rate},
            {"format.bit_depth", "The bit depth", NULL, form->bit_depth},
        };
        for (size_t k = 0; k < sizeof forms / sizeof forms[0]; k++) {
            if (strcmp(forms[k].check, limit->check) != 0)
                continue;
            if (limit->word_count > 0 && forms[k].word != NULL)
                judge_word(self, limit, forms[k].what, forms[k].word, form->name);
            else if (limit->word_count == 0 && forms[k].word == NULL)
                judge_number(self, limit, forms[k].what, forms[k].number, form->name);
        }
    }
}

/* Says so where a spec asks for what cannot be known. */
static void cannot_judge(judgement *self, const char *check, const char *why)
{
    const spec_limit *limit = judgement_limit(self, check);
    if (limit == NULL)
        return;
    finding *item = judgement_add(self, check, FINDING_NOT_CHECKED);
    judgement_limits(item, limit);
    item->message = arena_format(self->memory, "%s cannot be judged: %s.", check, why);
}

/*
 * The timecode of a received file's first sample, from its time reference: against what the spec allows, or, where the file is
 * exactly the reels from FFOA to LFOA, against the start that a joined programme has.
 */
static void judge_start(judgement *self, const media_facts *facts, const char *name)
{
    const frame_rate *rate = &self->show->rate;
    const spec_limit *limit = judgement_limit(self, "format.start_timecode");
    if (rate->num == 0 || !facts->bext.present) {
        cannot_judge(self, "format.start_timecode",
                     rate->num == 0 ? "the frame rate is not known; give --frame-rate or a show file"
                                    : "the file carries no bext time reference");
        return;
    }
    char *found = arena_take(self->memory, TIMECODE_TEXT_SIZE);
    timecode_format(timecode_frame_of_sample(facts->bext.time_reference, rate, facts->sample_rate) % timecode_day_frames(rate),
                    rate, found);
    if (limit != NULL) {
        judge_word(self, limit, "The start timecode", found, name);
        return;
    }
    const plan_timeline *timeline = self->timeline;
    bool by_reels = timeline->piece_count == self->show->reel_count && !timeline->pieces[0].spans_reels;
    uint64_t first = 0;
    if (!by_reels || !plan_reel_edges(&self->show->reels[0], &first))
        return;
    uint64_t wanted = timecode_sample_of_frame(plan_joined_start(self->show), rate, facts->sample_rate);
    if (facts->bext.time_reference == wanted)
        return;
    char starts[TIMECODE_TEXT_SIZE];
    timecode_format(plan_joined_start(self->show), rate, starts);
    finding *item = judgement_add(self, "format.start_timecode", FINDING_WARN);
    item->measured_word = found;
    item->limit_words = arena_copy_text(self->memory, starts);
    item->message = arena_format(self->memory,
                                 "The time reference of %s is sample %llu (%s); the programme starts at %s, sample %llu. "
                                 "Stamp the file again, or correct the show.",
                                 name, (unsigned long long)facts->bext.time_reference, found, starts,
                                 (unsigned long long)wanted);
}

/* A received programme must be as long as the show's own: one picture frame of slack for the rounding of other tools. */
static void judge_length(judgement *self)
{
    const plan *made = self->facts->plan;
    const frame_rate *rate = &self->show->rate;
    const plan_timeline *wanted = NULL;
    for (uint32_t i = 0; wanted == NULL && i < made->deliverable_count; i++)
        if (made->deliverables[i].timeline != 0xFFFF && made->deliverables[i].rendered)
            wanted = &made->timelines[made->deliverables[i].timeline];
    if (rate->num == 0 || wanted == NULL || wanted->sample_rate != self->timeline->sample_rate) {
        cannot_judge(self, "format.length", "nothing says how long the programme should be: the show has no reels to render");
        return;
    }
    double seconds = ((double)self->timeline->frame_count - (double)wanted->frame_count) / (double)wanted->sample_rate;
    double pictures = seconds * (double)rate->num / (double)rate->den;
    if (fabs(pictures) < 1.0)
        return;
    finding *item = judgement_add(self, "format.length", FINDING_FAIL);
    item->measured = pictures;
    item->min = item->max = 0.0;
    item->unit = "frames";
    item->message = arena_format(self->memory, "The programme is %.2f picture frames %s than the reels from FFOA to LFOA. Check its head, its tail and its frame rate.",
                                 fabs(pictures), pictures > 0 ? "longer" : "shorter");
}

void judge_format(judgement *self)
{
    const plan *made = self->facts->plan;
    const plan_deliverable *deliverable = self->deliverable;
    const char *layout = channel_layout_get(deliverable->layout)->name;
    if (deliverable->rendered) {
        for (uint32_t i = 0; i < deliverable->file_count; i++) {
            const plan_file *file = &made->files[deliverable->first_file + i];
            judge_form(self, &(file_form){.name = file->display,
                                          .container = media_container_name(file->header.container),
                                          .encoding = sample_encoding_name(file->header.encoding),
                                          .channels = layout,
                                          .sample_rate = file->header.sample_rate,
                                          .bit_depth = sample_encoding_bits(file->header.encoding)});
        }
        return;
    }
    for (uint32_t i = 0; i < deliverable->input_count; i++) {
        const media_facts *facts = &made->facts[deliverable->first_input + i];
        judge_form(self, &(file_form){.name = made->inputs.items[deliverable->first_input + i].display,
                                      .container = media_container_name(facts->container),
                                      .encoding = sample_encoding_name(facts->encoding),
                                      .channels = layout,
                                      .sample_rate = facts->sample_rate,
                                      .bit_depth = facts->valid_bits});
        judge_start(self, facts, made->inputs.items[deliverable->first_input + i].display);
    }
    judge_length(self);
}
