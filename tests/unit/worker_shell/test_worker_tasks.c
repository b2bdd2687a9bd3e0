/*
 * The real tasks in real, shut-in executors: whatever the sandbox forbids that a task needs shows here. Rendering
 * itself is proved elsewhere; this is about files.
 */
#define _GNU_SOURCE
#include "proto/task_body.h"
#include "tests/unit/worker_shell/farm_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { FRAMES = 4800, DATA_OFFSET = PAGE_BYTES };

static task_path path_of(const char *root, const char *path)
{
    task_path out = {0};
    snprintf(out.root, sizeof out.root, "%s", root);
    snprintf(out.path, sizeof out.path, "%s", path);
    return out;
}

static const message_result *run(farm_stage *stage, uint32_t task, const task_body *body)
{
    byte_writer writer;
    byte_writer_init(&writer, FRAME_BYTES_MAX);
    task_body_encode(body, &writer);
    assert_false(writer.failed);
    farm_stage_assign(stage, task, 1, body->kind, writer.bytes, writer.size);
    byte_writer_deinit(&writer);
    const message_result *result = farm_stage_hear_result(stage, task);
    if (result->code != STATUS_OK)
        fail_msg("%s: %s", task_kind_name(body->kind), result->detail);
    farm_stage_acknowledge(stage, result->attempt);
    return result;
}

/* 16-bit mono at 48 kHz, made by a tool that is not ours: sox writes FLAC too, which goes through libsndfile. */
static bool make_input(const farm_stage *stage, const char *name)
{
    char command[256];
    snprintf(command, sizeof command, "sox -n -r 48000 -b 16 -c 1 '%s/media/%s' synth 0.1 sine 440 2>/dev/null",
             stage->folder, name);
    return system(command) == 0;
}

static void worker__probes_in_a_sandbox(void **state)
{
    farm_stage *stage = *state;
    farm_stage_start_worker(stage, "1");
    farm_stage_welcome(stage, 1);
    static const char *const names[] = {"tone.wav", "tone.flac", "tone.aiff", "missing.wav"};
    for (uint32_t i = 0; i < 4; i++) {
        bool there = i < 3;
        if (there && !make_input(stage, names[i])) {
            print_message("sox is not there to make %s\n", names[i]);
            skip();
        }
        task_body body = {.kind = TASK_PROBE, .probe = {.file = path_of("media", names[i])}};
        run(stage, i, &body);
        media_facts facts;
        byte_reader reader;
        byte_reader_init(&reader, stage->payload, stage->payload_size);
        media_facts_decode(&facts, &reader);
        assert_true(byte_reader_complete(&reader));
        assert_int_equal(facts.outcome, there ? STATUS_OK : STATUS_INPUT_MISSING);
        assert_int_equal(facts.frame_count, there ? FRAMES : 0);
    }
}

static output_header header_of(void)
{
    output_header header = {.container = CONTAINER_WAV,
                            .encoding = ENCODING_PCM_24,
                            .sample_rate = 48000,
                            .channel_count = 2,
                            .frame_count = FRAMES,
                            .data_offset = DATA_OFFSET};
    return header;
}

static void worker__makes_verifies_publishes_and_discards_in_a_sandbox(void **state)
{
    farm_stage *stage = *state;
    farm_stage_start_worker(stage, "2");
    farm_stage_welcome(stage, 1);
    const task_path part = path_of("out", "SHOW/v01/PM/PM.wav.1-1.part");
    const task_path final = path_of("out", "SHOW/v01/PM/PM.wav");
    task_body allocate = {.kind = TASK_ALLOCATE, .allocate = {.part = part, .final = final, .header = header_of()}};
    run(stage, 1, &allocate);
    task_body seal = {.kind = TASK_SEAL, .seal = {.part = part, .header = header_of()}};
    run(stage, 2, &seal);
    assert_int_equal(stage->payload_size, 2 * CONTENT_HASH_BYTES);
    uint8_t *silence = calloc(FRAMES, 6);
    assert_non_null(silence);
    task_verify_range range = {.frame_count = FRAMES, .digest = content_hash_of(silence, FRAMES * 6)};
    free(silence);
    task_body verify = {.kind = TASK_VERIFY,
                        .verify = {.file = part,
                                   .file_size = DATA_OFFSET + FRAMES * 6,
                                   .data_offset = DATA_OFFSET,
                                   .data_size = FRAMES * 6,
                                   .bytes_per_frame = 6,
                                   .range_count = 1,
                                   .ranges = &range}};
    memcpy(verify.verify.header_digest.bytes, stage->payload, CONTENT_HASH_BYTES);
    memcpy(verify.verify.trailer_digest.bytes, stage->payload + CONTENT_HASH_BYTES, CONTENT_HASH_BYTES);
    run(stage, 3, &verify);
    task_verify_result verified;
    assert_int_equal(task_verify_result_decode(&verified, stage->payload, stage->payload_size), STATUS_OK);
    task_publish_file file = {.part = part, .final = final, .digest = verified.file_digest, .identity = verified.identity};
    task_body publish = {.kind = TASK_PUBLISH, .publish = {.file_count = 1, .files = &file}};
    run(stage, 4, &publish);
    char path[PATH_MAX_BYTES + 80];
    snprintf(path, sizeof path, "%s/out/%s", stage->folder, final.path);
    assert_int_equal(access(path, R_OK), 0);
    snprintf(path, sizeof path, "%s/out/%s", stage->folder, part.path);
    assert_int_not_equal(access(path, F_OK), 0);

    task_path stale = path_of("out", "OTHER/x.wav.1-1.part");
    task_body again = {.kind = TASK_ALLOCATE,
                       .allocate = {.part = stale, .final = path_of("out", "OTHER/x.wav"), .header = header_of()}};
    run(stage, 5, &again);
    task_body discard = {.kind = TASK_DISCARD, .discard = {.file_count = 1, .files = &stale}};
    run(stage, 6, &discard);
    snprintf(path, sizeof path, "%s/out/OTHER", stage->folder);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void worker__deposits_a_document_that_it_fetches(void **state)
{
    farm_stage *stage = *state;
    farm_stage_start_worker(stage, "1");
    farm_stage_welcome(stage, 1);
    static uint8_t document[DOCUMENT_CHUNK_MAX + 1000];
    for (size_t i = 0; i < sizeof document; i++)
        document[i] = (uint8_t)(i * 7);
    task_body body = {.kind = TASK_DEPOSIT, .deposit = {.document_count = 1}};
    body.deposit.documents[0] = (task_document){.final = path_of("out", "SHOW/v01/report/report.json"),
                                                .document = 3,
                                                .size = sizeof document,
                                                .digest = content_hash_of(document, sizeof document)};
    byte_writer writer;
    byte_writer_init(&writer, FRAME_BYTES_MAX);
    task_body_encode(&body, &writer);
    farm_stage_assign(stage, 1, 1, body.kind, writer.bytes, writer.size);
    byte_writer_deinit(&writer);
    const message *said = farm_stage_hear(stage);
    for (; said->type == MESSAGE_FETCH; said = farm_stage_hear(stage)) {
        assert_int_equal(said->fetch.document, 3);
        assert_true(said->fetch.offset <= sizeof document);
        size_t left = sizeof document - said->fetch.offset;
        message chunk = {.type = MESSAGE_CHUNK,
                         .chunk = {.attempt = said->fetch.attempt,
                                   .document = 3,
                                   .offset = said->fetch.offset,
                                   .total_size = sizeof document,
                                   .bytes = {document + said->fetch.offset,
                                             (uint32_t)(left < DOCUMENT_CHUNK_MAX ? left : DOCUMENT_CHUNK_MAX)}}};
        farm_stage_tell(stage, &chunk);
    }
    assert_int_equal(said->type, MESSAGE_RESULT);
    if (said->result.code != STATUS_OK)
        fail_msg("%s", said->result.detail);
    char path[PATH_MAX_BYTES + 80];
    snprintf(path, sizeof path, "%s/out/SHOW/v01/report/report.json", stage->folder);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    static uint8_t back[sizeof document + 1];
    assert_int_equal(fread(back, 1, sizeof back, file), sizeof document);
    fclose(file);
    assert_memory_equal(back, document, sizeof document);
}

#define worker_test(f) cmocka_unit_test_setup_teardown(f, farm_stage_up, farm_stage_down)

int main(int argc, char **argv)
{
    int worker = farm_stage_worker(argc, argv);
    if (worker >= 0)
        return worker;
    const struct CMUnitTest tests[] = {
        worker_test(worker__probes_in_a_sandbox),
        worker_test(worker__makes_verifies_publishes_and_discards_in_a_sandbox),
        worker_test(worker__deposits_a_document_that_it_fetches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
