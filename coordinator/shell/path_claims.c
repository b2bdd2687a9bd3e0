#include "coordinator/shell/path_claims.h"

#include <stdlib.h>
#include <string.h>

void path_claims_deinit(path_claims *self)
{
    free(self->items);
    *self = (path_claims){0};
}

/* ASCII only: what a file system folds beyond that is its own secret, and publishing never overwrites unasked. */
static content_hash hash_path(const task_path *path)
{
    char text[NAME_MAX_BYTES + PATH_MAX_BYTES + 1];
    size_t size = strlen(path->root) + 1;
    memcpy(text, path->root, size);
    size_t path_size = strlen(path->path);
    memcpy(text + size, path->path, path_size);
    size += path_size;
    for (size_t i = 0; i < size; i++)
        if (text[i] >= 'A' && text[i] <= 'Z')
            text[i] = (char)(text[i] - 'A' + 'a');
    return content_hash_of(text, size);
}

static int compare_claims(const void *a, const void *b)
{
    const path_claim *left = a;
    const path_claim *right = b;
    return memcmp(left->path.bytes, right->path.bytes, CONTENT_HASH_BYTES);
}

status path_claims_take(path_claims *self, uint32_t job, const plan *job_plan, uint32_t *out_other,
                        const plan_file **out_file)
{
    path_claim *added = calloc((size_t)job_plan->file_count + 1, sizeof *added);
    if (added == NULL)
        return STATUS_NODE_MEMORY;
    for (uint32_t i = 0; i < job_plan->file_count; i++) {
        added[i] = (path_claim){.path = hash_path(&job_plan->files[i].final), .job = job};
        const path_claim *taken =
            self->count == 0 ? NULL : bsearch(&added[i], self->items, self->count, sizeof *self->items, compare_claims);
        if (taken != NULL && taken->job != job) {
            *out_other = taken->job;
            *out_file = &job_plan->files[i];
            free(added);
            return STATUS_INPUT_CONFLICT;
        }
    }
    path_claims_release(self, job);
    if (self->count + job_plan->file_count > self->capacity) {
        size_t capacity = 2 * (self->count + job_plan->file_count);
        path_claim *items = realloc(self->items, capacity * sizeof *items);
        if (items == NULL) {
            free(added);
            return STATUS_NODE_MEMORY;
        }
        self->items = items;
        self->capacity = capacity;
    }
    if (job_plan->file_count > 0)
        memcpy(self->items + self->count, added, job_plan->file_count * sizeof *added);
    free(added);
    self->count += job_plan->file_count;
    if (self->count > 1)
        qsort(self->items, self->count, sizeof *self->items, compare_claims);
    return STATUS_OK;
}

void path_claims_release(path_claims *self, uint32_t job)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].job != job)
            self->items[kept++] = self->items[i];
    self->count = kept;
}
