#define _GNU_SOURCE
#include "coordinator/shell/farm_config.h"
#include "coordinator/shell/farm_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { ARGUMENTS_MAX = 16 };

static status read_config(farm_config *config, const char *const *words, error_detail *detail)
{
    char *arguments[ARGUMENTS_MAX] = {"reelmill-coordinator"};
    int count = 1;
    for (; *words != NULL; words++)
        arguments[count++] = (char *)*words;
    return farm_config_read(config, count, arguments, detail);
}

static void farm_config__has_defaults_for_one_machine(void **state)
{
    (void)state;
    farm_config *config = calloc(1, sizeof *config);
    error_detail detail = {0};
    assert_int_equal(read_config(config, (const char *const[]){NULL}, &detail), STATUS_OK);
    assert_int_equal(config->listen_count, 1);
    assert_string_equal(config->listen[0], "tcp://127.0.0.1:7070");
    assert_int_equal(config->lease_ms, FARM_LEASE_MS);
    assert_false(config->private_farm);
    free(config);
}

static void farm_config__lets_flags_win_over_the_file(void **state)
{
    (void)state;
    char path[] = "/tmp/test_config_XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    static const char text[] =
        "listen: [\"ipc:///run/a\", \"tcp://127.0.0.1:1\"]\nstate: /var/lib/a\nroots: {media: /m, out: /o}\n"
        "lease_ms: 4000\ncells_per_task: 3\nlog: warn\nkey: /k\nauthorized: /l\nplain: false\n";
    assert_int_equal(write(descriptor, text, sizeof text - 1), (ssize_t)sizeof text - 1);
    close(descriptor);
    farm_config *config = calloc(1, sizeof *config);
    error_detail detail = {0};
    assert_int_equal(read_config(config, (const char *const[]){"--config", path, NULL}, &detail), STATUS_OK);
    assert_int_equal(config->listen_count, 2);
    assert_string_equal(config->listen[1], "tcp://127.0.0.1:1");
    assert_int_equal(config->root_count, 2);
    assert_int_equal(config->lease_ms, 4000);
    assert_int_equal(config->log, LOG_WARN);
    assert_string_equal(config->key, "/k");
    assert_string_equal(config->authorized, "/l");
    assert_false(config->plain);
    const char *const words[] = {"--listen",  "ipc:///run/b", "--root", "media=/n",   "--config", path,
                                 "--private", "--state",      "/x",     "--lease-ms", "500",      NULL};
    assert_int_equal(read_config(config, words, &detail), STATUS_OK);
    assert_int_equal(config->listen_count, 1);
    assert_string_equal(config->listen[0], "ipc:///run/b");
    assert_string_equal(config->state, "/x");
    assert_int_equal(config->root_count, 2);
    assert_string_equal(config->roots[0].path, "/n");
    assert_int_equal(config->lease_ms, 500);
    assert_true(config->private_farm);
    free(config);
    unlink(path);
}

static void farm_config__refuses_what_it_does_not_know(void **state)
{
    (void)state;
    static const char *const bad[][4] = {
        {"--listne", "x", NULL},
        {"--lease-ms", "fast", NULL},
        {"--lease-ms", "10", NULL},
        {"--root", "media", NULL},
        {"--cells-per-task", "9999", NULL},
        {"--log", "loud", NULL},
        {"--state", NULL},
        {"word", NULL},
        {"--config", "/nonexistent", NULL},
    };
    farm_config *config = calloc(1, sizeof *config);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        error_detail detail = {0};
        status code = read_config(config, bad[i], &detail);
        assert_int_equal(status_class_of(code), STATUS_CLASS_INPUT);
        assert_true(detail.message[0] != '\0');
    }
    free(config);
}

#define TEN_LINES "\n\n\n\n\n\n\n\n\n\n"
#define HUNDRED_LINES                                                                                                            \
    TEN_LINES TEN_LINES TEN_LINES TEN_LINES TEN_LINES TEN_LINES TEN_LINES TEN_LINES TEN_LINES TEN_LINES

static void farm_config__names_the_place_in_the_file(void **state)
{
    (void)state;
    static const struct {
        const char *text, *place, *sentence;
    } cases[] = {
        {"state: /a\nlsiten: x\n", ":2:1: ", "unknown key 'lsiten'"},
        {"listen: [a, b]\nlease_ms: soon\n", ":2:11: ", "no whole number"},
        {"roots: [a]\n", ":1:1: ", "mapping of names"},
        {"state: /a\n%1\xCD\xCD\n", ":2: ", "no plain UTF-8"}, /* libfyaml reads this for ever */
        {"show_limits: 3\n", ":1:1: ", "mapping of names to numbers"},
        {"root_limits: {a: 0}\n", ":1:18: ", "1 to 65536"},
        {"roots: {media: {path: /a}}\n", ":1:17: ", "mapping of names"},
        {"log: {}\nkey: [\n", ":3:1: ", "no YAML"},
        {"- a\n", "", "no YAML mapping"},
        {"state: |\n  a" HUNDRED_LINES "\n\n  b\n", ":104: ", "more than 100 empty lines"}, /* 100,000 take 10 s to read */
        {"state: /a" HUNDRED_LINES "\nlsiten: x\n", ":102:1: ", "unknown key 'lsiten'"},
    };
    farm_config *config = calloc(1, sizeof *config);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[] = "/tmp/test_config_XXXXXX";
        int descriptor = mkstemp(path);
        assert_true(descriptor >= 0);
        assert_int_equal(write(descriptor, cases[i].text, strlen(cases[i].text)), (ssize_t)strlen(cases[i].text));
        close(descriptor);
        error_detail detail = {0};
        status code = read_config(config, (const char *const[]){"--config", path, NULL}, &detail);
        assert_int_equal(status_class_of(code), STATUS_CLASS_INPUT);
        if (strstr(detail.message, cases[i].place) == NULL || strstr(detail.message, cases[i].sentence) == NULL)
            fail_msg("\"%s\" lacks \"%s\" or \"%s\"", detail.message, cases[i].place, cases[i].sentence);
        unlink(path);
    }
    free(config);
}

/* What a start would refuse is told before it, and nothing is made. */
static void farm_config__is_not_good_where_a_start_would_fail(void **state)
{
    (void)state;
    static const struct {
        const char *words[2], *sentence;
    } cases[] = {
        {{"--http", "nonsense"}, "no address to listen on"},
        {{"--http", "127.0.0.1:70000"}, "no address to listen on"},
        {{"--state", "/nonexistent/deep/state"}, "cannot make the state folder"},
    };
    char folder[] = "/tmp/test_config_XXXXXX";
    char journal[64], fresh[64];
    assert_non_null(mkdtemp(folder));
    snprintf(fresh, sizeof fresh, "%s/state", folder);
    snprintf(journal, sizeof journal, "%s/journal.db", folder);
    farm_config *config = calloc(1, sizeof *config);
    error_detail detail = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool own = strcmp(cases[i].words[0], "--state") == 0;
        const char *const words[] = {"--plain", cases[i].words[0], cases[i].words[1], own ? NULL : "--state", fresh, NULL};
        assert_int_equal(read_config(config, words, &detail), STATUS_OK);
        assert_int_not_equal(farm_check_config(config, &detail), STATUS_OK);
        if (strstr(detail.message, cases[i].sentence) == NULL)
            fail_msg("\"%s\" lacks \"%s\"", detail.message, cases[i].sentence);
    }
    const char *const good[] = {"--plain", "--http", "[::1]:7071", "--state", fresh, NULL};
    assert_int_equal(read_config(config, good, &detail), STATUS_OK);
    assert_int_equal(farm_check_config(config, &detail), STATUS_OK);
    assert_int_not_equal(access(fresh, F_OK), 0);
    config->on_end_count = 1;
    snprintf(config->on_end[0], sizeof config->on_end[0], "/nonexistent/program");
    assert_int_equal(farm_check_config(config, &detail), STATUS_INPUT_INVALID);
    assert_non_null(strstr(detail.message, "no program that can be run here"));
    const char *const taken[] = {"--plain", "--state", folder, NULL};
    assert_int_equal(read_config(config, taken, &detail), STATUS_OK);
    assert_int_equal(farm_check_config(config, &detail), STATUS_OK);
    assert_int_equal(mkdir(journal, 0700), 0);
    assert_int_equal(farm_check_config(config, &detail), STATUS_STORAGE_DENIED);
    rmdir(journal);
    rmdir(folder);
    free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(farm_config__has_defaults_for_one_machine),
        cmocka_unit_test(farm_config__lets_flags_win_over_the_file),
        cmocka_unit_test(farm_config__refuses_what_it_does_not_know),
        cmocka_unit_test(farm_config__names_the_place_in_the_file),
        cmocka_unit_test(farm_config__is_not_good_where_a_start_would_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
