/* The loop: libuv's handles, opened in an order in which nothing is promised too early, closed in the reverse one. */
#define _GNU_SOURCE
#include "coordinator/shell/farm_state.h"
#include "coordinator/shell/job_rest.h"

#include "common/base/engine_version.h"
#include "coordinator/report/page.h"
#include "coordinator/shell/backlog_guard.h"
#include "proto/message_decode.h"
#include "proto/secure_socket.h"

#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LOCAL_SLOTS = 2, /* each holds the features of a whole programme while it merges */
    PRIVATE_JOBS_MAX = 64,      /* of one CLI: tables for more would take longer than a short job */
    PRIVATE_WORKERS_MAX = 2048, /* 256, and those that were started again */
    PRIVATE_LEASES_MAX = 4096,
    RETRY_BASE_MS = 500,
    STRIKES_MAX = 3,
    PREFETCH = 1, /* a worker has its next task at hand when one ends */
    TEND_MS = 1000, /* idle submissions, old nodes */
    ACCESS_MS = 500, /* the allow-list is looked at */
    DRAIN_BEFORE_TIMER = 4096
};

/* ---- messages ---- */

/* A worker waits to be upgraded: a service that had left would stay down after it. */
static void refuse_version(farm_state *self, const routing_id *from, const access_grant *who, message_type type)
{
    char text[REFUSED_TEXT_BYTES];
    bool worker = type < MESSAGE_WELCOME;
    snprintf(text, sizeof text, "this farm speaks protocol %d; install the same reelmill on both", PROTOCOL_VERSION);
    if (worker)
        farm_tell_refused(self, who->name, who->name, text);
    farm_send_refuse(self, from, worker ? STATUS_AGAIN : STATUS_PEER_VERSION, text);
}

static void on_message(void *context, const routing_id *from, const char *user, const void *bytes, size_t byte_size)
{
    farm_state *self = context;
    const access_grant *who = key_guard_whose(self->guard, user);
    if (self->stopping || !farm_knows_sender(self, from, user, who))
        return;
    message *said = malloc(sizeof *said);
    if (said == NULL)
        return;
    arena memory;
    arena_init(&memory);
    error_detail detail = {0};
    status code = message_decode(said, bytes, byte_size, &memory, &detail);
    if (code == STATUS_PEER_VERSION)
        refuse_version(self, from, who, said->type);
    else if (code != STATUS_OK)
        farm_tell_malformed(self, who, byte_size, detail.message);
    else if (!farm_may_say(self, from, who, said))
        log_line(LOG_DEBUG, "message.denied", "type=%d", (int)said->type);
    else if (!farm_worker_message(self, from, who, said) && !client_message(self, from, who, said))
        log_line(LOG_WARN, "message.unexpected", "type=%d", (int)said->type);
    arena_deinit(&memory);
    free(said);
}

/* ---- time ---- */

static void on_timer(uv_timer_t *handle)
{
    farm_state *self = handle->data;
    /* News that came in time is heard before anybody is called late. */
    router_socket_drain(self->router, DRAIN_BEFORE_TIMER);
    if (self->stopping)
        return;
    self->tend_due_ms = farm_now_ms(self) + TEND_MS;
    farm_workers_tend(self);
    client_tend(self);
    scheduler_event tick = {.type = EVENT_TICK};
    farm_event(self, &tick);
    farm_arm(self);
}

void farm_arm(farm_state *self)
{
    if (self->stopping || self->router == NULL)
        return;
    uint64_t waiting_ms = client_answer_waiting(self);
    uint64_t now_ms = farm_now_ms(self);
    uint64_t due_ms = scheduler_next_deadline_ms(self->scheduler);
    if (waiting_ms < due_ms)
        due_ms = waiting_ms;
    uint64_t silent_ms = worker_registry_oldest_ms(&self->workers);
    if (silent_ms != UINT64_MAX && silent_ms + self->config.lease_ms + 1 < due_ms)
        due_ms = silent_ms + self->config.lease_ms + 1;
    if (due_ms > self->tend_due_ms) /* which no stream of events puts off */
        due_ms = self->tend_due_ms;
    uv_update_time(&self->loop);
    uv_timer_start(&self->timer, on_timer, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

static void on_access_timer(uv_timer_t *handle)
{
    farm_state *self = handle->data;
    if (!journal_store_in_place(self->journal))
        farm_fail(self, STATUS_INPUT_CHANGED, "the journal is elsewhere");
    farm_access_tend(self);
    farm_rest_old(self);
    farm_forget_old(self);
}

static void on_backlog_timer(uv_timer_t *handle)
{
    farm_state *self = handle->data;
    uint32_t lost = 0;
    self->dropped_lately += self->router == NULL ? 0 : router_socket_guard(self->router, &lost);
    self->lost_lately += lost;
}

/* ---- the journal's word ---- */

static void on_durable(void *context, uint64_t sequence, status code)
{
    farm_state *self = context; /* on the writer's thread */
    pthread_mutex_lock(&self->durable_mutex);
    self->durable_sequence = sequence;
    if (code != STATUS_OK)
        self->durable_code = code;
    pthread_mutex_unlock(&self->durable_mutex);
    uv_async_send(&self->durable_async);
}

static void on_durable_async(uv_async_t *handle)
{
    farm_state *self = handle->data;
    pthread_mutex_lock(&self->durable_mutex);
    status code = self->durable_code;
    uint64_t sequence = self->durable_sequence;
    pthread_mutex_unlock(&self->durable_mutex);
    farm_counters_durable(&self->counters, uv_hrtime() / 1000, sequence);
    if (code != STATUS_OK)
        farm_fail(self, code, "the journal cannot be written: %s; nothing is acknowledged until it can",
                  status_text(code));
    else
        farm_pump(self);
}

static void on_signal(uv_signal_t *handle, int number)
{
    farm_state *self = handle->data;
    log_line(LOG_INFO, "farm.stopping", "signal=%d", number);
    self->stopping = true;
    uv_stop(&self->loop);
}

/* ---- the configuration again ---- */

/* Names what differs and cannot change under a running farm. */
static void tell_restart_needed(const farm_config *now, const farm_config *fresh)
{
    const struct {
        const char *key;
        bool differs;
    } fixed[] = {
        {"listen", now->listen_count != fresh->listen_count || memcmp(now->listen, fresh->listen, sizeof now->listen) != 0},
        {"state", strcmp(now->state, fresh->state) != 0},
        {"key", strcmp(now->key, fresh->key) != 0},
        {"authorized", strcmp(now->authorized, fresh->authorized) != 0},
        {"plain", now->plain != fresh->plain},
        {"http", strcmp(now->http, fresh->http) != 0},
        {"lease_ms", now->lease_ms != fresh->lease_ms},
        {"cells_per_task", now->cells_per_task != fresh->cells_per_task},
    };
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (fixed[i].differs)
            log_line(LOG_WARN, "config.restart_needed", "key=%s", fixed[i].key);
}

static void set_limits(farm_state *self)
{
    scheduler_limits limits = {0};
    for (uint32_t i = 0; i < self->config.limit_count; i++) {
        const farm_limit *limit = &self->config.limits[i];
        if (!limit->root && strcmp(limit->name, "*") == 0)
            limits.each_show = limit->most;
        else
            limits.rules[limits.count++] =
                (limit_rule){.key = limit->root ? job_root_key(limit->name) : job_share_of(limit->name), .most = limit->most};
    }
    scheduler_set_limits(self->scheduler, &limits);
}

static void on_reload_signal(uv_signal_t *handle, int number)
{
    farm_state *self = handle->data;
    error_detail detail = {0};
    farm_config *fresh = calloc(1, sizeof *fresh);
    (void)number;
    if (fresh == NULL)
        return;
    if (farm_config_read(fresh, self->config.argument_count, self->config.arguments, &detail) != STATUS_OK) {
        log_line(LOG_ERROR, "config.refused", "reason=\"%s\" kept=before", detail.message);
        free(fresh);
        return;
    }
    tell_restart_needed(&self->config, fresh);
    self->config.log = fresh->log;
    log_set_level(fresh->log);
    self->config.keep_jobs_days = fresh->keep_jobs_days;
    self->config.root_count = fresh->root_count;
    memcpy(self->config.roots, fresh->roots, sizeof fresh->roots);
    self->config.limit_count = fresh->limit_count;
    memcpy(self->config.limits, fresh->limits, sizeof fresh->limits);
    set_limits(self);
    log_line(LOG_INFO, "config.reloaded", "roots=%u limits=%u", fresh->root_count, fresh->limit_count);
    free(fresh);
    const scheduler_event look = {.type = EVENT_TICK}; /* what may begin now begins now */
    farm_event(self, &look);
}

/* ---- opening ---- */

static status make_state_folder(const farm_config *config, error_detail *detail)
{
    if (mkdir(config->state, 0700) != 0 && errno != EEXIST)
        return error_detail_set(detail, STATUS_STORAGE_DENIED, "cannot make the state folder '%s': %s", config->state,
                                strerror(errno));
    if (access(config->state, R_OK | W_OK | X_OK) != 0)
        return error_detail_set(detail, STATUS_STORAGE_DENIED, "the state folder '%s' cannot be written: %s",
                                config->state, strerror(errno));
    return STATUS_OK;
}

journal_keep farm_keep(const farm_state *self)
{
    return self->config.private_farm ? JOURNAL_KEEP_PROCESS : JOURNAL_KEEP_MEDIUM;
}

static status open_journal(farm_state *self, error_detail *detail)
{
    char path[PATH_MAX_BYTES + 32];
    snprintf(path, sizeof path, "%s/journal.db", self->config.state);
    status code = journal_store_open(&self->journal, path, farm_keep(self), on_durable, self, &self->term, &self->farm_id, detail);
    if (code != STATUS_OK)
        return code;
    bool small = self->config.private_farm;
    scheduler_config config = {.jobs_max = small ? PRIVATE_JOBS_MAX : JOBS_MAX,
                               .workers_max = small ? PRIVATE_WORKERS_MAX : WORKERS_MAX,
                               .leases_max = small ? PRIVATE_LEASES_MAX : LEASES_MAX,
                               .lease_ms = self->config.lease_ms,
                               .retry_base_ms = RETRY_BASE_MS,
                               .attempts_max = TASK_ATTEMPTS_MAX,
                               .storage_wait_ms = self->config.private_farm ? 0 : self->config.storage_wait_minutes * 60000,
                               .strikes_max = STRIKES_MAX,
                               .heartbeat_ms = self->config.heartbeat_ms,
                               .local_slots = LOCAL_SLOTS,
                               .term = self->term,
                               .prefetch = PREFETCH};
    self->scheduler = scheduler_create(&config);
    if (self->scheduler == NULL)
        return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    set_limits(self);
    return farm_replay(self, detail);
}

static status listen_everywhere(farm_state *self, error_detail *detail)
{
    status code = router_socket_create(&self->router, &self->loop, self->guard, on_message, self, detail);
    for (uint32_t i = 0; code == STATUS_OK && i < self->config.listen_count; i++) {
        char endpoint[ENDPOINT_MAX_BYTES];
        code = router_socket_bind(self->router, self->config.listen[i], endpoint, sizeof endpoint, detail);
        if (code == STATUS_OK)
            log_line(LOG_INFO, "farm.listening", "endpoint=%s engine=\"%s\" term=%u farm=%016llx", endpoint,
                     ENGINE_VERSION, self->term, (unsigned long long)self->farm_id);
    }
    return code;
}

/* Everything that an operator may have got wrong is told before anything is made. */
static status make_guard(farm_state *self, error_detail *detail)
{
    const farm_config *config = &self->config;
    key_guard_config guard = {.key = config->key, .authorized = config->authorized, .plain = config->plain};
    status code = key_guard_create(&self->guard, &guard, detail);
    for (uint32_t i = 0; code == STATUS_OK && i < config->listen_count; i++)
        code = key_guard_check(self->guard, config->listen[i], detail);
    return code;
}

static status open_audit(farm_state *self, error_detail *detail)
{
    char path[PATH_MAX_BYTES];
    snprintf(path, sizeof path, "%s/audit.log", self->config.state);
    return audit_log_open(&self->audit, path, detail);
}

static char *http_ask(void *context, const char *what, uint32_t number, const page_query *asked, size_t *out_size,
                      error_detail *detail)
{
    farm_state *self = context;
    if (!client_may_ask(self, CLIENT_PAGES)) {
        error_detail_set(detail, STATUS_AGAIN, "the farm is asked more than it has time for; try again in a moment");
        return NULL;
    }
    uint64_t begun_ns = uv_hrtime();
    char *text = asked != NULL ? farm_page(self, what, number, asked, out_size, detail)
                              : farm_query(self, what, number, out_size, detail);
    if (text != NULL && strcmp(what, "report.html") == 0 && (text = farm_page_report(text, out_size)) == NULL)
        error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    client_asked(self, CLIENT_PAGES, (uv_hrtime() - begun_ns) / 1000);
    return text;
}

static uint64_t http_version(void *context)
{
    const farm_state *self = context;
    return scheduler_sequence(self->scheduler);
}

static status serve_pages(farm_state *self, error_detail *detail)
{
    http_endpoint_config pages = {
        .address = self->config.http, .ask = http_ask, .version = http_version, .context = self};
    if (self->config.http[0] == '\0')
        return STATUS_OK;
    status code = http_endpoint_create(&self->http, &self->loop, &pages, detail);
    if (code == STATUS_OK)
        log_line(LOG_INFO, "farm.pages", "http=%s", self->config.http);
    return code;
}

static status check_hook(const farm_config *config, error_detail *detail)
{
    if (config->on_end_count == 0 || access(config->on_end[0], X_OK) == 0)
        return STATUS_OK;
    return error_detail_set(detail, STATUS_INPUT_INVALID, "on_end: '%s' is no program that can be run here: %s", config->on_end[0],
                            strerror(errno));
}

/* The program stands in the configuration of this start; SIGHUP does not change it. */
static status open_hook(farm_state *self, error_detail *detail)
{
    for (uint32_t i = 0; i < self->config.on_end_count; i++)
        self->hook_arguments[i] = self->config.on_end[i];
    status code = check_hook(&self->config, detail);
    if (code != STATUS_OK || self->config.on_end_count == 0)
        return code;
    return end_hook_create(&self->hook, &self->loop, self->hook_arguments, END_HOOK_LIMIT_MS) == STATUS_OK
               ? STATUS_OK
               : error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
}

static status open_farm(farm_state *self, error_detail *detail)
{
    uv_async_init(&self->loop, &self->durable_async, on_durable_async);
    uv_timer_init(&self->loop, &self->timer);
    uv_timer_init(&self->loop, &self->access_timer);
    uv_timer_init(&self->loop, &self->backlog_timer);
    uv_signal_init(&self->loop, &self->terminate);
    uv_signal_init(&self->loop, &self->interrupt);
    uv_signal_init(&self->loop, &self->reload);
    self->reload.data = self->backlog_timer.data = self;
    self->durable_async.data = self->timer.data = self->access_timer.data = self->terminate.data = self->interrupt.data = self;
    status code = make_guard(self, detail);
    if (code == STATUS_OK && !self->config.private_farm) /* as it is installed now, and found missing now */
        code = page_pdf_ready(detail);
    if (code == STATUS_OK)
        code = make_state_folder(&self->config, detail);
    if (code == STATUS_OK)
        code = open_audit(self, detail);
    if (code == STATUS_OK)
        code = open_hook(self, detail);
    if (code == STATUS_OK)
        code = open_journal(self, detail);
    if (code == STATUS_OK)
        farm_forecast_load(self);
    if (code == STATUS_OK)
        code = listen_everywhere(self, detail);
    if (code == STATUS_OK)
        code = serve_pages(self, detail);
    if (code == STATUS_OK) {
        uv_signal_start(&self->terminate, on_signal, SIGTERM);
        uv_signal_start(&self->interrupt, on_signal, SIGINT);
        uv_signal_start(&self->reload, on_reload_signal, SIGHUP);
        uv_timer_start(&self->access_timer, on_access_timer, ACCESS_MS, ACCESS_MS);
        if (!self->config.private_farm) /* a folder that nobody else can enter */
            uv_timer_start(&self->backlog_timer, on_backlog_timer, BACKLOG_CHECK_MS, BACKLOG_CHECK_MS);
        farm_pump(self);
    }
    return code;
}

/* ---- closing ---- */

static void close_farm(farm_state *self)
{
    self->stopping = true;
    /* Work off the loop reads jobs: it comes back before they go. Its results are journaled if they still can be. */
    while (self->work_count > 0)
        uv_run(&self->loop, UV_RUN_ONCE);
    journal_store_close(&self->journal);
    /* What the last commit made durable is told before the socket goes; its linger gives it time. */
    if (self->exit_code == STATUS_OK && self->router != NULL)
        farm_pump(self);
    farm_forecast_keep(self, true);
    http_endpoint_close(&self->http);
    end_hook_close(&self->hook);
    router_socket_close(&self->router, NULL, NULL);
    uv_close((uv_handle_t *)&self->durable_async, NULL);
    uv_close((uv_handle_t *)&self->timer, NULL);
    uv_close((uv_handle_t *)&self->access_timer, NULL);
    uv_close((uv_handle_t *)&self->backlog_timer, NULL);
    uv_close((uv_handle_t *)&self->terminate, NULL);
    uv_close((uv_handle_t *)&self->interrupt, NULL);
    uv_close((uv_handle_t *)&self->reload, NULL);
    uv_run(&self->loop, UV_RUN_DEFAULT);
    key_guard_destroy(&self->guard);
    audit_log_close(&self->audit);
    client_requests_deinit(self);
    farm_effects_deinit(self);
    job_list_deinit(&self->jobs);
    job_log_files_close(&self->logs);
    path_claims_deinit(&self->claims);
    cell_spool_deinit(&self->spool);
    worker_registry_deinit(&self->workers);
    pace_table_deinit(&self->paces);
    scheduler_output_deinit(&self->output);
    scheduler_destroy(&self->scheduler);
    byte_writer_deinit(&self->frame);
    pthread_mutex_destroy(&self->durable_mutex);
}

/* Could a start make the state folder, or write the one that is there? Nothing is made. */
static status check_state(const farm_config *config, error_detail *detail)
{
    static const char *const written[] = {"journal.db", "audit.log"};
    char path[PATH_MAX_BYTES + 32];
    if (access(config->state, F_OK) != 0 && errno == ENOENT) {
        snprintf(path, sizeof path, "%s", config->state);
        const char *parent = dirname(path);
        return access(parent, W_OK | X_OK) == 0
                   ? STATUS_OK
                   : error_detail_set(detail, STATUS_STORAGE_DENIED, "cannot make the state folder '%s' in '%s': %s",
                                      config->state, parent, strerror(errno));
    }
    status code = make_state_folder(config, detail);
    for (size_t i = 0; i < sizeof written / sizeof written[0] && code == STATUS_OK; i++) {
        struct stat facts;
        snprintf(path, sizeof path, "%s/%s", config->state, written[i]);
        bool there = stat(path, &facts) == 0;
        if ((!there && errno != ENOENT) || (there && (!S_ISREG(facts.st_mode) || access(path, R_OK | W_OK) != 0)))
            code = error_detail_set(detail, STATUS_STORAGE_DENIED, "'%s' is no file that this user can write", path);
    }
    return code;
}

status farm_check_config(const farm_config *config, error_detail *detail)
{
    farm_state *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    self->config = *config;
    status code = make_guard(self, detail);
    if (code == STATUS_OK)
        code = check_hook(config, detail);
    if (code == STATUS_OK && config->http[0] != '\0')
        code = http_endpoint_check(config->http, detail);
    if (code == STATUS_OK)
        code = check_state(config, detail);
    key_guard_destroy(&self->guard);
    free(self);
    return code;
}

status farm_run(const farm_config *config, error_detail *detail)
{
    farm_state *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    self->config = *config;
    pthread_mutex_init(&self->durable_mutex, NULL);
    byte_writer_init(&self->frame, FRAME_BYTES_MAX);
    if (uv_loop_init(&self->loop) != 0) {
        free(self);
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "cannot make an event loop");
    }
    status code = open_farm(self, detail);
    while (code == STATUS_OK && !self->stopping)
        uv_run(&self->loop, UV_RUN_DEFAULT);
    if (code == STATUS_OK && self->exit_code != STATUS_OK)
        code = error_detail_set(detail, self->exit_code, "the coordinator stopped: %s", status_text(self->exit_code));
    close_farm(self);
    uv_loop_close(&self->loop);
    free(self);
    return code;
}
