#include "coordinator/access/access_rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Issue 6 and design.md 6, written out: what each role may say. */
typedef struct expectation {
    message_type type;
    const char *verb;
    access_right worker, submitter, operator, viewer;
} expectation;

static void access_rule__is_what_the_roles_promise(void **state)
{
    (void)state;
    static const expectation expected[] = {
        {MESSAGE_HELLO, "", RIGHT_ALL, RIGHT_NONE, RIGHT_NONE, RIGHT_NONE},
        {MESSAGE_HEARTBEAT, "", RIGHT_ALL, RIGHT_NONE, RIGHT_NONE, RIGHT_NONE},
        {MESSAGE_CELL, "", RIGHT_ALL, RIGHT_NONE, RIGHT_NONE, RIGHT_NONE},
        {MESSAGE_RESULT, "", RIGHT_ALL, RIGHT_NONE, RIGHT_NONE, RIGHT_NONE},
        {MESSAGE_FETCH, "", RIGHT_ALL, RIGHT_NONE, RIGHT_NONE, RIGHT_NONE},
        {MESSAGE_GOODBYE, "", RIGHT_ALL, RIGHT_NONE, RIGHT_NONE, RIGHT_NONE},
        {MESSAGE_SUBMIT_BEGIN, "", RIGHT_NONE, RIGHT_ALL, RIGHT_ALL, RIGHT_NONE},
        {MESSAGE_SUBMIT_APPEND, "", RIGHT_NONE, RIGHT_ALL, RIGHT_ALL, RIGHT_NONE},
        {MESSAGE_SUBMIT_COMMIT, "", RIGHT_NONE, RIGHT_ALL, RIGHT_ALL, RIGHT_NONE},
        {MESSAGE_QUERY, "about", RIGHT_ALL, RIGHT_ALL, RIGHT_ALL, RIGHT_ALL},
        {MESSAGE_QUERY, "jobs", RIGHT_NONE, RIGHT_ALL, RIGHT_ALL, RIGHT_ALL},
        {MESSAGE_COMMAND, "cancel", RIGHT_NONE, RIGHT_OWN, RIGHT_ALL, RIGHT_NONE},
        {MESSAGE_COMMAND, "retry", RIGHT_NONE, RIGHT_OWN, RIGHT_ALL, RIGHT_NONE},
        {MESSAGE_COMMAND, "hold", RIGHT_NONE, RIGHT_OWN, RIGHT_ALL, RIGHT_NONE},
        {MESSAGE_COMMAND, "release", RIGHT_NONE, RIGHT_OWN, RIGHT_ALL, RIGHT_NONE},
        {MESSAGE_COMMAND, "prio", RIGHT_NONE, RIGHT_OWN, RIGHT_ALL, RIGHT_NONE},
        {MESSAGE_COMMAND, "drain", RIGHT_NONE, RIGHT_NONE, RIGHT_ALL, RIGHT_NONE},
        {MESSAGE_COMMAND, "undrain", RIGHT_NONE, RIGHT_NONE, RIGHT_ALL, RIGHT_NONE},
        {MESSAGE_COMMAND, "backup", RIGHT_NONE, RIGHT_NONE, RIGHT_ALL, RIGHT_NONE},
        {MESSAGE_COMMAND, "shutdown", RIGHT_NONE, RIGHT_NONE, RIGHT_NONE, RIGHT_NONE},
        {MESSAGE_COMMAND, "dance", RIGHT_NONE, RIGHT_NONE, RIGHT_ALL, RIGHT_NONE},
        {MESSAGE_COMMAND, "", RIGHT_NONE, RIGHT_NONE, RIGHT_ALL, RIGHT_NONE},
    };
    message *said = calloc(1, sizeof *said);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        said->type = expected[i].type;
        if (said->type == MESSAGE_COMMAND)
            snprintf(said->command.verb, sizeof said->command.verb, "%s", expected[i].verb);
        else if (said->type == MESSAGE_QUERY)
            snprintf(said->query.what, sizeof said->query.what, "%s", expected[i].verb);
        assert_int_equal(access_rule_right(ACCESS_WORKER, said), expected[i].worker);
        assert_int_equal(access_rule_right(ACCESS_SUBMITTER, said), expected[i].submitter);
        assert_int_equal(access_rule_right(ACCESS_OPERATOR, said), expected[i].operator);
        assert_int_equal(access_rule_right(ACCESS_VIEWER, said), expected[i].viewer);
        assert_int_equal(access_rule_right(ACCESS_LOCAL, said), RIGHT_ALL);
    }
    free(said);
}

/* What the coordinator says itself, types that are added one day, and roles that there are not: denied. */
static void access_rule__denies_what_is_not_in_it(void **state)
{
    (void)state;
    message *said = calloc(1, sizeof *said);
    static const message_type others[] = {MESSAGE_WELCOME, MESSAGE_REFUSE, MESSAGE_ASSIGN, MESSAGE_ACK, MESSAGE_CANCEL,
                                          MESSAGE_DRAIN, MESSAGE_CHUNK, MESSAGE_ANSWER, (message_type)7};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        said->type = others[i];
        for (int role = 0; role <= ACCESS_ROLE_COUNT; role++)
            assert_int_equal(access_rule_right((access_role)role, said), RIGHT_NONE);
    }
    said->type = MESSAGE_QUERY;
    assert_int_equal(access_rule_right(ACCESS_ROLE_COUNT, said), RIGHT_NONE);
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(access_rule__is_what_the_roles_promise),
        cmocka_unit_test(access_rule__denies_what_is_not_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
