/* The decoding of bodies, and the task kinds that make no media file: RENDER, PROBE, DISCARD, DEPOSIT. */
#define _GNU_SOURCE
#include "tests/unit/worker_media/riff_builder.h"
#include "tests/unit/worker_tasks/task_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- RENDER ---- */

static task_body render_body(uint32_t first_cell, uint32_t cell_count, render_term *term, task_input *input,
                             task_piece *piece, task_binding *binding)
{
    task_body body = {.kind = TASK_INSPECT};
    task_render *task = &body.render;
    *term = (render_term){.gain = 1.0};
    task->program.sample_rate = 48000;
    task->program.input_count = 1;
    task->program.output_count = 1;
    task->program.output_lane_count = 1;
    task->program.term_count = 1;
    task->program.inputs[0].label = CHANNEL_M;
    task->program.outputs[0] = (render_output){.layout = LAYOUT_MONO, .encoding = ENCODING_NONE};
    task->program.terms = term;
    *input = (task_input){.file = task_path_of("media", "x.wav"),
                          .identity = {.size = 100000000},
                          .container = CONTAINER_WAV,
                          .encoding = ENCODING_PCM_16,
                          .sample_rate = 48000,
                          .channel_count = 1,
                          .frame_count = 10 * CELL_FRAMES,
                          .data_offset = 44,
                          .direct = true};
    *binding = (task_binding){0};
    *piece = (task_piece){.frame_count = 10 * CELL_FRAMES, .bindings = binding};
    task->input_count = 1;
    task->inputs = input;
    task->piece_count = 1;
    task->pieces = piece;
    task->first_cell = first_cell;
    task->cell_count = cell_count;
    task->programme_end = true;
    task->programme_frame_count = 10 * CELL_FRAMES;
    return body;
}

static void task_render__hands_each_finished_cell_to_the_host(void **state)
{
    task_fixture *self = *state;
    render_term term;
    task_input input;
    task_piece piece;
    task_binding binding;
    task_body body = render_body(2, 3, &term, &input, &piece, &binding);
    assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
    assert_int_equal(self->cells, 3);
    assert_int_equal(self->last_cell, 4);
    assert_int_equal(self->last_progress, 1000);
    assert_int_equal(self->payload.size, 0);
    /* What the host says stops the engine. */
    body = render_body(6, 4, &term, &input, &piece, &binding);
    assert_int_equal(task_fixture_run(self, &body), STATUS_CANCELLED);
    assert_int_equal(self->last_cell, 7);
}

/* ---- bodies that are not good ---- */

static void task_run__refuses_bodies_that_do_not_decode(void **state)
{
    task_fixture *self = *state;
    for (int kind = 0; kind < 40; kind++) {
        status code = task_run((task_kind)kind, "\xff\xff\xff\xff", 4, &self->roots, NULL, &self->host, &self->payload,
                               &self->detail);
        assert_int_equal(code, STATUS_PEER_MALFORMED);
        assert_true(self->detail.message[0] != '\0');
        assert_int_equal(task_run((task_kind)kind, NULL, 0, &self->roots, NULL, &self->host, &self->payload, NULL),
                         STATUS_PEER_MALFORMED);
    }
    static const char *const hostile[] = {"../media/x", "/etc/passwd", "a/../../x", "", ".", "a//b", "a/./b", "a\nb"};
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        task_body body = {.kind = TASK_PROBE, .probe = {.file = task_path_of("media", hostile[i])}};
        assert_int_equal(task_fixture_run(self, &body), STATUS_PEER_MALFORMED);
    }
}

/* ---- PROBE ---- */

static media_facts facts_of(const task_fixture *self)
{
    byte_reader reader;
    byte_reader_init(&reader, self->payload.bytes, self->payload.size);
    media_facts facts = {0};
    media_facts_decode(&facts, &reader);
    assert_true(byte_reader_complete(&reader));
    return facts;
}

static void task_probe__answers_facts_for_good_bad_and_missing_files(void **state)
{
    task_fixture *self = *state;
    byte_writer wav;
    byte_writer_init(&wav, 65536);
    riff_builder_begin(&wav, "RIFF");
    riff_builder_format(&wav, 1, 2, 48000, 24);
    riff_builder_data(&wav, 600);
    riff_builder_finish(&wav);
    temp_folder_write(&self->folder, "media/good.wav", wav.bytes, wav.size);
    temp_folder_write(&self->folder, "media/cut.wav", wav.bytes, wav.size - 300);
    byte_writer_deinit(&wav);

    task_body body = {.kind = TASK_PROBE, .probe = {.file = task_path_of("media", "good.wav")}};
    assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
    media_facts facts = facts_of(self);
    assert_int_equal(facts.outcome, STATUS_OK);
    assert_int_equal(facts.frame_count, 100);
    assert_int_equal(facts.identity.ino, task_fixture_inode(self, "media/good.wav"));

    body.probe.file = task_path_of("media", "cut.wav");
    assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
    facts = facts_of(self);
    assert_int_equal(facts.outcome, STATUS_INPUT_TRUNCATED);
    assert_non_null(strstr(facts.message, "cut.wav is truncated: its header promises 100 frames, the file holds 50"));

    body.probe.file = task_path_of("media", "reels/gone.wav");
    assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
    facts = facts_of(self);
    assert_int_equal(facts.outcome, STATUS_INPUT_MISSING);
    assert_non_null(strstr(facts.message, "reels/gone.wav"));

    /* A root that only this worker lacks is no fault of the file. */
    body.probe.file = task_path_of("archive", "good.wav");
    assert_int_equal(task_fixture_run(self, &body), STATUS_STORAGE_DENIED);
    task_fixture_says(self, "archive");
}

/* ---- DISCARD ---- */

static void task_discard__removes_parts_and_empty_folders_and_nothing_else(void **state)
{
    task_fixture *self = *state;
    temp_folder_make(&self->folder, "out/SHOW");
    temp_folder_make(&self->folder, "out/SHOW/PM");
    temp_folder_make(&self->folder, "out/SHOW/ME");
    temp_folder_write(&self->folder, "out/SHOW/PM/A.wav.9-1.part", "x", 1);
    temp_folder_write(&self->folder, "out/SHOW/ME/B.wav.9-1.part", "x", 1);
    temp_folder_write(&self->folder, "out/SHOW/ME/B.wav", "published", 9);
    temp_folder_make(&self->folder, "out/stuck.part");
    temp_folder_write(&self->folder, "out/stuck.part/x", "x", 1);
    task_path files[] = {task_path_of("out", "stuck.part"), task_path_of("out", "SHOW/PM/A.wav.9-1.part"),
                         task_path_of("out", "SHOW/ME/B.wav.9-1.part"), task_path_of("out", "SHOW/none/C.wav.9-1.part")};
    task_body body = {.kind = TASK_DISCARD, .discard = {.file_count = 4, .files = files}};
    assert_int_not_equal(task_fixture_run(self, &body), STATUS_OK); /* the folder named like a part stays, and is told */
    task_fixture_says(self, "stuck.part");
    assert_false(temp_folder_has(&self->folder, "out/SHOW/PM"));
    assert_false(temp_folder_has(&self->folder, "out/SHOW/ME/B.wav.9-1.part"));
    task_fixture_content(self, "out/SHOW/ME/B.wav", "published");
    body.discard.file_count = 3;
    body.discard.files = files + 1;
    assert_int_equal(task_fixture_run(self, &body), STATUS_OK); /* all gone already */
}

/* ---- DEPOSIT ---- */

static task_body deposit_body(const task_fixture *self)
{
    task_body body = {.kind = TASK_DEPOSIT, .deposit = {.document_count = 2}};
    static const char *const names[] = {"S/report/report.html", "S/report/report.json"};
    for (uint32_t i = 0; i < 2; i++)
        body.deposit.documents[i] = (task_document){.final = task_path_of("out", names[i]),
                                                    .document = i,
                                                    .size = sizeof self->document,
                                                    .digest = content_hash_of(self->document, sizeof self->document)};
    return body;
}

static void task_deposit__writes_documents_whole_in_any_chunk_size(void **state)
{
    task_fixture *self = *state;
    static const size_t chunk_sizes[] = {DOCUMENT_CHUNK_MAX, 100000, 4999};
    task_body body = deposit_body(self);
    for (size_t i = 0; i < 3; i++) {
        self->chunk_bytes = chunk_sizes[i];
        assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
        for (uint32_t d = 0; d < 2; d++) {
            size_t size = 0;
            char name[2048];
            snprintf(name, sizeof name, "out/%s", body.deposit.documents[d].final.path);
            uint8_t *bytes = temp_folder_read(&self->folder, name, &size);
            assert_int_equal(size, sizeof self->document);
            assert_memory_equal(bytes, self->document, size);
            free(bytes);
        }
        assert_false(temp_folder_has(&self->folder, "out/S/report/report.json.deposit.part"));
    }
}

static void task_deposit__leaves_the_old_report_when_the_new_one_does_not_come(void **state)
{
    task_fixture *self = *state;
    temp_folder_make(&self->folder, "out/S");
    temp_folder_make(&self->folder, "out/S/report");
    temp_folder_write(&self->folder, "out/S/report/report.html", "old", 3);
    task_body body = deposit_body(self);
    /* The coordinator goes away, lies about the length, stops early, or sends something else. */
    for (int fault = 0; fault < 4; fault++) {
        self->fetch_code = fault == 0 ? STATUS_CANCELLED : STATUS_OK;
        self->fetch_fails_at = 200000;
        self->total_lie = fault == 1 ? 1 : 0;
        self->chunk_bytes = fault == 2 ? 0 : DOCUMENT_CHUNK_MAX;
        if (fault == 3)
            body.deposit.documents[1].digest.bytes[5] ^= 1;
        assert_int_equal(task_fixture_run(self, &body), fault == 0 ? STATUS_CANCELLED : STATUS_PEER_IMPOSSIBLE);
        task_fixture_says(self, "S/report/report");
        task_fixture_content(self, "out/S/report/report.html", "old");
        assert_false(temp_folder_has(&self->folder, "out/S/report/report.json"));
        assert_false(temp_folder_has(&self->folder, "out/S/report/report.html.deposit.part"));
        assert_false(temp_folder_has(&self->folder, "out/S/report/report.json.deposit.part"));
    }
}

/* An attempt whose lease is over has not heard of it yet, and begins the first document anew while the second is fetched. */
static void zombie_begins_again(task_fixture *self, uint32_t document, uint64_t offset)
{
    if (document != 1 || offset != 0)
        return;
    assert_int_equal(unlink(temp_folder_path(&self->folder, "out/S/report/report.html.deposit.part")), 0);
    temp_folder_write(&self->folder, "out/S/report/report.html.deposit.part", "half", 4);
}

static void task_deposit__gives_no_name_to_what_another_attempt_began(void **state)
{
    task_fixture *self = *state;
    task_body body = deposit_body(self);
    self->at_fetch = zombie_begins_again;
    assert_int_equal(task_fixture_run(self, &body), STATUS_STORAGE_MISMATCH);
    task_fixture_says(self, "report.html.deposit.part: something replaced it");
    assert_false(temp_folder_has(&self->folder, "out/S/report/report.html"));
    assert_false(temp_folder_has(&self->folder, "out/S/report/report.json"));
    self->at_fetch = NULL;
    assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
    assert_true(temp_folder_has(&self->folder, "out/S/report/report.json"));
}

static void task_deposit__leaves_the_proof_of_what_stands(void **state)
{
    task_fixture *self = *state;
    self->chunk_bytes = DOCUMENT_CHUNK_MAX;
    temp_folder_make(&self->folder, "out/S");
    temp_folder_make(&self->folder, "out/S/PM");
    temp_folder_make(&self->folder, "out/S/PM/ascmhl");
    task_body body = deposit_body(self);
    task_path first = body.deposit.documents[0].final;
    char place[2048];
    snprintf(place, sizeof place, "out/%s", first.path);
    task_path standing[] = {task_path_of("out", "S/ME/ascmhl/ascmhl_chain.xml"), task_path_of("out", "S/PM/ascmhl/ascmhl_chain.xml")};
    body.deposit.standing_count = 2;
    body.deposit.standing = standing;
    /* Nothing stands; then something does, but nothing proves it: the report goes to its place both times. */
    for (int stands = 0; stands < 2; stands++) {
        assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
        assert_int_equal(self->payload.bytes[self->payload.size - 1], 0);
        assert_true(temp_folder_has(&self->folder, place));
        assert_int_equal(unlink(temp_folder_path(&self->folder, place)), 0);
        if (stands == 0)
            temp_folder_write(&self->folder, "out/S/PM/ascmhl/ascmhl_chain.xml", "x", 1);
    }
    temp_folder_write(&self->folder, place, "old", 3);
    assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
    assert_int_equal(self->payload.bytes[self->payload.size - 1], 1);
    task_fixture_content(self, place, "old");
    assert_true(temp_folder_has(&self->folder, "out/S/report/unpublished/report.html"));
    assert_true(temp_folder_has(&self->folder, "out/S/report/unpublished/report.json"));
    /* All was published: the report goes to its place, and what lies beside it goes, but for somebody's own file. */
    body.deposit.standing_count = 0;
    temp_folder_write(&self->folder, "out/S/report/unpublished/sign-offs.json", "own", 3);
    for (int run = 0; run < 2; run++) {
        assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
        assert_int_equal(self->payload.bytes[self->payload.size - 1], 0);
        size_t size = 0;
        free(temp_folder_read(&self->folder, place, &size));
        assert_int_equal(size, sizeof self->document);
        assert_false(temp_folder_has(&self->folder, "out/S/report/unpublished/report.html"));
        assert_false(temp_folder_has(&self->folder, "out/S/report/unpublished/report.json"));
        assert_int_equal(temp_folder_has(&self->folder, "out/S/report/unpublished"), run == 0);
        if (run == 0)
            assert_int_equal(unlink(temp_folder_path(&self->folder, "out/S/report/unpublished/sign-offs.json")), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(task_render__hands_each_finished_cell_to_the_host),
        WITH_FOLDER(task_run__refuses_bodies_that_do_not_decode),
        WITH_FOLDER(task_probe__answers_facts_for_good_bad_and_missing_files),
        WITH_FOLDER(task_discard__removes_parts_and_empty_folders_and_nothing_else),
        WITH_FOLDER(task_deposit__writes_documents_whole_in_any_chunk_size),
        WITH_FOLDER(task_deposit__gives_no_name_to_what_another_attempt_began),
        WITH_FOLDER(task_deposit__leaves_the_proof_of_what_stands),
        WITH_FOLDER(task_deposit__leaves_the_old_report_when_the_new_one_does_not_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
