/* Which workers may join, and what is told of those that may not. */
#define _GNU_SOURCE
#include "coordinator/shell/farm_state.h"

#include "common/base/engine_version.h"
#include "common/media/render_program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void farm__has_workers_of_another_version_wait(void **unused)
{
    (void)unused;
    farm_state *farm = calloc(1, sizeof *farm);
    assert_non_null(farm);
    farm->config.private_farm = true;
    const access_grant who = {.name = "node-1"};
    char text[REFUSED_TEXT_BYTES] = "";
    message_hello hello = {
        .protocol_version = PROTOCOL_VERSION, .render_version = RENDER_VERSION, .slots = 1, .engine = ENGINE_VERSION};
    assert_int_equal(farm_refuses_hello(farm, &who, &hello, text, sizeof text), STATUS_OK);
    snprintf(hello.engine, sizeof hello.engine, "reelmill 0.0.9");
    assert_int_equal(farm_refuses_hello(farm, &who, &hello, text, sizeof text), STATUS_AGAIN);
    assert_string_equal(text, "this farm is " ENGINE_VERSION ", the worker reelmill 0.0.9; install the same reelmill on both");
    snprintf(hello.engine, sizeof hello.engine, "%s", ENGINE_VERSION);
    hello.render_version++;
    assert_int_equal(farm_refuses_hello(farm, &who, &hello, text, sizeof text), STATUS_AGAIN);
    hello.render_version--;
    hello.protocol_version++;
    assert_int_equal(farm_refuses_hello(farm, &who, &hello, text, sizeof text), STATUS_AGAIN);
    hello.protocol_version--;
    /* One that brings another root, or none where there is one, is to look at its mounts anew; the farm's roots count. */
    farm->config.root_count = 1;
    snprintf(farm->config.roots[0].name, sizeof farm->config.roots[0].name, "shows");
    known_roots_set(&farm->roots, &(root_record){.name = "library", .node = "node-2", .identity = {{1}}});
    known_roots_set(&farm->roots, &(root_record){.name = "shows", .node = "node-2", .identity = {{1}}});
    hello.root_count = 2;
    hello.roots[0] = (message_root){.name = "library"};
    hello.roots[1] = (message_root){.name = "shows", .identity = {{1}}};
    assert_int_equal(farm_refuses_hello(farm, &who, &hello, text, sizeof text), STATUS_OK);
    hello.roots[1].identity.bytes[0] = 2;
    assert_int_equal(farm_refuses_hello(farm, &who, &hello, text, sizeof text), STATUS_STORAGE_MISMATCH);
    hello.roots[1].identity.bytes[0] = 0;
    assert_int_equal(farm_refuses_hello(farm, &who, &hello, text, sizeof text), STATUS_STORAGE_MISMATCH);
    assert_string_equal(text, "media root shows is not the storage that it is on node node-2: its .reelmill-root is missing or empty; mount "
                              "the right one (if the root itself has moved: `reelmill root-moved shows`)");
    known_roots_set(&farm->roots, &(root_record){.name = "shows"});
    assert_int_equal(farm_refuses_hello(farm, &who, &hello, text, sizeof text), STATUS_OK);
    hello.slots = 0; /* no upgrade mends that */
    assert_int_equal(farm_refuses_hello(farm, &who, &hello, text, sizeof text), STATUS_PEER_VERSION);
    free(farm);
}

/* 20 is TOLD_MAX of farm_access.c, for one second of tending. */
static void farm__tells_of_a_few_refused_workers(void **unused)
{
    (void)unused;
    farm_state *farm = calloc(1, sizeof *farm);
    message *said = calloc(1, sizeof *said);
    FILE *log = tmpfile();
    assert_non_null(farm);
    assert_non_null(said);
    assert_non_null(log);
    farm->config.private_farm = true;
    const access_grant who = {.name = "node-1"};
    const routing_id from = {.size = 1};
    said->type = MESSAGE_HELLO;
    said->hello.protocol_version = PROTOCOL_VERSION + 1;
    snprintf(said->hello.name, sizeof said->hello.name, "old-1");
    assert_string_equal(farm_refused_now(farm), "");
    int error_output = dup(STDERR_FILENO);
    assert_true(dup2(fileno(log), STDERR_FILENO) >= 0);
    for (int i = 0; i < 1000; i++)
        farm_worker_message(farm, &from, &who, said);
    assert_true(dup2(error_output, STDERR_FILENO) >= 0);
    close(error_output);
    assert_int_equal(farm->refused_lately, 1000);
    assert_string_equal(farm_refused_now(farm), /* as `nodes`, `status` and `explain` say it while it knocks */
                        "old-1 is refused: this farm speaks protocol 2, the worker 3; install the same reelmill on both");
    farm->refused_ms -= 10000;
    assert_string_equal(farm_refused_now(farm), "");
    char line[512];
    int told = 0;
    rewind(log);
    while (fgets(line, sizeof line, log) != NULL)
        told += strstr(line, "event=worker.refused") != NULL;
    assert_int_equal(told, 20);
    fclose(log);
    free(said);
    free(farm);
}

/* 4000 is WORKER_LINES_MAX of farm_access.c. */
static void farm__logs_as_many_lines_of_workers_as_a_start_needs(void **unused)
{
    (void)unused;
    farm_state *farm = calloc(1, sizeof *farm);
    assert_non_null(farm);
    uint32_t told = 0;
    for (int i = 0; i < 10000; i++)
        told += farm_may_log_worker(farm) ? 1 : 0;
    assert_int_equal(told, 4000);
    assert_int_equal(farm->worker_lines_dropped, 6000);
    free(farm);
}

/* Who retries a job and waits for its end must not get the end that was before. */
static void farm__gives_no_answer_from_before_a_command_again(void **unused)
{
    (void)unused;
    farm_state *farm = calloc(1, sizeof *farm);
    message *said = calloc(1, sizeof *said);
    assert_non_null(farm);
    assert_non_null(said);
    const access_grant chief = {.role = ACCESS_OPERATOR, .name = "chief"};
    const routing_id from = {.size = 1};
    assert_int_equal(audit_log_open(&farm->audit, "/dev/null", NULL), STATUS_OK);
    farm->cache[0] = (cached_query){.used = true, .what = "job", .job = 7, .fresh_until_ms = UINT64_MAX};
    farm->config.private_farm = true;
    farm->stopping = true; /* answers go at once */
    said->type = MESSAGE_COMMAND;
    snprintf(said->command.verb, sizeof said->command.verb, "nothing");
    assert_true(client_message(farm, &from, &chief, said));
    assert_true(farm->cache[0].fresh_until_ms == UINT64_MAX);
    snprintf(said->command.verb, sizeof said->command.verb, "shutdown");
    said->command.request[0] = 1;
    assert_true(client_message(farm, &from, &chief, said));
    assert_true(farm->cache[0].fresh_until_ms == 0);
    audit_log_close(&farm->audit);
    free(said);
    free(farm);
}

/* 100 is COMMANDS_AT_ONCE_MAX of farm_access.c; 16 have a place of their own. */
static void farm__gives_each_submitter_a_share_of_the_commands(void **unused)
{
    (void)unused;
    farm_state *farm = calloc(1, sizeof *farm);
    assert_non_null(farm);
    const access_grant flood = {.role = ACCESS_SUBMITTER, .name = "anna"};
    const access_grant other = {.role = ACCESS_SUBMITTER, .name = "bert"};
    const access_grant chief = {.role = ACCESS_OPERATOR, .name = "chief"};
    uint32_t carried_out = 0;
    for (int i = 0; i < 10000; i++)
        carried_out += farm_may_command(farm, &flood) ? 1 : 0;
    assert_int_equal(carried_out, 100);
    for (int i = 0; i < 50; i++)
        assert_true(farm_may_command(farm, &other));
    assert_false(farm_may_command(farm, &other));
    for (int i = 0; i < 1000; i++)
        assert_true(farm_may_command(farm, &chief));
    uint32_t strangers = 0;
    for (int i = 0; i < 1000; i++) {
        access_grant many = {.role = ACCESS_SUBMITTER};
        snprintf(many.name, sizeof many.name, "many-%d", i);
        strangers += farm_may_command(farm, &many) ? 1 : 0;
    }
    assert_true(strangers >= 14 && strangers <= 20); /* 14 of the first, and the share of the last place */
    free(farm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(farm__has_workers_of_another_version_wait),
                                       cmocka_unit_test(farm__tells_of_a_few_refused_workers),
                                       cmocka_unit_test(farm__logs_as_many_lines_of_workers_as_a_start_needs),
                                       cmocka_unit_test(farm__gives_no_answer_from_before_a_command_again),
                                       cmocka_unit_test(farm__gives_each_submitter_a_share_of_the_commands)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
