/** What the files of adm_profile share: the elements of an axml, and how what they break is told. */
#ifndef COMMON_MEDIA_ADM_PROFILE_PARTS_H
#define COMMON_MEDIA_ADM_PROFILE_PARTS_H

#include "common/base/status.h"
#include "common/media/adm_profile.h"

#include <libxml/tree.h>

enum { VALUE_SIZE = ADM_VALUE_SIZE, ELEMENTS_MAX = 1024 };
enum { COMMON_NUMBER_END = 0x1000, FIRST_NUMBER = 0x1001, FIRST_OBJECT_NUMBER = 0x100B };

typedef enum element_kind { PROGRAMME, CONTENT, OBJECT, PACK, CHANNEL, STREAM, TRACK, UID, ELEMENT_KINDS } element_kind;

typedef struct element {
    const xmlNode *node;
    char id[VALUE_SIZE];
} element;

typedef struct judge {
    const adm_document *document;
    const adm_audio *audio;
    adm_profile *profile;
    uint32_t count[ELEMENT_KINDS];
    element *items[ELEMENT_KINDS]; /**< ELEMENTS_MAX each */
    int64_t length;                /**< of the audio, in 10 us */
} judge;

/** The first place of each rule is told. */
void adm_breach_add(judge *self, adm_rule rule, const char *format, ...) PRINTF_LIKE(3, 4);
bool adm_is_named(const xmlNode *node, const char *name);
const xmlNode *adm_child(const xmlNode *node, const char *name);
uint32_t adm_child_count(const xmlNode *node, const char *name);
const char *adm_text(const xmlNode *node, char out[VALUE_SIZE]);
const char *adm_attribute(const xmlNode *node, const char *name, char out[VALUE_SIZE]);
bool adm_attribute_is(const xmlNode *node, const char *name, const char *wanted);
bool adm_number(const char *text, double *out_number);
/** The number of AP_00031001 or AT_00031001_01 is 1001, in hexadecimal; type is 3. */
bool adm_id_parts(const char *id, uint32_t *out_type, uint32_t *out_number);
/** hh:mm:ss.sssss in 10 us; -1 when it is none. */
int64_t adm_time(const char *text);
const element *adm_find(const judge *self, element_kind kind, const char *id);

/** Dolby's profile: how formats, blocks and tracks are numbered and labelled. */
void adm_judge_formats(judge *self);
/** Dolby's chunk of its own. */
void adm_judge_dbmd(judge *self, const uint8_t *dbmd, size_t size);
/** Files for the EBU's renderer (ITU-R BS.2127), where that contradicts Dolby's profile. */
void adm_judge_ebu(judge *self);

#endif
