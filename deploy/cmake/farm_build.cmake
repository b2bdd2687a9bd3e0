# The five words that every CMakeLists.txt of this project uses: farm_library, farm_module, farm_program, farm_part, farm_test.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_C_COMPILER_LAUNCHER)
    set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

option(REELMILL_SANITIZE "build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(REELMILL_THREAD_SANITIZE "build with ThreadSanitizer" OFF)
option(REELMILL_FUZZ "build the libFuzzer targets (clang)" OFF)
option(REELMILL_WERROR "warnings are errors" ON)

add_library(farm_flags INTERFACE)
target_include_directories(farm_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
target_compile_definitions(farm_flags INTERFACE _POSIX_C_SOURCE=200809L _FILE_OFFSET_BITS=64)
# Contraction is off everywhere: a fused multiply-add is written as fma() or not at all (design, invariant 1).
target_compile_options(farm_flags INTERFACE -ffp-contract=off -fno-strict-aliasing -fstack-protector-strong
    -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wundef -Wvla -Wdouble-promotion
    -Wfloat-conversion -Wswitch-enum -Wcast-align -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes)
if(REELMILL_WERROR)
    target_compile_options(farm_flags INTERFACE -Werror)
endif()
# A module may be linked for what needs no library of those it names: no program loads one that it does not call.
target_link_options(farm_flags INTERFACE LINKER:--as-needed)
if(REELMILL_SANITIZE)
    target_compile_options(farm_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(farm_flags INTERFACE -fsanitize=address,undefined)
    target_compile_definitions(farm_flags INTERFACE REELMILL_SANITIZED=1)
    add_library(farm_plain INTERFACE) # linked after farm_flags: no sanitizer for these files
    target_compile_options(farm_plain INTERFACE -fno-sanitize=all)
elseif(REELMILL_THREAD_SANITIZE)
    target_compile_options(farm_flags INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
    target_link_options(farm_flags INTERFACE -fsanitize=thread)
    target_compile_definitions(farm_flags INTERFACE REELMILL_SANITIZED=1)
elseif(REELMILL_FUZZ)
    target_compile_options(farm_flags INTERFACE -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
    target_link_options(farm_flags INTERFACE -fsanitize=address,undefined)
    target_compile_definitions(farm_flags INTERFACE REELMILL_SANITIZED=1)
else()
    target_compile_options(farm_flags INTERFACE -D_FORTIFY_SOURCE=2)
endif()

# farm_library(NAME PKG...): imported target lib_NAME from the first pkg-config name that exists of each "a|b".
function(farm_library NAME)
    set(packages)
    foreach(choice ${ARGN})
        string(REPLACE "|" ";" choices "${choice}")
        set(found)
        foreach(c ${choices})
            pkg_check_modules(probe_${NAME}_${c} QUIET ${c})
            if(probe_${NAME}_${c}_FOUND AND NOT found)
                set(found ${c})
            endif()
        endforeach()
        if(NOT found)
            message(FATAL_ERROR "reelmill needs the library '${choice}' (pkg-config); deploy/quickstart.sh installs the packages")
        endif()
        list(APPEND packages ${found})
    endforeach()
    pkg_check_modules(${NAME} REQUIRED IMPORTED_TARGET GLOBAL ${packages})
    add_library(lib_${NAME} INTERFACE)
    target_link_libraries(lib_${NAME} INTERFACE PkgConfig::${NAME})
endfunction()

# farm_module(NAME LINKS other... ): one static library from every *.c of the folder (programs' *_main.c and files in
# subfolders excepted), and one object file per header that proves the header compiles alone.
function(farm_module NAME)
    cmake_parse_arguments(M "" "" "LINKS;EXCLUDE" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
    file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.h)
    list(FILTER sources EXCLUDE REGEX "_main\\.c$")
    foreach(x ${M_EXCLUDE})
        list(REMOVE_ITEM sources ${CMAKE_CURRENT_SOURCE_DIR}/${x})
    endforeach()
    foreach(h ${headers})
        file(RELATIVE_PATH rel ${CMAKE_SOURCE_DIR} ${h})
        string(MAKE_C_IDENTIFIER ${rel} id)
        set(probe ${CMAKE_BINARY_DIR}/header_alone/${id}.c)
        file(CONFIGURE OUTPUT ${probe} CONTENT "#include \"${rel}\"\nextern int header_alone_${id};\nint header_alone_${id};\n")
        list(APPEND sources ${probe})
    endforeach()
    add_library(${NAME} STATIC ${sources})
    target_link_libraries(${NAME} PUBLIC farm_flags ${M_LINKS})
endfunction()

# Where programs and tests find their parts.
set(CMAKE_BUILD_RPATH ${CMAKE_BINARY_DIR}/lib/reelmill)
if(REELMILL_SANITIZE OR REELMILL_THREAD_SANITIZE OR REELMILL_FUZZ)
    # dlopen() is the sanitizer's there, for which only the program's run path of the older kind holds.
    target_link_options(farm_flags INTERFACE LINKER:--disable-new-dtags)
endif()

# farm_part(NAME SOURCES a.c LINKS ...): a file of its own that a program loads where it needs it (common/base/program_part.h).
# What it takes from the program stands in deploy/cmake/program_part.list.
function(farm_part NAME)
    cmake_parse_arguments(P "" "" "SOURCES;LINKS" ${ARGN})
    add_library(${NAME} MODULE ${P_SOURCES})
    target_link_libraries(${NAME} PRIVATE farm_flags ${P_LINKS})
    set_target_properties(${NAME} PROPERTIES PREFIX "" OUTPUT_NAME ${NAME}-${PROJECT_VERSION} SKIP_BUILD_RPATH ON INSTALL_RPATH ""
        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/reelmill)
endfunction()

function(farm_program NAME)
    cmake_parse_arguments(P "" "" "SOURCES;LINKS" ${ARGN})
    add_executable(${NAME} ${P_SOURCES})
    target_link_libraries(${NAME} PRIVATE farm_flags ${P_LINKS})
    set_target_properties(${NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin
        BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN/../lib/reelmill")
endfunction()

# farm_test(NAME SOURCES a.c LINKS ...): a cmocka program, registered with ctest under its own name.
function(farm_test NAME)
    cmake_parse_arguments(T "" "TIMEOUT" "SOURCES;LINKS;ARGS;LABELS" ${ARGN})
    if(NOT T_TIMEOUT)
        set(T_TIMEOUT 120)
    endif()
    add_executable(${NAME} ${T_SOURCES})
    target_link_libraries(${NAME} PRIVATE farm_flags ${T_LINKS} lib_cmocka)
    add_test(NAME ${NAME} COMMAND ${NAME} ${T_ARGS})
    # Exit code 77 is a clean skip; the test prints why.
    set_tests_properties(${NAME} PROPERTIES TIMEOUT ${T_TIMEOUT} SKIP_RETURN_CODE 77 LABELS "${T_LABELS}"
        ENVIRONMENT "REELMILL_SHARED=${CMAKE_SOURCE_DIR}/../shared")
endfunction()
