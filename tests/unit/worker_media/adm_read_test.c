/* The reader of chna and axml: what tracks are, by every way of naming them; and that no damage makes it fall. */
#include "tests/unit/worker_media/temp_folder.h"
#include "worker/media/adm_read.h"

#include "common/base/byte_writer.h"
#include "common/media/channel_layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Four tracks: by references from the track format, by references from the stream format, a common definition, an object. */
static const char axml_text[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ebuCoreMain xmlns=\"urn:ebu:metadata-schema:ebuCore_2016\"><coreMetadata><format>"
    "<audioFormatExtended>"
    "<audioChannelFormat audioChannelFormatID=\"AC_00011007\" typeLabel=\"0001\"><audioBlockFormat><speakerLabel> RC_Lrs\n"
    "</speakerLabel></audioBlockFormat></audioChannelFormat>"
    "<audioChannelFormat audioChannelFormatID=\"AC_00011001\"><audioBlockFormat><speakerLabel>RC_L</speakerLabel>"
    "</audioBlockFormat></audioChannelFormat>"
    "<audioStreamFormat audioStreamFormatID=\"AS_00019999\"><audioChannelFormatIDRef>AC_00011007</audioChannelFormatIDRef>"
    "</audioStreamFormat>"
    "<audioStreamFormat audioStreamFormatID=\"AS_00018888\"><audioChannelFormatIDRef>AC_00011001</audioChannelFormatIDRef>"
    "<audioTrackFormatIDRef>AT_00017777_01</audioTrackFormatIDRef></audioStreamFormat>"
    "<audioTrackFormat audioTrackFormatID=\"AT_00015555_01\"><audioStreamFormatIDRef>AS_00019999</audioStreamFormatIDRef>"
    "</audioTrackFormat>"
    "<audioTrackFormat audioTrackFormatID=\"AT_00017777_01\"/>"
    "</audioFormatExtended></format></coreMetadata></ebuCoreMain>";

static void chna_record(byte_writer *chna, uint16_t track, const char *format)
{
    byte_writer_u16(chna, track);
    byte_writer_bytes(chna, "ATU_00000001", 12);
    byte_writer_bytes(chna, format, 14);
    byte_writer_bytes(chna, "AP_00011001", 11);
    byte_writer_u8(chna, track % 2 == 0 ? 0 : 0x20); /* both pads are seen */
}

static void chna_make(byte_writer *chna)
{
    byte_writer_init(chna, ADM_CHNA_BYTES_MAX);
    byte_writer_u16(chna, 4);
    byte_writer_u16(chna, 5);
    chna_record(chna, 3, "AT_00015555_01");
    chna_record(chna, 1, "AT_00017777_01");
    chna_record(chna, 2, "AT_00010003_01");
    chna_record(chna, 4, "AT_00031001_01");
    chna_record(chna, 0, "AT_00010003_01"); /* room for later */
}

static void read_both(const byte_writer *chna, const char *axml, uint32_t channels, media_adm *out_adm)
{
    adm_read(chna->bytes, chna->size, (const uint8_t *)axml, strlen(axml), channels, out_adm);
}

static void adm_read__follows_every_way_of_naming_a_channel(void **state)
{
    (void)state;
    byte_writer chna;
    media_adm adm;
    chna_make(&chna);
    read_both(&chna, axml_text, 4, &adm);
    assert_string_equal(adm.problem, "");
    assert_int_equal(media_adm_track(&adm, CHANNEL_LRS), 2);
    assert_int_equal(media_adm_track(&adm, CHANNEL_L), 0);
    assert_int_equal(media_adm_track(&adm, CHANNEL_C), 1);
    assert_int_equal(media_adm_track(&adm, CHANNEL_R), -1);
    assert_int_equal(adm.object_count, 1);
    assert_int_equal(media_adm_object_track(&adm, 0), 3);
    assert_int_equal(media_adm_object_track(&adm, 1), -1);
    assert_int_equal(adm.unknown_count, 0);
    byte_writer_deinit(&chna);
}

static void adm_read__says_what_it_cannot_use(void **state)
{
    (void)state;
    byte_writer chna;
    media_adm adm;
    chna_make(&chna);
    read_both(&chna, axml_text, 3, &adm);
    assert_string_equal(adm.problem, "chna names a track that the file does not have");
    assert_int_equal(media_adm_track(&adm, CHANNEL_L), -1); /* nothing of it counts */
    read_both(&chna, "<ebuCoreMain>", 4, &adm);
    assert_string_equal(adm.problem, "axml is no XML that can be read");
    read_both(&chna, "<!DOCTYPE x [<!ENTITY a \"b\">]><x>&a;</x>", 4, &adm);
    assert_string_equal(adm.problem, "axml is no XML that can be read");
    char many[16384] = "<audioFormatExtended"; /* of good form, but of a size that libxml2 takes the square of */
    for (size_t i = 0, at = strlen(many); i < 257; i++)
        at += (size_t)snprintf(many + at, sizeof many - at, " a%zu=\"=\"%s", i, i == 256 ? "/>" : "");
    read_both(&chna, many, 4, &adm);
    assert_string_equal(adm.problem, "axml has an element of more than 256 attributes");
    read_both(&chna, "", 4, &adm);
    assert_string_equal(adm.problem, "axml is empty");
    /* Encodings in which that element would not be seen: named, by their mark, by their zeros, and EBCDIC's first bytes. */
    static const char *const foreign[] = {"<?xml version='1.0' encoding='UTF-16'?><a/>", "<?xml version='1.0' encoding = \"UTF-7\"?><a/>",
                                          "<?xml version='1.0' encoding=UTF-8?><a/>", "\xFE\xFFx", "\x4C\x6F\xA7\x94",
                                          "<?xml version='1.0' encoding='UTF-8"};
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        read_both(&chna, foreign[i], 4, &adm);
        assert_string_equal(adm.problem, "axml is not in UTF-8");
    }
    adm_read(chna.bytes, chna.size, (const uint8_t *)"<\0a\0/\0>", 7, 4, &adm);
    assert_string_equal(adm.problem, "axml is not in UTF-8");
    read_both(&chna, "\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8'?><a/>", 4, &adm);
    assert_string_equal(adm.problem, "");
    chna.size -= 1;
    read_both(&chna, axml_text, 4, &adm);
    assert_string_equal(adm.problem, "chna is shorter than it says");
    byte_writer_deinit(&chna);
}

static void adm_read__withstands_damage(void **state)
{
    (void)state;
    byte_writer chna;
    media_adm adm;
    chna_make(&chna);
    char axml[sizeof axml_text];
    uint8_t records[256];
    uint64_t seed = 20261121;
    for (int round = 0; round < 20000; round++) {
        memcpy(axml, axml_text, sizeof axml);
        memcpy(records, chna.bytes, chna.size);
        for (uint64_t i = test_random(&seed) % 6; i > 0; i--)
            axml[test_random(&seed) % (sizeof axml - 1)] = (char)test_random(&seed);
        for (uint64_t i = test_random(&seed) % 4; i > 0; i--)
            records[test_random(&seed) % chna.size] = (uint8_t)test_random(&seed);
        adm_read(records, test_random(&seed) % (chna.size + 1), (const uint8_t *)axml, test_random(&seed) % sizeof axml, 4, &adm);
        for (int label = 0; label < CHANNEL_LABEL_COUNT; label++)
            assert_true(media_adm_track(&adm, (uint8_t)label) < FILE_CHANNELS_MAX);
    }
    byte_writer_deinit(&chna);
}

static bool dbmd_broken(const uint8_t *dbmd, size_t size)
{
    static const char axml[] = "<audioFormatExtended><audioProgramme audioProgrammeName=\"Atmos_Master\"/></audioFormatExtended>";
    static const uint8_t chna[4] = {0};
    uint8_t *exact = malloc(size + 1); /* of its size, so that a read behind it is seen */
    adm_profile profile;
    assert_non_null(exact);
    memcpy(exact, dbmd, size);
    adm_profile_judge(&(adm_chunks){.chna = chna, .chna_size = 4, .axml = (const uint8_t *)axml, .axml_size = sizeof axml - 1,
                                    .dbmd = exact, .dbmd_size = size},
                      &(adm_audio){48000, 24, 0, 0}, &profile);
    free(exact);
    assert_true(profile.judged && profile.dolby);
    bool broken = false;
    for (uint32_t i = 0; i < profile.breach_count; i++)
        broken = broken || profile.breaches[i].rule == ADM_RULE_DBMD;
    return broken;
}

/* A chunk of segments 9 and 10 of no tracks, sizes and sums by the parser that Dolby published; then with damage. */
static void adm_profile__judges_dbmd_whole_and_damaged(void **state)
{
    (void)state;
    uint8_t good[4 + 4 + 248 + 4 + 142 + 1] = {0x06, 0, 0, 0x01, 9, 248};
    uint8_t damaged[sizeof good];
    uint64_t seed = 20261121;
    good[7 + 248] = (uint8_t)(0 - 248);
    good[8 + 248] = 10;
    good[9 + 248] = 142;
    memcpy(good + 11 + 248, "\xBD\x6F\x72\xF8", 4);
    good[sizeof good - 2] = (uint8_t)(0 - (142 + 0xBD + 0x6F + 0x72 + 0xF8));
    assert_false(dbmd_broken(good, sizeof good));
    for (size_t size = 0; size < sizeof good; size++)
        assert_true(dbmd_broken(good, size));
    for (size_t i = 0; i < sizeof good - 1; i++) { /* one bit anywhere */
        memcpy(damaged, good, sizeof good);
        damaged[i] = (uint8_t)(damaged[i] ^ 1);
        assert_true(dbmd_broken(damaged, sizeof damaged));
    }
    for (int round = 0; round < 2000; round++) {
        for (size_t i = 0; i < sizeof damaged; i++)
            damaged[i] = (uint8_t)(test_random(&seed) % 3 == 0 ? test_random(&seed) : good[i]);
        (void)dbmd_broken(damaged, test_random(&seed) % (sizeof damaged + 1));
    }
}

/* An audioTrackUID of so many empty elements, as axml; the caller frees it. */
static char *axml_of_parts(size_t count, size_t *out_size)
{
    static const char head[] = "<audioFormatExtended><audioTrackUID UID=\"ATU_00000001\">";
    static const char tail[] = "</audioTrackUID></audioFormatExtended>";
    char *axml = malloc(sizeof head + 4 * count + sizeof tail);
    assert_non_null(axml);
    char *at = axml + snprintf(axml, sizeof head, "%s", head);
    for (size_t i = 0; i < count; i++, at += 4)
        memcpy(at, "<a/>", 4);
    memcpy(at, tail, sizeof tail);
    *out_size = (size_t)(at - axml) + sizeof tail - 1;
    return axml;
}

static const char *axml_breach(size_t parts, adm_profile *profile)
{
    static const uint8_t chna[4] = {0};
    size_t size = 0;
    char *axml = axml_of_parts(parts, &size);
    adm_profile_judge(&(adm_chunks){.chna = chna, .chna_size = 4, .axml = (const uint8_t *)axml, .axml_size = size},
                      &(adm_audio){48000, 24, 0, 0}, profile);
    free(axml);
    for (uint32_t i = 0; i < profile->breach_count; i++)
        if (profile->breaches[i].rule == ADM_RULE_AXML)
            return profile->breaches[i].what;
    return "";
}

/* The two elements around them are elements too: 999,998 in them are the most. */
static void adm_profile__refuses_more_elements_than_it_can_go_through(void **state)
{
    (void)state;
    static const char many_parts[] = "more than 65536 parts of elements up to ATU_00000001; no profile has as many";
    adm_profile profile;
    assert_string_equal(axml_breach(65536, &profile), "");
    assert_string_equal(axml_breach(65537, &profile), many_parts);
    assert_string_equal(axml_breach(999998, &profile), many_parts);
    assert_string_equal(axml_breach(999999, &profile), "axml has more than 1,000,000 elements");
}

/* Every record of one audioTrackUID is held against it, the last of 1,024 as the first. */
static void adm_profile__judges_each_record_of_one_uid(void **state)
{
    (void)state;
    static const char axml[] = "<audioFormatExtended><audioTrackUID UID=\"ATU_00000001\"><audioTrackFormatIDRef>AT_00010001_01"
                               "</audioTrackFormatIDRef></audioTrackUID></audioFormatExtended>";
    byte_writer chna;
    byte_writer_init(&chna, ADM_CHNA_BYTES_MAX);
    byte_writer_u16(&chna, 1);
    byte_writer_u16(&chna, 1024);
    for (int i = 0; i < 1024; i++)
        chna_record(&chna, 1, "AT_00010001_01");
    for (int round = 0; round < 2; round++) {
        adm_profile profile;
        adm_profile_judge(&(adm_chunks){.chna = chna.bytes, .chna_size = chna.size, .axml = (const uint8_t *)axml,
                                        .axml_size = sizeof axml - 1}, &(adm_audio){48000, 24, 1, 0}, &profile);
        assert_int_equal(profile.breach_count, round);
        if (round == 1)
            assert_string_equal(profile.breaches[0].what, "ATU_00000001 is AT_00010002_01 in chna and AT_00010001_01 in axml");
        chna.bytes[chna.size - 16] = '2'; /* the number of the last record's track format */
    }
    byte_writer_deinit(&chna);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adm_read__follows_every_way_of_naming_a_channel),
        cmocka_unit_test(adm_read__says_what_it_cannot_use),
        cmocka_unit_test(adm_read__withstands_damage),
        cmocka_unit_test(adm_profile__judges_dbmd_whole_and_damaged),
        cmocka_unit_test(adm_profile__refuses_more_elements_than_it_can_go_through),
        cmocka_unit_test(adm_profile__judges_each_record_of_one_uid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
