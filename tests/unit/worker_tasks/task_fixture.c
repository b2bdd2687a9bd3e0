#define _GNU_SOURCE
#include "tests/unit/worker_tasks/task_fixture.h"

#include "worker/render/render_engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static status host_cell(void *context, const message_cell *cell)
{
    task_fixture *self = context;
    self->cells++;
    self->last_cell = cell->cell;
    assert_int_equal(cell->input_count, 0);
    assert_int_equal(cell->output_count, 1);
    assert_int_equal(cell->outputs[0].bytes[0], 22);
    assert_int_equal(cell->measure_count, 2);
    assert_int_equal(cell->measures[1].size, 3);
    return cell->cell == 7 ? STATUS_CANCELLED : STATUS_OK;
}

static void host_progress(void *context, uint32_t done_permille)
{
    task_fixture *self = context;
    assert_true(done_permille <= 1000 && done_permille >= self->last_progress);
    self->last_progress = done_permille;
}

static status host_fetch(void *context, uint32_t document, uint64_t offset, uint8_t *bytes, size_t capacity,
                         size_t *out_size, uint64_t *out_total)
{
    task_fixture *self = context;
    assert_true(document < 3);
    if (self->at_fetch != NULL)
        self->at_fetch(self, document, offset);
    if (self->fetch_code != STATUS_OK && offset >= self->fetch_fails_at)
        return self->fetch_code;
    size_t take = self->chunk_bytes < capacity ? self->chunk_bytes : capacity;
    if (offset + take > sizeof self->document)
        take = offset >= sizeof self->document ? 0 : sizeof self->document - (size_t)offset;
    memcpy(bytes, self->document + offset, take);
    *out_size = take;
    *out_total = sizeof self->document + self->total_lie;
    return STATUS_OK;
}

int task_fixture_create(void **state)
{
    task_fixture *self = calloc(1, sizeof *self);
    temp_folder_create(&self->folder);
    temp_folder_make(&self->folder, "out");
    temp_folder_make(&self->folder, "media");
    assert_int_equal(storage_roots_add(&self->roots, "out", temp_folder_path(&self->folder, "out"), true, NULL), STATUS_OK);
    assert_int_equal(storage_roots_add(&self->roots, "media", temp_folder_path(&self->folder, "media"), false, NULL),
                     STATUS_OK);
    self->host = (task_host){.context = self, .cell = host_cell, .progress = host_progress, .fetch = host_fetch};
    byte_writer_init(&self->payload, FRAME_BYTES_MAX);
    uint64_t seed = 3;
    for (size_t i = 0; i < sizeof self->document; i++)
        self->document[i] = (uint8_t)test_random(&seed);
    self->chunk_bytes = DOCUMENT_CHUNK_MAX;
    *state = self;
    return 0;
}

int task_fixture_destroy(void **state)
{
    task_fixture *self = *state;
    byte_writer_deinit(&self->payload);
    storage_roots_deinit(&self->roots);
    temp_folder_remove(&self->folder);
    free(self);
    return 0;
}

status task_fixture_run(task_fixture *self, const task_body *body)
{
    byte_writer encoded;
    byte_writer_init(&encoded, FRAME_BYTES_MAX);
    task_body_encode(body, &encoded);
    assert_false(encoded.failed);
    byte_writer_reset(&self->payload);
    self->last_progress = 0;
    status code =
        task_run(body->kind, encoded.bytes, encoded.size, &self->roots, NULL, &self->host, &self->payload, &self->detail);
    byte_writer_deinit(&encoded);
    assert_int_equal(self->detail.code, code);
    assert_int_equal(self->detail.message[0] == '\0', code == STATUS_OK);
    return code;
}

void task_fixture_says(const task_fixture *self, const char *words)
{
    if (strstr(self->detail.message, words) == NULL)
        fail_msg("expected \"%s\" in: %s", words, self->detail.message);
}

task_path task_path_of(const char *root, const char *path)
{
    task_path result = {0};
    snprintf(result.root, sizeof result.root, "%s", root);
    snprintf(result.path, sizeof result.path, "%s", path);
    return result;
}

ino_t task_fixture_inode(const task_fixture *self, const char *name)
{
    struct stat info;
    assert_int_equal(stat(temp_folder_path(&self->folder, name), &info), 0);
    return info.st_ino;
}

void task_fixture_content(const task_fixture *self, const char *name, const char *text)
{
    size_t size = 0;
    uint8_t *bytes = temp_folder_read(&self->folder, name, &size);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(bytes, text, size);
    free(bytes);
}

/* ---- the engine's part is played here: what RENDER hands over and what comes back ---- */

status render_run(const task_render *task, const storage_roots *roots, const dsp_table *dsp,
                  const render_observer *observer, error_detail *detail)
{
    assert_non_null(roots);
    assert_null(dsp);
    const content_hash output = {.bytes = {22}};
    const message_bytes measures[2] = {{(const uint8_t *)"ab", 2}, {(const uint8_t *)"abc", 3}};
    for (uint32_t i = 0; i < task->cell_count; i++) {
        status code = observer->cell(observer->context, task->first_cell + i, 1, &output, 2, measures);
        if (code != STATUS_OK)
            return error_detail_set(detail, code, "stopped");
        observer->progress(observer->context, 1000 * (i + 1) / task->cell_count);
    }
    return STATUS_OK;
}
