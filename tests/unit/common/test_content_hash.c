/* Streams that take the same bytes together, held against streams that take them alone: each instruction set that is here. */
#include "common/base/content_hash_together.c" /* to choose the instruction set */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { BYTES = 1 << 15, STREAMS = STREAMS_TOGETHER_MAX };

static uint8_t bytes[BYTES];
static uint32_t draw_state;

static uint32_t draw(uint32_t below)
{
    draw_state = draw_state * 1664525 + 1013904223;
    return (draw_state >> 8) % below;
}

static void assert_same(content_hash_stream *const *together, const content_hash_stream *alone)
{
    for (size_t s = 0; s < STREAMS; s++) {
        content_hash a = content_hash_stream_digest(together[s]);
        content_hash b = content_hash_stream_digest(&alone[s]);
        assert_memory_equal(a.bytes, b.bytes, sizeof a.bytes);
    }
}

/* How often streams were in step comes back. */
static uint32_t add_pieces(const size_t before[STREAMS], uint32_t piece_max, take_fn *take)
{
    content_hash_stream room[STREAMS];
    content_hash_stream alone[STREAMS];
    content_hash_stream *together[STREAMS];
    uint32_t in_step_count = 0;
    for (size_t s = 0; s < STREAMS; s++) {
        together[s] = &room[s];
        content_hash_stream_init(&alone[s]);
        content_hash_stream_add(&alone[s], bytes + 7 * s, before[s]);
        room[s] = alone[s];
    }
    for (size_t at = 0; at < BYTES;) {
        size_t size = 1 + draw(piece_max);
        size = size < BYTES - at ? size : BYTES - at;
        size_t left = STREAMS;
        content_hash_stream *rest[STREAMS];
        memcpy(rest, together, sizeof rest);
        if (take != NULL)
            left = add_to_those_in_step(take, rest, STREAMS, bytes + at, size);
        in_step_count += left < STREAMS;
        for (size_t s = 0; s < left; s++)
            content_hash_stream_add(rest[s], bytes + at, size);
        for (size_t s = 0; s < STREAMS; s++)
            content_hash_stream_add(&alone[s], bytes + at, size);
        assert_same(together, alone);
        at += size;
    }
    return in_step_count;
}

static void streams_together__are_what_they_are_alone(void **state)
{
    (void)state;
    /* The first is in step with another in all but the last. */
    static const size_t starts[][STREAMS] = {{0, 0, 0},  {0, 1024, 2048}, {0, 44, 1024}, {44, 44 + 1024, 5}, {256, 1280, 0},
                                             {63, 64, 65}};
    enum { STARTS = sizeof starts / sizeof starts[0] };
    static const uint32_t pieces[] = {1, 70, 300, 1100, 8640, BYTES};
#ifdef __x86_64__
    take_fn *const variants[] = {__builtin_cpu_supports("avx512f") ? take_avx512 : NULL,
                                 __builtin_cpu_supports("avx2") ? take_avx2 : NULL};
#else
    take_fn *const variants[] = {NULL, NULL};
#endif
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (uint8_t)draw(256);
    for (size_t v = 0; v < 2; v++)
        for (size_t i = 0; i < STARTS; i++)
            for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
                uint32_t taken = add_pieces(starts[i], pieces[k], variants[v]);
                if (variants[v] != NULL && pieces[k] == 8640)
                    assert_int_equal(taken > 0, i + 1 < STARTS);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(streams_together__are_what_they_are_alone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
