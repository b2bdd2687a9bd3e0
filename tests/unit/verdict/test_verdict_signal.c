/* Checks that are judged from the blocks of the signal: programmes of 100 ms blocks made by rule, without any audio. */
#include "tests/unit/verdict/verdict_bench.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BLOCK_FRAMES = RATE / 10, BLOCKS_PER_CELL = CELL_FRAMES / BLOCK_FRAMES };

/* Mean square and mean of a channel in a block. */
typedef void (*block_rule)(uint64_t block, uint32_t channel, float *out_energy, float *out_offset);

static programme_verdict judge_blocks(bench *self, channel_layout_id layout, uint64_t cells, block_rule rule)
{
    uint32_t channels = channel_layout_get(layout)->channel_count;
    self->deliverable.layout = layout;
    self->timeline.frame_count = cells * CELL_FRAMES;
    programme_measure_destroy(&self->measure);
    self->measure = programme_measure_create(RATE, (uint8_t)layout, self->timeline.frame_count);
    cell_signal *signal = calloc(1, sizeof *signal);
    double *slots = calloc(CELL_FRAMES / SLOT_FRAMES, sizeof *slots);
    for (uint64_t i = 0; i < cells; i++) {
        *signal = (cell_signal){.groups = SIGNAL_GROUP_SOUND, .channel_count = (uint8_t)channels, .block_count = BLOCKS_PER_CELL};
        for (; i == 0 && self->clicks != NULL && signal->event_count < self->click_count; signal->event_count++)
            signal->events[signal->event_count] = self->clicks[signal->event_count];
        signal->hum_count = self->mains == NULL ? 0 : 3;
        for (uint32_t k = 0; k < channels * SIGNAL_HUM_LINES * signal->hum_count; k++) {
            uint32_t c = k / SIGNAL_HUM_LINES % channels;
            signal->hum[k / SIGNAL_HUM_LINES / channels][c][0][k % SIGNAL_HUM_LINES] = self->mains(i, c, k % SIGNAL_HUM_LINES);
            signal->hum[k / SIGNAL_HUM_LINES / channels][c][1][k % SIGNAL_HUM_LINES] = 1e-9f;
        }
        signal->groups |= self->mirror == NULL ? 0 : SIGNAL_GROUP_SPECTRUM;
        for (uint32_t k = 0; self->mirror != NULL && k < channels * SIGNAL_SOURCES * SIGNAL_MIRROR_TURNS; k++) {
            uint32_t c = k / SIGNAL_MIRROR_TURNS / SIGNAL_SOURCES, s = k / SIGNAL_MIRROR_TURNS % SIGNAL_SOURCES;
            signal->spectrum[c][0] = 1e-4f;
            signal->mirror[c][s][k % SIGNAL_MIRROR_TURNS][0] = self->mirror(i, c, s, k % SIGNAL_MIRROR_TURNS);
        }
        for (uint32_t b = 0; b < BLOCKS_PER_CELL; b++) {
            signal->block_frames[b] = BLOCK_FRAMES;
            for (uint32_t k = 0; self->cross != NULL && k < SIGNAL_PAIRS_MAX; k++)
                signal->cross[b][k] = self->cross(i * BLOCKS_PER_CELL + b, k);
            for (uint32_t c = 0; c < channels; c++)
                rule(i * BLOCKS_PER_CELL + b, c, &signal->energy[b][c], &signal->offset[b][c]);
        }
        cell_measure cell = {.sample_rate = RATE, .layout = (uint8_t)layout, .channel_count = (uint8_t)channels,
                             .programme_frame = i * CELL_FRAMES, .frame_count = CELL_FRAMES,
                             .first_slot = i * CELL_FRAMES / SLOT_FRAMES, .slot_count = CELL_FRAMES / SLOT_FRAMES,
                             .slot_energy = slots, .signal = signal};
        if (i == 0) {
            cell.runs = self->runs;
            cell.run_count = self->run_count;
            cell.run_dropped = self->run_dropped;
        }
        assert_int_equal(programme_measure_add(self->measure, &cell), STATUS_OK);
    }
    free(slots);
    free(signal);
    programme_facts facts = {.plan = &self->made, .measure = self->measure, .stems = self->stems};
    programme_verdict verdict;
    assert_int_equal(verdict_judge(&verdict, &facts, &self->memory), STATUS_OK);
    return verdict;
}

/* Syllables at -14 dBFS whose waves lean to one side (mean 0.05), and pauses at -60 dBFS without any. */
static void leaning(uint64_t block, uint32_t channel, float *out_energy, float *out_offset)
{
    (void)channel;
    bool loud = block % 5 < 3;
    *out_energy = loud ? 0.04f : 1e-6f;
    *out_offset = loud ? 0.05f : 0.0f;
}

/* Pauses that rest beside zero, in sound whose mean is none: a high-pass over waves that lean. */
static void resting(uint64_t block, uint32_t channel, float *out_energy, float *out_offset)
{
    (void)channel;
    bool loud = block % 2 == 0;
    *out_energy = loud ? 0.04f : 5e-4f;
    *out_offset = loud ? 0.02f : -0.02f;
}

/* The same syllables without leaning, on -38 dBFS of direct current. */
static void lifted(uint64_t block, uint32_t channel, float *out_energy, float *out_offset)
{
    leaning(block, channel, out_energy, out_offset);
    *out_offset = 0.0126f;
    *out_energy += *out_offset * *out_offset;
}

static void verdict__direct_current_is_there_all_the_time(void **state)
{
    bench *self = *state;
    programme_verdict clean = judge_blocks(self, LAYOUT_MONO, 4, leaning);
    assert_null(bench_found(&clean, "signal.dc"));
    clean = judge_blocks(self, LAYOUT_MONO, 4, resting);
    assert_null(bench_found(&clean, "signal.dc"));
    programme_verdict verdict = judge_blocks(self, LAYOUT_MONO, 4, lifted);
    const finding *item = bench_found(&verdict, "signal.dc");
    assert_non_null(item);
    assert_true(fabs(item->measured - 20.0 * log10(0.0126)) < 0.01);
    assert_string_equal(item->details_json, "{\"offset_of_full_scale\": 0.012600}");
    assert_true(item->start_sample == 0 && item->end_sample > UINT64_C(24) * RATE); /* of 25.6 s, in steps of 1 s */
}

/* Two reels of two cells: an LFE at -30 dBFS in the first, at -96 dBFS (dither of 16 bits) in the second. */
static void second_reel_without(uint64_t block, uint32_t channel, float *out_energy, float *out_offset)
{
    *out_energy = channel == 3 && block >= 2 * BLOCKS_PER_CELL ? 2.3e-10f : 1e-3f;
    *out_offset = 0.0f;
}

static void second_reel_softer(uint64_t block, uint32_t channel, float *out_energy, float *out_offset)
{
    second_reel_without(block, channel, out_energy, out_offset);
    *out_energy = *out_energy < 1e-9f ? 1e-8f : *out_energy;
}

static void verdict__an_lfe_that_one_reel_lacks_is_told(void **state)
{
    bench *self = *state;
    plan_piece pieces[2] = {{.frame_count = 2 * CELL_FRAMES},
                            {.reel = 1, .programme_frame = 2 * CELL_FRAMES, .frame_count = 2 * CELL_FRAMES}};
    self->reels[0].name = "R1";
    self->reels[1].name = "R2";
    self->source.reels = self->reels;
    self->source.reel_count = 2;
    self->timeline.pieces = pieces;
    self->timeline.piece_count = 2;
    programme_verdict verdict = judge_blocks(self, LAYOUT_5_1, 4, second_reel_without);
    const finding *item = bench_found(&verdict, "signal.lfe");
    assert_non_null(item);
    assert_int_equal(item->severity, FINDING_WARN);
    assert_int_equal(item->reel, 1);
    assert_true(item->start_sample == 2 * CELL_FRAMES && item->end_sample == 4 * CELL_FRAMES);
    assert_string_equal(item->channels[0], "LFE");
    assert_non_null(strstr(item->message, "empty in all of reel R2, and has sound in R1"));
    verdict = judge_blocks(self, LAYOUT_5_1, 4, second_reel_softer);
    assert_null(bench_found(&verdict, "signal.lfe"));
}

/* A steady -40 dBFS. */
static void level(uint64_t block, uint32_t channel, float *out_energy, float *out_offset)
{
    (void)block;
    (void)channel;
    *out_energy = 1e-4f;
    *out_offset = 0.0f;
}

/* Real thunder, recorded over full scale, was told to have 15 clicks: the corners of its flat tops. */
static void verdict__a_corner_of_clipping_is_no_click(void **state)
{
    bench *self = *state;
    signal_event clicks[] = {{.kind = SIGNAL_CLICK, .frame = 20000, .frame_count = 4, .level = 0.05f, .figure = 30.0f},
                             {.kind = SIGNAL_CLICK, .frame = 90000, .frame_count = 1, .level = 0.05f, .figure = 30.0f}};
    peak_run runs[] = {{.kind = PEAK_RUN_CLIP, .frame = 19000, .frame_count = 1000, .sample_count = 60, .peak = 1.0}};
    self->clicks = clicks;
    self->click_count = 2;
    self->runs = runs;
    programme_verdict verdict = judge_blocks(self, LAYOUT_MONO, 2, level);
    assert_true(bench_found(&verdict, "signal.click")->start_sample == 20000);
    self->run_count = 1;
    verdict = judge_blocks(self, LAYOUT_MONO, 2, level);
    assert_true(bench_found(&verdict, "signal.click")->start_sample == 90000);
    runs[0].frame_count = 500; /* it ends well before the click, which is one then */
    verdict = judge_blocks(self, LAYOUT_MONO, 2, level);
    assert_true(bench_found(&verdict, "signal.click")->start_sample == 20000);
    self->run_dropped = 1; /* more was clipped, and where is not known */
    verdict = judge_blocks(self, LAYOUT_MONO, 2, level);
    assert_true(bench_found(&verdict, "signal.click")->start_sample == 90000);
    runs[0].kind = PEAK_RUN_OVERLOAD;
    runs[0].sample_count = 2; /* a click that goes over full scale is no flat top */
    verdict = judge_blocks(self, LAYOUT_MONO, 2, level);
    assert_true(bench_found(&verdict, "signal.click")->start_sample == 20000);
}

/* A pulse of three samples at full scale is a run of its own. */
static void verdict__a_click_of_full_scale_is_no_corner(void **state)
{
    bench *self = *state;
    signal_event click = {.kind = SIGNAL_CLICK, .frame = 20000, .frame_count = 3, .level = 0.4f, .figure = 100.0f};
    peak_run run = {.kind = PEAK_RUN_CLIP, .frame = 20000, .frame_count = 3, .sample_count = 3, .peak = 1.0};
    self->clicks = &click;
    self->click_count = 1;
    self->runs = &run;
    self->run_count = 1;
    programme_verdict verdict = judge_blocks(self, LAYOUT_MONO, 2, level);
    assert_non_null(bench_found(&verdict, "signal.click"));
    click.level = 0.2f;
    verdict = judge_blocks(self, LAYOUT_MONO, 2, level);
    assert_null(bench_found(&verdict, "signal.click"));
}

/* Each stem once; what a worker says of the programme's own channels names no stem, whatever is beside it. */
static void verdict__a_click_names_stems_alone(void **state)
{
    bench *self = *state;
    signal_event click = {.kind = SIGNAL_CLICK, .frame = 20000, .frame_count = 1, .level = 0.05f, .figure = 30.0f};
    render_lane lanes[] = {{.stem = RENDER_STEM_RECEIVED}, {.stem = 0}, {.stem = 1}};
    static render_program program = {.input_count = 3};
    memcpy(program.inputs, lanes, sizeof lanes);
    show_stem stems[] = {{.name = "DX"}, {.name = "FX"}};
    stem_click places[] = {{.lane = 1, .frame = 20000}, {.lane = 0, .frame = 20000}, {.lane = 2, .frame = 20001},
                           {.lane = 1, .frame = 20003}};
    stem_cell cell = {.frame_count = CELL_FRAMES, .click_count = 4, .clicks = places};
    const stem_programme programme = {.lane_count = 3, .cell_count = 1, .bleed = &cell};
    self->clicks = &click;
    self->click_count = 1;
    self->stems = &programme;
    self->source.stems = stems;
    self->source.stem_count = 2;
    self->made.programs = &program;
    self->deliverable.rendered = false;
    programme_verdict verdict = judge_blocks(self, LAYOUT_MONO, 2, level);
    assert_non_null(strstr(bench_found(&verdict, "signal.click")->message, ", comes from DX and FX. "));
}

/* Gaps in one place of a channel, as many as a cell may have. */
static void verdict__a_dropout_names_a_channel_once(void **state)
{
    bench *self = *state;
    static render_program program = {.input_count = 2};
    show_stem stem = {.name = "DX"};
    stem_gap gaps[STEM_GAPS_MAX];
    stem_cell cell = {.frame_count = CELL_FRAMES, .gap_count = STEM_GAPS_MAX, .gaps = gaps};
    const stem_programme programme = {.lane_count = 2, .cell_count = 1, .bleed = &cell};
    program.inputs[0].label = CHANNEL_L;
    program.inputs[1].label = CHANNEL_R;
    for (uint32_t i = 0; i < STEM_GAPS_MAX; i++)
        gaps[i] = (stem_gap){.lane = (uint16_t)(i % 2), .start = 20000, .end = 25000};
    self->stems = &programme;
    self->source.stems = &stem;
    self->source.stem_count = 1;
    self->made.programs = &program;
    programme_verdict verdict = judge_blocks(self, LAYOUT_MONO, 2, level);
    const finding *item = bench_found(&verdict, "stems.dropout");
    assert_int_equal(item->channel_count, 2);
    assert_string_equal(strstr(item->message, " Likewise"), " Likewise in R.");
}

static void verdict__what_other_cells_left_out_hides_no_click(void **state)
{
    bench *self = *state;
    signal_event click = {.kind = SIGNAL_CLICK, .frame = CELL_FRAMES + 5000, .frame_count = 1, .level = 0.05f, .figure = 30.0f};
    peak_run run = {.kind = PEAK_RUN_CLIP, .frame = CELL_FRAMES - 10, .frame_count = 5, .sample_count = 5, .peak = 1.0};
    self->clicks = &click;
    self->click_count = 1;
    self->runs = &run;
    self->run_count = 1;
    self->run_dropped = 1; /* of the first cell; the click lies in the second */
    programme_verdict verdict = judge_blocks(self, LAYOUT_MONO, 3, level);
    assert_true(bench_found(&verdict, "signal.click")->start_sample == CELL_FRAMES + 5000);
    click.frame = CELL_FRAMES - 1;
    run.frame = CELL_FRAMES - 5010;
    verdict = judge_blocks(self, LAYOUT_MONO, 3, level);
    assert_null(bench_found(&verdict, "signal.click"));
}

static size_t count_of(const programme_verdict *verdict, const char *check)
{
    size_t count = 0;
    for (size_t i = 0; i < verdict->findings.count; i++)
        count += strcmp(verdict->findings.items[i].check, check) == 0;
    return count;
}

/* 60 Hz in L that goes up by 6 dB, is away for 12 s and comes back; in R, and as 120 Hz, for the first cells alone. */
static float one_ground_loop(uint64_t cell, uint32_t channel, uint32_t line)
{
    bool early = cell < 4;
    if (line == 4)
        return early && channel == 0 ? 4e-7f : 0.0f;
    if (line != 3 || (channel == 1 && !early) || (cell >= 7 && cell < 9))
        return 0.0f;
    return early ? 1e-6f : 4e-6f;
}

static void verdict__hum_of_one_mains_is_one_finding(void **state)
{
    bench *self = *state;
    self->mains = one_ground_loop;
    programme_verdict verdict = judge_blocks(self, LAYOUT_STEREO, 12, level);
    assert_int_equal(count_of(&verdict, "signal.hum"), 1);
    const finding *item = bench_found(&verdict, "signal.hum");
    assert_int_equal(item->channel_count, 2);
    assert_string_equal(item->channels[1], "R");
    assert_true(item->start_sample == 0 && item->end_sample > 11 * (uint64_t)CELL_FRAMES);
    assert_true(fabs(item->measured + 51.0) < 0.1); /* the loudest */
    assert_non_null(strstr(item->message, "Hum of 60 Hz at -51.0 dBFS, with 120 Hz, in L, R for 6"));
    assert_non_null(strstr(item->message, " s in all, from 0.000 s to 4"));
    assert_non_null(strstr(item->message, ", from 57.600 s to "));
    assert_null(strstr(item->message, "more place"));
}

/* 60 Hz from end to end, in one cell of eleven 4 dB louder with the bass that is over it. */
static float under_bass(uint64_t cell, uint32_t channel, uint32_t line)
{
    return channel != 0 || line != 3 ? 0.0f : cell % 11 == 5 ? 2.5e-6f : 1e-6f;
}

static void verdict__hum_under_bass_is_one_from_end_to_end(void **state)
{
    bench *self = *state;
    self->mains = under_bass;
    programme_verdict verdict = judge_blocks(self, LAYOUT_STEREO, 11, level);
    assert_int_equal(count_of(&verdict, "signal.hum"), 1);
    const finding *item = bench_found(&verdict, "signal.hum");
    assert_true(item->start_sample == 0 && item->end_sample > 10 * (uint64_t)CELL_FRAMES);
    assert_null(strstr(item->message, "in all"));
}

/* 60 Hz in every other cell, three stretches each; as loud each time, or 3 dB louder. */
static float coming_and_going(uint64_t cell, uint32_t channel, uint32_t line)
{
    return channel == 0 && line == 3 && cell % 2 == 0 ? 1e-6f : 0.0f;
}

static float growing(uint64_t cell, uint32_t channel, uint32_t line)
{
    return coming_and_going(cell, channel, line) * (float)(UINT64_C(1) << cell / 2);
}

static void verdict__hum_that_comes_and_goes_is_the_same_each_time(void **state)
{
    bench *self = *state;
    self->mains = coming_and_going;
    programme_verdict verdict = judge_blocks(self, LAYOUT_STEREO, 6, level);
    const finding *item = bench_found(&verdict, "signal.hum");
    assert_non_null(item);
    assert_int_equal(count_of(&verdict, "signal.hum"), 1);
    assert_non_null(strstr(item->details_json, "\"run_count\": 3, "));
    self->mains = growing;
    verdict = judge_blocks(self, LAYOUT_STEREO, 12, level);
    assert_null(bench_found(&verdict, "signal.hum"));
    self->mains = coming_and_going;
    verdict = judge_blocks(self, LAYOUT_STEREO, 4, level); /* twice may be chance */
    assert_null(bench_found(&verdict, "signal.hum"));
}

/* 60 Hz at -40 dBFS in L, half of all that plays there, with 120 Hz 15 dB below, in all cells but the first and the last four. */
static float bass_note(uint64_t cell, uint32_t channel, uint32_t line)
{
    if (channel != 0 || cell == 0 || cell >= 8)
        return 0.0f;
    return line == 3 ? 5e-5f : line == 4 ? 1.6e-6f : 0.0f;
}

static float loud_hum(uint64_t cell, uint32_t channel, uint32_t line)
{
    (void)cell;
    return channel == 0 && line == 3 ? 5e-5f : 0.0f;
}

static void verdict__a_note_is_no_hum(void **state)
{
    bench *self = *state;
    self->mains = bass_note;
    programme_verdict verdict = judge_blocks(self, LAYOUT_STEREO, 12, level);
    assert_int_equal(count_of(&verdict, "signal.hum"), 1);
    assert_int_equal(bench_found(&verdict, "signal.hum")->severity, FINDING_INFO);
    assert_non_null(strstr(bench_found(&verdict, "signal.hum")->message, "A steady tone of 60 Hz at -40.0 dBFS, with 120 Hz, in L"));
    self->mains = loud_hum; /* it goes on to the ends */
    verdict = judge_blocks(self, LAYOUT_STEREO, 12, level);
    assert_int_equal(bench_found(&verdict, "signal.hum")->severity, FINDING_WARN);
    self->mains = bass_note;
    bench_limit(self, "signal.hum", (double)NAN, -50.0);
    verdict = judge_blocks(self, LAYOUT_STEREO, 12, level);
    assert_int_equal(bench_found(&verdict, "signal.hum")->severity, FINDING_FAIL);
}

/* A mix whose R is upside down: its channels are now hardly, now almost the same sound. In 10 s near the end it is not. */
static float upside_down(uint64_t block, uint32_t pair)
{
    (void)pair;
    return block >= 600 && block < 700 ? 5e-5f : block / 50 % 2 == 0 ? -8e-5f : -9.5e-5f;
}

/* For 10 s. */
static float once_upside_down(uint64_t block, uint32_t pair)
{
    (void)pair;
    return block >= 100 && block < 200 ? -9.5e-5f : 5e-5f;
}

static void verdict__a_pair_that_is_upside_down_is_one_finding(void **state)
{
    bench *self = *state;
    self->cross = upside_down;
    programme_verdict verdict = judge_blocks(self, LAYOUT_STEREO, 12, level);
    assert_int_equal(count_of(&verdict, "signal.polarity") + count_of(&verdict, "signal.phase"), 1);
    const finding *item = bench_found(&verdict, "signal.polarity");
    assert_true(item->start_sample == 0 && item->end_sample >= UINT64_C(76) * RATE && fabs(item->measured + 0.95) < 1e-6);
    assert_non_null(strstr(item->message, "L and R are mostly the same sound with opposite polarity (correlation -0.95 at worst) for "));
    assert_non_null(strstr(item->details_json, "\"place_count\": 2, \"places\": [{\"start_sample\": 0, "));

    self->cross = once_upside_down;
    verdict = judge_blocks(self, LAYOUT_STEREO, 12, level);
    assert_int_equal(count_of(&verdict, "signal.polarity"), 1);
    assert_int_equal(count_of(&verdict, "signal.phase"), 0);

    bench_limit(self, "signal.phase", -0.7, (double)NAN); /* what a spec limits fails by its name, however far it is broken */
    verdict = judge_blocks(self, LAYOUT_STEREO, 12, level);
    assert_int_equal(count_of(&verdict, "signal.polarity"), 0);
    assert_int_equal(count_of(&verdict, "signal.phase"), 1);
    assert_int_equal(verdict.word, VERDICT_FAIL);
}

static void verdict__the_surround_of_an_ltrt_is_no_fault(void **state)
{
    bench *self = *state;
    self->made_by.folds[self->made_by.fold_count++].phase_90 = true;
    self->cross = once_upside_down;
    programme_verdict verdict = judge_blocks(self, LAYOUT_STEREO, 12, level);
    assert_int_equal(bench_found(&verdict, "signal.polarity")->severity, FINDING_INFO);
    assert_int_equal(verdict.word, VERDICT_PASS);
    self->cross = upside_down; /* no surround is all of a programme */
    verdict = judge_blocks(self, LAYOUT_STEREO, 12, level);
    assert_int_equal(bench_found(&verdict, "signal.polarity")->severity, FINDING_WARN);

    /* What was received says so by its name. */
    const struct {
        const char *display;
        bool encoded;
    } names[] = {{"in/NT_LtRt.wav", true}, {"in/NT Lt-Rt.L.wav", true}, {"LtRt/NT_LoRo.wav", false}};
    self->made_by.fold_count = 0;
    self->cross = once_upside_down;
    self->deliverable.rendered = false;
    self->deliverable.input_count = 1;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        plan_input input = {.display = names[i].display, .channel = CHANNEL_NONE};
        media_facts facts = {.sample_rate = RATE, .encoding = ENCODING_PCM_24, .valid_bits = 24};
        self->made.inputs.items = &input;
        self->made.inputs.count = 1;
        self->made.facts = &facts;
        verdict = judge_blocks(self, LAYOUT_STEREO, 12, level);
        assert_int_equal(bench_found(&verdict, "signal.polarity")->severity, names[i].encoded ? FINDING_INFO : FINDING_WARN);
    }
}

enum { TURN_FIRST = 200, TURN_END = 240 };

/* Channels that have half of their sound in common; for 4 s, or for 2 s, one is upside down. */
static float turned(uint64_t block, uint32_t pair)
{
    (void)pair;
    return block >= TURN_FIRST && block < TURN_END ? -5e-5f : 5e-5f;
}

static float turned_shortly(uint64_t block, uint32_t pair)
{
    return block < TURN_END - 20 ? turned(block, pair) : 5e-5f;
}

/* As wide, but of itself: the sound is another one there. */
static float wide(uint64_t block, uint32_t pair)
{
    return block >= TURN_FIRST && block < TURN_END ? -5e-5f : turned(block, pair) + 4.5e-5f;
}

/* R is louder there by 6 dB. */
static void leaning_over(uint64_t block, uint32_t channel, float *out_energy, float *out_offset)
{
    level(block, channel, out_energy, out_offset);
    *out_energy *= channel == 1 && block >= TURN_FIRST && block < TURN_END ? 4.0f : 1.0f;
}

static void verdict__a_side_that_is_turned_for_a_while_is_told(void **state)
{
    bench *self = *state;
    self->cross = turned;
    programme_verdict verdict = judge_blocks(self, LAYOUT_STEREO, 8, level);
    const finding *item = bench_found(&verdict, "signal.polarity");
    assert_non_null(item);
    assert_true(fabs(item->measured + 0.5) < 1e-3);
    assert_true(item->start_sample >= (TURN_FIRST - 1) * BLOCK_FRAMES && item->start_sample <= TURN_FIRST * BLOCK_FRAMES);
    assert_true(item->end_sample >= TURN_END * BLOCK_FRAMES && item->end_sample <= (TURN_END + 1) * BLOCK_FRAMES);
    verdict = judge_blocks(self, LAYOUT_STEREO, 8, leaning_over);
    assert_null(bench_found(&verdict, "signal.polarity"));
    self->cross = turned_shortly;
    verdict = judge_blocks(self, LAYOUT_STEREO, 8, level);
    assert_null(bench_found(&verdict, "signal.polarity"));
    self->cross = wide;
    verdict = judge_blocks(self, LAYOUT_STEREO, 8, level);
    assert_null(bench_found(&verdict, "signal.polarity"));
}

enum { CUT_FIRST = 20, CUT_END = 60, CUT_FRAME = CUT_FIRST * BLOCK_FRAMES };

/* L stops for 4 s, or both sides do. */
static void one_stops(uint64_t block, uint32_t channel, float *out_energy, float *out_offset)
{
    level(block, channel, out_energy, out_offset);
    *out_energy *= channel == 0 && block >= CUT_FIRST && block < CUT_END ? 0.0f : 1.0f;
}

static void both_stop(uint64_t block, uint32_t channel, float *out_energy, float *out_offset)
{
    (void)channel;
    one_stops(block, 0, out_energy, out_offset);
}

static void never_again(uint64_t block, uint32_t channel, float *out_energy, float *out_offset)
{
    one_stops(channel == 0 && block > CUT_FIRST ? CUT_FIRST : block, channel, out_energy, out_offset);
}

static void verdict__a_channel_that_stops_alone_is_told(void **state)
{
    bench *self = *state;
    signal_event edges[] = {{.kind = SIGNAL_STOP, .frame = CUT_FRAME, .level = 0.01f},
                            {.kind = SIGNAL_START, .frame = CUT_END * BLOCK_FRAMES + 7, .level = 0.01f}};
    self->clicks = edges;
    self->click_count = 2;
    programme_verdict verdict = judge_blocks(self, LAYOUT_STEREO, 2, one_stops);
    const finding *item = bench_found(&verdict, "signal.dropout");
    assert_non_null(item);
    assert_true(item->start_sample == CUT_FRAME && item->end_sample == CUT_END * BLOCK_FRAMES + 7);
    assert_non_null(strstr(item->message, "L drops out for 4.0 s at 2.000 s"));
    verdict = judge_blocks(self, LAYOUT_STEREO, 2, both_stop); /* a scene ends */
    assert_null(bench_found(&verdict, "signal.dropout"));
    edges[0].level = 0.0024f; /* it had decayed to a quarter of its level */
    verdict = judge_blocks(self, LAYOUT_STEREO, 2, one_stops);
    assert_null(bench_found(&verdict, "signal.dropout"));
    edges[0].level = 0.01f;
    self->click_count = 1;
    verdict = judge_blocks(self, LAYOUT_STEREO, 2, never_again);
    assert_int_equal(bench_found(&verdict, "signal.dropout")->end_sample, 2 * CELL_FRAMES);
}

/* The image of 44.1 kHz in R, with a square of 3.24 in each cell; in L what is left by chance: now one way, now the other. */
static float image_in_right(uint64_t cell, uint32_t channel, uint32_t source, uint32_t turn)
{
    return channel == 1 && source == 1 && turn == 0 ? 1.8f : cell % 2 == 0 ? 1.0f : -1.0f;
}

static float turns_with_all(uint64_t cell, uint32_t channel, uint32_t source, uint32_t turn)
{
    return turn == 2 ? 1.0f : image_in_right(cell, channel, source, turn);
}

static void verdict__the_image_of_a_source_rate_is_told(void **state)
{
    bench *self = *state;
    self->mirror = image_in_right;
    programme_verdict verdict = judge_blocks(self, LAYOUT_STEREO, 12, level);
    const finding *item = bench_found(&verdict, "format.upsampled");
    assert_true(item->measured == 22050.0 && item->channel_count == 1 && strcmp(item->channels[0], "R") == 0);
    assert_int_equal(item->end_sample, 12 * CELL_FRAMES);
    assert_int_equal(count_of(&verdict, "format.upsampled"), 1);
    verdict = judge_blocks(self, LAYOUT_STEREO, 7, level); /* 22.7: one in 7 billion is not enough where many are tried */
    assert_int_equal(count_of(&verdict, "format.upsampled"), 0);
    self->mirror = turns_with_all; /* a tone that is periodic */
    verdict = judge_blocks(self, LAYOUT_STEREO, 12, level);
    assert_int_equal(count_of(&verdict, "format.upsampled"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(verdict__direct_current_is_there_all_the_time, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__a_corner_of_clipping_is_no_click, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__a_click_of_full_scale_is_no_corner, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__a_click_names_stems_alone, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__a_dropout_names_a_channel_once, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__what_other_cells_left_out_hides_no_click, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__an_lfe_that_one_reel_lacks_is_told, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__hum_of_one_mains_is_one_finding, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__a_pair_that_is_upside_down_is_one_finding, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__hum_under_bass_is_one_from_end_to_end, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__hum_that_comes_and_goes_is_the_same_each_time, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__a_side_that_is_turned_for_a_while_is_told, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__a_channel_that_stops_alone_is_told, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__a_note_is_no_hum, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__the_image_of_a_source_rate_is_told, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__the_surround_of_an_ltrt_is_no_fault, bench_set_up, bench_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
