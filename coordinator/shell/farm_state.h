/**
 * What the coordinator's shell is made of; shared by the farm_*, job_* and client_* files of this folder.
 *
 * Dull on purpose: bytes -> decode -> event -> scheduler_step -> journal -> commands. A command's effect starts only
 * once the record it rests on is on disk: commands and answers wait in one queue, in order.
 *
 * Threads: everything here belongs to the loop thread. Two kinds of work run elsewhere: the journal's writer, which
 * only wakes the loop, and uv_queue_work for parsing, planning, merging and composing, which read const things and
 * copies.
 */
#ifndef COORDINATOR_SHELL_FARM_STATE_H
#define COORDINATOR_SHELL_FARM_STATE_H

#include "coordinator/access/access_rule.h"
#include "coordinator/access/ask_share.h"
#include "coordinator/core/scheduler.h"
#include "coordinator/forecast/ready_forecast.h"
#include "coordinator/shell/audit_log.h"
#include "coordinator/shell/cell_spool.h"
#include "coordinator/shell/end_hook.h"
#include "coordinator/shell/farm_config.h"
#include "coordinator/shell/farm_counters.h"
#include "coordinator/shell/job.h"
#include "coordinator/shell/job_log.h"
#include "coordinator/shell/journal_store.h"
#include "coordinator/shell/key_guard.h"
#include "coordinator/shell/path_claims.h"
#include "coordinator/shell/http_endpoint.h"
#include "coordinator/shell/router_socket.h"
#include "coordinator/shell/shell_record.h"
#include "coordinator/shell/known_roots.h"
#include "coordinator/shell/worker_registry.h"

#include <pthread.h>
#include <uv.h>

enum { SUBMISSIONS_MAX = 16, SUBMISSION_IDLE_MS = 60000, REMEMBERED_COMMANDS_MAX = 256, QUERY_CACHE_MAX = 8 };
enum { WAITING_QUERIES_MAX = 64, COMMAND_SHARES_MAX = 16 };

/** A command of the scheduler or an answer to a client that waits for the journal. */
typedef struct deferred_effect {
    uint64_t sequence; /**< of the journal; released once that is durable */
    bool is_answer;
    scheduler_command command;
    routing_id to;
    uint8_t *frame; /**< an answer's, owned; counted in frame_bytes */
    size_t frame_size;
} deferred_effect;

typedef struct effect_queue { /**< a ring */
    deferred_effect *items;
    size_t first, count, capacity;
    size_t frame_bytes; /**< of answers that wait */
} effect_queue;

/** While the journal's disk is slow: beyond the first no document waits, beyond the second no answer; who lacks it asks again. */
enum { ANSWERS_WAITING_MAX = 64 << 20, ANSWERS_WAITING_END = 128 << 20 };

typedef enum submission_state {
    SUBMISSION_FREE,
    SUBMISSION_OPEN,
    SUBMISSION_READING,
    SUBMISSION_STORED
} submission_state;

/** A job document on its way in. */
typedef struct submission {
    submission_state state;
    uint8_t request[REQUEST_BYTES];
    access_grant owner; /**< who submits; its roots are a copy */
    char roots[ALLOW_LIST_LINE_MAX];
    routing_id from; /**< of the last message: where the answer goes */
    int32_t priority;
    uint64_t touched_ms;
    content_hash digest;
    char *document;
    size_t size, received;
    uint32_t job; /**< once stored */
} submission;

/** What one submitter has said since the last tending. */
typedef struct command_share {
    char name[NAME_MAX_BYTES];
    uint32_t count;
} command_share;

/** The answer to a COMMAND that was carried out, for one that asks again. */
typedef struct remembered_command {
    uint8_t request[REQUEST_BYTES];
    message_answer answer;
} remembered_command;

/** A query's document while a client reads it part by part. */
typedef struct cached_query {
    bool used;
    char what[NAME_MAX_BYTES];
    uint32_t job;
    uint64_t used_ms;
    uint64_t fresh_until_ms; /**< until then it answers new questions too */
    char *text;
    size_t size;
} cached_query;

/** A question for the end of a job that has not ended yet. */
typedef struct waiting_query {
    bool used;
    routing_id from;
    message_query query;
    char asker[NAME_MAX_BYTES]; /**< see client_asked */
    uint64_t due_ms; /**< then it is answered all the same */
} waiting_query;

enum { REFUSED_TEXT_BYTES = 512 }; /**< why a worker is refused */

typedef struct farm_state {
    farm_config config;
    uint32_t term;
    uint64_t farm_id;

    uv_loop_t loop;
    uv_async_t durable_async;
    uv_timer_t timer, access_timer, backlog_timer;
    uint64_t tend_due_ms; /**< when `timer` fires at the latest */
    uv_signal_t terminate, interrupt, reload;
    key_guard *guard;
    audit_log *audit;
    uint64_t denied_count;
    uint32_t denied_lately, malformed_lately, refused_lately, put_off_lately; /**< since the last tending */
    uint32_t dropped_lately, lost_lately; /**< connections and messages, the same */
    char refused_text[REFUSED_TEXT_BYTES + NAME_MAX_BYTES + 16]; /**< the node that was refused last, and why */
    uint64_t refused_ms;    /**< when */
    uint32_t worker_lines, worker_lines_dropped; /**< of the log, by what workers say: see farm_may_log_worker */
    command_share commands[COMMAND_SHARES_MAX]; /**< of submitters who commanded lately */
    uint32_t command_share_count;
    router_socket *router;
    http_endpoint *http; /**< NULL: not configured */
    end_hook *hook;      /**< likewise */
    const char *hook_arguments[ON_END_WORDS_MAX + 1];
    bool stopping;
    status exit_code; /**< why it stopped; STATUS_OK = it was asked to */

    journal_store *journal;
    uint64_t appended_sequence; /**< of the journal */
    pthread_mutex_t durable_mutex;
    uint64_t durable_sequence; /**< under durable_mutex; written by the journal's writer */
    status durable_code;

    scheduler *scheduler;
    scheduler_output output;
    effect_queue effects;
    bool pumping;

    worker_registry workers;
    known_roots roots;
    cell_spool spool;
    job_list jobs;
    job_log_files logs;
    path_claims claims;
    farm_counters counters;
    pace_table paces;
    uint64_t paces_kept_ms;
    uint32_t work_count; /**< works off the loop that have not come back */

    submission submissions[SUBMISSIONS_MAX];
    remembered_command remembered[REMEMBERED_COMMANDS_MAX];
    uint32_t remembered_next;
    cached_query cache[QUERY_CACHE_MAX];
    waiting_query waiting[WAITING_QUERIES_MAX];
    ask_shares asked; /**< what questions of those who may only ask have cost lately */
    uint64_t retention_due_ms; /**< when old jobs are looked for again */
    uint64_t rest_due_ms;      /**< when jobs to put to rest are */
    struct farm_backup *backup; /**< the one that is being made, or NULL */
    byte_writer frame; /**< reused for every message sent */
} farm_state;

/* ---- farm_step.c: events, journal, effects ---- */
uint64_t farm_now_ms(const farm_state *self);
journal_keep farm_keep(const farm_state *self);
uint64_t farm_unix_ms(void);
/** Appends one of the shell's own records; sync_descriptor >= 0: that file is synced first. */
void farm_record(farm_state *self, const shell_record *record, int sync_descriptor);
/** Of a job that the scheduler does not have; for one that it has it is a fact of EVENT_JOB_FORGET. */
void farm_record_forgotten(farm_state *self, uint32_t number);
/** One event through the scheduler; its facts go to the journal, its commands into the queue. */
MUST_USE status farm_step(farm_state *self, const scheduler_event *event);
/** The same for an event whose refusal changes nothing; it is logged. */
void farm_event(farm_state *self, const scheduler_event *event);
/** The end of an attempt, with what it left. detail and payload may be empty. */
typedef struct attempt_end {
    uint32_t worker;
    attempt_id attempt;
    status code;
    const char *detail;
    uint64_t elapsed_ms;
    message_bytes payload;
    bool none_found; /**< a probe, and there is no such file */
} attempt_end;
void farm_step_result(farm_state *self, const attempt_end *end);
/** Releases what is durable. */
void farm_pump(farm_state *self);
/** Something happened after which nothing may be acknowledged any more: leaves the loop. */
void farm_fail(farm_state *self, status code, const char *format, ...) PRINTF_LIKE(3, 4);
/** The timer from the next deadline of anything. */
void farm_arm(farm_state *self);
/** Sends at once. False when it could not be delivered. */
bool farm_send(farm_state *self, const routing_id *to, const message *said);
/** Sends an answer once everything appended so far is durable. */
void farm_answer_durable(farm_state *self, const routing_id *to, const message_answer *answer);
void farm_effects_deinit(farm_state *self);

/* ---- farm_access.c: who may say what ---- */
/** False when this key is not authorized (any more); it has been told, and nothing of the message is to be read. */
bool farm_knows_sender(farm_state *self, const routing_id *from, const char *user, const access_grant *who);
/** False when the role may not say this; it has been answered, counted and told of. */
bool farm_may_say(farm_state *self, const routing_id *from, const access_grant *who, const message *said);
/** Counts a message that could not be read, and tells of the first few. */
void farm_tell_malformed(farm_state *self, const access_grant *who, size_t byte_size, const char *why);
/** Counts a worker that cannot join, and tells of the first few. */
void farm_tell_refused(farm_state *self, const char *owner, const char *name, const char *why);
/** "NAME is refused: WHY" of a node that knocks now (it does so every second); "": none does. */
const char *farm_refused_now(const farm_state *self);
/** Room for a line that workers bring about as often as they like: many at once, as when a farm starts, few for long. */
bool farm_may_log_worker(farm_state *self);
/** One more command of this one fits into its share: submitters who command share what may be carried out between two tendings. */
bool farm_may_command(farm_state *self, const access_grant *who);
/** STATUS_OK, or why this worker cannot join, as a sentence for it. STATUS_AGAIN: it asks until it can. */
status farm_refuses_hello(const farm_state *self, const access_grant *who, const message_hello *hello, char *text,
                          size_t text_size);
void farm_send_refuse(farm_state *self, const routing_id *to, status code, const char *text);
/** Counts a denial and tells of it in log and audit log. */
void farm_deny(farm_state *self, const access_grant *who, const char *what, uint32_t job, const char *target, const char *why);
/** The allow-list again if it changed; what was refused lately. */
void farm_access_tend(farm_state *self);

/* ---- farm_worker.c: what workers say, what they are told ---- */
/** True when the message was one of a worker's. */
bool farm_worker_message(farm_state *self, const routing_id *from, const access_grant *who, const message *said);
/** Carries out one command of the scheduler. */
void farm_command(farm_state *self, const scheduler_command *command);
/** One line about one task in its job's log; a node has a number per process start and a name for people. */
void farm_tell_task(const farm_state *self, const farm_job *job, const char *event, uint32_t worker, uint32_t task,
                    uint32_t epoch);
/** The allow-list changed: workers whose name is gone from it are given nothing more, at once. */
void farm_workers_revoked(farm_state *self);
/** This node is refused from now on: it is told why, gets nothing more, and what it still says does not count. */
void farm_send_away(farm_state *self, worker_node *node, status code, const char *text);
/** Takes workers for lost that were silent for a lease. */
void farm_workers_tend(farm_state *self);

/* ---- farm_roots.c ---- */
/** Is a root of these, and of this farm, not what it is known as? Then text is a sentence for that worker. */
bool farm_roots_differ(const farm_state *self, const message_root *roots, uint32_t root_count, char *text, size_t text_size);
/** What this worker brings is what its roots are, where nobody brought them before; who has something else leaves. */
void farm_learn_roots(farm_state *self, const worker_node *node);
MUST_USE status farm_forget_root(farm_state *self, const message_command *command, error_detail *detail);

/* ---- farm_forecast.c ---- */
/** Paces of the start before; a file that cannot be read is told of and left. */
void farm_forecast_load(farm_state *self);
/** Writes the paces down, unless that was done a moment ago. */
void farm_forecast_keep(farm_state *self, bool at_once);
void farm_forecast_learn(farm_state *self, const attempt_end *end);
void farm_forecast_learn_job(farm_state *self, const farm_job *job);
/** Slot time that an open job still needs; 0 while it is held. */
uint64_t farm_job_work_ms(const farm_state *self, const farm_job *job);
/** The farm as it is, copied; and the tasks of a plan as if nothing were done. */
forecast_farm *farm_forecast_basis(const farm_state *self, arena *memory);
forecast_task *farm_forecast_tasks(const plan *made, arena *memory);
/** Of an open job with a plan, made now or a moment ago; else NULL. */
const ready_forecast *farm_forecast_job(const farm_state *self, farm_job *job, uint64_t *out_age_ms);
/** The job has just been planned: what is expected of it is recorded. */
void farm_forecast_predict(farm_state *self, farm_job *job);
/** Thousandths that a worker says to have done of a running task. */
uint32_t farm_task_permille(const farm_state *self, uint32_t job, uint32_t task, uint32_t worker);

/* ---- farm_replay.c ---- */
MUST_USE status farm_replay(farm_state *self, error_detail *detail);

/* ---- job_runner.c: the coordinator's own tasks ---- */
void job_runner_start(farm_state *self, const attempt_id *tried);

/* ---- client_commands.c ---- */
/** Carries out one COMMAND; a sentence in detail when it could not be. */
MUST_USE status client_command(farm_state *self, const access_grant *who, const message_command *command,
                               error_detail *detail);
/** A submitter's job reads and writes the media roots that its line of the allow-list names, and no other. */
MUST_USE status client_check_roots(const access_grant *owner, const job_document *document, error_detail *detail);

/* ---- client_requests.c, farm_query.c, farm_metrics.c ---- */
/** True when the message was one of a client's. */
bool client_message(farm_state *self, const routing_id *from, const access_grant *who, const message *said);
void client_job_accepted(farm_state *self, uint32_t job);
/** Answers a command now or when it is asked again, and writes it into the audit log. */
void client_answer_command(farm_state *self, const routing_id *to, const access_grant *who, const message_command *command,
                           status code, const char *detail);
/** farm_retention.c: forgets jobs that ended before keep_jobs_days, and answered questions; looks once a minute. */
void farm_forget_old(farm_state *self);
/** After the replay, before anything is appended: removes what the journal still has of forgotten jobs. */
MUST_USE status farm_purge_journal(farm_state *self, error_detail *detail);
/** farm_backup.c: answers when it is made. The command's reason is the folder. */
void farm_backup(farm_state *self, const routing_id *from, const access_grant *who, const message_command *command);
#define CLIENT_PAGES "*" /**< readers of pages together, as one that asks: no name of a key */
/**
 * Who may only ask waits when its questions cost much lately: scheduling goes first. asker: its name, CLIENT_PAGES, or "" of those
 * who are not held back.
 */
bool client_may_ask(farm_state *self, const char *asker);
/** It asked, and that took so long. */
void client_asked(farm_state *self, const char *asker, uint64_t took_us);
void client_tend(farm_state *self);
/** Answers those that wait for the end of a job that has ended, or have waited enough. When the next has, or UINT64_MAX. */
uint64_t client_answer_waiting(farm_state *self);
void client_requests_deinit(farm_state *self);
/** The document of a query as text, freed by the caller; NULL with a sentence in detail. */
/** Counts a task that has ended well. */
void farm_count_result(farm_state *self, const attempt_end *end);
/** "ready", "draining", "drained", "quarantined" or "lost". */
const char *farm_node_state(const farm_state *self, const worker_node *node, const worker_view *view);
char *farm_metrics(const farm_state *self, size_t *out_size);
char *farm_query(farm_state *self, const char *what, uint32_t job, size_t *out_size, error_detail *detail);

/** The loop: opens everything, serves until told to stop. */
MUST_USE status farm_run(const farm_config *config, error_detail *detail);
/** Reads what a start would, and starts nothing. */
MUST_USE status farm_check_config(const farm_config *config, error_detail *detail);

#endif
