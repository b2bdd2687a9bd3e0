/* Files, tasks and bodies: names, sizes, what waits for what, and that none of it depends on chance. */
#include "tests/unit/plan/show_fixture.h"

#include "common/measure/cell_signal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Two rendered deliverables (one as mono files, joined and by reel) and one received. */
static void fixture(show_fixture *given)
{
    show_fixture_init(given, "24", 48000);
    given->music_and_effects.multi_mono = true;
    show_fixture_render(given, "PM_51", &given->printmaster);
    show_fixture_render(given, "ME_51", &given->music_and_effects)->assembly = ASSEMBLY_BOTH;
    show_fixture_receive(given, "OLD", "received/old.wav", LAYOUT_5_1);
    show_fixture_probe(given);
    assert_int_equal(show_fixture_plan(given), STATUS_OK);
}

static task_body *body_of(show_fixture *given, uint32_t index, const plan_context *context)
{
    byte_writer writer;
    byte_writer_init(&writer, FRAME_BYTES_MAX);
    assert_int_equal(plan_task_body(given->made, index, context, &writer), STATUS_OK);
    task_body *body = arena_take(&given->memory, sizeof *body);
    uint8_t *bytes = (uint8_t *)arena_copy_bytes(&given->memory, writer.bytes, writer.size);
    assert_int_equal(task_body_decode(body, given->made->tasks[index].kind, bytes, writer.size, &given->memory), STATUS_OK);
    byte_writer_deinit(&writer);
    return body;
}

static uint32_t count_kind(const plan *made, task_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < made->task_count; i++)
        count += made->tasks[i].kind == kind;
    return count;
}

static void plan_files__are_named_as_the_contract_says(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    given.music_and_effects.multi_mono = true;
    show_fixture_render(&given, "PM_51", &given.printmaster)->language = "en";
    show_fixture_render(&given, "ME_51", &given.music_and_effects)->assembly = ASSEMBLY_BOTH;
    show_fixture_probe(&given);
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    const plan *made = given.made;
    assert_int_equal(made->file_count, 1 + 6 + 2 * 6);
    assert_string_equal(made->files[0].final.root, "out");
    assert_string_equal(made->files[0].final.path, "delivery/NIGHT_TRAIN/v03/PM_51/NIGHT_TRAIN_PM_51_en.wav");
    assert_string_equal(made->files[0].display, "NIGHT_TRAIN/v03/PM_51/NIGHT_TRAIN_PM_51_en.wav");
    assert_string_equal(made->files[4].display, "NIGHT_TRAIN/v03/ME_51/NIGHT_TRAIN_ME_51.LFE.wav");
    assert_string_equal(made->files[18].display, "NIGHT_TRAIN/v03/ME_51/NIGHT_TRAIN_ME_51_R2.Rs.wav");
    task_path part;
    plan_part_path(&made->files[0].final, 0xABCDEF, 12, 3, &part);
    assert_string_equal(part.path,
                        "delivery/NIGHT_TRAIN/v03/PM_51.reelmill.part/NIGHT_TRAIN_PM_51_en.wav.0000000000abcdef-12-3.part");
    show_fixture_deinit(&given);
}

/* EBU Tech 3285 asks for ASCII: letters lose their accents, what is no Latin letter is a question mark, however long it was. */
static void plan_files__describe_themselves_in_ascii(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    given.film.title = "Nuit à Łódź, 夜 – Großer Ärger";
    show_fixture_render(&given, "PM_51", &given.printmaster);
    show_fixture_probe(&given);
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_string_equal(given.made->files[0].header.bext.description, "Nuit a Lodz, ? ? Groser Arger, PM_51");
    show_fixture_deinit(&given);
}

static void plan_files__say_in_their_header_what_they_are(void **state)
{
    (void)state;
    show_fixture given;
    fixture(&given);
    const output_header *header = &given.made->files[0].header;
    assert_int_equal(header->container, CONTAINER_WAV);
    assert_int_equal(header->encoding, ENCODING_PCM_24);
    assert_int_equal(header->channel_count, 6);
    assert_int_equal(header->channel_mask, 0x3F);
    assert_int_equal(header->data_offset, 8192); /* six tracks of iXML take more than what bext and fmt leave of a page */
    assert_int_equal(given.made->files[0].file_size, 8192 + UINT64_C(108316000) * 18); /* 54934000 + 53382000 frames */
    assert_string_equal(header->coding_history, "A=PCM,F=48000,W=24,M=multi,T=reelmill\r\n");
    assert_string_equal(header->bext.originator, "reelmill");
    assert_string_equal(header->bext.description, "Night Train, PM_51");
    assert_int_equal(header->bext.loudness_value, 0x7FFF);
    const output_header *mono = &given.made->files[1].header;
    assert_int_equal(mono->channel_count, 1);
    assert_int_equal(mono->channel_mask, 0);
    assert_string_equal(mono->coding_history, "A=PCM,F=48000,W=24,M=mono,T=reelmill\r\n");
    show_fixture_deinit(&given);
}

static void plan_files__take_the_latest_date_of_the_stems(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    show_fixture_render(&given, "PM_51", &given.printmaster);
    show_fixture_receive(&given, "OLD", "old.wav", LAYOUT_5_1);
    show_fixture_probe(&given);
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_string_equal(given.made->files[0].header.bext.origination_date, "");
    static const struct {
        const char *file;
        const char *date;
        const char *time;
    } dates[] = {{"R1_FX.wav", "2026-10-01", "23:59:59"}, {"R2_FX.wav", "2026:11:02", "09.30.15"},
                 {"R2_MX.C.wav", "2026-11-02", "09:30:14"}, {"R2_MX.L.wav", "2026-11-02", "noon"},
                 {"R1_MX.C.wav", "yesterday!", "23:59:59"}, {"old.wav", "2027-01-01", "10:00:00"}};
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        media_facts *facts = show_fixture_facts(&given, dates[i].file);
        facts->bext.present = true;
        snprintf(facts->bext.origination_date, sizeof facts->bext.origination_date, "%s", dates[i].date);
        snprintf(facts->bext.origination_time, sizeof facts->bext.origination_time, "%s", dates[i].time);
    }
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_string_equal(given.made->files[0].header.bext.origination_date, "2026-11-02");
    assert_string_equal(given.made->files[0].header.bext.origination_time, "09:30:15");
    given.film.date = "2026-11-20";
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_string_equal(given.made->files[0].header.bext.origination_date, "2026-11-20");
    assert_string_equal(given.made->files[0].header.bext.origination_time, ""); /* of another day than the stated one */
    content_hash digest = given.made->digest;
    given.film.time = "18:30:00";
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_string_equal(given.made->files[0].header.bext.origination_time, "18:30:00");
    assert_false(content_hash_equal(&digest, &given.made->digest));
    show_fixture_deinit(&given);
}

static void plan_files__become_rf64_when_a_wav_cannot_hold_them(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    show_fixture_without_reels(&given);
    given.film.stem_count = 1;
    given.stems[STEM_DX].file = "DX.wav";
    given.printmaster.role_count = 1;
    show_fixture_render(&given, "DX_51", &given.printmaster);
    show_fixture_probe(&given);
    /* (2^32 - 1 - 8192) / 18 = 238608839.1: that many frames still fit, one more does not. */
    for (uint64_t frames = 238608839; frames <= 238608840; frames++) {
        given.facts[0].frame_count = frames;
        assert_int_equal(show_fixture_plan(&given), STATUS_OK);
        const plan_file *file = &given.made->files[0];
        assert_int_equal(file->file_size, 8192 + 18 * frames);
        assert_int_equal(file->header.container, frames == 238608839 ? CONTAINER_WAV : CONTAINER_RF64);
    }
    show_fixture_deinit(&given);
}

static void plan_files__count_the_pad_byte_of_odd_audio(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    show_fixture_without_reels(&given);
    given.stems[STEM_AD].align_bext = false;
    given.stems[0] = given.stems[STEM_AD];
    given.film.stem_count = 1;
    show_fixture_render(&given, "AD_STEM", &given.single)->stem = "AD";
    show_fixture_probe(&given);
    given.facts[0].frame_count = 1001;
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_int_equal(given.made->files[0].file_size, 4096 + 3003 + 1);
    show_fixture_deinit(&given);
}

static void plan_tasks__wait_only_for_tasks_before_them(void **state)
{
    (void)state;
    show_fixture given;
    fixture(&given);
    const plan *made = given.made;
    assert_int_equal(made->first_task, 7);
    bool *waited_for = calloc(made->task_count, sizeof *waited_for);
    for (uint32_t i = 0; i < made->task_count; i++)
        for (uint32_t k = 0; k < made->tasks[i].wait_count; k++) {
            uint32_t number = made->waits[made->tasks[i].first_wait + k];
            assert_in_range(number, made->first_task, made->first_task + i - 1);
            waited_for[number - made->first_task] = true;
        }
    for (uint32_t i = 0; i + 1 < made->task_count; i++)
        assert_true(waited_for[i]); /* everything is behind the report, which is the last task */
    assert_int_equal(made->tasks[made->task_count - 1].kind, TASK_DEPOSIT);
    assert_true(made->tasks[made->task_count - 1].even_if_failed);
    assert_int_equal(made->tasks[made->task_count - 2].kind, TASK_COMPOSE);
    assert_int_equal(made->tasks[made->task_count - 2].wait_count, made->task_count - 2);
    free(waited_for);
    show_fixture_deinit(&given);
}

static bool waits_for(const plan *made, uint32_t index, uint32_t number)
{
    for (uint32_t k = 0; k < made->tasks[index].wait_count; k++)
        if (made->waits[made->tasks[index].first_wait + k] == number)
            return true;
    return false;
}

static void plan_tasks__follow_the_way_of_the_data(void **state)
{
    (void)state;
    show_fixture given;
    fixture(&given);
    const plan *made = given.made;
    assert_int_equal(count_kind(made, TASK_ALLOCATE), 19);
    assert_int_equal(count_kind(made, TASK_SEAL), 19);
    assert_int_equal(count_kind(made, TASK_VERIFY), 20); /* and the received file's digest */
    assert_int_equal(count_kind(made, TASK_PUBLISH), 3);
    assert_int_equal(count_kind(made, TASK_MERGE), 3);
    for (uint32_t i = 0; i < made->task_count; i++) {
        const plan_task *task = &made->tasks[i];
        if (task->kind == TASK_RENDER) {
            /* PM joined, ME joined x 6, ME of this reel x 6 */
            assert_int_equal(task->wait_count, 13);
            assert_true(waits_for(made, i, made->files[0].allocate_task));
            assert_int_equal(waits_for(made, i, made->files[7].allocate_task), task->piece == 0);
            assert_int_equal(waits_for(made, i, made->files[13].allocate_task), task->piece == 1);
            assert_true(waits_for(made, made->deliverables[0].merge_task - 7, made->first_task + i));
            assert_true(waits_for(made, made->deliverables[1].merge_task - 7, made->first_task + i));
            assert_false(waits_for(made, made->deliverables[2].merge_task - 7, made->first_task + i));
        }
        if (task->kind == TASK_INSPECT) {
            assert_int_equal(task->wait_count, 0);
            assert_true(waits_for(made, made->deliverables[2].merge_task - 7, made->first_task + i));
        }
    }
    for (uint32_t i = 0; i < made->file_count; i++) {
        const plan_deliverable *deliverable = &made->deliverables[made->files[i].deliverable];
        assert_true(waits_for(made, made->files[i].seal_task - 7, deliverable->merge_task));
        assert_true(waits_for(made, made->files[i].verify_task - 7, made->files[i].seal_task));
        assert_true(waits_for(made, deliverable->publish_task - 7, made->files[i].verify_task));
        assert_int_equal(made->tasks[made->files[i].verify_task - 7].file, i);
    }
    for (uint32_t i = 0; i < made->task_count; i++) /* what is received is looked at once more behind all that reads it */
        if (made->tasks[i].kind == TASK_MERGE || (made->tasks[i].kind == TASK_VERIFY && made->tasks[i].of_input))
            assert_true(waits_for(made, made->deliverables[made->tasks[i].deliverable].publish_task - 7, made->first_task + i));
    show_fixture_deinit(&given);
}

static void plan_tasks__cover_every_cell_once(void **state)
{
    (void)state;
    show_fixture given;
    fixture(&given);
    for (uint32_t cells = 0; cells <= 100; cells = cells * 3 + 1) { /* 0 = chosen, 1, 4, 13, 40 */
        given.options.cells_per_task = cells;
        assert_int_equal(show_fixture_plan(&given), STATUS_OK);
        const plan *made = given.made;
        for (uint32_t program = 0; program < made->program_count; program++) {
            uint32_t piece = 0;
            uint32_t next = 0;
            const plan_timeline *timeline = NULL;
            for (uint32_t i = 0; i < made->task_count; i++) {
                const plan_task *task = &made->tasks[i];
                if ((task->kind != TASK_RENDER && task->kind != TASK_INSPECT) || task->program != program)
                    continue;
                timeline = &made->timelines[task->timeline];
                if (next == timeline->pieces[piece].cell_count) {
                    piece++;
                    next = 0;
                }
                assert_int_equal(task->piece, piece);
                assert_int_equal(task->first_cell, next);
                assert_true(task->cell_count > 0);
                next += task->cell_count;
            }
            assert_non_null(timeline);
            assert_int_equal(piece + 1, timeline->piece_count);
            assert_int_equal(next, timeline->pieces[piece].cell_count);
        }
    }
    show_fixture_deinit(&given);
}

static void plan_tasks__change_with_the_farm_and_nothing_else_does(void **state)
{
    (void)state;
    show_fixture given;
    fixture(&given);
    /* 179 + 174 cells rendered; the received file is as long as the programme, so it has the same pieces and cells:
     * 706. */
    static const struct {
        uint32_t slots;
        uint32_t cells; /* ceil(706 / (4 x slots)), at most 64 */
    } rows[] = {{0, 64}, {1, 64}, {3, 59}, {4, 45}, {8, 23}, {1000, 1}};
    plan *reference = given.made;
    given.made = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        given.options.slot_count = rows[i].slots;
        assert_int_equal(show_fixture_plan(&given), STATUS_OK);
        uint32_t largest = 0;
        for (uint32_t k = 0; k < given.made->task_count; k++)
            if (given.made->tasks[k].cell_count > largest)
                largest = given.made->tasks[k].cell_count;
        assert_int_equal(largest, rows[i].cells);
        assert_int_equal(given.made->file_count, reference->file_count);
        for (uint32_t k = 0; k < reference->file_count; k++) {
            assert_string_equal(given.made->files[k].final.path, reference->files[k].final.path);
            assert_int_equal(given.made->files[k].file_size, reference->files[k].file_size);
        }
        assert_int_equal(given.made->program_count, reference->program_count);
        for (uint32_t k = 0; k < reference->program_count; k++) {
            content_hash a = render_program_digest(&given.made->programs[k]);
            content_hash b = render_program_digest(&reference->programs[k]);
            assert_true(content_hash_equal(&a, &b));
        }
        assert_int_equal(given.made->write_bytes, reference->write_bytes);
    }
    plan_destroy(&reference);
    show_fixture_deinit(&given);
}

/* Who is done takes the next: at the end no slot waits long for another. */
static void plan_tasks__leave_no_slot_idle_for_long(void **state)
{
    (void)state;
    show_fixture given;
    fixture(&given);
    for (uint32_t slots = 2; slots <= 16; slots++) {
        given.options.slot_count = slots;
        assert_int_equal(show_fixture_plan(&given), STATUS_OK);
        uint32_t busy[16] = {0}; /* cells that each has done */
        uint32_t largest = 0;
        for (uint32_t k = 0; k < given.made->task_count; k++) {
            uint32_t next = 0;
            for (uint32_t i = 1; i < slots; i++)
                next = busy[i] < busy[next] ? i : next;
            busy[next] += given.made->tasks[k].cell_count; /* other kinds have none */
            largest = given.made->tasks[k].cell_count > largest ? given.made->tasks[k].cell_count : largest;
        }
        uint32_t first = busy[0], last = busy[0];
        for (uint32_t i = 1; i < slots; i++) {
            first = busy[i] < first ? busy[i] : first;
            last = busy[i] > last ? busy[i] : last;
        }
        assert_true(last - first <= (largest + 7) / 8);
    }
    show_fixture_deinit(&given);
}

static void plan_task_body__binds_lanes_to_files(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    channel_order_of(LAYOUT_5_1, ORDER_FILM, &given.stems[STEM_FX].order);
    given.stems[STEM_DX].optional = true;
    given.printmaster.order = ORDER_FILM;
    show_fixture_render(&given, "PM_51", &given.printmaster)->assembly = ASSEMBLY_BOTH;
    show_fixture_probe(&given);
    show_fixture_facts(&given, "R2_DX_51.wav")->outcome = STATUS_INPUT_MISSING;
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    const plan *made = given.made;
    uint32_t index = 0;
    while (made->tasks[index].kind != TASK_RENDER || made->tasks[index].piece != 1)
        index++;
    plan_context context = {.farm = 1, .job = 2, .generation = 3};
    const task_render *render = &body_of(&given, index, &context)->render;
    assert_int_equal(render->piece_count, 2);
    assert_int_equal(render->pieces[0].reel, 1);
    assert_int_equal(render->pieces[0].programme_frame, 54934000);
    assert_int_equal(render->pieces[1].frame_count, 54934000);
    assert_int_equal(render->programme_frame_count, 108316000);
    /* Lanes go by stem, then channel. DX: silence in reel 2, its file in the pre-roll. */
    assert_int_equal(render->pieces[0].bindings[0].file, TASK_FILE_NONE);
    assert_string_equal(render->inputs[render->pieces[1].bindings[0].file].file.path, "stems/R1_DX_51.wav");
    /* MX: one mono file per channel; lane 6 + 3 is its LFE. */
    const task_binding *lfe = &render->pieces[0].bindings[9];
    assert_string_equal(render->inputs[lfe->file].file.path, "stems/R2_MX.LFE.wav");
    assert_int_equal(lfe->channel, 0);
    assert_int_equal(lfe->file_frame, 384000);
    /* FX in film order L C R Ls Rs LFE: canonical C (lane 12 + 2) is channel 1, LFE (12 + 3) channel 5. */
    assert_int_equal(render->pieces[0].bindings[14].channel, 1);
    assert_int_equal(render->pieces[0].bindings[15].channel, 5);
    assert_string_equal(render->inputs[render->pieces[0].bindings[15].file].file.path, "stems/R2_FX.wav");
    /* Two outputs, joined and reel, in film order: file channel 1 is canonical 2 (C). */
    assert_int_equal(render->file_count, 2);
    assert_int_equal(render->files[0].file_frame, 54934000);
    assert_int_equal(render->files[0].file_frame_count, 108316000);
    assert_int_equal(render->files[1].file_frame, 0);
    assert_int_equal(render->files[1].file_frame_count, 53382000);
    assert_int_equal(render->files[0].channels[1], 2);
    assert_int_equal(render->files[0].channels[5], 3);
    assert_non_null(strstr(render->files[1].part.path, "NIGHT_TRAIN_PM_51_R2.wav.0000000000000001-2-3.part"));

    plan_binding binding;
    plan_task_binding(made, index, &given.memory, &binding);
    assert_int_equal(binding.input_count, render->input_count);
    assert_int_equal(binding.own_input_count, 7); /* six mono files and FX */
    assert_int_equal(binding.input_count, 7 + 8);
    assert_int_equal(binding.file_count, 2);
    assert_string_equal(given.inputs.items[binding.inputs[lfe->file]].display, "R2_MX.LFE.wav");

    /* Away from the piece's start no pre-roll reaches back. */
    const task_render *later = &body_of(&given, index + 1, &context)->render;
    assert_int_equal(later->piece_count, 1);
    assert_int_equal(later->input_count, 7);
    show_fixture_deinit(&given);
}

static void plan_task_body__verifies_every_cell(void **state)
{
    (void)state;
    show_fixture given;
    fixture(&given);
    const plan *made = given.made;
    content_hash *digests = arena_take_array(&given.memory, 400, sizeof *digests);
    for (uint32_t i = 0; i < 400; i++)
        digests[i].bytes[0] = (uint8_t)i;
    plan_context context = {.farm = 1, .job = 2, .generation = 3, .cell_count = 353, .cell_digests = digests};
    const task_verify *joined = &body_of(&given, made->files[0].verify_task - 7, &context)->verify;
    assert_int_equal(joined->range_count, 353); /* 179 + 174 */
    assert_int_equal(joined->bytes_per_frame, 18);
    assert_int_equal(joined->data_size, UINT64_C(108316000) * 18);
    assert_int_equal(joined->ranges[0].frame_count, CELL_FRAMES);
    assert_int_equal(joined->ranges[178].frame_count, 54934000 - 178 * 307200); /* reel 1's last cell is short */
    assert_int_equal(joined->ranges[179].digest.bytes[0], 179);
    uint64_t frames = 0;
    for (uint32_t i = 0; i < joined->range_count; i++)
        frames += joined->ranges[i].frame_count;
    assert_int_equal(frames, 108316000);

    byte_writer writer;
    byte_writer_init(&writer, FRAME_BYTES_MAX);
    context.cell_count = 352;
    assert_int_equal(plan_task_body(made, made->files[0].verify_task - 7, &context, &writer), STATUS_DEFECT);
    byte_writer_deinit(&writer);

    context.cell_count = 174;
    const task_verify *reel = &body_of(&given, made->files[13].verify_task - 7, &context)->verify;
    assert_int_equal(reel->range_count, 174);
    assert_int_equal(reel->data_size, UINT64_C(53382000) * 3);

    for (uint32_t i = 0; i < made->task_count; i++)
        if (made->tasks[i].of_input) {
            const task_verify *input = &body_of(&given, i, &context)->verify;
            assert_string_equal(input->file.path, "stems/received/old.wav");
            assert_int_equal(input->range_count, 0);
            assert_int_equal(input->data_offset, 44);
        }
    show_fixture_deinit(&given);
}

static void plan_task_body__seals_publishes_and_discards(void **state)
{
    (void)state;
    show_fixture given;
    fixture(&given);
    given.options.discard_failed = true;
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    const plan *made = given.made;
    plan_context context = {.farm = 1,
                            .job = 2,
                            .generation = 3,
                            .replace = true,
                            .loudness_value = -2345,
                            .loudness_range = 0x7FFF,
                            .max_true_peak = -210,
                            .max_momentary = 1,
                            .max_short_term = 2};
    const task_seal *seal = &body_of(&given, made->files[0].seal_task - 7, &context)->seal;
    assert_int_equal(seal->header.bext.loudness_value, -2345);
    assert_int_equal(seal->header.bext.max_true_peak_level, -210);
    assert_int_equal(seal->header.bext.time_reference, 172800000);
    const task_allocate *allocate = &body_of(&given, made->files[0].allocate_task - 7, &context)->allocate;
    assert_string_equal(allocate->final.path, made->files[0].final.path);
    assert_string_equal(allocate->part.path, seal->part.path);
    const task_publish *publish = &body_of(&given, made->deliverables[1].publish_task - 7, &context)->publish;
    assert_int_equal(publish->file_count, 18);
    assert_true(publish->replace);
    assert_string_equal(publish->files[17].final.path, made->files[18].final.path);
    assert_int_equal(publish->input_count, 2 * (1 + 6 + 1)); /* in two reels what is mixed with it: DX, MX by channels, FX */
    assert_memory_equal(&publish->inputs[15].identity, &made->facts[15].identity, sizeof made->facts[15].identity);
    publish = &body_of(&given, made->deliverables[2].publish_task - 7, &context)->publish;
    assert_int_equal(publish->file_count, 0);
    assert_string_equal(publish->inputs[publish->input_count - 1].file.path, "stems/received/old.wav");
    assert_int_equal(count_kind(made, TASK_DISCARD), 2);
    given.printmaster.keeps_leader = true;
    for (uint32_t i = 0; i < made->task_count; i++) {
        const task_render *render = made->tasks[i].kind == TASK_RENDER ? &body_of(&given, i, &context)->render : NULL;
        for (uint32_t f = 0; render != NULL && f < render->file_count; f++) { /* only SEAL writes into a leader that is kept */
            bool kept = strstr(render->files[f].part.path, "PM_51") != NULL;
            bool first = render->first_cell == 0 && render->files[f].file_frame == render->files[f].leader_frames;
            assert_int_equal(render->files[f].exact, kept && first);
        }
        if (made->tasks[i].kind != TASK_DISCARD)
            continue;
        uint32_t deliverable = made->tasks[i].deliverable;
        assert_true(made->tasks[i].even_if_failed);
        assert_int_equal(body_of(&given, i, &context)->discard.file_count, 2 * made->deliverables[deliverable].file_count);
        for (uint32_t k = 0; k < made->task_count; k++)
            if (made->tasks[k].kind == TASK_RENDER)
                assert_true(waits_for(made, i, made->first_task + k)); /* nobody writes to what is removed */
    }
    show_fixture_deinit(&given);
}

static void plan_create__refuses_tasks_that_fit_no_message(void **state)
{
    (void)state;
    /* 40 more stems of six mono files each. */
    show_fixture given;
    char names[40][8];
    char patterns[40][32];
    static show_stem stems[SHOW_STEMS_MAX];
    show_fixture_init(&given, "24", 48000);
    memcpy(stems, given.stems, sizeof given.stems[0] * FIXTURE_STEMS);
    given.film.stems = stems;
    for (uint32_t i = 0; i < 40; i++) {
        snprintf(names[i], sizeof names[i], "FX%u", i);
        snprintf(patterns[i], sizeof patterns[i], "{reel}_FX%u.{ch}.wav", i);
        stems[FIXTURE_STEMS + i] = stems[STEM_MX];
        stems[FIXTURE_STEMS + i].name = names[i];
        stems[FIXTURE_STEMS + i].file = patterns[i];
    }
    given.film.stem_count = FIXTURE_STEMS + 40;
    show_fixture_render(&given, "PM_51", &given.printmaster);
    /* show_fixture_probe looks at show.stems; all of them are 5.1 mono files here */
    assert_int_equal(plan_list_inputs(&given.inputs, &given.film, &given.media, &given.memory, &given.problems),
                     STATUS_OK);
    given.facts = arena_take_array(&given.memory, given.inputs.count, sizeof *given.facts);
    show_fixture reference;
    show_fixture_init(&reference, "24", 48000);
    show_fixture_render(&reference, "PM_51", &reference.printmaster);
    show_fixture_probe(&reference);
    for (uint32_t i = 0; i < given.inputs.count; i++) {
        const plan_input *input = &given.inputs.items[i];
        const char *like = input->stem == STEM_DX   ? (input->reel == 0 ? "R1_DX_51.wav" : "R2_DX_51.wav")
                           : input->stem == STEM_FX ? (input->reel == 0 ? "R1_FX.wav" : "R2_FX.wav")
                           : input->stem == STEM_AD ? "AD_LONGPLAY.wav"
                                                    : (input->reel == 0 ? "R1_MX.L.wav" : "R2_MX.L.wav");
        given.facts[i] = *show_fixture_facts(&reference, like);
    }
    /* 41 stems x 6 mono files x 2 reels + 4 = 496 files in the first task of reel 2, below TASK_FILES_MAX: fits. */
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    for (uint32_t i = 0; i < given.inputs.count; i++) {
        memset(given.inputs.items[i].path.path, 'x', 900); /* but not with paths of 900 bytes each */
        given.inputs.items[i].path.path[900] = '\0';
    }
    assert_int_equal(show_fixture_plan(&given), STATUS_INPUT_INVALID);
    assert_int_equal(show_fixture_said(&given, PROBLEM_ERROR, "PM_51", "message of 258048 bytes"), 1);
    show_fixture_deinit(&reference);
    show_fixture_deinit(&given);
}

static void plan_text__has_a_line_for_every_task(void **state)
{
    (void)state;
    show_fixture given;
    fixture(&given);
    const char *text = plan_text(given.made, &given.memory);
    uint32_t lines = 0;
    for (const char *at = text; *at != '\0'; at++)
        lines += *at == '\n';
    assert_int_equal(lines, 3 + 1 + given.made->task_count); /* deliverables, sum, tasks */
    assert_non_null(strstr(text, "render    PM_51+ME_51 R2 cells 0-44 of 174"));
    assert_non_null(strstr(text, "inspect   OLD R1 cells 0-44 of 179"));
    assert_non_null(strstr(text, "publish   PM_51"));
    show_fixture_deinit(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_files__are_named_as_the_contract_says),
        cmocka_unit_test(plan_files__describe_themselves_in_ascii),
        cmocka_unit_test(plan_files__say_in_their_header_what_they_are),
        cmocka_unit_test(plan_files__take_the_latest_date_of_the_stems),
        cmocka_unit_test(plan_files__become_rf64_when_a_wav_cannot_hold_them),
        cmocka_unit_test(plan_files__count_the_pad_byte_of_odd_audio),
        cmocka_unit_test(plan_tasks__wait_only_for_tasks_before_them),
        cmocka_unit_test(plan_tasks__follow_the_way_of_the_data),
        cmocka_unit_test(plan_tasks__cover_every_cell_once),
        cmocka_unit_test(plan_tasks__change_with_the_farm_and_nothing_else_does),
        cmocka_unit_test(plan_tasks__leave_no_slot_idle_for_long),
        cmocka_unit_test(plan_task_body__binds_lanes_to_files),
        cmocka_unit_test(plan_task_body__verifies_every_cell),
        cmocka_unit_test(plan_task_body__seals_publishes_and_discards),
        cmocka_unit_test(plan_create__refuses_tasks_that_fit_no_message),
        cmocka_unit_test(plan_text__has_a_line_for_every_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
