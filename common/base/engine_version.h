/** The engine's own name and version, as reports and HELLO state it. Never written into a media file. */
#ifndef COMMON_BASE_ENGINE_VERSION_H
#define COMMON_BASE_ENGINE_VERSION_H

#define ENGINE_NUMBER "0.1.0" /**< the project's version in CMakeLists.txt */
#define ENGINE_VERSION "reelmill " ENGINE_NUMBER

#endif
