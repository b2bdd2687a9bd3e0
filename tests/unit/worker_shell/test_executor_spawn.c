#define _GNU_SOURCE
/* Programs of executors, before one is started. */
#include "worker/shell/executor_spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static void executor_program_check__tells_another_version_from_what_could_not_be_asked(void **state)
{
    (void)state;
    struct rlimit before;
    error_detail detail = {0};
    int program = open("/bin/echo", O_PATH | O_CLOEXEC);
    assert_true(program >= 0 && getrlimit(RLIMIT_NOFILE, &before) == 0);
    assert_int_equal(executor_program_check(program, "/bin/echo", 10000, &detail), STATUS_PEER_VERSION);
    assert_non_null(strstr(detail.message, "/bin/echo says of itself 'echo ("));
    const struct rlimit few = {.rlim_cur = 3, .rlim_max = before.rlim_max}; /* no pipe is to be had */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    status code = executor_program_check(program, "/bin/echo", 10000, &detail);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    close(program);
    assert_int_equal(code, STATUS_NODE_SYSTEM);
    assert_non_null(strstr(detail.message, "/bin/echo cannot be asked for its version (EMFILE)"));
}

/* The worker's loop stands still meanwhile, and its leases run. */
static void executor_program_check__waits_no_longer_than_it_may_for_an_answer(void **state)
{
    (void)state;
    error_detail detail = {0};
    int program = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    assert_true(program >= 0);
    assert_int_equal(executor_program_check(program, "a silent one", 20, &detail), STATUS_NODE_SYSTEM);
    close(program);
    assert_non_null(strstr(detail.message, "a silent one cannot be asked for its version (ETIMEDOUT)"));
}

int main(int argc, char **argv)
{
    while (argc == 2 && strcmp(argv[1], "--version") == 0) { /* as a program that comes to no end of its answer */
        (void)!write(STDOUT_FILENO, "x", 1);
        (void)poll(NULL, 0, 5);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(executor_program_check__tells_another_version_from_what_could_not_be_asked),
        cmocka_unit_test(executor_program_check__waits_no_longer_than_it_may_for_an_answer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
