/**
 * XML of strangers, as axml chunks hold it: read within bounds, never from elsewhere. UTF-8 (or ASCII, its part) alone: other
 * encodings would pass by what is looked for in the bytes, and no tool writes them.
 */
#ifndef COMMON_MEDIA_ADM_XML_H
#define COMMON_MEDIA_ADM_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct _xmlDoc;
struct _xmlNode;

/** Why it is not even read, as a clause of a sentence ("axml is not in UTF-8"); NULL: nothing speaks against it. */
const char *adm_xml_problem(const uint8_t *axml, size_t size);
/** Bytes without the zeros that some tools pad with. */
size_t adm_xml_size(const uint8_t *axml, size_t size);
/**
 * The tree of an axml, NULL where there is none: then *out_why says why. A document type, and with it every entity, is refused.
 * The caller frees it (xmlFreeDoc).
 */
struct _xmlDoc *adm_xml_parse(const uint8_t *axml, size_t size, const char **out_why);
/** Its audioFormatExtended; NULL if it has none. */
struct _xmlNode *adm_xml_extended(struct _xmlDoc *document);

#endif
