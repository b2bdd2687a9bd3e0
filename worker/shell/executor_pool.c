#define _GNU_SOURCE
#include "worker/shell/executor_pool.h"

#include "common/base/byte_writer.h"
#include "common/base/ensure.h"
#include "common/base/log.h"
#include "proto/message_decode.h"
#include "proto/message_encode.h"
#include "worker/shell/executor_spawn.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    VERSION_MS = 1000,       /* for a program to say its version: the loop stands still meanwhile, leases are of 5 s */
    POOL_BUDGET = 64,        /* frames of one executor per turn of the loop */
    IDLE_DEATHS_MAX = 6,     /* deaths in a row without a task done: more is hopeless */
    RESPAWN_BASE_MS = 20,      /* doubled with each of them: 2.5 s until then */
    HANG_LOOKS = 8,            /* an executor that was quiet at so many looks in a row hangs */
    STUCK_LOOKS = 3,           /* one that was killed before so many looks and is still there stands in the kernel */
    CLOSE_LOOK_MS = 10,        /* at the end: so often is looked whether killed processes are gone, */
    CLOSE_LOOKS = 500          /* and so many times */
};

typedef struct executor_slot executor_slot;

/* The watched socket of one process. On the heap: libuv has it until the close callback. */
typedef struct executor_link {
    uv_poll_t poll;
    executor_slot *slot;
    int socket;
} executor_link;

struct executor_slot {
    executor_pool *pool;
    pid_t process;           /* 0 = none */
    executor_link *link;     /* NULL once its end was seen */
    bool killed;             /* by us: what it still says is not heard */
    bool busy;
    attempt_id attempt;
    task_kind kind;
    uint64_t begun_ms;
    uint8_t *waiting;        /* ASSIGN frame that no process has got yet */
    size_t waiting_size;
    bool dropped;            /* killed before it began: `ended` is due */
    char fault[160];         /* why we killed it, when the executor is to blame */
    bool hung;               /* the fault is that it hung */
    bool asking;             /* for a document: it waits for others */
    uint32_t quiet_looks;    /* of the watchdog, since it was last heard */
    uint32_t killed_looks;   /* since it was killed */
};

struct executor_pool {
    uv_loop_t *loop;
    executor_listener listener;
    int program;             /* the executors', as it was when the pool began */
    char program_path[PATH_MAX_BYTES]; /* for sentences */
    const storage_roots *roots;
    const char *cpu_cap;
    uv_signal_t child_signal;
    uv_timer_t timer;        /* start what is missing, report what was dropped */
    uv_timer_t watchdog;     /* looks for executors that hang */
    uint32_t hang_ms;
    uint32_t open_handles;
    bool closing;
    uint32_t idle_deaths;
    byte_writer frame;
    uint8_t *received;       /* FRAME_BYTES_MAX */
    message message;
    pid_t *stuck;            /* killed, not gone, given up; room for one per slot */
    uint32_t stuck_count;
    uint32_t slot_count;
    executor_slot slots[];
};

static void on_timer(uv_timer_t *timer);

static void pool_wake(executor_pool *self, uint64_t delay_ms)
{
    if (!self->closing)
        uv_timer_start(&self->timer, on_timer, delay_ms, 0);
}

/* ---- links ---- */

static void on_link_closed(uv_handle_t *handle)
{
    executor_link *link = handle->data;
    close(link->socket);
    free(link);
}

static void slot_unlink(executor_slot *slot)
{
    if (slot->link == NULL)
        return;
    slot->link->slot = NULL;
    uv_close((uv_handle_t *)&slot->link->poll, on_link_closed);
    slot->link = NULL;
}

static void slot_kill(executor_slot *slot, const char *fault)
{
    if (slot->killed)
        return;
    slot->killed = true;
    snprintf(slot->fault, sizeof slot->fault, "%s", fault);
    if (slot->process != 0)
        kill(slot->process, SIGKILL);
}

/* ---- what executors say ---- */

static void slot_ended(executor_slot *slot, const message_result *result)
{
    slot->busy = false;
    slot->dropped = false;
    free(slot->waiting);
    slot->waiting = NULL;
    if (!slot->pool->closing)
        slot->pool->listener.ended(slot->pool->listener.context, result);
}

static void slot_heard(executor_slot *slot, const void *frame, size_t byte_size)
{
    executor_pool *pool = slot->pool;
    const executor_listener *listener = &pool->listener;
    message *what = &pool->message;
    const attempt_id *own = &slot->attempt;
    slot->quiet_looks = 0;
    if (message_decode(what, frame, byte_size, NULL, NULL) != STATUS_OK || !slot->busy || slot->waiting != NULL) {
        slot_kill(slot, "sent what is no message of a running task");
    } else if (what->type == MESSAGE_CELL && attempt_id_equal(&what->cell.attempt, own)) {
        if (listener->cell(listener->context, *own, frame, byte_size) != STATUS_OK)
            slot_kill(slot, "sent a cell that its task cannot have");
    } else if (what->type == MESSAGE_HEARTBEAT && what->heartbeat.running_count == 1 &&
               attempt_id_equal(&what->heartbeat.running[0].attempt, own)) {
        listener->progress(listener->context, *own, what->heartbeat.running[0].done_permille);
    } else if (what->type == MESSAGE_FETCH && attempt_id_equal(&what->fetch.attempt, own) && slot->asking) {
        slot_kill(slot, "asked for more before it was answered"); /* each costs the coordinator a part of a document */
    } else if (what->type == MESSAGE_FETCH && attempt_id_equal(&what->fetch.attempt, own)) {
        slot->asking = true;
        listener->fetch(listener->context, &what->fetch);
    } else if (what->type == MESSAGE_RESULT && attempt_id_equal(&what->result.attempt, own)) {
        pool->idle_deaths = 0;
        slot_ended(slot, &what->result);
    } else {
        slot_kill(slot, "sent a message of another task");
    }
}

/* Reads what is there, at most count frames. */
static void slot_read(executor_slot *slot, uint32_t count)
{
    executor_pool *pool = slot->pool;
    for (uint32_t i = 0; i < count && slot->link != NULL && !slot->killed; i++) {
        ssize_t size = recv(slot->link->socket, pool->received, FRAME_BYTES_MAX, MSG_DONTWAIT | MSG_TRUNC);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (size <= 0) {
            slot_unlink(slot); /* it is ending, or will be helped to; SIGCHLD tells how */
            if (slot->process != 0)
                kill(slot->process, SIGKILL);
        } else if (size > FRAME_BYTES_MAX) {
            slot_kill(slot, "sent a message over the size limit");
        } else {
            slot_heard(slot, pool->received, (size_t)size);
        }
    }
}

static void on_readable(uv_poll_t *poll, int result, int events)
{
    (void)result;
    (void)events;
    executor_link *link = poll->data;
    if (link->slot != NULL && link->slot->killed)
        slot_unlink(link->slot); /* not heard any more; its end comes by SIGCHLD */
    else if (link->slot != NULL)
        slot_read(link->slot, POOL_BUDGET);
}

/* ---- executors that hang ---- */

/*
 * The kernel ends a killed process only when the call it is in returns; on a dead mount that may be never. The process
 * does nothing new any more, so its task is over (what its last write may still bring is what the task writes there
 * every time), and the slot gets another process. As many as there are slots; then the machine is of no use.
 */
static void slot_give_up(executor_slot *slot)
{
    executor_pool *pool = slot->pool;
    if (pool->stuck_count == pool->slot_count) {
        pool->listener.hopeless(pool->listener.context, "executors stand in the kernel and cannot be ended; a mount may be dead");
        return;
    }
    message_result result = {.attempt = slot->attempt, .code = STATUS_NODE_HUNG};
    snprintf(result.detail, sizeof result.detail,
             "the executor of this %s task was killed and stands in the kernel: storage does not answer there; look at "
             "that machine's mounts", task_kind_name(slot->kind));
    log_line(LOG_ERROR, "executor.stuck", "process=%d job=%u task=%u epoch=%u stuck=%u", (int)slot->process,
             slot->attempt.job, slot->attempt.task, slot->attempt.epoch, pool->stuck_count + 1);
    pool->stuck[pool->stuck_count++] = slot->process;
    bool began = slot->busy && slot->waiting == NULL;
    slot_unlink(slot);
    slot->process = 0;
    slot->killed = false;
    if (began)
        slot_ended(slot, &result);
    pool_wake(pool, 0);
}

/*
 * Time is counted in looks: when this process itself stood still, and the executors perhaps with it, that is one look
 * and no proof. What an executor has said is read before it is judged.
 */
static void on_watchdog(uv_timer_t *timer)
{
    executor_pool *self = timer->data;
    for (uint32_t i = 0; i < self->slot_count; i++) {
        executor_slot *slot = &self->slots[i];
        slot->killed_looks = slot->process != 0 && slot->killed ? slot->killed_looks + 1 : 0;
        if (slot->killed_looks >= STUCK_LOOKS)
            slot_give_up(slot);
        bool judged = slot->busy && slot->waiting == NULL && !slot->asking && slot->process != 0 && !slot->killed;
        if (!judged) {
            slot->quiet_looks = 0;
            continue;
        }
        slot->quiet_looks++;
        slot_read(slot, POOL_BUDGET);
        if (slot->quiet_looks < HANG_LOOKS || slot->killed || !slot->busy)
            continue;
        char fault[sizeof slot->fault];
        snprintf(fault, sizeof fault, "made no progress for %u s", self->hang_ms / 1000);
        slot_kill(slot, fault);
        slot->hung = true;
        log_line(LOG_WARN, "executor.hung", "process=%d job=%u task=%u epoch=%u hang_s=%u", (int)slot->process,
                 slot->attempt.job, slot->attempt.task, slot->attempt.epoch, self->hang_ms / 1000);
    }
}

/* ---- starting ---- */

static void slot_hand_over(executor_slot *slot)
{
    if (slot->waiting == NULL || slot->dropped || slot->process == 0 || slot->killed || slot->link == NULL)
        return;
    ssize_t sent = send(slot->link->socket, slot->waiting, slot->waiting_size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
        /* Its buffer is empty, so it is dead or dying: the task waits for the next one. */
        kill(slot->process, SIGKILL);
        return;
    }
    free(slot->waiting);
    slot->waiting = NULL;
    slot->asking = false;
    slot->quiet_looks = 0;
    slot->begun_ms = uv_hrtime() / 1000000;
}

static status slot_spawn(executor_slot *slot, error_detail *detail)
{
    executor_pool *pool = slot->pool;
    executor_link *link = calloc(1, sizeof *link);
    ENSURE(link != NULL);
    status code = executor_spawn(pool->program, pool->roots, pool->cpu_cap, &slot->process, &link->socket, detail);
    if (code != STATUS_OK) {
        slot->process = 0;
        free(link);
        return code;
    }
    int watched = uv_poll_init(pool->loop, &link->poll, link->socket);
    ENSURE(watched == 0); /* a fresh socket that nobody else watches */
    link->poll.data = link;
    link->slot = slot;
    slot->link = link;
    slot->killed = false;
    slot->hung = false;
    slot->fault[0] = '\0';
    uv_poll_start(&link->poll, UV_READABLE, on_readable);
    slot_hand_over(slot);
    return STATUS_OK;
}

static uint64_t respawn_delay_ms(const executor_pool *self)
{
    return self->idle_deaths == 0 ? 0 : (uint64_t)RESPAWN_BASE_MS << self->idle_deaths;
}

static bool pool_hopeless(executor_pool *self, const char *reason)
{
    if (self->closing || self->idle_deaths <= IDLE_DEATHS_MAX)
        return false;
    self->listener.hopeless(self->listener.context, reason);
    return true;
}

static void on_timer(uv_timer_t *timer)
{
    executor_pool *self = timer->data;
    for (uint32_t i = 0; i < self->slot_count && !self->closing; i++) {
        executor_slot *slot = &self->slots[i];
        if (slot->busy && slot->dropped) {
            message_result result = {.attempt = slot->attempt, .code = STATUS_CANCELLED};
            slot_ended(slot, &result);
        }
        error_detail detail = {0};
        if (slot->process != 0 || self->closing || slot_spawn(slot, &detail) == STATUS_OK)
            continue;
        log_line(LOG_ERROR, "executor.not_started", "detail=\"%s\"", detail.message);
        self->idle_deaths++;
        if (!pool_hopeless(self, detail.message))
            pool_wake(self, respawn_delay_ms(self));
        return;
    }
}

/* ---- the end of a process ---- */

static void describe_death(const executor_slot *slot, bool cancelled, int how, char *out, size_t out_size)
{
    const char *kind = task_kind_name(slot->kind);
    if (slot->fault[0] != '\0') {
        snprintf(out, out_size, "the executor of this %s task was stopped because it %s", kind, slot->fault);
    } else if (cancelled) {
        snprintf(out, out_size, "the executor of this %s task was ended: the task is not wanted here any more", kind);
    } else if (WIFSIGNALED(how)) {
        int number = WTERMSIG(how);
        const char *name = sigabbrev_np(number);
        const char *hint = number == SIGKILL  ? "; the kernel does this when memory runs out"
                           : number == SIGSYS ? "; it tried a system call that no task may make (journalctl -k -g sig=31 says which)"
                                              : "";
        snprintf(out, out_size, "the executor of this %s task was ended by SIG%s (%s) after %llu ms%s", kind,
                 name == NULL ? "?" : name, strsignal(number),
                 (unsigned long long)(uv_hrtime() / 1000000 - slot->begun_ms), hint);
    } else {
        snprintf(out, out_size, "the executor of this %s task left with exit code %d in the middle of it", kind,
                 WEXITSTATUS(how));
    }
}

/* A program of another version takes no task, however often it is started: the worker leaves, and no task is to blame. */
static bool pool_other_version(executor_pool *self, int how)
{
    error_detail detail = {0};
    if (self->closing || !WIFEXITED(how) ||
        executor_program_check(self->program, self->program_path, VERSION_MS, &detail) != STATUS_PEER_VERSION)
        return false;
    self->listener.hopeless(self->listener.context, detail.message);
    return true;
}

static void slot_died(executor_slot *slot, int how)
{
    executor_pool *pool = slot->pool;
    slot->process = 0; /* its number may be another's from now on */
    if (!slot->killed)
        slot_read(slot, UINT32_MAX); /* what it said before */
    slot_unlink(slot);
    if (!slot->killed && pool_other_version(pool, how))
        return;
    bool began = slot->busy && slot->waiting == NULL;
    bool ours = slot->killed;
    slot->killed = false;
    if (began) {
        message_result result = {.attempt = slot->attempt,
                                 .code = slot->hung ? STATUS_NODE_HUNG : STATUS_NODE_CRASHED};
        bool cancelled = ours && !slot->hung && slot->fault[0] == '\0';
        describe_death(slot, cancelled, how, result.detail, sizeof result.detail);
        log_line(cancelled ? LOG_DEBUG : LOG_WARN, cancelled ? "executor.ended" : "executor.died", "job=%u task=%u epoch=%u detail=\"%s\"", slot->attempt.job, slot->attempt.task,
                 slot->attempt.epoch, result.detail);
        slot_ended(slot, &result);
    } else if (!ours) {
        pool->idle_deaths++;
        log_line(LOG_WARN, "executor.died", "wait_status=%d reason=\"without a task\"", how);
    }
    if (!pool_hopeless(pool, "executors die before they are given a task"))
        pool_wake(pool, respawn_delay_ms(pool));
}

static void pool_reap(executor_pool *self)
{
    for (uint32_t i = 0; i < self->slot_count; i++) {
        int how = 0;
        if (self->slots[i].process != 0 && waitpid(self->slots[i].process, &how, WNOHANG) == self->slots[i].process)
            slot_died(&self->slots[i], how);
    }
    for (uint32_t i = 0; i < self->stuck_count;) {
        if (waitpid(self->stuck[i], NULL, WNOHANG) == 0) {
            i++;
            continue;
        }
        log_line(LOG_INFO, "executor.unstuck", "process=%d", (int)self->stuck[i]);
        self->stuck[i] = self->stuck[--self->stuck_count];
    }
}

static void on_child_signal(uv_signal_t *handle, int number)
{
    (void)number;
    pool_reap(handle->data);
}

/* ---- the pool ---- */

status executor_pool_create(executor_pool **out_pool, uv_loop_t *loop, const executor_pool_config *config,
                            const executor_listener *listener, error_detail *detail)
{
    ENSURE(config->slots >= 1 && config->slots <= WORKER_SLOTS_MAX);
    executor_pool *self = calloc(1, sizeof *self + config->slots * sizeof self->slots[0]);
    ENSURE(self != NULL);
    self->loop = loop;
    self->listener = *listener;
    self->roots = config->roots;
    self->cpu_cap = config->cpu_cap;
    snprintf(self->program_path, sizeof self->program_path, "%s", config->program);
    self->slot_count = config->slots;
    self->hang_ms = config->hang_ms > 0 ? config->hang_ms : EXECUTOR_HANG_MS;
    self->received = malloc(FRAME_BYTES_MAX);
    self->stuck = calloc(config->slots, sizeof *self->stuck);
    ENSURE(self->received != NULL && self->stuck != NULL);
    byte_writer_init(&self->frame, FRAME_BYTES_MAX);
    uv_signal_init(loop, &self->child_signal);
    uv_timer_init(loop, &self->timer);
    uv_timer_init(loop, &self->watchdog);
    self->child_signal.data = self->timer.data = self->watchdog.data = self;
    self->open_handles = 3;
    uv_signal_start(&self->child_signal, on_child_signal, SIGCHLD);
    uint64_t look_ms = self->hang_ms / HANG_LOOKS > 0 ? self->hang_ms / HANG_LOOKS : 1;
    uv_timer_start(&self->watchdog, on_watchdog, look_ms, look_ms);
    status code = executor_program_open(config->program, &self->program, detail);
    for (uint32_t i = 0; i < self->slot_count; i++)
        self->slots[i].pool = self;
    for (uint32_t i = 0; i < self->slot_count && code == STATUS_OK; i++)
        code = slot_spawn(&self->slots[i], detail);
    if (code != STATUS_OK)
        executor_pool_close(&self);
    else
        *out_pool = self;
    return code;
}

static executor_slot *pool_find(executor_pool *self, const attempt_id *attempt)
{
    for (uint32_t i = 0; i < self->slot_count; i++) {
        if (self->slots[i].busy && !self->slots[i].dropped && attempt_id_equal(&self->slots[i].attempt, attempt))
            return &self->slots[i];
    }
    return NULL;
}

void executor_pool_start(executor_pool *self, attempt_id attempt, task_kind kind, const void *body, size_t body_size)
{
    executor_slot *slot = NULL;
    for (uint32_t i = 0; i < self->slot_count; i++) {
        executor_slot *candidate = &self->slots[i];
        bool ready = candidate->process != 0 && !candidate->killed;
        if (!candidate->busy && (slot == NULL || ready))
            slot = candidate;
    }
    ENSURE(slot != NULL); /* the session starts no more than there are slots */
    message what = {.type = MESSAGE_ASSIGN,
                    .assign = {.task_count = 1,
                               .tasks = {{attempt, (uint32_t)kind, {.bytes = body, .size = (uint32_t)body_size}}}}};
    byte_writer_reset(&self->frame);
    status code = message_encode(&what, &self->frame);
    ENSURE(code == STATUS_OK); /* it came in such a frame */
    slot->busy = true;
    slot->attempt = attempt;
    slot->kind = kind;
    slot->waiting_size = self->frame.size;
    slot->waiting = malloc(self->frame.size);
    ENSURE(slot->waiting != NULL);
    memcpy(slot->waiting, self->frame.bytes, self->frame.size);
    slot_hand_over(slot);
}

void executor_pool_kill(executor_pool *self, attempt_id attempt)
{
    executor_slot *slot = pool_find(self, &attempt);
    if (slot == NULL)
        return;
    if (slot->waiting == NULL) {
        slot_kill(slot, "");
    } else {
        slot->dropped = true;
        pool_wake(self, 0);
    }
}

void executor_pool_give(executor_pool *self, attempt_id attempt, const void *frame, size_t byte_size)
{
    executor_slot *slot = pool_find(self, &attempt);
    if (slot == NULL || slot->killed || slot->link == NULL || slot->waiting != NULL)
        return;
    slot->asking = false;
    if (send(slot->link->socket, frame, byte_size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        slot_kill(slot, "does not take the document it asked for");
}

static void on_pool_closed(uv_handle_t *handle)
{
    executor_pool *self = handle->data;
    if (--self->open_handles > 0)
        return;
    byte_writer_deinit(&self->frame);
    if (self->program >= 0)
        close(self->program);
    free(self->received);
    free(self->stuck);
    free(self);
}

/* One that stands in the kernel is left to it. */
static void process_await(pid_t process)
{
    for (int look = 0; look < CLOSE_LOOKS && waitpid(process, NULL, WNOHANG) == 0; look++)
        (void)poll(NULL, 0, CLOSE_LOOK_MS);
}

void executor_pool_close(executor_pool **self)
{
    executor_pool *pool = *self;
    if (pool == NULL)
        return;
    *self = NULL;
    pool->closing = true;
    for (uint32_t i = 0; i < pool->slot_count; i++) {
        if (pool->slots[i].process != 0)
            kill(pool->slots[i].process, SIGKILL);
    }
    for (uint32_t i = 0; i < pool->slot_count; i++) {
        executor_slot *slot = &pool->slots[i];
        if (slot->process != 0)
            process_await(slot->process);
        slot->process = 0;
        slot_unlink(slot);
        free(slot->waiting);
        slot->waiting = NULL;
    }
    uv_close((uv_handle_t *)&pool->child_signal, on_pool_closed);
    uv_close((uv_handle_t *)&pool->timer, on_pool_closed);
    uv_close((uv_handle_t *)&pool->watchdog, on_pool_closed);
}

size_t executor_pool_processes(const executor_pool *self, pid_t *out_ids, size_t capacity)
{
    size_t count = 0;
    for (uint32_t i = 0; i < self->slot_count && count < capacity; i++) {
        if (self->slots[i].process != 0)
            out_ids[count++] = self->slots[i].process;
    }
    return count;
}
