/*
 * The iXML chunk of a deliverable: project, reel, timecode, tracks and what bext says, for workstations that read it.
 *
 * Source: the iXML specification (gallery.co.uk/ixml), which has no schema and makes every element optional. Every file has a
 * FILE_UID and is of a FILE_SET, alone or with the other mono files of its programme, as files of recorders and workstations
 * are; both are digests of what names the file (title, version, deliverable, reel, place, form), so that a retry, and any other
 * farm, writes the same bytes. A track's
 * function is written as Steinberg's Nuendo 12 writes it ("Ls-5.1", "Lss-GENERIC", mono "C-GENERIC"). The specification has no
 * element for a language: it stands in NOTE for people and in our own object REELMILL for programs. Loudness is in bext
 * alone, because this chunk is made before anything is measured.
 */
#include "coordinator/plan/plan_parts.h"
#include "coordinator/plan/plan_xml.h"

#include "common/base/content_hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* 32 hexadecimal digits. part: "" of the whole set, else of one file. */
static void write_uid(xml_writer *xml, const char *name, const show *film, const show_deliverable *wanted,
                      const plan_file *file, const char *part)
{
    const output_header *header = &file->header;
    char form[128], text[CONTENT_HASH_TEXT_SIZE];
    snprintf(form, sizeof form, "%" PRIu64 " %" PRIu64 " %" PRIu32 " %s", header->bext.time_reference, header->frame_count,
             header->sample_rate, sample_encoding_name(header->encoding));
    const char *const words[] = {film->title, film->slug, film->version, film->date, wanted->name, wanted->language,
                                 file->reel < 0 ? "" : film->reels[file->reel].name, form, part};
    content_hash_stream stream;
    content_hash_stream_init(&stream);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) /* with their NUL, so that no two lists read alike */
        content_hash_stream_add(&stream, words[i] == NULL ? "" : words[i], words[i] == NULL ? 1 : strlen(words[i]) + 1);
    content_hash digest = content_hash_stream_digest(&stream);
    content_hash_to_text(&digest, text);
    xml_text(xml, name, text);
}

/* The mono files of one programme belong together; any other file is a set of its own. */
static void write_file_set(xml_writer *xml, const show *film, const show_deliverable *wanted, const plan_file *file,
                           channel_layout_id layout)
{
    bool mono = file->channel != CHANNEL_NONE;
    const char index[2] = {(char)('A' + (mono ? channel_layout_index(layout, file->channel) : 0)), '\0'};
    write_uid(xml, "FILE_UID", film, wanted, file, mono ? channel_label_name(file->channel) : "file");
    xml_begin(xml, "FILE_SET");
    xml_number(xml, "TOTAL_FILES", mono ? channel_layout_get(layout)->channel_count : 1);
    write_uid(xml, "FAMILY_UID", film, wanted, file, "");
    xml_text(xml, "FAMILY_NAME", wanted->name);
    xml_text(xml, "FILE_SET_INDEX", index);
    xml_end(xml);
}

/* Samples since midnight as two halves of 32 bits. */
static void write_time_reference(xml_writer *xml, const char *high, const char *low, uint64_t samples)
{
    xml_number(xml, high, samples >> 32);
    xml_number(xml, low, samples & UINT32_MAX);
}

static void write_speed(xml_writer *xml, const frame_rate *rate, const output_header *header)
{
    char text[32];
    xml_begin(xml, "SPEED");
    if (rate->num != 0) {
        snprintf(text, sizeof text, "%" PRIu32 "/%" PRIu32, rate->num, rate->den);
        xml_text(xml, "MASTER_SPEED", text);
        xml_text(xml, "CURRENT_SPEED", text);
        xml_text(xml, "TIMECODE_RATE", text);
        xml_text(xml, "TIMECODE_FLAG", rate->drop ? "DF" : "NDF");
    }
    xml_number(xml, "FILE_SAMPLE_RATE", header->sample_rate);
    xml_number(xml, "AUDIO_BIT_DEPTH", sample_encoding_bits(header->encoding));
    xml_number(xml, "DIGITIZER_SAMPLE_RATE", header->sample_rate);
    write_time_reference(xml, "TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI", "TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO",
                         header->bext.time_reference);
    xml_number(xml, "TIMESTAMP_SAMPLE_RATE", header->sample_rate);
    xml_end(xml);
}

/* channel: of the programme, interleave: of the file, both from 1. */
static void write_track(xml_writer *xml, channel_layout_id layout, channel_label label, uint32_t channel,
                        uint32_t interleave)
{
    char function[32];
    snprintf(function, sizeof function, "%s-%s", label == CHANNEL_M ? "C" : channel_label_name(label),
             layout == LAYOUT_5_1 ? "5.1" : "GENERIC");
    xml_begin(xml, "TRACK");
    xml_number(xml, "CHANNEL_INDEX", channel);
    xml_number(xml, "INTERLEAVE_INDEX", interleave);
    xml_text(xml, "NAME", channel_label_name(label));
    xml_text(xml, "FUNCTION", function);
    xml_end(xml);
}

static void write_tracks(xml_writer *xml, const plan_deliverable *deliverable, const plan_file *file)
{
    const channel_order *order = &deliverable->order;
    xml_begin(xml, "TRACK_LIST");
    xml_number(xml, "TRACK_COUNT", file->header.channel_count);
    if (file->channel != CHANNEL_NONE)
        write_track(xml, deliverable->layout, file->channel,
                    (uint32_t)channel_layout_index(deliverable->layout, file->channel) + 1, 1);
    for (uint32_t i = 0; file->channel == CHANNEL_NONE && i < order->channel_count; i++)
        write_track(xml, deliverable->layout, order->labels[i], i + 1, i + 1);
    for (uint32_t i = order->channel_count; i < order->channel_count + deliverable->object_count; i++) {
        char name[32];
        snprintf(name, sizeof name, "Object %u", i + 1u - order->channel_count);
        xml_begin(xml, "TRACK");
        xml_number(xml, "CHANNEL_INDEX", i + 1);
        xml_number(xml, "INTERLEAVE_INDEX", i + 1);
        xml_text(xml, "NAME", name);
        xml_end(xml);
    }
    xml_end(xml);
}

static void write_bext(xml_writer *xml, const output_header *header)
{
    xml_begin(xml, "BEXT");
    xml_text(xml, "BWF_DESCRIPTION", header->bext.description);
    xml_text(xml, "BWF_ORIGINATOR", header->bext.originator);
    xml_text(xml, "BWF_ORIGINATION_DATE", header->bext.origination_date);
    xml_text(xml, "BWF_ORIGINATION_TIME", header->bext.origination_time);
    write_time_reference(xml, "BWF_TIME_REFERENCE_HIGH", "BWF_TIME_REFERENCE_LOW", header->bext.time_reference);
    xml_number(xml, "BWF_VERSION", header->bext.version);
    xml_text(xml, "BWF_CODING_HISTORY", header->coding_history);
    xml_end(xml);
}

void plan_ixml_chunk(const plan *self, const plan_file *file, byte_writer *writer)
{
    const plan_deliverable *deliverable = &self->deliverables[file->deliverable];
    const show *film = plan_timeline_show(self->show, &self->timelines[deliverable->timeline]);
    const show_deliverable *wanted = &film->deliverables[file->deliverable];
    xml_writer document, *xml = &document;
    xml_open_chunk(xml, "iXML", writer);
    xml_begin(xml, "BWFXML");
    xml_text(xml, "IXML_VERSION", "1.61");
    xml_text(xml, "PROJECT", film->title);
    if (file->reel >= 0)
        xml_text(xml, "SCENE", film->reels[file->reel].name);
    xml_text(xml, "NOTE", file->header.bext.description);
    write_speed(xml, &film->rate, &file->header);
    write_file_set(xml, film, wanted, file, deliverable->layout);
    write_tracks(xml, deliverable, file);
    write_bext(xml, &file->header);
    xml_begin(xml, "REELMILL");
    xml_text(xml, "DELIVERABLE", wanted->name);
    xml_text(xml, "VERSION", film->version);
    if (deliverable->language[0] != '\0')
        xml_text(xml, "LANGUAGE", deliverable->language);
    xml_close_chunk(xml);
}
