/* What was read again of stems, to follow their leaks and to find their clicks, and with that to hear them. */
#include "coordinator/report/report.h"

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

read_share report_read_share(const plan *made, uint16_t deliverable, const sync_measure *const *heard, const stem_programme *stems,
                             arena *memory)
{
    const plan_deliverable *of = &made->deliverables[deliverable];
    const uint64_t *leaks = report_leaks_read(made, deliverable, stems, memory);
    const uint64_t frames = made->timelines[of->timeline].frame_count;
    const uint32_t reels = made->show->reel_count;
    read_share share = {.channels = channel_layout_get(of->layout)->channel_count + of->object_count};
    share.samples = frames * share.channels;
    for (uint32_t s = 0; s < made->show->stem_count; s++) {
        const uint32_t channels = stem_channels(made, s);
        if (!of->rendered || !plan_takes_stem(made->show, deliverable, s))
            continue;
        share.samples += frames * channels;
        for (uint32_t r = 0; leaks != NULL && r < reels; r++)
            share.again += leaks[(size_t)s * reels + r] * channels;
    }
    for (uint32_t i = 0; i < made->listen_count; i++) {
        const plan_listen *listen = &made->listens[i];
        if (heard[i] != NULL && plan_listen_concerns(made, listen, deliverable))
            share.again += heard[i]->frames_read *
                           (listen->stem < 0 ? share.channels : stem_channels(made, (uint32_t)listen->stem));
    }
    return share;
}
