/**
 * What probing one media file found: facts, no judgement. Made by workers, carried in results, journaled, and the
 * ground on which the planner stands.
 */
#ifndef COMMON_MEDIA_MEDIA_FACTS_H
#define COMMON_MEDIA_MEDIA_FACTS_H

#include "common/base/byte_reader.h"
#include "common/base/byte_writer.h"
#include "common/base/content_hash.h"
#include "common/base/limits.h"
#include "common/base/status.h"
#include "common/media/adm_profile.h"

#include <stdbool.h>
#include <stdint.h>

enum { MEDIA_FACTS_VERSION = 7 };

typedef enum media_container {
    CONTAINER_NONE,
    CONTAINER_WAV,
    CONTAINER_RF64,
    CONTAINER_BW64,
    CONTAINER_W64,
    CONTAINER_AIFF,
    CONTAINER_CAF,
    CONTAINER_FLAC
} media_container;
/** "WAV", "RF64", ... */
const char *media_container_name(media_container container);

typedef enum sample_encoding {
    ENCODING_NONE,
    ENCODING_PCM_16,
    ENCODING_PCM_24,
    ENCODING_PCM_32,
    ENCODING_FLOAT_32,
    ENCODING_FLOAT_64
} sample_encoding;
/** "PCM_16", "PCM_24", "PCM_32", "FLOAT_32", "FLOAT_64". */
const char *sample_encoding_name(sample_encoding encoding);
/** Bytes of one sample in memory and in WAV: 2, 3, 4, 4, 8. */
uint32_t sample_encoding_bytes(sample_encoding encoding);
uint32_t sample_encoding_bits(sample_encoding encoding);
bool sample_encoding_is_float(sample_encoding encoding);

/** True if audio at one rate can be had at the other: 44.1, 48, 88.2, 96, 176.4 and 192 kHz, each from each. */
bool sample_rate_converts(uint32_t from, uint32_t to);
/** Frames at rate `to` that lie within frame_count frames at rate `from`: the smallest count that covers them. */
uint64_t sample_rate_frames(uint64_t frame_count, uint32_t from, uint32_t to);

/** Who the file is: compared before and after use; a difference is STATUS_INPUT_CHANGED. */
typedef struct media_identity {
    uint64_t dev;
    uint64_t ino;
    uint64_t size;
    int64_t mtime_ns;
    int64_t ctime_ns;
} media_identity;

/** Appends it, and reads that: part of what is versioned around it. */
void media_identity_encode(const media_identity *self, byte_writer *writer);
void media_identity_decode(media_identity *out_identity, byte_reader *reader);

/** Broadcast extension chunk (EBU Tech 3285). Text is NUL-terminated and stripped of what is not printable. */
typedef struct media_bext {
    bool present;
    uint16_t version;
    uint64_t time_reference; /**< samples since midnight */
    char description[257];
    char originator[33];
    char originator_reference[33];
    char origination_date[11]; /**< yyyy-mm-dd */
    char origination_time[9];  /**< hh:mm:ss */
    /* version 2; 0x7FFF = not set; hundredths */
    int16_t loudness_value;
    int16_t loudness_range;
    int16_t max_true_peak_level;
    int16_t max_momentary_loudness;
    int16_t max_short_term_loudness;
} media_bext;

/** media_adm.labels of a track that carries an object. */
enum { ADM_TRACK_OBJECT = 0xFF, ADM_NAME_SIZE = 48, ADM_NAMES_BYTES = 3072 };

/** What chna and axml say of a file's tracks. */
typedef struct media_adm {
    bool present;            /**< both chunks are there and were read */
    char problem[96];        /**< why they cannot be used, or "" */
    uint16_t object_count;   /**< tracks that carry objects */
    uint16_t unknown_count;  /**< tracks that are neither objects nor channels of a bed that reelmill knows */
    uint8_t labels[FILE_CHANNELS_MAX]; /**< channel_label of the bed's tracks; ADM_TRACK_OBJECT; 0 (CHANNEL_NONE) elsewhere */
    uint32_t axml_size;      /**< bytes */
    char programme[ADM_NAME_SIZE]; /**< its name, printable; "" if it has none */
    char bed[ADM_NAME_SIZE];       /**< of the first object that has channels of a bed */
    uint16_t names_size;
    char names[ADM_NAMES_BYTES];   /**< of the objects in the order of their tracks, each with its NUL, as far as there is room */
    adm_profile profile;     /**< what the metadata break */
} media_adm;

typedef struct media_facts {
    /** STATUS_OK, or why the file cannot be used; `message` is then the sentence for the person. */
    status outcome;
    char message[ERROR_MESSAGE_SIZE];

    media_identity identity;
    media_container container;
    sample_encoding encoding;   /**< of the file; FLAC and AIFF by their depth */
    uint32_t valid_bits;        /**< bits the header says are used (20 of 24, 12 of 16); = depth if not stated */
    bool big_endian;
    uint32_t sample_rate;
    uint32_t channel_count;
    uint64_t frame_count;
    uint64_t data_offset;       /**< byte of the first sample; 0 when decoded by libsndfile */
    bool direct;                /**< true: PCM or float little-endian at data_offset, read by our own reader */
    bool has_channel_mask;
    uint32_t channel_mask;
    bool has_adm;               /**< chna and axml present */
    media_adm adm;
    media_bext bext;
} media_facts;

/** Track of a channel (channel_label) as chna and axml say; -1 where they do not say, or say it of several. */
int media_adm_track(const media_adm *self, uint8_t label);
/** Track of an object, counted in the order of the tracks; -1 where there is none of that number. */
int media_adm_object_track(const media_adm *self, uint32_t object);

/** Its name; "" where it has none, or there was no room for it. */
const char *media_adm_object_name(const media_adm *self, uint32_t object);

/** Appends the facts in their journal and wire form (versioned). */
void media_facts_encode(const media_facts *self, byte_writer *writer);
/** Reads what encode wrote; fails the reader on anything out of range. */
void media_facts_decode(media_facts *out_facts, byte_reader *reader);

#endif
