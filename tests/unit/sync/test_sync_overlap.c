#include "worker/render/sync_overlap.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/sync/memory_reader.h"

enum { FRAMES = 3 * RATE, REACH = 2 * RATE };

static void make_tone(track_reader *reel, double hertz)
{
    for (size_t i = 0; i < FRAMES; i++)
        reel->samples[i] = (float)(0.2 * sin(6.283185307179586 * hertz * (double)i / RATE));
}

typedef struct scene {
    arena memory;
    track_reader before, behind;
    sync_measure found;
} scene;

static scene begin(void)
{
    scene self = {.before = {calloc(FRAMES, sizeof(float)), FRAMES}, .behind = {calloc(FRAMES, sizeof(float)), FRAMES}};
    assert_true(self.before.samples != NULL && self.behind.samples != NULL);
    make_noise(&self.before, 1);
    make_noise(&self.behind, 2);
    return self;
}

static void listen(scene *self)
{
    error_detail detail = {0};
    sync_matcher matcher;
    dsp_table dsp;
    dsp_table_init(&dsp, CPU_SCALAR);
    sync_matcher_init(&matcher, &dsp, &self->behind, 0, &self->before, FRAMES, &detail);
    assert_int_equal(sync_overlap(&matcher, REACH, &self->found, &self->memory), STATUS_OK);
    sync_matcher_deinit(&matcher);
}

static void end(scene *self)
{
    free(self->before.samples);
    free(self->behind.samples);
    arena_deinit(&self->memory);
}

static void sync_overlap__is_exact_from_a_tenth_of_a_second_to_most_of_the_reach(void **state)
{
    (void)state;
    static const size_t overlaps[] = {4800, 24001, 65000, 95000}; /* with the margins of 65000 a transform of 65536 has no room */
    for (size_t i = 0; i < sizeof overlaps / sizeof overlaps[0]; i++) {
        scene self = begin();
        for (size_t k = 0; k < overlaps[i]; k++) /* another gain and polarity, and a little of something else */
            self.behind.samples[k] = -0.5f * self.before.samples[FRAMES - overlaps[i] + k] + 0.1f * self.behind.samples[k];
        listen(&self);
        assert_int_equal(self.found.point_count, 1);
        assert_true(self.found.points[0].late == (double)overlaps[i] && self.found.points[0].score > 0.0f);
        end(&self);
    }
}

/* The longest window is read where those before it are quiet or, as here, silent, or come again. */
static void sync_overlap__is_heard_behind_half_a_second_of_silence(void **state)
{
    (void)state;
    enum { OVERLAP = 72000 };
    scene self = begin();
    for (size_t k = 0; k < RATE / 2; k++)
        self.before.samples[FRAMES - OVERLAP + k] = 0.0f;
    for (size_t k = 0; k < OVERLAP; k++)
        self.behind.samples[k] = self.before.samples[FRAMES - OVERLAP + k];
    listen(&self);
    assert_int_equal(self.found.silent, 2);
    assert_int_equal(self.found.point_count, 1);
    assert_true(self.found.points[0].late == (double)OVERLAP);
    end(&self);
}

/* What is searched is louder, so that a third of a second does not stand out. */
static void sync_overlap__is_heard_behind_a_second_that_is_quiet(void **state)
{
    (void)state;
    enum { OVERLAP = 72000 };
    scene self = begin();
    for (size_t k = 0; k < RATE; k++)
        self.before.samples[FRAMES - OVERLAP + k] *= 0.02f;
    for (size_t k = 0; k < OVERLAP; k++)
        self.behind.samples[k] = self.before.samples[FRAMES - OVERLAP + k];
    listen(&self);
    assert_int_equal(self.found.tried, 3);
    assert_int_equal(self.found.point_count, 1);
    assert_true(self.found.points[0].late == (double)OVERLAP && self.found.points[0].score > 0.0f);
    end(&self);
}

/* Nothing tells it, so all windows are tried; what is lost stands in order, as whoever reads it wants it. */
static void sync_overlap__of_quiet_heads_says_what_is_lost_in_order(void **state)
{
    (void)state;
    scene self = begin();
    for (size_t k = 0; k < RATE; k++)
        self.behind.samples[k] *= 0.05f;
    listen(&self);
    assert_int_equal(self.found.point_count, 0);
    assert_int_equal(self.found.tried, 4);
    assert_int_equal(self.found.lost_count, 3);
    for (uint32_t i = 1; i < self.found.lost_count; i++)
        assert_true(self.found.lost[i] > self.found.lost[i - 1]);
    end(&self);
}

static void sync_overlap__is_heard_where_its_beginning_comes_twice(void **state)
{
    (void)state;
    enum { OVERLAP = 72000, LOOP = 20000 };
    scene self = begin();
    for (size_t k = 0; k < LOOP; k++)
        self.before.samples[FRAMES - OVERLAP + LOOP + k] = self.before.samples[FRAMES - OVERLAP + k];
    for (size_t k = 0; k < OVERLAP; k++)
        self.behind.samples[k] = self.before.samples[FRAMES - OVERLAP + k];
    listen(&self);
    assert_int_equal(self.found.tried, 3);
    assert_int_equal(self.found.point_count, 1);
    assert_true(self.found.points[0].late == (double)OVERLAP && self.found.points[0].score > 0.0f);
    end(&self);
}

/* One that is as long as a window, and beside it, is found whichever hears it. */
static void sync_overlap__of_a_window_s_length_is_found(void **state)
{
    (void)state;
    static const size_t overlaps[] = {16383, 16384, 16385, 17407, 17408, 17409};
    for (size_t i = 0; i < sizeof overlaps / sizeof overlaps[0]; i++) {
        scene self = begin();
        for (size_t k = 0; k < overlaps[i]; k++)
            self.behind.samples[k] = self.before.samples[FRAMES - overlaps[i] + k];
        listen(&self);
        assert_int_equal(self.found.point_count, 1);
        assert_true(self.found.points[0].late == (double)overlaps[i]);
        end(&self);
    }
}

/* Under the treble each reel has rumble of its own, as speech in rooms has: what is alike is from 4 kHz up. */
static void sync_overlap__of_a_tenth_of_a_second_is_heard_by_its_treble(void **state)
{
    (void)state;
    enum { OVERLAP = 4800 };
    scene self = begin();
    scene rumble = begin();
    for (size_t turn = 0; turn < 3; turn++)
        for (size_t k = FRAMES - 1; k > 0; k--) {
            self.before.samples[k] = 0.5f * (self.before.samples[k] - self.before.samples[k - 1]);
            self.behind.samples[k] = 0.5f * (self.behind.samples[k] - self.behind.samples[k - 1]);
        }
    for (size_t k = 0; k < OVERLAP; k++)
        self.behind.samples[k] = self.before.samples[FRAMES - OVERLAP + k];
    for (size_t k = 0; k + 8 < FRAMES; k++)
        for (size_t i = 0; i < 8; i++) {
            self.before.samples[k] += 0.01f * rumble.behind.samples[k + i];
            self.behind.samples[k] += 0.01f * rumble.before.samples[k + i];
        }
    listen(&self);
    assert_int_equal(self.found.point_count, 1);
    assert_true(self.found.points[0].late == (double)OVERLAP && self.found.points[0].score > 0.0f);
    end(&rumble);
    end(&self);
}

static void sync_overlap__hears_none_where_reels_go_on_and_says_what_denies_it(void **state)
{
    (void)state;
    scene self = begin();
    listen(&self);
    assert_int_equal(self.found.point_count, 0);
    assert_int_equal(self.found.tried, 2);
    assert_int_equal(self.found.lost_count, 2);
    assert_true(self.found.frames_read < RATE / 2);
    assert_int_equal(self.found.lost[0], SYNC_OVERLAP_SHORTEST);
    end(&self);
}

/* The head of the next reel is somewhere in the reel before, but not up to its end: a word or a sample that is used twice. */
static void sync_overlap__takes_no_sound_that_is_merely_used_twice(void **state)
{
    (void)state;
    scene self = begin();
    for (size_t k = 0; k < RATE / 2; k++)
        self.behind.samples[k] = self.before.samples[FRAMES - 3 * RATE / 2 + k];
    listen(&self);
    assert_int_equal(self.found.point_count, 0);
    end(&self);
}

static void sync_overlap__of_a_tone_is_no_overlap_and_denies_none(void **state)
{
    (void)state;
    scene self = begin();
    make_tone(&self.before, 440.0);
    make_tone(&self.behind, 440.0);
    listen(&self);
    assert_true(self.found.point_count == 0 || self.found.points[0].score <= 0.0f);
    end(&self);
}

static void sync_overlap__says_where_a_reel_begins_in_silence(void **state)
{
    (void)state;
    scene self = begin();
    for (size_t k = 0; k < FRAMES; k++)
        self.behind.samples[k] = 0.0f;
    listen(&self);
    assert_int_equal(self.found.silent, self.found.tried);
    assert_int_equal(self.found.lost_count, 0);
    end(&self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sync_overlap__is_exact_from_a_tenth_of_a_second_to_most_of_the_reach),
        cmocka_unit_test(sync_overlap__of_a_tenth_of_a_second_is_heard_by_its_treble),
        cmocka_unit_test(sync_overlap__is_heard_behind_half_a_second_of_silence),
        cmocka_unit_test(sync_overlap__is_heard_where_its_beginning_comes_twice),
        cmocka_unit_test(sync_overlap__is_heard_behind_a_second_that_is_quiet),
        cmocka_unit_test(sync_overlap__of_quiet_heads_says_what_is_lost_in_order),
        cmocka_unit_test(sync_overlap__of_a_window_s_length_is_found),
        cmocka_unit_test(sync_overlap__hears_none_where_reels_go_on_and_says_what_denies_it),
        cmocka_unit_test(sync_overlap__takes_no_sound_that_is_merely_used_twice),
        cmocka_unit_test(sync_overlap__of_a_tone_is_no_overlap_and_denies_none),
        cmocka_unit_test(sync_overlap__says_where_a_reel_begins_in_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
