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

/* A share, a farm's lines in it, and two limits of descriptors: what this process may have, and few. */
typedef struct farm_stage {
    connection_share *share;
    line lines[FARM];
    struct rlimit all, few;
} farm_stage;

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

static void stage_begin(farm_stage *self)
{
    self->share = connection_share_create();
    assert_non_null(self->share);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &self->all), 0);
    self->few = (struct rlimit){.rlim_cur = DESCRIPTORS, .rlim_max = self->all.rlim_max};
    for (uint32_t i = 0; i < FARM; i++)
        self->lines[i] = line_open(self->share);
}

static void stage_end(farm_stage *self)
{
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &self->all), 0);
    for (uint32_t i = 0; i < FARM; i++)
        line_close(self->share, &self->lines[i]);
    connection_share_destroy(&self->share);
}

/* A farm that shares one key has more workers than there are descriptors: those that are there stay, however often it is
   looked, and the only connection of another key, which came last, does too. */
static void connection_share__keeps_the_workers_that_are_at_work(void **state)
{
    (void)state;
    farm_stage stage;
    stage_begin(&stage);
    for (uint32_t i = 0; i < FARM; i++)
        assert_int_equal(connection_share_heard(stage.share, stage.lines[i].ours, "farm"), 1);
    line operator = line_open(stage.share);
    assert_int_equal(connection_share_heard(stage.share, operator.ours, "chief"), 2);
    assert_int_equal(connection_share_check(stage.share), 0); /* there is room */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &stage.few), 0);
    assert_int_equal(connection_share_check(stage.share), FARM + 1 - KEPT);
    for (uint32_t look = 0; look < 3; look++) {
        for (uint32_t i = 0; i < KEPT - 1; i++)
            (void)connection_share_heard(stage.share, stage.lines[KEPT - 2 - i].ours, "farm"); /* in any order */
        assert_int_equal(connection_share_check(stage.share), 0);
        for (uint32_t i = 0; i < FARM; i++)
            assert_int_equal(is_up(&stage.lines[i]), i < KEPT - 1);
        assert_true(is_up(&operator));
    }
    /* Those who were sent away come again and again; nobody who is at work makes room for them. */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &stage.all), 0);
    for (uint32_t i = KEPT - 1; i < FARM; i++) {
        line_close(stage.share, &stage.lines[i]);
        stage.lines[i] = line_open(stage.share);
        (void)connection_share_heard(stage.share, stage.lines[i].ours, "farm");
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &stage.few), 0);
    assert_int_equal(connection_share_check(stage.share), FARM + 1 - KEPT);
    for (uint32_t i = 0; i < FARM; i++)
        assert_int_equal(is_up(&stage.lines[i]), i < KEPT - 1);
    line_close(stage.share, &operator);
    stage_end(&stage);
}

/* Of those who have not spoken the oldest go: who comes to speak finds a place. */
static void connection_share__lets_newcomers_past_those_who_say_nothing(void **state)
{
    (void)state;
    farm_stage stage;
    stage_begin(&stage);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &stage.few), 0);
    assert_int_equal(connection_share_check(stage.share), FARM - KEPT);
    for (uint32_t i = 0; i < FARM; i++)
        assert_int_equal(is_up(&stage.lines[i]), i >= FARM - KEPT);
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connection_share__keeps_the_workers_that_are_at_work),
        cmocka_unit_test(connection_share__lets_newcomers_past_those_who_say_nothing),
    };
    return cmocka_run_group_tests_name("connection_share", tests, NULL, NULL);
}
