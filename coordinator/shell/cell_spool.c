#include "coordinator/shell/cell_spool.h"

#include "coordinator/shell/cell_file.h"

#include <stdlib.h>
#include <string.h>

static size_t bucket_of(uint32_t job, uint32_t task)
{
    return (job * 2654435761u + task) % CELL_SPOOL_BUCKETS;
}

static void free_attempt(spooled_attempt *held)
{
    byte_writer_deinit(&held->records);
    free(held);
}

void cell_spool_deinit(cell_spool *self)
{
    for (size_t i = 0; i < CELL_SPOOL_BUCKETS; i++) {
        for (spooled_attempt *held = self->buckets[i]; held != NULL;) {
            spooled_attempt *next = held->next;
            free_attempt(held);
            held = next;
        }
        self->buckets[i] = NULL;
    }
}

spooled_attempt *cell_spool_find(const cell_spool *self, const attempt_id *tried)
{
    spooled_attempt *held = self->buckets[bucket_of(tried->job, tried->task)];
    while (held != NULL && !attempt_id_equal(&held->attempt, tried))
        held = held->next;
    return held;
}

/* Made when there is none; NULL when out of memory. */
static spooled_attempt *attempt_take(cell_spool *self, uint32_t worker, const attempt_id *tried)
{
    spooled_attempt *held = cell_spool_find(self, tried);
    if (held != NULL)
        return held;
    held = calloc(1, sizeof *held);
    if (held == NULL)
        return NULL;
    held->attempt = *tried;
    held->worker = worker;
    byte_writer_init(&held->records, CELL_SPOOL_BYTES_MAX);
    size_t bucket = bucket_of(tried->job, tried->task);
    held->next = self->buckets[bucket];
    self->buckets[bucket] = held;
    return held;
}

bool cell_spool_spoil(cell_spool *self, uint32_t worker, const message_cell *cell, const char *why)
{
    spooled_attempt *held = attempt_take(self, worker, &cell->attempt);
    if (held == NULL || held->worker != worker)
        return false;
    if (held->spoiled == NULL) {
        held->spoiled = why;
        held->spoiled_cell = cell->cell;
    }
    return true;
}

uint32_t cell_spool_incomplete(cell_spool *self, uint32_t worker, const attempt_id *tried)
{
    spooled_attempt *held = attempt_take(self, worker, tried);
    return held == NULL ? 0 : ++held->incomplete;
}

status cell_spool_add(cell_spool *self, uint32_t worker, const message_cell *cell)
{
    spooled_attempt *held = attempt_take(self, worker, &cell->attempt);
    if (held == NULL)
        return STATUS_NODE_MEMORY;
    if (held->worker != worker)
        return STATUS_PEER_IMPOSSIBLE;
    for (uint32_t i = 0; i < held->cell_count; i++)
        if (held->cells[i] == cell->cell)
            return STATUS_OK;
    if (held->cell_count == TASK_CELLS_MAX)
        return STATUS_LIMIT;
    size_t start = held->records.size;
    cell_record_encode(cell, &held->records);
    if (held->records.failed)
        return STATUS_LIMIT;
    held->digests[held->cell_count] = content_hash_of(held->records.bytes + start, held->records.size - start);
    held->cells[held->cell_count++] = cell->cell;
    return STATUS_OK;
}

static bool same_digests(const spooled_attempt *a, const spooled_attempt *b, uint32_t *out_cell)
{
    for (uint32_t i = 0; i < a->cell_count; i++) {
        for (uint32_t k = 0; k < b->cell_count; k++) {
            if (a->cells[i] != b->cells[k] || memcmp(&a->digests[i], &b->digests[k], sizeof a->digests[i]) == 0)
                continue;
            *out_cell = a->cells[i];
            return false;
        }
    }
    return true;
}

bool cell_spool_differs(const cell_spool *self, const attempt_id *tried, uint32_t *out_cell, uint32_t *out_worker)
{
    const spooled_attempt *own = cell_spool_find(self, tried);
    const spooled_attempt *other = self->buckets[bucket_of(tried->job, tried->task)];
    for (; own != NULL && other != NULL; other = other->next) {
        if (other == own || other->attempt.job != tried->job || other->attempt.task != tried->task ||
            same_digests(own, other, out_cell))
            continue;
        *out_worker = other->worker;
        return true;
    }
    return false;
}

static void drop_matching(cell_spool *self, uint32_t job, uint32_t task, const attempt_id *only)
{
    spooled_attempt **link = &self->buckets[bucket_of(job, task)];
    while (*link != NULL) {
        spooled_attempt *held = *link;
        bool matches = held->attempt.job == job && held->attempt.task == task &&
                       (only == NULL || attempt_id_equal(&held->attempt, only));
        if (matches) {
            *link = held->next;
            free_attempt(held);
        } else {
            link = &held->next;
        }
    }
}

void cell_spool_drop(cell_spool *self, const attempt_id *tried)
{
    drop_matching(self, tried->job, tried->task, tried);
}

void cell_spool_drop_task(cell_spool *self, uint32_t job, uint32_t task)
{
    drop_matching(self, job, task, NULL);
}
