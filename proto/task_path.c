#include "proto/task_body.h"

bool task_path_valid(const char *path)
{
    const char *component = path;
    for (const char *at = path;; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte != '\0' && (byte < 0x20 || byte == 0x7F))
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
