#define _GNU_SOURCE
#include "coordinator/shell/end_hook.h"

#include "common/base/log.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VARIABLES = 6, VARIABLE_BYTES_MAX = 512 };

typedef struct hook_run {
    struct hook_run *next;
    struct end_hook *hook;
    uint32_t job;
    char variables[VARIABLES][VARIABLE_BYTES_MAX];
    char *document;
    size_t document_size;
    uv_process_t process;
    uv_pipe_t input;
    uv_write_t write;
    uv_timer_t timer;
    uint32_t open_handles;
} hook_run;

struct end_hook {
    uv_loop_t *loop;
    const char *const *arguments;
    uint32_t limit_ms;
    uint32_t waiting_count, running_count;
    uint64_t dropped_count;
    hook_run *first, *last; /* those that wait */
    hook_run *running[HOOKS_AT_ONCE];
    bool closing;
};

static void start_next(end_hook *self);

static void free_run(hook_run *run)
{
    free(run->document);
    free(run);
}

static void on_handle_closed(uv_handle_t *handle)
{
    hook_run *run = handle->data;
    if (--run->open_handles > 0)
        return;
    end_hook *self = run->hook;
    for (uint32_t i = 0; i < self->running_count; i++)
        if (self->running[i] == run)
            self->running[i] = self->running[--self->running_count];
    free_run(run);
    if (!self->closing)
        start_next(self);
    else if (self->running_count == 0)
        free(self);
}

static void close_run(hook_run *run)
{
    uv_handle_t *handles[] = {(uv_handle_t *)&run->process, (uv_handle_t *)&run->input, (uv_handle_t *)&run->timer};
    for (size_t i = 0; i < sizeof handles / sizeof handles[0]; i++)
        if (!uv_is_closing(handles[i]))
            uv_close(handles[i], on_handle_closed);
}

static void on_process_exit(uv_process_t *process, int64_t exit_code, int number)
{
    hook_run *run = process->data;
    bool good = exit_code == 0 && number == 0;
    log_line(good ? LOG_INFO : LOG_WARN, "hook.ended", "job=%u exit=%d signal=%d", run->job, (int)exit_code, number);
    close_run(run);
}

/* Its children too: it leads a group of its own. */
static void kill_run(hook_run *run)
{
    if (run->process.pid > 0)
        (void)kill(-run->process.pid, SIGKILL);
}

static void on_limit(uv_timer_t *timer)
{
    hook_run *run = timer->data;
    log_line(LOG_WARN, "hook.killed", "job=%u limit_ms=%u", run->job, run->hook->limit_ms);
    kill_run(run);
}

/* It may leave without having read: no harm. */
static void on_written(uv_write_t *write, int result)
{
    hook_run *run = write->data;
    (void)result;
    if (!uv_is_closing((uv_handle_t *)&run->input))
        uv_close((uv_handle_t *)&run->input, on_handle_closed);
}

static void start_run(hook_run *run)
{
    end_hook *self = run->hook;
    char *variables[VARIABLES + 1] = {0};
    for (int i = 0; i < VARIABLES; i++)
        variables[i] = run->variables[i];
    uv_stdio_container_t streams[3] = {{.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&run->input},
                                       {.flags = UV_INHERIT_FD, .data.fd = 2},
                                       {.flags = UV_INHERIT_FD, .data.fd = 2}};
    uv_process_options_t options = {.file = self->arguments[0],
                                    .args = (char **)(uintptr_t)self->arguments,
                                    .env = variables,
                                    .exit_cb = on_process_exit,
                                    .stdio = streams,
                                    .stdio_count = 3,
                                    .flags = UV_PROCESS_DETACHED};
    self->running[self->running_count++] = run;
    run->open_handles = 3;
    uv_pipe_init(self->loop, &run->input, 0);
    uv_timer_init(self->loop, &run->timer);
    run->process.data = run->input.data = run->timer.data = run->write.data = run;
    int code = uv_spawn(self->loop, &run->process, &options);
    if (code != 0) {
        log_line(LOG_WARN, "hook.failed", "job=%u program=\"%s\" reason=\"%s\"", run->job, self->arguments[0], uv_strerror(code));
        close_run(run);
        return;
    }
    uv_timer_start(&run->timer, on_limit, self->limit_ms, 0);
    uv_buf_t text = {.base = run->document, .len = run->document_size};
    if (uv_write(&run->write, (uv_stream_t *)&run->input, &text, 1, on_written) != 0)
        uv_close((uv_handle_t *)&run->input, on_handle_closed);
}

static void start_next(end_hook *self)
{
    while (self->first != NULL && self->running_count < HOOKS_AT_ONCE) {
        hook_run *run = self->first;
        self->first = run->next;
        self->waiting_count--;
        start_run(run);
    }
}

status end_hook_create(end_hook **out_hook, uv_loop_t *loop, const char *const *arguments, uint32_t limit_ms)
{
    end_hook *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NODE_MEMORY;
    *self = (end_hook){.loop = loop, .arguments = arguments, .limit_ms = limit_ms};
    *out_hook = self;
    return STATUS_OK;
}

void end_hook_tell(end_hook *self, const end_hook_news *news)
{
    hook_run *run = self->waiting_count < HOOKS_WAITING_MAX ? calloc(1, sizeof *run) : NULL;
    if (run == NULL) {
        self->dropped_count++;
        log_line(LOG_ERROR, "hook.dropped", "job=%u waiting=%u", news->job, self->waiting_count);
        free(news->document);
        return;
    }
    run->hook = self;
    run->job = news->job;
    run->document = news->document;
    run->document_size = news->document_size;
    snprintf(run->variables[0], VARIABLE_BYTES_MAX, "PATH=/usr/local/bin:/usr/bin:/bin");
    snprintf(run->variables[1], VARIABLE_BYTES_MAX, "REELMILL_JOB=%u", news->job);
    snprintf(run->variables[2], VARIABLE_BYTES_MAX, "REELMILL_TITLE=%s", news->title);
    snprintf(run->variables[3], VARIABLE_BYTES_MAX, "REELMILL_VERSION=%s", news->version);
    snprintf(run->variables[4], VARIABLE_BYTES_MAX, "REELMILL_VERDICT=%s", news->verdict);
    snprintf(run->variables[5], VARIABLE_BYTES_MAX, "REELMILL_EXIT_CODE=%d", news->exit_code);
    if (self->first == NULL)
        self->first = run;
    else
        self->last->next = run;
    self->last = run;
    self->waiting_count++;
    start_next(self);
}

uint64_t end_hook_dropped(const end_hook *self)
{
    return self == NULL ? 0 : self->dropped_count;
}

void end_hook_close(end_hook **self)
{
    end_hook *gone = *self;
    if (gone == NULL)
        return;
    *self = NULL;
    gone->closing = true;
    while (gone->first != NULL) {
        hook_run *run = gone->first;
        gone->first = run->next;
        free_run(run);
    }
    for (uint32_t i = 0; i < gone->running_count; i++)
        kill_run(gone->running[i]);
    if (gone->running_count == 0)
        free(gone);
}
