# cmake -DIN=page.html -DOUT=file.c -DNAME=dashboard_page -DHEADER=coordinator/shell/dashboard.h -P embed_file.cmake
# Writes NAME and NAME_size: the file as an array of bytes.
file(READ ${IN} bytes HEX)
string(LENGTH "${bytes}" size)
math(EXPR size "${size} / 2")
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(................................................................................)" "\\1\n    " bytes "${bytes}")
file(WRITE ${OUT} "/* Made by deploy/cmake/embed_file.cmake from ${IN}. */\n#include \"${HEADER}\"\n\n\
const unsigned char ${NAME}[] = {\n    ${bytes}};\nconst size_t ${NAME}_size = ${size};\n")
