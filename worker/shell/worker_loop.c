#define _GNU_SOURCE
#include "worker/shell/worker_loop.h"

#include "common/base/engine_version.h"
#include "common/base/ensure.h"
#include "proto/key_file.h"
#include "worker/dsp/cpu_features.h"
#include "worker/session/worker_session.h"
#include "worker/shell/dealer_socket.h"
#include "worker/shell/executor_pool.h"
#include "worker/shell/root_identity.h"
#include "worker/shell/root_mount.h"
#include "worker/shell/root_watch.h"
#include "worker/executor/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum {
    HELLO_INTERVAL_MS = 1000,
    ALIVE_INTERVAL_MS = 1000,
    SPOOL_BYTES_MAX = 128 << 20,
    GOODBYE_LINGER_MS = 500
};

typedef struct worker_loop {
    uv_loop_t loop;
    uv_timer_t timer;
    uv_signal_t terminate;
    uv_signal_t interrupt;
    uv_signal_t reload;
    const worker_config *config;
    storage_roots roots;
    root_watch watch;
    bool remounted;         /* leaves to be started anew */
    worker_session *session;
    dealer_socket *dealer;
    executor_pool *pool;
    session_orders orders;  /* being made */
    uint64_t alive_ms;      /* when the file for probes was last touched */
    bool settling;
    bool leaving;
    int exit_code;
} worker_loop;

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

/* ---- orders ---- */

/* "event=word key=value" of the session to a log line. */
static void loop_log(const char *text)
{
    char event[64];
    const char *rest = strchr(text, ' ');
    if (strncmp(text, "event=", 6) != 0)
        return;
    size_t size = rest == NULL ? strlen(text) - 6 : (size_t)(rest - text - 6);
    snprintf(event, sizeof event, "session.%.*s", (int)size, text + 6);
    log_line(LOG_INFO, event, "%s", rest == NULL ? "" : rest + 1);
}

static void loop_leave(worker_loop *self, int exit_code)
{
    if (self->leaving)
        return;
    self->leaving = true;
    self->exit_code = exit_code;
    executor_pool_close(&self->pool);
    dealer_socket_close(&self->dealer, GOODBYE_LINGER_MS);
    uv_close((uv_handle_t *)&self->timer, NULL);
    uv_close((uv_handle_t *)&self->terminate, NULL);
    uv_close((uv_handle_t *)&self->interrupt, NULL);
    uv_close((uv_handle_t *)&self->reload, NULL);
}

static void loop_carry_out(worker_loop *self, const session_order *order)
{
    if (self->leaving)
        return;
    switch (order->type) {
    case ORDER_SEND:
        if (!dealer_socket_send(self->dealer, order->bytes, order->byte_size))
            log_line(LOG_DEBUG, "frame.lost", "bytes=%zu", order->byte_size);
        return;
    case ORDER_START:
        log_line(LOG_DEBUG, "task.start", "job=%u task=%u epoch=%u kind=%s", order->attempt.job, order->attempt.task,
                 order->attempt.epoch, task_kind_name(order->kind));
        executor_pool_start(self->pool, order->attempt, order->kind, order->bytes, order->byte_size);
        return;
    case ORDER_KILL:
        executor_pool_kill(self->pool, order->attempt);
        return;
    case ORDER_GIVE_CHUNK:
        executor_pool_give(self->pool, order->attempt, order->bytes, order->byte_size);
        return;
    case ORDER_LOG:
        loop_log((const char *)order->bytes);
        return;
    case ORDER_EXIT:
        loop_leave(self, order->value == 0 && self->remounted ? WORKER_EXIT_AGAIN : order->value);
        return;
    }
}

static void on_timer(uv_timer_t *timer);

/* Carries out what the session ordered, and arms its timer. Everything that spoke to the session ends here. */
static void loop_settle(worker_loop *self)
{
    if (self->settling)
        return;
    self->settling = true;
    while (self->orders.count > 0) {
        session_orders batch = self->orders;
        self->orders = (session_orders){0};
        for (size_t i = 0; i < batch.count; i++)
            loop_carry_out(self, &batch.items[i]);
        session_orders_deinit(&batch);
    }
    self->settling = false;
    if (self->leaving)
        return;
    uint64_t due = worker_session_next_deadline_ms(self->session);
    uint64_t now = now_ms();
    if (due == UINT64_MAX) {
        uv_timer_stop(&self->timer);
        return;
    }
    uv_update_time(&self->loop);
    uv_timer_start(&self->timer, on_timer, due > now ? due - now : 0, 0);
}

/* ---- news ---- */

/* A probe looks at the file's time: no socket, and nothing that a stranger could ask. */
static void set_alive(worker_loop *self)
{
    uint64_t now = now_ms();
    if (self->config->alive[0] == '\0' || now - self->alive_ms < ALIVE_INTERVAL_MS)
        return;
    self->alive_ms = now;
    int descriptor = open(self->config->alive, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (descriptor < 0 || futimens(descriptor, NULL) != 0)
        log_line(LOG_WARN, "alive.failed", "file=\"%s\" reason=\"%s\"", self->config->alive, strerror(errno));
    if (descriptor >= 0)
        (void)close(descriptor);
}

static void on_timer(uv_timer_t *timer)
{
    worker_loop *self = timer->data;
    set_alive(self);
    status code = worker_session_tick(self->session, now_ms(), &self->orders);
    ENSURE(code == STATUS_OK);
    loop_settle(self);
}

static void on_frame(void *context, const void *bytes, size_t byte_size)
{
    worker_loop *self = context;
    if (self->leaving)
        return;
    /* Who was stopped beyond its lease holds nothing any more: what waited here would let its attempts go on, beside others. */
    status code = worker_session_tick(self->session, now_ms(), &self->orders);
    ENSURE(code == STATUS_OK);
    code = worker_session_receive(self->session, now_ms(), bytes, byte_size, &self->orders);
    if (code != STATUS_OK)
        log_line(LOG_WARN, "frame.dropped", "bytes=%zu reason=\"%s\"", byte_size, status_text(code));
    loop_settle(self);
}

static void on_connected(void *context)
{
    worker_loop *self = context;
    if (self->leaving)
        return;
    worker_session_connected(self->session, now_ms());
    loop_settle(self);
}

static void on_stop_signal(uv_signal_t *handle, int number)
{
    worker_loop *self = handle->data;
    log_line(LOG_INFO, "worker.signal", "number=%d", number);
    status code = worker_session_drain(self->session, now_ms(), &self->orders);
    ENSURE(code == STATUS_OK);
    loop_settle(self);
}

/* What it holds open is another file system than the one that is there now: a new start opens that. */
static void on_remounted(void *context, const char *root)
{
    worker_loop *self = context;
    if (self->leaving || self->remounted)
        return;
    self->remounted = true;
    log_line(LOG_WARN, "root.remounted", "root=\"%s\" action=start_anew", root);
    status code = worker_session_drain(self->session, now_ms(), &self->orders);
    ENSURE(code == STATUS_OK);
    loop_settle(self);
}

/* Of what the file says, only this can change under a running worker; the rest waits for its next start. */
static void on_reload_signal(uv_signal_t *handle, int number)
{
    worker_loop *self = handle->data;
    error_detail detail = {0};
    worker_config *fresh = calloc(1, sizeof *fresh);
    (void)number;
    if (fresh == NULL)
        return;
    if (worker_config_read(fresh, self->config->argument_count, self->config->arguments, &detail) != STATUS_OK) {
        log_line(LOG_ERROR, "config.refused", "reason=\"%s\" kept=before", detail.message);
    } else {
        log_set_level(fresh->log);
        log_line(LOG_INFO, "config.reloaded", "log=%d other_changes=at_next_start", (int)fresh->log);
    }
    free(fresh);
}

static status on_cell(void *context, attempt_id attempt, const void *frame, size_t byte_size)
{
    worker_loop *self = context;
    status code = worker_session_cell(self->session, now_ms(), attempt, frame, byte_size, &self->orders);
    loop_settle(self);
    return code;
}

static void on_progress(void *context, attempt_id attempt, uint32_t done_permille)
{
    worker_loop *self = context;
    worker_session_progress(self->session, attempt, done_permille);
}

static void on_fetch(void *context, const message_fetch *fetch)
{
    worker_loop *self = context;
    status code = worker_session_fetch(self->session, fetch, &self->orders);
    if (code != STATUS_OK)
        log_line(LOG_WARN, "fetch.dropped", "job=%u task=%u epoch=%u", fetch->attempt.job, fetch->attempt.task,
                 fetch->attempt.epoch);
    loop_settle(self);
}

static void on_ended(void *context, const message_result *result)
{
    worker_loop *self = context;
    log_line(result->code == STATUS_OK ? LOG_DEBUG : LOG_INFO, "task.ended", "job=%u task=%u epoch=%u code=\"%s\" detail=\"%s\"",
             result->attempt.job, result->attempt.task, result->attempt.epoch, status_text((status)result->code),
             result->code == STATUS_OK ? "" : result->detail);
    status code = worker_session_ended(self->session, now_ms(), result, &self->orders);
    ENSURE(code == STATUS_OK); /* the pool reports what the session ordered, once */
    loop_settle(self);
    if (result->code == STATUS_STORAGE_IO && !self->leaving)
        root_watch_look(&self->watch, &self->loop);
}

static void on_hopeless(void *context, const char *reason)
{
    worker_loop *self = context;
    log_line(LOG_ERROR, "worker.hopeless", "reason=\"%s\"", reason);
    loop_leave(self, WORKER_EXIT_AGAIN);
}

/* ---- start and end ---- */

static status open_roots(worker_loop *self, const worker_config *config, error_detail *detail)
{
    status code = STATUS_OK;
    for (uint32_t i = 0; i < config->root_count && code == STATUS_OK; i++) {
        if (!config->private_farm) /* of one machine: what it reads and writes is what its user sees */
            code = root_mount_check(ROOT_MOUNT_TABLE, &config->roots[i], detail);
        if (code == STATUS_OK)
            code = storage_roots_add(&self->roots, config->roots[i].name, config->roots[i].folder,
                                     config->roots[i].writable, detail);
    }
    return code;
}

/* Zero where nothing marks the root and nothing may be written there: then it is told from no other. */
static status identify_root(const storage_root *root, content_hash *out_identity, error_detail *detail)
{
    error_detail why = {0};
    status code = root_identity_read(root, out_identity, detail);
    if (code != STATUS_OK || !content_hash_is_zero(out_identity) || !root->writable)
        return code;
    if (root_identity_make(root, &why) != STATUS_OK)
        log_line(LOG_WARN, "root.unmarked", "root=\"%s\" reason=\"%s\"", root->name, why.message);
    return root_identity_read(root, out_identity, detail);
}

static status make_session(worker_loop *self, const worker_config *config, error_detail *detail)
{
    cpu_features features = cpu_features_detect();
    if (config->cpu[0] != '\0' && cpu_features_cap(config->cpu, &features) != STATUS_OK)
        return error_detail_set(detail, STATUS_INPUT_UNSUPPORTED, "this machine's processor has no %s", config->cpu);
    worker_session_config session = {
        .slots = config->slots, .hello_interval_ms = HELLO_INTERVAL_MS, .spool_bytes_max = SPOOL_BYTES_MAX};
    if (getrandom(session.instance, INSTANCE_BYTES, 0) != INSTANCE_BYTES)
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "the system gives no random numbers: %s", strerror(errno));
    snprintf(session.name, sizeof session.name, "%s", config->name);
    snprintf(session.engine, sizeof session.engine, "%s", ENGINE_VERSION);
    snprintf(session.cpu, sizeof session.cpu, "%s", cpu_features_name(features));
    session.root_count = config->root_count;
    status code = STATUS_OK;
    for (uint32_t i = 0; i < config->root_count && code == STATUS_OK; i++) {
        snprintf(session.roots[i].name, sizeof session.roots[i].name, "%s", config->roots[i].name);
        session.roots[i].writable = config->roots[i].writable;
        if (!config->private_farm) /* nothing is left in folders of a person's own */
            code = identify_root(&self->roots.items[i], &session.roots[i].identity, detail);
    }
    if (code == STATUS_OK)
        self->session = worker_session_create(&session);
    return code;
}

static void watch(worker_loop *self)
{
    uv_timer_init(&self->loop, &self->timer);
    uv_signal_init(&self->loop, &self->terminate);
    uv_signal_init(&self->loop, &self->interrupt);
    uv_signal_init(&self->loop, &self->reload);
    self->timer.data = self->terminate.data = self->interrupt.data = self->reload.data = self;
    uv_signal_start(&self->reload, on_reload_signal, SIGHUP);
    uv_signal_start(&self->terminate, on_stop_signal, SIGTERM);
    uv_signal_start(&self->interrupt, on_stop_signal, SIGINT);
    uv_timer_start(&self->timer, on_timer, 0, 0);
}

static void say_started(const worker_config *config)
{
    log_line(LOG_INFO, "worker.started", "name=\"%s\" coordinator=%s slots=%u roots=%u", config->name,
             config->coordinator, config->slots, config->root_count);
    if (sandbox_landlock_version() == 0)
        log_line(LOG_WARN, "sandbox.partial",
                 "reason=\"this kernel has no Landlock: executors are not held to the media roots\"");
    if (!sandbox_has_seccomp())
        log_line(LOG_DEBUG, "sandbox.partial", "reason=\"this build has no seccomp filter and no memory limit\"");
}

static status loop_start(worker_loop *self, const worker_config *config, error_detail *detail)
{
    status code = open_roots(self, config, detail);
    if (code == STATUS_INPUT_MISSING) /* after a power cut a mount may come later than we: whoever starts us goes on trying */
        code = detail->code = STATUS_STORAGE_IO;
    root_watch_init(&self->watch, config, &self->roots, on_remounted, self);
    if (code == STATUS_OK)
        code = make_session(self, config, detail);
    if (code == STATUS_OK) {
        const executor_listener listener = {.context = self,
                                            .cell = on_cell,
                                            .progress = on_progress,
                                            .fetch = on_fetch,
                                            .ended = on_ended,
                                            .hopeless = on_hopeless};
        const executor_pool_config pool = {.program = config->executor,
                                           .slots = config->slots,
                                           .cpu_cap = config->cpu[0] == '\0' ? NULL : config->cpu,
                                           .roots = &self->roots,
                                           .hang_ms = config->hang_s * 1000};
        code = executor_pool_create(&self->pool, &self->loop, &pool, &listener, detail);
    }
    if (code == STATUS_OK)
        code = dealer_socket_create(&self->dealer, &self->loop, config->coordinator, &config->link, on_frame,
                                    on_connected, self, detail);
    if (code != STATUS_OK)
        executor_pool_close(&self->pool);
    return code;
}

status worker_check_keys(const worker_config *config, error_detail *detail)
{
    key_pair own;
    uint8_t coordinator[KEY_BYTES];
    if (config->link.key[0] == '\0')
        return STATUS_OK;
    status code = key_pair_read(&own, config->link.key, detail);
    if (code != STATUS_OK)
        return code;
    key_pair_forget(&own);
    return key_public_read(coordinator, config->link.coordinator_key, detail);
}

status worker_check_config(const worker_config *config, error_detail *detail)
{
    worker_loop *self = calloc(1, sizeof *self);
    ENSURE(self != NULL);
    status code = open_roots(self, config, detail);
    storage_roots_deinit(&self->roots);
    free(self);
    return code == STATUS_OK ? worker_check_keys(config, detail) : code;
}

status worker_loop_run(const worker_config *config, int *out_exit, error_detail *detail)
{
    worker_loop *self = calloc(1, sizeof *self);
    ENSURE(self != NULL && uv_loop_init(&self->loop) == 0);
    self->config = config;
    status code = loop_start(self, config, detail);
    if (code == STATUS_OK) {
        watch(self);
        say_started(config);
    }
    uv_run(&self->loop, UV_RUN_DEFAULT); /* after a failed start: until what was begun is closed */
    int closed = uv_loop_close(&self->loop);
    ENSURE(closed == 0);
    *out_exit = self->exit_code;
    worker_session_destroy(&self->session);
    session_orders_deinit(&self->orders);
    storage_roots_deinit(&self->roots);
    free(self);
    return code;
}
