#include "proto/task_body.h"

bool task_path_valid(const char *path)
{
    const char *component = path;
    for (const char *at = path;; at++) {
        unsigned char byte = (unsigned char)*at;
        bool high = byte == 0xC2 && (unsigned char)at[1] >= 0x80 && (unsigned char)at[1] < 0xA0; /* C1, in UTF-8 */
        if (byte != '\0' && (byte < 0x20 || byte == 0x7F || high))
            return false;
        if (byte != '/' && byte != '\0')
            continue;
        size_t size = (size_t)(at - component);
        if (size == 0 || (size == 1 && component[0] == '.') ||
            (size == 2 && component[0] == '.' && component[1] == '.'))
            return false;
        if (byte == '\0')
            return true;
        component = at + 1;
    }
}
