/* The handoff check of one file: it opens, has the stated layout and rate, and lies where it should. */
#include "coordinator/plan/plan_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WHO_TEXT_SIZE = 2 * NAME_MAX_BYTES + 64, PLACE_TEXT_SIZE = 64 };

bool plan_check_counts(const check_run *self, uint32_t input)
{
    return self->needed == NULL || self->needed[input];
}

/* "stem DX, reel R2": what a person calls this file. */
static void check_who(const check_run *self, const plan_input *input, char out[WHO_TEXT_SIZE])
{
    const show *film = self->source->show;
    const char *reel = input->reel >= 0 ? film->reels[input->reel].name : "";
    const char *channel = input->channel == CHANNEL_NONE ? "" : channel_label_name(input->channel);
    const char *what = "reference";
    const char *name = "";
    if (input->stem >= 0) {
        what = "stem ";
        name = film->stems[input->stem].name;
    } else if (input->deliverable >= 0) {
        what = "deliverable ";
        name = film->deliverables[input->deliverable].name;
    }
    snprintf(out, WHO_TEXT_SIZE, "%s%s%s%s%s%s", what, name, reel[0] == '\0' ? "" : ", reel ", reel,
             channel[0] == '\0' ? "" : ", channel ", channel);
}

static void check_line(const check_run *self, const plan_input *input, uint32_t *out_line, uint32_t *out_column)
{
    const show *film = self->source->show;
    *out_line = 0;
    *out_column = 0;
    if (input->stem >= 0) {
        *out_line = film->stems[input->stem].line;
        *out_column = film->stems[input->stem].column;
    } else if (input->deliverable >= 0) {
        *out_line = film->deliverables[input->deliverable].line;
        *out_column = film->deliverables[input->deliverable].column;
    }
}

void plan_check_say(const check_run *self, problem_severity severity, const plan_input *input, const char *text)
{
    char who[WHO_TEXT_SIZE];
    uint32_t line = 0;
    uint32_t column = 0;
    check_who(self, input, who);
    check_line(self, input, &line, &column);
    problem_list_add(self->notes->list, self->notes->arena, severity, self->source->show->file_name, line, column,
                     "%s: %s", who, text);
}

/* "01:19:12:10" for a sample on the clock, or its seconds where there is no frame rate. */
static void check_place(const check_run *self, uint64_t sample, char out[PLACE_TEXT_SIZE])
{
    const show *film = self->source->show;
    if (film->rate.num == 0) {
        uint32_t rate = film->sample_rate == 0 ? 1 : film->sample_rate;
        snprintf(out, PLACE_TEXT_SIZE, "%" PRIu64 " s", sample / rate);
        return;
    }
    char text[TIMECODE_TEXT_SIZE];
    timecode_format(timecode_frame_of_sample(sample, &film->rate, film->sample_rate), &film->rate, text);
    snprintf(out, PLACE_TEXT_SIZE, "%s", text);
}

/* True if a stem of objects names the same file. */
static bool objects_taken(const check_run *self, const plan_input *input)
{
    const show *film = self->source->show;
    for (uint32_t i = 0; i < film->stem_count; i++)
        if (film->stems[i].objects && strcmp(film->stems[i].file, film->stems[input->stem].file) == 0)
            return true;
    return false;
}

/* A file whose objects are carried: they are found by its metadata, and pass as samples of 24 bits. */
static void check_objects(const check_run *self, const plan_input *input, const media_facts *facts)
{
    arena *memory = self->notes->arena;
    const char *why = NULL;
    if (!facts->adm.present)
        why = "it has no chna and axml";
    else if (facts->adm.problem[0] != '\0')
        why = facts->adm.problem;
    else if (facts->adm.object_count == 0)
        why = "its metadata name none";
    else if (facts->encoding != ENCODING_PCM_24 || !facts->direct)
        why = "its samples are not PCM of 24 bits";
    else if (facts->sample_rate != self->source->show->sample_rate)
        why = "its sample rate is not the show's, and objects are not converted";
    if (why != NULL)
        plan_check_say(self, PROBLEM_ERROR, input,
                       arena_format(memory, "no objects can be taken from \"%s\": %s; export the ADM file again", input->display, why));
}

/* True when the file's own metadata answer where each channel lies, or why it cannot be used; else its order counts. */
static bool check_adm(const check_run *self, const plan_input *input, const media_facts *facts, const channel_layout *layout)
{
    arena *memory = self->notes->arena;
    const media_adm *adm = &facts->adm;
    if (adm->problem[0] != '\0') {
        plan_check_say(self, PROBLEM_WARNING, input,
                       arena_format(memory, "the ADM of \"%s\" is not used: %s; its channels are taken in the order of the show "
                                            "file",
                                    input->display, adm->problem));
        return false;
    }
    /* The bed is wanted here, and the objects elsewhere; or what was received is measured as far as it can be. */
    bool apart = input->stem < 0 || objects_taken(self, input);
    if (adm->object_count > 0 && !apart) {
        plan_check_say(self, PROBLEM_ERROR, input,
                       arena_format(memory,
                                    "\"%s\" holds %u object tracks, which would have to be rendered, and this version renders "
                                    "beds only; deliver the bed without objects, or name them as a stem of their own (`objects: true`)",
                                    input->display, adm->object_count));
        return true;
    }
    uint32_t found = 0;
    for (uint32_t i = 0; i < layout->channel_count; i++)
        found += media_adm_track(adm, (uint8_t)layout->labels[i]) >= 0;
    if (found == 0)
        return false; /* it speaks of other things than this bed */
    for (uint32_t i = 0; i < layout->channel_count; i++)
        if (media_adm_track(adm, (uint8_t)layout->labels[i]) < 0)
            plan_check_say(self, PROBLEM_ERROR, input,
                           arena_format(memory,
                                        "the ADM of \"%s\" has no single track for channel %s of %s; deliver the right file or "
                                        "correct the layout in the show file",
                                        input->display, channel_label_name(layout->labels[i]), layout->name));
    if (facts->channel_count != layout->channel_count + (apart ? adm->object_count : 0u))
        plan_check_say(self, PROBLEM_ERROR, input,
                       arena_format(memory, "\"%s\" has %u channels and its bed of %s takes %u; deliver the bed alone",
                                    input->display, facts->channel_count, layout->name, layout->channel_count));
    return true;
}

static void check_channels(const check_run *self, const plan_input *input, const media_facts *facts,
                           channel_layout_id layout_id, const channel_order *order, bool order_stated)
{
    arena *memory = self->notes->arena;
    const channel_layout *layout = channel_layout_get(layout_id);
    uint32_t expected = input->channel != CHANNEL_NONE ? 1 : layout->channel_count;
    if (facts->adm.present && input->channel == CHANNEL_NONE && check_adm(self, input, facts, layout))
        return;
    if (facts->channel_count != expected) {
        plan_check_say(self, PROBLEM_ERROR, input,
                       arena_format(memory,
                                    "\"%s\" has %u channel%s and %s%s needs %u; deliver the right file or correct the "
                                    "layout in the show file",
                                    input->display, facts->channel_count, facts->channel_count == 1 ? "" : "s",
                                    input->channel != CHANNEL_NONE ? "one mono file of " : "", layout->name, expected));
        return;
    }
    if (input->channel != CHANNEL_NONE || expected < 2)
        return;
    for (uint32_t i = 0; i < expected; i++)
        if (channel_order_position(order, layout_id, i) < 0)
            plan_check_say(self, PROBLEM_ERROR, input,
                           arena_format(memory, "the stated order lacks channel %s of %s; list every channel once",
                                        channel_label_name(layout->labels[i]), layout->name));
    if (!facts->has_channel_mask || facts->channel_mask == 0)
        return;
    channel_order masked;
    if (!channel_order_from_mask(layout_id, facts->channel_mask, &masked)) {
        plan_check_say(
            self, PROBLEM_WARNING, input,
            arena_format(memory,
                         "\"%s\" carries the channel mask 0x%x, which does not name the channels of %s; the show "
                         "file wins, ask the sender which is right",
                         input->display, facts->channel_mask, layout->name));
        return;
    }
    if (channel_order_equal(&masked, order))
        return;
    char found[128] = "";
    char stated[128] = "";
    for (uint32_t i = 0; i < expected; i++) {
        size_t at = strlen(found);
        snprintf(found + at, sizeof found - at, "%s%s", i == 0 ? "" : " ", channel_label_name(masked.labels[i]));
        at = strlen(stated);
        snprintf(stated + at, sizeof stated - at, "%s%s", i == 0 ? "" : " ", channel_label_name(order->labels[i]));
    }
    plan_check_say(
        self, PROBLEM_WARNING, input,
        arena_format(memory,
                     "the channel mask 0x%x of \"%s\" means the order %s, but the show file %s %s; the show file "
                     "wins, correct `order` if it is wrong",
                     facts->channel_mask, input->display, found, order_stated ? "states" : "means", stated));
}

static void check_rate(const check_run *self, const plan_input *input, const media_facts *facts)
{
    uint32_t expected = self->source->show->sample_rate;
    if (expected == 0 || facts->sample_rate == expected)
        return;
    bool received = input->deliverable >= 0;
    plan_check_say(self, received ? PROBLEM_WARNING : PROBLEM_ERROR, input,
                   arena_format(self->notes->arena, "\"%s\" is at %u Hz and the show is at %u Hz; %s", input->display,
                                facts->sample_rate, expected,
                                received ? "it is measured at its own rate" : "deliver it at the show's sample rate"));
}

/* True when the file can be used at all. */
static bool check_opens(const check_run *self, const plan_input *input, const media_facts *facts)
{
    arena *memory = self->notes->arena;
    if (facts->outcome == STATUS_INPUT_MISSING) {
        if (input->optional)
            plan_check_say(
                self, PROBLEM_INFO, input,
                arena_format(memory, "the optional file \"%s\" is not there and counts as silence", input->display));
        else
            plan_check_say(self, PROBLEM_ERROR, input,
                           arena_format(memory, "the file \"%s\" is not there; deliver it%s", input->display,
                                        input->stem >= 0 ? ", correct the file pattern, or mark the stem optional"
                                                         : " or correct the show file"));
        return false;
    }
    if (facts->outcome != STATUS_OK) {
        const char *reason = facts->message[0] != '\0' ? facts->message : status_text(facts->outcome);
        plan_check_say(self, PROBLEM_ERROR, input,
                       strstr(reason, input->display) != NULL
                           ? reason
                           : arena_format(memory, "\"%s\": %s", input->display, reason));
        return false;
    }
    if (facts->frame_count == 0 || facts->frame_count > PLAN_FILE_FRAMES_MAX) {
        plan_check_say(
            self, PROBLEM_ERROR, input,
            arena_format(memory, "\"%s\" holds %s; deliver it again", input->display,
                         facts->frame_count == 0 ? "no audio at all" : "more frames than any programme can have"));
        return false;
    }
    return true;
}

/* The sample that "timecode counted at the nominal rate" gives: the 24 fps rule at 23.976. */
static uint64_t check_nominal_sample(const show *film, uint64_t frame)
{
    return (frame * film->sample_rate + film->rate.nominal / 2) / film->rate.nominal;
}

static bool check_nominal_applies(const show *film)
{
    return film->rate.den != 1 && film->rate.nominal != 0 && !film->rate.drop;
}

/* A reel's file that is placed by the reel's start: its time reference must say the same. 0 is what many tools leave.
 */
static void check_time_reference(const check_run *self, const plan_input *input, const media_facts *facts)
{
    const show *film = self->source->show;
    arena *memory = self->notes->arena;
    const show_reel *reel = &film->reels[input->reel >= 0 ? input->reel : 0];
    uint64_t reference = facts->bext.time_reference;
    if (!reel->has_start || film->rate.num == 0 || reference == 0)
        return;
    uint64_t expected = timecode_sample_of_frame(reel->start_frame, &film->rate, film->sample_rate);
    if (reference == expected)
        return;
    char start[TIMECODE_TEXT_SIZE];
    char found[PLACE_TEXT_SIZE];
    timecode_format(reel->start_frame, &film->rate, start);
    check_place(self, reference, found);
    uint64_t distance = reference > expected ? reference - expected : expected - reference;
    double seconds = (double)distance / film->sample_rate;
    if (check_nominal_applies(film) && reference == check_nominal_sample(film, reel->start_frame)) {
        plan_check_say(
            self, PROBLEM_WARNING, input,
            arena_format(memory,
                         "the bext time reference %" PRIu64 " of \"%s\" was made by the %u fps rule; at %s the "
                         "reel's start %s is sample %" PRIu64 " (%.3f s later); the show file's start is used, "
                         "have the file stamped again before it goes further",
                         reference, input->display, film->rate.nominal, frame_rate_name(&film->rate), start, expected,
                         seconds));
        return;
    }
    uint64_t picture = timecode_sample_of_frame(1, &film->rate, film->sample_rate);
    for (uint32_t i = 0; i < film->reel_count; i++) {
        const show_reel *other = &film->reels[i];
        if (other != reel && other->has_start &&
            reference == timecode_sample_of_frame(other->start_frame, &film->rate, film->sample_rate)) {
            plan_check_say(
                self, PROBLEM_ERROR, input,
                arena_format(memory,
                             "the bext time reference of \"%s\" is the start of reel %s, not %s of this reel; is it "
                             "the wrong reel's file? Deliver the right one or correct the show file",
                             input->display, other->name, start));
            return;
        }
    }
    plan_check_say(self, distance <= picture ? PROBLEM_WARNING : PROBLEM_ERROR, input,
                   arena_format(memory,
                                "the bext time reference of \"%s\" is sample %" PRIu64
                                " (%s), but the reel starts at %s, "
                                "sample %" PRIu64 ": %.3f s %s; %s",
                                input->display, reference, found, start, expected, seconds,
                                reference > expected ? "later" : "earlier",
                                distance <= picture ? "the show file's start is used"
                                                    : "correct the reel's start, or have the file stamped again"));
}

/* A file that is placed by its own time reference: it needs one, a clock to stand on, and a place in the programme. */
static void check_aligned(const check_run *self, const plan_input *input, const media_facts *facts)
{
    const show *film = self->source->show;
    arena *memory = self->notes->arena;
    if (!facts->bext.present) {
        plan_check_say(
            self, PROBLEM_ERROR, input,
            arena_format(memory,
                         "the stem is placed by time reference (align: bext) but \"%s\" has no bext chunk; deliver a "
                         "BWF with a time reference or remove `align`",
                         input->display));
        return;
    }
    uint32_t reel = input->reel >= 0 ? (uint32_t)input->reel : 0;
    bool own = plan_input_of_reel(film, input);
    if (check_nominal_applies(film)) {
        const show_reel *place = &film->reels[reel];
        uint64_t start = own && place->has_start ? place->start_frame : plan_joined_start(film);
        if (start != 0 && facts->bext.time_reference == check_nominal_sample(film, start)) {
            char text[TIMECODE_TEXT_SIZE];
            timecode_format(start, &film->rate, text);
            plan_check_say(
                self, PROBLEM_ERROR, input,
                arena_format(memory,
                             "the bext time reference %" PRIu64 " of \"%s\" is %s by the %u fps rule; at %s that is "
                             "sample %" PRIu64 ", and the file would be placed wrongly; have it stamped again or "
                             "remove `align: bext`",
                             facts->bext.time_reference, input->display, text, film->rate.nominal,
                             frame_rate_name(&film->rate),
                             timecode_sample_of_frame(start, &film->rate, film->sample_rate)));
            return;
        }
    }
    int64_t first = 0;
    const plan_piece *piece = &self->joined.pieces[reel];
    if (!plan_stem_position(film, input, facts, reel, piece->programme_frame, &first)) {
        plan_check_say(
            self, PROBLEM_ERROR, input,
            arena_format(memory,
                         "\"%s\" cannot be placed by its time reference: the reel has neither ffoa nor start; state "
                         "one of them",
                         input->display));
        return;
    }
    uint64_t length = own ? piece->frame_count : self->joined.frame_count;
    int64_t end = (int64_t)facts->frame_count;
    if (first >= end || first + (int64_t)length <= 0) {
        char found[PLACE_TEXT_SIZE];
        check_place(self, facts->bext.time_reference, found);
        plan_check_say(
            self, PROBLEM_ERROR, input,
            arena_format(memory,
                         "\"%s\" lies wholly outside the %s: its time reference is %s; have it stamped again or "
                         "correct the show file",
                         input->display, own ? "reel" : "programme", found));
    } else if (first < 0 || first + (int64_t)length > end) {
        plan_check_say(self, PROBLEM_WARNING, input,
                       arena_format(memory, "\"%s\" does not cover the whole %s (%s); what it lacks is silence",
                                    input->display, own ? "reel" : "programme",
                                    first < 0 ? "it begins after the first frame of action"
                                              : "it ends before the last frame of action"));
    }
}

/* A file without {reel} in a show of several reels that begins at the programme's first frame. */
static void check_long_play(const check_run *self, const plan_input *input, const media_facts *facts)
{
    uint64_t needed = self->joined.frame_count;
    arena *memory = self->notes->arena;
    if (facts->frame_count < needed)
        plan_check_say(self, PROBLEM_ERROR, input,
                       arena_format(memory,
                                    "the long-play file \"%s\" has %" PRIu64
                                    " frames and the programme of all reels has %" PRIu64
                                    " (%.3f s more); deliver it complete",
                                    input->display, facts->frame_count, needed,
                                    (double)(needed - facts->frame_count) / self->source->show->sample_rate));
    else if (facts->frame_count > needed)
        plan_check_say(self, PROBLEM_INFO, input,
                       arena_format(memory,
                                    "the long-play file \"%s\" is %" PRIu64
                                    " frames longer than the programme of all reels; the "
                                    "rest is not used",
                                    input->display, facts->frame_count - needed));
}

static void check_stem_file(const check_run *self, const plan_input *input, const media_facts *facts)
{
    const show *film = self->source->show;
    const show_stem *stem = &film->stems[input->stem];
    if (stem->objects)
        check_objects(self, input, facts);
    else
        check_channels(self, input, facts, stem->layout, &stem->order, stem->order_given);
    if (facts->sample_rate != film->sample_rate)
        return; /* lengths and positions would only repeat it in other words */
    if (stem->align_bext)
        check_aligned(self, input, facts);
    else if (!plan_input_of_reel(film, input))
        check_long_play(self, input, facts);
    else if (facts->bext.present)
        check_time_reference(self, input, facts);
}

static void check_received_file(const check_run *self, uint32_t index, const media_facts *facts)
{
    const plan_source *source = self->source;
    const plan_input *input = &source->inputs->items[index];
    uint32_t deliverable = (uint32_t)input->deliverable;
    channel_order order;
    channel_layout_id layout = plan_received_layout(source, deliverable, index, &order);
    if (layout == LAYOUT_NONE && facts->adm.object_count > 0) {
        plan_check_say(self, PROBLEM_ERROR, input,
                       arena_format(self->notes->arena,
                                    "\"%s\" holds %u object tracks (\"%s\" ...) and no bed of a known layout, and objects are not "
                                    "rendered, so nothing of it can be measured; measure a re-render",
                                    input->display, facts->adm.object_count, media_adm_object_name(&facts->adm, 0)));
        return;
    }
    if (layout == LAYOUT_NONE) {
        plan_check_say(self, PROBLEM_ERROR, input,
                       arena_format(self->notes->arena,
                                    "\"%s\" has %u channels, which can be several layouts or none; state `layout`",
                                    input->display, facts->channel_count));
        return;
    }
    check_channels(self, input, facts, layout, &order, source->show->deliverables[deliverable].order_given);
}

void plan_check_file(const check_run *self, uint32_t index)
{
    const plan_input *input = &self->source->inputs->items[index];
    const media_facts *facts = &self->source->facts[index];
    if (!check_opens(self, input, facts))
        return;
    check_rate(self, input, facts);
    if (input->stem >= 0) {
        check_stem_file(self, input, facts);
    } else if (input->deliverable >= 0) {
        check_received_file(self, index, facts);
    } else {
        channel_order order;
        channel_layout_id layout = self->source->show->reference_layout;
        channel_order_of(layout, ORDER_SMPTE, &order);
        if (layout != LAYOUT_NONE)
            check_channels(self, input, facts, layout, &order, false);
    }
}
