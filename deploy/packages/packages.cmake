# What is installed where, and the Debian packages of it: `cmake --build BUILD --target package` makes reelmill (the
# programs: `run` and `qc` are private farms, so people need all three), and what makes services of two of them:
# reelmill-coordinator and reelmill-worker.

install(TARGETS reelmill reelmill-coordinator reelmill-worker DESTINATION bin COMPONENT reelmill)
install(TARGETS reelmill-adm reelmill-demo reelmill-executor reelmill-http reelmill-pdf DESTINATION lib/reelmill COMPONENT reelmill)

# The manual and the completions come from the program itself.
set(made ${CMAKE_BINARY_DIR}/packages)
file(MAKE_DIRECTORY ${made})
add_custom_command(OUTPUT ${made}/reelmill.1.gz ${made}/reelmill.bash ${made}/_reelmill ${made}/reelmill.fish
    COMMAND sh -c "\"$1\" manual | gzip -9n > reelmill.1.gz && \"$1\" completions bash > reelmill.bash && \
\"$1\" completions zsh > _reelmill && \"$1\" completions fish > reelmill.fish" sh $<TARGET_FILE:reelmill>
    WORKING_DIRECTORY ${made} DEPENDS reelmill VERBATIM)
add_custom_target(reelmill_texts ALL DEPENDS ${made}/reelmill.1.gz)
install(FILES ${made}/reelmill.1.gz DESTINATION share/man/man1 COMPONENT reelmill)
install(FILES ${made}/reelmill.bash DESTINATION share/bash-completion/completions RENAME reelmill COMPONENT reelmill)
install(FILES ${made}/_reelmill DESTINATION share/zsh/vendor-completions COMPONENT reelmill)
install(FILES ${made}/reelmill.fish DESTINATION share/fish/vendor_completions.d COMPONENT reelmill)
install(FILES ${CMAKE_SOURCE_DIR}/deploy/slurm/reelmill-worker.sbatch DESTINATION share/reelmill COMPONENT reelmill)
install(PROGRAMS ${CMAKE_SOURCE_DIR}/deploy/hooks/mail-at-end ${CMAKE_SOURCE_DIR}/deploy/hooks/post-at-end DESTINATION share/reelmill COMPONENT reelmill)
foreach(component coordinator worker)
    install(FILES ${CMAKE_CURRENT_LIST_DIR}/${component}/${component}.yaml DESTINATION /etc/reelmill COMPONENT ${component})
endforeach()
install(FILES ${CMAKE_SOURCE_DIR}/deploy/systemd/reelmill-coordinator.service DESTINATION /lib/systemd/system COMPONENT coordinator)
install(FILES ${CMAKE_SOURCE_DIR}/deploy/systemd/reelmill-worker@.service DESTINATION /lib/systemd/system COMPONENT worker)

# A manual page for each service, from the program itself too.
foreach(component coordinator worker)
    add_custom_command(OUTPUT ${made}/reelmill-${component}.8.gz
        COMMAND sh -c "\"$1\" --manual | gzip -9n > $2" sh $<TARGET_FILE:reelmill-${component}> reelmill-${component}.8.gz
        WORKING_DIRECTORY ${made} DEPENDS reelmill-${component} VERBATIM)
    add_custom_target(reelmill_${component}_manual ALL DEPENDS ${made}/reelmill-${component}.8.gz)
    install(FILES ${made}/reelmill-${component}.8.gz DESTINATION share/man/man8 COMPONENT ${component})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR reelmill)
set(CPACK_PACKAGE_CONTACT "reelmill <root@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL reelmill coordinator worker)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION sound)
set(CPACK_DEBIAN_REELMILL_PACKAGE_NAME reelmill)
set(CPACK_DEBIAN_REELMILL_PACKAGE_DEPENDS fonts-dejavu-core) # of report.pdf; libraries are found by themselves
set(CPACK_DEBIAN_COORDINATOR_PACKAGE_NAME reelmill-coordinator)
set(CPACK_DEBIAN_WORKER_PACKAGE_NAME reelmill-worker)
set(CPACK_COMPONENT_REELMILL_DESCRIPTION "renders and proves the audio deliverables of a film")
set(CPACK_COMPONENT_COORDINATOR_DESCRIPTION "the service reelmill-coordinator: a farm's coordinator")
set(CPACK_COMPONENT_WORKER_DESCRIPTION "the service reelmill-worker: one machine of a farm")
foreach(component COORDINATOR WORKER)
    string(TOLOWER ${component} folder)
    set(CPACK_DEBIAN_${component}_PACKAGE_DEPENDS "adduser, reelmill (= ${PROJECT_VERSION})")
    set(CPACK_DEBIAN_${component}_PACKAGE_CONTROL_STRICT_PERMISSION ON)
    set(CPACK_DEBIAN_${component}_PACKAGE_CONTROL_EXTRA "")
    foreach(script postinst prerm postrm conffiles)
        list(APPEND CPACK_DEBIAN_${component}_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_LIST_DIR}/${folder}/${script})
    endforeach()
endforeach()
include(CPack)
