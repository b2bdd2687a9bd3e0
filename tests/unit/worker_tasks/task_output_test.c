/* The life of an output: ALLOCATE, SEAL, VERIFY, PUBLISH. */
#define _GNU_SOURCE
#include "tests/unit/worker_tasks/task_fixture.h"
#include "worker/media/wave_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- ALLOCATE, SEAL, VERIFY, PUBLISH ---- */

#define PART "SHOW/v01/PM/A.wav.5-2.part"
#define FINAL "SHOW/v01/PM/A.wav"

static output_header header_make(uint32_t channels, uint64_t frames)
{
    return (output_header){.container = CONTAINER_WAV,
                           .encoding = ENCODING_PCM_24,
                           .sample_rate = 48000,
                           .channel_count = channels,
                           .frame_count = frames,
                           .data_offset = 4096,
                           .bext = {.present = true, .version = 2, .loudness_value = 0x7FFF}};
}

static task_body allocate_body(const output_header *header)
{
    return (task_body){.kind = TASK_ALLOCATE,
                       .allocate = {.part = task_path_of("out", PART), .final = task_path_of("out", FINAL), .header = *header}};
}

static void task_allocate__makes_a_new_inode_with_header_and_full_size(void **state)
{
    task_fixture *self = *state;
    output_header header = header_make(1, 1001);
    task_body body = allocate_body(&header);
    assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
    size_t size = 0;
    uint8_t *bytes = temp_folder_read(&self->folder, "out/" PART, &size);
    assert_int_equal(size, 4096 + 3003 + 1);
    byte_writer expected;
    byte_writer_init(&expected, OUTPUT_HEADER_MAX);
    assert_int_equal(wave_header_build(&header, &expected), STATUS_OK);
    assert_memory_equal(bytes, expected.bytes, 4096);
    byte_writer_deinit(&expected);
    free(bytes);

    /* Once more, with leftovers of an older generation about and a published file beside them. The link keeps the first
     * inode alive, as a late writer's descriptor would, so that its number is not given out again. */
    ino_t first = task_fixture_inode(self, "out/" PART);
    temp_folder_write(&self->folder, "out/" FINAL ".4-1.part", "old", 3);
    temp_folder_write(&self->folder, "out/" FINAL, "published", 9);
    assert_int_equal(link(temp_folder_path(&self->folder, "out/" PART), temp_folder_path(&self->folder, "out/kept")), 0);
    assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
    assert_int_not_equal(task_fixture_inode(self, "out/" PART), first);
    assert_false(temp_folder_has(&self->folder, "out/" FINAL ".4-1.part"));
    task_fixture_content(self, "out/" FINAL, "published");
}

static void task_allocate__refuses_what_cannot_be_made(void **state)
{
    task_fixture *self = *state;
    output_header header = header_make(6, 400000000); /* 7.2 GB as plain WAV */
    task_body body = allocate_body(&header);
    assert_int_equal(task_fixture_run(self, &body), STATUS_LIMIT);
    task_fixture_says(self, FINAL);
    header = header_make(1, 10);
    body = allocate_body(&header);
    body.allocate.part = task_path_of("media", PART);
    body.allocate.final = task_path_of("media", FINAL);
    assert_int_equal(task_fixture_run(self, &body), STATUS_STORAGE_DENIED);
    task_fixture_says(self, "read-only");
}

/* Audio of `frames` mono 24-bit frames where the renderer would have put it. */
static void audio_write(const task_fixture *self, uint64_t frames, uint8_t *audio)
{
    uint64_t seed = 77;
    for (size_t i = 0; i < frames * 3; i++)
        audio[i] = (uint8_t)test_random(&seed);
    int descriptor = -1;
    assert_int_equal(storage_open_output(storage_roots_find(&self->roots, "out"), PART, &descriptor, NULL), STATUS_OK);
    assert_int_equal(storage_write_at(descriptor, audio, frames * 3, 4096, NULL), STATUS_OK);
    close(descriptor);
}

enum { FLOW_FRAMES = 3001 };

/* Allocates, writes and seals; gives a VERIFY body with three ranges. */
static task_body sealed_make(task_fixture *self, uint8_t *audio, task_verify_range ranges[3])
{
    output_header header = header_make(1, FLOW_FRAMES);
    task_body body = allocate_body(&header);
    assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
    audio_write(self, FLOW_FRAMES, audio);
    header.bext.loudness_value = -2300;
    body = (task_body){.kind = TASK_SEAL, .seal = {.part = task_path_of("out", PART), .header = header}};
    assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
    assert_int_equal(self->payload.size, 32);
    task_body verify = {.kind = TASK_VERIFY,
                        .verify = {.file = task_path_of("out", PART),
                                   .file_size = 4096 + FLOW_FRAMES * 3 + 1,
                                   .data_offset = 4096,
                                   .data_size = FLOW_FRAMES * 3,
                                   .bytes_per_frame = 3,
                                   .range_count = 3,
                                   .ranges = ranges}};
    memcpy(verify.verify.header_digest.bytes, self->payload.bytes, 16);
    memcpy(verify.verify.trailer_digest.bytes, self->payload.bytes + 16, 16);
    ranges[0] = (task_verify_range){1000, content_hash_of(audio, 3000)};
    ranges[1] = (task_verify_range){1, content_hash_of(audio + 3000, 3)};
    ranges[2] = (task_verify_range){2000, content_hash_of(audio + 3003, 6000)};
    return verify;
}

static void task_seal__writes_the_measured_loudness_and_digests_what_is_not_audio(void **state)
{
    task_fixture *self = *state;
    static uint8_t audio[FLOW_FRAMES * 3];
    task_verify_range ranges[3];
    task_body verify = sealed_make(self, audio, ranges);
    size_t size = 0;
    uint8_t *bytes = temp_folder_read(&self->folder, "out/" PART, &size);
    content_hash header = content_hash_of(bytes, 4096);
    content_hash trailer = content_hash_of("", 1); /* one zero byte */
    assert_true(content_hash_equal(&header, &verify.verify.header_digest));
    assert_true(content_hash_equal(&trailer, &verify.verify.trailer_digest));
    assert_int_equal((int16_t)(bytes[56 + 412] | bytes[56 + 413] << 8), -2300);
    assert_memory_equal(bytes + 4096, audio, sizeof audio);
    free(bytes);
}

static void task_seal__refuses_a_file_of_another_size(void **state)
{
    task_fixture *self = *state;
    static uint8_t audio[FLOW_FRAMES * 3];
    task_verify_range ranges[3];
    (void)sealed_make(self, audio, ranges);
    assert_int_equal(truncate(temp_folder_path(&self->folder, "out/" PART), 5000), 0);
    task_body body = {.kind = TASK_SEAL, .seal = {.part = task_path_of("out", PART), .header = header_make(1, FLOW_FRAMES)}};
    assert_int_equal(task_fixture_run(self, &body), STATUS_STORAGE_MISMATCH);
    task_fixture_says(self, "5000 bytes");
    task_fixture_says(self, PART);
    body.seal.part = task_path_of("out", "gone.part");
    assert_int_equal(task_fixture_run(self, &body), STATUS_STORAGE_MISMATCH);
}

static void task_verify__passes_what_was_written_and_gives_its_digests(void **state)
{
    task_fixture *self = *state;
    static uint8_t audio[FLOW_FRAMES * 3];
    task_verify_range ranges[3];
    task_body verify = sealed_make(self, audio, ranges);
    size_t size = 0;
    uint8_t *bytes = temp_folder_read(&self->folder, "out/" PART, &size);
    content_hash file_digest = content_hash_of(bytes, size);
    content_hash audio_digest = content_hash_of(audio, sizeof audio);
    free(bytes);
    task_verify_result result;
    for (int read_back = 0; read_back < 2; read_back++) {
        verify.verify.read_back = read_back == 1;
        assert_int_equal(task_fixture_run(self, &verify), STATUS_OK);
        assert_int_equal(self->last_progress, 1000);
        assert_int_equal(task_verify_result_decode(&result, self->payload.bytes, self->payload.size), STATUS_OK);
        assert_true(content_hash_equal(&result.file_digest, &file_digest));
        assert_true(content_hash_equal(&result.audio_digest, &audio_digest));
        assert_int_equal(result.identity.size, size);
    }
    /* Without ranges nothing is compared, and the digests are the same. */
    verify.verify.read_back = false;
    verify.verify.range_count = 0;
    verify.verify.header_digest = (content_hash){0};
    verify.verify.file_size = 0;
    assert_int_equal(task_fixture_run(self, &verify), STATUS_OK);
    assert_int_equal(task_verify_result_decode(&result, self->payload.bytes, self->payload.size), STATUS_OK);
    assert_true(content_hash_equal(&result.file_digest, &file_digest));
    assert_true(content_hash_equal(&result.audio_digest, &audio_digest));
}

static void task_verify__names_the_place_of_any_byte_that_differs(void **state)
{
    task_fixture *self = *state;
    static uint8_t audio[FLOW_FRAMES * 3];
    task_verify_range ranges[3];
    task_body verify = sealed_make(self, audio, ranges);
    static const struct {
        uint64_t byte;
        const char *words;
    } cases[] = {
        {0, "the header"},
        {4095, "the header"},
        {4096, "range 0, frames 0 to 1000"},
        {4096 + 2999, "range 0"},
        {4096 + 3001, "range 1, frames 1000 to 1001"},
        {4096 + 3003, "range 2, frames 1001 to 3001"},
        {4096 + FLOW_FRAMES * 3 - 1, "range 2"},
        {4096 + FLOW_FRAMES * 3, "what follows the audio"},
    };
    int descriptor = -1;
    assert_int_equal(storage_open_output(storage_roots_find(&self->roots, "out"), PART, &descriptor, NULL), STATUS_OK);
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        uint8_t byte = 0;
        verify.verify.read_back = i % 2 == 1;
        assert_int_equal(storage_read_at(descriptor, &byte, 1, cases[i / 2].byte, NULL), STATUS_OK);
        byte ^= 0x10;
        assert_int_equal(storage_write_at(descriptor, &byte, 1, cases[i / 2].byte, NULL), STATUS_OK);
        assert_int_equal(task_fixture_run(self, &verify), STATUS_STORAGE_MISMATCH);
        task_fixture_says(self, cases[i / 2].words);
        task_fixture_says(self, PART);
        assert_int_equal(self->payload.size, 0);
        byte ^= 0x10;
        assert_int_equal(storage_write_at(descriptor, &byte, 1, cases[i / 2].byte, NULL), STATUS_OK);
    }
    assert_int_equal(task_fixture_run(self, &verify), STATUS_OK);
    assert_int_equal(ftruncate(descriptor, 4096 + 100), 0);
    assert_int_equal(task_fixture_run(self, &verify), STATUS_STORAGE_MISMATCH);
    close(descriptor);
}

static void task_verify__refuses_ranges_that_do_not_cover_the_audio(void **state)
{
    task_fixture *self = *state;
    static uint8_t audio[FLOW_FRAMES * 3];
    task_verify_range ranges[3];
    task_body verify = sealed_make(self, audio, ranges);
    ranges[2].frame_count--;
    assert_int_equal(task_fixture_run(self, &verify), STATUS_PEER_MALFORMED);
    ranges[2].frame_count = UINT64_MAX - 1000;
    assert_int_equal(task_fixture_run(self, &verify), STATUS_PEER_MALFORMED);
}

/* ---- PUBLISH ---- */

static task_body publish_body(task_publish_file files[3], bool replace)
{
    static const char *const names[] = {"PM/A.L.wav", "PM/A.R.wav", "PM/A.C.wav"};
    static const char *const contents[] = {"left", "right", "centre"};
    for (int i = 0; i < 3; i++) {
        char part[64];
        snprintf(part, sizeof part, "%s.9-1.part", names[i]);
        files[i] = (task_publish_file){.part = task_path_of("out", part), .final = task_path_of("out", names[i])};
        files[i].digest = content_hash_of(contents[i], strlen(contents[i]));
    }
    return (task_body){.kind = TASK_PUBLISH, .publish = {.replace = replace, .file_count = 3, .files = files}};
}

static void parts_write(const task_fixture *self)
{
    temp_folder_write(&self->folder, "out/PM/A.L.wav.9-1.part", "left", 4);
    temp_folder_write(&self->folder, "out/PM/A.R.wav.9-1.part", "right", 5);
    temp_folder_write(&self->folder, "out/PM/A.C.wav.9-1.part", "centre", 6);
}

static void finals_are(const task_fixture *self)
{
    task_fixture_content(self, "out/PM/A.L.wav", "left");
    task_fixture_content(self, "out/PM/A.R.wav", "right");
    task_fixture_content(self, "out/PM/A.C.wav", "centre");
    assert_false(temp_folder_has(&self->folder, "out/PM/A.L.wav.9-1.part"));
    assert_false(temp_folder_has(&self->folder, "out/PM/A.R.wav.9-1.part"));
    assert_false(temp_folder_has(&self->folder, "out/PM/A.C.wav.9-1.part"));
}

static void task_publish__renames_and_may_be_repeated_from_any_point(void **state)
{
    task_fixture *self = *state;
    temp_folder_make(&self->folder, "out/PM");
    task_publish_file files[3];
    task_body body = publish_body(files, false);
    parts_write(self);
    assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
    finals_are(self);
    assert_int_equal(task_fixture_run(self, &body), STATUS_OK); /* an attempt whose answer was lost */
    finals_are(self);
    /* The attempt died after its first rename. */
    parts_write(self);
    assert_int_equal(unlink(temp_folder_path(&self->folder, "out/PM/A.L.wav.9-1.part")), 0);
    assert_int_equal(unlink(temp_folder_path(&self->folder, "out/PM/A.R.wav")), 0);
    assert_int_equal(unlink(temp_folder_path(&self->folder, "out/PM/A.C.wav")), 0);
    assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
    finals_are(self);
    /* The same bytes made again: what is published stays the file it was. */
    ino_t before = task_fixture_inode(self, "out/PM/A.R.wav");
    parts_write(self);
    assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
    finals_are(self);
    assert_int_equal(task_fixture_inode(self, "out/PM/A.R.wav"), before);
}

/* As the planner names them: the parts lie in a folder of their own, `old` of the three already under their names in it. */
static task_body staged_body(const task_fixture *self, task_publish_file files[3], int old)
{
    static const char *const contents[] = {"left", "right", "centre"};
    task_body body = publish_body(files, false);
    for (int i = 0; i < 3; i++) {
        char path[PATH_MAX_BYTES + 8];
        snprintf(path, sizeof path, "PM.part/%s.9-1.part", files[i].final.path + 3);
        files[i].part = task_path_of("out", path);
        snprintf(path, sizeof path, "out/PM.part/%s%s", files[i].final.path + 3, i < old ? "" : ".9-1.part");
        temp_folder_write(&self->folder, path, contents[i], strlen(contents[i]));
    }
    return body;
}

static void folder_move_away(const task_fixture *self, int number)
{
    char from[PATH_MAX_BYTES], to[64];
    snprintf(from, sizeof from, "%s", temp_folder_path(&self->folder, "out/PM"));
    snprintf(to, sizeof to, "out/gone%d", number);
    assert_int_equal(rename(from, temp_folder_path(&self->folder, to)), 0);
}

static void task_publish__makes_a_new_folder_in_one_step_from_any_point(void **state)
{
    task_fixture *self = *state;
    task_publish_file files[3];
    /* Stopped after 0 to 3 renames, with what other generations left, and with half of its documents there. */
    for (int old = 0; old <= 3; old++) {
        temp_folder_make(&self->folder, "out/PM.part");
        task_body body = staged_body(self, files, old);
        body.publish.checksums = CHECKSUMS_MD5 | CHECKSUMS_XXH128;
        temp_folder_write(&self->folder, "out/PM.part/A.L.wav.8-1.part", "old", 3);
        temp_folder_write(&self->folder, "out/PM.part/OTHER.wav", "old", 3);
        temp_folder_write(&self->folder, "out/PM.part/PM.md5", "half", 4);
        assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
        finals_are(self);
        assert_true(temp_folder_has(&self->folder, "out/PM/ascmhl/ascmhl_chain.xml"));
        assert_false(temp_folder_has(&self->folder, "out/PM.part"));
        assert_false(temp_folder_has(&self->folder, "out/PM/OTHER.wav"));
        assert_false(temp_folder_has(&self->folder, "out/PM/A.L.wav.8-1.part"));
        /* md5sum(1) of the three texts */
        task_fixture_content(self, "out/PM/PM.md5", "811882fecd5c7618d7099ebbd39ea254  A.L.wav\n"
                                                    "7c4f29407893c334a6cb7a87bf045c0d  A.R.wav\n"
                                                    "d64a4d022098892cecf250b5842c2a48  A.C.wav\n");
        assert_int_equal(task_fixture_run(self, &body), STATUS_OK); /* an attempt whose answer was lost */
        finals_are(self);
        folder_move_away(self, old);
    }
}

static void task_publish__stages_nothing_beside_what_is_there(void **state)
{
    task_fixture *self = *state;
    task_publish_file files[3];
    temp_folder_make(&self->folder, "out/PM.part");
    temp_folder_make(&self->folder, "out/PM");
    temp_folder_write(&self->folder, "out/PM/notes.txt", "mine", 4);
    task_body body = staged_body(self, files, 1);
    assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
    finals_are(self);
    task_fixture_content(self, "out/PM/notes.txt", "mine");
    assert_true(temp_folder_has(&self->folder, "out/PM/ascmhl/ascmhl_chain.xml"));
    assert_false(temp_folder_has(&self->folder, "out/PM.part"));
    /* What is staged but is not what was verified is not believed. */
    folder_move_away(self, 0);
    temp_folder_make(&self->folder, "out/PM.part");
    body = staged_body(self, files, 3);
    temp_folder_write(&self->folder, "out/PM.part/A.R.wav", "RIGHT", 5);
    assert_int_equal(task_fixture_run(self, &body), STATUS_STORAGE_MISMATCH);
    assert_false(temp_folder_has(&self->folder, "out/PM"));
}

static void task_publish__changes_nothing_when_one_file_conflicts(void **state)
{
    task_fixture *self = *state;
    temp_folder_make(&self->folder, "out/PM");
    task_publish_file files[3];
    task_body body = publish_body(files, false);
    parts_write(self);
    temp_folder_write(&self->folder, "out/PM/A.C.wav", "Centre", 6); /* the last of the three, one byte differs */
    assert_int_equal(task_fixture_run(self, &body), STATUS_INPUT_CONFLICT);
    task_fixture_says(self, "PM/A.C.wav");
    task_fixture_says(self, "--replace");
    assert_false(temp_folder_has(&self->folder, "out/PM/A.L.wav"));
    assert_false(temp_folder_has(&self->folder, "out/PM/A.R.wav"));
    assert_true(temp_folder_has(&self->folder, "out/PM/A.C.wav.9-1.part"));
    task_fixture_content(self, "out/PM/A.C.wav", "Centre");
    body.publish.replace = true;
    assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
    finals_are(self);
    /* Other length, and a name taken by what is no file. */
    parts_write(self);
    temp_folder_write(&self->folder, "out/PM/A.L.wav", "left and more", 13);
    body.publish.replace = false;
    assert_int_equal(task_fixture_run(self, &body), STATUS_INPUT_CONFLICT);
    assert_int_equal(unlink(temp_folder_path(&self->folder, "out/PM/A.L.wav")), 0);
    temp_folder_make(&self->folder, "out/PM/A.L.wav");
    body.publish.replace = true;
    assert_int_not_equal(task_fixture_run(self, &body), STATUS_OK);
    task_fixture_content(self, "out/PM/A.L.wav.9-1.part", "left");
}

/* The attempt renamed, its answer was lost, and then somebody put another file there. */
static void task_publish__believes_no_final_file_that_was_not_verified(void **state)
{
    task_fixture *self = *state;
    temp_folder_make(&self->folder, "out/PM");
    task_publish_file files[3];
    task_body body = publish_body(files, true);
    parts_write(self);
    assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
    temp_folder_write(&self->folder, "out/PM/A.R.wav", "rifht", 5);
    assert_int_equal(task_fixture_run(self, &body), STATUS_STORAGE_MISMATCH);
    task_fixture_says(self, "PM/A.R.wav");
    task_fixture_says(self, "not the file that was verified");
}

/* Another attempt of an earlier task woke up between VERIFY and PUBLISH. */
static void task_publish__believes_no_part_that_changed_since_it_was_verified(void **state)
{
    task_fixture *self = *state;
    static uint8_t audio[FLOW_FRAMES * 3];
    task_verify_range ranges[3];
    char part[PATH_MAX_BYTES];
    for (int change = 0; change < 3; change++) {
        task_body verify = sealed_make(self, audio, ranges);
        task_verify_result result;
        assert_int_equal(task_fixture_run(self, &verify), STATUS_OK);
        assert_int_equal(task_verify_result_decode(&result, self->payload.bytes, self->payload.size), STATUS_OK);
        task_publish_file file = {task_path_of("out", PART), task_path_of("out", FINAL), result.file_digest, result.identity};
        task_body body = {.kind = TASK_PUBLISH, .publish = {.file_count = 1, .files = &file}};
        snprintf(part, sizeof part, "%s", temp_folder_path(&self->folder, "out/" PART));
        output_header header = header_make(1, FLOW_FRAMES);
        task_body late = allocate_body(&header);
        if (change == 0) { /* as big, with a good header; the link keeps the inode's number from being given again */
            char kept[PATH_MAX_BYTES];
            snprintf(kept, sizeof kept, "%s", temp_folder_path(&self->folder, "out/kept"));
            assert_int_equal(link(part, kept), 0);
            assert_int_equal(task_fixture_run(self, &late), STATUS_OK);
        }
        if (change == 1)
            assert_int_equal(truncate(part, 5000), 0);
        if (change == 2)
            audio_write(self, FLOW_FRAMES, audio); /* the same bytes, as an attempt that outlives its lease writes them */
        status code = task_fixture_run(self, &body);
        assert_int_equal(code, change < 2 ? STATUS_STORAGE_MISMATCH : STATUS_OK);
        assert_int_equal(temp_folder_has(&self->folder, "out/" FINAL), change == 2);
        if (change < 2)
            task_fixture_says(self, FINAL ": its .part file is not what was verified");
    }
}

/* A stem was replaced behind the last task that read it. Of a received programme nothing is renamed: it is looked at, no more. */
static void task_publish__gives_no_name_to_what_was_made_from_other_inputs(void **state)
{
    task_fixture *self = *state;
    task_publish_file files[3];
    temp_folder_make(&self->folder, "out/PM");
    parts_write(self);
    temp_folder_write(&self->folder, "media/R1.wav", "sound", 5);
    temp_folder_write(&self->folder, "media/R1.new", "other", 5);
    task_probed input = {.file = task_path_of("media", "R1.wav")};
    int descriptor;
    assert_int_equal(storage_open_input(storage_roots_find(&self->roots, "media"), "R1.wav", &descriptor, NULL), STATUS_OK);
    assert_int_equal(storage_identity(descriptor, &input.identity), STATUS_OK);
    close(descriptor);
    task_body body = publish_body(files, false);
    body.publish.input_count = 1;
    body.publish.inputs = &input;
    task_body received = {.kind = TASK_PUBLISH, .publish = {.input_count = 1, .inputs = &input}};
    assert_int_equal(task_fixture_run(self, &received), STATUS_OK);
    char name[PATH_MAX_BYTES];
    snprintf(name, sizeof name, "%s", temp_folder_path(&self->folder, "media/R1.wav"));
    assert_int_equal(rename(temp_folder_path(&self->folder, "media/R1.new"), name), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(task_fixture_run(self, i == 0 ? &body : &received), STATUS_INPUT_CHANGED);
        task_fixture_says(self, "'R1.wav' changed since it was probed; submit the show again");
        assert_false(temp_folder_has(&self->folder, "out/PM/A.L.wav"));
    }
    assert_int_equal(unlink(name), 0);
    assert_int_equal(task_fixture_run(self, &body), STATUS_STORAGE_IO);
    task_fixture_says(self, "'R1.wav' in media is gone since it was probed");
    body.publish.input_count = 0;
    assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
    finals_are(self);
}

static void task_publish__tells_when_part_and_final_are_both_gone(void **state)
{
    task_fixture *self = *state;
    temp_folder_make(&self->folder, "out/PM");
    task_publish_file files[3];
    task_body body = publish_body(files, true);
    parts_write(self);
    assert_int_equal(unlink(temp_folder_path(&self->folder, "out/PM/A.R.wav.9-1.part")), 0);
    assert_int_equal(task_fixture_run(self, &body), STATUS_STORAGE_MISMATCH);
    task_fixture_says(self, "PM/A.R.wav");
    assert_false(temp_folder_has(&self->folder, "out/PM/A.L.wav"));
}

/* The chain of the hash list is the last thing written and the first taken away. */
static void task_publish__marks_a_folder_complete_only_while_it_is(void **state)
{
    static const char chain[] = "out/PM/ascmhl/ascmhl_chain.xml";
    task_fixture *self = *state;
    temp_folder_make(&self->folder, "out/PM");
    temp_folder_make(&self->folder, "out/PM/ascmhl");
    temp_folder_make(&self->folder, "out/PM/ascmhl/ascmhl_chain.xml.manifest.part"); /* what cannot be written */
    task_publish_file files[3];
    task_body body = publish_body(files, true);
    parts_write(self);
    assert_int_not_equal(task_fixture_run(self, &body), STATUS_OK);
    finals_are(self);
    assert_false(temp_folder_has(&self->folder, chain));
    assert_int_equal(rmdir(temp_folder_path(&self->folder, "out/PM/ascmhl/ascmhl_chain.xml.manifest.part")), 0);
    assert_int_equal(task_fixture_run(self, &body), STATUS_OK); /* the next attempt finds all renamed, and completes it */
    assert_true(temp_folder_has(&self->folder, chain));

    /* A refusal leaves it complete; a replacement that does not come to its end does not. */
    parts_write(self);
    temp_folder_write(&self->folder, "out/PM/A.C.wav", "Centre", 6);
    body.publish.replace = false;
    assert_int_equal(task_fixture_run(self, &body), STATUS_INPUT_CONFLICT);
    assert_true(temp_folder_has(&self->folder, chain));
    temp_folder_make(&self->folder, "out/PM/ascmhl/ascmhl_chain.xml.manifest.part");
    body.publish.replace = true;
    assert_int_not_equal(task_fixture_run(self, &body), STATUS_OK);
    finals_are(self);
    assert_false(temp_folder_has(&self->folder, chain));
    assert_int_equal(rmdir(temp_folder_path(&self->folder, "out/PM/ascmhl/ascmhl_chain.xml.manifest.part")), 0);
    assert_int_equal(task_fixture_run(self, &body), STATUS_OK);
    assert_true(temp_folder_has(&self->folder, chain));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(task_allocate__makes_a_new_inode_with_header_and_full_size),
        WITH_FOLDER(task_allocate__refuses_what_cannot_be_made),
        WITH_FOLDER(task_seal__writes_the_measured_loudness_and_digests_what_is_not_audio),
        WITH_FOLDER(task_seal__refuses_a_file_of_another_size),
        WITH_FOLDER(task_verify__passes_what_was_written_and_gives_its_digests),
        WITH_FOLDER(task_verify__names_the_place_of_any_byte_that_differs),
        WITH_FOLDER(task_verify__refuses_ranges_that_do_not_cover_the_audio),
        WITH_FOLDER(task_publish__renames_and_may_be_repeated_from_any_point),
        WITH_FOLDER(task_publish__makes_a_new_folder_in_one_step_from_any_point),
        WITH_FOLDER(task_publish__stages_nothing_beside_what_is_there),
        WITH_FOLDER(task_publish__changes_nothing_when_one_file_conflicts),
        WITH_FOLDER(task_publish__believes_no_final_file_that_was_not_verified),
        WITH_FOLDER(task_publish__marks_a_folder_complete_only_while_it_is),
        WITH_FOLDER(task_publish__believes_no_part_that_changed_since_it_was_verified),
        WITH_FOLDER(task_publish__gives_no_name_to_what_was_made_from_other_inputs),
        WITH_FOLDER(task_publish__tells_when_part_and_final_are_both_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
