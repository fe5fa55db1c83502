# SPDX-License-Identifier: MIT
# What `cmake --install` puts where, and the target `uninstall` that takes it away.
install(TARGETS edgectl)
install(FILES completions/edgectl.bash DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME edgectl)
install(FILES completions/_edgectl DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions")
install(FILES completions/edgectl.fish DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
if(EXISTS "${PROJECT_SOURCE_DIR}/README.md")
  install(FILES README.md DESTINATION "${CMAKE_INSTALL_DOCDIR}")
endif()

configure_file(daemon/edged.service.in "${PROJECT_BINARY_DIR}/edged.service" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/edged.service" DESTINATION lib/systemd/user)

find_program(GZIP gzip)
file(GLOB pages CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/man/*.[1-8]")
set(zipped "")
foreach(page IN LISTS pages)
  get_filename_component(name "${page}" NAME)
  string(REGEX MATCH "[1-8]$" section "${name}")
  set(output "${PROJECT_BINARY_DIR}/man/${name}.gz")
  add_custom_command(OUTPUT "${output}" COMMAND "${CMAKE_COMMAND}" -E make_directory "${PROJECT_BINARY_DIR}/man"
    COMMAND sh -c "'${GZIP}' -9n <'${page}' >'${output}'" DEPENDS "${page}" VERBATIM)
  list(APPEND zipped "${output}")
  install(FILES "${output}" DESTINATION "${CMAKE_INSTALL_MANDIR}/man${section}")
endforeach()
add_custom_target(man_pages ALL DEPENDS ${zipped})

add_custom_target(uninstall COMMAND "${CMAKE_COMMAND}" -DMANIFEST=${PROJECT_BINARY_DIR}/install_manifest.txt
  -P "${PROJECT_SOURCE_DIR}/.cmake/uninstall.cmake")
