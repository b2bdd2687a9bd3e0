/* The speech detector over levels from a seed: nobody sees where it was cut. */
#include "common/measure/speech_detector.h"

#include "common/measure/speech_measure.h"
#include "common/measure/speech_pace.h"

#include <math.h>
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
        assert_int_equal(speaks[i], SPEECH_NONE);
    assert_int_equal(speech_detector_run(levels, SPEECH_STEP_FRAMES - 1, speaks), STATUS_OK); /* no whole step */
    free(levels);
}

/* It works on stretches of 512 steps: one that begins elsewhere says the same 6 s from its ends on. */
static void speech_detector__says_the_same_wherever_it_is_cut(void **state)
{
    enum { CUT = 77, REACH = 60 };
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

/*
 * The golden vector: what the same network says in numpy (tests/speech/speech_net.py, Whole.hear) of these levels, how many
 * steps of each sureness and FNV-1a of them all. It is the same on every machine, and another where weights or arithmetic are.
 */
static void speech_detector__says_what_its_network_says_elsewhere(void **state)
{
    (void)state;
    uint8_t *levels = make_levels();
    uint8_t heard[STEPS];
    uint32_t counts[SPEECH_SURE + 1] = {0};
    uint32_t hash = 2166136261u;
    assert_int_equal(speech_detector_run(levels, FRAMES, heard), STATUS_OK);
    for (uint32_t i = 0; i < STEPS; i++) {
        assert_in_range(heard[i], SPEECH_NONE, SPEECH_SURE);
        counts[heard[i]]++;
        hash = (hash ^ heard[i]) * 16777619u;
    }
    assert_int_equal(counts[SPEECH_NONE], 1231);
    assert_int_equal(counts[SPEECH_MAYBE], 8);
    assert_int_equal(counts[SPEECH_HEARD], 61); /* the network was sure of 54 of them, the pace of none */
    assert_int_equal(counts[SPEECH_SURE], 0);
    assert_int_equal(hash, 0x8dbf31e7u);
    free(levels);
}

/* Syllables of 8 to 17 frames, rests and vowels of two formants, some with a hiss before them; the 20 s in the middle are a chord
 * that is held and trembles. */
static void make_pace_levels(uint8_t levels[][SPEECH_BANDS], uint32_t frame_count)
{
    uint32_t random = 20261122;
    uint32_t left = 0;
    uint32_t turn[6] = {0}; /* length, rest, formant, formant, loudness, hiss */
    for (uint32_t f = 0; f < frame_count; f++) {
        if (left == 0) {
            for (uint32_t i = 0; i < 6; i++) {
                random = random * 1664525u + 1013904223u;
                turn[i] = random >> 24;
            }
            left = 8 + turn[0] % 10;
            turn[0] = left;
        }
        int32_t age = (int32_t)(turn[0] - left--);
        int32_t loud = 150 + (int32_t)turn[4] % 30;
        for (int32_t b = 0; b < SPEECH_BANDS; b++) {
            random = random * 1664525u + 1013904223u;
            int32_t away = abs(b - (2 + (int32_t)turn[2] % 7));
            int32_t other = abs(b - (10 + (int32_t)turn[3] % 8));
            int32_t level = loud - 2 * age - 10 * (away < other ? away : other);
            if (f / 1000 == 1)
                level = (b == 4 || b == 8 || b == 12 ? 170 : 90) + (f % 14 < 7 ? 10 : 0);
            else if (turn[1] % 7 < 2)
                level = 70;
            else if (age < 3 && turn[5] % 3 == 0)
                level = loud - 60 + 3 * b;
            level += (int32_t)(random >> 28);
            levels[f][b] = (uint8_t)(level < 60 ? 60 : level);
        }
    }
}

/* A golden vector too: what the same weights say in numpy (tests/speech/speech_pace.py, Pace.hear) of these levels. */
static void speech_pace__tells_syllables_from_a_chord_that_is_held(void **state)
{
    enum { COUNT = 3000, STEP_COUNT = COUNT / SPEECH_STEP_FRAMES };
    (void)state;
    static uint8_t levels[COUNT][SPEECH_BANDS];
    make_pace_levels(levels, COUNT);
    uint8_t heard[STEP_COUNT];
    memset(heard, SPEECH_SURE, sizeof heard);
    heard[0] = SPEECH_MAYBE;
    speech_pace_confirm(levels[0], COUNT, heard);
    assert_int_equal(heard[0], SPEECH_MAYBE); /* it takes away, and adds nothing */
    uint32_t sure[3] = {0};
    uint32_t hash = 2166136261u;
    for (uint32_t i = 0; i < STEP_COUNT; i++) {
        sure[i / 200] += heard[i] == SPEECH_SURE;
        hash = (hash ^ heard[i]) * 16777619u;
    }
    assert_int_equal(sure[0], 95);
    assert_int_equal(sure[1], 1);
    assert_int_equal(sure[2], 143);
    assert_int_equal(hash, 0x87df480du);
}

/* A programme of those levels that is louder by 6 dB from 20 to 40 s. */
static programme_measure *make_programme(const uint8_t *levels)
{
    enum { RATE = 48000, SLOT = RATE / 100, FRAME = SPEECH_FRAME_SLOTS * SLOT };
    static cell_signal voice;
    programme_measure *measure = programme_measure_create(RATE, 0, (uint64_t)FRAMES * FRAME);
    for (uint64_t first = 0; first < (uint64_t)FRAMES * FRAME; first += CELL_FRAMES) {
        uint64_t left = (uint64_t)FRAMES * FRAME - first;
        uint32_t count = left < CELL_FRAMES ? (uint32_t)left : CELL_FRAMES;
        double slots[CELL_FRAMES / SLOT];
        for (uint32_t i = 0; i < count / SLOT; i++)
            slots[i] = SLOT * ((first / SLOT + i) / 2000 == 1 ? 0.04 : 0.01);
        voice.groups = SIGNAL_GROUP_SPEECH;
        voice.speech_count = (uint16_t)(count / FRAME);
        memcpy(voice.speech, levels + first / FRAME * SPEECH_BANDS, (size_t)voice.speech_count * SPEECH_BANDS);
        cell_measure cell = {.sample_rate = RATE, .channel_count = 1, .programme_frame = first, .frame_count = count,
                             .first_slot = first / SLOT, .slot_count = count / SLOT, .slot_energy = slots, .signal = &voice};
        assert_int_equal(programme_measure_add(measure, &cell), STATUS_OK);
    }
    return measure;
}

/*
 * The counts of the golden vector: 61 of 1300 steps are heard, 8 more perhaps, and none surely. All lie in the louder part, so
 * that the loudness is -0.691 + 10 log10(0.04) whichever of them count.
 */
static void speech_measure__says_how_far_the_detector_may_be_off(void **state)
{
    (void)state;
    uint8_t *levels = make_levels();
    programme_measure *measure = make_programme(levels);
    assert_int_equal(programme_measure_hear(measure), STATUS_OK);
    dialogue_figures figures = speech_measure_dialogue(measure, measure, 0, programme_measure_frame_count(measure));
    assert_int_equal(figures.gate, DIALOGUE_GATE_DETECTOR);
    assert_true(fabs(figures.speech_share - 61.0 / 1300.0) < 1e-12);
    assert_true(fabs(figures.share_error - (SPEECH_DETECTOR_SHARE_ERROR + 61.0 / 1300.0)) < 1e-12);
    assert_true(fabs(figures.lufs - (-0.691 + 10.0 * log10(0.04))) < 1e-9);
    assert_true(fabs(figures.lufs_error - SPEECH_DETECTOR_LUFS_ERROR * (1300.0 / 61.0) * (1300.0 / 61.0)) < 1e-6);
    programme_measure_destroy(&measure);
    free(levels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speech_detector__silence_does_not_speak),
        cmocka_unit_test(speech_detector__says_the_same_wherever_it_is_cut),
        cmocka_unit_test(speech_detector__says_what_its_network_says_elsewhere),
        cmocka_unit_test(speech_pace__tells_syllables_from_a_chord_that_is_held),
        cmocka_unit_test(speech_measure__says_how_far_the_detector_may_be_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
