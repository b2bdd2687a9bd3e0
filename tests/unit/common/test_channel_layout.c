#include "common/media/channel_layout.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void order_text(const channel_order *order, char out[128])
{
    out[0] = '\0';
    for (uint32_t i = 0; i < order->channel_count; i++)
        snprintf(out + strlen(out), 128 - strlen(out), "%s%s", i == 0 ? "" : " ", channel_label_name(order->labels[i]));
}

static void channel_layout__knows_names_and_synonyms(void **state)
{
    (void)state;
    for (int id = LAYOUT_NONE + 1; id < LAYOUT_COUNT; id++)
        assert_int_equal(channel_layout_from_name(channel_layout_get((channel_layout_id)id)->name), id);
    assert_int_equal(channel_layout_from_name("51"), LAYOUT_5_1);
    assert_int_equal(channel_layout_from_name("Stereo"), LAYOUT_STEREO);
    assert_int_equal(channel_layout_from_name("2.0"), LAYOUT_STEREO);
    assert_int_equal(channel_layout_from_name("1.0"), LAYOUT_MONO);
    assert_int_equal(channel_layout_from_name("5.2"), LAYOUT_NONE);
    assert_int_equal(channel_layout_from_name(""), LAYOUT_NONE);
    assert_int_equal(channel_layout_get((channel_layout_id)99)->id, LAYOUT_NONE);
    assert_int_equal(channel_label_from_name("lfe"), CHANNEL_LFE);
    assert_int_equal(channel_label_from_name("Lsr"), CHANNEL_LRS);
    assert_int_equal(channel_label_from_name("Rb"), CHANNEL_RRS);
    assert_int_equal(channel_label_from_name("mono"), CHANNEL_M);
    assert_int_equal(channel_label_from_name("Lt"), CHANNEL_NONE); /* a matrixed signal is no loudspeaker */
    assert_int_equal(channel_label_from_name("X"), CHANNEL_NONE);
    assert_string_equal(channel_label_name(CHANNEL_LABEL_COUNT), "?");
}

static void channel_layout__guesses_only_what_is_clear(void **state)
{
    (void)state;
    static const channel_layout_id expected[] = {LAYOUT_NONE, LAYOUT_MONO, LAYOUT_STEREO, LAYOUT_NONE,
                                                 LAYOUT_NONE, LAYOUT_NONE, LAYOUT_5_1,    LAYOUT_NONE,
                                                 LAYOUT_7_1,  LAYOUT_NONE, LAYOUT_7_1_2};
    for (uint32_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_int_equal(channel_layout_guess(i), expected[i]);
}

/* Orders: domain.md section 5; mask bits: FL FR FC LFE BL BR .. BC SL SR ascending. */
static void channel_layout__orders_files(void **state)
{
    (void)state;
    static const struct {
        channel_layout_id layout;
        channel_order_id order;
        const char *labels;
    } rows[] = {
        {LAYOUT_5_1, ORDER_SMPTE, "L R C LFE Ls Rs"},
        {LAYOUT_5_1, ORDER_FILM, "L C R Ls Rs LFE"},
        {LAYOUT_5_1, ORDER_WAVE, "L R C LFE Ls Rs"},
        {LAYOUT_7_1, ORDER_SMPTE, "L R C LFE Lss Rss Lrs Rrs"},
        {LAYOUT_7_1, ORDER_FILM, "L C R Lss Rss Lrs Rrs LFE"},
        {LAYOUT_7_1, ORDER_WAVE, "L R C LFE Lrs Rrs Lss Rss"},
        {LAYOUT_4_0, ORDER_FILM, "L C R Cs"},
        {LAYOUT_7_1_2, ORDER_FILM, "L C R Lss Rss Lrs Rrs LFE Lts Rts"},
        {LAYOUT_MONO, ORDER_FILM, "M"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        channel_order order;
        char text[128];
        channel_order_of(rows[i].layout, rows[i].order, &order);
        order_text(&order, text);
        assert_string_equal(text, rows[i].labels);
    }
    for (int id = LAYOUT_NONE + 1; id < LAYOUT_COUNT; id++)
        for (int kind = ORDER_SMPTE; kind <= ORDER_WAVE; kind++) {
            channel_order order;
            channel_order_of((channel_layout_id)id, (channel_order_id)kind, &order);
            assert_int_equal(order.channel_count, channel_layout_get((channel_layout_id)id)->channel_count);
            for (uint32_t channel = 0; channel < order.channel_count; channel++)
                assert_in_range(channel_order_position(&order, (channel_layout_id)id, channel), 0,
                                order.channel_count - 1);
        }
}

static void channel_layout__reads_masks(void **state)
{
    (void)state;
    channel_order order = {0};
    char text[128];
    assert_true(channel_order_from_mask(LAYOUT_5_1, 0x3F, &order)); /* back pair */
    order_text(&order, text);
    assert_string_equal(text, "L R C LFE Ls Rs");
    assert_true(channel_order_from_mask(LAYOUT_5_1, 0x60F, &order)); /* side pair */
    order_text(&order, text);
    assert_string_equal(text, "L R C LFE Ls Rs");
    assert_true(channel_order_from_mask(LAYOUT_7_1, 0x63F, &order)); /* the 7.1 swap: rear before side */
    order_text(&order, text);
    assert_string_equal(text, "L R C LFE Lrs Rrs Lss Rss");
    assert_false(channel_order_from_mask(LAYOUT_7_1, 0xFF, &order));  /* front of centre: no such channels */
    assert_false(channel_order_from_mask(LAYOUT_5_1, 0x63F, &order)); /* names more channels than the layout has */
    assert_false(channel_order_from_mask(LAYOUT_5_1, 0x7, &order));   /* names fewer */
    assert_false(channel_order_from_mask(LAYOUT_5_1, 0, &order));
    for (int id = LAYOUT_NONE + 1; id < LAYOUT_COUNT; id++) {
        const channel_layout *layout = channel_layout_get((channel_layout_id)id);
        channel_order wave;
        if (layout->wave_mask == 0)
            continue;
        assert_true(channel_order_from_mask(layout->id, layout->wave_mask, &order));
        channel_order_of(layout->id, ORDER_WAVE, &wave);
        assert_true(channel_order_equal(&order, &wave));
    }
}

/* BS.1770-5 Annex 1 table 3 and Annex 3 table 4, as in domain.md section 1.1. */
static void channel_layout__weighs_loudness(void **state)
{
    (void)state;
    static const double of_5_1[] = {1, 1, 1, 0, 1.41, 1.41};
    static const double of_7_1_2[] = {1, 1, 1, 0, 1.41, 1.41, 1, 1, 1, 1};
    for (uint32_t i = 0; i < 6; i++)
        assert_true(channel_loudness_weight(LAYOUT_5_1, i) == of_5_1[i]);
    for (uint32_t i = 0; i < 10; i++)
        assert_true(channel_loudness_weight(LAYOUT_7_1_2, i) == of_7_1_2[i]);
    assert_true(channel_loudness_weight(LAYOUT_MONO, 0) == 1.0);
    assert_true(channel_loudness_weight(LAYOUT_4_0, 3) == 1.0); /* 180 degrees */
    assert_true(channel_loudness_weight(LAYOUT_5_1, 6) == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channel_layout__knows_names_and_synonyms),
        cmocka_unit_test(channel_layout__guesses_only_what_is_clear),
        cmocka_unit_test(channel_layout__orders_files),
        cmocka_unit_test(channel_layout__reads_masks),
        cmocka_unit_test(channel_layout__weighs_loudness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
