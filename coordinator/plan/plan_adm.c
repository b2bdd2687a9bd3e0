/*
 * The chunks that make a file an ADM BWF with one bed: chna, axml, and dbmd where the flavour is Dolby's.
 *
 * Sources: ITU-R BS.2088 (chna), BS.2076 (axml); the constraints of the Dolby Atmos Master ADM Profile 1.0 as MediaInfo's
 * checks and files of Dolby's and Avid's tools show them; dbmd as Dolby's published parser reads it (dbmd-atmos-parser).
 * The profile itself and the meaning of dbmd's other bytes are not public: those bytes are 0 here.
 *
 * The flavours differ in three things. Dolby demands that an audioStreamFormat names channel, pack and track; the EBU's
 * reference renderer (BS.2127) refuses one that names channel and pack. That renderer takes an LFE without a low-pass
 * frequency for a full-range channel, which Dolby's files do not have. And dbmd is Dolby's own.
 */
#include "coordinator/plan/plan_parts.h"
#include "coordinator/plan/plan_xml.h"

#include "common/base/ensure.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ADM_NUMBER_FIRST = 0x1001, ADM_TIME_SIZE = 32, ADM_ID_SIZE = 24 };

static const char *adm_id(char out[ADM_ID_SIZE], const char *format, ...) PRINTF_LIKE(2, 3);
static const char *adm_id(char out[ADM_ID_SIZE], const char *format, ...)
{
    va_list number;
    va_start(number, format);
    vsnprintf(out, ADM_ID_SIZE, format, number);
    va_end(number);
    return out;
}

/* hh:mm:ss.sssss, the nearest to the sample; five decimals are what the profile allows. */
static const char *adm_time(char out[ADM_TIME_SIZE], uint64_t frames, uint32_t rate)
{
    uint64_t units = (frames * 100000 + rate / 2) / rate;
    snprintf(out, ADM_TIME_SIZE, "%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ".%05" PRIu64, units / 360000000,
             units / 6000000 % 60, units / 100000 % 60, units % 100000);
    return out;
}

/* ---- axml ---- */

typedef struct adm_writer {
    xml_writer *xml;
    const plan_adm *bed;
    const channel_layout *layout;
    char end[ADM_TIME_SIZE];
} adm_writer;

static void write_programme(const adm_writer *self)
{
    bool dolby = self->bed->flavour == ADM_DOLBY;
    xml_begin(self->xml, "audioProgramme");
    xml_attribute(self->xml, "audioProgrammeID", "APR_1001");
    /* The profile is recognised by this name. */
    xml_attribute(self->xml, "audioProgrammeName", dolby ? "Atmos_Master" : self->bed->title);
    xml_attribute(self->xml, "start", "00:00:00.00000");
    xml_attribute(self->xml, "end", self->end);
    xml_text(self->xml, "audioContentIDRef", "ACO_1001");
    xml_end(self->xml);
    xml_begin(self->xml, "audioContent");
    xml_attribute(self->xml, "audioContentID", "ACO_1001");
    xml_attribute(self->xml, "audioContentName", "Bed_Content");
    xml_text(self->xml, "audioObjectIDRef", "AO_1001");
    xml_begin(self->xml, "dialogue");
    xml_attribute(self->xml, "mixedContentKind", "0");
    xml_content(self->xml, "2"); /* mixed: dialogue, music and effects together */
    xml_end(self->xml);
    xml_end(self->xml);
}

static void write_object(const adm_writer *self)
{
    char id[ADM_ID_SIZE];
    xml_begin(self->xml, "audioObject");
    xml_attribute(self->xml, "audioObjectID", "AO_1001");
    xml_attribute(self->xml, "audioObjectName", "Bed");
    xml_attribute(self->xml, "start", "00:00:00.00000");
    xml_attribute(self->xml, "duration", self->end);
    xml_attribute(self->xml, "interact", "0");
    xml_attribute(self->xml, "disableDucking", "1");
    xml_text(self->xml, "audioPackFormatIDRef", "AP_00011001");
    for (uint32_t i = 0; i < self->layout->channel_count; i++)
        xml_text(self->xml, "audioTrackUIDRef", adm_id(id, "ATU_%08" PRIx32, i + 1));
    xml_end(self->xml);
    xml_begin(self->xml, "audioPackFormat");
    xml_attribute(self->xml, "audioPackFormatID", "AP_00011001");
    xml_attribute(self->xml, "audioPackFormatName", "Bed");
    xml_attribute(self->xml, "typeDefinition", "DirectSpeakers");
    xml_attribute(self->xml, "typeLabel", "0001");
    for (uint32_t i = 0; i < self->layout->channel_count; i++)
        xml_text(self->xml, "audioChannelFormatIDRef", adm_id(id, "AC_0001%04" PRIx32, ADM_NUMBER_FIRST + i));
    xml_end(self->xml);
}

static void write_position(const adm_writer *self, const char *coordinate, const char *value)
{
    xml_begin(self->xml, "position");
    xml_attribute(self->xml, "coordinate", coordinate);
    xml_content(self->xml, value);
    xml_end(self->xml);
}

static void write_channel(const adm_writer *self, uint32_t index)
{
    const adm_speaker *speaker = adm_speaker_of(self->layout->labels[index]);
    uint32_t number = ADM_NUMBER_FIRST + index;
    char id[ADM_ID_SIZE];
    ENSURE(speaker != NULL); /* recipes with another layout are refused when they are read */
    xml_begin(self->xml, "audioChannelFormat");
    xml_attribute(self->xml, "audioChannelFormatID", adm_id(id, "AC_0001%04" PRIx32, number));
    xml_attribute(self->xml, "audioChannelFormatName", speaker->name);
    xml_attribute(self->xml, "typeDefinition", "DirectSpeakers");
    xml_attribute(self->xml, "typeLabel", "0001");
    if (self->bed->flavour == ADM_EBU && speaker->label == CHANNEL_LFE) {
        xml_begin(self->xml, "frequency");
        xml_attribute(self->xml, "typeDefinition", "lowPass");
        xml_content(self->xml, "120");
        xml_end(self->xml);
    }
    xml_begin(self->xml, "audioBlockFormat");
    xml_attribute(self->xml, "audioBlockFormatID", adm_id(id, "AB_0001%04" PRIx32 "_00000001", number));
    xml_text(self->xml, "speakerLabel", speaker->speaker_label);
    xml_text(self->xml, "cartesian", "1");
    write_position(self, "X", speaker->x);
    write_position(self, "Y", speaker->y);
    write_position(self, "Z", speaker->z);
    xml_end(self->xml);
    xml_end(self->xml);
}

static void write_stream(const adm_writer *self, uint32_t index)
{
    uint32_t number = ADM_NUMBER_FIRST + index;
    char id[ADM_ID_SIZE], name[64];
    snprintf(name, sizeof name, "PCM_%s", adm_speaker_of(self->layout->labels[index])->name);
    xml_begin(self->xml, "audioStreamFormat");
    xml_attribute(self->xml, "audioStreamFormatID", adm_id(id, "AS_0001%04" PRIx32, number));
    xml_attribute(self->xml, "audioStreamFormatName", name);
    xml_attribute(self->xml, "formatDefinition", "PCM");
    xml_attribute(self->xml, "formatLabel", "0001");
    xml_text(self->xml, "audioChannelFormatIDRef", adm_id(id, "AC_0001%04" PRIx32, number));
    if (self->bed->flavour == ADM_DOLBY)
        xml_text(self->xml, "audioPackFormatIDRef", "AP_00011001");
    xml_text(self->xml, "audioTrackFormatIDRef", adm_id(id, "AT_0001%04" PRIx32 "_01", number));
    xml_end(self->xml);
}

static void write_track(const adm_writer *self, uint32_t index)
{
    uint32_t number = ADM_NUMBER_FIRST + index;
    char id[ADM_ID_SIZE], name[64];
    snprintf(name, sizeof name, "PCM_%s", adm_speaker_of(self->layout->labels[index])->name);
    xml_begin(self->xml, "audioTrackFormat");
    xml_attribute(self->xml, "audioTrackFormatID", adm_id(id, "AT_0001%04" PRIx32 "_01", number));
    xml_attribute(self->xml, "audioTrackFormatName", name);
    xml_attribute(self->xml, "formatDefinition", "PCM");
    xml_attribute(self->xml, "formatLabel", "0001");
    xml_text(self->xml, "audioStreamFormatIDRef", adm_id(id, "AS_0001%04" PRIx32, number));
    xml_end(self->xml);
}

static void write_track_uid(const adm_writer *self, uint32_t index)
{
    char id[ADM_ID_SIZE];
    xml_begin(self->xml, "audioTrackUID");
    xml_attribute(self->xml, "UID", adm_id(id, "ATU_%08" PRIx32, index + 1));
    xml_attribute(self->xml, "bitDepth", adm_id(id, "%" PRIu32, self->bed->bit_depth));
    xml_attribute(self->xml, "sampleRate", adm_id(id, "%" PRIu32, self->bed->sample_rate));
    xml_text(self->xml, "audioTrackFormatIDRef", adm_id(id, "AT_0001%04" PRIx32 "_01", ADM_NUMBER_FIRST + index));
    xml_text(self->xml, "audioPackFormatIDRef", "AP_00011001");
    xml_end(self->xml);
}

static void write_axml(adm_writer *self)
{
    static void (*const parts[])(const adm_writer *, uint32_t) = {write_channel, write_stream, write_track,
                                                                  write_track_uid};
    xml_begin(self->xml, "ebuCoreMain");
    xml_attribute(self->xml, "xmlns", "urn:ebu:metadata-schema:ebuCore_2016");
    xml_attribute(self->xml, "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
    xml_attribute(self->xml, "xsi:schemaLocation", "urn:ebu:metadata-schema:ebuCore_2016 ebucore.xsd");
    xml_attribute(self->xml, "xml:lang", "en");
    xml_begin(self->xml, "coreMetadata");
    xml_begin(self->xml, "format");
    xml_begin(self->xml, "audioFormatExtended");
    write_programme(self);
    write_object(self);
    for (size_t part = 0; part < sizeof parts / sizeof parts[0]; part++)
        for (uint32_t i = 0; i < self->layout->channel_count; i++)
            parts[part](self, i);
}

/* ---- chunks ---- */

static void write_chna(const adm_writer *self, byte_writer *writer)
{
    uint32_t count = self->layout->channel_count;
    byte_writer_bytes(writer, "chna", 4);
    byte_writer_u32(writer, 4 + 40 * count);
    byte_writer_u16(writer, (uint16_t)count);
    byte_writer_u16(writer, (uint16_t)count);
    for (uint32_t i = 0; i < count; i++) {
        char id[ADM_ID_SIZE];
        byte_writer_u16(writer, (uint16_t)(i + 1));
        byte_writer_bytes(writer, adm_id(id, "ATU_%08" PRIx32, i + 1), 12);
        byte_writer_bytes(writer, adm_id(id, "AT_0001%04" PRIx32 "_01", ADM_NUMBER_FIRST + i), 14);
        byte_writer_bytes(writer, "AP_00011001", 11);
        byte_writer_u8(writer, 0);
    }
}

static void dbmd_segment(byte_writer *writer, uint8_t id, const uint8_t *payload, uint16_t size)
{
    uint32_t sum = size;
    for (uint32_t i = 0; i < size; i++)
        sum += payload[i];
    byte_writer_u8(writer, id);
    byte_writer_u16(writer, size);
    byte_writer_bytes(writer, payload, size);
    byte_writer_u8(writer, (uint8_t)(0u - sum));
}

static void write_dbmd(const adm_writer *self, byte_writer *writer)
{
    enum { DDP = 7, DDP_BYTES = 96, ATMOS = 9, ATMOS_BYTES = 248, TRIMS = 10, TRIMS_BYTES = 142, TRIM_MODES = 9 };
    uint8_t ddp[DDP_BYTES] = {[1] = 0x47, [5] = 0x60, [8] = 0x24, [9] = 0x24, [14] = 2, [15] = 2};
    /* 152: warp mode "not indicated"; 112: no first frame of action. */
    uint8_t atmos[ATMOS_BYTES] = {[111] = self->bed->dolby_frame_rate, [112] = 0xFF, [152] = 0x84};
    uint8_t trims[TRIMS_BYTES + 2 * LAYOUT_CHANNELS_MAX] = {0xBD, 0x6F, 0x72, 0xF8, self->layout->channel_count};
    uint32_t count = self->layout->channel_count;
    memcpy(atmos + 32, "reelmill", 8);
    for (uint32_t i = 0; i < TRIM_MODES; i++)
        trims[7 + 15 * i] = 1; /* automatic */
    for (uint32_t i = 0; i < count; i++) /* binaural rendering not indicated; off for the LFE */
        trims[TRIMS_BYTES + count + i] = self->layout->labels[i] == CHANNEL_LFE ? 0x80 : 0x84;
    byte_writer made;
    byte_writer_init(&made, 1024);
    byte_writer_u32(&made, 0x01000006);
    dbmd_segment(&made, DDP, ddp, DDP_BYTES);
    dbmd_segment(&made, ATMOS, atmos, ATMOS_BYTES);
    dbmd_segment(&made, TRIMS, trims, (uint16_t)(TRIMS_BYTES + 2 * count));
    byte_writer_u8(&made, 0);
    ENSURE(!made.failed);
    plan_chunk_write(writer, "dbmd", made.bytes, made.size);
    byte_writer_deinit(&made);
}

void plan_adm_chunks(const plan_adm *self, byte_writer *writer)
{
    xml_writer axml;
    adm_writer adm = {.xml = &axml, .bed = self, .layout = channel_layout_get(self->layout)};
    adm_time(adm.end, self->frame_count, self->sample_rate);
    write_chna(&adm, writer);
    xml_open_chunk(&axml, "axml", writer);
    write_axml(&adm);
    xml_close_chunk(&axml);
    if (self->flavour == ADM_DOLBY)
        write_dbmd(&adm, writer);
}
