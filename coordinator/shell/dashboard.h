/** The dashboard's page: coordinator/shell/dashboard.html, embedded by deploy/cmake/embed_file.cmake. */
#ifndef COORDINATOR_SHELL_DASHBOARD_H
#define COORDINATOR_SHELL_DASHBOARD_H

#include <stddef.h>

extern const unsigned char dashboard_page[];
extern const size_t dashboard_page_size;

#endif
