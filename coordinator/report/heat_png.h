/** A grid of heat levels as a PNG of 16 colours. The same levels give the same bytes, whatever libraries there are. */
#ifndef COORDINATOR_REPORT_HEAT_PNG_H
#define COORDINATOR_REPORT_HEAT_PNG_H

#include "common/base/byte_writer.h"

#include <stdint.h>

/** levels: [row_count][column_count] below HEAT_LEVELS, lowest row first. As "data:image/png;base64,...". */
void heat_png_uri(const uint8_t *levels, uint32_t column_count, uint32_t row_count, byte_writer *writer);

#endif
