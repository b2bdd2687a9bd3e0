/*
 * The timelines of what is rendered: one for each combination of sample rate, picture rate and start that recipes ask for. A
 * timeline at a rate of its own has the show's reels and picture frames on another clock, so that every position and length
 * follows from the same rule: sample(n) at its rates.
 */
#include "coordinator/plan/plan_parts.h"

#include <string.h>

enum { PHASES_MAX = 4096 /**< of a conversion: RESAMPLE_PHASES_MAX of the worker */ };

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Frame for frame between two picture rates: how much faster the programme runs. False: not by speed alone. */
static bool speed_between(const frame_rate *from, const frame_rate *to, uint32_t *out_num, uint32_t *out_den)
{
    static const uint32_t speeds[][2] = {{1000, 1001}, {1001, 1000}, {25, 24}, {24, 25}, {1001, 960}, {960, 1001}};
    if (from->num == 0)
        return false;
    uint64_t num = (uint64_t)to->num * from->den;
    uint64_t den = (uint64_t)to->den * from->num;
    uint64_t divisor = common_divisor(num, den);
    for (size_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++)
        if (num / divisor == speeds[i][0] && den / divisor == speeds[i][1]) {
            *out_num = speeds[i][0];
            *out_den = speeds[i][1];
            return true;
        }
    return false;
}

static void complain(const show *film, uint32_t index, plan_notes *notes, const char *text)
{
    const show_deliverable *deliverable = &film->deliverables[index];
    problem_list_add(notes->list, notes->arena, PROBLEM_ERROR, film->file_name, deliverable->line, deliverable->column,
                     "deliverable %s: %s", deliverable->name, text);
}

/* What a change of picture rate needs; false when a problem was noted. */
static bool check_speed(const plan *self, uint32_t index, const show *clock, plan_timeline *timeline, plan_notes *notes)
{
    const show *film = self->show;
    if (!speed_between(&film->rate, &clock->rate, &timeline->speed_num, &timeline->speed_den)) {
        complain(film, index, notes,
                 arena_format(notes->arena,
                              "picture_rate %s cannot be had from %s by the programme's speed alone; rates are converted between "
                              "23.976, 24 and 25, and between a rate and its 1000/1001",
                              frame_rate_name(&clock->rate), frame_rate_name(&film->rate)));
        return false;
    }
    if (plan_is_by_reel(film, index) && (film->rate.nominal != clock->rate.nominal || film->rate.drop != clock->rate.drop)) {
        complain(film, index, notes,
                 arena_format(notes->arena,
                              "picture_rate %s counts other timecodes than the reels' %s, so what a reel's file would begin at is "
                              "not known; give it `assembly: joined`",
                              frame_rate_name(&clock->rate), frame_rate_name(&film->rate)));
        return false;
    }
    return true;
}

/* Every stem that is taken can be had at these rates. */
static bool check_stems(const plan *self, uint32_t index, const show *clock, const plan_timeline *timeline, plan_notes *notes)
{
    for (uint32_t i = 0; i < self->inputs.count; i++) {
        const plan_input *input = &self->inputs.items[i];
        const media_facts *facts = &self->facts[i];
        if (input->stem < 0 || facts->outcome != STATUS_OK || !plan_takes_stem(self->show, index, (uint32_t)input->stem))
            continue;
        uint64_t from = (uint64_t)facts->sample_rate * (timeline->speed_num == 0 ? 1 : timeline->speed_num);
        uint64_t to = (uint64_t)clock->sample_rate * (timeline->speed_num == 0 ? 1 : timeline->speed_den);
        bool same = facts->sample_rate == clock->sample_rate;
        bool aligned = self->show->stems[input->stem].align_bext;
        const char *why = NULL;
        if ((!same && !sample_rate_converts(facts->sample_rate, clock->sample_rate)) ||
            to / common_divisor(from, to) > PHASES_MAX)
            why = "a ratio that this version does not convert; keep one of the two rates";
        else if (aligned && timeline->speed_num != 0)
            why = "another speed, and it is placed by its time reference, which counts at the show's; align it by `start`";
        else if (aligned && !same && facts->bext.present && !plan_reference_converts(clock, facts))
            why = "a rate at which its time reference lies between two samples; align it by `start`";
        if (why == NULL)
            continue;
        complain(self->show, index, notes,
                 arena_format(notes->arena, "\"%s\" at %u Hz would have to come to %u Hz at %s frames per second: %s",
                              input->display, facts->sample_rate, clock->sample_rate, frame_rate_name(&clock->rate), why));
        return false;
    }
    return true;
}

static bool same_clock(const show *a, const show *b)
{
    return a->sample_rate == b->sample_rate && frame_rate_equal(&a->rate, &b->rate) &&
           plan_joined_start(a) == plan_joined_start(b) && a->join == b->join;
}

uint16_t plan_timeline_rendered(plan *self, uint32_t index, plan_notes *notes)
{
    const recipe *rule = self->show->deliverables[index].recipe;
    show *clock = arena_take(&self->arena, sizeof *clock);
    plan_timeline given = {.speed_num = 0};
    *clock = *self->show;
    if (rule->sample_rate != 0)
        clock->sample_rate = rule->sample_rate;
    if (rule->picture_rate.num != 0)
        clock->rate = rule->picture_rate;
    clock->joined_start = rule->ffoa;
    if (rule->has_join)
        clock->join = rule->join;
    for (uint32_t i = 0; rule->keeps_objects && clock->join != JOIN_BUTT && i < clock->reel_count; i++)
        if (clock->reels[i].head_overlap + clock->reels[i].tail_overlap > 0) {
            complain(self->show, index, notes,
                     "the bed would be faded over the reels' overlap and its objects, which are carried as they are, would not; "
                     "give its recipe `join: butt`");
            return PLAN_TIMELINE_NONE;
        }
    uint64_t frame = 0;
    error_detail detail = {0};
    if (rule->ffoa != NULL && (clock->rate.num == 0 || timecode_parse(rule->ffoa, &clock->rate, &frame, &detail) != STATUS_OK)) {
        complain(self->show, index, notes,
                 arena_format(notes->arena, "ffoa \"%s\" of its recipe is no timecode at %s frames per second: %s", rule->ffoa,
                              frame_rate_name(&clock->rate), clock->rate.num == 0 ? "the show has no frame rate" : detail.message));
        return PLAN_TIMELINE_NONE;
    }
    if (!frame_rate_equal(&clock->rate, &self->show->rate) && !check_speed(self, index, clock, &given, notes))
        return PLAN_TIMELINE_NONE;
    bool own = given.speed_num != 0 || clock->sample_rate != self->show->sample_rate;
    if (own && !check_stems(self, index, clock, &given, notes))
        return PLAN_TIMELINE_NONE;
    for (uint32_t i = 0; i < self->timeline_count; i++)
        if (self->timelines[i].clock != NULL && same_clock(self->timelines[i].clock, clock))
            return (uint16_t)i;
    const media_facts *placed = plan_facts_at_speed(clock, &self->inputs, self->facts, given.speed_num, given.speed_den,
                                                    &self->arena);
    plan_source source = {.show = clock, .inputs = &self->inputs, .facts = placed};
    plan_timeline *timeline = &self->timelines[self->timeline_count];
    plan_timeline_joined(timeline, &source, &self->arena);
    timeline->clock = clock;
    timeline->placed = placed;
    timeline->speed_num = given.speed_num;
    timeline->speed_den = given.speed_den;
    return (uint16_t)self->timeline_count++;
}
