/* Key files, endpoints, and what the connecting end of a link may do. */
#define _GNU_SOURCE
#include "proto/key_file.h"
#include "proto/secure_socket.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct folder {
    char name[64], secret[96], public[96];
} folder;

static void folder_make(folder *self)
{
    snprintf(self->name, sizeof self->name, "/tmp/test_keys_XXXXXX");
    assert_non_null(mkdtemp(self->name));
    snprintf(self->secret, sizeof self->secret, "%s/reelmill.secret", self->name);
    snprintf(self->public, sizeof self->public, "%s/reelmill.public", self->name);
}

static void folder_remove(folder *self)
{
    unlink(self->secret);
    unlink(self->public);
    rmdir(self->name);
}

static void key_file__comes_back_as_it_was_written(void **state)
{
    (void)state;
    folder place;
    key_pair made;
    key_pair read;
    uint8_t public_key[KEY_BYTES];
    char digits[KEY_TEXT_BYTES];
    struct stat facts;
    folder_make(&place);
    assert_int_equal(key_pair_make(&made, NULL), STATUS_OK);
    assert_int_equal(key_pair_write(&made, place.name, NULL), STATUS_OK);
    assert_int_equal(stat(place.secret, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    assert_int_equal(key_pair_read(&read, place.secret, NULL), STATUS_OK);
    assert_memory_equal(&made, &read, sizeof made); /* the public half is derived from the secret one */
    assert_int_equal(key_public_read(public_key, place.public, NULL), STATUS_OK);
    assert_memory_equal(public_key, made.public_key, KEY_BYTES);
    key_format(made.public_key, digits);
    assert_int_equal(key_public_read(public_key, digits, NULL), STATUS_OK);
    assert_memory_equal(public_key, made.public_key, KEY_BYTES);
    /* A key is never replaced. */
    assert_int_equal(key_pair_write(&made, place.name, NULL), STATUS_INPUT_CONFLICT);
    key_pair_forget(&made);
    for (size_t i = 0; i < sizeof made; i++)
        assert_int_equal(((uint8_t *)&made)[i], 0);
    folder_remove(&place);
}

static void expect_sentence(status code, const error_detail *detail, const char *sentence)
{
    assert_int_equal(status_class_of(code), STATUS_CLASS_INPUT);
    if (strstr(detail->message, sentence) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", detail->message, sentence);
}

static void key_file__is_refused_when_open_to_others_or_wrong(void **state)
{
    (void)state;
    static const mode_t open_modes[] = {0604, 0602, 0620, 0644, 0666, 0601};
    folder place;
    key_pair pair;
    uint8_t public_key[KEY_BYTES];
    error_detail detail = {0};
    folder_make(&place);
    assert_int_equal(key_pair_make(&pair, NULL), STATUS_OK);
    assert_int_equal(key_pair_write(&pair, place.name, NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof open_modes / sizeof open_modes[0]; i++) {
        assert_int_equal(chmod(place.secret, open_modes[i]), 0);
        expect_sentence(key_pair_read(&pair, place.secret, &detail), &detail, "open to others");
    }
    assert_int_equal(chmod(place.secret, 0440), 0); /* how services are given credentials */
    assert_int_equal(key_pair_read(&pair, place.secret, &detail), STATUS_OK);
    expect_sentence(key_public_read(public_key, place.secret, &detail), &detail, "is a secret key");
    assert_int_equal(chmod(place.public, 0600), 0);
    expect_sentence(key_pair_read(&pair, place.public, &detail), &detail, "no secret key");
    expect_sentence(key_pair_read(&pair, place.name, &detail), &detail, "no regular file");
    expect_sentence(key_pair_read(&pair, "/dev/zero", &detail), &detail, "no regular file");
    expect_sentence(key_pair_read(&pair, "/nowhere/key", &detail), &detail, "cannot be read");
    expect_sentence(key_public_read(public_key, "abc", &detail), &detail, "neither a public key");
    folder_remove(&place);
}

static void endpoint_kind__tells_this_machine_from_the_network(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint;
        endpoint_kind connecting, listening;
    } cases[] = {
        {"ipc:///tmp/x", ENDPOINT_IPC, ENDPOINT_IPC},
        {"tcp://127.0.0.1:1", ENDPOINT_LOOPBACK, ENDPOINT_LOOPBACK},
        {"tcp://127.9.9.9:65535", ENDPOINT_LOOPBACK, ENDPOINT_LOOPBACK},
        {"tcp://[::1]:7070", ENDPOINT_LOOPBACK, ENDPOINT_LOOPBACK},
        {"tcp://localhost:7070", ENDPOINT_LOOPBACK, ENDPOINT_LOOPBACK},
        {"tcp://127.0.0.1:*", ENDPOINT_INVALID, ENDPOINT_LOOPBACK},
        {"tcp://127.0.0.1:0", ENDPOINT_INVALID, ENDPOINT_LOOPBACK},
        {"tcp://192.168.1.4:7070", ENDPOINT_NETWORK, ENDPOINT_NETWORK},
        {"tcp://farm.example:7070", ENDPOINT_NETWORK, ENDPOINT_NETWORK},
        {"tcp://127.0.0.1.example:7070", ENDPOINT_NETWORK, ENDPOINT_NETWORK},
        {"tcp://127.example:7070", ENDPOINT_NETWORK, ENDPOINT_NETWORK},
        {"tcp://0.0.0.0:7070", ENDPOINT_NETWORK, ENDPOINT_NETWORK},
        {"tcp://*:7070", ENDPOINT_NETWORK, ENDPOINT_NETWORK},
        {"tcp://eth0:7070", ENDPOINT_NETWORK, ENDPOINT_NETWORK},
        {"tcp://[::2]:7070", ENDPOINT_NETWORK, ENDPOINT_NETWORK},
        {"tcp://[::]:7070", ENDPOINT_NETWORK, ENDPOINT_NETWORK},
        {"tcp://1.2.3.4;127.0.0.1:7070", ENDPOINT_NETWORK, ENDPOINT_NETWORK},
        {"", ENDPOINT_INVALID, ENDPOINT_INVALID},
        {"ipc://", ENDPOINT_INVALID, ENDPOINT_INVALID},
        {"udp://127.0.0.1:1", ENDPOINT_INVALID, ENDPOINT_INVALID},
        {"tcp://", ENDPOINT_INVALID, ENDPOINT_INVALID},
        {"tcp://127.0.0.1", ENDPOINT_INVALID, ENDPOINT_INVALID},
        {"tcp://:7070", ENDPOINT_INVALID, ENDPOINT_INVALID},
        {"tcp://127.0.0.1:65536", ENDPOINT_INVALID, ENDPOINT_INVALID},
        {"inproc://x", ENDPOINT_INVALID, ENDPOINT_INVALID},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (endpoint_kind_of(cases[i].endpoint, false) != cases[i].connecting)
            fail_msg("connecting to %s", cases[i].endpoint);
        if (endpoint_kind_of(cases[i].endpoint, true) != cases[i].listening)
            fail_msg("listening on %s", cases[i].endpoint);
    }
}

static void link_check__wants_keys_for_tcp(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint, *key, *coordinator_key;
        bool plain;
        const char *sentence; /* NULL = allowed */
    } cases[] = {
        {"ipc:///x", "", "", false, NULL},
        {"tcp://127.0.0.1:1", "k", "c", false, NULL},
        {"tcp://10.0.0.1:1", "k", "c", false, NULL},
        {"tcp://127.0.0.1:1", "", "", true, NULL},
        {"tcp://127.0.0.1:1", "", "", false, "--plain"},
        {"tcp://10.0.0.1:1", "", "", false, "needs a key"},
        {"tcp://10.0.0.1:1", "", "", true, "this machine only"},
        {"tcp://127.0.0.1:1", "k", "", false, "--coordinator-key"},
        {"tcp://127.0.0.1:1", "", "c", false, "reelmill keygen"},
        {"tcp://127.0.0.1:1", "k", "c", true, "both a key and plain"},
        {"http://127.0.0.1:1", "k", "c", false, "no coordinator's endpoint"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        link_config config = {.plain = cases[i].plain};
        error_detail detail = {0};
        snprintf(config.key, sizeof config.key, "%s", cases[i].key);
        snprintf(config.coordinator_key, sizeof config.coordinator_key, "%s", cases[i].coordinator_key);
        status code = link_check(cases[i].endpoint, &config, &detail);
        if (cases[i].sentence == NULL)
            assert_int_equal(code, STATUS_OK);
        else
            expect_sentence(code, &detail, cases[i].sentence);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_file__comes_back_as_it_was_written),
        cmocka_unit_test(key_file__is_refused_when_open_to_others_or_wrong),
        cmocka_unit_test(endpoint_kind__tells_this_machine_from_the_network),
        cmocka_unit_test(link_check__wants_keys_for_tcp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
