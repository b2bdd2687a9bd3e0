/* Whole jobs through the real coordinator, killed and started again: documents in, tasks out, results back, reports. */
#include "farm_show.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    farm_harness *farm = farm_harness_create(3);
    farm->world.file_frames = INPUT_FRAMES;
    *state = farm;
    return 0;
}

static int tear_down(void **state)
{
    farm_harness *farm = *state;
    farm_harness_destroy(&farm);
    return 0;
}

static void farm__runs_a_job_from_its_document_to_its_reports(void **state)
{
    farm_harness *farm = *state;
    uint32_t job = submit(farm, "run", show_text, 1);
    assert_int_equal(job, 1);
    json_t *document = await(farm, job);
    expect_delivered(farm, document);
    assert_int_equal(number_at(document, "retries"), 0);
    assert_int_equal(farm->world.deposits, 5);
    assert_int_equal(farm->world.starts[TASK_PROBE], INPUT_COUNT);
    assert_int_equal(json_array_size(json_object_get(document, "deliverables")), 3);
    const json_t *first = json_array_get(json_object_get(document, "deliverables"), 0);
    assert_string_equal(text_at(first, "state"), "published");
    assert_int_equal(number_at(first, "cells_done"), number_at(first, "cells_total"));
    json_decref(document);

    char *report = farm_harness_query(farm, "report.json", job);
    json_t *read = json_loads(report, 0, NULL);
    assert_non_null(read);
    assert_string_equal(text_at(read, "slug"), "FARM_TEST");
    assert_int_equal(strlen(report), farm->world.deposit_size[0]);
    json_decref(read);
    free(report);
    static const char *const documents[] = {"roots", "jobs", "nodes", "plan", "report.html", "report.pdf", "logs"};
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        char *text = farm_harness_query(farm, documents[i], job);
        assert_non_null(text);
        assert_true(strlen(text) > 10);
        free(text);
    }
    char *measures = farm_harness_query(farm, "measures.bin", job);
    assert_non_null(measures);
    assert_memory_equal(measures, "RMMS", 4);
    free(measures);
    assert_null(farm_harness_query(farm, "job", 99));
    assert_null(farm_harness_query(farm, "job.end", 99));
}

static void farm__gives_one_job_to_one_request(void **state)
{
    farm_harness *farm = *state;
    uint32_t job = submit(farm, "run", show_text, 7);
    assert_int_equal(submit(farm, "run", show_text, 7), job);
    farm_harness_kill_coordinator(farm);
    farm_harness_start_coordinator(farm);
    assert_int_equal(submit(farm, "run", show_text, 7), job); /* also after a restart */
    json_t *document = await(farm, job);
    expect_delivered(farm, document);
    json_decref(document);
    assert_int_equal(submit(farm, "check", show_text, 8), job + 1);
}

/* Turns until so many more tasks were begun; false when that does not happen any more. */
static bool await_starts(farm_harness *farm, uint32_t more)
{
    uint32_t wanted = 0;
    uint32_t seen = 0;
    for (uint32_t turn = 0; turn < 1200; turn++) {
        uint32_t sum = 0;
        for (size_t i = 0; i < sizeof farm->world.starts / sizeof farm->world.starts[0]; i++)
            sum += farm->world.starts[i];
        if (turn == 0)
            wanted = sum + more;
        if (sum >= wanted)
            return true;
        if (sum > seen)
            turn = 1; /* it goes on: patience begins anew */
        seen = sum;
        farm_harness_turn(farm);
    }
    return false;
}

static void farm__finishes_when_the_coordinator_is_killed_again_and_again(void **state)
{
    farm_harness *farm = *state;
    farm_harness_kill_worker(farm, 1); /* one worker, so that few tasks are begun at once and many kills fit in */
    farm_harness_kill_worker(farm, 2);
    uint32_t job = submit(farm, "run", show_text, 1);
    uint32_t kills = 0;
    while (await_starts(farm, 1 + kills % 4)) {
        farm_harness_kill_coordinator(farm);
        farm_harness_start_coordinator(farm);
        kills++;
    }
    assert_true(kills >= 8); /* every phase of the job has met some */
    json_t *document = await(farm, job);
    expect_delivered(farm, document);
    json_decref(document);
}

static void farm__finishes_when_workers_are_killed_again_and_again(void **state)
{
    farm_harness *farm = *state;
    uint32_t job = submit(farm, "run", show_text, 1);
    uint32_t kills = 0;
    while (await_starts(farm, 1 + kills % 4)) {
        farm_harness_kill_worker(farm, kills % 3);
        farm_harness_start_worker(farm, kills % 3);
        kills++;
    }
    assert_true(kills >= 5);
    json_t *document = await(farm, job);
    expect_delivered(farm, document);
    json_decref(document);
}

static void farm__tries_a_crashed_task_again_elsewhere(void **state)
{
    farm_harness *farm = *state;
    farm->world.render_crashes = 2;
    uint32_t job = submit(farm, "run", show_text, 1);
    json_t *document = await(farm, job);
    expect_delivered(farm, document);
    assert_int_equal(number_at(document, "retries"), 2);
    assert_int_equal(json_array_size(json_object_get(document, "errors")), 2);
    json_decref(document);
}

static void farm__delivers_though_every_worker_dies_of_the_pictures(void **state)
{
    farm_harness *farm = *state;
    farm->world.excerpts_hang = true;
    uint32_t job = submit(farm, "run", show_text, 1);
    for (uint32_t i = 0; farm->world.deposits == 0; i = (i + 1) % 3, farm_harness_turn(farm)) {
        bool pictures = false, others = false;
        for (fake_execution *at = farm->workers[i].executions; at < farm->workers[i].executions + 8; at++)
            *(at->kind == TASK_EXCERPT ? &pictures : &others) |= at->used;
        if (pictures && !others) {
            farm_harness_kill_worker(farm, i);
            farm_harness_start_worker(farm, i);
        }
    }
    json_t *document = await(farm, job);
    expect_delivered(farm, document);
    json_decref(document);
}

/* Until all three have said hello. */
static void await_workers(farm_harness *farm)
{
    bool all = false;
    while (!all) {
        char *nodes = farm_harness_query(farm, "nodes", 0);
        all = true;
        for (char name[] = "\"name\":\"fake-0\""; name[sizeof name - 3] < '3'; name[sizeof name - 3]++)
            all = all && strstr(nodes, name) != NULL; /* their names alone may stand among the drained */
        free(nodes);
    }
}

static void farm__says_why_it_trusts_a_node_no_more(void **state)
{
    farm_harness *farm = *state;
    await_workers(farm);
    /* Among idle ones the lowest number is given a task first: whoever said hello first. */
    char *first = farm_harness_query(farm, "nodes", 0);
    json_t *read = json_loads(first, 0, NULL);
    const json_t *bad = json_array_get(json_object_get(read, "nodes"), 0);
    char bad_name[NAME_MAX_BYTES];
    assert_int_equal(number_at(bad, "worker"), 1);
    snprintf(bad_name, sizeof bad_name, "%s", text_at(bad, "name"));
    farm->workers[bad_name[strlen("fake-")] - '0'].crashes = true;
    free(first);
    const char *reason = NULL;
    for (uint8_t round = 1; reason == NULL; round++) {
        assert_true(round < 250); /* it rests for a moment after each failure, and jobs are short */
        uint32_t job = submit(farm, "check", show_text, round);
        json_t *document = await(farm, job);
        assert_int_equal(number_at(document, "exit_code"), 0); /* done by the others */
        json_decref(document);
        char *nodes = farm_harness_query(farm, "nodes", 0);
        json_decref(read);
        read = json_loads(nodes, 0, NULL);
        free(nodes);
        size_t index = 0;
        json_t *node = NULL;
        json_array_foreach(json_object_get(read, "nodes"), index, node)
        {
            if (strcmp(text_at(node, "state"), "quarantined") != 0)
                continue;
            assert_string_equal(text_at(node, "name"), bad_name);
            reason = text_at(node, "reason");
        }
    }
    assert_non_null(strstr(reason, "tasks failed here"));
    assert_non_null(strstr(reason, ".wav"));
    assert_non_null(strstr(reason, "the process died; it is tried again in "));
    json_decref(read);
}

/* What `explain` and the job's document (of which `wait` tells) say to try next. */
static void assert_next(farm_harness *farm, uint32_t job, const char *expected)
{
    static const char *const asked[] = {"explain", "job"};
    for (size_t i = 0; i < 2; i++) {
        char *text = farm_harness_query(farm, asked[i], job);
        json_t *document = json_loads(text, 0, NULL);
        assert_string_equal(text_at(document, "next"), expected);
        json_decref(document);
        free(text);
    }
}

static void farm__names_every_problem_of_a_bad_hand_over(void **state)
{
    farm_harness *farm = *state;
    farm->world.missing = "R2_MX";
    uint32_t job = submit(farm, "run", show_text, 1);
    json_t *document = await(farm, job);
    assert_int_equal(number_at(document, "exit_code"), 2);
    assert_string_equal(text_at(json_object_get(document, "outcome"), "class"), "input");
    assert_non_null(strstr(text_at(json_object_get(document, "outcome"), "message"), "R2_MX.wav"));
    assert_true(json_array_size(json_object_get(document, "problems")) >= 1);
    json_decref(document);
    assert_int_equal(farm->world.file_count, 0); /* nothing was begun */
    assert_int_equal(farm->world.deposits, 0);
    char *report = farm_harness_query(farm, "report.json", job);
    assert_non_null(report);
    assert_non_null(strstr(report, "R2_MX.wav"));
    free(report);
    assert_int_equal(farm_harness_command(farm, "retry", job, ""), STATUS_INPUT_INVALID);
    assert_next(farm, job, "reelmill check SHOW.yaml");

    /* The problems are there after a restart too. */
    farm_harness_stop_coordinator(farm);
    farm_harness_start_coordinator(farm);
    document = await(farm, job);
    assert_int_equal(number_at(document, "exit_code"), 2);
    assert_true(json_array_size(json_object_get(document, "problems")) >= 1);
    json_decref(document);
}

static void farm__refuses_a_show_that_cannot_be_read_at_once(void **state)
{
    farm_harness *farm = *state;
    uint8_t id[REQUEST_BYTES];
    make_id(id, 3);
    uint32_t job = 0;
    char detail[ERROR_MESSAGE_SIZE];
    char *document = make_document("run", "reelmill: 1\ntitel: X\n", true);
    status code = farm_harness_submit(farm, document, id, &job, detail);
    assert_int_equal(status_class_of(code), STATUS_CLASS_INPUT);
    assert_non_null(strstr(detail, "show.yaml"));
    assert_int_equal(job, 0);
    free(document);
}

static void farm__checks_and_plans_without_rendering(void **state)
{
    farm_harness *farm = *state;
    static const char *const kinds[] = {"check", "plan"};
    for (uint8_t i = 0; i < 2; i++) {
        uint32_t job = submit(farm, kinds[i], show_text, (uint8_t)(20 + i));
        json_t *document = await(farm, job);
        assert_int_equal(number_at(document, "exit_code"), 0);
        json_decref(document);
        char *text = farm_harness_query(farm, "result", job);
        json_t *result = json_loads(text, 0, NULL);
        assert_non_null(result);
        assert_string_equal(text_at(result, "kind"), kinds[i]);
        assert_true(json_is_true(json_object_get(result, "ok")));
        const json_t *tasks = json_object_get(json_object_get(result, "plan"), "tasks");
        assert_true(i == 0 ? tasks == NULL : json_array_size(tasks) > 20);
        json_decref(result);
        free(text);
    }
    assert_int_equal(farm->world.file_count, 0);
    farm->world.missing = "R1_FX";
    uint32_t job = submit(farm, "check", show_text, 30);
    json_t *document = await(farm, job);
    assert_int_equal(number_at(document, "exit_code"), 2);
    json_decref(document);
}

static void farm__refuses_a_path_that_another_job_makes(void **state)
{
    farm_harness *farm = *state;
    uint32_t first = submit(farm, "run", show_text, 1);
    uint32_t second = submit(farm, "run", show_text, 2);
    json_t *one = await(farm, first);
    json_t *two = await(farm, second);
    /* Whichever was planned first has the paths; the other is told so, unless the first had ended by then. */
    json_int_t sum = number_at(one, "exit_code") + number_at(two, "exit_code");
    assert_true(sum == 2 || sum == 0);
    const json_t *loser = number_at(one, "exit_code") == 2 ? one : two;
    if (sum == 2) {
        assert_non_null(strstr(text_at(json_object_get(loser, "outcome"), "message"), "is being made by job"));
        assert_next(farm, loser == one ? first : second, "reelmill submit SHOW.yaml");
    }
    json_decref(one);
    json_decref(two);
}

/* A measure that cannot be: the attempt is refused in the node's name, and the task is done again. */
static void farm__blames_a_node_for_a_wrong_measure(void **state)
{
    farm_harness *farm = *state;
    farm->world.wrong_cells = 1;
    uint32_t job = submit(farm, "run", show_text, 1);
    json_t *document = await(farm, job);
    expect_delivered(farm, document);
    assert_int_equal(farm->world.wrong_cells, 0);
    assert_int_equal(number_at(document, "retries"), 1);
    const json_t *error = json_array_get(json_object_get(document, "errors"), 0);
    assert_string_equal(text_at(error, "class"), "node");
    assert_non_null(strstr(text_at(error, "message"), "sent a wrong cell"));
    json_decref(document);
}

static void farm__holds_and_reorders_across_a_restart(void **state)
{
    farm_harness *farm = *state;
    uint32_t job = submit(farm, "run", show_text, 1);
    assert_int_equal(farm_harness_command(farm, "hold", job, ""), STATUS_OK);
    assert_int_equal(farm_harness_command(farm, "prio", job, "7"), STATUS_OK);
    assert_int_equal(farm_harness_command(farm, "prio", job, "7 or so"), STATUS_INPUT_INVALID);
    assert_int_equal(farm_harness_command(farm, "prio", job, "99999999999"), STATUS_INPUT_INVALID);
    assert_int_equal(farm_harness_command(farm, "hold", job + 1, ""), STATUS_INPUT_MISSING);
    farm_harness_kill_coordinator(farm);
    farm_harness_start_coordinator(farm);
    char *text = farm_harness_query(farm, "job.end", job); /* it has none, and is answered all the same */
    json_t *document = json_loads(text, 0, NULL);
    free(text);
    assert_true(json_is_null(json_object_get(document, "exit_code")));
    assert_true(json_is_true(json_object_get(document, "held")));
    assert_int_equal(number_at(document, "priority"), 7);
    json_decref(document);
    assert_int_equal(farm_harness_command(farm, "release", job, ""), STATUS_OK);
    document = await(farm, job);
    expect_delivered(farm, document);
    assert_false(json_is_true(json_object_get(document, "held")));
    json_decref(document);
    assert_int_equal(farm_harness_command(farm, "hold", job, ""), STATUS_INPUT_CONFLICT);
}

static void farm__cancels_discards_and_makes_anew_on_retry(void **state)
{
    farm_harness *farm = *state;
    uint32_t job = submit(farm, "run", show_text, 1);
    while (farm->world.starts[TASK_RENDER] == 0)
        farm_harness_turn(farm);
    assert_int_equal(farm_harness_command(farm, "cancel", job, ""), STATUS_OK);
    json_t *document = await(farm, job);
    assert_int_equal(number_at(document, "exit_code"), 3);
    json_decref(document);
    for (uint32_t i = 0; i < farm->world.file_count; i++)
        assert_true(farm->world.files[i].discarded);
    assert_int_equal(farm_harness_command(farm, "cancel", job, ""), STATUS_INPUT_CONFLICT);
    uint32_t before = farm->world.file_count;
    assert_int_equal(farm_harness_command(farm, "retry", job, ""), STATUS_OK);
    document = await(farm, job);
    expect_delivered(farm, document);
    json_decref(document);
    assert_true(farm->world.file_count > before); /* new inodes under new names */
    assert_int_equal(farm_harness_command(farm, "retry", job, ""), STATUS_INPUT_INVALID);
}

static void farm__retries_a_refused_publish_after_a_restart(void **state)
{
    farm_harness *farm = *state;
    farm->world.publish_refusals = 1;
    uint32_t job = submit(farm, "run", show_text, 1);
    json_t *document = await(farm, job);
    assert_int_equal(number_at(document, "exit_code"), 2);
    assert_next(farm, job, "reelmill submit SHOW.yaml --replace");
    json_decref(document);
    farm_harness_kill_coordinator(farm);
    farm_harness_start_coordinator(farm);
    assert_int_equal(farm_harness_command(farm, "retry", job, ""), STATUS_OK);
    farm_harness_kill_coordinator(farm);
    farm_harness_start_coordinator(farm);
    document = await(farm, job);
    expect_delivered(farm, document);
    json_decref(document);
}

/* What is received is looked at once more at the end: of what is another file by then there is no verdict. */
static void farm__judges_no_received_file_that_was_replaced(void **state)
{
    farm_harness *farm = *state;
    char text[4096];
    snprintf(text, sizeof text, "%s  - {name: OLD, file: old.wav, layout: \"5.1\"}\n", strstr(show_text, "reelmill"));
    char *rendered = strstr(text, "  - {name: PM_51");
    char *received = strstr(text, "  - {name: OLD");
    memmove(rendered, received, strlen(received) + 1);
    json_t *document = await(farm, submit(farm, "run", text, 1));
    assert_string_equal(text_at(json_array_get(json_object_get(document, "deliverables"), 0), "state"), "measured");
    json_decref(document);
    farm->world.publish_refusals = 1;
    document = await(farm, submit(farm, "run", text, 2));
    const json_t *old = json_array_get(json_object_get(document, "deliverables"), 0);
    assert_string_equal(text_at(old, "state"), "failed");
    assert_null(text_at(old, "verdict"));
    assert_int_equal(number_at(document, "exit_code"), 2);
    json_decref(document);
    char path[128];
    snprintf(path, sizeof path, "%s/state/job-2/report.json", farm->folder);
    document = json_load_file(path, 0, NULL);
    const json_t *programme = json_array_get(json_object_get(document, "programmes"), 0);
    assert_true(json_is_null(json_object_get(json_object_get(programme, "loudness"), "integrated_lufs")));
    json_decref(document);
}

static void farm__holds_back_what_fails_a_spec_that_says_so(void **state)
{
    farm_harness *farm = *state;
    char *text = malloc(strlen(show_text) + 64);
    const char *end = strstr(show_text, "recipe: stereo-loro}");
    assert_non_null(end);
    sprintf(text, "%.*srecipe: stereo-loro, spec: strict}%s", (int)(end - show_text), show_text,
            end + strlen("recipe: stereo-loro}"));
    uint32_t job = submit(farm, "run", text, 1);
    free(text);
    for (int round = 0; round < 2; round++) {
        json_t *document = await(farm, job);
        assert_int_equal(number_at(document, "exit_code"), 1);
        assert_string_equal(text_at(document, "verdict"), "fail");
        const json_t *deliverables = json_object_get(document, "deliverables");
        assert_string_equal(text_at(json_array_get(deliverables, 0), "state"), "published");
        assert_string_equal(text_at(json_array_get(deliverables, 1), "state"), "held");
        assert_string_equal(text_at(json_array_get(deliverables, 1), "verdict"), "fail");
        assert_non_null(
            strstr(text_at(json_array_get(json_object_get(document, "errors"), 0), "message"), "on_fail: hold"));
        json_decref(document);
        if (round == 0) { /* the second look is at what the journal says */
            farm_harness_kill_coordinator(farm);
            farm_harness_start_coordinator(farm);
        }
    }
    const world_file *held = world_find_final(&farm->world, "/PM_20/");
    assert_true(held->discarded && !held->published);
    assert_true(world_find_final(&farm->world, "/PM_51/")->published);
    assert_int_equal(farm->world.deposits, 5); /* the report is there, and says why */
}

static void farm__gives_a_drained_node_nothing(void **state)
{
    farm_harness *farm = *state;
    await_workers(farm);
    assert_int_equal(farm_harness_command(farm, "drain", 0, "nobody"), STATUS_INPUT_MISSING);
    assert_int_equal(farm_harness_command(farm, "drain", 0, "fake-0"), STATUS_OK);
    assert_int_equal(farm_harness_command(farm, "drain", 0, "fake-1"), STATUS_OK);
    farm_harness_kill_coordinator(farm); /* it is remembered */
    farm_harness_start_coordinator(farm);
    await_workers(farm); /* a drained one that comes late would prove nothing */
    uint32_t job = submit(farm, "check", show_text, 1);
    json_t *document = await(farm, job);
    assert_int_equal(number_at(document, "exit_code"), 0);
    json_decref(document);
    char *nodes = farm_harness_query(farm, "nodes", 0);
    json_t *read = json_loads(nodes, 0, NULL);
    size_t index = 0;
    json_t *node = NULL;
    json_array_foreach(json_object_get(read, "nodes"), index, node)
    {
        bool drained = strcmp(text_at(node, "name"), "fake-2") != 0;
        assert_string_equal(text_at(node, "state"), drained ? "drained" : "ready");
        assert_int_equal(number_at(node, "tasks_done"), drained ? 0 : INPUT_COUNT);
    }
    assert_int_equal(index, 3);
    json_decref(read);
    free(nodes);
    assert_int_equal(farm_harness_command(farm, "undrain", 0, "fake-0"), STATUS_OK);
}

static void farm__is_shut_down_by_its_owner(void **state)
{
    farm_harness *farm = *state;
    assert_int_equal(farm_harness_command(farm, "explode", 0, ""), STATUS_INPUT_INVALID);
    assert_int_equal(farm_harness_command(farm, "shutdown", 0, ""), STATUS_OK);
    farm_harness_join_coordinator(farm); /* no signal: it ends by itself */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(farm__runs_a_job_from_its_document_to_its_reports, set_up, tear_down),
        cmocka_unit_test_setup_teardown(farm__gives_one_job_to_one_request, set_up, tear_down),
        cmocka_unit_test_setup_teardown(farm__finishes_when_the_coordinator_is_killed_again_and_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(farm__finishes_when_workers_are_killed_again_and_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(farm__tries_a_crashed_task_again_elsewhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(farm__delivers_though_every_worker_dies_of_the_pictures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(farm__says_why_it_trusts_a_node_no_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(farm__names_every_problem_of_a_bad_hand_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(farm__refuses_a_show_that_cannot_be_read_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(farm__checks_and_plans_without_rendering, set_up, tear_down),
        cmocka_unit_test_setup_teardown(farm__refuses_a_path_that_another_job_makes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(farm__blames_a_node_for_a_wrong_measure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(farm__holds_and_reorders_across_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(farm__cancels_discards_and_makes_anew_on_retry, set_up, tear_down),
        cmocka_unit_test_setup_teardown(farm__retries_a_refused_publish_after_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(farm__judges_no_received_file_that_was_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(farm__holds_back_what_fails_a_spec_that_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(farm__gives_a_drained_node_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(farm__is_shut_down_by_its_owner, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
