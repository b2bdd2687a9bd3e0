#include "common/media/timecode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static frame_rate rate_of(const char *name)
{
    frame_rate rate = {0};
    assert_int_equal(frame_rate_parse(name, &rate), STATUS_OK);
    return rate;
}

static uint64_t frame_of(const char *text, const char *rate_name)
{
    frame_rate rate = rate_of(rate_name);
    uint64_t frame = 0;
    assert_int_equal(timecode_parse(text, &rate, &frame, NULL), STATUS_OK);
    return frame;
}

static void timecode__names_every_rate_of_the_contract(void **state)
{
    (void)state;
    static const char *const names[] = {"23.976", "24", "25",    "29.97",   "29.97df", "30",
                                        "48",     "50", "59.94", "59.94df", "60"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        frame_rate rate = rate_of(names[i]);
        assert_string_equal(frame_rate_name(&rate), names[i]);
    }
    frame_rate synonym = rate_of("24000/1001");
    frame_rate film = rate_of("23.98");
    assert_true(frame_rate_equal(&synonym, &film));
    assert_string_equal(frame_rate_name(&synonym), "23.976");
    frame_rate unknown = {0};
    assert_string_equal(frame_rate_name(&unknown), "");
    assert_int_equal(frame_rate_parse("23,976", &unknown), STATUS_INPUT_INVALID);
    assert_int_equal(frame_rate_parse("0", &unknown), STATUS_INPUT_INVALID);
    assert_int_equal(frame_rate_parse("", &unknown), STATUS_INPUT_INVALID);
}

/* Expected by hand: round(n x rate / fps), halves up. */
static void timecode__turns_frames_into_samples(void **state)
{
    (void)state;
    static const struct {
        const char *rate;
        uint32_t sample_rate;
        uint64_t frame;
        uint64_t sample;
    } rows[] = {
        {"23.976", 48000, 1, 2002},          /* 48000 x 1001 / 24000 */
        {"23.976", 48000, 86400, 172972800}, /* 01:00:00:00, domain.md section 5: TimeReference */
        {"24", 48000, 86400, 172800000},     /* the same at 24 */
        {"25", 48000, 90000, 172800000},
        {"29.97", 48000, 1, 1602}, /* 1601.6; the five-frame cadence 1602 1601 1602 1601 1602 of domain.md section 6 */
        {"29.97", 48000, 2, 3203}, /* 3203.2 */
        {"29.97", 48000, 3, 4805}, /* 4804.8 */
        {"29.97", 48000, 4, 6406}, /* 6406.4 */
        {"29.97", 48000, 5, 8008},
        {"29.97df", 48000, 107892, 172799827}, /* 01:00:00;00: 107892 x 8008 / 5 = 172799827.2 */
        {"59.94", 48000, 1, 801},              /* 800.8 */
        {"59.94", 48000, 2, 1602},             /* 1601.6 */
        {"59.94", 48000, 3, 2402},             /* 2402.4 */
        {"59.94", 48000, 5, 4004},
        {"24", 44100, 1, 1838}, /* 1837.5: a half goes up */
        {"24", 44100, 2, 3675},
        {"24", 44100, 3, 5513},     /* 5512.5 */
        {"23.976", 44100, 1, 1839}, /* 44100 x 1001 / 24000 = 1839.3375 */
        {"23.976", 44100, 2, 3679}, /* 3678.675 */
        {"29.97", 44100, 2, 2943},  /* 2942.94 */
        {"60", 96000, 7, 11200},
        {"23.976", 48000, (UINT64_C(1) << 40) - 1, ((UINT64_C(1) << 40) - 1) * 2002}, /* no overflow on the way */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        frame_rate rate = rate_of(rows[i].rate);
        uint64_t sample = timecode_sample_of_frame(rows[i].frame, &rate, rows[i].sample_rate);
        if (sample != rows[i].sample)
            fail_msg("%s at %u Hz: sample(%llu) = %llu, expected %llu", rows[i].rate, rows[i].sample_rate,
                     (unsigned long long)rows[i].frame, (unsigned long long)sample, (unsigned long long)rows[i].sample);
    }
}

static void timecode__finds_the_last_frame_at_or_before_a_sample(void **state)
{
    (void)state;
    static const char *const names[] = {"23.976", "24", "25", "29.97", "29.97df", "30", "48", "50", "59.94", "60"};
    static const uint32_t sample_rates[] = {8000, 44100, 48000, 88200, 96000, 192000, 768000};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        for (size_t k = 0; k < sizeof sample_rates / sizeof sample_rates[0]; k++) {
            frame_rate rate = rate_of(names[i]);
            for (uint64_t frame = 1; frame < 200000; frame = frame < 2000 ? frame + 1 : frame + 733) {
                uint64_t sample = timecode_sample_of_frame(frame, &rate, sample_rates[k]);
                assert_int_equal(timecode_frame_of_sample(sample, &rate, sample_rates[k]), frame);
                assert_int_equal(timecode_frame_of_sample(sample - 1, &rate, sample_rates[k]), frame - 1);
            }
        }
}

static void timecode__counts_drop_frames(void **state)
{
    (void)state;
    /* SMPTE ST 12-1: numbers 00 and 01 are left out at each minute but every tenth. */
    assert_int_equal(frame_of("00:00:59:29", "29.97df"), 1799);
    assert_int_equal(frame_of("00:01:00;02", "29.97df"), 1800);
    assert_int_equal(frame_of("00:10:00;00", "29.97df"), 17982);  /* 600 x 30 - 9 x 2 */
    assert_int_equal(frame_of("01:00:00;00", "29.97df"), 107892); /* 108000 - 54 x 2 */
    assert_int_equal(frame_of("00:01:00;04", "59.94df"), 3600);
    assert_int_equal(frame_of("01:00:00:00", "29.97"), 108000);
    frame_rate drop = rate_of("29.97df");
    assert_int_equal(timecode_day_frames(&drop), 2589408); /* 24 x 107892 */
}

static void timecode__formats_what_it_parses(void **state)
{
    (void)state;
    static const char *const names[] = {"23.976", "25", "29.97df", "59.94df", "60"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        frame_rate rate = rate_of(names[i]);
        uint64_t day = timecode_day_frames(&rate);
        for (uint64_t frame = 0; frame < day; frame = frame < 40000 ? frame + 1 : frame + 997) {
            char text[TIMECODE_TEXT_SIZE];
            uint64_t back = 0;
            timecode_format(frame, &rate, text);
            assert_int_equal(timecode_parse(text, &rate, &back, NULL), STATUS_OK);
            assert_int_equal(back, frame);
        }
        char wrapped[TIMECODE_TEXT_SIZE];
        timecode_format(day, &rate, wrapped);
        assert_int_equal(strncmp(wrapped, "00:00:00", 8), 0);
        assert_int_equal(wrapped[8], rate.drop ? ';' : ':');
    }
    frame_rate unknown = {0};
    char text[TIMECODE_TEXT_SIZE];
    timecode_format(5, &unknown, text);
    assert_string_equal(text, "--:--:--:--");
}

static void timecode__refuses_what_does_not_exist(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *rate;
        status code;
        const char *says;
    } rows[] = {
        {"01:00:08:24", "24", STATUS_INPUT_INVALID, "00 to 23"},
        {"01:60:00:00", "24", STATUS_INPUT_INVALID, "00 to 59"},
        {"01:00:60:00", "24", STATUS_INPUT_INVALID, "00 to 59"},
        {"24:00:00:00", "24", STATUS_INPUT_INVALID, "00 to 23"},
        {"00:01:00;00", "29.97df", STATUS_INPUT_INVALID, "drop-frame"},
        {"00:01:00;01", "29.97df", STATUS_INPUT_INVALID, "drop-frame"},
        {"00:01:00:03", "59.94df", STATUS_INPUT_INVALID, "drop-frame"},
        {"01:00:00;00", "25", STATUS_INPUT_INVALID, "df"},
        {"1:00:00:00", "24", STATUS_INPUT_SYNTAX, "01:00:08:00"},
        {"01:00:00.00", "24", STATUS_INPUT_SYNTAX, "01:00:08:00"},
        {"01:00:0a:00", "24", STATUS_INPUT_SYNTAX, "01:00:08:00"},
        {"", "24", STATUS_INPUT_SYNTAX, "01:00:08:00"},
        {"01:00:00:00 ", "24", STATUS_INPUT_SYNTAX, "01:00:08:00"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        frame_rate rate = rate_of(rows[i].rate);
        uint64_t frame = 77;
        error_detail detail = {0};
        assert_int_equal(timecode_parse(rows[i].text, &rate, &frame, &detail), rows[i].code);
        assert_int_equal(frame, 77);
        assert_non_null(strstr(detail.message, rows[i].says));
    }
}

static void timecode__tells_elapsed_time_as_a_clock_does(void **state)
{
    (void)state;
    static const struct {
        uint64_t sample;
        uint32_t rate;
        const char *text;
    } rows[] = {{0, 48000, "0.000 s"},
                {312000, 48000, "6.500 s"},
                {2879975, 48000, "59.999 s"},
                {2879976, 48000, "0:01:00.000"}, /* 59.9995 s */
                {UINT64_C(295307504), 48000, "1:42:32.240"},
                {UINT64_C(44100) * 360000, 44100, "100:00:00.000"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[TIMECODE_TEXT_SIZE];
        timecode_elapsed(rows[i].sample, rows[i].rate, text);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timecode__names_every_rate_of_the_contract),
        cmocka_unit_test(timecode__turns_frames_into_samples),
        cmocka_unit_test(timecode__finds_the_last_frame_at_or_before_a_sample),
        cmocka_unit_test(timecode__counts_drop_frames),
        cmocka_unit_test(timecode__formats_what_it_parses),
        cmocka_unit_test(timecode__tells_elapsed_time_as_a_clock_does),
        cmocka_unit_test(timecode__refuses_what_does_not_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
