/* The digest of a plan as other versions of the formats would have it: its source is compiled here once more. */
#include "show_fixture.h"

#include "common/measure/cell_measure.h"
#include "common/measure/cell_signal.h"
#include "common/measure/speech_detector.h"
#include "common/measure/stem_features.h"
#include "common/measure/sync_measure.h"
#include "proto/task_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { VERSIONS = 7 };
static uint32_t *versions(void)
{
    static uint32_t all[VERSIONS];
    return all;
}

content_hash digest_of_versions(const plan *self);
#define plan_digest digest_of_versions
#define RENDER_VERSION versions()[0]
#define TASK_BODY_VERSION versions()[1]
#define MEDIA_FACTS_VERSION versions()[2]
#define CELL_MEASURE_VERSION versions()[3]
#define SPEECH_DETECTOR_VERSION versions()[4]
#define STEM_FEATURES_VERSION versions()[5]
#define SYNC_MEASURE_VERSION versions()[6]
#include "coordinator/plan/plan_digest.c"

/* A coordinator of another version must not keep what it cannot read: the digest alone tells it. */
static void plan_digest__has_every_format_that_a_task_leaves(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    show_fixture_render(&given, "PM_51", &given.printmaster);
    show_fixture_probe(&given);
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    content_hash before = digest_of_versions(given.made);
    for (int i = 0; i < VERSIONS; i++) {
        versions()[i]++;
        content_hash after = digest_of_versions(given.made);
        if (content_hash_equal(&before, &after))
            fail_msg("version %d is not in it", i);
        versions()[i]--;
    }
    show_fixture_deinit(&given);
}

static void plan_digest__tells_plans_apart(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    show_fixture_render(&given, "PM_51", &given.printmaster);
    show_fixture_receive(&given, "OLD", "received/old.wav", LAYOUT_5_1);
    show_fixture_probe(&given);
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    content_hash first = given.made->digest;
    assert_false(content_hash_is_zero(&first));
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_true(content_hash_equal(&first, &given.made->digest));
    given.options.cells_per_task = 5;
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_false(content_hash_equal(&first, &given.made->digest));
    given.options.cells_per_task = 0;
    assert_int_equal(given.made->signal_groups, SIGNAL_GROUPS_ALL | SIGNAL_GROUP_GRID); /* one was received */
    given.options.checks = "loudness,format"; /* fewer features are measured */
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_false(content_hash_equal(&first, &given.made->digest));
    assert_int_equal(given.made->signal_groups, SIGNAL_GROUP_DEPTH | SIGNAL_GROUP_SPECTRUM | SIGNAL_GROUP_GRID);
    given.options.checks = NULL;
    given.facts[0].identity.mtime_ns++;
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_false(content_hash_equal(&first, &given.made->digest));
    given.facts[0].identity.mtime_ns--;
    given.film.title = "Day Train"; /* it is in the files' headers */
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_false(content_hash_equal(&first, &given.made->digest));
    show_fixture_deinit(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_digest__tells_plans_apart),
        cmocka_unit_test(plan_digest__has_every_format_that_a_task_leaves),
    };
    return cmocka_run_group_tests_name("plan digest", tests, NULL, NULL);
}
