#include "worker/media/adm_read.h"
#include "worker/media/foreign_walk.h"
#include "worker/media/media_reader.h"
#include "worker/media/riff_walk.h"
#include "worker/media/sndfile_source.h"
#include "worker/media/storage_root.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A FLAC stream that does not say how long it is gets decoded once, up to a day of audio. */
enum { COUNT_SECONDS_MAX = 24 * 3600 };

static bool probe_is_text(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((bytes[i] < 0x20 && bytes[i] != '\n' && bytes[i] != '\r' && bytes[i] != '\t') || bytes[i] == 0x7F)
            return false;
    return size > 0;
}

static const char *probe_guess(const uint8_t *magic, size_t size)
{
    static const struct {
        uint8_t offset;
        uint8_t length;
        const char *bytes;
        const char *name;
    } known[] = {
        {0, 4, "OggS", "an Ogg file"},          {0, 3, "ID3", "an MP3 file (or begins with an ID3 tag)"},
        {0, 2, "\xFF\xFB", "an MP3 file"},      {0, 2, "\xFF\xF1", "an AAC stream"},
        {4, 4, "ftyp", "an MP4 or MOV file"},   {4, 4, "moov", "a MOV file"},
        {0, 4, "\x1A\x45\xDF\xA3", "a Matroska file"}, {0, 4, "\x06\x0E\x2B\x34", "an MXF file"},
        {0, 4, "wvpk", "a WavPack file"},       {0, 4, "\x89PNG", "a PNG image"},
        {0, 4, "%PDF", "a PDF document"},       {0, 2, "PK", "a ZIP archive"},
        {0, 4, "FORM", "an IFF file other than AIFF"}, {0, 4, ".snd", "an AU file"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].offset + known[i].length <= size &&
            memcmp(magic + known[i].offset, known[i].bytes, known[i].length) == 0)
            return known[i].name;
    return probe_is_text(magic, size) ? "text" : "of an unknown kind";
}

static void probe_take_format(media_facts *facts, const riff_format *format)
{
    facts->encoding = riff_format_encoding(format);
    facts->valid_bits = format->valid_bits;
    facts->sample_rate = format->sample_rate;
    facts->channel_count = format->channel_count;
    facts->has_channel_mask = format->has_channel_mask;
    facts->channel_mask = format->channel_mask;
}

/* Which track is what; metadata that cannot be used is a problem of its own, not of the audio. */
static bool probe_adm(probe_source *source, const riff_form *form)
{
    media_adm *adm = &source->facts->adm;
    *adm = (media_adm){.present = true};
    if (form->chna_size > ADM_CHNA_BYTES_MAX || form->axml_size >> 20 >= ADM_AXML_MIB_MAX) {
        snprintf(adm->problem, sizeof adm->problem, "chna is larger than %d bytes or axml than %d MiB, and so neither is read",
                 ADM_CHNA_BYTES_MAX, ADM_AXML_MIB_MAX);
        return true;
    }
    size_t chna_size = (size_t)form->chna_size;
    size_t dbmd_size = form->dbmd_size <= ADM_DBMD_BYTES_MAX ? (size_t)form->dbmd_size : 0;
    uint8_t *bytes = malloc(chna_size + dbmd_size + 1);
    adm_source axml = probe_text(source, form->axml_offset, form->axml_size);
    adm_document document = {.number = 0};
    if (bytes == NULL) {
        source->failure = STATUS_NODE_MEMORY;
        return false;
    }
    bool read = probe_read(source, form->chna_offset, bytes, chna_size) && adm_document_read(&document, &axml) &&
                probe_read(source, form->dbmd_offset, bytes + chna_size, dbmd_size);
    if (read) {
        const media_facts *facts = source->facts;
        adm_read(&document, bytes, chna_size, facts->channel_count, adm);
        adm->axml_size = (uint32_t)axml.size;
        adm_profile_judge(&document, &(adm_chunks){bytes, bytes + chna_size, chna_size, dbmd_size},
                          &(adm_audio){facts->sample_rate, facts->valid_bits, facts->channel_count, facts->frame_count},
                          &adm->profile);
    }
    adm_document_deinit(&document);
    free(bytes);
    return read;
}

static bool probe_riff(probe_source *source)
{
    media_facts *facts = source->facts;
    riff_form form;
    if (!riff_walk(source, &form))
        return false;
    probe_take_format(facts, &form.format);
    facts->container = form.container;
    facts->big_endian = form.big_endian;
    facts->frame_count = form.frame_count;
    facts->data_offset = form.data_offset;
    facts->direct = !form.big_endian && form.format.sample_bytes > 1;
    facts->has_adm = form.has_chna && form.has_axml;
    facts->bext = form.bext;
    return !facts->has_adm || probe_adm(source, &form);
}

static bool probe_fail(probe_source *source, status code, const error_detail *detail)
{
    if (status_class_of(code) == STATUS_CLASS_INPUT)
        return probe_refuse(source, code, "cannot be used: %.300s; export it as WAV", detail->message);
    source->failure = code;
    memcpy(source->facts->message, detail->message, sizeof detail->message);
    return false;
}

/*
 * The last promised frame must decode: libsndfile cuts a short file without a word. On failure, or where no length is
 * stated, the frames that are there are counted by decoding.
 */
static bool probe_foreign_length(probe_source *source, sndfile_source **decoder, const foreign_form *form)
{
    error_detail detail = {0};
    double frame[FILE_CHANNELS_MAX];
    uint32_t got = 0;
    uint64_t promised = form->frames_known ? form->frame_count : UINT64_MAX;
    if (form->frames_known && promised > 0) {
        status code = sndfile_source_read(*decoder, promised - 1, 1, frame, &got, &detail);
        if (code != STATUS_OK)
            return probe_fail(source, code, &detail);
    }
    if (got == 1 || promised == 0) {
        source->facts->frame_count = promised;
        return true;
    }
    uint64_t day = (uint64_t)source->facts->sample_rate * COUNT_SECONDS_MAX;
    uint64_t held = 0;
    /* Opened anew: a decoder that failed to reach the end does not find back to the start. */
    sndfile_source_destroy(decoder);
    status code = sndfile_source_create(decoder, source->descriptor, form->container, &detail);
    if (code == STATUS_OK)
        code = sndfile_source_count(*decoder, promised < day ? promised : day, &held, &detail);
    if (code != STATUS_OK)
        return probe_fail(source, code, &detail);
    if (held == 0)
        return probe_refuse(source, STATUS_INPUT_INVALID, "cannot be decoded from its first frame on; encode it again");
    if (form->frames_known)
        return probe_refuse_truncated(source, held < promised ? held : promised - 1, promised);
    if (held >= day)
        return probe_refuse(source, STATUS_LIMIT, "does not say how long it is and has over a day of audio; encode it again");
    source->facts->frame_count = held;
    return true;
}

static bool probe_foreign_numbers(probe_source *source, const sndfile_source *decoder, const foreign_form *form)
{
    uint32_t channels = sndfile_source_channel_count(decoder);
    uint32_t rate = sndfile_source_sample_rate(decoder);
    if (channels != form->channel_count)
        return probe_refuse(source, STATUS_INPUT_INVALID,
                            "contradicts itself: its header states %u channels, its audio has %u; export it again",
                            (unsigned)form->channel_count, (unsigned)channels);
    if (rate < SAMPLE_RATE_MIN || rate > SAMPLE_RATE_MAX)
        return probe_refuse(source, STATUS_INPUT_UNSUPPORTED, "has a sample rate of %u Hz, expected %d to %d Hz",
                            (unsigned)rate, SAMPLE_RATE_MIN, SAMPLE_RATE_MAX);
    media_facts *facts = source->facts;
    facts->container = form->container;
    facts->encoding = sndfile_source_file_encoding(decoder);
    if (form->is_float != (facts->encoding == ENCODING_FLOAT_32 || facts->encoding == ENCODING_FLOAT_64))
        return probe_refuse(source, STATUS_INPUT_UNSUPPORTED,
                            "holds %s that libsndfile takes for %s; export it as 24-bit PCM WAV",
                            form->is_float ? "float" : "PCM", sample_encoding_name(facts->encoding));
    facts->valid_bits = form->valid_bits;
    facts->big_endian = form->big_endian;
    facts->sample_rate = rate;
    facts->channel_count = channels;
    return true;
}

static bool probe_foreign(probe_source *source, media_container container)
{
    foreign_form form;
    if (!foreign_walk(source, container, &form))
        return false;
    if (form.direct) {
        media_facts *facts = source->facts;
        probe_take_format(facts, &form.format);
        facts->container = container;
        facts->frame_count = form.frame_count;
        facts->data_offset = form.data_offset;
        facts->direct = true;
        return true;
    }
    sndfile_source *decoder = NULL;
    error_detail detail = {0};
    status code = sndfile_source_create(&decoder, source->descriptor, container, &detail);
    if (code != STATUS_OK)
        return probe_fail(source, code, &detail);
    bool good = probe_foreign_numbers(source, decoder, &form) && probe_foreign_length(source, &decoder, &form);
    sndfile_source_destroy(&decoder);
    return good;
}

static bool probe_content(probe_source *source)
{
    uint8_t magic[64] = {0};
    if (source->size == 0)
        return probe_refuse(source, STATUS_INPUT_INVALID,
                            "is empty (0 bytes), expected an audio file; copy it again from its source");
    size_t take = source->size < sizeof magic ? (size_t)source->size : sizeof magic;
    if (!probe_read(source, 0, magic, take))
        return false;
    if (riff_walk_knows(magic))
        return probe_riff(source);
    media_container container = foreign_walk_container(magic);
    if (container != CONTAINER_NONE)
        return probe_foreign(source, container);
    return probe_refuse(source, STATUS_INPUT_UNSUPPORTED,
                        "is %s, expected WAV, RF64, BW64, W64, AIFF, CAF or FLAC; export it as 24-bit WAV",
                        probe_guess(magic, take));
}

static bool probe_same(probe_source *source)
{
    media_identity now;
    source->failure = storage_identity(source->descriptor, &now);
    if (source->failure != STATUS_OK)
        return false;
    if (storage_identity_equal(&now, &source->facts->identity))
        return true;
    return probe_refuse(source, STATUS_INPUT_CHANGED,
                        "changed while it was examined; wait until it is completely copied, then run again");
}

status media_probe(int descriptor, const char *display, media_facts *out_facts)
{
    media_facts facts = {0};
    probe_source source = {.descriptor = descriptor, .display = display, .facts = &facts};
    struct stat info;
    if (fstat(descriptor, &info) != 0)
        return STATUS_NODE_SYSTEM;
    status code = storage_identity(descriptor, &facts.identity);
    if (code != STATUS_OK)
        return code;
    source.size = facts.identity.size;
    bool good = S_ISREG(info.st_mode) || probe_refuse(&source, STATUS_INPUT_INVALID, "is %s, expected an audio file",
                                                      S_ISDIR(info.st_mode) ? "a folder" : "no regular file");
    good = good && probe_content(&source) && probe_same(&source);
    if (!good && source.failure != STATUS_OK) {
        memcpy(out_facts->message, facts.message, sizeof facts.message);
        return source.failure;
    }
    if (good)
        facts.outcome = STATUS_OK;
    *out_facts = facts;
    return STATUS_OK;
}
