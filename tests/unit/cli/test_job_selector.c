/* Words that people name jobs with. */
#include "coordinator/cli/job_selector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Newest first, as the coordinator lists them; 4 was forgotten. */
static json_t *some_jobs(void)
{
    return json_pack("[{s:i},{s:i},{s:i},{s:i}]", "job", 12, "job", 5, "job", 3, "job", 2);
}

static void job_selector__marks_what_a_word_means(void **state)
{
    static const struct {
        const char *word;
        bool wanted[4];
    } rows[] = {
        {"3", {false, false, true, false}},       {"3-5", {false, true, true, false}},
        {"4-11", {false, true, false, false}},    {"last", {true, false, false, false}},
        {"all", {true, true, true, true}},        {"1-999999999", {true, true, true, true}},
    };
    json_t *jobs = some_jobs();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool wanted[4] = {false};
        error_detail detail;
        assert_int_equal(job_selector_mark(rows[i].word, jobs, wanted, &detail), STATUS_OK);
        assert_memory_equal(wanted, rows[i].wanted, sizeof wanted);
    }
    json_decref(jobs);
}

static void job_selector__refuses_words_that_mean_no_job(void **state)
{
    static const char *const rows[] = {"4", "6-11", "0", "5-3", "1-", "-3", "3x", "3-5x", "latest", "", "1-9999999999"};
    json_t *jobs = some_jobs();
    json_t *none = json_array();
    bool wanted[4] = {false};
    error_detail detail;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_not_equal(job_selector_mark(rows[i], jobs, wanted, &detail), STATUS_OK);
        assert_non_null(strstr(detail.message, rows[i]));
    }
    assert_int_equal(job_selector_mark("last", none, wanted, &detail), STATUS_INPUT_MISSING);
    assert_int_equal(job_selector_mark("all", none, wanted, &detail), STATUS_INPUT_MISSING);
    for (size_t i = 0; i < 4; i++)
        assert_false(wanted[i]);
    json_decref(none);
    json_decref(jobs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job_selector__marks_what_a_word_means),
        cmocka_unit_test(job_selector__refuses_words_that_mean_no_job),
    };
    return cmocka_run_group_tests_name("job_selector", tests, NULL, NULL);
}
