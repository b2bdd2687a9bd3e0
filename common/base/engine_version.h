/** The engine's own name and version, as reports and HELLO state it. Never written into a media file. */
#ifndef COMMON_BASE_ENGINE_VERSION_H
#define COMMON_BASE_ENGINE_VERSION_H

#define ENGINE_VERSION "reelmill 0.1.0"

#endif
