/* Real executor processes of this very program, with tasks that do what hostile audio might bring about. */
#define _GNU_SOURCE
#include "common/base/log.h"
#include "proto/message_encode.h"
#include "worker/executor/executor.h"
#include "worker/executor/sandbox.h"
#include "worker/shell/executor_pool.h"
#include "worker/shell/executor_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 30000 /* for a machine under load; a healthy one needs milliseconds */, HANG_MS = 1000 };

typedef struct pool_stage {
    uv_loop_t loop;
    uv_timer_t patience;
    executor_pool *pool;
    storage_roots roots;
    char folder[64];
    char read_only[96];
    char writable[96];
    /* what was heard */
    uint32_t cell_count;
    size_t cell_bytes;
    uint32_t progress;
    uint32_t ended_count;
    message_result ended;
    char payload[8192];
    size_t payload_size;
    bool fetched;
    message_fetch fetch;
    bool hopeless;
    char reason[400];
    status cell_answer;
} pool_stage;

static status on_cell(void *context, attempt_id attempt, const void *frame, size_t byte_size)
{
    pool_stage *stage = context;
    (void)frame;
    assert_int_equal(attempt.job, 1);
    stage->cell_count++;
    stage->cell_bytes = byte_size;
    return stage->cell_answer;
}

static void on_progress(void *context, attempt_id attempt, uint32_t done_permille)
{
    pool_stage *stage = context;
    (void)attempt;
    stage->progress = done_permille;
}

static void on_fetch(void *context, const message_fetch *fetch)
{
    pool_stage *stage = context;
    stage->fetched = true;
    stage->fetch = *fetch;
    uv_stop(&stage->loop);
}

static void on_ended(void *context, const message_result *result)
{
    pool_stage *stage = context;
    stage->ended_count++;
    stage->ended = *result;
    stage->payload_size = result->payload.size < sizeof stage->payload - 1 ? result->payload.size : 0;
    if (stage->payload_size > 0)
        memcpy(stage->payload, result->payload.bytes, stage->payload_size);
    stage->payload[stage->payload_size] = '\0';
    uv_stop(&stage->loop);
}

static void on_hopeless(void *context, const char *reason)
{
    pool_stage *stage = context;
    stage->hopeless = true;
    snprintf(stage->reason, sizeof stage->reason, "%s", reason);
    uv_stop(&stage->loop);
}

static void on_patience(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("nothing happened for %d ms", PATIENCE_MS);
}

static void on_news_wanted(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void run_until_news(pool_stage *stage)
{
    uv_update_time(&stage->loop);
    uv_timer_start(&stage->patience, on_patience, PATIENCE_MS, 0);
    uv_run(&stage->loop, UV_RUN_DEFAULT);
    uv_timer_stop(&stage->patience);
}

static void run_until_ended(pool_stage *stage)
{
    uint32_t before = stage->ended_count;
    while (stage->ended_count == before && !stage->hopeless)
        run_until_news(stage);
}

/* The executors' program: this one, or what the test names. */
static int stage_up(void **state)
{
    const char *of_executors = *state == NULL ? "/proc/self/exe" : *state;
    pool_stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    *state = stage;
    log_set_level(LOG_SILENT);
    strcpy(stage->folder, "/tmp/executor_pool_XXXXXX");
    assert_non_null(mkdtemp(stage->folder));
    snprintf(stage->read_only, sizeof stage->read_only, "%s/media", stage->folder);
    snprintf(stage->writable, sizeof stage->writable, "%s/out", stage->folder);
    assert_int_equal(mkdir(stage->read_only, 0700), 0);
    assert_int_equal(mkdir(stage->writable, 0700), 0);
    char path[160];
    snprintf(path, sizeof path, "%s/a.wav", stage->read_only);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(storage_roots_add(&stage->roots, "media", stage->read_only, false, NULL), STATUS_OK);
    assert_int_equal(storage_roots_add(&stage->roots, "out", stage->writable, true, NULL), STATUS_OK);
    assert_int_equal(uv_loop_init(&stage->loop), 0);
    uv_timer_init(&stage->loop, &stage->patience);
    const executor_listener listener = {.context = stage,
                                        .cell = on_cell,
                                        .progress = on_progress,
                                        .fetch = on_fetch,
                                        .ended = on_ended,
                                        .hopeless = on_hopeless};
    /* It is gone once the pool is there, as at an installation: every executor, also one after a death, is of what was opened. */
    char program[128];
    snprintf(program, sizeof program, "%s/program", stage->folder);
    assert_int_equal(symlink(of_executors, program), 0);
    const executor_pool_config config = {.program = program, .slots = 1, .cpu_cap = "scalar", .roots = &stage->roots, .hang_ms = HANG_MS};
    error_detail detail = {0};
    if (executor_pool_create(&stage->pool, &stage->loop, &config, &listener, &detail) != STATUS_OK)
        fail_msg("%s", detail.message);
    unlink(program);
    return 0;
}

static int stage_down(void **state)
{
    pool_stage *stage = *state;
    pid_t processes[4];
    size_t count = executor_pool_processes(stage->pool, processes, 4);
    executor_pool_close(&stage->pool);
    for (size_t i = 0; i < count; i++)
        assert_true(kill(processes[i], 0) != 0 && errno == ESRCH); /* nothing is left behind */
    uv_close((uv_handle_t *)&stage->patience, NULL);
    uv_run(&stage->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&stage->loop), 0);
    storage_roots_deinit(&stage->roots);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", stage->folder);
    assert_int_equal(system(command), 0);
    free(stage);
    return 0;
}

static attempt_id attempt_of(uint32_t task)
{
    return (attempt_id){.job = 1, .task = task, .term = 1, .epoch = 1};
}

static void start(pool_stage *stage, uint32_t task, const char *body)
{
    executor_pool_start(stage->pool, attempt_of(task), TASK_RENDER, body, strlen(body));
}

static pid_t only_process(const pool_stage *stage)
{
    pid_t process = 0;
    assert_int_equal(executor_pool_processes(stage->pool, &process, 1), 1);
    return process;
}

/* The next task runs as if nothing had been. */
static void assert_still_works(pool_stage *stage)
{
    start(stage, 1000, "cells 1 0");
    run_until_ended(stage);
    assert_int_equal(stage->ended.attempt.task, 1000);
    assert_int_equal(stage->ended.code, STATUS_OK);
    assert_string_equal(stage->payload, "done");
}

static void executor_pool__runs_tasks_one_after_the_other_in_one_process(void **state)
{
    pool_stage *stage = *state;
    pid_t process = only_process(stage);
    start(stage, 1, "cells 3 1000");
    run_until_ended(stage);
    assert_int_equal(stage->ended.code, STATUS_OK);
    assert_int_equal(stage->cell_count, 3);
    assert_true(stage->cell_bytes > 1000);
    assert_true(stage->progress > 0);
    assert_string_equal(stage->payload, "done");
    start(stage, 2, "fail");
    run_until_ended(stage);
    assert_int_equal(stage->ended.code, STATUS_STORAGE_FULL);
    assert_string_equal(stage->ended.detail, "the disk of out is full");
    assert_still_works(stage);
    assert_int_equal(only_process(stage), process);
}

static void executor_pool__passes_frames_as_large_as_they_may_be(void **state)
{
    pool_stage *stage = *state;
    /* Two measures: 131,072 and the rest of a frame but 64 bytes for everything else. */
    char body[64];
    snprintf(body, sizeof body, "cells 1 %d", FRAME_BYTES_MAX - 64);
    start(stage, 1, body);
    run_until_ended(stage);
    assert_int_equal(stage->ended.code, STATUS_OK);
    assert_int_equal(stage->cell_count, 1);
    assert_true(stage->cell_bytes > FRAME_BYTES_MAX - 64 && stage->cell_bytes <= FRAME_BYTES_MAX);
    /* And downwards: a body that fills its frame. */
    char *large = malloc(FRAME_BYTES_MAX);
    assert_non_null(large);
    memset(large, ' ', FRAME_BYTES_MAX);
    memcpy(large, "cells 1 0", 9);
    executor_pool_start(stage->pool, attempt_of(2), TASK_RENDER, large, FRAME_BYTES_MAX - 64);
    free(large);
    run_until_ended(stage);
    assert_int_equal(stage->ended.code, STATUS_OK);
}

static void executor_pool__blames_a_crash_on_its_task_and_starts_anew(void **state)
{
    pool_stage *stage = *state;
    pid_t process = only_process(stage);
    start(stage, 1, "abort");
    run_until_ended(stage);
    assert_int_equal(stage->ended.code, STATUS_NODE_CRASHED);
    assert_int_equal(stage->ended.attempt.task, 1);
    assert_non_null(strstr(stage->ended.detail, "render"));
    assert_non_null(strstr(stage->ended.detail, "SIGABRT"));
    start(stage, 2, "exit 3");
    run_until_ended(stage);
    assert_int_equal(stage->ended.code, STATUS_NODE_CRASHED);
    assert_non_null(strstr(stage->ended.detail, "exit code 3"));
    assert_still_works(stage);
    assert_int_not_equal(only_process(stage), process);
}

static void executor_pool__notices_an_executor_killed_from_outside(void **state)
{
    pool_stage *stage = *state;
    start(stage, 1, "wait");
    while (!stage->fetched)
        run_until_news(stage);
    assert_int_equal(kill(only_process(stage), SIGKILL), 0);
    run_until_ended(stage);
    assert_int_equal(stage->ended.code, STATUS_NODE_CRASHED);
    assert_non_null(strstr(stage->ended.detail, "SIGKILL"));
    assert_still_works(stage);
}

/* The bound is short here: nothing else of this program waits for an executor as long as that. */
static void executor_pool__stops_a_task_that_hangs_and_only_that(void **state)
{
    pool_stage *stage = *state;
    pid_t process = only_process(stage);
    start(stage, 1, "stop");
    run_until_ended(stage);
    assert_int_equal(stage->ended.code, STATUS_NODE_HUNG);
    assert_int_equal(stage->ended.attempt.task, 1);
    assert_non_null(strstr(stage->ended.detail, "made no progress for 1 s"));
    assert_true(kill(process, 0) != 0 && errno == ESRCH);
    assert_still_works(stage);
    /* One that waits for a document waits for others: twice the bound, and it lives. */
    process = only_process(stage);
    start(stage, 2, "wait");
    while (!stage->fetched)
        run_until_news(stage);
    uv_update_time(&stage->loop);
    uv_timer_start(&stage->patience, on_news_wanted, 2 * HANG_MS, 0);
    uv_run(&stage->loop, UV_RUN_DEFAULT);
    assert_int_equal(stage->ended_count, 2);
    assert_int_equal(only_process(stage), process);
    executor_pool_kill(stage->pool, attempt_of(2));
    run_until_ended(stage);
    assert_int_equal(stage->ended.code, STATUS_NODE_CRASHED);
}

/* A frozen control group stands for the kernel: what is in it is killed only when it thaws. */
static bool group_write(const char *group, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", group, name);
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    bool well = descriptor >= 0 && write(descriptor, text, strlen(text)) == (ssize_t)strlen(text);
    if (descriptor >= 0)
        close(descriptor);
    return well;
}

static void executor_pool__gives_up_a_process_that_cannot_be_ended(void **state)
{
    pool_stage *stage = *state;
    char group[96];
    char number[16];
    pid_t process = only_process(stage);
    snprintf(group, sizeof group, "/sys/fs/cgroup/freezer/reelmill-test-%d", (int)getpid());
    snprintf(number, sizeof number, "%d", (int)process);
    if (mkdir(group, 0700) != 0) {
        print_message("no freezer control group may be made here\n");
        skip();
    }
    start(stage, 1, "wait");
    while (!stage->fetched)
        run_until_news(stage);
    assert_true(group_write(group, "cgroup.procs", number) && group_write(group, "freezer.state", "FROZEN"));
    executor_pool_kill(stage->pool, attempt_of(1));
    run_until_ended(stage);
    assert_int_equal(stage->ended.code, STATUS_NODE_HUNG);
    assert_non_null(strstr(stage->ended.detail, "stands in the kernel"));
    assert_int_equal(kill(process, 0), 0); /* it is still there */
    assert_still_works(stage);             /* in another process */
    assert_true(group_write(group, "freezer.state", "THAWED"));
    while (kill(process, 0) == 0) { /* the kill arrives, and it is reaped */
        uv_update_time(&stage->loop);
        uv_timer_start(&stage->patience, on_news_wanted, 20, 0);
        uv_run(&stage->loop, UV_RUN_DEFAULT);
    }
    assert_int_equal(rmdir(group), 0);
}

static void executor_pool__reports_a_killed_task_once_its_process_is_gone(void **state)
{
    pool_stage *stage = *state;
    start(stage, 1, "wait");
    while (!stage->fetched)
        run_until_news(stage);
    pid_t process = only_process(stage);
    executor_pool_kill(stage->pool, attempt_of(1));
    executor_pool_kill(stage->pool, attempt_of(1));
    run_until_ended(stage);
    assert_int_equal(stage->ended.attempt.task, 1);
    assert_true(kill(process, 0) != 0 && errno == ESRCH);
    executor_pool_kill(stage->pool, attempt_of(1)); /* it is over: nothing to do */
    assert_still_works(stage);
}

static void executor_pool__drops_a_task_killed_before_an_executor_was_there(void **state)
{
    pool_stage *stage = *state;
    start(stage, 1, "abort");
    run_until_ended(stage);
    /* Its executor has just died and the next is not there yet: the task waits in the slot. */
    start(stage, 2, "abort");
    executor_pool_kill(stage->pool, attempt_of(2));
    run_until_ended(stage);
    assert_int_equal(stage->ended.attempt.task, 2);
    assert_int_equal(stage->ended.code, STATUS_CANCELLED);
    assert_still_works(stage);
}

static void executor_pool__hands_documents_down(void **state)
{
    pool_stage *stage = *state;
    static uint8_t document[6000];
    for (size_t i = 0; i < sizeof document; i++)
        document[i] = (uint8_t)('a' + i % 26);
    start(stage, 1, "fetch 7");
    byte_writer writer;
    byte_writer_init(&writer, FRAME_BYTES_MAX);
    while (stage->ended_count == 0) {
        run_until_news(stage);
        if (!stage->fetched)
            continue;
        stage->fetched = false;
        assert_int_equal(stage->fetch.document, 7);
        uint32_t size = (uint32_t)(sizeof document - stage->fetch.offset);
        message chunk = {.type = MESSAGE_CHUNK,
                         .chunk = {.attempt = stage->fetch.attempt,
                                   .document = 7,
                                   .offset = stage->fetch.offset,
                                   .total_size = sizeof document,
                                   .bytes = {document + stage->fetch.offset, size < 2500 ? size : 2500}}};
        byte_writer_reset(&writer);
        assert_int_equal(message_encode(&chunk, &writer), STATUS_OK);
        executor_pool_give(stage->pool, stage->fetch.attempt, writer.bytes, writer.size);
    }
    byte_writer_deinit(&writer);
    assert_int_equal(stage->ended.code, STATUS_OK);
    assert_int_equal(stage->payload_size, sizeof document);
    assert_memory_equal(stage->payload, document, sizeof document);
}

static void executor_pool__stops_an_executor_that_talks_nonsense(void **state)
{
    pool_stage *stage = *state;
    static const char *const bodies[] = {"garbage", "stranger", "giant", "counts", "cut 1", "cut 9"};
    for (uint32_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        start(stage, 7, bodies[i]);
        run_until_ended(stage);
        assert_int_equal(stage->ended.code, STATUS_NODE_CRASHED);
        assert_non_null(strstr(stage->ended.detail, "was stopped because it sent"));
    }
    start(stage, 7, "twice"); /* each question costs others something */
    run_until_ended(stage);
    assert_non_null(strstr(stage->ended.detail, "was stopped because it asked for more before it was answered"));
    assert_true(stage->fetched);
    stage->cell_answer = STATUS_PEER_IMPOSSIBLE; /* the session's word on a cell too many */
    start(stage, 3, "cells 1 0");
    run_until_ended(stage);
    assert_int_equal(stage->ended.code, STATUS_NODE_CRASHED);
    stage->cell_answer = STATUS_OK;
    assert_still_works(stage);
}

static void executor_pool__holds_executors_to_their_roots(void **state)
{
    pool_stage *stage = *state;
    if (sandbox_landlock_version() == 0) {
        print_message("this kernel has no Landlock\n");
        skip();
    }
    static const struct {
        const char *body, *payload;
    } cases[] = {
        {"read media a.wav", "read"},        {"write out new.wav", "write"}, {"write media b.wav", "denied"},
        {"read media ../out/new.wav", "read"}, {"open /etc/passwd", "denied"}, {"open /proc/self/maps", "denied"},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start(stage, i, cases[i].body);
        run_until_ended(stage);
        assert_int_equal(stage->ended.code, STATUS_OK);
        assert_string_equal(stage->payload, cases[i].payload);
    }
}

static void executor_pool__ends_executors_that_reach_for_the_network_or_for_processes(void **state)
{
    pool_stage *stage = *state;
    if (!sandbox_has_seccomp()) {
        print_message("this build has no seccomp filter (sanitizers need the calls it forbids)\n");
        skip();
    }
    static const char *const bodies[] = {
        "socket", "fork", "signal", "owner", "call setrlimit", "call prlimit64",
        "call dumpable", "call pdeathsig", "call utimensat", "call removexattr", "call lremovexattr",
        "call fremovexattr", "call truncate",
#if defined(__x86_64__)
        "call utime", "call utimes", "call futimesat",
#endif
    };
    for (uint32_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        start(stage, i, bodies[i]);
        run_until_ended(stage);
        assert_int_equal(stage->ended.code, STATUS_NODE_CRASHED);
        assert_non_null(strstr(stage->ended.detail, "SIGSYS"));
    }
    assert_still_works(stage);
}

#define TEXT(x) #x
#define NUMBER(call) TEXT(call)

static void executor_pool__refuses_executors_devices_other_calls_and_new_limits(void **state)
{
    pool_stage *stage = *state;
    if (!sandbox_has_seccomp()) {
        print_message("this build has no seccomp filter (sanitizers need the calls it forbids)\n");
        skip();
    }
    const char *queues = syscall(SYS_io_setup, 0, NULL) != 0 && errno == ENOSYS ? "unknown" : "survived";
    const struct {
        const char *body, *payload;
    } cases[] = {
        {"limits", "fixed"},
        {"type", "refused"},
        {"code", "refused"},
        /* no part of a task, and nothing that an intruder's first step would be: not there */
        {"number " NUMBER(SYS_flock), "unknown"},
        {"number " NUMBER(SYS_getxattr), "unknown"},
        {"number " NUMBER(SYS_inotify_init1), "unknown"},
        {"number " NUMBER(SYS_epoll_create1), "unknown"},
        {"number " NUMBER(SYS_timer_create), "unknown"},
        {"number " NUMBER(SYS_splice), "unknown"},
        {"number " NUMBER(SYS_vmsplice), "unknown"},
        {"number " NUMBER(SYS_seccomp), "unknown"},
        {"number " NUMBER(SYS_landlock_create_ruleset), "unknown"},
        {"number " NUMBER(SYS_pkey_mprotect), "unknown"},
        {"number " NUMBER(SYS_clone3), "unknown"},
        /* reading back waits in the one queue of the kernel's that is there, where it has them */
        {"number " NUMBER(SYS_io_submit), queues}, {"number " NUMBER(SYS_io_getevents), queues},
        {"number " NUMBER(SYS_io_setup), "unknown"}, {"number " NUMBER(SYS_io_destroy), "unknown"},
        {"number 451", "unknown"}, /* cachestat, the first one after Linux 6.1 */
        {"number 452", "unknown"}, /* fchmodat2 */
        {"number 463", "unknown"}, /* setxattrat */
        {"number 466", "unknown"}, /* removexattrat */
        {"number 468", "unknown"}, /* file_getattr */
        {"number 469", "unknown"}, /* file_setattr */
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start(stage, i, cases[i].body);
        run_until_ended(stage);
        assert_int_equal(stage->ended.code, STATUS_OK);
        assert_string_equal(stage->payload, cases[i].payload);
    }
}

static void executor_pool__gives_up_when_idle_executors_keep_dying(void **state)
{
    pool_stage *stage = *state;
    for (unsigned i = 0; i < 100 && !stage->hopeless; i++) {
        pid_t process = 0;
        while (executor_pool_processes(stage->pool, &process, 1) == 0)
            uv_run(&stage->loop, UV_RUN_ONCE);
        kill(process, SIGKILL);
        pid_t now = process;
        while (now == process && !stage->hopeless) {
            uv_run(&stage->loop, UV_RUN_ONCE);
            if (executor_pool_processes(stage->pool, &now, 1) == 0)
                break;
        }
    }
    assert_true(stage->hopeless);
}

/* A task that it was given is not to blame, and is not tried with it again. */
static void executor_pool__gives_up_a_program_of_another_version_at_once(void **state)
{
    pool_stage *stage = *state;
    char version[EXECUTOR_VERSION_MAX];
    start(stage, 1, "cells 1 0");
    run_until_ended(stage);
    assert_true(stage->hopeless && stage->ended_count == 0);
    assert_non_null(strstr(stage->reason, "/program says of itself 'echo ("));
    assert_non_null(strstr(stage->reason, executor_link_version(version)));
}

/* A part that was lost or may not be started is named, with what to do. */
static void executor_pool__names_a_program_that_cannot_be_run(void **state)
{
    const pool_stage *stage = *state;
    static const char *const wrong[][2] = {{"none", "No such file or directory"}, {"a.wav", "Permission denied"}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char path[160], sentence[400];
        int program = 0;
        error_detail detail = {0};
        snprintf(path, sizeof path, "%s/%s", stage->read_only, wrong[i][0]);
        snprintf(sentence, sizeof sentence, "the executors' program %s cannot be run: %s; install reelmill anew, on a file system "
                                            "that programs may be started from", path, wrong[i][1]);
        assert_int_equal(executor_program_open(path, &program, &detail), STATUS_NODE_SYSTEM);
        assert_int_equal(program, -1);
        assert_string_equal(detail.message, sentence);
    }
}

#define pool_test(f) cmocka_unit_test_setup_teardown(f, stage_up, stage_down)

int main(int argc, char **argv)
{
    executor_main_if_asked(argc, argv);
    const struct CMUnitTest tests[] = {
        pool_test(executor_pool__runs_tasks_one_after_the_other_in_one_process),
        pool_test(executor_pool__passes_frames_as_large_as_they_may_be),
        pool_test(executor_pool__blames_a_crash_on_its_task_and_starts_anew),
        pool_test(executor_pool__notices_an_executor_killed_from_outside),
        pool_test(executor_pool__stops_a_task_that_hangs_and_only_that),
        pool_test(executor_pool__gives_up_a_process_that_cannot_be_ended),
        pool_test(executor_pool__reports_a_killed_task_once_its_process_is_gone),
        pool_test(executor_pool__drops_a_task_killed_before_an_executor_was_there),
        pool_test(executor_pool__hands_documents_down),
        pool_test(executor_pool__stops_an_executor_that_talks_nonsense),
        cmocka_unit_test_prestate_setup_teardown(executor_pool__gives_up_a_program_of_another_version_at_once, stage_up,
                                                 stage_down, "/bin/echo"),
        pool_test(executor_pool__holds_executors_to_their_roots),
        pool_test(executor_pool__ends_executors_that_reach_for_the_network_or_for_processes),
        pool_test(executor_pool__refuses_executors_devices_other_calls_and_new_limits),
        pool_test(executor_pool__gives_up_when_idle_executors_keep_dying),
        pool_test(executor_pool__names_a_program_that_cannot_be_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
