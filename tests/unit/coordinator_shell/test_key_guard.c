/* A guarded ROUTER and peers of every sort: with a key of the list, with another, with none, and after a revocation. */
#define _GNU_SOURCE
#include "coordinator/access/connect_rate.h"
#include "coordinator/shell/router_socket.h"
#include "proto/secure_socket.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

enum { PATIENCE_MS = 10000 };

typedef struct stage {
    char folder[64];
    char secret[96], public[96], list[96]; /* the coordinator's */
    key_pair known, stranger;
    uint8_t coordinator[KEY_BYTES];
    key_guard *guard;
    uv_loop_t loop;
    router_socket *router;
    char endpoint[128];
    uint32_t heard;
    char last_name[NAME_MAX_BYTES];
    bool last_known;
    bool closed;
    void *context; /* of the peers */
} stage;

static void write_list(stage *self, const char *text)
{
    char fresh[128];
    snprintf(fresh, sizeof fresh, "%s.new", self->list);
    FILE *file = fopen(fresh, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(fresh, self->list), 0);
}

static void on_message(void *context, const routing_id *from, const char *user, const void *bytes, size_t byte_size)
{
    stage *self = context;
    const access_grant *who = key_guard_whose(self->guard, user);
    (void)from;
    (void)bytes;
    (void)byte_size;
    self->heard++;
    self->last_known = who != NULL;
    snprintf(self->last_name, sizeof self->last_name, "%s", who == NULL ? "" : who->name);
}

static int open_stage(void **state)
{
    stage *self = calloc(1, sizeof *self);
    char digits[KEY_TEXT_BYTES];
    char text[256];
    key_pair own;
    error_detail detail = {0};
    assert_non_null(self);
    snprintf(self->folder, sizeof self->folder, "/tmp/test_guard_XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    snprintf(self->secret, sizeof self->secret, "%s/reelmill.secret", self->folder);
    snprintf(self->public, sizeof self->public, "%s/reelmill.public", self->folder);
    snprintf(self->list, sizeof self->list, "%s/authorized", self->folder);
    assert_int_equal(key_pair_make(&own, NULL), STATUS_OK);
    assert_int_equal(key_pair_write(&own, self->folder, NULL), STATUS_OK);
    memcpy(self->coordinator, own.public_key, KEY_BYTES);
    assert_int_equal(key_pair_make(&self->known, NULL), STATUS_OK);
    assert_int_equal(key_pair_make(&self->stranger, NULL), STATUS_OK);
    key_format(self->known.public_key, digits);
    snprintf(text, sizeof text, "viewer %s anna\n", digits);
    write_list(self, text);
    const key_guard_config config = {.key = self->secret, .authorized = self->list};
    if (key_guard_create(&self->guard, &config, &detail) != STATUS_OK)
        fail_msg("%s", detail.message);
    assert_int_equal(uv_loop_init(&self->loop), 0);
    assert_int_equal(router_socket_create(&self->router, &self->loop, self->guard, on_message, self, &detail), STATUS_OK);
    if (router_socket_bind(self->router, "tcp://127.0.0.1:*", self->endpoint, sizeof self->endpoint, &detail) != STATUS_OK)
        fail_msg("%s", detail.message);
    self->context = zmq_ctx_new();
    *state = self;
    return 0;
}

static void on_closed(void *context)
{
    ((stage *)context)->closed = true;
}

static int close_stage(void **state)
{
    stage *self = *state;
    zmq_ctx_term(self->context);
    router_socket_close(&self->router, on_closed, self);
    uv_run(&self->loop, UV_RUN_DEFAULT);
    assert_true(self->closed);
    assert_int_equal(uv_loop_close(&self->loop), 0);
    key_guard_destroy(&self->guard);
    unlink(self->secret);
    unlink(self->public);
    unlink(self->list);
    rmdir(self->folder);
    free(self);
    return 0;
}

typedef struct peer {
    void *socket, *monitor;
} peer;

/* keys NULL: comes without. */
static peer connect_peer(stage *self, const key_pair *keys, const uint8_t server[KEY_BYTES])
{
    int linger = 0;
    peer made = {.socket = zmq_socket(self->context, ZMQ_DEALER)};
    assert_non_null(made.socket);
    made.monitor = link_monitor_create(self->context, made.socket);
    assert_non_null(made.monitor);
    assert_int_equal(zmq_setsockopt(made.socket, ZMQ_LINGER, &linger, sizeof linger), 0);
    if (keys != NULL) {
        assert_int_equal(zmq_setsockopt(made.socket, ZMQ_CURVE_SERVERKEY, server, KEY_BYTES), 0);
        assert_int_equal(zmq_setsockopt(made.socket, ZMQ_CURVE_PUBLICKEY, keys->public_key, KEY_BYTES), 0);
        assert_int_equal(zmq_setsockopt(made.socket, ZMQ_CURVE_SECRETKEY, keys->secret_key, KEY_BYTES), 0);
    }
    assert_int_equal(zmq_connect(made.socket, self->endpoint), 0);
    assert_int_equal(zmq_send(made.socket, "hello", 5, 0), 5);
    return made;
}

static link_event outcome_of(const peer *self)
{
    zmq_pollitem_t item = {.socket = self->monitor, .events = ZMQ_POLLIN};
    while (zmq_poll(&item, 1, PATIENCE_MS) > 0)
        for (link_event event; (event = link_monitor_next(self->monitor)) != LINK_QUIET;)
            if (event != LINK_OTHER)
                return event;
    return LINK_QUIET;
}

static void close_peer(peer *self)
{
    zmq_close(self->monitor);
    zmq_close(self->socket);
}

static void hear(stage *self, uint32_t count)
{
    while (self->heard < count)
        uv_run(&self->loop, UV_RUN_ONCE);
}

static void key_guard__lets_in_a_key_of_the_list(void **state)
{
    stage *self = *state;
    peer anna = connect_peer(self, &self->known, self->coordinator);
    assert_int_equal(outcome_of(&anna), LINK_UP);
    hear(self, 1);
    assert_string_equal(self->last_name, "anna");
    close_peer(&anna);
}

/* The ones that are turned away come first; then one is let in, and its message is the only one that ever arrived. */
static void key_guard__turns_everybody_else_away(void **state)
{
    stage *self = *state;
    peer others[] = {connect_peer(self, &self->stranger, self->coordinator),
                     connect_peer(self, &self->known, self->stranger.public_key), connect_peer(self, NULL, NULL)};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        link_event event = outcome_of(&others[i]);
        assert_true(event == LINK_REFUSED || event == LINK_BROKEN);
    }
    key_guard_refusals refused = key_guard_take_refusals(self->guard);
    char digits[KEY_TEXT_BYTES];
    key_format(self->stranger.public_key, digits);
    assert_int_equal(refused.count, 1); /* the other two did not get as far as being asked about */
    assert_string_equal(refused.key, digits);
    assert_string_equal(refused.address, "127.0.0.1");
    peer anna = connect_peer(self, &self->known, self->coordinator);
    hear(self, 1);
    router_socket_drain(self->router, 100);
    assert_int_equal(self->heard, 1);
    assert_string_equal(self->last_name, "anna");
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        close_peer(&others[i]);
    close_peer(&anna);
}

static void key_guard__forgets_a_revoked_key_on_a_live_connection(void **state)
{
    stage *self = *state;
    peer anna = connect_peer(self, &self->known, self->coordinator);
    hear(self, 1);
    assert_true(self->last_known);
    assert_false(key_guard_reload(self->guard)); /* nothing has changed */
    assert_true(key_guard_lists(self->guard, "anna", self->known.public_key));
    char digits[KEY_TEXT_BYTES]; /* the name has another key now */
    char text[256];
    key_format(self->stranger.public_key, digits);
    snprintf(text, sizeof text, "viewer %s anna\n", digits);
    write_list(self, text);
    assert_true(key_guard_reload(self->guard));
    assert_false(key_guard_lists(self->guard, "anna", self->known.public_key));
    assert_true(key_guard_lists(self->guard, "anna", self->stranger.public_key));
    write_list(self, "# nobody\n");
    assert_true(key_guard_reload(self->guard));
    assert_false(key_guard_lists(self->guard, "anna", self->stranger.public_key));
    assert_int_equal(zmq_send(anna.socket, "again", 5, 0), 5);
    hear(self, 2);
    assert_false(self->last_known);
    peer later = connect_peer(self, &self->known, self->coordinator);
    assert_int_equal(outcome_of(&later), LINK_REFUSED);
    close_peer(&later);
    close_peer(&anna);
}

static void key_guard__keeps_the_list_when_its_file_becomes_wrong(void **state)
{
    stage *self = *state;
    char digits[KEY_TEXT_BYTES];
    key_format(self->known.public_key, digits);
    write_list(self, "viewer nonsense\n");
    assert_false(key_guard_reload(self->guard));
    assert_string_equal(key_guard_whose(self->guard, digits)->name, "anna");
    assert_int_equal(unlink(self->list), 0);
    assert_false(key_guard_reload(self->guard));
    assert_string_equal(key_guard_whose(self->guard, digits)->name, "anna");
    write_list(self, "");
    assert_int_equal(chmod(self->list, 0666), 0);
    assert_false(key_guard_reload(self->guard)); /* anybody could have written it */
    assert_string_equal(key_guard_whose(self->guard, digits)->name, "anna");
    assert_int_equal(chmod(self->list, 0600), 0);
    assert_true(key_guard_reload(self->guard));
    assert_null(key_guard_whose(self->guard, digits));
}

static void write_in_place(stage *self, const char *text)
{
    FILE *file = fopen(self->list, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* An editor's file is empty first, then half a list, then the new one. */
static void key_guard__waits_until_an_editor_has_written(void **state)
{
    stage *self = *state;
    char known[KEY_TEXT_BYTES];
    char stranger[KEY_TEXT_BYTES];
    char text[256];
    key_format(self->known.public_key, known);
    key_format(self->stranger.public_key, stranger);
    write_in_place(self, "");
    assert_false(key_guard_reload(self->guard));
    assert_non_null(key_guard_whose(self->guard, known));
    snprintf(text, sizeof text, "viewer %s bert\n", stranger);
    write_in_place(self, text);
    assert_false(key_guard_reload(self->guard));
    assert_non_null(key_guard_whose(self->guard, known));
    assert_true(key_guard_reload(self->guard)); /* it stands still */
    assert_null(key_guard_whose(self->guard, known));
    assert_string_equal(key_guard_whose(self->guard, stranger)->name, "bert");
    write_in_place(self, "");
    assert_false(key_guard_reload(self->guard));
    assert_true(key_guard_reload(self->guard)); /* meant so */
    assert_null(key_guard_whose(self->guard, stranger));
}

/* One socket, endpoints of both kinds, bound in turn: each stays what it is. */
static void key_guard__keeps_endpoints_apart(void **state)
{
    stage *self = *state;
    char first[sizeof self->endpoint];
    char later[sizeof self->endpoint];
    char local[sizeof self->endpoint];
    char place[sizeof self->folder + 16];
    snprintf(place, sizeof place, "ipc://%s/farm", self->folder);
    memcpy(first, self->endpoint, sizeof first);
    assert_int_equal(router_socket_bind(self->router, place, local, sizeof local, NULL), STATUS_OK);
    assert_int_equal(router_socket_bind(self->router, "tcp://127.0.0.1:*", later, sizeof later, NULL), STATUS_OK);
    const char *const keyed[] = {first, later};
    uint32_t heard = 0;
    for (size_t i = 0; i < 2; i++) {
        memcpy(self->endpoint, keyed[i], sizeof self->endpoint);
        peer nobody = connect_peer(self, NULL, NULL);
        link_event event = outcome_of(&nobody);
        assert_true(event == LINK_REFUSED || event == LINK_BROKEN);
        peer anna = connect_peer(self, &self->known, self->coordinator);
        hear(self, ++heard);
        assert_string_equal(self->last_name, "anna");
        memcpy(self->endpoint, local, sizeof self->endpoint);
        peer neighbour = connect_peer(self, NULL, NULL);
        hear(self, ++heard);
        assert_string_equal(self->last_name, "local");
        close_peer(&neighbour);
        close_peer(&anna);
        close_peer(&nobody);
    }
    router_socket_drain(self->router, 100);
    assert_int_equal(self->heard, heard);
    unlink(place + strlen("ipc://"));
}

static void key_guard__knows_no_sender_without_an_id(void **state)
{
    stage *self = *state;
    assert_null(key_guard_whose(self->guard, NULL));
    assert_null(key_guard_whose(self->guard, ""));
    assert_null(key_guard_whose(self->guard, "anna"));
    assert_null(key_guard_whose(self->guard, "operator"));
}

static void key_guard__tells_what_is_missing(void **state)
{
    stage *self = *state;
    const struct {
        key_guard_config config;
        const char *sentence;
    } cases[] = {
        {{.key = self->secret, .authorized = ""}, "authorized is not given"},
        {{.key = "", .authorized = self->list}, "key is not given"},
        {{.key = self->secret, .authorized = self->list, .plain = true}, "both a key and plain"},
        {{.key = self->public, .authorized = self->list}, "open to others"},
        {{.key = self->secret, .authorized = "/nowhere/list"}, "reelmill authorize"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        key_guard *guard = NULL;
        error_detail detail = {0};
        assert_int_equal(status_class_of(key_guard_create(&guard, &cases[i].config, &detail)), STATUS_CLASS_INPUT);
        assert_null(guard);
        if (strstr(detail.message, cases[i].sentence) == NULL)
            fail_msg("\"%s\" lacks \"%s\"", detail.message, cases[i].sentence);
    }
    const key_guard_config none = {.key = "", .authorized = ""};
    key_guard *guard = NULL;
    assert_int_equal(key_guard_create(&guard, &none, NULL), STATUS_OK);
    assert_int_equal(key_guard_check(guard, "ipc:///run/x", NULL), STATUS_OK);
    assert_int_equal(key_guard_check(guard, "tcp://127.0.0.1:7070", NULL), STATUS_INPUT_MISSING);
    assert_int_equal(key_guard_check(guard, "tcp://0.0.0.0:7070", NULL), STATUS_INPUT_MISSING);
    assert_int_equal(key_guard_check(guard, "udp://127.0.0.1:7070", NULL), STATUS_INPUT_INVALID);
    key_guard_destroy(&guard);
}

/* A key that would be let in, at a door that nobody answers: libzmq alone would open it. */
static void key_guard__lets_nobody_in_without_a_handler(void **state)
{
    stage *self = *state;
    void *context = zmq_ctx_new();
    void *router = zmq_socket(context, ZMQ_ROUTER);
    char endpoint[sizeof self->endpoint];
    size_t size = sizeof endpoint;
    int linger = 0;
    memcpy(endpoint, self->endpoint, sizeof endpoint);
    assert_int_equal(zmq_setsockopt(router, ZMQ_LINGER, &linger, sizeof linger), 0);
    assert_int_equal(key_guard_arm(self->guard, router, "tcp://127.0.0.1:*", NULL), STATUS_OK);
    assert_int_equal(zmq_bind(router, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, self->endpoint, &size), 0);
    peer anna = connect_peer(self, &self->known, self->coordinator);
    link_event event = outcome_of(&anna);
    assert_true(event == LINK_REFUSED || event == LINK_BROKEN);
    close_peer(&anna);
    zmq_close(router);
    zmq_ctx_term(context);
    memcpy(self->endpoint, endpoint, sizeof endpoint);
}

/* What the handler says to a connection of this key (RFC 27), as libzmq asks it. */
static uint32_t code_for(void *asker, const uint8_t key[KEY_BYTES])
{
    static const char *const frames[] = {"1.0", "1", "keyed", "127.0.0.1", "", "CURVE"};
    char frame[256];
    int more = 1;
    size_t size = sizeof more;
    uint32_t code = 0;
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++)
        assert_true(zmq_send(asker, frames[i], strlen(frames[i]), ZMQ_SNDMORE) >= 0);
    assert_int_equal(zmq_send(asker, key, KEY_BYTES, 0), KEY_BYTES);
    for (uint32_t i = 0; more != 0; i++) {
        int got = zmq_recv(asker, frame, sizeof frame - 1, 0);
        assert_true(got >= 0);
        frame[got] = '\0';
        code = i == 2 ? (uint32_t)strtoul(frame, NULL, 10) : code;
        assert_int_equal(zmq_getsockopt(asker, ZMQ_RCVMORE, &more, &size), 0);
    }
    return code;
}

/* A whole farm comes at once, and more: who is too many is hung up on, comes again by itself, and is let in when there is
   room, while another key never notices. */
static void key_guard__has_a_key_wait_that_connects_without_end(void **state)
{
    stage *self = *state;
    char place[sizeof self->endpoint], text[512], digits[2][KEY_TEXT_BYTES];
    size_t size = sizeof place;
    int linger = 0;
    int handshake_ms = 300; /* then libzmq hangs up */
    const key_guard_config config = {.key = self->secret, .authorized = self->list};
    key_guard *guard = NULL;
    key_format(self->known.public_key, digits[0]);
    key_format(self->stranger.public_key, digits[1]);
    snprintf(text, sizeof text, "viewer %s anna\nviewer %s bert\n", digits[0], digits[1]);
    write_list(self, text);
    assert_int_equal(key_guard_create(&guard, &config, NULL), STATUS_OK);
    void *context = zmq_ctx_new();
    assert_int_equal(key_guard_serve(guard, context, NULL), STATUS_OK);
    void *router = zmq_socket(context, ZMQ_ROUTER);
    void *asker = zmq_socket(context, ZMQ_REQ);
    assert_int_equal(zmq_setsockopt(router, ZMQ_HANDSHAKE_IVL, &handshake_ms, sizeof handshake_ms), 0);
    assert_int_equal(zmq_setsockopt(router, ZMQ_LINGER, &linger, sizeof linger), 0);
    assert_int_equal(zmq_connect(asker, "inproc://zeromq.zap.01"), 0);
    assert_int_equal(key_guard_arm(guard, router, "tcp://127.0.0.1:*", NULL), STATUS_OK);
    assert_int_equal(zmq_bind(router, "tcp://127.0.0.1:*"), 0);
    memcpy(place, self->endpoint, sizeof place);
    assert_int_equal(zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, self->endpoint, &size), 0);
    for (uint32_t i = 0; i < CONNECTS_AT_ONCE_MAX; i++)
        assert_int_equal(code_for(asker, self->known.public_key), 200);
    while (code_for(asker, self->known.public_key) == 200) /* a few more as time goes by */
        continue;
    link_event event = LINK_UP;
    peer anna = {0};
    while (event == LINK_UP) { /* it took a place that came free just then */
        if (anna.socket != NULL)
            close_peer(&anna);
        anna = connect_peer(self, &self->known, self->coordinator);
        while ((event = link_monitor_next(anna.monitor)) == LINK_QUIET || event == LINK_OTHER)
            (void)code_for(asker, self->known.public_key);
    }
    assert_int_equal(event, LINK_BROKEN);
    assert_int_equal(code_for(asker, self->stranger.public_key), 200);
    while ((event = outcome_of(&anna)) == LINK_BROKEN) /* until that flood's last place is paid for */
        continue;
    assert_int_equal(event, LINK_UP);
    close_peer(&anna);
    zmq_close(asker);
    zmq_close(router);
    zmq_ctx_term(context);
    key_guard_destroy(&guard);
    memcpy(self->endpoint, place, sizeof place);
}

/* The test of the start-up test: it fails where somebody lets strangers in. */
static void *admit_everybody(void *socket)
{
    char frame[256];
    int more = 1;
    size_t size = sizeof more;
    while (more != 0 && zmq_recv(socket, frame, sizeof frame, 0) >= 0)
        zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size);
    zmq_send(socket, "1.0", 3, ZMQ_SNDMORE);
    zmq_send(socket, "1", 1, ZMQ_SNDMORE);
    zmq_send(socket, "200", 3, ZMQ_SNDMORE);
    zmq_send(socket, "OK", 2, ZMQ_SNDMORE);
    zmq_send(socket, "anna", 4, ZMQ_SNDMORE);
    zmq_send(socket, "", 0, 0);
    zmq_close(socket);
    return NULL;
}

static void key_guard__self_test_sees_an_open_door(void **state)
{
    stage *self = *state;
    void *context = zmq_ctx_new();
    void *door = zmq_socket(context, ZMQ_REP);
    void *router = zmq_socket(context, ZMQ_ROUTER);
    char endpoint[64];
    size_t size = sizeof endpoint;
    int linger = 0;
    pthread_t thread;
    assert_int_equal(zmq_bind(door, "inproc://zeromq.zap.01"), 0);
    assert_int_equal(pthread_create(&thread, NULL, admit_everybody, door), 0);
    assert_int_equal(zmq_setsockopt(router, ZMQ_LINGER, &linger, sizeof linger), 0);
    assert_int_equal(key_guard_arm(self->guard, router, "tcp://127.0.0.1:*", NULL), STATUS_OK);
    assert_int_equal(zmq_bind(router, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    assert_int_equal(key_guard_self_test(self->guard, endpoint, NULL), STATUS_DEFECT);
    pthread_join(thread, NULL);
    zmq_close(router);
    zmq_ctx_term(context);
    /* And it passes where this guard answers. */
    assert_int_equal(key_guard_self_test(self->guard, self->endpoint, NULL), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(key_guard__lets_in_a_key_of_the_list, open_stage, close_stage),
        cmocka_unit_test_setup_teardown(key_guard__turns_everybody_else_away, open_stage, close_stage),
        cmocka_unit_test_setup_teardown(key_guard__forgets_a_revoked_key_on_a_live_connection, open_stage, close_stage),
        cmocka_unit_test_setup_teardown(key_guard__keeps_the_list_when_its_file_becomes_wrong, open_stage, close_stage),
        cmocka_unit_test_setup_teardown(key_guard__waits_until_an_editor_has_written, open_stage, close_stage),
        cmocka_unit_test_setup_teardown(key_guard__keeps_endpoints_apart, open_stage, close_stage),
        cmocka_unit_test_setup_teardown(key_guard__knows_no_sender_without_an_id, open_stage, close_stage),
        cmocka_unit_test_setup_teardown(key_guard__tells_what_is_missing, open_stage, close_stage),
        cmocka_unit_test_setup_teardown(key_guard__lets_nobody_in_without_a_handler, open_stage, close_stage),
        cmocka_unit_test_setup_teardown(key_guard__has_a_key_wait_that_connects_without_end, open_stage, close_stage),
        cmocka_unit_test_setup_teardown(key_guard__self_test_sees_an_open_door, open_stage, close_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
