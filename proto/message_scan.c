#include "proto/message_scan.h"

#include "common/base/limits.h"

#include <stdbool.h>
#include <stdint.h>

/* One msgpack node as its first bytes state it. */
typedef struct scan_node {
    size_t head;     /* bytes of type and length */
    size_t body;     /* bytes of the value itself */
    uint32_t items;  /* of an array */
    bool array;
    bool allowed;
} scan_node;

static uint32_t big_endian(const uint8_t *bytes, size_t count)
{
    uint32_t value = 0;
    for (size_t i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* Type bytes: msgpack specification, section "Formats". left is at least 1. */
static scan_node scan_node_read(const uint8_t *at, size_t left)
{
    uint8_t type = at[0];
    scan_node node = {.head = 1, .allowed = true};
    size_t length = 0; /* bytes of the length that follows the type */
    if (type <= 0x7F || type >= 0xE0 || type == 0xC2 || type == 0xC3)
        return node;
    if (type >= 0x90 && type <= 0x9F) {
        node.array = true;
        node.items = type & 0x0F;
        return node;
    }
    if (type >= 0xA0 && type <= 0xBF) {
        node.body = type & 0x1F;
        return node;
    }
    if (type >= 0xCC && type <= 0xD3) { /* uint 8..64, int 8..64 */
        node.body = (size_t)1 << ((type - 0xCC) & 3);
        return node;
    }
    if (type >= 0xC4 && type <= 0xC6)
        length = (size_t)1 << (type - 0xC4);
    else if (type >= 0xD9 && type <= 0xDB)
        length = (size_t)1 << (type - 0xD9);
    else if (type == 0xDC || type == 0xDD)
        length = type == 0xDC ? 2 : 4;
    if (length == 0 || left < 1 + length) {
        node.allowed = false; /* nil, float, map, extension, the unused type, or a cut length */
        return node;
    }
    uint32_t value = big_endian(at + 1, length);
    node.head += length;
    node.array = type == 0xDC || type == 0xDD;
    if (node.array)
        node.items = value;
    else
        node.body = value;
    return node;
}

status message_scan(const void *bytes, size_t byte_size, error_detail *detail)
{
    const uint8_t *at = bytes;
    uint32_t open[MESSAGE_DEPTH_MAX]; /* items still to come of each open array */
    uint32_t depth = 0;
    uint32_t nodes = 0;
    size_t offset = 0;
    if (byte_size > FRAME_BYTES_MAX)
        return error_detail_set(detail, STATUS_PEER_MALFORMED, "a frame of %zu bytes is over the limit of %d",
                                byte_size, FRAME_BYTES_MAX);
    do {
        if (offset == byte_size)
            return error_detail_set(detail, STATUS_PEER_MALFORMED, "the frame ends at byte %zu inside an array",
                                    offset);
        scan_node node = scan_node_read(at + offset, byte_size - offset);
        if (!node.allowed)
            return error_detail_set(detail, STATUS_PEER_MALFORMED, "byte %zu: type 0x%02x has no place in a message",
                                    offset, at[offset]);
        if (nodes == 0 && !node.array)
            return error_detail_set(detail, STATUS_PEER_MALFORMED, "the frame is not a msgpack array");
        size_t left = byte_size - offset - node.head;
        if (node.body > left || node.items > left)
            return error_detail_set(detail, STATUS_PEER_MALFORMED, "byte %zu: length %zu, but %zu bytes are left",
                                    offset, node.array ? (size_t)node.items : node.body, left);
        if (++nodes > MESSAGE_NODES_MAX)
            return error_detail_set(detail, STATUS_PEER_MALFORMED, "more than %d values", MESSAGE_NODES_MAX);
        offset += node.head + node.body;
        if (depth > 0)
            open[depth - 1]--;
        if (node.array) {
            if (depth == MESSAGE_DEPTH_MAX)
                return error_detail_set(detail, STATUS_PEER_MALFORMED, "arrays deeper than %d", MESSAGE_DEPTH_MAX);
            open[depth++] = node.items;
        }
        while (depth > 0 && open[depth - 1] == 0)
            depth--;
    } while (depth > 0);
    if (offset != byte_size)
        return error_detail_set(detail, STATUS_PEER_MALFORMED, "%zu bytes after the end of the message",
                                byte_size - offset);
    return STATUS_OK;
}
