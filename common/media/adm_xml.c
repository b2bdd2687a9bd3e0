#include "common/media/adm_xml.h"

#include <libxml/parser.h>
#include <string.h>
#include <strings.h>

enum { ATTRIBUTES_MAX = 256, DEPTH_MAX = 8, NODES_MAX = 1000000 };

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
static bool is_utf8(const uint8_t *axml, size_t size)
{
    if (size >= 3 && memcmp(axml, "\xEF\xBB\xBF", 3) == 0) {
        axml += 3;
        size -= 3;
    }
    size_t first = 0;
    while (first < size && (axml[first] == ' ' || axml[first] == '\t' || axml[first] == '\r' || axml[first] == '\n'))
        first++;
    if (first == size || axml[first] != '<' || memchr(axml, 0, size) != NULL)
        return false;
    if (size - first < 5 || memcmp(axml + first, "<?xml", 5) != 0)
        return true;
    const uint8_t *end = memchr(axml + first, '>', size - first);
    return end != NULL && encoding_is_utf8((const char *)axml + first, (size_t)(end - axml) - first);
}

/*
 * Attributes are counted by '=' outside quotes. A '<' begins anew whatever was before, since no value may hold one. libxml2
 * takes time by the square of their number: minutes for some 100,000.
 */
static bool attributes_are_bounded(const uint8_t *axml, size_t size)
{
    uint32_t count = 0;
    uint8_t quote = 0;
    bool inside = false;
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = axml[i];
        if (byte == '<') {
            inside = i + 1 < size && axml[i + 1] != '!' && axml[i + 1] != '?';
            quote = 0;
            count = 0;
        } else if (inside && quote != 0)
            quote = byte == quote ? 0 : quote;
        else if (inside && (byte == '"' || byte == '\''))
            quote = byte;
        else if (inside && byte == '>')
            inside = false;
        else if (inside && byte == '=' && ++count > ATTRIBUTES_MAX)
            return false;
    }
    return true;
}

/*
 * Elements, comments and the like: all that begins with '<' and is no end. A tree of 32 MiB of "<a/>" would take 1 GB; in 32 MiB of
 * real metadata, where an element has some 60 bytes (a block and what is in it), there are about 500,000.
 */
static bool nodes_are_bounded(const uint8_t *axml, size_t size)
{
    const uint8_t *end = axml + size;
    uint32_t count = 0;
    for (const uint8_t *at = axml; (at = memchr(at, '<', (size_t)(end - at))) != NULL;)
        if (++at == end || *at != '/')
            if (++count > NODES_MAX)
                return false;
    return true;
}

const char *adm_xml_problem(const uint8_t *axml, size_t size)
{
    size = adm_xml_size(axml, size);
    if (size == 0)
        return "axml is empty";
    if (!is_utf8(axml, size))
        return "axml is not in UTF-8";
    if (!nodes_are_bounded(axml, size))
        return "axml has more than 1,000,000 elements";
    return attributes_are_bounded(axml, size) ? NULL : "axml has an element of more than 256 attributes";
}

size_t adm_xml_size(const uint8_t *axml, size_t size)
{
    while (size > 0 && axml[size - 1] == 0)
        size--;
    return size;
}

struct _xmlDoc *adm_xml_parse(const uint8_t *axml, size_t size, const char **out_why)
{
    *out_why = adm_xml_problem(axml, size);
    if (*out_why != NULL)
        return NULL;
    /* A tree takes some ten times the bytes of its text; without the indentation, and short texts in their nodes, a third less. */
    xmlDocPtr document = xmlReadMemory((const char *)axml, (int)adm_xml_size(axml, size), NULL, NULL,
                                       XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOBLANKS |
                                           XML_PARSE_COMPACT);
    if (document == NULL) {
        *out_why = "axml is no XML that can be read";
    } else if (document->intSubset != NULL || document->extSubset != NULL) {
        *out_why = "axml has a document type";
        xmlFreeDoc(document);
        document = NULL;
    }
    return document;
}

static xmlNode *find_extended(xmlNode *node, int depth)
{
    xmlNode *found = NULL;
    for (; node != NULL && found == NULL && depth < DEPTH_MAX; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        if (strcmp((const char *)node->name, "audioFormatExtended") == 0)
            return node;
        found = find_extended(node->children, depth + 1);
    }
    return found;
}

struct _xmlNode *adm_xml_extended(struct _xmlDoc *document)
{
    return document == NULL ? NULL : find_extended(document->children, 0);
}
