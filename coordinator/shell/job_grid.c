/* A job's cells as a picture: for every program (deliverables made together) and piece, runs of cells of one state. */
#include "coordinator/shell/job_json.h"

#include "common/base/byte_writer.h"
#include "coordinator/shell/farm_state.h"

#include <stdio.h>
#include <string.h>

enum { RUNS_BYTES_MAX = 64 << 10 };

/* Capital: it took more than one attempt. */
static char cell_letter(const task_view *view)
{
    static const char letters[] = {[TASK_WAITING] = 'w', [TASK_READY] = 'w',  [TASK_BACKOFF] = 'b', [TASK_RUNNING] = 'r',
                                   [TASK_DONE] = 'd',    [TASK_FAILED] = 'f', [TASK_SKIPPED] = 'x', [TASK_CANCELLED] = 'x'};
    char letter = letters[view->state];
    return view->attempts_failed > 0 ? (char)(letter - 'a' + 'A') : letter;
}

typedef struct run_writer {
    byte_writer *text;
    char letter;
    uint32_t count;
} run_writer;

static void put_run(run_writer *self, char letter, uint32_t count)
{
    if (count == 0)
        return;
    if (letter != self->letter && self->count > 0) {
        char run[16];
        int size = snprintf(run, sizeof run, "%c%u", self->letter, self->count);
        byte_writer_bytes(self->text, run, (size_t)size);
        self->count = 0;
    }
    self->letter = letter;
    self->count += count;
}

/* Tasks of one program and piece follow each other in the plan. */
static json_t *piece_json(const farm_state *farm, const farm_job *job, uint32_t *task, byte_writer *text)
{
    const plan *made = job->plan;
    const plan_task *first = &made->tasks[*task];
    const plan_timeline *timeline = &made->timelines[first->timeline];
    const plan_piece *piece = &timeline->pieces[first->piece];
    run_writer runs = {.text = text};
    byte_writer_reset(text);
    for (; *task < made->task_count; ++*task) {
        const plan_task *at = &made->tasks[*task];
        if (at->kind != first->kind || at->program != first->program || at->piece != first->piece)
            break;
        task_view view = {.state = TASK_WAITING};
        uint32_t number = made->first_task + *task;
        (void)scheduler_task_view(farm->scheduler, job->number, number, &view);
        uint32_t done = 0;
        if (view.state == TASK_RUNNING)
            done = (uint32_t)((uint64_t)at->cell_count * farm_task_permille(farm, job->number, number, view.worker) / 1000);
        put_run(&runs, 'd', done);
        put_run(&runs, cell_letter(&view), at->cell_count - done);
    }
    put_run(&runs, '\0', 1);
    return json_pack("{s:o, s:I, s:o}", "reel",
                     piece->spans_reels ? json_null() : job_text_json(job->source->show.reels[piece->reel].name), "cells",
                     (json_int_t)piece->cell_count, "runs", json_stringn((const char *)text->bytes, text->size));
}

json_t *job_grid_json(const farm_state *farm, const farm_job *job)
{
    json_t *programs = json_array();
    byte_writer text;
    byte_writer_init(&text, RUNS_BYTES_MAX);
    uint32_t task = 0;
    uint32_t count = job->plan == NULL ? 0 : job->plan->task_count;
    json_t *pieces = NULL;
    uint16_t program = UINT16_MAX;
    while (task < count) {
        const plan_task *at = &job->plan->tasks[task];
        if (at->kind != TASK_RENDER && at->kind != TASK_INSPECT) {
            task++;
            continue;
        }
        if (pieces == NULL || at->program != program) {
            program = at->program;
            pieces = json_array();
            json_t *names = json_array();
            for (uint32_t i = 0; i < job->plan->deliverable_count; i++)
                if (job->plan->deliverables[i].timeline != UINT16_MAX && job->plan->deliverables[i].program == program)
                    json_array_append_new(names, job_text_json(job->source->show.deliverables[i].name));
            json_array_append_new(programs, json_pack("{s:o, s:o}", "deliverables", names, "pieces", pieces));
        }
        json_array_append_new(pieces, piece_json(farm, job, &task, &text));
    }
    byte_writer_deinit(&text);
    return json_pack("{s:i, s:I, s:o}", "reelmill", 1, "job", (json_int_t)job->number, "programs", programs);
}
