/** What `--version` says in each of the three programs: engine, protocol and build. */
#ifndef PROTO_VERSION_PRINT_H
#define PROTO_VERSION_PRINT_H

#include <stdio.h>

void version_print(FILE *out);

#endif
