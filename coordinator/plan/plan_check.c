/* The handoff check: one pass over the files, then over the reels, then over what hangs together across both. */
#include "coordinator/plan/plan_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- one reel ---- */

/* True for the files whose lengths a reel's stems share: usable, at the show's rate, placed by the reel. */
static bool check_counts_in_reel(const check_run *self, uint32_t index, uint32_t reel)
{
    const plan_source *source = self->source;
    const plan_input *input = &source->inputs->items[index];
    const media_facts *facts = &source->facts[index];
    return plan_check_counts(self, index) && input->stem >= 0 &&
           (input->reel == (int32_t)reel || (input->reel < 0 && source->show->reel_count == 1)) &&
           !source->show->stems[input->stem].align_bext && facts->outcome == STATUS_OK && facts->frame_count > 0 &&
           facts->frame_count <= PLAN_FILE_FRAMES_MAX && facts->sample_rate == source->show->sample_rate;
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

/*
 * What made a file's length differ from that of the other stems in exactly the ratio of two sample rates: sound of one rate that
 * is labelled with the other. Its pitch is off by that ratio, too, and stays so when it is resampled afterwards. "" if it does not.
 */
static const char *rate_cause(const check_run *self, uint64_t found, uint64_t usual)
{
    static const struct {
        double sound, label;
    } mistakes[] = {{44100.0, 48000.0}, {48000.0, 44100.0}, {48000.0, 96000.0}, {96000.0, 48000.0}};
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        double made = (double)usual * mistakes[i].sound / mistakes[i].label;
        if (made >= 1000.0 && (double)found > made * 0.9995 && (double)found < made * 1.0005)
            return arena_format(self->notes->arena,
                                "; it is %.4f times as long as the other stems: that is %.4g kHz sound labelled %.4g kHz, "
                                "which plays %s: have it made again from its source, or its header corrected",
                                (double)found / (double)usual, mistakes[i].sound / 1000.0, mistakes[i].label / 1000.0,
                                mistakes[i].sound < mistakes[i].label ? "too fast and too high" : "too slow and too low");
    }
    return "";
}

static void check_file_length(const check_run *self, const plan_input *input, uint64_t found, const show_reel *reel,
                              uint64_t usual)
{
    const show *film = self->source->show;
    arena *memory = self->notes->arena;
    const char *cause = rate_cause(self, found, usual);
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
            plan_check_say(self, PROBLEM_ERROR, input,
                           arena_format(memory,
                                        "\"%s\" ends at %s, before the last frame of action %s: it has %" PRIu64
                                        " frames and needs %" PRIu64 "%s",
                                        input->display, ends, last, found, to_end,
                                        cause[0] != '\0' ? cause : "; deliver it complete or correct lfoa"));
            return;
        }
        uint64_t to_overlap = timecode_sample_of_frame(reel->lfoa_frame - start + 1 + reel->tail_overlap, &film->rate,
                                                       film->sample_rate);
        if (found < to_overlap) {
            plan_check_say(self, PROBLEM_ERROR, input,
                           arena_format(memory,
                                        "\"%s\" holds %" PRIu64 " frames after the last frame of action and the reel's tail "
                                        "overlap of %u pictures needs %" PRIu64 "; deliver it complete or correct overlap",
                                        input->display, found - to_end, reel->tail_overlap, to_overlap - to_end));
            return;
        }
    }
    double seconds = (double)(found > usual ? found - usual : usual - found) / film->sample_rate;
    if (found < usual)
        plan_check_say(self, PROBLEM_ERROR, input,
                       arena_format(memory,
                                    "\"%s\" is shorter than the other stems of the reel: %" PRIu64
                                    " frames instead of %" PRIu64 " (%.3f s less)%s",
                                    input->display, found, usual, seconds,
                                    cause[0] != '\0' ? cause : "; deliver files of equal length"));
    else if (found > usual)
        plan_check_say(
            self, !edges ? PROBLEM_ERROR : cause[0] != '\0' ? PROBLEM_WARNING : PROBLEM_INFO, input,
            arena_format(memory,
                         "\"%s\" is longer than the other stems of the reel: %" PRIu64 " frames instead of %" PRIu64
                         " (%.3f s more)%s",
                         input->display, found, usual, seconds,
                         cause[0] != '\0' ? cause
                         : edges
                             ? "; what lies behind the last frame of action is not used"
                             : "; without ffoa and lfoa the whole file is programme, so deliver files of equal length"));
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
        problem_list_add(
            notes->list, notes->arena, PROBLEM_ERROR, film->file_name, reel->line, reel->column,
            "reel %s: ffoa says nothing about the files without start; state the timecode of their first sample "
            "as start",
            reel->name);
    uint64_t first = 0;
    if (usual > 0 && film->reference_file != NULL && !plan_reel_edges(reel, &first))
        problem_list_add(notes->list, notes->arena, PROBLEM_WARNING, film->file_name, reel->line, reel->column,
                         "reel %s: its stems are not held against the reference, as it has no start and lfoa; state them",
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
        while (end < source->inputs->count && items[end].stem == items[first].stem &&
               items[end].reel == items[first].reel)
            end++;
        for (uint32_t i = first; i < end; i++)
            if (source->facts[i].outcome == STATUS_OK)
                there = i;
        for (uint32_t i = first; i < end && there != UINT32_MAX; i++)
            if (plan_check_counts(self, i) && items[i].stem >= 0 && items[i].optional &&
                source->facts[i].outcome == STATUS_INPUT_MISSING)
                plan_check_say(self, PROBLEM_ERROR, &items[i],
                               arena_format(self->notes->arena,
                                            "\"%s\" is missing while \"%s\" of the same stem is there; deliver "
                                            "all channels or none",
                                            items[i].display, items[there].display));
        first = end;
    }
}

/* Received files: mono files of one set must agree; a length that fits neither the reel nor its programme is worth a
 * word. */
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
            plan_check_say(
                self, PROBLEM_ERROR, input,
                arena_format(memory, "\"%s\" is at %u Hz and \"%s\" of the same deliverable at %u Hz; deliver one rate",
                             input->display, other->sample_rate, source->inputs->items[first].display,
                             facts->sample_rate));
        uint32_t set = first + i;
        while (set > first && source->inputs->items[set - 1].reel == input->reel)
            set--;
        if (other->frame_count != source->facts[set].frame_count)
            plan_check_say(self, PROBLEM_ERROR, input,
                           arena_format(memory,
                                        "\"%s\" has %" PRIu64 " frames and \"%s\" of the same programme has %" PRIu64
                                        "; deliver mono files of equal length",
                                        input->display, other->frame_count, source->inputs->items[set].display,
                                        source->facts[set].frame_count));
    }
    if (source->inputs->items[first].reel < 0 && film->reel_count > 1)
        return; /* one file of all reels: `format.length` and `sync.length` say how long it is */
    plan_timeline timeline;
    plan_timeline_received(&timeline, source, first, count, memory);
    for (uint32_t i = 0; i < timeline.piece_count; i++) {
        const plan_piece *piece = &timeline.pieces[i];
        uint64_t start = 0;
        if (film->rate.num == 0 || piece->reel >= film->reel_count || !plan_reel_edges(&film->reels[piece->reel], &start))
            continue;
        uint64_t pictures = film->reels[piece->reel].lfoa_frame - start + 1;
        uint64_t expected = timecode_sample_of_frame(pictures, &film->rate, timeline.sample_rate);
        if (piece->frame_count + 1 >= expected && piece->frame_count <= expected + 1)
            continue;
        uint32_t files_per_piece = count / timeline.piece_count;
        plan_check_say(
            self, PROBLEM_WARNING, &source->inputs->items[first + i * files_per_piece],
            arena_format(memory,
                         "\"%s\" has %" PRIu64 " frames, which is neither the programme of the reel (%" PRIu64
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
        if (inputs->items[i].deliverable >= 0 && plan_check_counts(self, i))
            check_received_set(self, i, end - i);
        i = end;
    }
}

/* The dialogue of one deliverable, where its recipe takes dialogue: there in some reel, and in the stated language. */
static void check_dialogue(const check_run *self, uint32_t index)
{
    const show *film = self->source->show;
    const show_deliverable *deliverable = &film->deliverables[index];
    const char *language = deliverable->language;
    const char *missing = NULL;
    bool takes_dialogue = false;
    bool show_has_dialogue = false;
    bool taken = false;
    bool heard = false;
    for (uint32_t i = 0; i < deliverable->recipe->role_count; i++)
        takes_dialogue = takes_dialogue || strcmp(deliverable->recipe->roles[i], "dialogue") == 0;
    if (!takes_dialogue)
        return;
    for (uint32_t i = 0; i < film->stem_count; i++) {
        const show_stem *stem = &film->stems[i];
        show_has_dialogue = show_has_dialogue || stem->role == ROLE_DIALOGUE;
        if (stem->role != ROLE_DIALOGUE || !plan_takes_stem(film, index, i))
            continue;
        taken = true;
        if (plan_stem_present(self->source, i))
            heard = heard || language[0] == '\0' || stem->language[0] != '\0';
        else if (stem->optional)
            missing = stem->name;
    }
    if (missing != NULL && !heard)
        problem_list_add(self->notes->list, self->notes->arena, PROBLEM_ERROR, film->file_name, deliverable->line,
                         deliverable->column,
                         "deliverable %s takes its dialogue%s%s from the optional stem %s, which is not there in any "
                         "reel; deliver the stem or leave the deliverable out with --only",
                         deliverable->name, language[0] == '\0' ? "" : " in ", language, missing);
    else if (!taken && show_has_dialogue)
        problem_list_add(self->notes->list, self->notes->arena, PROBLEM_ERROR, film->file_name, deliverable->line,
                         deliverable->column,
                         "deliverable %s is to be in \"%s\" and no dialogue stem has that language; add the stem or "
                         "correct the language",
                         deliverable->name, plan_language(film, index));
}

static void check_languages(const check_run *self)
{
    const show *film = self->source->show;
    for (uint32_t i = 0; i < film->deliverable_count; i++) {
        const show_deliverable *deliverable = &film->deliverables[i];
        bool wanted = self->wanted == NULL || self->wanted[i];
        if (wanted && deliverable->recipe != NULL && !deliverable->recipe->takes_stem)
            check_dialogue(self, i);
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
            problem_list_add(
                self->notes->list, self->notes->arena, PROBLEM_ERROR, film->file_name, film->reels[i].line,
                film->reels[i].column,
                "reel %s has neither ffoa and lfoa nor files of its own, so its length is not known; state ffoa "
                "and lfoa",
                film->reels[i].name);
    }
}

/* A stem at another rate is converted, and said to be. probed: as the file is. */
static void check_conversion(const check_run *self, uint32_t index, const media_facts *probed)
{
    const show *film = self->source->show;
    const plan_input *input = &self->source->inputs->items[index];
    if (!plan_converts(film, input, probed))
        return;
    plan_check_say(self, PROBLEM_INFO, input,
                   arena_format(self->notes->arena, "\"%s\" is at %u Hz and is converted to the show's %u Hz", input->display,
                                probed->sample_rate, film->sample_rate));
    if (film->stems[input->stem].align_bext && probed->bext.present && !plan_reference_converts(film, probed))
        plan_check_say(self, PROBLEM_ERROR, input,
                       arena_format(self->notes->arena,
                                    "the time reference of \"%s\" is sample %llu at %u Hz, which lies between two samples at %u "
                                    "Hz; align it by `start`, or deliver it at the show's sample rate",
                                    input->display, (unsigned long long)probed->bext.time_reference, probed->sample_rate,
                                    film->sample_rate));
}

void plan_check_needed(const plan_source *source, const bool *needed, const bool *wanted, plan_notes *notes)
{
    plan_source placed = *source;
    placed.facts = plan_facts_at_rate(source->show, source->inputs, source->facts, notes->arena);
    check_run run = {.source = &placed, .needed = needed, .wanted = wanted, .notes = notes};
    plan_timeline_joined(&run.joined, &placed, notes->arena);
    for (uint32_t i = 0; i < source->inputs->count; i++)
        if (plan_check_counts(&run, i)) {
            check_conversion(&run, i, &source->facts[i]);
            plan_check_file(&run, i);
        }
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
