/* The handoff check: one pass over the files, then over the reels, then over what hangs together across both. */
#include "coordinator/plan/plan_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* No file is longer: 265 days at 48 kHz. Keeps every sum of positions far from overflow. */
static const uint64_t file_frames_max = UINT64_C(1) << 40;

enum { WHO_TEXT_SIZE = 2 * NAME_MAX_BYTES + 64, PLACE_TEXT_SIZE = 64 };

typedef struct check_run {
    const plan_source *source;
    const bool *needed; /* inputs, NULL = all */
    const bool *wanted; /* deliverables, NULL = all */
    plan_notes *notes;
    plan_timeline joined;
} check_run;

static bool check_needed(const check_run *self, uint32_t input)
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

/* One finding about one input; text is already a clause that follows "<who>: ". */
static void check_say(const check_run *self, problem_severity severity, const plan_input *input, const char *text)
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

/* ---- one file ---- */

static void check_channels(const check_run *self, const plan_input *input, const media_facts *facts,
                           channel_layout_id layout_id, const channel_order *order, bool order_stated)
{
    arena *memory = self->notes->arena;
    const channel_layout *layout = channel_layout_get(layout_id);
    uint32_t expected = input->channel != CHANNEL_NONE ? 1 : layout->channel_count;
    if (facts->channel_count != expected) {
        check_say(self, PROBLEM_ERROR, input,
                  arena_format(memory, "\"%s\" has %u channel%s and %s%s needs %u; deliver the right file or correct the "
                                      "layout in the show file",
                               input->display, facts->channel_count, facts->channel_count == 1 ? "" : "s",
                               input->channel != CHANNEL_NONE ? "one mono file of " : "", layout->name, expected));
        return;
    }
    if (input->channel != CHANNEL_NONE || expected < 2)
        return;
    for (uint32_t i = 0; i < expected; i++)
        if (channel_order_position(order, layout_id, i) < 0)
            check_say(self, PROBLEM_ERROR, input,
                      arena_format(memory, "the stated order lacks channel %s of %s; list every channel once",
                                   channel_label_name(layout->labels[i]), layout->name));
    if (!facts->has_channel_mask || facts->channel_mask == 0)
        return;
    channel_order masked;
    if (!channel_order_from_mask(layout_id, facts->channel_mask, &masked)) {
        check_say(self, PROBLEM_WARNING, input,
                  arena_format(memory, "\"%s\" carries the channel mask 0x%x, which does not name the channels of %s; the show "
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
    check_say(self, PROBLEM_WARNING, input,
              arena_format(memory, "the channel mask 0x%x of \"%s\" means the order %s, but the show file %s %s; the show file "
                                  "wins, correct `order` if it is wrong",
                           facts->channel_mask, input->display, found, order_stated ? "states" : "means", stated));
}

static void check_rate(const check_run *self, const plan_input *input, const media_facts *facts)
{
    uint32_t expected = self->source->show->sample_rate;
    if (expected == 0 || facts->sample_rate == expected)
        return;
    bool received = input->deliverable >= 0;
    check_say(self, received ? PROBLEM_WARNING : PROBLEM_ERROR, input,
              arena_format(self->notes->arena,
                           "\"%s\" is at %u Hz and the show is at %u Hz; %s", input->display, facts->sample_rate, expected,
                           received ? "it is measured at its own rate" : "deliver it at the show's sample rate"));
}

/* True when the file can be used at all. */
static bool check_opens(const check_run *self, const plan_input *input, const media_facts *facts)
{
    arena *memory = self->notes->arena;
    if (facts->outcome == STATUS_INPUT_MISSING) {
        if (input->optional)
            check_say(self, PROBLEM_INFO, input,
                      arena_format(memory, "the optional file \"%s\" is not there and counts as silence", input->display));
        else
            check_say(self, PROBLEM_ERROR, input,
                      arena_format(memory, "the file \"%s\" is not there; deliver it%s", input->display,
                                   input->stem >= 0 ? ", correct the file pattern, or mark the stem optional"
                                                    : " or correct the show file"));
        return false;
    }
    if (facts->outcome != STATUS_OK) {
        const char *reason = facts->message[0] != '\0' ? facts->message : status_text(facts->outcome);
        check_say(self, PROBLEM_ERROR, input,
                  strstr(reason, input->display) != NULL ? reason : arena_format(memory, "\"%s\": %s", input->display, reason));
        return false;
    }
    if (facts->frame_count == 0 || facts->frame_count > file_frames_max) {
        check_say(self, PROBLEM_ERROR, input,
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

/* A reel's file that is placed by the reel's start: its time reference must say the same. 0 is what many tools leave. */
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
        check_say(self, PROBLEM_WARNING, input,
                  arena_format(memory, "the bext time reference %" PRIu64 " of \"%s\" was made by the %u fps rule; at %s the "
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
            check_say(self, PROBLEM_ERROR, input,
                      arena_format(memory, "the bext time reference of \"%s\" is the start of reel %s, not %s of this reel; is it "
                                          "the wrong reel's file? Deliver the right one or correct the show file",
                                   input->display, other->name, start));
            return;
        }
    }
    check_say(self, distance <= picture ? PROBLEM_WARNING : PROBLEM_ERROR, input,
              arena_format(memory, "the bext time reference of \"%s\" is sample %" PRIu64 " (%s), but the reel starts at %s, "
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
        check_say(self, PROBLEM_ERROR, input,
                  arena_format(memory, "the stem is placed by time reference (align: bext) but \"%s\" has no bext chunk; deliver a "
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
            check_say(self, PROBLEM_ERROR, input,
                      arena_format(memory, "the bext time reference %" PRIu64 " of \"%s\" is %s by the %u fps rule; at %s that is "
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
        check_say(self, PROBLEM_ERROR, input,
                  arena_format(memory, "\"%s\" cannot be placed by its time reference: the reel has neither ffoa nor start; state "
                                      "one of them",
                               input->display));
        return;
    }
    uint64_t length = own ? piece->frame_count : self->joined.frame_count;
    int64_t end = (int64_t)facts->frame_count;
    if (first >= end || first + (int64_t)length <= 0) {
        char found[PLACE_TEXT_SIZE];
        check_place(self, facts->bext.time_reference, found);
        check_say(self, PROBLEM_ERROR, input,
                  arena_format(memory, "\"%s\" lies wholly outside the %s: its time reference is %s; have it stamped again or "
                                      "correct the show file",
                               input->display, own ? "reel" : "programme", found));
    } else if (first < 0 || first + (int64_t)length > end) {
        check_say(self, PROBLEM_WARNING, input,
                  arena_format(memory, "\"%s\" does not cover the whole %s (%s); what it lacks is silence", input->display,
                               own ? "reel" : "programme", first < 0 ? "it begins after the first frame of action"
                                                                     : "it ends before the last frame of action"));
    }
}

/* A file without {reel} in a show of several reels that begins at the programme's first frame. */
static void check_long_play(const check_run *self, const plan_input *input, const media_facts *facts)
{
    uint64_t needed = self->joined.frame_count;
    arena *memory = self->notes->arena;
    if (facts->frame_count < needed)
        check_say(self, PROBLEM_ERROR, input,
                  arena_format(memory, "the long-play file \"%s\" has %" PRIu64 " frames and the programme of all reels has %" PRIu64
                                      " (%.3f s more); deliver it complete",
                               input->display, facts->frame_count, needed,
                               (double)(needed - facts->frame_count) / self->source->show->sample_rate));
    else if (facts->frame_count > needed)
        check_say(self, PROBLEM_INFO, input,
                  arena_format(memory, "the long-play file \"%s\" is %" PRIu64 " frames longer than the programme of all reels; the "
                                      "rest is not used",
                               input->display, facts->frame_count - needed));
}

static void check_stem_file(const check_run *self, const plan_input *input, const media_facts *facts)
{
    const show *film = self->source->show;
    const show_stem *stem = &film->stems[input->stem];
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
    if (layout == LAYOUT_NONE) {
        check_say(self, PROBLEM_ERROR, input,
                  arena_format(self->notes->arena, "\"%s\" has %u channels, which can be several layouts or none; state `layout`",
                               input->display, facts->channel_count));
        return;
    }
    check_channels(self, input, facts, layout, &order, source->show->deliverables[deliverable].order_given);
}

static void check_file(const check_run *self, uint32_t index)
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

/* ---- one reel ---- */

/* True for the files whose lengths a reel's stems share: usable, at the show's rate, placed by the reel. */
static bool check_counts_in_reel(const check_run *self, uint32_t index, uint32_t reel)
{
    const plan_source *source = self->source;
    const plan_input *input = &source->inputs->items[index];
    const media_facts *facts = &source->facts[index];
    return check_needed(self, index) && input->stem >= 0 &&
           (input->reel == (int32_t)reel || (input->reel < 0 && source->show->reel_count == 1)) &&
           !source->show->stems[input->stem].align_bext && facts->outcome == STATUS_OK && facts->frame_count > 0 &&
           facts->frame_count <= file_frames_max && facts->sample_rate == source->show->sample_rate;
}

/* The length that most files of the reel have; of several such lengths the longest. 0 when the reel has no files. */
static uint64_t check_usual_length(const check_run *self, uint32_t reel)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->source->inputs->count; i++)
        count += check_counts_in_reel(self, i, reel);
    uint64_t *lengths = arena_take_array(self->notes->arena, count, sizeof *lengths);
    uint32_t filled = 0;
    for (uint32_t i = 0; i < self->source->inputs->count; i++)
        if (check_counts_in_reel(self, i, reel))
            lengths[filled++] = self->source->facts[i].frame_count;
    uint64_t best = 0;
    uint32_t best_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t same = 0;
        for (uint32_t k = 0; k < count && lengths[i] != best; k++)
            same += lengths[k] == lengths[i];
        if (same > best_count || (same > 0 && same == best_count && lengths[i] > best)) {
            best = lengths[i];
            best_count = same;
        }
    }
    return best;
}

static void check_file_length(const check_run *self, const plan_input *input, uint64_t found, const show_reel *reel,
                              uint64_t usual)
{
    const show *film = self->source->show;
    arena *memory = self->notes->arena;
    uint64_t first = 0;
    bool edges = plan_reel_edges(reel, &first);
    uint64_t start = reel->has_start ? reel->start_frame : first;
    if (edges && start <= first) {
        uint64_t to_end = timecode_sample_of_frame(reel->lfoa_frame - start + 1, &film->rate, film->sample_rate);
        if (found < to_end) {
            char last[TIMECODE_TEXT_SIZE];
            char ends[TIMECODE_TEXT_SIZE];
            timecode_format(reel->lfoa_frame, &film->rate, last);
            timecode_format(start + timecode_frame_of_sample(found, &film->rate, film->sample_rate), &film->rate, ends);
            check_say(self, PROBLEM_ERROR, input,
                      arena_format(memory, "\"%s\" ends at %s, before the last frame of action %s: it has %" PRIu64
                                          " frames and needs %" PRIu64 "; deliver it complete or correct lfoa",
                                   input->display, ends, last, found, to_end));
            return;
        }
    }
    double seconds = (double)(found > usual ? found - usual : usual - found) / film->sample_rate;
    if (found < usual)
        check_say(self, PROBLEM_ERROR, input,
                  arena_format(memory, "\"%s\" is shorter than the other stems of the reel: %" PRIu64 " frames instead of %" PRIu64
                                      " (%.3f s less); deliver files of equal length",
                               input->display, found, usual, seconds));
    else if (found > usual)
        check_say(self, edges ? PROBLEM_INFO : PROBLEM_ERROR, input,
                  arena_format(memory, "\"%s\" is longer than the other stems of the reel: %" PRIu64 " frames instead of %" PRIu64
                                      " (%.3f s more); %s",
                               input->display, found, usual, seconds,
                               edges ? "what lies behind the last frame of action is not used"
                                     : "without ffoa and lfoa the whole file is programme, so deliver files of equal length"));
}

static void check_reel(const check_run *self, uint32_t index)
{
    const show *film = self->source->show;
    const show_reel *reel = &film->reels[index];
    plan_notes *notes = self->notes;
    if ((reel->has_start && reel->has_ffoa && reel->ffoa_frame < reel->start_frame) ||
        (reel->has_lfoa && reel->has_ffoa && reel->lfoa_frame < reel->ffoa_frame)) {
        problem_list_add(notes->list, notes->arena, PROBLEM_ERROR, film->file_name, reel->line, reel->column,
                         "reel %s: start, ffoa and lfoa must not decrease; correct the timecodes", reel->name);
        return;
    }
    uint64_t usual = check_usual_length(self, index);
    if (usual > 0 && reel->has_ffoa && !reel->has_start)
        problem_list_add(notes->list, notes->arena, PROBLEM_ERROR, film->file_name, reel->line, reel->column,
                         "reel %s: ffoa says nothing about the files without start; state the timecode of their first sample "
                         "as start",
                         reel->name);
    for (uint32_t i = 0; i < self->source->inputs->count; i++)
        if (check_counts_in_reel(self, i, index))
            check_file_length(self, &self->source->inputs->items[i], self->source->facts[i].frame_count, reel, usual);
}

/* ---- across files ---- */

/* A multi-mono stem that may be missing must be missing altogether. Files of one set stand side by side in the list. */
static void check_optional_sets(const check_run *self)
{
    const plan_source *source = self->source;
    const plan_input *items = source->inputs->items;
    for (uint32_t first = 0; first < source->inputs->count;) {
        uint32_t end = first + 1;
        uint32_t there = UINT32_MAX;
        while (end < source->inputs->count && items[end].stem == items[first].stem && items[end].reel == items[first].reel)
            end++;
        for (uint32_t i = first; i < end; i++)
            if (source->facts[i].outcome == STATUS_OK)
                there = i;
        for (uint32_t i = first; i < end && there != UINT32_MAX; i++)
            if (check_needed(self, i) && items[i].stem >= 0 && items[i].optional &&
                source->facts[i].outcome == STATUS_INPUT_MISSING)
                check_say(self, PROBLEM_ERROR, &items[i],
                          arena_format(self->notes->arena, "\"%s\" is missing while \"%s\" of the same stem is there; deliver "
                                                           "all channels or none",
                                       items[i].display, items[there].display));
        first = end;
    }
}

/* Received files: mono files of one set must agree; a length that fits neither the reel nor its programme is worth a word. */
static void check_received_set(const check_run *self, uint32_t first, uint32_t count)
{
    const plan_source *source = self->source;
    const show *film = source->show;
    arena *memory = self->notes->arena;
    const media_facts *facts = &source->facts[first];
    for (uint32_t i = 0; i < count; i++) {
        const plan_input *input = &source->inputs->items[first + i];
        const media_facts *other = &source->facts[first + i];
        if (other->outcome != STATUS_OK || facts->outcome != STATUS_OK)
            return;
        if (other->sample_rate != facts->sample_rate)
            check_say(self, PROBLEM_ERROR, input,
                      arena_format(memory, "\"%s\" is at %u Hz and \"%s\" of the same deliverable at %u Hz; deliver one rate",
                                   input->display, other->sample_rate, source->inputs->items[first].display,
                                   facts->sample_rate));
        uint32_t set = first + i;
        while (set > first && source->inputs->items[set - 1].reel == input->reel)
            set--;
        if (other->frame_count != source->facts[set].frame_count)
            check_say(self, PROBLEM_ERROR, input,
                      arena_format(memory, "\"%s\" has %" PRIu64 " frames and \"%s\" of the same programme has %" PRIu64
                                          "; deliver mono files of equal length",
                                   input->display, other->frame_count, source->inputs->items[set].display,
                                   source->facts[set].frame_count));
    }
    plan_timeline timeline;
    plan_timeline_received(&timeline, source, first, count, memory);
    for (uint32_t i = 0; i < timeline.piece_count; i++) {
        const plan_piece *piece = &timeline.pieces[i];
        uint64_t start = 0;
        if (piece->spans_reels || film->rate.num == 0 || piece->reel >= film->reel_count ||
            !plan_reel_edges(&film->reels[piece->reel], &start))
            continue;
        uint64_t pictures = film->reels[piece->reel].lfoa_frame - start + 1;
        uint64_t expected = timecode_sample_of_frame(pictures, &film->rate, timeline.sample_rate);
        if (piece->frame_count + 1 >= expected && piece->frame_count <= expected + 1)
            continue;
        uint32_t files_per_piece = count / timeline.piece_count;
        check_say(self, PROBLEM_WARNING, &source->inputs->items[first + i * files_per_piece],
                  arena_format(memory, "\"%s\" has %" PRIu64 " frames, which is neither the programme of the reel (%" PRIu64
                                      ") nor the reel with its leader; it is measured as a whole",
                               source->inputs->items[first + i * files_per_piece].display, piece->frame_count, expected));
    }
}

static void check_received(const check_run *self)
{
    const input_list *inputs = self->source->inputs;
    for (uint32_t i = 0; i < inputs->count;) {
        uint32_t end = i + 1;
        while (end < inputs->count && inputs->items[end].deliverable == inputs->items[i].deliverable)
            end++;
        if (inputs->items[i].deliverable >= 0 && check_needed(self, i))
            check_received_set(self, i, end - i);
        i = end;
    }
}

/* A deliverable in a stated language needs that language's dialogue, even where the stem may be missing. */
static void check_languages(const check_run *self)
{
    const show *film = self->source->show;
    for (uint32_t i = 0; i < film->deliverable_count; i++) {
        const show_deliverable *deliverable = &film->deliverables[i];
        if ((self->wanted != NULL && !self->wanted[i]) || deliverable->recipe == NULL || deliverable->recipe->takes_stem || deliverable->language[0] == '\0')
            continue;
        const char *missing = NULL;
        bool heard = false;
        for (uint32_t k = 0; k < film->stem_count; k++) {
            const show_stem *stem = &film->stems[k];
            if (stem->role != ROLE_DIALOGUE || stem->language[0] == '\0' || !plan_takes_stem(film, i, k))
                continue;
            if (plan_stem_present(self->source, k))
                heard = true;
            else if (stem->optional)
                missing = stem->name;
        }
        if (missing != NULL && !heard)
            problem_list_add(self->notes->list, self->notes->arena, PROBLEM_ERROR, film->file_name, deliverable->line,
                             deliverable->column,
                             "deliverable %s needs dialogue in %s and the optional stem %s is not there in any reel; deliver the "
                             "stem or leave the deliverable out with --only",
                             deliverable->name, deliverable->language, missing);
    }
}

static void check_joined_lengths(const check_run *self)
{
    const show *film = self->source->show;
    for (uint32_t i = 0; i < film->reel_count; i++) {
        bool usable = false;
        bool any = false;
        for (uint32_t k = 0; k < self->source->inputs->count; k++) {
            any = any || self->source->inputs->items[k].stem >= 0;
            usable = usable || check_counts_in_reel(self, k, i);
        }
        uint64_t first = 0;
        if (any && !usable && !plan_reel_edges(&film->reels[i], &first) && self->joined.pieces[i].frame_count == 0 &&
            self->notes->list->error_count == 0)
            problem_list_add(self->notes->list, self->notes->arena, PROBLEM_ERROR, film->file_name, film->reels[i].line,
                             film->reels[i].column,
                             "reel %s has neither ffoa and lfoa nor files of its own, so its length is not known; state ffoa "
                             "and lfoa",
                             film->reels[i].name);
    }
}

void plan_check_needed(const plan_source *source, const bool *needed, const bool *wanted, plan_notes *notes)
{
    check_run run = {.source = source, .needed = needed, .wanted = wanted, .notes = notes};
    plan_timeline_joined(&run.joined, source, notes->arena);
    for (uint32_t i = 0; i < source->inputs->count; i++)
        if (check_needed(&run, i))
            check_file(&run, i);
    for (uint32_t i = 0; i < source->show->reel_count; i++)
        check_reel(&run, i);
    check_optional_sets(&run);
    check_received(&run);
    check_languages(&run);
    check_joined_lengths(&run);
}

status plan_check(const show *film, const input_list *inputs, const media_facts *facts, arena *memory,
                  problem_list *problems)
{
    size_t errors_before = problems->error_count;
    plan_source source = {.show = film, .inputs = inputs, .facts = facts};
    plan_notes notes = {.list = problems, .arena = memory};
    plan_check_needed(&source, NULL, NULL, &notes);
    return problems->error_count == errors_before ? STATUS_OK : STATUS_INPUT_INVALID;
}
