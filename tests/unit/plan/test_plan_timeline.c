/* Where pieces lie: every expected number is worked out by hand beside it. */
#include "tests/unit/plan/show_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The decoded body of the first RENDER or INSPECT task of a piece of a deliverable. */
static task_render *first_render(show_fixture *given, const char *name, uint32_t piece)
{
    for (uint32_t i = 0; i < given->made->task_count; i++) {
        const plan_task *task = &given->made->tasks[i];
        if ((task->kind != TASK_RENDER && task->kind != TASK_INSPECT) || task->piece != piece ||
            task->first_cell != 0 || strcmp(given->film.deliverables[task->deliverable].name, name) != 0)
            continue;
        byte_writer writer;
        plan_context context = {.farm = 0xABC, .job = 5, .generation = 1};
        byte_writer_init(&writer, FRAME_BYTES_MAX);
        assert_int_equal(plan_task_body(given->made, i, &context, &writer), STATUS_OK);
        task_body *body = arena_take(&given->memory, sizeof *body);
        uint8_t *bytes = (uint8_t *)arena_copy_bytes(&given->memory, writer.bytes, writer.size);
        assert_int_equal(task_body_decode(body, task->kind, bytes, writer.size, &given->memory), STATUS_OK);
        byte_writer_deinit(&writer);
        return &body->render;
    }
    fail_msg("no render task of %s, piece %u", name, piece);
    return NULL;
}

/* Position of one lane in the task's own piece, and the file it comes from. */
static const task_binding *binding_of(const task_render *render, uint32_t piece, uint16_t stem, channel_label label)
{
    for (uint32_t i = 0; i < render->program.input_count; i++)
        if (render->program.inputs[i].stem == stem && render->program.inputs[i].label == label)
            return &render->pieces[piece].bindings[i];
    fail_msg("no such lane");
    return NULL;
}

static void plan_timeline__joins_reels_by_cumulative_pictures(void **state)
{
    (void)state;
    static const struct {
        const char *rate;
        uint32_t sample_rate;
        uint64_t first, second; /* pieces */
        uint64_t ffoa;          /* frame of R1's files at FFOA */
        uint64_t start;         /* TimeReference of the joined file */
        uint32_t cells_first, cells_second;
    } rows[] = {
        /* 24: R1 114058 - 86592 + 1 = 27467 pictures x 2000, R2 199682 - 172992 + 1 = 26691 x 2000; 192 x 2000 to FFOA.
           Cells: 54934000 / 307200 = 178.8, 53382000 / 307200 = 173.8. */
        {"24", 48000, 54934000, 53382000, 384000, 172800000, 179, 174},
        /* 23.976: the same pictures x 2002: 54988934 / 307200 = 179.0003 */
        {"23.976", 48000, 54988934, 53435382, 384384, 172972800, 180, 174},
        /* 25: R1 118810 - 90200 + 1 = 28611 x 1920, R2 208002 - 180200 + 1 = 27803 x 1920; 200 x 1920 */
        {"25", 48000, 54933120, 53381760, 384000, 172800000, 179, 174},
        /* 29.97df: R1 142426 - 108132 + 1 = 34295, R2 249352 - 216024 + 1 = 33329 pictures of 1601.6:
           34295 x 1601.6 = 54926872.0; 67624 x 1601.6 = 108306598.4; 240 x 1601.6 = 384384.0; start 107892 x 1601.6 =
           ..827.2 */
        {"29.97df", 48000, 54926872, 53379726, 384384, 172799827, 179, 174},
        /* 44.1 kHz at 24: 27467 x 1837.5 = 50470612.5, up; 54158 x 1837.5 = 99515325; so R2 gets 49044712, although
           26691 x 1837.5 = 49044712.5 alone would round up to 49044713: lengths are differences, not sums. */
        {"24", 44100, 50470613, 49044712, 352800, 158760000, 165, 160},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        show_fixture given;
        show_fixture_init(&given, rows[i].rate, rows[i].sample_rate);
        show_fixture_render(&given, "PM_51", &given.printmaster);
        show_fixture_probe(&given);
        assert_int_equal(show_fixture_plan(&given), STATUS_OK);
        const plan_timeline *timeline = &given.made->timelines[given.made->deliverables[0].timeline];
        assert_int_equal(timeline->piece_count, 2);
        assert_int_equal(timeline->pieces[0].programme_frame, 0);
        assert_int_equal(timeline->pieces[0].frame_count, rows[i].first);
        assert_int_equal(timeline->pieces[1].programme_frame, rows[i].first);
        assert_int_equal(timeline->pieces[1].frame_count, rows[i].second);
        assert_int_equal(timeline->frame_count, rows[i].first + rows[i].second);
        assert_int_equal(timeline->pieces[0].cell_count, rows[i].cells_first);
        assert_int_equal(timeline->pieces[1].cell_count, rows[i].cells_second);
        const task_render *render = first_render(&given, "PM_51", 0);
        assert_int_equal(binding_of(render, 0, STEM_DX, CHANNEL_L)->file_frame, rows[i].ffoa);
        assert_int_equal(given.made->files[0].header.bext.time_reference, rows[i].start);
        assert_int_equal(given.made->files[0].header.frame_count, rows[i].first + rows[i].second);
        show_fixture_deinit(&given);
    }
}

static void plan_timeline__rounds_positions_and_never_lengths(void **state)
{
    (void)state;
    /* 29.97: R1 one picture longer (34296 = 1 mod 5), R2 two (33331 = 1 mod 5):
       position 34296 x 1601.6 = 54928473.6 -> 54928474; end 67627 x 1601.6 = 108311403.2 -> 108311403;
       R2 = 53382929, one less than its own 33331 x 1601.6 = 53382929.6 -> 53382930. */
    show_fixture given;
    show_fixture_init(&given, "29.97df", 48000);
    given.reels[0].lfoa_frame += 1;
    given.reels[1].lfoa_frame += 2;
    show_fixture_render(&given, "PM_51", &given.printmaster)->assembly = ASSEMBLY_BOTH;
    show_fixture_probe(&given);
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    const plan_timeline *timeline = &given.made->timelines[0];
    assert_int_equal(timeline->pieces[1].programme_frame, 54928474);
    assert_int_equal(timeline->pieces[1].frame_count, 53382929);
    assert_int_equal(given.made->files[2].header.frame_count, 53382929); /* the reel's file holds the same piece */
    show_fixture_deinit(&given);
}

static void plan_timeline__starts_reel_files_at_their_own_ffoa(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    show_fixture_render(&given, "PM_51", &given.printmaster)->assembly = ASSEMBLY_REELS;
    show_fixture_probe(&given);
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_int_equal(given.made->file_count, 2);
    assert_int_equal(given.made->files[0].header.bext.time_reference, 173184000); /* 01:00:08:00 = 86592 x 2000 */
    assert_int_equal(given.made->files[1].header.bext.time_reference, 345984000); /* 02:00:08:00 = 172992 x 2000 */
    show_fixture_deinit(&given);
}

static void plan_timeline__places_long_play_files_on_the_programme(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    given.single.reels = false;
    given.single.joined = true;
    show_fixture_render(&given, "AD", &given.single)->stem = "AD";
    show_fixture_probe(&given);
    media_facts *facts = show_fixture_facts(&given, "AD_LONGPLAY.wav");
    facts->bext.time_reference = 172800000 - 384000; /* 00:59:52:00: eight seconds of leader before the programme */
    facts->frame_count += 384000;
    facts->identity.size += 3 * 384000;
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    const task_render *first = first_render(&given, "AD", 0);
    assert_int_equal(binding_of(first, 0, STEM_AD, CHANNEL_M)->file_frame, 384000);
    const task_render *second = first_render(&given, "AD", 1);
    assert_int_equal(binding_of(second, 0, STEM_AD, CHANNEL_M)->file_frame, 384000 + 54934000);
    assert_int_equal(second->piece_count, 2); /* the pre-roll reaches back into reel 1 */
    assert_int_equal(binding_of(second, 1, STEM_AD, CHANNEL_M)->file_frame, 384000);
    assert_int_equal(second->input_count, 1);
    assert_false(first->programme_end);
    assert_true(second->programme_end);

    /* Without bext its first sample is the programme's first frame. */
    given.stems[STEM_AD].align_bext = false;
    facts->bext.present = false;
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_int_equal(binding_of(first_render(&given, "AD", 1), 0, STEM_AD, CHANNEL_M)->file_frame, 54934000);
    show_fixture_deinit(&given);
}

static void plan_timeline__places_aligned_reel_files_by_their_reference(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "23.976", 48000);
    given.stems[STEM_DX].align_bext = true;
    show_fixture_render(&given, "PM_51", &given.printmaster);
    show_fixture_probe(&given);
    media_facts *facts = show_fixture_facts(&given, "R1_DX_51.wav");
    facts->bext.present = true;
    facts->bext.time_reference = UINT64_C(86496) * 2002; /* 01:00:04:00: the file begins four seconds into the leader */
    media_facts *second = show_fixture_facts(&given, "R2_DX_51.wav");
    second->bext.present = true;
    second->bext.time_reference = UINT64_C(173016) * 2002; /* 02:00:09:00: one second late */
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_int_equal(binding_of(first_render(&given, "PM_51", 0), 0, STEM_DX, CHANNEL_L)->file_frame, 96 * 2002);
    assert_int_equal(binding_of(first_render(&given, "PM_51", 1), 0, STEM_DX, CHANNEL_L)->file_frame, -24 * 2002);
    assert_int_equal(binding_of(first_render(&given, "PM_51", 0), 0, STEM_FX, CHANNEL_L)->file_frame, 384384);
    assert_int_equal(
        show_fixture_said(&given, PROBLEM_WARNING, "R2_DX_51.wav", "begins after the first frame of action"), 1);
    show_fixture_deinit(&given);
}

static void plan_timeline__takes_whole_files_without_edges(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    show_fixture_without_reels(&given);
    given.film.stem_count = 3;
    given.stems[STEM_DX].file = "DX.wav";
    given.stems[STEM_MX].file = "MX.{ch}.wav";
    given.stems[STEM_FX].file = "FX.wav";
    show_fixture_render(&given, "PM_51", &given.printmaster)->assembly = ASSEMBLY_BOTH;
    show_fixture_probe(&given);
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_int_equal(given.made->timelines[0].piece_count, 1);
    assert_int_equal(given.made->timelines[0].frame_count, 1000000);    /* as long as its files */
    assert_int_equal(given.made->timelines[0].pieces[0].cell_count, 4); /* 3.26 */
    assert_int_equal(given.made->file_count, 1); /* a reel without a name has no file of its own */
    assert_int_equal(binding_of(first_render(&given, "PM_51", 0), 0, STEM_DX, CHANNEL_C)->file_frame, 0);
    show_fixture_deinit(&given);
}

static void plan_timeline__counts_pictures_anew_behind_a_whole_file(void **state)
{
    (void)state;
    /* 29.97df. R1 one picture longer than the design's: 34296 x 1601.6 = 54928473.6 -> 54928474 samples. R2 is
       programme to its files' end, 1000001 samples, with no timecode. R3 has 3 pictures: 4804.8 -> 4805, counted from
       R2's end and not (34299 x 1601.6 = 54933278.4) from the programme's start. */
    show_fixture given;
    show_fixture_init(&given, "29.97df", 48000);
    given.reels[2] = given.reels[1];
    given.reels[2].name = "R3";
    given.reels[2].lfoa_frame = given.reels[2].ffoa_frame + 2;
    given.reels[1] = (show_reel){.name = "R2"};
    given.reels[0].lfoa_frame += 1;
    given.film.reel_count = 3;
    given.film.stem_count = 3; /* no long-play narration */
    show_fixture_render(&given, "PM_51", &given.printmaster);
    show_fixture_receive(&given, "JOINED", "in/A.wav", LAYOUT_5_1);
    show_fixture_probe(&given);
    for (uint32_t i = 0; i < given.inputs.count; i++)
        if (given.inputs.items[i].reel == 1)
            given.facts[i].frame_count = 1000001;
    show_fixture_facts(&given, "in/A.wav")->frame_count = 55933280;
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    const plan_timeline *timeline = &given.made->timelines[0];
    assert_int_equal(timeline->pieces[0].frame_count, 54928474);
    assert_int_equal(timeline->pieces[1].programme_frame, 54928474);
    assert_int_equal(timeline->pieces[1].frame_count, 1000001);
    assert_int_equal(timeline->pieces[2].programme_frame, 55928475);
    assert_int_equal(timeline->pieces[2].frame_count, 4805);
    assert_int_equal(timeline->frame_count, 55933280);
    const plan_timeline *received = &given.made->timelines[given.made->deliverables[1].timeline];
    assert_int_equal(received->piece_count, 3); /* cut where the reels' files end */
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(received->pieces[i].file_frame, timeline->pieces[i].programme_frame);
        assert_int_equal(received->pieces[i].frame_count, timeline->pieces[i].frame_count);
    }
    show_fixture_deinit(&given);
}

static void plan_timeline__cuts_received_reels_by_their_length(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    show_fixture_receive(&given, "WITH_LEADER", "in/{reel}_A.wav", LAYOUT_5_1);
    show_fixture_receive(&given, "CUT", "in/{reel}_B.wav", LAYOUT_STEREO);
    show_fixture_receive(&given, "OTHER", "in/{reel}_C.wav", LAYOUT_STEREO);
    show_fixture_probe(&given);
    show_fixture_facts(&given, "in/R1_B.wav")->frame_count = 54934000;
    show_fixture_facts(&given, "in/R2_B.wav")->frame_count = 53382000;
    show_fixture_facts(&given, "in/R1_C.wav")->frame_count = 12345;
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    const plan_timeline *leader = &given.made->timelines[given.made->deliverables[0].timeline];
    assert_int_equal(leader->pieces[0].file_frame, 384000);
    assert_int_equal(leader->pieces[0].frame_count, 54934000);
    assert_int_equal(leader->pieces[1].frame_count, 53382000);
    const plan_timeline *cut = &given.made->timelines[given.made->deliverables[1].timeline];
    assert_int_equal(cut->pieces[0].file_frame, 0);
    assert_int_equal(cut->pieces[1].programme_frame, 54934000);
    assert_int_equal(cut->frame_count, 54934000 + 53382000);
    const plan_timeline *other = &given.made->timelines[given.made->deliverables[2].timeline];
    assert_int_equal(other->pieces[0].frame_count, 12345);
    assert_int_equal(show_fixture_said(&given, PROBLEM_WARNING, "in/R1_C.wav", "measured as a whole"), 1);
    show_fixture_deinit(&given);
}

static void plan_timeline__knows_reels_in_a_joined_received_file(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    show_fixture_receive(&given, "JOINED", "in/A.wav", LAYOUT_5_1);
    show_fixture_receive(&given, "ODD", "in/B.wav", LAYOUT_5_1);
    show_fixture_receive(&given, "LONG", "in/C.wav", LAYOUT_5_1);
    show_fixture_receive(&given, "SHORT", "in/D.wav", LAYOUT_5_1);
    show_fixture_probe(&given);
    show_fixture_facts(&given, "in/C.wav")->frame_count += 2000; /* a picture frame */
    show_fixture_facts(&given, "in/D.wav")->frame_count -= 48000;
    media_facts *odd = show_fixture_facts(&given, "in/B.wav");
    odd->frame_count -= 48001;
    odd->bext.present = true;
    odd->bext.time_reference = 172800000;
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    const plan_timeline *joined = &given.made->timelines[0];
    assert_int_equal(joined->piece_count, 2);
    assert_int_equal(joined->pieces[1].file_frame, 54934000);
    assert_false(joined->has_start);
    const plan_timeline *whole = &given.made->timelines[1];
    assert_int_equal(whole->piece_count, 1);
    assert_true(whole->pieces[0].spans_reels);
    assert_int_equal(whole->frame_count, 54934000 + 53382000 - 48001);
    assert_true(whole->has_start);
    assert_int_equal(whole->start_frame, 86400); /* 01:00:00:00 at 24 */
    static const int64_t more[] = {2000, -48000};
    for (uint32_t i = 0; i < 2; i++) { /* the reels begin where they do, and the last has what is more or less */
        const plan_timeline *other = &given.made->timelines[given.made->deliverables[2 + i].timeline];
        assert_int_equal(other->piece_count, 2);
        assert_int_equal(other->pieces[0].frame_count, 54934000);
        assert_int_equal(other->pieces[1].file_frame, 54934000);
        assert_int_equal(other->pieces[1].frame_count, 53382000 + more[i]);
        assert_int_equal(other->frame_count, 54934000 + 53382000 + more[i]);
    }
    show_fixture_deinit(&given);
}

/* By their timecode, or by the first reel's own leader of 8 s where they have none. */
static void plan_timeline__finds_the_leader_of_a_joined_received_file(void **state)
{
    (void)state;
    enum { SECOND = 48000, ACTION = 172800000 /* 01:00:00:00 at 24 */ };
    static const struct {
        const char *name, *path;
        int64_t more;
        uint64_t time_reference; /* 0: none */
        uint64_t leader;
        plan_leader by;
    } rows[] = {{"TIMED", "in/A.wav", 15 * SECOND, ACTION - 10 * SECOND, 10 * SECOND, LEADER_BY_TIMECODE},
                {"UNTIMED", "in/B.wav", 11 * SECOND, 0, 8 * SECOND, LEADER_BY_LENGTH},
                {"ALONE", "in/C.wav", 8 * SECOND, 0, 8 * SECOND, LEADER_BY_LENGTH},
                {"TAIL", "in/D.wav", 8 * SECOND, ACTION, 0, LEADER_BY_TIMECODE},
                {"LONGER", "in/E.wav", 19 * SECOND, 0, 0, LEADER_UNKNOWN},
                {"LATER", "in/F.wav", 5 * SECOND, ACTION - 8 * SECOND, 0, LEADER_UNKNOWN}};
    enum { ROWS = sizeof rows / sizeof rows[0] };
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    for (uint32_t i = 0; i < ROWS; i++)
        show_fixture_receive(&given, rows[i].name, rows[i].path, LAYOUT_5_1);
    show_fixture_probe(&given);
    for (uint32_t i = 0; i < ROWS; i++) {
        media_facts *facts = show_fixture_facts(&given, rows[i].path);
        facts->frame_count += (uint64_t)rows[i].more;
        facts->bext.present = rows[i].time_reference != 0;
        facts->bext.time_reference = rows[i].time_reference;
    }
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    for (uint32_t i = 0; i < ROWS; i++) {
        const plan_timeline *timeline = &given.made->timelines[given.made->deliverables[i].timeline];
        assert_int_equal(timeline->pieces[0].file_frame, rows[i].leader);
        assert_int_equal(timeline->piece_count, 2);
        assert_int_equal(timeline->surplus, rows[i].more);
        assert_int_equal(timeline->leader, rows[i].by); /* and where nothing says so, it is measured from its beginning */
        assert_int_equal(timeline->pieces[1].file_frame, rows[i].leader + 54934000);
        assert_int_equal(timeline->frame_count, 54934000 + 53382000);
    }
    show_fixture_deinit(&given);
}

/* What LISTEN tasks heard, against what timecode and length say. Reels 1:00:08:00 on, 8 s of leader, pops 2 s away at 24. */
static void plan_timeline__settles_the_leader_by_what_was_heard(void **state)
{
    (void)state;
    enum { SECOND = 48000, ACTION = 172800000, LENGTH = 54934000 + 53382000, HEAD = 2 * SECOND, TAIL = 47 * 2000, NONE = -1 };
    static const struct {
        uint64_t more, time_reference; /* 0: none */
        int64_t head, tail, sound;     /* beginnings that they stand for; NONE: not there */
        uint64_t leader;
        plan_leader by;
    } rows[] = {
        {19 * SECOND, 0, 13 * SECOND, 13 * SECOND, NONE, 13 * SECOND, LEADER_BY_POPS},
        {19 * SECOND, 0, NONE, 13 * SECOND, NONE, 13 * SECOND, LEADER_BY_POPS},
        {6 * SECOND, 0, 3 * SECOND, NONE, 3 * SECOND + 500, 3 * SECOND, LEADER_BY_POPS},         /* sound that was slipped */
        {19 * SECOND, 0, 13 * SECOND, NONE, 10 * SECOND, 10 * SECOND, LEADER_BY_SOUND},          /* a pop 5 s before FFOA */
        {19 * SECOND, 0, NONE, NONE, 7 * SECOND, 7 * SECOND, LEADER_BY_SOUND},
        {19 * SECOND, 0, NONE, NONE, NONE, 0, LEADER_UNKNOWN},
        {11 * SECOND, 0, 8 * SECOND + 480, NONE, NONE, 8 * SECOND, LEADER_BY_LENGTH},            /* a pop that was misplaced */
        {11 * SECOND, 0, 8 * SECOND + 480, NONE, 8 * SECOND, 8 * SECOND, LEADER_BY_LENGTH},
        {11 * SECOND, 0, 5 * SECOND, NONE, NONE, 5 * SECOND, LEADER_BY_POPS},
        {15 * SECOND, ACTION - 10 * SECOND, 9 * SECOND, 9 * SECOND, NONE, 10 * SECOND, LEADER_BY_TIMECODE},
        {15 * SECOND, ACTION - 10 * SECOND, 5 * SECOND, 5 * SECOND, 5 * SECOND, 5 * SECOND, LEADER_BY_POPS}, /* a wrong timecode */
        {15 * SECOND, ACTION - 10 * SECOND, NONE, NONE, 10 * SECOND, 10 * SECOND, LEADER_BY_TIMECODE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        show_fixture given;
        show_fixture_init(&given, "24", 48000);
        given.film.has_pops = true;
        given.film.head_pop_seconds = given.film.tail_pop_seconds = 2.0;
        show_fixture_receive(&given, "PM", "in/A.wav", LAYOUT_5_1);
        show_fixture_probe(&given);
        media_facts *facts = show_fixture_facts(&given, "in/A.wav");
        facts->frame_count += rows[i].more;
        facts->identity.size += 18 * rows[i].more;
        facts->bext.present = rows[i].time_reference != 0;
        facts->bext.time_reference = rows[i].time_reference;
        assert_int_equal(show_fixture_plan(&given), STATUS_OK);
        const plan_deliverable *wanted = &given.made->deliverables[0];
        assert_true(wanted->seek_count > 1);
        const sync_measure **heard = arena_take_array(&given.memory, wanted->seek_count, sizeof *heard);
        sync_pop pops[2];
        sync_point points[4];
        sync_measure first = {.pops = pops};
        sync_measure last = {.points = points};
        for (uint32_t k = 0; k < wanted->seek_count; k++)
            heard[k] = arena_take(&given.memory, sizeof **heard);
        if (rows[i].head != NONE)
            pops[first.pop_count++] =
                (sync_pop){.frame = (uint64_t)(rows[i].head - HEAD), .frame_count = 2000, .frequency_hz = 1000.0F};
        if (rows[i].tail != NONE)
            pops[first.pop_count++] =
                (sync_pop){.frame = (uint64_t)(rows[i].tail + LENGTH + TAIL), .frame_count = 2000, .frequency_hz = 1000.0F};
        const plan_listen *by_sound = &given.made->listens[wanted->first_seek + wanted->seek_count - 1];
        for (uint32_t k = 0; rows[i].sound != NONE && k < 4; k++)
            points[last.point_count++] = (sync_point){
                .place = 1000000 * (k + 1), .late = (double)(rows[i].sound - (int64_t)by_sound->first_frame), .score = 20.0F};
        heard[0] = NULL;
        heard[wanted->seek_count - 1] = &last;
        plan_leader_settle(given.made, 0, heard);
        const plan_timeline *timeline = &given.made->timelines[wanted->timeline];
        assert_int_equal(timeline->leader, timeline->stated); /* one of them is not heard yet */
        heard[0] = &first;
        for (uint32_t turn = 0; turn < 2; turn++) { /* again, as after a restart */
            plan_leader_settle(given.made, 0, heard);
            assert_int_equal(timeline->leader, rows[i].by);
            assert_int_equal(timeline->pieces[0].file_frame, rows[i].leader);
            assert_int_equal(timeline->pieces[1].file_frame, rows[i].leader + 54934000);
            assert_int_equal(plan_leader_unknown(timeline), rows[i].by == LEADER_UNKNOWN);
        }
        assert_int_equal(binding_of(first_render(&given, "PM", 0), 0, 0xFFFF, CHANNEL_L)->file_frame, rows[i].leader);
        for (uint32_t k = 0; k < given.made->listen_count; k++) {
            const plan_listen *listen = &given.made->listens[k];
            if (listen->deliverable == 0 && listen->whole && !listen->seeks) {
                assert_int_equal(listen->first_frame, rows[i].leader);
                assert_int_equal(listen->has_head, rows[i].leader > 0);
                assert_int_equal(listen->head_frame, rows[i].leader > 0 ? rows[i].leader - HEAD : 0);
            }
        }
        show_fixture_deinit(&given);
    }
}

static void plan_timeline__measures_files_of_any_rate_without_a_show(void **state)
{
    (void)state;
    /* What `qc` makes: no frame rate, no sample rate, no stems. */
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    show_fixture_without_reels(&given);
    given.film.rate = (frame_rate){0};
    given.film.sample_rate = 0;
    given.film.stem_count = 0;
    show_fixture_receive(&given, "A", "a.wav", LAYOUT_NONE);
    show_fixture_receive(&given, "B", "b.{ch}.wav", LAYOUT_5_1);
    show_fixture_probe(&given);
    media_facts *facts = show_fixture_facts(&given, "a.wav");
    facts->sample_rate = 44100;
    facts->channel_count = 2;
    facts->frame_count = 441000;
    for (uint32_t i = 1; i < given.inputs.count; i++)
        given.facts[i].sample_rate = 96000;
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_int_equal(given.made->deliverables[0].layout, LAYOUT_STEREO);
    assert_int_equal(given.made->timelines[0].sample_rate, 44100);
    assert_int_equal(given.made->timelines[0].frame_count, 441000);
    assert_false(given.made->timelines[0].has_start);
    assert_int_equal(given.made->programs[1].sample_rate, 96000);
    const task_render *render = first_render(&given, "B", 0);
    assert_int_equal(render->input_count, 6);
    assert_int_equal(render->file_count, 0);
    assert_string_equal(render->inputs[3].file.path, "stems/b.LFE.wav");
    show_fixture_deinit(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_timeline__joins_reels_by_cumulative_pictures),
        cmocka_unit_test(plan_timeline__rounds_positions_and_never_lengths),
        cmocka_unit_test(plan_timeline__starts_reel_files_at_their_own_ffoa),
        cmocka_unit_test(plan_timeline__places_long_play_files_on_the_programme),
        cmocka_unit_test(plan_timeline__places_aligned_reel_files_by_their_reference),
        cmocka_unit_test(plan_timeline__takes_whole_files_without_edges),
        cmocka_unit_test(plan_timeline__counts_pictures_anew_behind_a_whole_file),
        cmocka_unit_test(plan_timeline__cuts_received_reels_by_their_length),
        cmocka_unit_test(plan_timeline__knows_reels_in_a_joined_received_file),
        cmocka_unit_test(plan_timeline__finds_the_leader_of_a_joined_received_file),
        cmocka_unit_test(plan_timeline__settles_the_leader_by_what_was_heard),
        cmocka_unit_test(plan_timeline__measures_files_of_any_rate_without_a_show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
