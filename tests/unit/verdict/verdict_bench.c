#include "tests/unit/verdict/verdict_bench.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int bench_set_up(void **state)
{
    bench *self = calloc(1, sizeof *self);
    arena_init(&self->memory);
    self->rules = (spec){.name = "test", .title = "Test", .version = "1", .source = "here"};
    self->wanted = (show_deliverable){.name = "PM", .spec = &self->rules, .spec_name = "test", .recipe_name = "r",
                                      .recipe = &self->made_by};
    self->source = (show){.deliverables = &self->wanted, .deliverable_count = 1};
    self->deliverable = (plan_deliverable){.layout = LAYOUT_MONO, .rendered = true};
    self->timeline = (plan_timeline){.piece_count = 1, .pieces = &self->piece, .sample_rate = RATE};
    self->input = (plan_input){.stem = -1, .display = "PM.wav"};
    self->file.sample_rate = RATE;
    self->made = (plan){.show = &self->source, .inputs = {1, &self->input}, .facts = &self->file,
                        .deliverables = &self->deliverable, .deliverable_count = 1,
                        .timelines = &self->timeline, .timeline_count = 1};
    *state = self;
    return 0;
}

int bench_tear_down(void **state)
{
    bench *self = *state;
    programme_measure_destroy(&self->measure);
    programme_measure_destroy(&self->speech_measure);
    arena_deinit(&self->memory);
    free(self);
    return 0;
}

spec_limit *bench_limit(bench *self, const char *check, double min, double max)
{
    spec_limit *limit = &self->rules.limits[self->rules.limit_count++];
    *limit = (spec_limit){.check = check, .min = min, .max = max, .target = (double)NAN, .unit = "LUFS", .severity = SPEC_FAIL,
                          .evidence = EVIDENCE_PRIMARY, .clause = "1", .group = -1};
    return limit;
}

static double slot_energy_at(uint64_t slot, const level_step *steps, size_t step_count)
{
    double lufs = -(double)INFINITY;
    for (size_t i = 0; i < step_count; i++)
        if ((double)slot >= steps[i].from_s * 100.0)
            lufs = steps[i].lufs;
    return isfinite(lufs) ? pow(10.0, (lufs + 0.691) / 10.0) * SLOT_FRAMES : 0.0;
}

static programme_measure *make_measure(const bench *self, uint64_t frames, const level_step *steps, size_t step_count,
                                       double gain, double dbtp)
{
    programme_measure *measure = programme_measure_create(RATE, LAYOUT_MONO, frames);
    for (uint64_t first = 0; first < frames; first += CELL_FRAMES) {
        uint32_t count = frames - first < CELL_FRAMES ? (uint32_t)(frames - first) : CELL_FRAMES;
        double slots[CELL_FRAMES / SLOT_FRAMES + 1];
        uint32_t slot_count = (count + SLOT_FRAMES - 1) / SLOT_FRAMES;
        for (uint32_t i = 0; i < slot_count; i++)
            slots[i] = gain * gain * slot_energy_at(first / SLOT_FRAMES + i, steps, step_count);
        cell_measure cell = {.sample_rate = RATE, .layout = LAYOUT_MONO, .channel_count = 1, .programme_frame = first,
                             .frame_count = count, .first_slot = first / SLOT_FRAMES, .slot_count = slot_count,
                             .slot_energy = slots};
        double peak = isfinite(dbtp) ? pow(10.0, dbtp / 20.0) : 0.0;
        if (first == 0) {
            cell.run_count = self->run_count;
            cell.run_dropped = self->run_dropped;
            cell.runs = self->runs;
        }
        cell.channels[0] = (channel_measure){.true_peak = peak, .sample_peak = peak, .mix_peak = peak,
                                              .overload_count = first == 0 ? self->overload_count : 0};
        assert_int_equal(programme_measure_add(measure, &cell), STATUS_OK);
    }
    return measure;
}

programme_verdict bench_judge_steps(bench *self, double seconds, const level_step *steps, size_t step_count,
                                    double dbtp)
{
    uint64_t frames = (uint64_t)llround(seconds * RATE);
    self->timeline.frame_count = frames;
    programme_measure_destroy(&self->measure);
    programme_measure_destroy(&self->speech_measure);
    self->measure = make_measure(self, frames, steps, step_count, 1.0, dbtp);
    if (self->speech != NULL)
        self->speech_measure = make_measure(self, frames, self->speech, self->speech_count, SPEECH_SUM_GAIN, -60.0);
    programme_facts facts = {.plan = &self->made, .measure = self->measure, .speech = self->speech_measure};
    programme_verdict verdict;
    assert_int_equal(verdict_judge(&verdict, &facts, &self->memory), STATUS_OK);
    return verdict;
}

programme_verdict bench_judge(bench *self, double seconds, double lufs, double dbtp)
{
    self->piece = (plan_piece){.frame_count = (uint64_t)llround(seconds * RATE)};
    return bench_judge_steps(self, seconds, &(level_step){0.0, lufs}, 1, dbtp);
}

const finding *bench_found(const programme_verdict *verdict, const char *check)
{
    for (size_t i = 0; i < verdict->findings.count; i++)
        if (strcmp(verdict->findings.items[i].check, check) == 0)
            return &verdict->findings.items[i];
    return NULL;
}
