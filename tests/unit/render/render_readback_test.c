/* What a task wrote, held against what is found on the medium. */
#include "tests/unit/worker_media/temp_folder.h"
#include "worker/render/render_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { WRITES = 20, WRITE_BYTES = SPAN_BYTES / 16 };

typedef struct fixture {
    temp_folder folder;
    storage_roots roots;
    task_render task;
    task_output_file files[2];
    int descriptors[2];
    arena memory;
} fixture;

static void fixture_begin(fixture *self)
{
    *self = (fixture){.task = {.file_count = 2, .files = self->files, .cell_count = 2}};
    self->task.program.outputs[0].encoding = ENCODING_PCM_24;
    temp_folder_create(&self->folder);
    temp_folder_make(&self->folder, "out");
    assert_int_equal(storage_roots_add(&self->roots, "out", temp_folder_path(&self->folder, "out"), true, NULL), STATUS_OK);
    for (int i = 0; i < 2; i++) {
        self->files[i] = (task_output_file){.channel_count = 6};
        snprintf(self->files[i].part.root, sizeof self->files[i].part.root, "out");
        snprintf(self->files[i].part.path, sizeof self->files[i].part.path, "PM/%d.wav.1-1.part", i);
        assert_int_equal(storage_create_output(&self->roots.items[0], self->files[i].part.path, 0, &self->descriptors[i], NULL),
                         STATUS_OK);
    }
    arena_init(&self->memory);
}

static void fixture_end(fixture *self)
{
    for (int i = 0; i < 2; i++)
        close(self->descriptors[i]);
    arena_deinit(&self->memory);
    storage_roots_deinit(&self->roots);
    temp_folder_remove(&self->folder);
}

/* Writes both files; of one write another byte reaches the file than is told. false: there is no disk below. */
static bool write_all(fixture *self, int wrong, status *out_code, error_detail *detail)
{
    static uint8_t bytes[WRITE_BYTES];
    render_readback *readback = render_readback_start(&self->task, &self->roots, &self->memory);
    if (readback == NULL) {
        print_message("the test's folder is on no disk: nothing is read back\n");
        return false;
    }
    uint64_t seed = 3;
    for (int i = 0; i < WRITES; i++) {
        uint64_t offset = PAGE_BYTES + (uint64_t)(i / 2) * WRITE_BYTES;
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (uint8_t)test_random(&seed);
        bytes[77] ^= i == wrong ? 1 : 0;
        assert_int_equal(storage_write_at(self->descriptors[i % 2], bytes, sizeof bytes, offset, NULL), STATUS_OK);
        bytes[77] ^= i == wrong ? 1 : 0;
        content_hash digest = content_hash_of(bytes, sizeof bytes);
        render_readback_add(readback, (uint32_t)i % 2, offset, sizeof bytes, &digest);
    }
    const render_observer observer = {0};
    render_readback_last(readback);
    *out_code = render_readback_finish(readback, &observer, detail);
    render_readback_stop(readback);
    return true;
}

static void render_readback__passes_what_is_there(void **state)
{
    (void)state;
    fixture self;
    status code = STATUS_DEFECT;
    fixture_begin(&self);
    bool disk = write_all(&self, -1, &code, NULL);
    fixture_end(&self);
    if (!disk)
        skip();
    assert_int_equal(code, STATUS_OK);
}

static void render_readback__names_file_and_bytes_of_what_is_not(void **state)
{
    (void)state;
    for (int wrong = 0; wrong < WRITES; wrong += WRITES / 2 - 1) {
        fixture self;
        status code = STATUS_OK;
        error_detail detail = {0};
        char place[64];
        fixture_begin(&self);
        bool disk = write_all(&self, wrong, &code, &detail);
        fixture_end(&self);
        if (!disk)
            skip();
        assert_int_equal(code, STATUS_STORAGE_MISMATCH);
        assert_non_null(strstr(detail.message, self.files[wrong % 2].part.path));
        int first = PAGE_BYTES + wrong / 2 * WRITE_BYTES;
        snprintf(place, sizeof place, "bytes %d to %d", first, first + WRITE_BYTES);
        assert_non_null(strstr(detail.message, place));
    }
}

static void render_readback__stops_with_work_left(void **state)
{
    (void)state;
    fixture self;
    fixture_begin(&self);
    render_readback *readback = render_readback_start(&self.task, &self.roots, &self.memory);
    static const uint8_t bytes[PAGE_BYTES];
    if (readback != NULL) {
        content_hash digest = content_hash_of(bytes, sizeof bytes);
        for (uint32_t i = 0; i < 4; i++)
            render_readback_add(readback, 0, (uint64_t)i * PAGE_BYTES, sizeof bytes, &digest); /* nothing is there */
        render_readback_stop(readback);
    }
    bool disk = readback != NULL;
    fixture_end(&self);
    if (!disk)
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(render_readback__passes_what_is_there),
        cmocka_unit_test(render_readback__names_file_and_bytes_of_what_is_not),
        cmocka_unit_test(render_readback__stops_with_work_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
