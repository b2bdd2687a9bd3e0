/* Reports of another house, whole and damaged, through their fuzz target. */
#include "tests/fuzz/damage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COPIES = 3000 };

/* The first byte: a report.json, judged by the first spec of the library. */
static const char report[] =
    "\x01{\"reelmill\":1,\"verdict\":\"pass\",\"title\":\"T\",\"slug\":\"T\",\"version\":\"v01\",\"programmes\":[{\"deliverable\":"
    "\"PM_20\",\"language\":\"en\",\"layout\":\"stereo\",\"order\":[\"L\",\"R\"],\"files\":[\"a.wav\"],\"spec\":{\"name\":\"none\","
    "\"version\":\"1\",\"digest\":\"71e27f1d36a2879d1b38198b05b37bc3\"},\"frame_rate\":\"24\",\"start_timecode\":\"01:00:00:00\","
    "\"reel\":null,\"verdict\":\"pass\",\"range\":{\"start_sample\":0,\"end_sample\":48000},\"loudness\":{\"integrated_lufs\":-8.0,"
    "\"ungated_lufs\":-8.0,\"range_lu\":null,\"max_momentary_lufs\":-7.9,\"max_short_term_lufs\":null,\"leqm_db\":null,"
    "\"dialogue\":{\"lufs\":-8.0,\"gated_lufs\":-8.0,\"range_lu\":null,\"speech_share\":1.0,\"gate\":\"stem\"}},\"peaks\":{"
    "\"true_peak_dbtp\":-0.3,\"sample_peak_dbfs\":-1.0,\"per_channel\":[{\"channel\":\"L\",\"true_peak_dbtp\":-0.8,"
    "\"sample_peak_dbfs\":-1.0},{\"channel\":\"R\",\"true_peak_dbtp\":-0.3,\"sample_peak_dbfs\":-1.1}]},\"findings\":[],"
    "\"failure\":null}],\"files\":[{\"path\":\"a.wav\",\"container\":\"WAV\",\"encoding\":\"PCM_24\",\"sample_rate\":48000,"
    "\"channels\":2,\"frames\":48000,\"start_timecode\":\"01:00:00:00\",\"published\":true,\"failure\":null}],\"stems\":[]}";

static void report__is_judged_however_damaged(void **state)
{
    (void)state;
    damage_everywhere((const uint8_t *)report, sizeof report - 1, 1, COPIES, 5);
}

static void measures__are_judged_however_damaged(void **state)
{
    (void)state;
    uint8_t header[256] = {0, 'R', 'M', 'M', 'S'}; /* after the byte that chooses */
    for (uint8_t version = 0; version < 32; version++) {
        header[5] = version;
        header[9] = 200; /* bytes of the header */
        damage_everywhere(header, sizeof header, 10, COPIES / 32, version);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(report__is_judged_however_damaged),
        cmocka_unit_test(measures__are_judged_however_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
