/**
 * A job, its plan and its problems as JSON texts for clients (jansson, sorted keys, one line). Texts are freed by the
 * caller; NULL = out of memory. `docs` of the fields: the functions below; names are only added, never changed.
 *
 * Threads: job_result_json any; the rest the loop's.
 */
#ifndef COORDINATOR_SHELL_JOB_JSON_H
#define COORDINATOR_SHELL_JOB_JSON_H

#include "coordinator/shell/job.h"

#include <jansson.h>

struct farm_state;

/**
 * What a `check` or `plan` job comes to:
 * {"reelmill":1, "kind":"check"|"plan", "ok":bool, "title","slug","version", "exit_code":0|2,
 *  "problems":[{"severity":"error|warning|info","file","line","column","message"}],
 *  "inputs":[{"path","stem","reel","container","encoding","sample_rate","channels","frames","time_reference"}],
 *  "plan":{...}|null, "forecast":null|{...} (forecast_json.h; of a plan)}
 */
typedef struct job_result_parts {
    const job_source *source;
    const media_facts *facts;
    const plan *plan;
    const problem_list *problems;
    status code;
    uint64_t write_bytes;           /**< of all that would be delivered; 0: nothing, or not known */
    const ready_forecast *forecast; /**< NULL: none */
    bool learnt;                    /**< by paces that nodes have shown */
} job_result_parts;
char *job_result_json(const job_result_parts *parts, size_t *out_size);
/**
 * {"digest", "read_bytes", "write_bytes", "text", "files":[{"path","deliverable","reel","bytes"}],
 *  "tasks":[{"task","kind","what","deliverable","cells","waits":[...],"estimate_ms"}]}
 */
char *job_plan_json(const farm_job *job, size_t *out_size);
/**
 * {"reelmill":1, "job", "kind", "title","slug","version", "state":"running|cancelling|ended", "held", "st","reason",
 *  "tasks_done","tasks_running","tasks_total", "priority", "deadline":null|"2026-..Z", "first":"which jobs go before it",
 *  "submitted":"2026-..Z", "elapsed_s", "tasks":{"total","waiting",...}, "retries", "progress":0..1,
 *  "cells":{"done","total"}, "read_bytes","write_bytes",
 *  "deliverables":[{"name","language","layout","state","cells_done","cells_total","verdict","findings":{...},
 *    "worst":[{"severity","check","message"}],"files":[...]}],
 *  "running":[{"task","kind","what","worker","permille"}], "errors":[{"task","kind","what","final","class","message"}],
 *  "problems":[...], "forecast":null|{...} (forecast_json.h), "outcome":null|{"code","class","message"}, "verdict":null|"pass", "exit_code":null|0..3}
 */
char *job_status_json(const struct farm_state *farm, farm_job *job, size_t *out_size);
/**
 * {"reelmill":1,
 * "jobs":[{"job","kind","title","slug","version","state","held","st","reason","tasks_*","priority","deadline","progress","submitted","ended","elapsed_s",
 *  "outcome","verdict","exit_code"}], "more":bool}, newest first, at most 1000; before: only those with a lower number (0 =
 * from the newest on). more: there are others below the last.
 */
char *job_list_json(const struct farm_state *farm, uint32_t before, size_t *out_size);

/** One job as the list has it. */
json_t *job_row_json(const struct farm_state *farm, const farm_job *job);
/**
 * {"reelmill":1, "job", "programs":[{"deliverables":[...], "pieces":[{"reel","cells","runs"}]}]}: runs are letters with counts,
 * like d12r4w100: done, running, waiting, back-off, failed, x = not any more; a capital had to be tried again.
 */
json_t *job_grid_json(const struct farm_state *farm, const farm_job *job);
/** Texts from file names may be no UTF-8; a document must be. */
json_t *job_text_json(const char *text);
/** Appends an object of each. */
void job_problems_json(json_t *list, const problem_list *problems);

/** How a job came out, for the exit code of the contract. */
typedef struct job_outcome {
    bool ended;
    int exit_code; /**< 0 passed, 1 QC failed or could not judge, 2 bad input, 3 the farm could not do it */
    status code;
    const char *message; /**< "" when nothing is wrong; lives as long as the job is unchanged */
} job_outcome;
job_outcome job_outcome_of(const struct farm_state *farm, const farm_job *job);

#endif
