/* From a job document's bytes to a show that can be planned. Runs off the loop. */
#include "coordinator/shell/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static named_text *join_texts(arena *memory, const named_text *shipped, size_t shipped_count, const named_text *own,
                              size_t own_count)
{
    named_text *all = arena_take_array(memory, shipped_count + own_count, sizeof *all);
    if (shipped_count > 0)
        memcpy(all, shipped, shipped_count * sizeof *all);
    if (own_count > 0)
        memcpy(all + shipped_count, own, own_count * sizeof *all);
    return all;
}

static void join_libraries(job_source *self)
{
    const library *shipped = library_shipped();
    const job_document *own = &self->document;
    self->library.recipe_count = shipped->recipe_count + own->recipe_count;
    self->library.recipes =
        join_texts(&self->arena, shipped->recipes, shipped->recipe_count, own->recipes, own->recipe_count);
    self->library.spec_count = shipped->spec_count + own->spec_count;
    self->library.specs = join_texts(&self->arena, shipped->specs, shipped->spec_count, own->specs, own->spec_count);
}

/* The first error as one sentence, and how many more there are. */
static void tell_first_problem(job_source *self)
{
    for (size_t i = 0; i < self->problems.count; i++) {
        const problem *item = &self->problems.items[i];
        if (item->severity != PROBLEM_ERROR)
            continue;
        char more[48] = "";
        if (self->problems.error_count > 1)
            snprintf(more, sizeof more, " (and %zu more)", self->problems.error_count - 1);
        if (item->line > 0)
            error_detail_set(&self->detail, self->code, "%.200s:%u:%u: %.700s%s", item->file, item->line, item->column,
                             item->message, more);
        else
            error_detail_set(&self->detail, self->code, "%.800s%s", item->message, more);
        return;
    }
    error_detail_set(&self->detail, self->code, "the show cannot be used: %s", status_text(self->code));
}

/* What is wrong with deliverables keeps nobody from looking at the files: a check tells all at once. */
static void leave_out_deliverables(job_source *self)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < self->show.deliverable_count; i++)
        if (self->show.deliverables[i].file != NULL)
            self->show.deliverables[kept++] = self->show.deliverables[i];
    self->show.deliverable_count = kept;
    self->unresolved = true;
}

job_source *job_source_create(const char *document, size_t document_size)
{
    job_source *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    arena_init(&self->arena);
    self->text = arena_copy_bytes(&self->arena, document, document_size);
    self->text_size = document_size;
    self->code = job_document_parse(&self->document, document, document_size, &self->arena, &self->detail);
    if (self->code != STATUS_OK)
        return self;
    const job_document *read = &self->document;
    join_libraries(self);
    if (read->show_name == NULL)
        self->code = show_for_qc(&self->show, &read->qc, &self->arena, &self->problems);
    else
        self->code = show_file_parse(&self->show, read->show_text, read->show_text_size, read->show_name, &self->arena,
                                     &self->problems);
    if (self->code == STATUS_OK) {
        self->code = show_resolve(&self->show, &self->library, &self->arena, &self->problems);
        if (self->code == STATUS_INPUT_INVALID && read->kind == JOB_KIND_CHECK) {
            leave_out_deliverables(self);
            self->code = STATUS_OK;
        }
    }
    if (self->code == STATUS_OK)
        self->code = plan_list_inputs(&self->inputs, &self->show, &read->media, &self->arena, &self->problems);
    if (self->code == STATUS_OK && self->inputs.count > JOB_FILES_MAX) {
        self->code = error_detail_set(&self->detail, STATUS_LIMIT, "the show names %u files; at most %d are allowed",
                                      self->inputs.count, JOB_FILES_MAX);
        return self;
    }
    if (self->code != STATUS_OK)
        tell_first_problem(self);
    return self;
}

plan_options job_source_options(const job_source *self, uint32_t slot_count, uint32_t cells_per_task)
{
    return (plan_options){.slot_count = slot_count,
                          .cells_per_task = cells_per_task,
                          .replace = self->document.replace,
                          .only = self->document.only,
                          .checks = self->document.checks,
                          .out = self->document.out,
                          .second_meter = self->document.meter != NULL,
                          .excerpts = !self->document.figures_only,
                          .discard_failed = true};
}

void job_source_destroy(job_source **self)
{
    if (*self == NULL)
        return;
    arena_deinit(&(*self)->arena);
    free(*self);
    *self = NULL;
}
