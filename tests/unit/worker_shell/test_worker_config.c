/* What a person may write on the command line and in the file, and what they are told when it is wrong. */
#include "worker/shell/worker_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ARGUMENTS_MAX = 16 };

/* words: NULL after the last. */
static status read_words(worker_config *config, error_detail *detail, const char *const *words)
{
    char *arguments[ARGUMENTS_MAX + 1] = {strdup("reelmill-worker")};
    int count = 1;
    for (; words[count - 1] != NULL && count < ARGUMENTS_MAX; count++)
        arguments[count] = strdup(words[count - 1]);
    status code = worker_config_read(config, count, arguments, detail);
    for (int i = 0; i < count; i++)
        free(arguments[i]);
    return code;
}

static void worker_config__takes_flags(void **state)
{
    (void)state;
    static worker_config config;
    error_detail detail = {0};
    const char *const words[] = {"--private", "--coordinator", "ipc:///run/farm", "--name", "node 7", "--slots", "3",
                                 "--cpu", "scalar", "--root", "media=/mnt/a=b:ro", "--root", "out=/mnt/out", NULL};
    if (read_words(&config, &detail, words) != STATUS_OK)
        fail_msg("%s", detail.message);
    assert_string_equal(config.coordinator, "ipc:///run/farm");
    assert_string_equal(config.name, "node 7");
    assert_int_equal(config.slots, 3);
    assert_string_equal(config.cpu, "scalar");
    assert_true(config.private_farm);
    assert_int_equal(config.root_count, 2);
    assert_string_equal(config.roots[0].folder, "/mnt/a=b");
    assert_false(config.roots[0].writable);
    assert_string_equal(config.roots[1].name, "out");
    assert_true(config.roots[1].writable);
}

static void worker_config__has_defaults_that_work(void **state)
{
    (void)state;
    static worker_config config;
    const char *const words[] = {"--plain", NULL};
    assert_int_equal(read_words(&config, NULL, words), STATUS_OK);
    assert_int_equal(read_words(&config, NULL, words + 1), STATUS_INPUT_MISSING); /* tcp without keys is asked for */
    const char *const keys[] = {"--key", "/k", "--coordinator-key", "abc", NULL};
    assert_int_equal(read_words(&config, NULL, keys), STATUS_OK);
    assert_string_equal(config.link.key, "/k");
    assert_string_equal(config.link.coordinator_key, "abc");
    assert_string_equal(config.coordinator, "tcp://127.0.0.1:7070");
    assert_true(config.slots >= 1 && config.slots <= WORKER_SLOTS_MAX);
    assert_true(config.name[0] != '\0');
}

static void worker_config__says_what_is_wrong_with_a_flag(void **state)
{
    (void)state;
    static const struct {
        const char *words[3];
        const char *sentence;
    } cases[] = {
        {{"--slots", "0", NULL}, "'0' is no whole number from 1 to 256"},
        {{"--slots", "2x", NULL}, "'2x' is no whole number"},
        {{"--slot", "2", NULL}, "unknown option --slot"},
        {{"--root", "media", NULL}, "not of the form NAME=FOLDER"},
        {{"--root", "=x", NULL}, "not of the form NAME=FOLDER"},
        {{"--cpu", "sse", NULL}, "none of scalar, avx2, avx512, neon"},
        {{"--log", "loud", NULL}, "none of debug, info"},
        {{"--name", NULL, NULL}, "missing value: --name"},
        {{"media", NULL, NULL}, "is no option"},
        {{"--config", "/nowhere/x.yaml", NULL}, "/nowhere/x.yaml cannot be read"},
        {{"--coordinator", "tcp://10.0.0.5:7070", NULL}, "tcp://10.0.0.5:7070 needs a key"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static worker_config config;
        error_detail detail = {0};
        status code = read_words(&config, &detail, cases[i].words);
        assert_int_equal(status_class_of(code), STATUS_CLASS_INPUT);
        if (strstr(detail.message, cases[i].sentence) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", detail.message, cases[i].sentence);
    }
}

static status read_file_text(worker_config *config, const char *text, error_detail *detail)
{
    char path[] = "/tmp/worker_config_XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), (ssize_t)strlen(text));
    close(descriptor);
    const char *const words[] = {"--slots", "5", "--config", path, NULL};
    status code = read_words(config, detail, words);
    unlink(path);
    return code;
}

static void worker_config__takes_a_file_under_the_flags(void **state)
{
    (void)state;
    static worker_config config;
    error_detail detail = {0};
    const char *text = "coordinator: tcp://localhost:7071\n"
                       "plain: true\n"
                       "slots: 2\n"
                       "log: warn\n"
                       "roots:\n"
                       "  media: {path: /mnt/media, mode: ro}\n"
                       "  out: /mnt/out\n";
    if (read_file_text(&config, text, &detail) != STATUS_OK)
        fail_msg("%s", detail.message);
    assert_string_equal(config.coordinator, "tcp://localhost:7071");
    assert_int_equal(config.slots, 5);
    assert_int_equal(config.log, LOG_WARN);
    assert_int_equal(config.root_count, 2);
    assert_false(config.roots[0].writable);
    assert_true(config.roots[1].writable);
}

static void worker_config__names_the_place_in_the_file(void **state)
{
    (void)state;
    static const struct {
        const char *text, *place, *sentence;
    } cases[] = {
        {"name: a\nslotz: 2\n", ":2:1: ", "unknown key"},
        {"name: a\nslots: many\n", ":2:8: ", "no whole number"},
        {"roots:\n  media: {path: /m, mode: rx}\n", ":2:27: ", "ro or rw"},
        {"roots:\n  media: {path: /m, moed: ro}\n", ":2:21: ", "NAME: FOLDER"},
        {"roots:\n  media: {mode: ro}\n", "", "has no path"},
        {"key: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF\n", ":1:6: ", "name of the file"},
        {"name: a\nname: b\n", ":2:1: ", "no YAML"},
        {"roots: [a]\n", ":1:1: ", "mapping of names"},
        {"- a\n", "", "no YAML mapping"},
        {"name: [\n", ":2:1: ", "this is no YAML"},
        {"name: a\nkey: 'a''''b'\n", ":2: ", "single quotes in a row"},
        {"", "", "no YAML mapping"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static worker_config config;
        error_detail detail = {0};
        assert_int_equal(status_class_of(read_file_text(&config, cases[i].text, &detail)), STATUS_CLASS_INPUT);
        if (strstr(detail.message, cases[i].place) == NULL || strstr(detail.message, cases[i].sentence) == NULL)
            fail_msg("\"%s\" lacks \"%s\" or \"%s\"", detail.message, cases[i].place, cases[i].sentence);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worker_config__takes_flags),
        cmocka_unit_test(worker_config__has_defaults_that_work),
        cmocka_unit_test(worker_config__says_what_is_wrong_with_a_flag),
        cmocka_unit_test(worker_config__takes_a_file_under_the_flags),
        cmocka_unit_test(worker_config__names_the_place_in_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
