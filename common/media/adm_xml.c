#include "common/media/adm_xml.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * What is kept, beside the blocks that are let go of: a Dolby master of 128 tracks has some 200 KiB and 6,000 elements and
 * attributes of it. With its two nodes an attribute takes some 220 bytes, so all of it takes less than 64 MiB.
 */
enum { ATTRIBUTES_MAX = 256, DEPTH_MAX = 8, KEPT_NODES_MAX = 131072, KEPT_BYTES_MAX = 8 << 20, NAMES_BYTES_MAX = 1 << 20,
       PIECE_BYTES = 1 << 16 };

/* ---- what is looked for before libxml2 sees the bytes ---- */

/* The encoding that an XML declaration names: it stands within the declaration, in quotes. */
static bool encoding_is_utf8(const char *declaration, size_t size)
{
    static const char key[] = "encoding";
    static const char *const known[] = {"UTF-8", "US-ASCII", "ASCII"};
    for (size_t at = 0; at + sizeof key < size; at++) {
        if (memcmp(declaration + at, key, sizeof key - 1) != 0)
            continue;
        at += sizeof key - 1;
        while (at < size && (declaration[at] == '=' || strchr(" \t\r\n", declaration[at]) != NULL))
            at++;
        char quote = at < size ? declaration[at++] : '\0';
        if (quote != '"' && quote != '\'')
            return false;
        size_t length = 0;
        while (at + length < size && declaration[at + length] != quote)
            length++;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            if (strlen(known[i]) == length && strncasecmp(known[i], declaration + at, length) == 0)
                return true;
        return false;
    }
    return true;
}

/* UTF-16, UTF-32 and EBCDIC do not begin with '<', or hold zeros; others are named. */
static bool begins_as_utf8(const uint8_t *axml, size_t size)
{
    if (size >= 3 && memcmp(axml, "\xEF\xBB\xBF", 3) == 0) {
        axml += 3;
        size -= 3;
    }
    size_t first = 0;
    while (first < size && (axml[first] == ' ' || axml[first] == '\t' || axml[first] == '\r' || axml[first] == '\n'))
        first++;
    if (first == size || axml[first] != '<')
        return false;
    if (size - first < 5 || memcmp(axml + first, "<?xml", 5) != 0)
        return true;
    const uint8_t *end = memchr(axml + first, '>', size - first);
    return end != NULL && encoding_is_utf8((const char *)axml + first, (size_t)(end - axml) - first);
}

/* Whether an element has too many attributes; libxml2 takes time by the square of their number: minutes for some 100,000. */
typedef struct tag_scan {
    uint32_t count;
    uint8_t quote;
    bool opened, inside;
    bool too_many;
} tag_scan;

/* They are counted by '=' outside quotes. A '<' begins anew whatever was before, since no value may hold one. */
static void scan_tags(tag_scan *self, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = bytes[i];
        if (self->opened)
            self->inside = byte != '!' && byte != '?';
        self->opened = byte == '<';
        if (self->opened) {
            self->inside = false;
            self->quote = 0;
            self->count = 0;
        } else if (!self->inside)
            continue;
        else if (self->quote != 0)
            self->quote = byte == self->quote ? 0 : self->quote;
        else if (byte == '"' || byte == '\'')
            self->quote = byte;
        else if (byte == '>')
            self->inside = false;
        else if (byte == '=' && ++self->count > ATTRIBUTES_MAX)
            self->too_many = true;
    }
}

static bool read_text(const adm_source *self, uint64_t offset, void *bytes, size_t size)
{
    if (self->bytes == NULL)
        return self->read(self->context, self->first + offset, bytes, size);
    memcpy(bytes, self->bytes + self->first + offset, size);
    return true;
}

/* Why it is not even parsed, and its bytes without the zeros that some tools pad with. False when they cannot be read. */
static bool find_problem(const adm_source *text, uint8_t *piece, uint64_t *out_size, const char **out_why)
{
    tag_scan tags = {0};
    bool utf8 = true;
    uint64_t end = text->size; /* the first zero; nothing else comes behind it */
    for (uint64_t offset = 0; offset < text->size; offset += PIECE_BYTES) {
        size_t size = text->size - offset < PIECE_BYTES ? (size_t)(text->size - offset) : PIECE_BYTES;
        if (!read_text(text, offset, piece, size))
            return false;
        const uint8_t *zero = end < offset ? piece : memchr(piece, 0, size);
        size_t filled = zero == NULL ? size : (size_t)(zero - piece);
        if (zero != NULL && end == text->size)
            end = offset + filled;
        for (size_t i = filled; i < size; i++)
            utf8 = utf8 && piece[i] == 0;
        if (offset == 0)
            utf8 = begins_as_utf8(piece, filled) && utf8;
        scan_tags(&tags, piece, filled);
    }
    *out_size = end;
    *out_why = end == 0             ? "axml is empty"
               : !utf8              ? "axml is not in UTF-8"
               : tags.too_many      ? "axml has an element of more than 256 attributes"
                                    : NULL;
    return true;
}

/* ---- reading ---- */

typedef struct reading {
    adm_source text;           /* as far as it is not padding */
    const char *prologue;    /* comes before it */
    uint64_t offset;         /* what libxml2 has taken of prologue and text */
    uint64_t dropped;        /* bytes of blocks that are let go of */
    uint64_t before, after;  /* the tag that libxml2 has read last */
    uint32_t nodes;          /* elements and attributes that are kept */
    const xmlNode *block;    /* the one that is open */
    uint64_t block_offset;
    uint32_t block_nodes;
    const adm_block_visitor *visitor;
    bool failed;             /* the bytes cannot be read */
    adm_xml *xml;            /* what is made */
} reading;

static int take_bytes(void *context, char *bytes, int size)
{
    reading *self = context;
    uint64_t prologue = self->prologue == NULL ? 0 : strlen(self->prologue);
    if (self->offset - self->dropped > KEPT_BYTES_MAX)
        self->xml->why = "axml has more than 8 MiB beside its blocks";
    if (self->xml->why != NULL || self->failed)
        return -1;
    uint64_t left = prologue + self->text.size - self->offset;
    if (self->offset < prologue) {
        left = prologue - self->offset;
        size = left < (uint64_t)size ? (int)left : size;
        memcpy(bytes, self->prologue + self->offset, (size_t)size);
    } else {
        size = left < (uint64_t)size ? (int)left : size;
        self->failed = !read_text(&self->text, self->offset - prologue, bytes, (size_t)size);
    }
    self->offset += (uint64_t)size;
    return self->failed ? -1 : size;
}

static bool is_named(const xmlNode *node, const char *name)
{
    return node != NULL && node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

static void move_on(reading *self, xmlParserCtxtPtr parser)
{
    self->before = self->after;
    self->after = parser->input->consumed + (uint64_t)(parser->input->cur - parser->input->base);
}

static void begin_element(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespace_count,
                          const xmlChar **namespaces, int attribute_count, int defaulted_count, const xmlChar **attributes)
{
    xmlParserCtxtPtr parser = context;
    reading *self = parser->_private;
    uint32_t nodes = self->nodes;
    self->nodes += 1 + (uint32_t)namespace_count + (uint32_t)attribute_count;
    move_on(self, parser);
    if (self->nodes > KEPT_NODES_MAX)
        self->xml->why = "axml has more than 131,072 elements and attributes beside its blocks";
    if (self->xml->why != NULL) {
        xmlStopParser(parser);
        return;
    }
    parser->loadsubset |= XML_SKIP_IDS; /* of xml:id, which would be kept in a table; reset by libxml2 as it begins */
    xmlSAX2StartElementNs(parser, name, prefix, uri, namespace_count, namespaces, attribute_count, defaulted_count, attributes);
    if (self->block != NULL)
        return; /* goes with it, so nothing may lead to what it holds */
    if (self->xml->extended == NULL && parser->nodeNr <= DEPTH_MAX && is_named(parser->node, "audioFormatExtended"))
        self->xml->extended = parser->node;
    if (is_named(parser->node, "audioChannelFormat")) {
        adm_channel *channel = calloc(1, sizeof *channel);
        if (channel == NULL) {
            self->xml->why = "no memory is left to read it";
            return;
        }
        *channel = (adm_channel){.next = self->xml->channels, .begin = self->after};
        self->xml->channels = parser->node->_private = channel;
    } else if (is_named(parser->node, "audioBlockFormat") && is_named(parser->node->parent, "audioChannelFormat")) {
        self->block = parser->node;
        self->block_offset = self->before;
        self->block_nodes = nodes;
    }
}

static void end_element(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    xmlParserCtxtPtr parser = context;
    reading *self = parser->_private;
    xmlNode *node = parser->node;
    move_on(self, parser);
    xmlSAX2EndElementNs(parser, name, prefix, uri);
    if (is_named(node, "audioChannelFormat") && node->_private != NULL)
        ((adm_channel *)node->_private)->end = self->after;
    if (node == NULL || node != self->block)
        return;
    self->block = NULL;
    adm_channel *channel = node->parent->_private;
    if (channel == NULL)
        return; /* no memory: it ends */
    self->visitor->visit(self->visitor->context, node, ++channel->block_count);
    if (channel->block_count == 1)
        return;
    /* With the text before it: libxml2 would join the next one to it, by the length of a text that it has read since. */
    xmlNode *last = node;
    do {
        xmlUnlinkNode(last);
        xmlFreeNode(last);
        last = parser->node->last; /* the first block stays */
    } while (last->type == XML_TEXT_NODE);
    self->nodes = self->block_nodes;
    self->dropped += self->after - self->block_offset;
}

static void ignore_error(void *context, xmlErrorPtr error)
{
    (void)context, (void)error; /* what is wrong is told once, by us */
}

static void refuse_type(void *context, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    xmlParserCtxtPtr parser = context;
    reading *self = parser->_private;
    (void)name, (void)external, (void)system;
    self->xml->why = "axml has a document type";
    xmlStopParser(parser);
}

static void parse(reading *self)
{
    xmlParserCtxtPtr parser = xmlNewParserCtxt();
    self->xml->why = parser == NULL ? "no memory is left to read it" : NULL;
    if (parser == NULL)
        return;
    parser->_private = self;
    parser->sax->startElementNs = begin_element;
    parser->sax->endElementNs = end_element;
    parser->sax->internalSubset = refuse_type;
    parser->sax->serror = ignore_error;
    parser->sax->comment = NULL; /* nobody reads them, and a text is one behind them as well */
    parser->sax->processingInstruction = NULL;
    xmlDictSetLimit(parser->dict, NAMES_BYTES_MAX);
    /*
     * Without the indentation, and short texts in their nodes, a tree takes a third less; sections of CDATA are texts, which
     * between blocks are let go of. That it is UTF-8 is known: where an encoding is named libxml2 may convert, and no longer
     * counts the bytes that it has taken.
     */
    self->xml->tree = xmlCtxtReadIO(parser, take_bytes, NULL, self, NULL, NULL,
                                    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOBLANKS |
                                        XML_PARSE_COMPACT | XML_PARSE_NOCDATA | XML_PARSE_IGNORE_ENC);
    xmlFreeParserCtxt(parser);
    if (self->xml->why == NULL && (self->xml->tree == NULL || self->failed))
        self->xml->why = "axml is no XML that can be read";
    if (self->xml->why == NULL)
        return;
    xmlFreeDoc(self->xml->tree);
    self->xml->tree = NULL;
    self->xml->extended = NULL;
}

bool adm_xml_read(adm_xml *out_xml, const adm_source *text, const adm_block_visitor *visitor)
{
    reading self = {.text = *text, .visitor = visitor, .xml = out_xml};
    *out_xml = (adm_xml){.why = "no memory is left to read it"};
    uint8_t *piece = malloc(PIECE_BYTES);
    self.failed = piece != NULL && !find_problem(text, piece, &self.text.size, &out_xml->why);
    free(piece);
    if (out_xml->why == NULL && !self.failed)
        parse(&self);
    return !self.failed;
}

/* A start tag of the channel as it is named, with every prefix that it may use: of names the prefix alone counts. */
static char *prologue_of(const xmlNode *channel)
{
    xmlBufferPtr buffer = xmlBufferCreate();
    xmlNsPtr *known = xmlGetNsList(channel->doc, channel);
    bool prefixed = channel->ns != NULL && channel->ns->prefix != NULL;
    xmlBufferCCat(buffer, "<");
    xmlBufferCat(buffer, prefixed ? channel->ns->prefix : BAD_CAST "");
    xmlBufferCCat(buffer, prefixed ? ":" : "");
    xmlBufferCat(buffer, channel->name);
    for (uint32_t i = 0; known != NULL && known[i] != NULL; i++) {
        if (known[i]->prefix == NULL)
            continue;
        xmlBufferCCat(buffer, " xmlns:");
        xmlBufferCat(buffer, known[i]->prefix);
        xmlBufferCCat(buffer, "='urn:x'");
    }
    xmlFree(known);
    char *made = buffer == NULL ? NULL : (char *)xmlBufferDetach(buffer);
    xmlBufferFree(buffer);
    return made;
}

bool adm_xml_read_blocks(const struct _xmlNode *channel, const adm_source *text, const adm_block_visitor *visitor)
{
    const adm_channel *place = channel->_private;
    char *prologue = prologue_of(channel);
    if (prologue == NULL)
        return false;
    adm_xml made = {.why = NULL};
    reading self = {.text = *text, .prologue = prologue, .visitor = visitor, .xml = &made};
    self.text.first += place->begin;
    self.text.size = place->end - place->begin;
    parse(&self);
    bool whole = made.tree != NULL;
    adm_xml_deinit(&made);
    xmlFree(prologue);
    return whole;
}

uint32_t adm_xml_block_count(const struct _xmlNode *channel)
{
    return ((const adm_channel *)channel->_private)->block_count;
}

void adm_xml_deinit(adm_xml *self)
{
    xmlFreeDoc(self->tree);
    while (self->channels != NULL) {
        adm_channel *next = self->channels->next;
        free(self->channels);
        self->channels = next;
    }
    *self = (adm_xml){.why = NULL};
}
