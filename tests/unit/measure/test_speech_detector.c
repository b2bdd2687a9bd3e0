/* The speech detector over levels from a seed: nobody sees where it was cut. */
#include "common/measure/speech_detector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STEPS = 1300, FRAMES = STEPS * SPEECH_STEP_FRAMES };

/* Levels that wander, louder and softer 4 times a second in turns of 20 s. */
static uint8_t *make_levels(void)
{
    uint8_t *levels = malloc((size_t)FRAMES * SPEECH_BANDS);
    uint32_t random = 20261121;
    int32_t place[SPEECH_BANDS];
    for (uint32_t b = 0; b < SPEECH_BANDS; b++)
        place[b] = 150;
    for (uint32_t f = 0; levels != NULL && f < FRAMES; f++)
        for (uint32_t b = 0; b < SPEECH_BANDS; b++) {
            random = random * 1664525u + 1013904223u;
            place[b] += (int32_t)(random >> 24) % 21 - 10;
            place[b] = place[b] < 90 ? 90 : place[b] > 200 ? 200 : place[b];
            bool swells = f / 1000 % 2 == 1;
            levels[f * SPEECH_BANDS + b] = (uint8_t)(place[b] + (swells && f % 12 < 5 ? 40 : 0) - (f % 12 == 11 ? 60 : 0));
        }
    return levels;
}

static void speech_detector__silence_does_not_speak(void **state)
{
    (void)state;
    uint8_t *levels = calloc(FRAMES, SPEECH_BANDS);
    uint8_t speaks[STEPS];
    memset(speaks, 1, sizeof speaks);
    assert_int_equal(speech_detector_run(levels, FRAMES, speaks), STATUS_OK);
    for (uint32_t i = 0; i < STEPS; i++)
        assert_int_equal(speaks[i], 0);
    assert_int_equal(speech_detector_run(levels, SPEECH_STEP_FRAMES - 1, speaks), STATUS_OK); /* no whole step */
    free(levels);
}

/* It works on stretches of 512 steps: one that begins elsewhere says the same 1.4 s from its ends on. */
static void speech_detector__says_the_same_wherever_it_is_cut(void **state)
{
    enum { CUT = 77, REACH = 28 };
    (void)state;
    uint8_t *levels = make_levels();
    uint8_t whole[STEPS];
    uint8_t part[STEPS];
    assert_int_equal(speech_detector_run(levels, FRAMES, whole), STATUS_OK);
    assert_int_equal(speech_detector_run(levels + (size_t)CUT * SPEECH_STEP_FRAMES * SPEECH_BANDS,
                                         FRAMES - CUT * SPEECH_STEP_FRAMES, part),
                     STATUS_OK);
    assert_memory_equal(whole + CUT + REACH, part + REACH, STEPS - CUT - REACH);
    free(levels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speech_detector__silence_does_not_speak),
        cmocka_unit_test(speech_detector__says_the_same_wherever_it_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
