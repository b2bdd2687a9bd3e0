/**
 * A task run over a real folder: roots "out" (writable) and "media" (read-only), a host that watches what comes up and
 * hands documents down, and a played engine (render_run) in place of worker/render.
 */
#ifndef TESTS_UNIT_WORKER_TASKS_TASK_FIXTURE_H
#define TESTS_UNIT_WORKER_TASKS_TASK_FIXTURE_H

#include "tests/unit/worker_media/temp_folder.h"
#include "worker/tasks/task_run.h"

#include <sys/types.h>

enum { DOCUMENT_BYTES = 300000 };

typedef struct task_fixture task_fixture;
struct task_fixture {
    temp_folder folder;
    storage_roots roots;
    task_host host;
    byte_writer payload;
    error_detail detail;
    /* what the host saw */
    uint32_t cells;
    uint32_t last_cell;
    uint32_t last_progress;
    /* documents that it gives */
    uint8_t document[DOCUMENT_BYTES];
    size_t chunk_bytes;
    uint64_t total_lie; /* added to the total it states */
    void (*at_fetch)(task_fixture *self, uint32_t document, uint64_t offset); /* NULL: nothing happens meanwhile */
    status fetch_code;
    uint64_t fetch_fails_at;
};

int task_fixture_create(void **state);
int task_fixture_destroy(void **state);
/** Encodes the body and runs it; the payload is in self->payload, the sentence in self->detail. */
status task_fixture_run(task_fixture *self, const task_body *body);
/** Fails the test unless the sentence holds words. */
void task_fixture_says(const task_fixture *self, const char *words);
task_path task_path_of(const char *root, const char *path);
ino_t task_fixture_inode(const task_fixture *self, const char *name);
/** Fails the test unless the file holds exactly text. */
void task_fixture_content(const task_fixture *self, const char *name, const char *text);

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, task_fixture_create, task_fixture_destroy)

#endif
