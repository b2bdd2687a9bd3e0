/* The reader of chna and axml: what tracks are, by every way of naming them; and that no damage makes it fall. */
#include "tests/unit/worker_media/temp_folder.h"
#include "worker/media/adm_read.h"

#include "common/base/byte_writer.h"
#include "common/media/channel_layout.h"

#include <libxml/tree.h>
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

static void read_bytes(const uint8_t *chna, size_t chna_size, const char *axml, size_t axml_size, media_adm *out_adm,
                       uint32_t channels)
{
    adm_document document;
    assert_true(adm_document_read(&document, &(adm_source){.bytes = (const uint8_t *)axml, .size = axml_size}));
    adm_read(&document, chna, chna_size, channels, out_adm);
    adm_document_deinit(&document);
}

static void read_both(const byte_writer *chna, const char *axml, uint32_t channels, media_adm *out_adm)
{
    read_bytes(chna->bytes, chna->size, axml, strlen(axml), out_adm, channels);
}

static void judge_bytes(const char *axml, size_t size, const adm_chunks *chunks, const adm_audio *audio, adm_profile *out_profile)
{
    adm_profile_judge_axml(&(adm_source){.bytes = (const uint8_t *)axml, .size = size}, chunks, audio, out_profile);
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
    assert_string_equal(adm.problem, "axml has a document type");
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
    read_bytes(chna.bytes, chna.size, "<\0a\0/\0>", 7, &adm, 4);
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
        read_bytes(records, test_random(&seed) % (chna.size + 1), axml, test_random(&seed) % sizeof axml, &adm, 4);
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
    judge_bytes(axml, sizeof axml - 1, &(adm_chunks){.chna = chna, .chna_size = 4, .dbmd = exact, .dbmd_size = size},
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
    judge_bytes(axml, size, &(adm_chunks){.chna = chna, .chna_size = 4}, &(adm_audio){48000, 24, 0, 0}, profile);
    free(axml);
    for (uint32_t i = 0; i < profile->breach_count; i++)
        if (profile->breaches[i].rule == ADM_RULE_AXML)
            return profile->breaches[i].what;
    return "";
}

/* The three elements around them and an attribute are kept too: 131,069 in them are the most. */
static void adm_profile__refuses_more_elements_than_it_can_go_through(void **state)
{
    (void)state;
    static const char many_parts[] = "more than 65536 parts of elements up to ATU_00000001; no profile has as many";
    adm_profile profile;
    assert_string_equal(axml_breach(65536, &profile), "");
    assert_string_equal(axml_breach(65537, &profile), many_parts);
    assert_string_equal(axml_breach(131069, &profile), many_parts);
    assert_string_equal(axml_breach(131070, &profile), "axml has more than 131,072 elements and attributes beside its blocks");
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
        judge_bytes(axml, sizeof axml - 1, &(adm_chunks){.chna = chna.bytes, .chna_size = chna.size}, &(adm_audio){48000, 24, 1, 0},
                    &profile);
        assert_int_equal(profile.breach_count, round);
        if (round == 1)
            assert_string_equal(profile.breaches[0].what, "ATU_00000001 is AT_00010002_01 in chna and AT_00010001_01 in axml");
        chna.bytes[chna.size - 16] = '2'; /* the number of the last record's track format */
    }
    byte_writer_deinit(&chna);
}

/* A master of one object, whose blocks are these. */
static const char *block_breach(const char *blocks, adm_rule rule, adm_profile *profile)
{
    static const uint8_t chna[4] = {0};
    size_t size = strlen(blocks) + 512;
    char *axml = malloc(size);
    assert_non_null(axml);
    size = (size_t)snprintf(axml, size, "<audioFormatExtended><audioProgramme audioProgrammeName=\"Atmos_Master\"/>"
                                        "<audioChannelFormat audioChannelFormatID=\"AC_00031001\" typeDefinition=\"Objects\">%s"
                                        "</audioChannelFormat></audioFormatExtended>", blocks);
    judge_bytes(axml, size, &(adm_chunks){.chna = chna, .chna_size = 4}, &(adm_audio){48000, 24, 0, 0}, profile);
    free(axml);
    for (uint32_t i = 0; i < profile->breach_count; i++)
        if (profile->breaches[i].rule == rule)
            return profile->breaches[i].what;
    return "";
}

#define TIMES "rtime=\"00:00:00.00000\" duration=\"00:00:01.00000\"><cartesian>1</cartesian>"
#define BLOCK(number, length) "<audioBlockFormat audioBlockFormatID=\"AB_00031001_" number "\" " TIMES \
                              "<jumpPosition interpolationLength=\"" length "\">1</jumpPosition></audioBlockFormat>"
#define FIRST BLOCK("00000001", "0")
#define SECOND BLOCK("00000002", "0.005208")

/* Blocks are let go of as they are read; what they break is told of the first of them, wherever it stands. */
static void adm_profile__judges_blocks_as_they_come_by(void **state)
{
    (void)state;
    adm_profile profile;
    assert_string_equal(block_breach("", ADM_RULE_OBJECT_BLOCK, &profile), "AC_00031001 has no block");
    assert_string_equal(block_breach(FIRST SECOND, ADM_RULE_OBJECT_BLOCK, &profile), "");
    assert_string_equal(block_breach(FIRST SECOND, ADM_RULE_BLOCK, &profile), "");
    assert_string_equal(block_breach(FIRST SECOND FIRST, ADM_RULE_OBJECT_BLOCK, &profile),
                        "AC_00031001 has interpolationLength \"0\"; 0.005208");
    assert_string_equal(block_breach(FIRST SECOND FIRST SECOND, ADM_RULE_BLOCK, &profile),
                        "block 3 of AC_00031001 is AB_00031001_00000001; AB_00031001_00000003");
    /* Text between them belongs to nothing, but libxml2 joins it to more of its kind: not to that which went with a block. */
    char texts[1 << 15] = FIRST "t" SECOND;
    for (size_t i = 0, at = strlen(texts); i < 100; i++)
        at += (size_t)snprintf(texts + at, sizeof texts - at, "<audioBlockFormat/>%0*d", (int)(2 * i + 1), 0);
    assert_string_equal(block_breach(texts, ADM_RULE_OBJECT_BLOCK, &profile),
                        "AC_00031001 has a block without rtime and duration of five decimals");
}

/* However it is written, what is kept of an axml is bounded. */
static void adm_profile__bounds_what_it_keeps(void **state)
{
    enum { TEXT_BYTES = 9 << 20 };
    (void)state;
    static const char text_open[] = "<audioBlockFormat><a>", text_end[] = "</a></audioBlockFormat>";
    static const char comment_open[] = "<!--", comment_end[] = "-->";
    adm_profile profile;
    char *long_text = malloc(TEXT_BYTES + 64);
    assert_non_null(long_text);
    for (int round = 0; round < 2; round++) {
        const char *open = round == 0 ? text_open : comment_open, *end = round == 0 ? text_end : comment_end;
        memset(long_text, 'x', TEXT_BYTES);
        memcpy(long_text, open, strlen(open));
        memcpy(long_text + TEXT_BYTES, end, strlen(end) + 1);
        assert_string_equal(block_breach(long_text, ADM_RULE_AXML, &profile), "axml has more than 8 MiB beside its blocks");
    }
    free(long_text);
}

/* Blocks behind the first are let go of with all that is in them and between them, and nothing leads there afterwards. */
static void adm_profile__keeps_nothing_of_blocks_but_the_first(void **state)
{
    (void)state;
    static const char between[] = "<audioFormatExtended><audioChannelFormat><audioBlockFormat/>t<![CDATA[c]]><audioBlockFormat>"
                                  "<audioChannelFormat><audioBlockFormat/></audioChannelFormat></audioBlockFormat><![CDATA[c]]>"
                                  "<audioBlockFormat/></audioChannelFormat></audioFormatExtended>";
    static const char within[] = "<audioChannelFormat><audioBlockFormat/><audioBlockFormat><audioFormatExtended>"
                                 "<audioProgramme/></audioFormatExtended></audioBlockFormat></audioChannelFormat>";
    adm_document document;
    assert_true(adm_document_read(&document, &(adm_source){.bytes = (const uint8_t *)between, .size = sizeof between - 1}));
    const xmlNode *channel = document.xml.extended->children;
    assert_int_equal(adm_xml_block_count(channel), 3);
    assert_ptr_equal(channel->children, channel->last);
    assert_null(document.xml.channels->next);
    adm_document_deinit(&document);
    assert_true(adm_document_read(&document, &(adm_source){.bytes = (const uint8_t *)within, .size = sizeof within - 1}));
    assert_non_null(document.xml.tree);
    assert_null(document.xml.extended);
    adm_document_deinit(&document);
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
        cmocka_unit_test(adm_profile__judges_blocks_as_they_come_by),
        cmocka_unit_test(adm_profile__bounds_what_it_keeps),
        cmocka_unit_test(adm_profile__keeps_nothing_of_blocks_but_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
