/*
 * A stem that lies in another, sample for sample, in all of its channels at one gain: the same recording, as a forgotten mute or a
 * bus leaves it. What is put there by intent is filtered, later, or in other channels. From the stems' sums beside a received
 * programme; of less than this the search for leaks tells.
 */
#include "coordinator/verdict/finding_places.h"
#include "coordinator/verdict/finding_stretches.h"
#include "coordinator/verdict/stem_judgement.h"

#include <math.h>
#include <string.h>

/*
 * Reasons for the numbers. Sound has of as much other sound what chance gives, which is steady in no two channels: eight standard
 * deviations of it in each, and the same gain in all of them and in each quarter of the reel that tells it to a tenth.
 */
enum { COLOUR = 30, QUARTERS = 4, CHANNELS_LEAST = 2, QUARTERS_LEAST = 2 };
static const double gain_least = 0.178, gain_most = 1.01; /* -15 dB: as shared_db of judge_bleed.c */
static const double sure = 8.0, known = 0.1;
static const double alike_db = 0.5, alike_quarter_db = 1.0;

/* Of a channel of a stem in the same channel of another. */
typedef struct lane_sums {
    double own, host, both, frames;
} lane_sums;

static double gain_of(const lane_sums *sums)
{
    return sums->own > 0.0 ? sums->both / sums->own : 0.0;
}

static double error_of(const lane_sums *sums)
{
    const double left = fmax(sums->host - gain_of(sums) * sums->both, 0.0);
    return sums->own > 0.0 ? sqrt(left * COLOUR / sums->frames / sums->own) : HUGE_VAL;
}

static void add_lane(const stem_judgement *self, uint32_t lane, uint32_t host, uint64_t start, uint64_t end, lane_sums *sums)
{
    const stem_programme *programme = self->judgement->facts->stems;
    for (size_t b = stem_judgement_block(self, start); b < programme->block_count && programme->blocks[b].frame < end; b++) {
        const stem_block *block = &programme->blocks[b];
        sums->own += block->sums[stem_sum_index(lane, lane)];
        sums->host += block->sums[stem_sum_index(host, host)];
        sums->both += block->sums[stem_sum_index(lane, host)];
        sums->frames += block->frame_count;
    }
}

/* The same gain in every part of a reel that tells it. */
static bool is_steady(const stem_judgement *self, uint32_t lane, uint32_t host, const plan_piece *piece, double gain)
{
    uint32_t told = 0;
    for (uint64_t q = 0; q < QUARTERS; q++) {
        lane_sums sums = {0};
        add_lane(self, lane, host, piece->programme_frame + piece->frame_count * q / QUARTERS,
                 piece->programme_frame + piece->frame_count * (q + 1) / QUARTERS, &sums);
        if (sums.own <= STEM_TOLD_POWER * sums.frames || error_of(&sums) > known * gain)
            continue;
        if (gain_of(&sums) <= 0.0 || fabs(20.0 * log10(gain_of(&sums) / gain)) > alike_quarter_db)
            return false;
        told++;
    }
    return told >= QUARTERS_LEAST;
}

/* The gain at which an element lies in all of its channels in another's of a reel; 0: it does not. */
static double copy_gain(const stem_judgement *self, uint32_t element, uint32_t host, const plan_piece *piece)
{
    const stem_model *model = &self->model;
    double gain = 0.0;
    uint32_t channels = 0;
    for (uint32_t i = model->output_count; i < model->lane_count; i++) {
        lane_sums sums = {0};
        uint32_t other = model->output_count;
        while (other < model->lane_count && (model->element_of[other] != host || model->bed_of[other] != model->bed_of[i]))
            other++;
        if (model->element_of[i] != element)
            continue;
        add_lane(self, i, other < model->lane_count ? other : i, piece->programme_frame,
                 piece->programme_frame + piece->frame_count, &sums);
        if (sums.own <= STEM_TOLD_POWER * sums.frames)
            continue;
        const double here = gain_of(&sums);
        if (other == model->lane_count || here < gain_least || here > gain_most || here < sure * error_of(&sums) ||
            (gain > 0.0 && fabs(20.0 * log10(here / gain)) > alike_db) || !is_steady(self, i, other, piece, here))
            return 0.0;
        gain = gain > 0.0 ? gain : here;
        channels++;
    }
    return channels >= CHANNELS_LEAST ? gain : 0.0;
}

/* What was told of the two as leaks or as shared sound is this. */
static void drop_leaks(const stem_judgement *self, const char *name, const char *host)
{
    finding_list *list = &self->judgement->verdict->findings;
    arena *memory = self->judgement->memory;
    const char *ends[2][2] = {{arena_format(memory, "%s ", name), arena_format(memory, "-> %s", host)},
                              {arena_format(memory, "%s ", host), arena_format(memory, "-> %s", name)}};
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        const finding *item = &list->items[i];
        bool same = false;
        for (size_t k = 0; k < 2 && strcmp(item->check, "stems.bleed") == 0 && item->subject != NULL; k++) {
            const char *arrow = strstr(item->subject, "-> ");
            same = same || (arrow != NULL && strncmp(item->subject, ends[k][0], strlen(ends[k][0])) == 0 &&
                            strcmp(arrow, ends[k][1]) == 0);
        }
        if (!same || item->rule != NULL)
            list->items[kept++] = *item;
    }
    list->count = kept;
}

static void tell_copy(stem_judgement *self, uint32_t element, uint32_t host, double gain, const finding_stretches *all)
{
    judgement *base = self->judgement;
    const char *name = base->show->stems[self->stems[element]].name;
    const char *in = base->show->stems[self->stems[host]].name;
    const double gain_db = 20.0 * log10(gain);
    drop_leaks(self, name, in);
    finding *item = stem_judgement_fault(self, "stems.bleed", gain_db, "dB");
    judgement_locate(base, item, all->items[0].start, all->items[all->count - 1].end);
    item->subject = arena_format(base->memory, "%s in %s", name, in);
    item->message = arena_format(base->memory, "%s is in %s at %.1f dB in all of its channels, sample for sample, %s: the same recording, as a forgotten mute or "
                                 "a bus leaves it, and so twice in the mix. Print %s again without it.",
                                 name, in, gain_db, finding_stretches_text(base, all), in);
    item->details_json = arena_format(base->memory, "{\"fault\": \"copy\", \"source\": \"%s\", \"host\": \"%s\", \"gain_db\": %.2f, %s}", name, in, gain_db,
                                      finding_stretches_json(base, all));
}

void judge_stem_copies(stem_judgement *self)
{
    const plan_timeline *timeline = self->judgement->timeline;
    for (uint32_t e = 0; e < self->model.element_count; e++)
        for (uint32_t host = 0; host < self->model.element_count; host++) {
            finding_stretches all = {0};
            double loudest = 0.0;
            for (uint32_t p = 0; p < timeline->piece_count && e != host; p++) {
                const plan_piece *piece = &timeline->pieces[p];
                const double gain = copy_gain(self, e, host, piece);
                if (gain > 0.0)
                    finding_stretches_add(self->judgement, &all, piece->programme_frame,
                                          piece->programme_frame + piece->frame_count);
                loudest = fmax(loudest, gain);
            }
            if (all.count > 0)
                tell_copy(self, e, host, loudest, &all);
        }
}
