/** What the files of adm_objects share: the objects' elements as their files have them, and their way into the output. */
#ifndef WORKER_MEDIA_ADM_OBJECTS_PARTS_H
#define WORKER_MEDIA_ADM_OBJECTS_PARTS_H

#include "worker/media/adm_objects.h"
#include "worker/media/probe_source.h"

#include <libxml/tree.h>
#include <libxml/xmlwriter.h>

/** The metadata of one file; it stays open, since the blocks of its objects are read where they are written. */
typedef struct object_file {
    probe_source source;
    media_facts facts;           /**< of source, for its sentences */
    uint8_t *bytes;              /**< chna and dbmd, one behind the other */
    size_t chna_size, dbmd_size;
    adm_source axml;
    adm_document document;
    media_adm adm;
} object_file;

/** One object in one file. */
typedef struct object_nodes {
    const xmlNode *content;      /**< NULL: none names it */
    const xmlNode *object, *pack, *channel;
} object_nodes;

/** One object of the output in one piece. */
typedef struct object_part {
    bool taken;
    uint32_t file;               /**< index in files */
    uint16_t track;              /**< of the file */
    object_nodes nodes;
} object_part;

typedef struct object_merge {
    const output_header *header;
    bool dolby;
    uint32_t bed_count;          /**< tracks before the objects */
    uint32_t file_count;
    object_file *files;          /**< [object_source_count], the first file_count of them open */
    uint32_t *file_of;           /**< [object_source_count] index in files */
    object_part *parts;          /**< [object_source_count * object_count] by source */
    uint32_t *content_of;        /**< [object_count] number of its content among those of objects */
    const xmlNode **contents;    /**< [object_count] of the first object that has it */
    uint32_t content_count;
    error_detail *detail;
} object_merge;

/** The first element child of that name; NULL if there is none. */
const xmlNode *object_child(const xmlNode *parent, const char *name);
const xmlNode *object_next(const xmlNode *node, const char *name);
bool object_named(const xmlNode *node, const char *name);
/** Text of an element, or of an attribute, without white space around it; "" if there is none. */
enum { OBJECT_TEXT_SIZE = 256 };
const char *object_text(const xmlNode *node, char out[OBJECT_TEXT_SIZE]);
const char *object_attribute(const xmlNode *node, const char *name, char out[OBJECT_TEXT_SIZE]);

/** Finds the elements of a file's track. */
status object_nodes_find(const object_file *file, uint16_t track, const char *display, object_nodes *out_nodes,
                         error_detail *detail);
/** Appends the axml of the output. */
status object_axml_write(const object_merge *self, const xmlNode *bed, byte_writer *out_axml);

#endif
