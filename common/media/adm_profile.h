/**
 * Whether the metadata of an ADM file say what they must: in every file what ITU-R BS.2076 and BS.2088 demand of identifiers,
 * references and tracks, and in a file whose programme is called Atmos_Master the constraints of the Dolby Atmos Master ADM
 * Profile 1.0, as far as they are public (MediaInfo's checks, and files of Dolby's and Avid's tools; the profile itself is not).
 *
 * Runs on bytes of strangers: every size is bounded, document types are refused, nothing is loaded from elsewhere.
 */
#ifndef COMMON_MEDIA_ADM_PROFILE_H
#define COMMON_MEDIA_ADM_PROFILE_H

#include "common/media/adm_xml.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum adm_rule {
    ADM_RULE_AXML,         /**< it can be read */
    ADM_RULE_CHNA,         /**< one record for each track, which is what axml says of it */
    ADM_RULE_IDENTIFIER,   /**< each stands once */
    ADM_RULE_REFERENCE,    /**< leads to something, or to a common definition of BS.2094 */
    ADM_RULE_UID,          /**< rate and depth are those of the file */
    /* files that are not Dolby's: where the EBU's renderer (ITU-R BS.2127) contradicts Dolby's profile */
    ADM_RULE_EBU_STREAM,
    ADM_RULE_EBU_LFE,
    /* from here on: Dolby's profile */
    ADM_RULE_AUDIO,        /**< 48 or 96 kHz, 24 bit, at most 128 tracks */
    ADM_RULE_COUNTS,
    ADM_RULE_PROGRAMME,
    ADM_RULE_CONTENT,
    ADM_RULE_OBJECT,
    ADM_RULE_PACK,
    ADM_RULE_BED,          /**< the channels of a bed and their order */
    ADM_RULE_BED_BLOCK,    /**< where they lie */
    ADM_RULE_OBJECT_BLOCK, /**< how objects move */
    ADM_RULE_STREAM,
    ADM_RULE_FORMAT,       /**< numbers and labels of channels, streams and tracks */
    ADM_RULE_TRACK,        /**< audioTrackUIDs in order, saying rate and depth */
    ADM_RULE_BLOCK,        /**< numbers of blocks */
    ADM_RULE_DBMD,         /**< the chunk is there and whole, and of the file's tracks */
    ADM_RULE_COUNT
} adm_rule;

enum { ADM_BREACH_TEXT = 128, ADM_VALUE_SIZE = 64 };

typedef struct adm_breach {
    uint8_t rule;
    char what[ADM_BREACH_TEXT]; /**< the first place: what was found, what belongs there */
} adm_breach;

typedef struct adm_profile {
    bool judged;  /**< false: axml was not read */
    bool dolby;   /**< the programme is called Atmos_Master */
    uint8_t breach_count;
    adm_breach breaches[ADM_RULE_COUNT]; /**< one for each rule at most */
} adm_profile;

/** What the file is beside its metadata. */
typedef struct adm_audio {
    uint32_t sample_rate, bit_depth, channel_count;
    uint64_t frame_count;
} adm_audio;

/** Payloads; a size of 0: there is none. */
typedef struct adm_chunks {
    const uint8_t *chna, *dbmd;
    size_t chna_size, dbmd_size;
} adm_chunks;

/** What the blocks of a channel break first. */
typedef struct adm_block_breach {
    const struct _xmlNode *channel; /**< the first one that does; NULL: none */
    char what[ADM_BREACH_TEXT];
} adm_block_breach;

/** An axml as it is judged: its blocks were, one by one, as they came by. */
typedef struct adm_document {
    adm_xml xml;
    adm_block_breach moves, numbers;     /**< ADM_RULE_OBJECT_BLOCK, ADM_RULE_BLOCK */
    const struct _xmlNode *channel;      /**< whose blocks come by, with what is known of it: */
    char id[ADM_VALUE_SIZE];
    bool objects;
    uint32_t type, number;               /**< 0: it has none that count */
} adm_document;

/** "chna", "bed_block", ... */
const char *adm_rule_name(adm_rule rule);
/** False when the bytes could not be read, as adm_xml_read; else a document, or in xml.why what is wrong with it. */
bool adm_document_read(adm_document *out_document, const adm_source *axml);
void adm_document_deinit(adm_document *self);
void adm_profile_judge(const adm_document *document, const adm_chunks *chunks, const adm_audio *audio, adm_profile *out_profile);
/** Of an axml that nobody else reads; it lies in memory. */
void adm_profile_judge_axml(const adm_source *axml, const adm_chunks *chunks, const adm_audio *audio, adm_profile *out_profile);

#endif
