#include "coordinator/shell/peer_inbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Its payload begins with the number; false where the inbox refuses it. */
static bool put_of(peer_inbox *inbox, uint32_t party, int link, uint32_t number, size_t byte_size)
{
    zmq_msg_t from, payload;
    zmq_msg_init_size(&from, sizeof link);
    zmq_msg_init_size(&payload, byte_size);
    memcpy(zmq_msg_data(&from), &link, sizeof link);
    memcpy(zmq_msg_data(&payload), &number, sizeof number);
    bool taken = peer_inbox_put(inbox, link, party, &from, &payload);
    zmq_msg_close(&from);
    zmq_msg_close(&payload);
    return taken;
}

static bool put(peer_inbox *inbox, int link, uint32_t number, size_t byte_size)
{
    return put_of(inbox, 0, link, number, byte_size);
}

static bool take(peer_inbox *inbox, int *out_link, uint32_t *out_number)
{
    zmq_msg_t from, payload;
    zmq_msg_init(&from);
    zmq_msg_init(&payload);
    bool any = peer_inbox_take(inbox, &from, &payload);
    if (any) {
        memcpy(out_link, zmq_msg_data(&from), sizeof *out_link);
        memcpy(out_number, zmq_msg_data(&payload), sizeof *out_number);
    }
    zmq_msg_close(&from);
    zmq_msg_close(&payload);
    return any;
}

static void peer_inbox__serves_connections_in_turns_and_each_in_order(void **state)
{
    (void)state;
    peer_inbox *inbox = peer_inbox_create();
    for (uint32_t i = 0; i < 100; i++)
        assert_true(put(inbox, 9, i, 100));
    assert_true(put(inbox, 4, 0, 100));
    assert_true(put(inbox, -1, 0, 100));
    assert_true(put(inbox, 4, 1, 100));
    int links[5];
    uint32_t numbers[5];
    for (int i = 0; i < 5; i++)
        assert_true(take(inbox, &links[i], &numbers[i]));
    const int turns[] = {9, 4, -1, 9, 4};
    const uint32_t order[] = {0, 0, 0, 1, 1};
    assert_memory_equal(links, turns, sizeof turns);
    assert_memory_equal(numbers, order, sizeof order);
    int link = 0;
    uint32_t number = 0;
    for (uint32_t i = 2; i < 100; i++) {
        assert_true(take(inbox, &link, &number));
        assert_int_equal(link, 9);
        assert_int_equal(number, i);
    }
    assert_true(peer_inbox_is_empty(inbox));
    assert_false(take(inbox, &link, &number));
    peer_inbox_destroy(&inbox);
}

static void peer_inbox__serves_parties_in_turns_however_many_connections_they_have(void **state)
{
    (void)state;
    enum { CROWD = 500 };
    peer_inbox *inbox = peer_inbox_create();
    int link = -1;
    uint32_t number = 0;
    for (int i = 0; i < CROWD; i++)
        for (uint32_t n = 0; n < 3; n++)
            assert_true(put_of(inbox, 1, i, n, 4));
    for (uint32_t n = 0; n < 3; n++)
        assert_true(put_of(inbox, 2, CROWD, n, 4));
    for (uint32_t n = 0; n < 3; n++) {
        assert_true(take(inbox, &link, &number));
        assert_int_equal(link, n);
        assert_int_equal(number, 0);
        assert_true(take(inbox, &link, &number));
        assert_int_equal(link, CROWD);
        assert_int_equal(number, n);
    }
    for (uint32_t i = 3; i < CROWD * 3; i++) { /* its connections go on in their turns */
        assert_true(take(inbox, &link, &number));
        assert_int_equal(link, i % CROWD);
        assert_int_equal(number, i / CROWD);
    }
    assert_true(peer_inbox_is_empty(inbox));
    peer_inbox_destroy(&inbox);
}

/* A model: one array per connection, a ring in the order in which they got their first message. */
static void peer_inbox__keeps_what_a_model_keeps(void **state)
{
    (void)state;
    enum { LINKS = 7, STEPS = 20000 };
    peer_inbox *inbox = peer_inbox_create();
    uint32_t first[LINKS] = {0}, end[LINKS] = {0}, seed = 1;
    int ring[LINKS];
    int in_ring = 0;
    for (int step = 0; step < STEPS; step++) {
        seed = seed * 1664525u + 1013904223u;
        int link = (int)(seed >> 16) % LINKS;
        uint32_t what = seed >> 28;
        if (what < 8) {
            assert_true(put(inbox, link, end[link], 4));
            if (first[link] == end[link]++)
                ring[in_ring++] = link;
        } else {
            int got = -1;
            uint32_t number = 0;
            assert_int_equal(take(inbox, &got, &number), in_ring > 0);
            if (in_ring == 0)
                continue;
            assert_int_equal(got, ring[0]);
            assert_int_equal(number, first[got]++);
            memmove(ring, ring + 1, (size_t)(in_ring - 1) * sizeof ring[0]);
            in_ring--;
            if (first[got] < end[got])
                ring[in_ring++] = got;
        }
        assert_int_equal(peer_inbox_is_empty(inbox), in_ring == 0);
    }
    peer_inbox_destroy(&inbox);
}

static void peer_inbox__bounds_each_and_all(void **state)
{
    (void)state;
    peer_inbox *inbox = peer_inbox_create();
    int link = -1;
    uint32_t number = 0;
    for (uint32_t i = 0; i < INBOX_EACH_MESSAGES; i++)
        assert_true(put(inbox, 0, i, 4));
    assert_false(put(inbox, 0, 0, 4)); /* too many */
    while (take(inbox, &link, &number))
        continue;
    for (int i = 1; i <= 4; i++) {
        assert_true(put(inbox, i, 0, INBOX_EACH_BYTES - INBOX_MESSAGE_BYTES));
        assert_false(put(inbox, i, 0, 4)); /* too large */
    }
    /* All have what they may together: who has little may go on to a share, with as many connections as its party may fill. */
    assert_false(put(inbox, 9, 0, INBOX_SHARE_BYTES));
    for (int i = 0; i < (INBOX_PARTY_BYTES - INBOX_TOTAL_BYTES) / INBOX_SHARE_BYTES; i++) {
        assert_true(put(inbox, 9 + i, 0, INBOX_SHARE_BYTES - INBOX_MESSAGE_BYTES));
        assert_false(put(inbox, 9 + i, 1, 4));
    }
    assert_false(put(inbox, 2000, 0, 4));
    assert_true(put_of(inbox, 1, 2000, 0, INBOX_SHARE_BYTES - INBOX_MESSAGE_BYTES));
    assert_true(take(inbox, &link, &number)); /* the oldest is still served */
    assert_int_equal(link, 1);
    peer_inbox_destroy(&inbox);
}

static bool may_be_new(peer_inbox *inbox, int link, int from_link)
{
    zmq_msg_t from;
    zmq_msg_init_size(&from, sizeof from_link);
    memcpy(zmq_msg_data(&from), &from_link, sizeof from_link);
    bool new = peer_inbox_may_be_new(inbox, link, &from);
    zmq_msg_close(&from);
    return new;
}

static void peer_inbox__a_new_connection_does_not_wait_behind_a_flood(void **state)
{
    (void)state;
    peer_inbox *inbox = peer_inbox_create();
    int link = -1;
    uint32_t number = 0;
    assert_true(may_be_new(inbox, 3, 8)); /* nothing waits that would tell */
    for (uint32_t i = 0; i <= INBOX_LEFT_MESSAGES; i++) {
        assert_true(put(inbox, 2, i, 4));
        assert_true(put(inbox, 3, i, 4));
    }
    assert_false(may_be_new(inbox, 3, 3));
    assert_true(may_be_new(inbox, 3, 8));
    peer_inbox_renew(inbox, 3);
    peer_inbox_renew(inbox, 700); /* where nothing ever was */
    assert_true(put(inbox, 3, 4711, 4));
    assert_true(take(inbox, &link, &number));
    assert_int_equal(link, 2);
    assert_true(take(inbox, &link, &number));
    assert_int_equal(link, 3);
    assert_int_equal(number, 4711);
    peer_inbox_renew(inbox, 2); /* INBOX_LEFT_MESSAGES are left: a few are handled, whoever comes after */
    for (uint32_t i = 1; i <= INBOX_LEFT_MESSAGES; i++) {
        assert_true(take(inbox, &link, &number));
        assert_int_equal(number, i);
    }
    assert_true(peer_inbox_is_empty(inbox));
    for (uint32_t i = 0; i <= INBOX_LEFT_MESSAGES; i++)
        assert_true(put(inbox, 5, i, 4));
    peer_inbox_renew(inbox, 5); /* the only one */
    assert_true(peer_inbox_is_empty(inbox));
    peer_inbox_destroy(&inbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peer_inbox__serves_connections_in_turns_and_each_in_order),
        cmocka_unit_test(peer_inbox__serves_parties_in_turns_however_many_connections_they_have),
        cmocka_unit_test(peer_inbox__keeps_what_a_model_keeps),
        cmocka_unit_test(peer_inbox__bounds_each_and_all),
        cmocka_unit_test(peer_inbox__a_new_connection_does_not_wait_behind_a_flood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
