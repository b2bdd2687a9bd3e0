/* Who gives connections back when descriptors run short: real descriptors, whose other ends see who is hung up on. */
#define _GNU_SOURCE
#include "coordinator/shell/connection_share.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { FARM = 200, KEPT = 96, DESCRIPTORS = KEPT * 4 / 3 };

typedef struct line {
    int ours, theirs;
} line;

static line line_open(connection_share *share)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    connection_share_opened(share, ends[0]);
    return (line){ends[0], ends[1]};
}

static bool is_up(const line *self)
{
    char byte;
    return recv(self->theirs, &byte, 1, 0) < 0 && errno == EAGAIN;
}

static void line_close(connection_share *share, const line *self)
{
    connection_share_closed(share, self->ours);
    close(self->ours);
    close(self->theirs);
}

/* A farm that shares one key has more workers than there are descriptors: those that are there stay, however often it is
   looked, and the only connection of another key, which came last, does too. */
static void connection_share__keeps_the_workers_that_are_at_work(void **state)
{
    (void)state;
    line farm[FARM];
    struct rlimit all, few;
    connection_share *share = connection_share_create();
    assert_non_null(share);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    few = (struct rlimit){.rlim_cur = DESCRIPTORS, .rlim_max = all.rlim_max};
    for (uint32_t i = 0; i < FARM; i++)
        farm[i] = line_open(share);
    for (uint32_t i = 0; i < FARM; i++)
        assert_int_equal(connection_share_heard(share, farm[i].ours, "farm"), 1);
    line operator = line_open(share);
    assert_int_equal(connection_share_heard(share, operator.ours, "chief"), 2);
    assert_int_equal(connection_share_check(share), 0); /* there is room */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    assert_int_equal(connection_share_check(share), FARM + 1 - KEPT);
    for (uint32_t look = 0; look < 3; look++) {
        for (uint32_t i = 0; i < KEPT - 1; i++)
            (void)connection_share_heard(share, farm[KEPT - 2 - i].ours, "farm"); /* in any order */
        assert_int_equal(connection_share_check(share), 0);
        for (uint32_t i = 0; i < FARM; i++)
            assert_int_equal(is_up(&farm[i]), i < KEPT - 1);
        assert_true(is_up(&operator));
    }
    /* Those who were sent away come again and again; nobody who is at work makes room for them. */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
    for (uint32_t i = KEPT - 1; i < FARM; i++) {
        line_close(share, &farm[i]);
        farm[i] = line_open(share);
        (void)connection_share_heard(share, farm[i].ours, "farm");
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    assert_int_equal(connection_share_check(share), FARM + 1 - KEPT);
    for (uint32_t i = 0; i < FARM; i++)
        assert_int_equal(is_up(&farm[i]), i < KEPT - 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
    for (uint32_t i = 0; i < FARM; i++)
        line_close(share, &farm[i]);
    line_close(share, &operator);
    connection_share_destroy(&share);
}

/* Of those who have not spoken the oldest go: who comes to speak finds a place. */
static void connection_share__lets_newcomers_past_those_who_say_nothing(void **state)
{
    (void)state;
    line silent[FARM];
    struct rlimit all, few;
    connection_share *share = connection_share_create();
    assert_non_null(share);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    few = (struct rlimit){.rlim_cur = DESCRIPTORS, .rlim_max = all.rlim_max};
    for (uint32_t i = 0; i < FARM; i++)
        silent[i] = line_open(share);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    assert_int_equal(connection_share_check(share), FARM - KEPT);
    for (uint32_t i = 0; i < FARM; i++)
        assert_int_equal(is_up(&silent[i]), i >= FARM - KEPT);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
    for (uint32_t i = 0; i < FARM; i++)
        line_close(share, &silent[i]);
    connection_share_destroy(&share);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connection_share__keeps_the_workers_that_are_at_work),
        cmocka_unit_test(connection_share__lets_newcomers_past_those_who_say_nothing),
    };
    return cmocka_run_group_tests_name("connection_share", tests, NULL, NULL);
}
