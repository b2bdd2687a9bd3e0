/* What was read again of stems, to follow their leaks and to find their clicks, and with that to hear them. */
#include "coordinator/report/report.h"

/* Pictures of short programmes: what is rendered is a show's, each of which tells the most of what its stems have. */
enum { PLACES_RENDERED = 1, PLACES_RECEIVED = 3 };

static const plan_piece *piece_at(const plan_timeline *timeline, uint64_t frame)
{
    uint32_t i = 0;
    while (i + 1 < timeline->piece_count && timeline->pieces[i + 1].programme_frame <= frame)
        i++;
    return &timeline->pieces[i];
}

const uint64_t *report_leaks_read(const plan *made, uint16_t deliverable, const stem_programme *stems, arena *memory)
{
    const plan_deliverable *of = &made->deliverables[deliverable];
    if (stems->cell_count == 0 || of->timeline == UINT16_MAX)
        return NULL;
    const render_program *program = &made->programs[of->program];
    uint32_t reels = made->show->reel_count;
    uint64_t *frames = arena_take_array(memory, (size_t)made->show->stem_count * reels, sizeof *frames);
    for (size_t c = 0; c < stems->cell_count; c++) {
        const stem_cell *cell = &stems->bleed[c];
        uint16_t reel = piece_at(&made->timelines[of->timeline], cell->frame)->reel;
        for (uint16_t lane = 0; cell->click_frames > 0 && lane < program->input_count; lane++) {
            uint16_t stem = program->inputs[lane].stem;
            bool first = lane == 0 || program->inputs[lane - 1].stem != stem; /* lanes of a stem stand together */
            if (first && stem < made->show->stem_count)
                frames[(size_t)stem * reels + reel] += cell->click_frames;
        }
        for (uint32_t i = 0; i < cell->leak_count; i++) {
            const uint16_t lanes[2] = {cell->leaks[i].source, cell->leaks[i].host};
            for (uint32_t k = 0; k < 2; k++) {
                uint16_t stem = program->inputs[lanes[k]].stem;
                if (stem < made->show->stem_count)
                    frames[(size_t)stem * reels + reel] += cell->leaks[i].read;
            }
        }
    }
    return frames;
}

/* Objects have no bed to be heard in: they are never listened to. */
static uint32_t stem_channels(const plan *made, uint32_t stem)
{
    const show_stem *of = &made->show->stems[stem];
    return of->objects ? 0 : channel_layout_get(of->layout)->channel_count;
}

/* Samples of a programme. */
static uint64_t samples_of(const plan *made, uint32_t deliverable)
{
    const plan_deliverable *of = &made->deliverables[deliverable];
    return made->timelines[of->timeline].frame_count * (channel_layout_get(of->layout)->channel_count + of->object_count);
}

/* Which part a programme is of all that are made of a stem; of those rendered with it where `together`. */
static double part_of(const plan *made, uint32_t deliverable, uint32_t stem, bool together)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < made->show->deliverable_count; i++) {
        const plan_deliverable *other = &made->deliverables[i];
        if (other->rendered && other->timeline != UINT16_MAX && plan_takes_stem(made->show, i, stem) &&
            (!together || other->program == made->deliverables[deliverable].program))
            all += samples_of(made, i);
    }
    return all == 0 ? 0.0 : (double)samples_of(made, deliverable) / (double)all;
}

read_share report_read_share(const plan *made, uint16_t deliverable, const sync_measure *const *heard, const stem_programme *stems,
                             arena *memory)
{
    const plan_deliverable *of = &made->deliverables[deliverable];
    const uint64_t *leaks = report_leaks_read(made, deliverable, stems, memory);
    const uint64_t frames = made->timelines[of->timeline].frame_count;
    const uint32_t reels = made->show->reel_count;
    double samples = 0.0;
    double again = 0.0;
    for (uint32_t s = 0; s < made->show->stem_count; s++) {
        const double channels = stem_channels(made, s);
        if (!of->rendered || !plan_takes_stem(made->show, deliverable, s))
            continue;
        const double part = part_of(made, deliverable, s, false);
        samples += (double)frames * channels * part;
        for (uint32_t r = 0; leaks != NULL && r < reels; r++)
            again += (double)leaks[(size_t)s * reels + r] * channels * part_of(made, deliverable, s, true);
        for (uint32_t i = 0; i < made->listen_count; i++)
            if (heard[i] != NULL && made->listens[i].stem == (int32_t)s)
                again += (double)heard[i]->frames_read * channels * part;
    }
    read_share share = {.samples = samples_of(made, deliverable) + (uint64_t)samples,
                        .again = (uint64_t)again,
                        .channels = channel_layout_get(of->layout)->channel_count + of->object_count,
                        .always = of->rendered ? PLACES_RENDERED : PLACES_RECEIVED};
    for (uint32_t i = 0; i < made->listen_count; i++)
        if (heard[i] != NULL && made->listens[i].deliverable == (int32_t)deliverable)
            share.again += heard[i]->frames_read * share.channels;
    return share;
}
