/* Object tracks that a deliverable carries behind its bed: from which files, in which order, and what forbids it. */
#include "coordinator/plan/plan_parts.h"

#include "common/base/ensure.h"

#include <string.h>

static void refuse(plan_notes *notes, const show *film, const show_deliverable *deliverable, const char *sentence)
{
    problem_list_add(notes->list, notes->arena, PROBLEM_ERROR, film->file_name, deliverable->line, deliverable->column,
                     "deliverable %s %s", deliverable->name, sentence);
}

/* Tracks of the stem's objects, alike in all reels that have it; 0 when none has. */
static uint32_t stem_objects(const plan *self, uint32_t stem, const show_deliverable *deliverable, plan_notes *notes)
{
    uint32_t first = self->stem_inputs[stem];
    uint32_t files = self->inputs.items[first].reel >= 0 ? self->show->reel_count : 1;
    const plan_input *known = NULL;
    uint32_t count = 0;
    for (uint32_t i = first; i < first + files; i++) {
        const media_facts *facts = &self->facts[i];
        if (facts->outcome != STATUS_OK)
            continue;
        if (known != NULL && facts->adm.object_count != count)
            refuse(notes, self->show, deliverable,
                   arena_format(notes->arena,
                                "takes the objects of stem %s, of which \"%s\" has %u and \"%s\" %u; deliver the same object "
                                "tracks in every reel",
                                self->show->stems[stem].name, known->display, count, self->inputs.items[i].display,
                                facts->adm.object_count));
        known = &self->inputs.items[i];
        count = facts->adm.object_count;
    }
    return count;
}

/* What the metadata of all files take, as far as plan_object_sources counts it. */
static uint64_t axml_bytes(const plan *self, const plan_deliverable *planned)
{
    uint64_t bytes = 0;
    for (uint32_t s = 0; s < planned->object_stem_count; s++) {
        uint32_t first = self->stem_inputs[planned->object_stems[s]];
        uint32_t files = self->inputs.items[first].reel >= 0 ? self->show->reel_count : 1;
        for (uint32_t i = first; i < first + files; i++)
            bytes += self->facts[i].outcome == STATUS_OK ? self->facts[i].adm.axml_size : 0;
    }
    return bytes;
}

static void check_objects(plan *target, uint32_t index, plan_notes *notes)
{
    const show *film = target->show;
    const show_deliverable *deliverable = &film->deliverables[index];
    const plan_deliverable *planned = &target->deliverables[index];
    uint32_t tracks = channel_layout_get(planned->layout)->channel_count + planned->object_count;
    uint32_t most = deliverable->recipe->adm == ADM_DOLBY ? 118 : FILE_CHANNELS_MAX;
    uint64_t bytes = axml_bytes(target, planned);
    if (tracks > FILE_CHANNELS_MAX || planned->object_count > most)
        refuse(notes, film, deliverable,
               arena_format(notes->arena,
                            "would have %u tracks, %u of them objects; a file has at most %d, and a Dolby master at most 118 "
                            "objects: take fewer stems",
                            tracks, planned->object_count, FILE_CHANNELS_MAX));
    if (planned->gain_scanned || planned->gain_db != 0.0)
        refuse(notes, film, deliverable,
               "carries objects as they are, so a gain of its bed would change the mix; write `gain: 0` for it");
    const plan_timeline *timeline = &target->timelines[planned->timeline];
    for (uint32_t i = 0; i < timeline->piece_count; i++)
        if (timeline->pieces[i].join_before > 0 || timeline->pieces[i].join_after > 0) {
            refuse(notes, film, deliverable,
                   "carries objects as they are, so its reels are not faded into each other; write `join: butt` in its recipe");
            break;
        }
    if (bytes > OBJECT_AXML_MAX)
        refuse(notes, film, deliverable,
               arena_format(notes->arena,
                            "takes objects with %.1f MiB of axml in all; at most %d MiB are carried: split the programme",
                            (double)bytes / 1048576.0, OBJECT_AXML_MAX >> 20));
}

void plan_find_objects(plan *target, uint32_t index, plan_notes *notes)
{
    const show *film = target->show;
    const show_deliverable *deliverable = &film->deliverables[index];
    plan_deliverable *planned = &target->deliverables[index];
    plan_source source = {.show = film, .inputs = &target->inputs, .facts = target->facts};
    planned->object_count = planned->object_stem_count = 0;
    for (uint32_t i = 0; i < film->stem_count; i++) {
        if (!film->stems[i].objects || !plan_takes_stem(film, index, i) || !plan_stem_present(&source, i))
            continue;
        if (!deliverable->recipe->keeps_objects) {
            refuse(notes, film, deliverable,
                   arena_format(notes->arena,
                                "takes stem %s, whose objects it would have to render, which reelmill does not do; take a recipe "
                                "that keeps them (`objects: keep`), or leave it out with --only",
                                film->stems[i].name));
            continue;
        }
        if (planned->object_stem_count == OBJECT_STEMS_MAX) {
            refuse(notes, film, deliverable,
                   arena_format(notes->arena, "takes more than %d stems of objects; deliver them in fewer files", OBJECT_STEMS_MAX));
            return;
        }
        uint32_t count = stem_objects(target, i, deliverable, notes);
        planned->object_stems[planned->object_stem_count] = (uint16_t)i;
        planned->object_counts[planned->object_stem_count++] = (uint16_t)count;
        planned->object_count = (uint16_t)(planned->object_count + count);
    }
    if (planned->object_count > 0)
        check_objects(target, index, notes);
}

/* Index in inputs of a stem's file in a reel; -1 where there is none. */
static int64_t stem_input(const plan *self, uint32_t stem, uint32_t reel)
{
    uint32_t first = self->stem_inputs[stem];
    uint32_t input = first + (self->inputs.items[first].reel >= 0 ? reel : 0);
    return self->facts[input].outcome == STATUS_OK ? (int64_t)input : -1;
}

int64_t plan_object_input(const plan *self, uint32_t index, uint32_t object, uint32_t reel, uint16_t *out_channel)
{
    const plan_deliverable *planned = &self->deliverables[index];
    uint32_t stem = 0;
    for (; object >= planned->object_counts[stem]; stem++)
        object -= planned->object_counts[stem];
    ENSURE(stem < planned->object_stem_count);
    int64_t input = stem_input(self, planned->object_stems[stem], reel);
    if (input < 0)
        return -1;
    int track = media_adm_object_track(&self->facts[input].adm, object);
    ENSURE(track >= 0);
    *out_channel = (uint16_t)track;
    return input;
}

/* A long-play file goes on where the piece before ended: nothing is cut there. */
static bool continues(output_header *header, const output_object_source *source)
{
    for (uint32_t i = header->object_source_count; i > 0; i--) {
        output_object_source *before = &header->object_sources[i - 1];
        if (before->first_object != source->first_object)
            continue;
        if (strcmp(before->input.file.path, source->input.file.path) != 0 ||
            before->programme_frame + before->frame_count != source->programme_frame ||
            before->file_frame + (int64_t)before->frame_count != source->file_frame)
            return false;
        before->frame_count += source->frame_count;
        return true;
    }
    return false;
}

/* A leader moves what follows; one that is kept is taken from the files of its reel, as the bed's is. */
static void source_place(const plan *self, const plan_timeline *timeline, uint32_t piece, uint32_t input, bool keeps,
                         const output_leader *leader, output_object_source *source)
{
    bool own = keeps && plan_input_of_reel(self->show, &self->inputs.items[input]);
    bool begins = own && piece == 0;
    source->programme_frame = timeline->pieces[piece].programme_frame + (begins ? 0 : leader->head_frames);
    source->frame_count = timeline->pieces[piece].frame_count;
    if (begins) {
        source->file_frame -= leader->head_frames;
        source->frame_count += leader->head_frames;
    }
    if (own && piece + 1 == timeline->piece_count)
        source->frame_count += leader->tail_frames;
}

void plan_object_sources(plan *target, uint32_t index, output_header *header)
{
    const plan_deliverable *planned = &target->deliverables[index];
    const plan_timeline *timeline = &target->timelines[planned->timeline];
    bool keeps = target->show->deliverables[index].recipe->keeps_leader;
    if (planned->object_count == 0)
        return;
    header->object_count = planned->object_count;
    header->object_sources = arena_take_array(&target->arena, (size_t)timeline->piece_count * planned->object_stem_count,
                                              sizeof *header->object_sources);
    for (uint32_t p = 0; p < timeline->piece_count; p++) {
        const plan_piece *piece = &timeline->pieces[p];
        uint32_t first = 0;
        for (uint32_t s = 0; s < planned->object_stem_count; first += planned->object_counts[s++]) {
            int64_t input = stem_input(target, planned->object_stems[s], piece->reel);
            if (input < 0)
                continue;
            output_object_source source = {.input = plan_task_input(target, (uint32_t)input),
                                           .first_object = (uint16_t)first,
                                           .object_count = planned->object_counts[s]};
            ENSURE(plan_stem_position(plan_timeline_show(target->show, timeline), &target->inputs.items[input],
                                      &timeline->placed[input], piece->reel, piece->programme_frame, &source.file_frame));
            source_place(target, timeline, p, (uint32_t)input, keeps, &header->leader, &source);
            if (!continues(header, &source))
                header->object_sources[header->object_source_count++] = source;
        }
    }
    /* Their metadata are written by a worker: room for twice what the files have, and for what an object takes at least. */
    uint64_t room = 2 * axml_bytes(target, planned) + 4096 * (uint64_t)planned->object_count;
    header->data_offset += (uint32_t)((room + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES);
}
