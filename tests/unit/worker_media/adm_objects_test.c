/* Objects of damaged ADM files: whatever the chunks hold, there are chunks that satisfy adm_profile_judge, or a sentence. */
#define _GNU_SOURCE
#include "common/media/adm_profile.h"
#include "tests/unit/worker_media/riff_builder.h"
#include "tests/unit/worker_media/temp_folder.h"
#include "worker/media/adm_objects.h"
#include "worker/media/media_reader.h"

#include <fcntl.h>
#include <libxml/xmlmemory.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { DAMAGES = 1500, FRAMES = 480, AXML_MAX = 8192 };

/* A bed of no channels that anybody names, as the planner would make it: one track, and an object behind it. */
static const char bed_axml[] =
    "<e xmlns='urn:x'><audioFormatExtended><audioProgramme audioProgrammeID='APR_1001'/>"
    "<audioTrackUID UID='ATU_00000001' sampleRate='48000' bitDepth='24'><audioTrackFormatIDRef>AT_00010001_01"
    "</audioTrackFormatIDRef></audioTrackUID></audioFormatExtended></e>";
static const char object_axml[] =
    "<?xml version='1.0' encoding='UTF-8'?><e xmlns='urn:x' xml:lang='en'><audioFormatExtended>"
    "<audioContent audioContentID='ACO_1001' audioContentName='Birds &amp; Bees'><audioObjectIDRef>AO_1001</audioObjectIDRef>"
    "</audioContent><audioObject audioObjectID='AO_1001' audioObjectName='Bee'><audioPackFormatIDRef>AP_00031001"
    "</audioPackFormatIDRef><audioTrackUIDRef>ATU_00000001</audioTrackUIDRef></audioObject>"
    "<audioPackFormat audioPackFormatID='AP_00031001' typeDefinition='Objects'><audioChannelFormatIDRef>AC_00031001"
    "</audioChannelFormatIDRef></audioPackFormat>"
    "<audioChannelFormat audioChannelFormatID='AC_00031001' typeDefinition='Objects'>"
    "<audioBlockFormat audioBlockFormatID='AB_00031001_00000001' rtime='00:00:00.00000' duration='00:00:00.00400'>"
    "<position coordinate='X'><![CDATA[1.0]]></position><jumpPosition interpolationLength='0.000000'>1</jumpPosition>"
    "</audioBlockFormat>"
    "<audioBlockFormat audioBlockFormatID='AB_00031001_00000002' rtime='00:00:00.00400' duration='00:00:00.00600'>"
    "<position coordinate='X'><!-- left -->-1.0</position><jumpPosition interpolationLength='0.005208'>1</jumpPosition>"
    "</audioBlockFormat></audioChannelFormat>"
    "<audioStreamFormat audioStreamFormatID='AS_00031001'><audioChannelFormatIDRef>AC_00031001</audioChannelFormatIDRef>"
    "</audioStreamFormat><audioTrackFormat audioTrackFormatID='AT_00031001_01'><audioStreamFormatIDRef>AS_00031001"
    "</audioStreamFormatIDRef></audioTrackFormat><audioTrackUID UID='ATU_00000001' sampleRate='48000' bitDepth='24'/>"
    "</audioFormatExtended></e>";

static void chna_write(byte_writer *writer, const char *format, const char *pack)
{
    uint8_t chna[44] = {1, 0, 1, 0, 1, 0};
    memcpy(chna + 6, "ATU_00000001", 12);
    memcpy(chna + 18, format, 14);
    memcpy(chna + 32, pack, 11);
    riff_builder_chunk(writer, "chna", chna, sizeof chna);
}

static void master_write(const temp_folder *folder, const char *axml, size_t size, const uint8_t *dbmd, uint32_t dbmd_size)
{
    byte_writer writer;
    byte_writer_init(&writer, 1 << 20);
    riff_builder_begin(&writer, "RIFF");
    riff_builder_format(&writer, 1, 1, 48000, 24);
    riff_builder_data(&writer, FRAMES * 3);
    riff_builder_chunk(&writer, "axml", axml, (uint32_t)size);
    chna_write(&writer, "AT_00031001_01", "AP_00031001");
    riff_builder_chunk(&writer, "dbmd", dbmd, dbmd_size);
    riff_builder_finish(&writer);
    temp_folder_write(folder, "master.wav", writer.bytes, writer.size);
    byte_writer_deinit(&writer);
}

/* Frames from `first` to the end of the file, which has 10 ms, as a programme of their own. */
static status carry(const temp_folder *folder, uint32_t first, byte_writer *out_chunks, error_detail *detail)
{
    storage_roots roots = {0};
    media_facts facts;
    byte_writer bed;
    byte_writer_init(&bed, 1 << 16);
    chna_write(&bed, "AT_00010001_01", "AP_00010001");
    riff_builder_chunk(&bed, "axml", bed_axml, sizeof bed_axml - 1);
    int descriptor = open(temp_folder_path(folder, "master.wav"), O_RDONLY | O_CLOEXEC);
    assert_true(descriptor >= 0);
    assert_int_equal(media_probe(descriptor, "master.wav", &facts), STATUS_OK);
    close(descriptor);
    assert_int_equal(storage_roots_add(&roots, "media", folder->path, false, NULL), STATUS_OK);
    output_object_source source = {.input = {.file = {"media", "master.wav"},
                                             .identity = facts.identity,
                                             .container = facts.container,
                                             .encoding = facts.encoding,
                                             .sample_rate = facts.sample_rate,
                                             .channel_count = facts.channel_count,
                                             .frame_count = facts.frame_count,
                                             .data_offset = facts.data_offset,
                                             .direct = true},
                                   .file_frame = first,
                                   .frame_count = FRAMES - first,
                                   .object_count = 1};
    output_header header = {.container = CONTAINER_WAV,
                            .encoding = ENCODING_PCM_24,
                            .sample_rate = 48000,
                            .channel_count = 2,
                            .frame_count = FRAMES - first,
                            .data_offset = 65536,
                            .chunks = bed.bytes,
                            .chunks_size = (uint32_t)bed.size,
                            .object_count = 1,
                            .object_source_count = 1,
                            .object_sources = &source};
    status code = adm_objects_chunks(&header, &roots, out_chunks, detail);
    storage_roots_deinit(&roots);
    byte_writer_deinit(&bed);
    return code;
}

static void adm_objects__cuts_blocks_and_keeps_the_rest(void **state)
{
    (void)state;
    temp_folder folder;
    byte_writer chunks;
    error_detail detail = {0};
    temp_folder_create(&folder);
    byte_writer_init(&chunks, 1 << 16);
    master_write(&folder, object_axml, sizeof object_axml - 1, (const uint8_t *)"", 0);
    assert_int_equal(carry(&folder, 96, &chunks, &detail), STATUS_OK);
    byte_writer_u8(&chunks, 0);
    const char *axml = memmem(chunks.bytes, chunks.size, "axml", 4);
    assert_non_null(axml);
    axml += 8;
    /* 4 ms of the file are 2 of the programme, which has 8. */
    assert_non_null(strstr(axml, "rtime=\"00:00:00.00000\" duration=\"00:00:00.00200\""));
    assert_non_null(strstr(axml, "rtime=\"00:00:00.00200\" duration=\"00:00:00.00600\""));
    assert_non_null(strstr(axml, "<position coordinate=\"X\">1.0</position>"));
    assert_non_null(strstr(axml, "<position coordinate=\"X\">-1.0</position>"));
    assert_non_null(strstr(axml, "Birds &amp; Bees"));
    assert_non_null(strstr(axml, "<audioTrackUIDRef>ATU_00000002</audioTrackUIDRef>"));
    byte_writer_deinit(&chunks);
    /* From 4 ms on the second block is the first, and nothing is left to come from. */
    byte_writer_init(&chunks, 1 << 16);
    assert_int_equal(carry(&folder, 192, &chunks, &detail), STATUS_OK);
    byte_writer_u8(&chunks, 0);
    axml = (const char *)memmem(chunks.bytes, chunks.size, "axml", 4) + 8;
    assert_non_null(strstr(axml, "rtime=\"00:00:00.00000\" duration=\"00:00:00.00600\""));
    assert_non_null(strstr(axml, "interpolationLength=\"0.000000\">1<"));
    assert_null(strstr(axml, "0.005208"));
    byte_writer_deinit(&chunks);
    temp_folder_remove(&folder);
}

/* Blocks are found again by their bytes, whatever the text begins with and however its names are written. */
static void adm_objects__finds_blocks_however_they_are_written(void **state)
{
    static const struct {
        const char *head, *prefix;
    } forms[] = {{"<?xml version='1.0' encoding='UTF-8'?>", ""},
                 {"<?xml version='1.0' encoding='US-ASCII'?>", ""},
                 {"\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<!-- of a tool -->\n", ""},
                 {"", "q:"}};
    static const char key[] = "audioChannelFormat ", end_key[] = "</audioChannelFormat>";
    (void)state;
    temp_folder folder;
    temp_folder_create(&folder);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        char axml[AXML_MAX];
        byte_writer chunks;
        error_detail detail = {0};
        const char *body = strstr(object_axml, "<e "), *name = strstr(body, key), *end = strstr(body, end_key);
        int size = snprintf(axml, sizeof axml, "%s<e xmlns:q='urn:q&amp;' %.*s%s%.*s</%s%s", forms[i].head, (int)(name - body - 3), body + 3,
                            forms[i].prefix, (int)(end - name), name, forms[i].prefix, end + 2);
        byte_writer_init(&chunks, 1 << 16);
        master_write(&folder, axml, (size_t)size, (const uint8_t *)"", 0);
        assert_int_equal(carry(&folder, 96, &chunks, &detail), STATUS_OK);
        byte_writer_u8(&chunks, 0);
        const char *made = (const char *)memmem(chunks.bytes, chunks.size, "axml", 4) + 8;
        assert_non_null(strstr(made, "rtime=\"00:00:00.00000\" duration=\"00:00:00.00200\""));
        assert_non_null(strstr(made, "<position coordinate=\"X\">-1.0</position>"));
        byte_writer_deinit(&chunks);
    }
    temp_folder_remove(&folder);
}

static void adm_objects__survives_damage(void **state)
{
    static const char *const pieces[] = {"", "<", "\"", "-1", "99999999999999999999:59:59.9", "<audioObject/>", "AO_1001", "&#0;",
                                         "</audioBlockFormat>", "xml:lang='a'", "<audioBlockFormat/>", "&a;", "00:00:00.00000S1"};
    (void)state;
    temp_folder folder;
    uint64_t seed = 11;
    uint32_t carried = 0;
    temp_folder_create(&folder);
    for (int i = 0; i < DAMAGES; i++) {
        char axml[AXML_MAX];
        uint8_t dbmd[64];
        size_t size = sizeof object_axml - 1;
        memcpy(axml, object_axml, size);
        for (size_t k = test_random(&seed) % 3 + 1; k > 0; k--) {
            const char *piece = pieces[test_random(&seed) % (sizeof pieces / sizeof pieces[0])];
            size_t at = test_random(&seed) % size, length = strlen(piece), gone = test_random(&seed) % 16;
            gone = gone > size - at ? size - at : gone;
            memmove(axml + at + length, axml + at + gone, size - at - gone);
            memcpy(axml + at, piece, length);
            size = size + length - gone;
        }
        for (size_t k = 0; k < sizeof dbmd; k++)
            dbmd[k] = (uint8_t)(test_random(&seed) % 4 == 0 ? test_random(&seed) : k == 4 ? 10 : 0);
        master_write(&folder, axml, size, dbmd, test_random(&seed) % sizeof dbmd);
        byte_writer chunks;
        error_detail detail = {0};
        byte_writer_init(&chunks, 1 << 16);
        status code = carry(&folder, 96, &chunks, &detail);
        carried += code == STATUS_OK;
        if (code != STATUS_OK)
            assert_true(code == STATUS_NODE_MEMORY || strlen(detail.message) > 20);
        byte_writer_deinit(&chunks);
    }
    assert_in_range(carried, 1, DAMAGES - 1); /* both ends were seen */
    temp_folder_remove(&folder);
}

/* What libxml2 holds, and has held at most. */
static size_t held, held_most;

static void *counted(void *memory)
{
    held += memory == NULL ? 0 : malloc_usable_size(memory);
    held_most = held > held_most ? held : held_most;
    return memory;
}

static void xml_free(void *memory)
{
    held -= memory == NULL ? 0 : malloc_usable_size(memory);
    free(memory);
}

static void *xml_malloc(size_t size)
{
    return counted(malloc(size));
}

static void *xml_realloc(void *memory, size_t size)
{
    held -= memory == NULL ? 0 : malloc_usable_size(memory);
    return counted(realloc(memory, size));
}

static char *xml_strdup(const char *text)
{
    return counted(strdup(text));
}

/* What libxml2 holds at most while an object of so many blocks is probed, carried and judged as it was made. */
static size_t held_for_blocks(const temp_folder *folder, uint32_t count)
{
    static const char first[] = "<audioBlockFormat audioBlockFormatID='AB_00031001_00000001'";
    byte_writer axml, chunks;
    error_detail detail = {0};
    byte_writer_init(&axml, 1 << 20);
    byte_writer_init(&chunks, 1 << 20);
    const char *blocks = strstr(object_axml, first), *behind = strstr(object_axml, "</audioChannelFormat>");
    byte_writer_bytes(&axml, object_axml, (size_t)(blocks - object_axml));
    for (uint32_t i = 0; i < count; i++) {
        char block[256];
        int size = snprintf(block, sizeof block,
                            "<audioBlockFormat audioBlockFormatID='AB_00031001_%08x' rtime='00:00:00.%05u' "
                            "duration='00:00:00.00001'><position coordinate='X'>%+.6f</position><position "
                            "coordinate='Y'>1.0</position></audioBlockFormat>",
                            i + 1, i * 1000 / count, (i % 200) / 100.0 - 1.0);
        byte_writer_bytes(&axml, block, (size_t)size);
    }
    byte_writer_bytes(&axml, behind, strlen(behind));
    master_write(folder, (const char *)axml.bytes, axml.size, (const uint8_t *)"", 0);
    size_t before = held;
    held_most = held;
    assert_int_equal(carry(folder, 0, &chunks, &detail), STATUS_OK);
    assert_true(chunks.size > axml.size);
    assert_int_equal(held, before);
    byte_writer_deinit(&axml);
    byte_writer_deinit(&chunks);
    return held_most - before;
}

/* A programme of more blocks takes no more memory. */
static void adm_objects__holds_no_more_than_a_block(void **state)
{
    (void)state;
    temp_folder folder;
    temp_folder_create(&folder);
    size_t few = held_for_blocks(&folder, 100), many = held_for_blocks(&folder, 3000);
    print_message("libxml2 holds at most %zu bytes for 100 blocks, %zu for 3,000\n", few, many);
    assert_true(many < few + 4096);
    temp_folder_remove(&folder);
}

int main(void)
{
    if (xmlMemSetup(xml_free, xml_malloc, xml_realloc, xml_strdup) != 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adm_objects__cuts_blocks_and_keeps_the_rest),
        cmocka_unit_test(adm_objects__finds_blocks_however_they_are_written),
        cmocka_unit_test(adm_objects__survives_damage),
        cmocka_unit_test(adm_objects__holds_no_more_than_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
