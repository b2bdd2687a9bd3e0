/**
 * One job as the shell keeps it: its document, what was read from it, its plan, what its tasks left, and what a person
 * asks about. The scheduler knows the states of its tasks; nothing here repeats them.
 *
 * Tasks of a job: 0 .. inputs.count - 1 probe the inputs, inputs.count is the local PLAN task, the plan's tasks follow.
 *
 * Threads: the loop's. The source and the plan are made off the loop and are const once they are here, so work off the
 * loop may read them; everything else it needs is copied for it first.
 */
#ifndef COORDINATOR_SHELL_JOB_H
#define COORDINATOR_SHELL_JOB_H

#include "coordinator/core/scheduler.h"
#include "coordinator/forecast/ready_forecast.h"
#include "coordinator/plan/plan.h"
#include "coordinator/shell/cell_file.h"
#include "coordinator/shell/job_document.h"
#include "coordinator/shell/job_payload.h"
#include "proto/message_types.h"

enum { JOB_ERRORS_MAX = 64 };

/** A document parsed and resolved; const once made. */
typedef struct job_source {
    arena arena;
    const char *text; /**< the document as it was submitted */
    size_t text_size;
    job_document document;
    show show;
    library library;
    input_list inputs;
    problem_list problems; /**< warnings; errors when code is not STATUS_OK, or unresolved */
    bool unresolved; /**< a CHECK of a show with deliverables that cannot be made as they are written: its files are looked at */
    status code; /**< STATUS_OK, or why the document is refused */
    error_detail detail;
} job_source;

/** Parses, resolves, lists the inputs. Any thread. NULL when out of memory; look at code. */
job_source *job_source_create(const char *document, size_t document_size);
void job_source_destroy(job_source **self);
/** How a document's job is planned; the two numbers are those the journal keeps. */
plan_options job_source_options(const job_source *self, uint32_t slot_count, uint32_t cells_per_task);

/** What an accepted result left. */
typedef struct job_result {
    bool done;
    uint32_t spent_ms; /**< not after a restart: 0 */
    uint8_t *payload;
    uint32_t payload_size;
    cell_stretch cells; /**< RENDER, INSPECT */
    uint32_t output_count; /**< digests per cell; 0 until outputs is filled */
    content_hash *outputs; /**< [cell][output] digests of what was written; read back from the file when needed */
} job_result;

typedef struct job_error {
    uint32_t task;
    status code;
    bool final; /**< the task failed for good; otherwise it was tried again */
    char text[ERROR_MESSAGE_SIZE];
} job_error;

/** Where the digests of a render task's outputs belong: plan file index per output, in the task's order. */
typedef struct output_map {
    bool known;
    uint32_t count;
    uint32_t files[CELL_OUTPUTS_MAX];
} output_map;

#define JOB_PLANNED_OTHERWISE "this version of reelmill plans the job otherwise than the one that began it; submit it again"

typedef struct farm_job {
    uint32_t number;
    int32_t priority;
    uint8_t request[REQUEST_BYTES];
    char owner[NAME_MAX_BYTES]; /**< who submitted it, by the allow-list's name of the key; "" = from before there were any */
    uint64_t submitted_unix_ms, ended_unix_ms; /**< for people; 0 = not yet */
    job_kind kind;
    char *title, *slug, *version; /**< of its show; NULL = it has none */
    uint32_t input_count;
    job_source *source; /**< NULL while it rests, like all that its tasks left */
    char folder[PATH_MAX_BYTES];
    journal_keep keep; /**< what the files in it have to outlive */
    struct job_log_files *logs; /**< the farm's; NULL: its log is opened for each line */

    media_facts *facts; /**< [inputs.count] once the PLAN task has run */
    plan *plan;
    status plan_code; /**< why there is no plan */
    bool plan_lost; /**< its plan cannot be made again, or its document is refused: its end is kept, or else it can only fail */
    scheduler_fact plan_end; /**< of such a job: how its PLAN task ended, not applied before the job's own end */
    arena problem_arena;
    problem_list problems; /**< of planning, in problem_arena */
    uint32_t plan_slot_count, plan_cells_per_task;
    output_map **maps; /**< [program][piece], made when first needed */
    uint32_t map_piece_count; /**< pieces of the longest timeline */

    uint32_t result_count;
    job_result *results; /**< [task] */
    uint32_t *generations; /**< [deliverable] of its .part files: made anew under another name after a retry */
    cell_file cells;

    uint64_t predicted_unix_ms, predicted_ms; /**< when it was planned: how long it would take; 0 = nobody could say */
    bool began_alone; /**< it had the farm for itself then */
    ready_forecast *forecast; /**< the last one made, and until when it serves (monotonic) */
    uint64_t forecast_made_ms, forecast_stale_ms;
    uint32_t work_pace; /**< of its work, in thousandths, by the last forecast; 0 = none yet */

    /* job_rest.h */
    bool resting;
    content_hash rest_digest;
    status rest_code;
    int rest_exit_code;
    char *rest_message; /**< its outcome */
    char *rest_row; /**< as lists show it, once one did; NULL = not made */
    uint32_t rest_task_count;
    uint64_t touched_ms; /**< when somebody last asked about it, once it has ended */
    uint32_t work_count; /**< works off the loop that read it */

    bool submitted, extended; /**< facts that the journal has; matters while replaying only */
    bool unreadable; /**< its facts contradict each other: nothing of it is believed any more */
    bool ended, failed, cancelled;
    bool held; /**< a deliverable was held back by its spec */
    bool has_verdict;
    uint8_t verdict;
    uint32_t error_count; /**< kept */
    uint32_t error_dropped;
    uint32_t error_room;
    job_error *errors; /**< grows up to JOB_ERRORS_MAX: most jobs have none */
} farm_job;

farm_job *job_create(uint32_t number);
void job_destroy(farm_job **self);
/** The job takes its document, and notes what rows show of it. False when out of memory. */
bool job_take_source(farm_job *self, job_source *source);
/** CHECK and PLAN: asked for an answer, not for work; no list shows them. */
bool job_is_question(const farm_job *self);
/** Lets go of the document and of all that tasks left. */
void job_drop_contents(farm_job *self);

/** What fair share and the limits of a show or of a storage root go by: hashes of its slug and of its name. */
uint64_t job_share_of(const char *slug);
uint64_t job_root_key(const char *root);
/** What its submission says about order. */
job_terms job_terms_of(const farm_job *self);

uint32_t job_plan_task(const farm_job *self);
/** The plan's task behind a job's task number, or NULL (probes, PLAN, no plan). */
const plan_task *job_task(const farm_job *self, uint32_t task);
/** Tasks so far: probes, PLAN and the plan's. */
uint32_t job_task_count(const farm_job *self);
uint8_t job_task_kind(const farm_job *self, uint32_t task);
/** What a task is about, for people: "R1 cells 0-11", "PM_51", a path. */
void job_task_what(const farm_job *self, uint32_t task, char *out, size_t out_size);

/** The specs of the probes and of PLAN. waits lie in arena. */
task_spec *job_first_specs(const farm_job *self, arena *memory, uint32_t *out_count);
/** The specs of the plan's tasks; waits point into the plan. one_machine: all workers are on the same. */
task_spec *job_plan_specs(const farm_job *self, bool one_machine, arena *memory);

/** Makes room for results of all tasks. False when out of memory. */
bool job_results_resize(farm_job *self, uint32_t task_count);
/** Settles where a received programme begins in its file, when all that seeks it has been heard (plan_leader_settle). */
void job_leader_settle(farm_job *self, uint32_t deliverable);
/** Takes what a result left; bytes are copied. False when out of memory. */
bool job_result_keep(farm_job *self, uint32_t task, const message_bytes *payload, const cell_stretch *cells);
/** The first generation of every deliverable of a fresh plan. False when out of memory. */
bool job_generations_begin(farm_job *self);
/** After JOB_RETRIED: deliverables whose files are allocated again get new inodes under new names. */
void job_generations_raise(farm_job *self, const scheduler *farm);

/** NULL when the task is not done. */
const job_result *job_result_get(const farm_job *self, uint32_t task);
/** Goes back to nothing: the task runs again. */
void job_result_drop(farm_job *self, uint32_t task);

/** Keeps the digests of the outputs of a render task's cells, from its records. first_cell comes from the plan. */
MUST_USE status job_outputs_keep(farm_job *self, uint32_t task, const uint8_t *records, size_t byte_size);
/** The same, read from the measure file if they are not in memory. */
MUST_USE status job_outputs_need(farm_job *self, uint32_t task, error_detail *detail);

void job_error_add(farm_job *self, uint32_t task, status code, bool final, const char *text);
/** "STATE/job-N/NAME" */
void job_path(const farm_job *self, const char *name, char out[PATH_MAX_BYTES]);

/** All jobs, in order of their numbers. */
typedef struct job_list {
    farm_job **items;
    size_t count, capacity;
    uint32_t last_number;
} job_list;
void job_list_deinit(job_list *self);
/** The list takes the job on success. */
bool job_list_add(job_list *self, farm_job *job);
/** Takes a job out of the list; NULL if it is not there. */
farm_job *job_list_take(job_list *self, uint32_t number);
farm_job *job_list_find(const job_list *self, uint32_t number);
farm_job *job_list_by_request(const job_list *self, const uint8_t request[REQUEST_BYTES]);

#endif
