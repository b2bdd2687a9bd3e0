/**
 * A show made by hand, as the parser would give it: stems DX and FX interleaved 5.1, MX 5.1 as mono files, AD a mono
 * long-play file placed by its time reference; the two reels of the design's example; deliverables added by each test.
 * Every file exists, is 24-bit and as long as its reel with two seconds behind the LFOA, until a test says otherwise.
 */
#ifndef TESTS_UNIT_PLAN_SHOW_FIXTURE_H
#define TESTS_UNIT_PLAN_SHOW_FIXTURE_H

#include "coordinator/plan/plan.h"

enum { STEM_DX, STEM_MX, STEM_FX, STEM_AD, FIXTURE_STEMS };

typedef struct show_fixture {
    arena memory;
    show film;
    show_stem stems[FIXTURE_STEMS + 4];
    show_reel reels[4];
    show_deliverable deliverables[SHOW_DELIVERABLES_MAX];
    recipe printmaster, stereo, music_and_effects, single;
    plan_place media;
    input_list inputs;
    media_facts *facts;
    problem_list problems;
    plan_options options;
    plan *made;
} show_fixture;

/** Stems and reels at a frame rate and sample rate; no deliverable yet. */
void show_fixture_init(show_fixture *self, const char *rate, uint32_t sample_rate);
void show_fixture_deinit(show_fixture *self);
/** One reel without a name and without timecode, as a show without `reels` has. */
void show_fixture_without_reels(show_fixture *self);
show_deliverable *show_fixture_render(show_fixture *self, const char *name, const recipe *recipe);
show_deliverable *show_fixture_receive(show_fixture *self, const char *name, const char *file,
                                       channel_layout_id layout);
/** Lists the inputs and gives each the facts of a file as it should be. Call after the last change to the show. */
void show_fixture_probe(show_fixture *self);
/** Facts of the file of that name; fails the test when there is none. */
media_facts *show_fixture_facts(show_fixture *self, const char *display);
/** plan_create; the plan is in made. */
status show_fixture_plan(show_fixture *self);
/** Number of problems of a severity whose text holds both words ("" = any). */
uint32_t show_fixture_said(const show_fixture *self, problem_severity severity, const char *first, const char *second);

#endif
